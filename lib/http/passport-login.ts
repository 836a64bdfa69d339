import type { Request } from "express";
import { ConfigurationError, LoginRefusedError, UnavailableError } from "../core/errors.js";
import type { ActingFor } from "../engine/acting.js";
import type { Engine } from "../engine/engine.js";
import type { BegunLogin } from "../engine/first-factor.js";
import { recordOf } from "../engine/grace.js";
import { type LoginContext, type Unweighed, weighed } from "../engine/login-context.js";
import { isDue, type SessionRecord } from "../policy/assess.js";
import { sendProblem } from "./answers.js";
import { tellOfWaiting } from "./awaited.js";
import type { Beginning, Completion } from "./completion.js";
import type { Gate } from "./gate.js";
import { actedForIn, actingIn, goOnActing } from "./go-on-acting.js";
import {
  asError,
  given,
  keepsSession,
  type LoggingIn,
  LogInError,
  type LogInOptions,
  type PassportMethod,
  remembering,
  renewedWith,
} from "./log-in-call.js";
import { returnToOf } from "./login-return.js";
import type { PageSet } from "./page-set.js";
import { callBackAfter, type Refusals, tellOfCallback } from "./refusals.js";
import type { ReadyLogin, RequestState } from "./request-state.js";
import {
  anyRecord,
  type Done,
  loginIdOf,
  onNewLife,
  readRecord,
  renewSession,
  requireSession,
  saveRecord,
  saveSession,
  sessionOf,
  settled,
} from "./session.js";
import type { AppUser, Settings } from "./settings.js";
import { keepBack, takeBack } from "./coming-back.js";
import { clientOf } from "./source.js";
import { unweighedOf } from "./unweighed.js";
import { ownLogOut, watchSession } from "./takeover.js";
import { hideUser, showUser, tryToHideUser } from "./user-visibility.js";

/** Takes logins over from Passport, and ends them with it, whoever calls `req.logIn`, `req.logout` or `session.destroy`. */
export class PassportLogin {
  constructor(
    readonly settings: Settings,
    readonly engine: Engine,
    private readonly gate: Gate,
    private readonly pages: PageSet,
    private readonly refusals: Refusals,
    private readonly completion: Completion,
  ) {}

  /**
   * `req.logIn(user, [options], [done])`. Where a second factor is due, the request is answered here and `done` is never called, unless
   * the options say `"inline"`.
   * @throws Error as Passport does where a session is kept and nobody is called back
   */
  logIn(state: RequestState, original: PassportMethod, user: AppUser, first: unknown, second: unknown): void {
    const { before, done, isCalledBack, options } = given(first, second);
    if (!isCalledBack && keepsSession(options)) throw new Error("req#login requires a callback function");
    const own = (then: Done): unknown => original.call(state.req, user, ...before, then);
    this.complete({ state, original: own, user, options })
      .then(
        (goesOn) => {
          if (goesOn) done();
          else tellOfWaiting(done);
        },
        (error: unknown) => {
          this.failed(state, options, error, done);
        },
      )
      // The application's callback threw. Without us Express would have heard of it.
      .catch((error: unknown) => {
        tellOfCallback(error);
        this.refusals.refuseUnavailable(state.req, state.res, error);
      });
  }

  /** Whoever waits for the login is given what failed, and answers; so is the developer what is their mistake. All others are answered. */
  private failed({ req, res }: RequestState, { secondFactor }: LogInOptions, error: unknown, done: Done): void {
    if (error instanceof LogInError) done(error.cause);
    else if (error instanceof ConfigurationError && tryToHideUser(req)) {
      this.settings.emitError("request", error);
      done(error);
    } else if (secondFactor === "inline" && tryToHideUser(req)) {
      this.refusals.tell(req, error);
      const isOurs = error instanceof LoginRefusedError || error instanceof UnavailableError;
      done(isOurs ? error : new UnavailableError("The login could not be decided", error));
    } else this.refusals.refuseUnavailable(req, res, error);
  }

  /** `req.logOut([options], [done])`. */
  logOut(state: RequestState, original: PassportMethod, first: unknown, second: unknown): void {
    const { req } = state;
    const { before, done } = given(first, second);
    const session = sessionOf(req);
    const ending = this.end(req);
    if (session !== undefined) delete session.secondFactor;
    state.actedFor ??= actedForIn(state);
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
    const session = sessionOf(req);
    // Destroyed with the login in it.
    if (session === undefined) return;
    delete session.secondFactor;
    const logOut = ownLogOut(req);
    if (logOut === undefined) return;
    await settled((done) => (keepsData ? logOut.call(req, { keepSessionInfo: true }, done) : logOut.call(req, done)));
    this.watch(req);
  }

  /** Ends the login of this very request. The request and its session are without it whatever becomes of writing that down. */
  async abandon(state: RequestState): Promise<void> {
    const ending = this.end(state.req);
    tryToHideUser(state.req);
    state.login = undefined;
    await this.forget(state, false);
    await ending;
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
    const { actingFor, firstMethod, ready } = state;
    state.ready = state.firstMethod = state.actingFor = undefined;
    const goesOn = actingFor === undefined ? this.goesOn(login, ready) : undefined;
    if (goesOn !== undefined) return goesOn;
    const newcomer = await unweighedOf(state.req, this, user, { facts });
    if (actingFor !== undefined) return this.act(login, newcomer, actingFor);
    if (newcomer.denied === true) return this.engine.firstFactor.deny(newcomer);
    if (!facts.session) return this.once(login, newcomer);
    const route = this.gate.routes.note(state.req);
    // The session is about to be renewed, and what the first step was sent with is gone when the login is complete.
    const text = await this.completion.carry(state.req, user);
    const back = takeBack(state.req, this.settings, newcomer.userId);
    const begun = await this.engine.firstFactor.begin(newcomer);
    const waits = isDue(begun.login.status)
      ? { ...returnToOf(login, this.settings, back?.to), ...(await this.completion.waiting(begun.login, text)) }
      : {};
    const session = remembering(begun.login, { first: firstMethod, route, waits });
    // The login this one replaces is over, whatever becomes of a copy of its session.
    await this.end(state.req);
    let settledAs: BegunLogin["login"] = { ...begun.login, session };
    await this.passportLogIn(login, async () => {
      settledAs = await this.settleBegun(settledAs, state.req);
      if (!isDue(settledAs.status)) keepBack(state.req, back);
      return settledAs.session;
    });
    settledAs = await this.gate.awaitFactor(settledAs);
    return this.admitBegun(login, { ...begun, login: settledAs }, text);
  }

  /** What was decided where it was begun goes on, or is over with what was signed out; undefined where it begins here. */
  private goesOn(login: LoggingIn, ready: ReadyLogin | undefined): Promise<boolean> | boolean | undefined {
    const userId = this.settings.userId(login.user);
    const acting = actingIn(login, userId);
    if (acting !== undefined)
      return goOnActing(login, acting, this.gate, (settle) => this.passportLogIn(login, settle));
    if (login.state.actedFor === userId) return this.refuseEnded(login.state, login.options);
    return ready?.userId === userId ? this.goOnWith(login, ready) : undefined;
  }

  /** Staff who act for a user: whatever login the session held is over, and this one needs nothing of the user's. */
  private async act(login: LoggingIn, newcomer: Unweighed, actingFor: ActingFor): Promise<boolean> {
    const { req } = login.state;
    await this.end(req);
    const begun: LoginContext[] = [];
    await this.passportLogIn(login, async () => {
      const acting = await this.engine.acting.begin(newcomer, loginIdOf(req), actingFor);
      begun.push(acting);
      return acting.session;
    });
    login.state.hasBegun = true;
    const [acting] = begun;
    return acting !== undefined && this.arrive(login, acting, { record: undefined });
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

  private async admitBegun({ options, state, user }: LoggingIn, begun: BegunLogin, text: string): Promise<boolean> {
    this.gate.keepDevice(state, begun);
    state.hasBegun = true;
    const { login } = begun;
    const { isReport } = this.settings;
    const hasEnded = login.status.status === "ended";
    // It was ended while it was made, by another request.
    if (hasEnded && !isReport) return this.refuseEnded(state, options);
    if (!hasEnded && !isDue(login.status)) return this.arrive({ options, state, user }, login, { text });
    if (!hasEnded) this.gate.setLogin(state, login);
    if (isReport) {
      this.gate.report(login);
      if (!hasEnded) await this.completion.letThrough(state, login, { text });
      return true;
    }
    if (options.secondFactor === "inline") return true;
    this.gate.answerDue(state, login);
    return false;
  }

  /** @throws LoginRefusedError where somebody waits for the login */
  private refuseEnded(state: RequestState, { secondFactor }: LogInOptions): boolean {
    if (secondFactor === "inline") {
      state.login = undefined;
      throw new LoginRefusedError("expired");
    }
    this.refusals.refuseEnded(state);
    return false;
  }

  /** A complete login, with what the application does first; it sees the user once that is done. Answers whether it goes on. */
  private async arrive(
    { options, state, user }: Omit<LoggingIn, "original">,
    login: LoginContext,
    beginning: Beginning,
  ): Promise<boolean> {
    const { req } = state;
    if (login.opens === true) showUser(req, undefined);
    const open = await this.completion.complete(state, login, beginning);
    if (open.status.status === "ended") return this.refuseEnded(state, options);
    if (isDue(open.status) && !this.settings.isReport) return this.arriveOwing(state, options, open);
    showUser(req, user);
    if (login.opens === true) await saveSession(req);
    this.gate.setLogin(state, open);
    onNewLife(req, () => this.engine.logins.prolong(open));
    return true;
  }

  /** While it was made another session set a factor up that this login owes now. */
  private async arriveOwing(
    state: RequestState,
    { secondFactor }: LogInOptions,
    login: LoginContext,
  ): Promise<boolean> {
    await this.gate.setDue(state, login, login);
    if (secondFactor === "inline") return true;
    this.gate.answerDue(state, login);
    return false;
  }

  /** A strategy has verified the second factor: this login is a full one. */
  private async goOnWith(login: LoggingIn, ready: ReadyLogin): Promise<boolean> {
    const { options, state, user } = login;
    const { deviceToken } = ready;
    const { returnTo, ...session } = ready.session;
    const beginning = await this.beginningOf(state.req, user);
    if (!keepsSession(options)) {
      // Passport leaves the session alone then; a login that rises must not.
      await renewSession(state.req, session);
      showUser(state.req, user);
    } else await this.passportLogIn(login, async () => session);
    // Where Passport itself redirects to what was first asked for, it reads the place from here.
    const kept = sessionOf(state.req);
    if (kept !== undefined && options.successReturnToOrRedirect !== undefined) kept.returnTo = returnTo;
    // Nothing was logged in before: the proof was the first step of this login too.
    if (state.login === undefined) state.hasBegun = true;
    const risen = weighed({ ...ready, session }, ready.record, this.settings.clock());
    const opens = ready.opens === true;
    const goesOn = await this.arrive(login, opens ? { ...risen, opens } : risen, beginning);
    // Where the login does not open, nothing of it is left with the browser.
    if (goesOn) this.gate.keepDevice(state, { login: risen, deviceToken });
    return goesOn;
  }

  /** What was kept of the login that rises; of one that was whole by its first step there is nothing yet. */
  private async beginningOf(req: Request, user: AppUser): Promise<Beginning> {
    const record = readRecord(req, this.settings.userId(user));
    return record === undefined ? { text: await this.completion.carry(req, user) } : { record };
  }

  /** A login for this request alone (`session: false`: Basic, bearer). There is no second step to come, so none may be due. */
  private async once({ options, original, state }: LoggingIn, newcomer: Unweighed): Promise<boolean> {
    const { req, res } = state;
    const record = await recordOf(this.engine.dependencies, newcomer);
    const login = weighed(newcomer, record, this.settings.clock());
    showUser(req, undefined);
    await settled(original);
    this.gate.setLogin(state, login);
    if (!isDue(login.status)) return true;
    if (this.settings.isReport) {
      this.gate.report(login);
      return true;
    }
    if (options.secondFactor === "inline") return true;
    // Whoever only wants to know whether a password is right must not stay unseen for keeping no session.
    await this.gate.awaitFactor(login);
    const code = login.status.status === "must-enroll" ? "enrollment-required" : "second-factor-required";
    await sendProblem(req, res, { code }, this.pages);
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
}
