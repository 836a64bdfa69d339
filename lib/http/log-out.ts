import type { Request } from "express";
import type { Engine } from "../engine/engine.js";
import { clientOf } from "./arrival.js";
import type { Gate } from "./gate.js";
import { showUser } from "./hidden-user.js";
import { anyMark, type Done, requireSession, type Session, sessionOf, settled } from "./session.js";
import type { RequestState } from "./state.js";

type PassportLogOut = (options: object, done: Done) => void;

interface PassportRequest {
  logOut?: unknown;
  logout?: unknown;
}

/** Replaces a method of one object without showing up in it: sessions are serialized, and merged by Passport. */
export function override(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { configurable: true, writable: true, enumerable: false, value });
}

/** Ends logins in the account record whenever the application ends them: by logout, or with their session. */
export class LogOut {
  constructor(
    private readonly engine: Engine,
    private readonly gate: Gate,
  ) {}

  /** Wraps `logout` and `session.destroy` of one request, and says how its login is forgotten. */
  install(req: Request, state: RequestState): void {
    const passport = req as PassportRequest;
    const original = typeof passport.logOut === "function" ? (passport.logOut.bind(req) as PassportLogOut) : undefined;
    if (original !== undefined) this.wrap(req, state, original);
    this.watchSession(req);
    state.forget = async (keepsData) => {
      delete requireSession(req).secondFactor;
      await settled((done) => {
        if (original === undefined) done();
        else original({ keepSessionInfo: keepsData }, done);
      });
      this.watchSession(req);
    };
  }

  /** Strikes the session's login, whoever's it is, from the account record. */
  end(req: Request): Promise<void> {
    const mark = anyMark(req);
    const ended = mark === undefined ? Promise.resolve() : this.engine.signIn.end(mark, clientOf(req));
    // Observed by whoever waits for it; nobody may be left to crash the process with it.
    ended.catch(() => undefined);
    return ended;
  }

  private wrap(req: Request, state: RequestState, original: PassportLogOut): void {
    const passport = req as PassportRequest;
    passport.logOut = passport.logout = (given: object | Done | undefined, then?: Done) => {
      const done = typeof given === "function" ? (given as Done) : (then ?? (() => undefined));
      const options = typeof given === "object" ? given : {};
      const session = sessionOf(req);
      const ending = this.end(req);
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
  watchSession(req: Request): void {
    const session = sessionOf(req);
    if (session === undefined || typeof session.destroy !== "function") return;
    const destroy = session.destroy.bind(session);
    const reload = session.reload?.bind(session);
    override(session, "destroy", (done: Done = () => undefined): Session => {
      const ending = this.end(req);
      destroy((error) => {
        ending.then(() => {
          done(error);
        }, done);
      });
      return session;
    });
    if (reload === undefined) return;
    override(session, "reload", (done: Done = () => undefined): Session => {
      reload((error) => {
        this.watchSession(req);
        done(error);
      });
      return session;
    });
  }
}
