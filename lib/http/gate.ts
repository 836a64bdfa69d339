import type { NextFunction, Request } from "express";
import type { Problem } from "../core/errors.js";
import type { Engine } from "../engine/engine.js";
import type { BegunLogin } from "../engine/first-factor.js";
import { withGraceBegun } from "../engine/grace.js";
import { type LoginContext, subjectOf, type Unweighed, weighed } from "../engine/login-context.js";
import type { Unlisted } from "../engine/logins.js";
import { asWaiting, decisionOf, isDue, type LoginStatus, type SessionRecord, withDecision } from "../policy/assess.js";
import { followsPages, sendJsonProblem, sendRedirect, wantsPage } from "./answers.js";
import { choiceMembers } from "./choice-members.js";
import type { Beginning, Completion } from "./completion.js";
import { clearDeviceToken, setDeviceToken } from "./device-cookie.js";
import { goingOf, isFromAnotherSite, pageAsked, placeAsked } from "./going.js";
import { LoginRoutes } from "./login-routes.js";
import type { PageSet } from "./page-set.js";
import type { RequestState } from "./request-state.js";
import { isOfAnother, readRecord, renewSession, saveRecord } from "./session.js";
import type { Settings } from "./settings.js";
import { IN_SESSION, unweighedOf } from "./unweighed.js";
import { currentUser, hideUser } from "./user-visibility.js";

type KeptDevice = Pick<BegunLogin, "deviceRefused"> & {
  readonly login: Pick<LoginContext, "userId">;
  readonly deviceToken?: string | undefined;
};

type SessionLogin = LoginContext & { readonly session: SessionRecord };

/** It is complete, and neither the account nor the session says so. A login that is this request's alone is never listed. */
function isUnlisted({ session, status, unmarked }: LoginContext): boolean {
  return !("login" in status) && (session !== undefined || unmarked !== undefined);
}

/** Derives what each request's login is worth, and answers the requests that may go no further. */
export class Gate {
  /** Where logins are made. */
  readonly routes: LoginRoutes;

  constructor(
    readonly settings: Settings,
    readonly engine: Engine,
    private readonly pages: PageSet,
    private readonly completion: Completion,
  ) {
    this.routes = new LoginRoutes(settings.exemptPaths);
  }

  /**
   * Finds out what the request's login is worth. Requests without a login cost nothing and touch no store. `mayRecall`: what the
   * request does is confirmed when it is written, so the account as this process knows it will do.
   */
  async loadLogin(state: RequestState, mayRecall: boolean): Promise<void> {
    const { req } = state;
    const user = currentUser(req);
    if (user === undefined) return;
    const found = await unweighedOf(req, this, user, { facts: IN_SESSION, read: readRecord });
    if (found.denied === true) await this.endDenied(state, found);
    const unweighed = { ...found, usedAt: found.session && this.engine.logins.lastUse(found.session.id) };
    const recalled = mayRecall ? this.recalled(unweighed) : undefined;
    if (recalled !== undefined) {
      this.setLogin(state, recalled);
      return;
    }
    const { dependencies, openings } = this.engine;
    const read = await dependencies.records.read(unweighed.userId);
    const record = await withGraceBegun(dependencies, unweighed, await openings.settled(unweighed, read));
    const login = await this.engine.logins.see(weighed(unweighed, record, this.settings.clock()));
    if (login.status.status === "ended") await this.endLogin(state, login);
    else if (isDue(login.status)) await this.setDue(state, login, unweighed);
    else if (isUnlisted(login)) await this.list(state, login);
    else this.setLogin(state, await this.keepDecision(req, login));
  }

  /** What a login has come to owe it owes from now on, wherever it goes next. */
  private async keepDecision(req: Request, login: LoginContext): Promise<LoginContext> {
    const { decision, session } = login;
    if (session === undefined || decisionOf(session) === decision || this.settings.isReport) return login;
    const owing = withDecision(session, decision);
    await saveRecord(req, owing);
    return { ...login, session: owing };
  }

  /** Has a complete login listed. Where nothing may be refused, one that cannot be goes on unlisted. */
  enlist(unlisted: Unlisted): Promise<LoginContext> {
    const listing = this.engine.logins.list(unlisted);
    return this.settings.isReport ? listing.catch(() => unlisted.login) : listing;
  }

  /** A login that owes a factor is what this request is about, and has its time for it from now on. */
  async setDue(state: RequestState, login: LoginContext, unweighed: Unweighed): Promise<void> {
    if (login.session !== undefined) {
      const waiting = await this.beginWait(state.req, login);
      state.isNewlyDue = waiting !== login;
      this.setLogin(state, await this.keepDecision(state.req, waiting));
    }
    // With nowhere to keep a second step, none can be given.
    else if (isOfAnother(state.req, login.userId)) this.setLogin(state, login);
    else await this.adopt(state, unweighed);
  }

  /** A complete login that comes to owe a factor has the time of any other for it: from the first request that it is due at. */
  private async beginWait(req: Request, login: LoginContext): Promise<LoginContext> {
    const { record, session, status } = login;
    const isBegun = status.status !== "pending" || status.expiresAt !== undefined;
    if (session === undefined || isBegun || this.settings.isReport) return login;
    const now = this.settings.clock();
    const waiting: SessionRecord = { ...asWaiting(session, record.account), dueAt: now };
    await saveRecord(req, waiting);
    return weighed({ ...login, session: waiting }, record, now);
  }

  /** A complete login seen for the first time: from now on it is worth what the account says, not what the session does. */
  private async list(state: RequestState, found: LoginContext): Promise<void> {
    const first = found.session ?? { ...this.engine.firstFactor.firstStep(found, found.record), adopted: true };
    const session = withDecision(first, found.decision);
    const listed = await this.enlist({ login: found, session });
    const login = await this.open(state, listed, { record: found.session });
    if (login.status.status === "ended") await this.endLogin(state, login);
    else if (isDue(login.status)) await this.setDue(state, login, login);
    else {
      if (login.session !== undefined) await saveRecord(state.req, login.session);
      this.setLogin(state, login);
    }
  }

  /** A login that waits for its proof, by the account as this process knows it; undefined where the store must be asked. */
  private recalled(unweighed: Unweighed): LoginContext | undefined {
    const record = this.engine.dependencies.records.recall(unweighed.userId);
    if (record === undefined || unweighed.session === undefined) return undefined;
    if (this.engine.openings.isRunning(unweighed, record)) return undefined;
    // What it has come to owe is to be kept.
    if (decisionOf(unweighed.session) !== unweighed.decision) return undefined;
    const login = weighed(unweighed, record, this.settings.clock());
    // One that has just come to owe its proof is to be told of it first, and its session to say so.
    return login.status.status === "pending" && login.status.expiresAt !== undefined ? login : undefined;
  }

  /** Makes a login what this request is about: `req.secondFactor`, and `req.user` hidden while a factor is due. */
  setLogin(state: RequestState, login: LoginContext): void {
    state.login = login;
    if (isDue(login.status) && !this.settings.isReport) hideUser(state.req);
  }

  /** What a step of the login left for the trusted device's cookie. */
  keepDevice({ req, res }: RequestState, kept: KeptDevice): void {
    const { deviceRefused = false, deviceToken, login } = kept;
    if (deviceToken !== undefined) setDeviceToken(req, res, this.settings, login.userId, deviceToken);
    if (deviceRefused) clearDeviceToken(req, res, this.settings, login.userId);
  }

  /** Lets the request on, or answers that a second factor is due. */
  pass(state: RequestState, next: NextFunction): Promise<void> | undefined {
    const { login, req } = state;
    if (login === undefined || !isDue(login.status)) {
      this.seePage(state);
      next();
    } else if (this.settings.isReport) {
      this.report(login);
      next();
    } else if (this.mayReach(req, login)) next();
    else return this.stop(state, login);
    return undefined;
  }

  /** Exempt, or where this login was made: another account can be used there. The user stays hidden. */
  private mayReach(req: Request, { session }: LoginContext): boolean {
    return (session !== undefined && this.routes.isOrigin(req, session)) || this.settings.isExempt(req);
  }

  /** A page of the application's that somebody opens: a confirmation may have to lead back there. */
  private seePage(state: RequestState): void {
    const { keeper, login, req } = state;
    if (login?.session === undefined || goingOf(req) !== "page" || isFromAnotherSite(req)) return;
    const page = placeAsked(state, this.settings);
    if (page !== undefined) keeper.lastPages.see(login.session.id, page);
  }

  private async stop(state: RequestState, login: LoginContext): Promise<void> {
    this.routes.tellOfRefused(state.req);
    await this.remember(state, login, pageAsked(state, login, this.settings));
    this.answerDue(state, login);
  }

  report(login: LoginContext, reason: LoginStatus["status"] = login.status.status): void {
    this.engine.dependencies.emitAudit("would-block", subjectOf(login), { outcome: "failure", reason });
  }

  /** The answer to a login, or to any other request, while a second factor is due. */
  answerDue({ base: location, req, res }: RequestState, login: LoginContext): void {
    if (wantsPage(req, this.pages) || (!this.pages.isOn && followsPages(req))) {
      sendRedirect(res, location);
      return;
    }
    const problem: Problem =
      login.status.status === "must-enroll"
        ? { code: "enrollment-required", members: { location } }
        : { code: "second-factor-required", members: { location, ...choiceMembers(this.engine, login) } };
    sendJsonProblem(req, res, problem, this.pages);
  }

  /** A login the session has no record of: from before this middleware, from a remember-me cookie, from another user's session. */
  private async adopt(state: RequestState, newcomer: Unweighed): Promise<void> {
    const { req } = state;
    const beginning = await this.beginningOf(state, newcomer.unmarked?.copied);
    const begun = await this.engine.firstFactor.begin(newcomer);
    this.keepDevice(state, begun);
    const session = { ...begun.login.session, adopted: true };
    state.isNewlyDue = true;
    // Revoked while it was made: whoever put the user on the request, they are not let in with it.
    if (begun.login.status.status === "ended") {
      await saveRecord(req, session);
      if (!this.settings.isReport) hideUser(req);
    } else if (session.step === "second") await this.admit(state, { ...begun.login, session }, beginning);
    else await this.setWaiting(state, { ...begun.login, session }, beginning);
  }

  private async admit(state: RequestState, risen: SessionLogin, beginning: Beginning): Promise<void> {
    const login = await this.open(state, risen, beginning);
    if (login.status.status === "ended") {
      await this.endLogin(state, login);
      return;
    }
    await renewSession(state.req, risen.session);
    this.setLogin(state, login);
  }

  /** Where nothing is enforced nobody waits for anything. */
  async awaitFactor<Login extends LoginContext>(login: Login): Promise<Login> {
    return this.settings.isReport ? login : this.engine.due.note(login);
  }

  private async setWaiting(state: RequestState, due: SessionLogin, beginning: Beginning): Promise<void> {
    const isLetThrough = this.settings.isReport && this.settings.onLogin !== undefined && isDue(due.status);
    const kept = "text" in beginning ? await this.completion.kept(due, beginning.text) : {};
    const session: SessionRecord = { ...due.session, ...kept, ...(isLetThrough && { opened: true }) };
    await saveRecord(state.req, session);
    const login = await this.awaitFactor({ ...due, session });
    this.setLogin(state, login);
    if (isLetThrough) await this.completion.letThrough(state, login, beginning);
  }

  /** What is to be kept of a login that was found. One that goes on as it began keeps what it has. */
  private async beginningOf({ req }: RequestState, record: SessionRecord | undefined): Promise<Beginning> {
    if (record?.carried !== undefined) return { record };
    const user = currentUser(req);
    return user === undefined ? { record: undefined } : { text: await this.completion.carry(req, user) };
  }

  /** Has the application do what it does with a login that turned out complete, or waits for another request that has it done. */
  private async open(state: RequestState, login: LoginContext, beginning: Beginning): Promise<LoginContext> {
    const known =
      login.opens === true && !("text" in beginning) ? await this.beginningOf(state, beginning.record) : beginning;
    return this.completion.complete(state, login, known);
  }

  private async endLogin(state: RequestState, login: LoginContext): Promise<void> {
    this.engine.firstFactor.expire(login.userId, login.source.client);
    if (this.settings.isReport) {
      this.report(login);
      return;
    }
    state.hasEnded = true;
    hideUser(state.req);
    await state.keeper.passportLogin.forget(state, false);
  }

  /**
   * The policy refuses a login that is there already.
   * @throws LoginRefusedError once it is over
   */
  private async endDenied(state: RequestState, login: Unweighed): Promise<never> {
    hideUser(state.req);
    state.hasEnded = true;
    const ending = this.engine.firstFactor.deny(login);
    // Over in the session, whatever becomes of writing down that it is.
    ending.catch(() => undefined);
    // A token of one user that came along in the session of another ends nothing there.
    if (!isOfAnother(state.req, login.userId)) await state.keeper.passportLogin.forget(state, false);
    return ending;
  }

  /** Where the user was going, and that a second factor was due, so that this login never becomes a full one without. */
  private async remember({ req }: RequestState, login: LoginContext, returnTo: string | undefined): Promise<void> {
    const { record, session, status } = login;
    // A login that must enroll only since the policy changed is not counted down: it has nothing to prove yet.
    const marksPending = status.status === "pending" && session?.pending !== true;
    if (session === undefined || (!marksPending && returnTo === undefined)) return;
    const waiting = marksPending ? asWaiting(session, record.account) : session;
    await saveRecord(req, { ...waiting, ...(returnTo === undefined ? {} : { returnTo }) });
  }
}
