import type { Request } from "express";
import type { Strategy } from "passport";
import CustomStrategy from "passport-custom";
import { ConfigurationError, type Problem } from "../core/errors.js";
import { countedFor } from "../engine/address-limit.js";
import type { MethodType } from "../core/nouns.js";
import type { Engine } from "../engine/engine.js";
import type { LoginContext, Unweighed } from "../engine/login-context.js";
import { isDue } from "../policy/assess.js";
import { browserIdOf } from "./browser-cookie.js";
import { isCrossSite, isForeign } from "./cross-site.js";
import type { Method } from "./method.js";
import { unknownNames } from "../core/option-names.js";
import { prove, type Proved } from "./proving.js";
import { tellOfCallback } from "./refusals.js";
import { type RequestState, stateOf } from "./request-state.js";
import type { Body } from "./route.js";
import * as schemas from "./schemas.js";
import { isOfAnother } from "./session.js";
import { type AppUser, type Settings, siteOf, userOf } from "./settings.js";
import { clientOf } from "./source.js";
import { unweighedOf } from "./unweighed.js";

/** How a strategy of `mfa.strategy()` behaves. */
export interface StrategyOptions {
  /**
   * Asks for a proof at each request, also where none is due: on a trusted browser, and in a login that is complete. Whoever has no
   * factor of the kind then fails, and a login that the strategy before it made in the same request is none without the proof. Where
   * that is complete but for the proof, `onLogin` has run before, with no factor: what has to wait for the proof is done behind this
   * strategy.
   * Default: false, whoever owes nothing goes on, whatever code they sent.
   */
  readonly always?: boolean;
}

/** What a strategy tells Passport: a user, or the status it fails with. */
type Verdict = { readonly user: Express.User } | { readonly status: 410 | 429 | undefined };

/** Without a status Passport answers 401, and in a list of strategies lets one that has a status speak. */
const FAILED: Verdict = { status: undefined };
/** The operation that the proof names is none of this login's that waits for one. */
const OVER: Verdict = { status: 410 };

/** One strategy at one request. */
class StrategyAttempt {
  constructor(
    readonly engine: Engine,
    readonly settings: Settings,
    private readonly method: Method,
    private readonly state: RequestState,
    private readonly isAlways: boolean,
  ) {}

  /** Undefined: the request was answered, and nothing follows. */
  async judge(): Promise<Verdict | undefined> {
    const { hasBegun, login } = this.state;
    const isForOperation = (this.body().operation ?? undefined) !== undefined;
    if (login === undefined) return isForOperation ? OVER : this.judgeNobody();
    if (isDue(login.status)) return this.ask(login);
    if (this.isAlways && hasBegun) return this.insist(login, isForOperation);
    return this.isAlways || isForOperation ? this.ask(login) : this.goOn(login);
  }

  private async judgeNobody(): Promise<Verdict | undefined> {
    // Where the login that this request made is over, another one is not begun in its place.
    return this.state.hasBegun || this.method.claimant === undefined ? FAILED : this.begin();
  }

  private async ask(login: LoginContext): Promise<Verdict> {
    // What rises by a proof goes on in the session, and this one is not theirs.
    return isOfAnother(this.state.req, login.userId) ? FAILED : this.verify(login);
  }

  /**
   * The login that the step before this one made is not complete without the proof, whatever made it so, and whatever comes of asking for
   * it. Made just now, it has no operation that could be waiting for one.
   */
  private async insist(login: LoginContext, isForOperation: boolean): Promise<Verdict> {
    const { state } = this;
    const { passportLogin } = state.keeper;
    if (isOfAnother(state.req, login.userId)) return FAILED;
    try {
      const asked = login.status.status === "trusted-device" ? await passportLogin.insist(state, login) : login;
      const verdict = isForOperation ? OVER : await this.verify(asked);
      if (!("user" in verdict) && !isDue(asked.status)) await passportLogin.abandon(state);
      return verdict;
    } catch (error) {
      await passportLogin.abandon(state).catch(() => undefined);
      throw error;
    }
  }

  /** Passport logs the user in again; it is the same login that goes on. */
  private goOn(login: LoginContext): Verdict {
    const { session } = login;
    this.state.ready = session && { ...login, session };
    return { user: userOf(login) };
  }

  /** The second factor of the user who is pending, or a proof for one operation of a user who is not. */
  private async verify(login: LoginContext): Promise<Verdict> {
    const { req, res } = this.state;
    // A foreign page must not spend the owner's attempts.
    if (isForeign(req, this.settings, this.state.hasBegun)) return FAILED;
    const retryAfter = await this.settings.addressGuard.admit(req, res, login.userId);
    if (retryAfter !== undefined) return this.failed({ code: "too-many-attempts", retryAfter });
    const proving = schemas.readProving(this.body());
    if (proving === undefined) return FAILED;
    const { engine, method, settings, state } = this;
    const outcome = await prove({ engine, login, settings, state }, method, { body: this.body(), ...proving });
    if (outcome.ok) return this.arrive(login, outcome.value);
    const isOver = proving.operation !== undefined && outcome.problem.code === "expired";
    return isOver ? OVER : this.failed(outcome.problem, login.userId);
  }

  private arrive(login: LoginContext, proved: Proved): Verdict {
    if ("waiting" in proved) return FAILED;
    if ("confirmed" in proved) return this.goOn(login);
    const { deviceToken, login: elevated } = proved;
    // Passport calls req.logIn next; the login completed there is this one.
    this.state.ready = { ...elevated, deviceToken };
    return { user: userOf(login) };
  }

  /** A proof as the first step, or as the whole login. Whatever is wrong, and whoever is unknown, the answer is one. */
  private async begin(): Promise<Verdict | undefined> {
    const { req, res } = this.state;
    const { loadUser } = this.settings;
    if (loadUser === undefined) {
      throw new ConfigurationError(["user.load: needed to find the user of a passkey: user: { load: (id) => ... }"]);
    }
    if (isCrossSite(req, this.settings)) return FAILED;
    const retryAfter = await this.settings.addressGuard.admit(req, res, undefined);
    if (retryAfter !== undefined) return this.failed({ code: "too-many-attempts", retryAfter });
    const { challenges, credentials } = this.engine.dependencies;
    const site = siteOf(this.settings, req);
    const browserId = await browserIdOf(req, this.settings, this.engine);
    const presented = await this.method.present(this.body(), { site, challenges, login: undefined, browserId });
    if (presented === undefined) return FAILED;
    const userId = await this.method.claimant?.(presented, credentials);
    const user = userId === undefined ? undefined : ((await loadUser(userId)) as AppUser | null | undefined);
    return this.signIn(user ?? undefined, presented);
  }

  private async signIn(user: AppUser | undefined, presented: unknown): Promise<Verdict | undefined> {
    const { req } = this.state;
    const { method } = this;
    const { authentication } = this.engine;
    const newcomer = user && (await unweighedOf(req, this, user));
    const outcome =
      newcomer === undefined
        ? authentication.refuseStranger(method, clientOf(req))
        : await authentication.signIn(newcomer, { method, presented });
    if (!outcome.ok) return this.failed(outcome.problem);
    if (newcomer?.denied === true) return this.deny(newcomer);
    this.state.ready = outcome.value?.login;
    this.state.firstMethod = method.type;
    return user === undefined ? FAILED : { user };
  }

  /** The right proof, and the policy refuses the login: answered here, as every other login that is refused. */
  private async deny(newcomer: Unweighed): Promise<undefined> {
    const { keeper } = this.state;
    await this.engine.firstFactor.deny(newcomer).catch((error: unknown) => {
      keeper.refuse(this.state, error);
    });
  }

  private body(): Body {
    const body: unknown = this.state.req.body;
    return typeof body === "object" && body !== null && !Array.isArray(body) ? (body as Body) : {};
  }

  private async failed(problem: Problem, userId?: string): Promise<Verdict> {
    const { req, res } = this.state;
    const { code, retryAfter } = await countedFor(this.settings.addressGuard, req.ip, userId, problem);
    if (retryAfter !== undefined) res.set("Retry-After", String(retryAfter));
    return { status: code === "too-many-attempts" ? 429 : undefined };
  }
}

interface Configured {
  readonly method: Method;
  readonly engine: Engine;
  readonly settings: Settings;
  readonly isAlways: boolean;
}

async function judge(req: Request, { engine, isAlways, method, settings }: Configured): Promise<Verdict | undefined> {
  const state = stateOf(req);
  if (state !== undefined) return new StrategyAttempt(engine, settings, method, state, isAlways).judge();
  throw new ConfigurationError([`mfa.strategy("${method.type}") needs app.use(mfa) before the route`]);
}

/** @throws ConfigurationError for an option there is none of, or a value that is none */
function isAlways(type: MethodType, options: StrategyOptions): boolean {
  const problems = unknownNames(options, ["always"], `mfa.strategy("${type}"): `);
  const { always = false } = options;
  if (typeof (always as unknown) !== "boolean") problems.push(`mfa.strategy("${type}"): always must be true or false`);
  if (problems.length > 0) throw new ConfigurationError(problems);
  return always;
}

/**
 * A Passport strategy that verifies the pending user's second factor from the body (`code`; `credential` for passkeys) and
 * completes the login, under the limits of the routes. Succeeds with the user where no second factor is due, whatever was sent, unless
 * it is to be given `always`; with `operation` in the body only after a proof for that one. Fails with 401, 429 and `Retry-After`, or 410 for an operation that is not waiting.
 *
 * Does NOT begin a login: a strategy for the first factor comes before it. A method whose proof says whose it is (`"passkey"`) can
 * be that first strategy too: with user verification its login is complete, without it a further factor is due. It needs the
 * `user.load` option.
 */
export function createStrategy(
  method: Method,
  engine: Engine,
  settings: Settings,
  options: StrategyOptions = {},
): Strategy {
  const configured = { method, engine, settings, isAlways: isAlways(method.type, options) };
  const strategy = new CustomStrategy((req, done) => {
    judge(req, configured)
      .then((verdict) => {
        if (verdict === undefined) return;
        if ("user" in verdict) done(null, verdict.user);
        else done(null, false, verdict.status);
      })
      // passport-custom does not wait for promises: a rejection would leave the request hanging. What the application's own callback
      // throws is the request's error too, and must not end the process.
      .catch((error: unknown) => {
        settings.emitError("request", error, { client: clientOf(req) });
        done(error);
      })
      .catch(tellOfCallback);
  });
  return Object.assign(strategy as Strategy, { name: method.type });
}
