import type { NextFunction, Request, Response } from "express";
import type { Problem } from "../core/errors.js";
import type { Engine } from "../engine/engine.js";
import type { Versioned } from "../engine/records.js";
import type { Newcomer, SignedIn } from "../engine/sign-in.js";
import { subjectOf, type Visitor } from "../engine/visitor.js";
import { assess, isDue, type Mark, type Standing } from "../policy/assess.js";
import { sendBareProblem, sendProblem, sendRedirect, wantsPage } from "./answers.js";
import { clientOf, newcomerOf } from "./arrival.js";
import { ANONYMOUS, Describer } from "./description.js";
import { clearDeviceToken, setDeviceToken } from "./device-cookie.js";
import { currentUser, hideUser } from "./hidden-user.js";
import { prefersHtml } from "./negotiation.js";
import type { PageSet } from "./page-set.js";
import { localPath } from "./return-to.js";
import { readMark, renewSession, saveMark } from "./session.js";
import type { AppUser, Settings } from "../options/settings.js";
import { type RequestState, stateOf, type Visit } from "./state.js";

interface Weighed {
  readonly known: Versioned;
  readonly standing: Standing;
}

/** Derives what each request's login is worth, and answers the requests that may go no further. */
export class Gate {
  private readonly describer: Describer;

  constructor(
    private readonly settings: Settings,
    private readonly engine: Engine,
    private readonly pages: PageSet,
  ) {
    this.describer = new Describer(engine);
  }

  /** Finds out what the request's login is worth. Requests without a login cost nothing and touch no store. */
  async arrive(req: Request, res: Response, state: RequestState): Promise<void> {
    const user = currentUser(req);
    if (user === undefined) {
      this.describe(req, undefined);
      return;
    }
    const newcomer = await newcomerOf(req, this.settings, user);
    const mark = readMark(req, newcomer.userId);
    const { known, standing } = await this.weigh(newcomer, mark);
    const { account } = known;
    const visitor: Visitor = { ...newcomer, mark, known };
    if (standing.status === "ended") await this.end(req, state, newcomer);
    else if (mark === undefined && isDue(standing)) await this.adopt(req, res, state, user, newcomer);
    else this.admit(req, state, { user, userId: newcomer.userId, visitor, account, standing });
  }

  /** Makes a visit what this request is about: `req.secondFactor`, and `req.user` hidden while a factor is due. */
  admit(req: Request, state: RequestState, visit: Visit): void {
    state.visit = visit;
    this.describe(req, visit);
    if (isDue(visit.standing) && !this.settings.isReport) hideUser(req);
  }

  /** A login is over or there is none. */
  leave(req: Request, state: RequestState): void {
    state.visit = undefined;
    this.describe(req, undefined);
  }

  /** What the first step came to: the session's mark is set by the caller, cookies and visit here. */
  settle(
    req: Request,
    res: Response,
    state: RequestState,
    user: AppUser,
    newcomer: Newcomer,
    signedIn: SignedIn,
  ): void {
    const { userId } = newcomer;
    const { mark, account, standing, deviceToken, deviceRefused = false } = signedIn;
    if (deviceToken !== undefined) setDeviceToken(req, res, this.settings, userId, deviceToken);
    if (deviceRefused) clearDeviceToken(req, res, this.settings, userId);
    if (standing.status === "ended") {
      // Revoked while it was made: whoever put the user on the request, they are not let in with it.
      if (!this.settings.isReport) hideUser(req);
      this.leave(req, state);
      return;
    }
    this.admit(req, state, { user, userId, visitor: { ...newcomer, mark }, account, standing });
  }

  /** Lets the request on, or answers that a second factor is due. */
  async pass(req: Request, res: Response, next: NextFunction, state: RequestState): Promise<void> {
    const { visit } = state;
    if (visit === undefined || !isDue(visit.standing)) next();
    else if (this.settings.isReport) {
      this.report(visit);
      next();
    } else if (this.settings.isExempt(req)) next();
    else {
      const wanted = req.method === "GET" && prefersHtml(req) ? this.local(req, req.originalUrl) : undefined;
      await this.remember(req, visit, wanted);
      this.answerDue(req, res, visit);
    }
  }

  report(visit: Visit): void {
    this.engine.parts.tell("would-block", subjectOf(visit.visitor), {
      outcome: "failure",
      reason: visit.standing.status,
    });
  }

  /** The answer to a login, or to any other request, while a second factor is due. */
  answerDue(req: Request, res: Response, { account, standing, visitor }: Visit): void {
    const location = stateOf(req)?.base ?? this.settings.path;
    if (wantsPage(req, this.pages) || (!this.pages.isOn && prefersHtml(req))) {
      sendRedirect(res, location);
      return;
    }
    const methods = this.engine.challenge.choices(account, visitor.mark);
    const problem: Problem =
      standing.status === "must-enroll"
        ? { code: "enrollment-required", members: { location } }
        : { code: "second-factor-required", members: { location, methods } };
    sendProblem(req, res, problem, this.pages);
  }

  /** A place on this site, whichever of the configured origins it is written with. */
  local(req: Request, value: unknown): string | undefined {
    const places = this.settings.origins(req).map((origin) => localPath(value, origin));
    return places.find((place) => place !== undefined);
  }

  /** A login that was over before it was complete. Answers false: the request goes no further. */
  refuseEnded(req: Request, res: Response, state: RequestState): false {
    hideUser(req);
    this.leave(req, state);
    sendProblem(req, res, { code: "expired" }, this.pages);
    return false;
  }

  refuse(req: Request, res: Response): void {
    hideUser(req);
    if (res.headersSent) return;
    try {
      sendProblem(req, res, { code: "unavailable" }, this.pages);
    } catch {
      // The application's own layout or words failed; the refusal must not.
      sendBareProblem(res, { code: "unavailable" });
    }
  }

  /** What a login is worth. That it is full may be seen at a glance; everything else rests on the account as it is now. */
  private async weigh({ decision, userId }: Newcomer, mark: Mark | undefined): Promise<Weighed> {
    const { records } = this.engine.parts;
    const weigh = (known: Versioned): Weighed => {
      const now = this.settings.clock();
      return { known, standing: assess({ account: known.account, mark, decision, now }) };
    };
    const { glance } = records;
    const weighed = glance && weigh(await glance(userId));
    return weighed?.standing.status === "verified" ? weighed : weigh(await records.read(userId));
  }

  /** A login nobody marked: from before this middleware, from a remember-me cookie, from another user's session. */
  private async adopt(
    req: Request,
    res: Response,
    state: RequestState,
    user: AppUser,
    newcomer: Newcomer,
  ): Promise<void> {
    const begun = await this.engine.signIn.begin(newcomer);
    const signedIn = { ...begun, mark: { ...begun.mark, adopted: true } };
    if (signedIn.mark.step === "second") await renewSession(req, signedIn.mark);
    else await saveMark(req, signedIn.mark);
    this.settle(req, res, state, user, newcomer, signedIn);
  }

  private async end(req: Request, state: RequestState, newcomer: Newcomer): Promise<void> {
    this.engine.signIn.expire(newcomer.userId, clientOf(req));
    if (this.settings.isReport) {
      this.engine.parts.tell("would-block", subjectOf(newcomer), { outcome: "failure", reason: "ended" });
      this.describe(req, undefined);
      return;
    }
    state.hasEnded = true;
    hideUser(req);
    await state.forget(false);
    this.leave(req, state);
  }

  /** Where the user was going, and that a second factor was due, so that this login never becomes a full one without. */
  private async remember(req: Request, { standing, visitor }: Visit, returnTo: string | undefined): Promise<void> {
    const { mark } = visitor;
    // A login that must enroll only since the policy changed is not counted down: it has nothing to prove yet.
    const marksPending = standing.status === "pending" && mark?.pending !== true;
    if (mark === undefined || (!marksPending && returnTo === undefined)) return;
    const pending = marksPending ? { pending: true } : {};
    await saveMark(req, { ...mark, ...pending, ...(returnTo === undefined ? {} : { returnTo }) });
  }

  private describe(req: Request, visit: Visit | undefined): void {
    req.secondFactor = visit === undefined ? ANONYMOUS : this.describer.describe(visit);
  }
}
