import type { Request, Response } from "express";
import { ConfigurationError, reasonOf } from "../core/errors.js";
import type { Engine } from "../engine/engine.js";
import type { Newcomer, SignedIn } from "../engine/sign-in.js";
import { assess, isDue } from "../policy/assess.js";
import { sendProblem } from "./answers.js";
import { clientOf, newcomerOf } from "./arrival.js";
import type { Gate } from "./gate.js";
import { hideUser, showUser } from "./hidden-user.js";
import type { PageSet } from "./page-set.js";
import { LogOut, override } from "./log-out.js";
import {
  anyMark,
  type Done,
  putMark,
  renewSession,
  requireSession,
  saveMark,
  type Session,
  sessionOf,
  settled,
} from "./session.js";
import type { AppUser, Settings } from "../options/settings.js";
import type { RequestState } from "./state.js";

/** Passport's own options of `authenticate` and `logIn`, as far as they matter here. */
interface LogInOptions {
  readonly session?: boolean;
  readonly successRedirect?: string;
  readonly successReturnToOrRedirect?: string;
  /** `"inline"`: do not answer the request; a strategy further down the chain verifies the second factor. */
  readonly secondFactor?: "inline";
}

type LogIn = (user: AppUser, options: LogInOptions, done: Done) => void;

interface PassportRequest {
  logIn?: unknown;
  login?: unknown;
}

interface Arriving {
  readonly req: Request;
  readonly res: Response;
  readonly state: RequestState;
  readonly user: AppUser;
  readonly options: LogInOptions;
  readonly done: Done;
}

/** Passport's own failure of a login, kept apart from ours: the application hears of it as ever. */
class LogInError extends Error {
  constructor(override readonly cause: unknown) {
    super("req.logIn failed");
  }
}

/**
 * Takes logins over from Passport, and ends them with it. `passport.authenticate()` sets `req.logIn` only where it is
 * absent, so what is installed here is what every strategy and the application itself calls.
 */
export class HandOver {
  constructor(
    private readonly settings: Settings,
    private readonly engine: Engine,
    private readonly gate: Gate,
    private readonly pages: PageSet,
    private readonly logOut: LogOut,
  ) {}

  /** Wraps `logIn` of one request, and what ends a login. */
  install(req: Request, res: Response, state: RequestState): void {
    const passport = req as PassportRequest;
    if (typeof passport.logIn === "function") this.wrapLogIn(req, res, state, passport.logIn.bind(req) as LogIn);
    this.logOut.install(req, state);
  }

  private wrapLogIn(req: Request, res: Response, state: RequestState, original: LogIn): void {
    const passport = req as PassportRequest;
    passport.logIn = passport.login = (user: AppUser, given: LogInOptions | Done | undefined, then?: Done) => {
      const done = typeof given === "function" ? given : (then ?? (() => undefined));
      const options = typeof given === "object" ? given : {};
      const arriving: Arriving = { req, res, state, user, options, done };
      this.logIn(arriving, original).then(
        (goesOn) => {
          if (goesOn) done();
        },
        (error: unknown) => {
          this.fail(arriving, error);
        },
      );
    };
  }

  private fail({ req, res, done }: Arriving, error: unknown): void {
    if (error instanceof LogInError) done(error.cause);
    else if (error instanceof ConfigurationError) done(error);
    else {
      const details = { outcome: "failure", reason: reasonOf(error) } as const;
      this.engine.parts.tell("unavailable", { userId: "", client: clientOf(req) }, details);
      this.gate.refuse(req, res);
    }
  }

  /** Answers whether the application goes on; false where the request was answered. */
  private async logIn(arriving: Arriving, original: LogIn): Promise<boolean> {
    const { req, state, user, options } = arriving;
    const newcomer = await newcomerOf(req, this.settings, user);
    const { first, risen } = state;
    state.risen = state.first = undefined;
    if (risen?.mark.user === newcomer.userId) return this.complete(arriving, original, newcomer, risen);
    if (options.session === false) return this.once(arriving, original, newcomer);
    const begun = this.withReturnTo(arriving, await this.engine.signIn.begin(newcomer));
    const signedIn = first === undefined ? begun : { ...begun, mark: { ...begun.mark, first } };
    // The login this one replaces is over, whatever becomes of a copy of its session.
    await this.logOut.end(req);
    await this.passportLogIn(arriving, original, signedIn.mark);
    return this.goOn(arriving, newcomer, signedIn);
  }

  private goOn({ req, res, state, user, options }: Arriving, newcomer: Newcomer, signedIn: SignedIn): boolean {
    this.gate.settle(req, res, state, user, newcomer, signedIn);
    const { visit } = state;
    // It was ended while it was made, by another request.
    if (visit === undefined) return this.gate.refuseEnded(req, res, state);
    if (!isDue(visit.standing)) return true;
    if (this.settings.isReport) this.gate.report(visit);
    if (this.settings.isReport || options.secondFactor === "inline") return true;
    this.gate.answerDue(req, res, visit);
    return false;
  }

  /** A strategy has verified the second factor: this login is a full one. */
  private async complete(
    arriving: Arriving,
    original: LogIn,
    newcomer: Newcomer,
    risen: NonNullable<RequestState["risen"]>,
  ): Promise<boolean> {
    const { req, state, user, options } = arriving;
    const { account } = risen;
    const { returnTo, ...mark } = risen.mark;
    if (options.session === false) {
      // Passport leaves the session alone then; a rise must not.
      await renewSession(req, mark);
      showUser(req, user);
    } else await this.passportLogIn(arriving, original, mark);
    // Where Passport itself redirects to what was first asked for, it reads the place from here.
    const session = sessionOf(req);
    if (session !== undefined && options.successReturnToOrRedirect !== undefined) session.returnTo = returnTo;
    const standing = assess({ account, mark, decision: newcomer.decision, now: this.settings.clock() });
    if (standing.status === "ended") return this.gate.refuseEnded(req, arriving.res, state);
    this.gate.admit(req, state, { user, userId: newcomer.userId, visitor: { ...newcomer, mark }, account, standing });
    return true;
  }

  /** A login for this request alone (`session: false`: Basic, bearer). There is no second step to come, so none may be due. */
  private async once(
    { req, res, state, user, options }: Arriving,
    original: LogIn,
    newcomer: Newcomer,
  ): Promise<boolean> {
    const known = await this.engine.parts.records.read(newcomer.userId);
    const { account } = known;
    const standing = assess({ account, mark: undefined, decision: newcomer.decision, now: this.settings.clock() });
    showUser(req, undefined);
    await settled((done) => {
      original(user, options, done);
    });
    if (standing.status === "ended") return this.gate.refuseEnded(req, res, state);
    const visit = {
      user,
      userId: newcomer.userId,
      visitor: { ...newcomer, mark: undefined, known },
      account,
      standing,
    };
    this.gate.admit(req, state, visit);
    if (!isDue(standing)) return true;
    if (this.settings.isReport) {
      this.gate.report(visit);
      return true;
    }
    const code = standing.status === "must-enroll" ? "enrollment-required" : "second-factor-required";
    sendProblem(req, res, { code }, this.pages);
    return false;
  }

  /** Passport's own login, with the mark put into the new session before Passport saves it. */
  private async passportLogIn(
    { req, user, options }: Arriving,
    original: LogIn,
    mark: SignedIn["mark"],
  ): Promise<void> {
    showUser(req, undefined);
    const session = requireSession(req);
    const regenerate = session.regenerate.bind(session);
    // With keepSessionInfo Passport copies the old session over the new one; the old mark must not come along.
    delete session.secondFactor;
    override(session, "regenerate", (done: Done): Session => {
      regenerate((error) => {
        if (sessionOf(req) !== undefined) putMark(req, mark);
        done(error);
      });
      return session;
    });
    try {
      await settled((done) => {
        original(user, options, done);
      });
    } catch (error) {
      hideUser(req);
      throw new LogInError(error instanceof Error ? error : new Error(String(error)));
    }
    if (anyMark(req)?.id !== mark.id) await saveMark(req, mark);
    this.logOut.watchSession(req);
  }

  /** Read before Passport empties the session: where the user is to land once the login is complete. */
  private withReturnTo({ req, options }: Arriving, signedIn: SignedIn): SignedIn {
    if (!isDue(signedIn.standing)) return signedIn;
    const wanted = [sessionOf(req)?.returnTo, options.successRedirect, options.successReturnToOrRedirect];
    const returnTo = wanted.map((each) => this.gate.local(req, each)).find((each) => each !== undefined);
    return returnTo === undefined ? signedIn : { ...signedIn, mark: { ...signedIn.mark, returnTo } };
  }
}
