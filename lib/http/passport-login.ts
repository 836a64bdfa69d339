import type { Request } from "express";
import { ConfigurationError } from "../core/errors.js";
import type { Engine } from "../engine/engine.js";
import type { BegunLogin } from "../engine/first-factor.js";
import { type LoginContext, type Unweighed, weighed } from "../engine/login-context.js";
import { isDue, type SessionRecord } from "../policy/assess.js";
import { sendProblem } from "./answers.js";
import type { Gate } from "./gate.js";
import { localPlace } from "./return-to.js";
import type { PageSet } from "./page-set.js";
import { callBackAfter, type Refusals, tellOfCallback } from "./refusals.js";
import type { ReadyLogin, RequestState } from "./request-state.js";
import {
  anyRecord,
  type Done,
  loginIdOf,
  override,
  putRecord,
  renewSession,
  requireSession,
  saveOnce,
  saveRecord,
  type Session,
  sessionOf,
  settled,
} from "./session.js";
import type { AppUser, Settings } from "./settings.js";
import { clientOf, unweighedOf } from "./source.js";
import { ownLogOut, watchSession } from "./takeover.js";
import { hideUser, showUser, tryToHideUser } from "./user-visibility.js";

/** Passport's own options of `authenticate` and `logIn`, as far as they matter here. */
interface LogInOptions {
  readonly session?: unknown;
  readonly successRedirect?: string;
  readonly successReturnToOrRedirect?: string;
  /** `"inline"`: do not answer the request; a strategy further down the chain verifies the second factor. */
  readonly secondFactor?: "inline";
}

type PassportMethod = (this: unknown, ...given: unknown[]) => unknown;

/** One call of `req.logIn`. */
interface LoggingIn {
  readonly state: RequestState;
  readonly user: AppUser;
  readonly options: LogInOptions;
  /** Passport's own method, called as ours was. */
  readonly original: (done: Done) => unknown;
}

/** Passport's own failure of a login, kept apart from ours: the application hears of it as ever. */
class LogInError extends Error {
  constructor(override readonly cause: unknown) {
    super("req.logIn failed");
  }
}

/**
 * Passport's `(options, done)`, either of which may be left out. What lies under our method may be the application's, which knows
 * one way of being called: `before` are the arguments it is called with, up to the callback.
 */
function given(first: unknown, second: unknown): { options: LogInOptions; before: unknown[]; done: Done } {
  const done = typeof first === "function" ? first : second;
  const hasOptions = typeof first === "object" && first !== null;
  return {
    options: hasOptions ? first : {},
    before: hasOptions ? [first] : [],
    done: typeof done === "function" ? (done as Done) : () => undefined,
  };
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** What came of a session's record when the session got its new id. */
interface RenewedRecord {
  record?: SessionRecord;
  /** Ours, not Passport's. */
  failure?: Error;
}

/** Has the record of the session that takes this one's place made and put, before anything goes on with it. */
function renewedWith(req: Request, session: Session, settle: () => Promise<SessionRecord>): RenewedRecord {
  const renewed: RenewedRecord = {};
  const regenerate = session.regenerate.bind(session);
  async function put(next: Session): Promise<void> {
    saveOnce(next);
    renewed.record = await settle();
    putRecord(req, renewed.record);
  }
  override(session, "regenerate", (done: Done): Session => {
    regenerate((error) => {
      const next = sessionOf(req);
      if (next === undefined || (error !== undefined && error !== null)) done(error);
      else {
        put(next).then(
          () => {
            done();
          },
          (failure: unknown) => {
            renewed.failure = asError(failure);
            done(renewed.failure);
          },
        );
      }
    });
    return session;
  });
  return renewed;
}

/** As Passport reads its option. */
function keepsSession({ session }: LogInOptions): boolean {
  return session === undefined || Boolean(session);
}

/** Takes logins over from Passport, and ends them with it, whoever calls `req.logIn`, `req.logout` or `session.destroy`. */
export class PassportLogin {
  constructor(
    private readonly settings: Settings,
    private readonly engine: Engine,
    private readonly gate: Gate,
    private readonly pages: PageSet,
    private readonly refusals: Refusals,
  ) {}

  /** `req.logIn(user, [options], [done])`. */
  logIn(state: RequestState, original: PassportMethod, user: AppUser, first: unknown, second: unknown): void {
    const { before, done, options } = given(first, second);
    const own = (then: Done): unknown => original.call(state.req, user, ...before, then);
    this.complete({ state, original: own, user, options })
      .then(
        (goesOn) => {
          if (goesOn) done();
        },
        (error: unknown) => {
          if (error instanceof LogInError) done(error.cause);
          else if (error instanceof ConfigurationError && tryToHideUser(state.req)) done(error);
          else this.refusals.refuseUnavailable(state.req, state.res, error);
        },
      )
      // The application's callback threw. Without us Express would have heard of it.
      .catch((error: unknown) => {
        tellOfCallback(error);
        this.refusals.refuseUnavailable(state.req, state.res, error);
      });
  }

  /** `req.logOut([options], [done])`. */
  logOut(state: RequestState, original: PassportMethod, first: unknown, second: unknown): void {
    const { req } = state;
    const { before, done } = given(first, second);
    const session = sessionOf(req);
    const ending = this.end(req);
    if (session !== undefined) delete session.secondFactor;
    original.call(req, ...before, (error: unknown) => {
      showUser(req, undefined);
      state.login = undefined;
      callBackAfter(ending, done, error);
    });
  }

  /** Strikes the session's login, whoever's it is, from the account record. */
  end(req: Request): Promise<void> {
    const record = anyRecord(req);
    const ended = record === undefined ? Promise.resolve() : this.engine.firstFactor.end(record, clientOf(req));
    // Observed by whoever waits for it; nobody may be left to crash the process with it.
    ended.catch(() => undefined);
    return ended;
  }

  /** Ends the login in the session. With `keepsData` what the application keeps there stays. */
  async forget({ req }: RequestState, keepsData: boolean): Promise<void> {
    delete requireSession(req).secondFactor;
    const logOut = ownLogOut(req);
    if (logOut === undefined) return;
    await settled((done) => (keepsData ? logOut.call(req, { keepSessionInfo: true }, done) : logOut.call(req, done)));
    this.watch(req);
  }

  /** Made complete by a trusted browser just now, the login waits for its proof all the same. */
  async insist(state: RequestState, login: LoginContext): Promise<LoginContext> {
    const waiting = await this.engine.firstFactor.insist(login);
    await saveRecord(state.req, waiting.session);
    this.gate.setLogin(state, waiting);
    return waiting;
  }

  /** Answers whether the application goes on; false where the request was answered. */
  private async complete(login: LoggingIn): Promise<boolean> {
    const { options, state, user } = login;
    const facts = { session: keepsSession(options) };
    const newcomer = await unweighedOf(state.req, this.settings, user, { facts });
    const { firstMethod, ready } = state;
    state.ready = state.firstMethod = undefined;
    if (ready?.userId === newcomer.userId) return this.goOnWith(login, ready);
    if (!facts.session) return this.once(login, newcomer);
    const begun = await this.engine.firstFactor.begin(newcomer);
    const session: SessionRecord = {
      ...begun.login.session,
      ...(firstMethod !== undefined && { first: firstMethod }),
      ...(isDue(begun.login.status) && this.returnTo(login)),
    };
    // The login this one replaces is over, whatever becomes of a copy of its session.
    await this.end(state.req);
    let settledAs: BegunLogin["login"] = { ...begun.login, session };
    await this.passportLogIn(login, async () => {
      settledAs = await this.settleBegun(settledAs, state.req);
      return settledAs.session;
    });
    return this.admitBegun(login, { ...begun, login: settledAs });
  }

  /** In its new session a login has its id from there, and is listed where it is complete by its first step. */
  private async settleBegun(login: BegunLogin["login"], req: Request): Promise<BegunLogin["login"]> {
    if (login.session.step === "second") return login;
    const session: SessionRecord = { ...login.session, id: loginIdOf(req) };
    const renamed = { ...login, session };
    if (login.status.status !== "not-enrolled") return renamed;
    const listed = await this.gate.enlist({ login: renamed, session });
    return { ...listed, session: listed.session ?? session };
  }

  private admitBegun({ options, state }: LoggingIn, begun: BegunLogin): boolean {
    this.gate.keepDevice(state, begun);
    state.hasBegun = true;
    // It was ended while it was made, by another request.
    if (begun.login.status.status === "ended") {
      if (this.settings.isReport) {
        this.gate.report(begun.login);
        return true;
      }
      this.refusals.refuseEnded(state);
      return false;
    }
    this.gate.setLogin(state, begun.login);
    if (!isDue(begun.login.status)) return true;
    if (this.settings.isReport) this.gate.report(begun.login);
    if (this.settings.isReport || options.secondFactor === "inline") return true;
    this.gate.answerDue(state, begun.login);
    return false;
  }

  /** A strategy has verified the second factor: this login is a full one. */
  private async goOnWith(login: LoggingIn, ready: ReadyLogin): Promise<boolean> {
    const { options, state, user } = login;
    const { returnTo, ...session } = ready.session;
    if (!keepsSession(options)) {
      // Passport leaves the session alone then; a login that rises must not.
      await renewSession(state.req, session);
      showUser(state.req, user);
    } else await this.passportLogIn(login, async () => session);
    // Where Passport itself redirects to what was first asked for, it reads the place from here.
    const kept = sessionOf(state.req);
    if (kept !== undefined && options.successReturnToOrRedirect !== undefined) kept.returnTo = returnTo;
    const risen: LoginContext = weighed({ ...ready, session }, ready.record, this.settings.clock());
    if (risen.status.status === "ended") {
      this.refusals.refuseEnded(state);
      return false;
    }
    this.gate.setLogin(state, risen);
    return true;
  }

  /** A login for this request alone (`session: false`: Basic, bearer). There is no second step to come, so none may be due. */
  private async once({ original, state }: LoggingIn, newcomer: Unweighed): Promise<boolean> {
    const { req, res } = state;
    const record = await this.engine.dependencies.records.read(newcomer.userId);
    const login = weighed(newcomer, record, this.settings.clock());
    showUser(req, undefined);
    await settled(original);
    this.gate.setLogin(state, login);
    if (!isDue(login.status)) return true;
    if (this.settings.isReport) {
      this.gate.report(login);
      return true;
    }
    const code = login.status.status === "must-enroll" ? "enrollment-required" : "second-factor-required";
    sendProblem(req, res, { code }, this.pages);
    return false;
  }

  /** Passport's own login, with the record put into the new session, once that is there, before Passport saves it. */
  private async passportLogIn({ original, state }: LoggingIn, settle: () => Promise<SessionRecord>): Promise<void> {
    const { req } = state;
    showUser(req, undefined);
    const session = requireSession(req);
    // With keepSessionInfo Passport copies the old session over the new one; the old record must not come along.
    delete session.secondFactor;
    const renewed = renewedWith(req, session, settle);
    try {
      await settled(original);
    } catch (error) {
      hideUser(req);
      if (renewed.failure !== undefined) throw renewed.failure;
      throw new LogInError(asError(error));
    }
    const record = renewed.record ?? (await settle());
    if (anyRecord(req)?.id !== record.id) await saveRecord(req, record);
    this.watch(req);
  }

  private watch(req: Request): void {
    const session = sessionOf(req);
    if (session !== undefined) watchSession(req, session);
  }

  /** Read before Passport empties the session: where the user is to land once the login is complete. */
  private returnTo({ options, state }: LoggingIn): Pick<SessionRecord, "returnTo"> {
    const { req } = state;
    const wanted = [sessionOf(req)?.returnTo, options.successRedirect, options.successReturnToOrRedirect];
    const origins = this.settings.origins(req);
    const returnTo = wanted.map((each) => localPlace(each, origins)).find((each) => each !== undefined);
    return returnTo === undefined ? {} : { returnTo };
  }
}
