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
import { anyMark, putMark, renewSession, requireSession, saveMark, type Session, sessionOf } from "./session.js";
import type { AppUser, Settings } from "../options/settings.js";
import type { RequestState } from "./state.js";

type Done = (error?: unknown) => void;

/** Passport's own options of `authenticate` and `logIn`, as far as they matter here. */
interface LogInOptions {
  readonly session?: boolean;
  readonly successRedirect?: string;
  readonly successReturnToOrRedirect?: string;
  /** `"inline"`: do not answer the request; a strategy further down the chain verifies the second factor. */
  readonly secondFactor?: "inline";
}

type LogIn = (user: AppUser, options: LogInOptions, done: Done) => void;
type LogOut = (options: object, done: Done) => void;

/** Passport's functions on a request, before they were wrapped. */
interface Originals {
  readonly logIn: LogIn | undefined;
  readonly logOut: LogOut | undefined;
}

interface PassportRequest {
  logIn?: unknown;
  login?: unknown;
  logOut?: unknown;
  logout?: unknown;
}

interface Arriving {
  readonly req: Request;
  readonly res: Response;
  readonly state: RequestState;
  readonly user: AppUser;
  readonly options: LogInOptions;
  readonly done: Done;
}

function settled(act: (done: Done) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    act((error) => {
      if (error === undefined || error === null) resolve();
      else reject(error instanceof Error ? error : new Error("Passport failed", { cause: error }));
    });
  });
}

/** Replaces a method of one object without showing up in it: sessions are serialized, and merged by Passport. */
function override(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { configurable: true, writable: true, enumerable: false, value });
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
  ) {}

  /** Wraps `logIn`, `logout` and `session.destroy` of one request. */
  install(req: Request, res: Response, state: RequestState): void {
    const passport = req as PassportRequest;
    const originals: Originals = {
      logIn: typeof passport.logIn === "function" ? (passport.logIn.bind(req) as LogIn) : undefined,
      logOut: typeof passport.logOut === "function" ? (passport.logOut.bind(req) as LogOut) : undefined,
    };
    if (originals.logIn !== undefined) this.wrapLogIn(req, res, state, originals.logIn);
    if (originals.logOut !== undefined) this.wrapLogOut(req, state, originals.logOut);
    this.watchSession(req);
    state.forget = async () => {
      delete requireSession(req).secondFactor;
      const { logOut } = originals;
      if (logOut !== undefined)
        await settled((done) => {
          logOut({ keepSessionInfo: true }, done);
        });
      this.watchSession(req);
    };
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
      this.engine.parts.tell(
        "unavailable",
        { userId: "", client: clientOf(req) },
        { outcome: "failure", reason: reasonOf(error) },
      );
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
    await this.endLogin(req);
    await this.passportLogIn(arriving, original, signedIn.mark);
    return this.goOn(arriving, newcomer, signedIn);
  }

  private goOn({ req, res, state, user, options }: Arriving, newcomer: Newcomer, signedIn: SignedIn): boolean {
    this.gate.settle(req, res, state, user, newcomer, signedIn);
    const { visit } = state;
    if (visit === undefined || !isDue(visit.standing)) return true;
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
    if (standing.status === "ended") return true;
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
    if (standing.status === "ended") return false;
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
    this.watchSession(req);
  }

  /** Read before Passport empties the session: where the user is to land once the login is complete. */
  private withReturnTo({ req, options }: Arriving, signedIn: SignedIn): SignedIn {
    if (!isDue(signedIn.standing)) return signedIn;
    const wanted = [sessionOf(req)?.returnTo, options.successRedirect, options.successReturnToOrRedirect];
    const returnTo = wanted.map((each) => this.gate.local(req, each)).find((each) => each !== undefined);
    return returnTo === undefined ? signedIn : { ...signedIn, mark: { ...signedIn.mark, returnTo } };
  }

  private wrapLogOut(req: Request, state: RequestState, original: LogOut): void {
    const passport = req as PassportRequest;
    passport.logOut = passport.logout = (given: object | Done | undefined, then?: Done) => {
      const done = typeof given === "function" ? (given as Done) : (then ?? (() => undefined));
      const options = typeof given === "object" ? given : {};
      const session = sessionOf(req);
      const ending = this.endLogin(req);
      if (session !== undefined) delete session.secondFactor;
      original(options, (error) => {
        showUser(req, undefined);
        this.gate.leave(req, state);
        ending.then(() => {
          done(error);
        }, done);
      });
    };
  }

  /**
   * `session.destroy` is a logout too. The session goes in any case; a record that could not be written is an error.
   * `session.reload` makes a new session object, which is watched as well.
   */
  private watchSession(req: Request): void {
    const session = sessionOf(req);
    if (session === undefined || typeof session.destroy !== "function") return;
    const destroy = session.destroy.bind(session);
    override(session, "destroy", (done: Done = () => undefined): Session => {
      const ending = this.endLogin(req);
      destroy((error) => {
        ending.then(() => {
          done(error);
        }, done);
      });
      return session;
    });
    const reload = session.reload?.bind(session);
    if (reload === undefined) return;
    override(session, "reload", (done: Done = () => undefined): Session => {
      reload((error) => {
        this.watchSession(req);
        done(error);
      });
      return session;
    });
  }

  private endLogin(req: Request): Promise<void> {
    const mark = anyMark(req);
    const ended = mark === undefined ? Promise.resolve() : this.engine.signIn.end(mark, clientOf(req));
    // Observed by whoever waits for it; nobody may be left to crash the process with it.
    ended.catch(() => undefined);
    return ended;
  }
}
