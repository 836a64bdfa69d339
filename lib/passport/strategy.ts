import CustomStrategy from "passport-custom";
import type { Request } from "express";
import type { Strategy } from "passport";
import type { Outcome } from "../core/errors.js";
import type { MethodType } from "../core/nouns.js";
import type { Engine } from "../engine/engine.js";
import { setDeviceToken } from "../http/device-cookie.js";
import { isDue } from "../http/gate.js";
import { check, proof } from "../http/schemas.js";
import type { Settings } from "../options/settings.js";
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
type Verdict = { readonly user: Express.User } | { readonly status: 401 | 429 };

interface Desk {
  readonly engine: Engine;
  readonly settings: Settings;
}

function failed(req: Request, outcome: Extract<Outcome<unknown>, { ok: false }>): Verdict {
  const { code, retryAfter } = outcome.problem;
  if (retryAfter !== undefined) req.res?.set("Retry-After", String(retryAfter));
  return { status: code === "too-many-attempts" ? 429 : 401 };
}

async function verify(req: Request, type: MethodType, desk: Desk, state: RequestState, visit: Visit): Promise<Verdict> {
  const body = check(proof, req.body);
  if (body === undefined) return { status: 401 };
  const outcome = await desk.engine.challenge.verify(visit.visitor, { type, ...body });
  if (!outcome.ok) return failed(req, outcome);
  const { value } = outcome.value;
  if (value.deviceToken !== undefined && req.res !== undefined) {
    setDeviceToken(req, req.res, desk.settings, visit.userId, value.deviceToken);
  }
  // Passport calls req.logIn next; the login completed there is this one.
  state.risen = value;
  return { user: visit.user };
}

async function judge(req: Request, type: MethodType, desk: Desk): Promise<Verdict> {
  const state = stateOf(req);
  if (state === undefined) throw new Error(`mfa.strategy("${type}") needs app.use(mfa) before the route`);
  const { visit } = state;
  if (visit === undefined) return { status: 401 };
  return isDue(visit.standing) ? verify(req, type, desk, state, visit) : { user: visit.user };
}

/**
 * A Passport strategy that verifies the pending user's second factor from `req.body.code` and completes the login, under the
 * limits of the routes. Succeeds with the user where no second factor is due. Fails with 401, or 429 and `Retry-After`.
 *
 * Does NOT begin a login: a strategy for the first factor comes before it.
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
