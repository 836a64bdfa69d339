import CustomStrategy from "passport-custom";
import type { Request } from "express";
import type { Strategy } from "passport";
import { ConfigurationError, type Problem } from "../core/errors.js";
import type { MethodType } from "../core/nouns.js";
import type { Engine } from "../engine/engine.js";
import { setDeviceToken } from "../http/device-cookie.js";
import { assertion, check, proof } from "../http/schemas.js";
import { clientOf, newcomerOf } from "../http/arrival.js";
import { isCrossSite, saysCrossSite } from "../http/cross-site.js";
import { requireSession } from "../http/session.js";
import type { Settings } from "../options/settings.js";
import { isDue } from "../policy/assess.js";
import { type RequestState, stateOf, type Visit } from "../http/state.js";

declare module "passport" {
  interface AuthenticateOptions {
    /**
     * `"inline"`: a login that needs a second factor is not answered by the middleware; a strategy of `mfa.strategy()` further
     * down the same chain verifies it.
     */
    secondFactor?: "inline" | undefined;
  }
}

/** What a strategy tells Passport: a user, or the status it fails with. */
type Verdict = { readonly user: Express.User } | { readonly status: 429 | undefined };

/** Without a status Passport answers 401, and in a list of strategies lets one that has a status speak. */
const FAILED: Verdict = { status: undefined };

interface Desk {
  readonly engine: Engine;
  readonly settings: Settings;
}

function failed(req: Request, { code, retryAfter }: Problem): Verdict {
  if (retryAfter !== undefined) req.res?.set("Retry-After", String(retryAfter));
  return { status: code === "too-many-attempts" ? 429 : undefined };
}

/** The proof of a pending user, in the form its method takes; undefined where the body holds none. */
async function prove(req: Request, type: MethodType, { engine, settings }: Desk, visit: Visit) {
  if (type === "passkey") {
    const body = check(assertion, req.body);
    const party = settings.relyingParty(req, visit.user);
    return body && engine.passkeys?.verify(visit.visitor, visit.account, { party, ...body });
  }
  const body = check(proof, req.body);
  return body && engine.challenge.verify(visit.visitor, { type, ...body });
}

async function verify(req: Request, type: MethodType, desk: Desk, state: RequestState, visit: Visit): Promise<Verdict> {
  // A foreign page must not spend the owner's attempts.
  if (saysCrossSite(req, desk.settings)) return FAILED;
  const outcome = await prove(req, type, desk, visit);
  if (outcome === undefined) return FAILED;
  if (!outcome.ok) return failed(req, outcome.problem);
  const { value } = outcome.value;
  if (value.deviceToken !== undefined && req.res !== undefined) {
    setDeviceToken(req, req.res, desk.settings, visit.userId, value.deviceToken);
  }
  // Passport calls req.logIn next; the login completed there is this one.
  state.risen = value;
  return { user: visit.user };
}

/** A passkey as the first step, or as the whole login. Whatever is wrong, and whoever is unknown, the answer is one. */
async function begin(req: Request, { engine, settings }: Desk, state: RequestState): Promise<Verdict> {
  const { loadUser } = settings;
  if (engine.passkeys === undefined || loadUser === undefined) {
    throw new ConfigurationError(["user.load: needed to find the user of a passkey: user: { load: (id) => ... }"]);
  }
  const body = check(assertion, req.body);
  const browserId = requireSession(req).secondFactorBrowser;
  if (body === undefined || typeof browserId !== "string" || isCrossSite(req, settings)) return FAILED;
  const { credential } = body;
  const userId = await engine.passkeys.claimant(credential);
  const user = userId === undefined ? undefined : await loadUser(userId);
  const newcomer = user && { ...(await newcomerOf(req, settings, user)), mark: undefined };
  const presentation = { party: settings.relyingParty(req, user), credential, browserId, client: clientOf(req) };
  const outcome = await engine.passkeys.signIn(newcomer, presentation);
  if (!outcome.ok) return failed(req, outcome.problem);
  state.risen = outcome.value;
  state.first = "passkey";
  return user === undefined ? FAILED : { user };
}

async function judge(req: Request, type: MethodType, desk: Desk): Promise<Verdict> {
  const state = stateOf(req);
  if (state === undefined) {
    throw new ConfigurationError([`mfa.strategy("${type}") needs app.use(mfa) before the route`]);
  }
  const { visit } = state;
  if (visit === undefined) return type === "passkey" ? begin(req, desk, state) : FAILED;
  if (isDue(visit.standing)) return verify(req, type, desk, state, visit);
  // Passport logs the user in again; it is the same login that goes on.
  const { mark } = visit.visitor;
  state.risen = mark && { mark, account: visit.account };
  return { user: visit.user };
}

/**
 * A Passport strategy that verifies the pending user's second factor from `req.body.code` (`credential` for passkeys) and completes the login, under the
 * limits of the routes. Succeeds with the user where no second factor is due. Fails with 401, or 429 and `Retry-After`.
 *
 * Does NOT begin a login: a strategy for the first factor comes before it. `"passkey"` alone can be that first strategy too:
 * with user verification its login is complete, without it a further factor is due. It needs the `user.load` option.
 */
export function createStrategy(type: MethodType, desk: Desk): Strategy {
  const strategy = new CustomStrategy((req, done) => {
    judge(req, type, desk).then(
      (verdict) => {
        if ("user" in verdict) done(null, verdict.user);
        else done(null, false, verdict.status);
      },
      // passport-custom does not wait for promises: a rejection would leave the request hanging.
      (error: unknown) => {
        done(error);
      },
    );
  });
  return Object.assign(strategy as Strategy, { name: type });
}
