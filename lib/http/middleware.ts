import { type NextFunction, type Request, type RequestHandler, type Response, Router } from "express";
import { ConfigurationError, reasonOf } from "../core/errors.js";
import type { Engine } from "../engine/engine.js";
import { sendProblem } from "./answers.js";
import { clientOf } from "./arrival.js";
import { Gate } from "./gate.js";
import { HandOver } from "./hand-over.js";
import { currentUser, hideUser } from "./hidden-user.js";
import { LogOut } from "./log-out.js";
import { PageSet } from "./page-set.js";
import { createProxyCheck } from "./proxy-check.js";
import { createRouter } from "./router.js";
import { requireSession } from "./session.js";
import type { Settings } from "../options/settings.js";
import { answerWellKnown } from "./well-known.js";
import { beginState, stateOf } from "./state.js";

/**
 * A user would come out of the session later than this middleware looks, and everything would be open. Passport takes users
 * it cannot restore out of the session, so one who is there and not on the request has yet to be restored.
 */
function requireOrder(req: Request): void {
  const hasLogin = requireSession(req).passport?.user !== undefined;
  if (hasLogin && currentUser(req) === undefined) {
    throw new ConfigurationError(["app.use(mfa) must come after app.use(passport.session())"]);
  }
}

function isBelow(path: string, base: string): boolean {
  const lower = path.toLowerCase();
  return lower === base || lower.startsWith(`${base}/`);
}

/** The middleware: what every request of the application passes. */
export class Middleware {
  readonly gate: Gate;
  private readonly handOver: HandOver;
  readonly pages: PageSet;
  private readonly routes: RequestHandler;
  private readonly base: string;
  private readonly checkProxy = createProxyCheck();

  constructor(
    readonly settings: Settings,
    readonly engine: Engine,
  ) {
    this.pages = new PageSet(settings, engine);
    this.gate = new Gate(settings, engine, this.pages);
    this.handOver = new HandOver(settings, engine, this.gate, this.pages, new LogOut(engine, this.gate));
    this.base = settings.path.toLowerCase();
    const refuse = (req: Request, res: Response, error: unknown): void => {
      this.refuse(req, res, error);
    };
    const answerNotFound = (req: Request, res: Response): void => {
      this.answerNotFound(req, res);
    };
    const setting = { engine, settings, pages: this.pages, refuse, answerNotFound };
    this.routes = Router().use(settings.path, createRouter(setting));
  }

  handle(req: Request, res: Response, next: NextFunction): void {
    this.proceed(req, res, next).catch((error: unknown) => {
      // The developer's mistake is for the developer's error handler; it lets nobody in either.
      if (error instanceof ConfigurationError) {
        hideUser(req);
        next(error);
      } else this.refuse(req, res, error);
    });
  }

  private async proceed(req: Request, res: Response, next: NextFunction): Promise<void> {
    if (this.engine.passkeys !== undefined && answerWellKnown(req, res, this.settings)) return;
    requireOrder(req);
    this.checkProxy(req);
    const state = beginState(req, this.settings.path);
    this.handOver.install(req, res, state);
    await this.gate.arrive(req, res, state);
    if (isBelow(req.path, this.base)) this.enterRoutes(req, res, next);
    else await this.gate.pass(req, res, next, state);
  }

  /** Without pages, browsers' requests come out of the routes again and go on to the application, the user hidden. */
  private enterRoutes(req: Request, res: Response, next: NextFunction): void {
    void this.routes(req, res, (error?: unknown) => {
      // A path with broken escapes names nothing; everything else that goes wrong below is answered below.
      if (error === undefined || error === null) next();
      else this.answerNotFound(req, res);
    });
  }

  private answerNotFound(req: Request, res: Response): void {
    try {
      sendProblem(req, res, { code: "not-found" }, this.pages);
    } catch (error) {
      this.refuse(req, res, error);
    }
  }

  private refuse(req: Request, res: Response, error: unknown): void {
    const userId = stateOf(req)?.visit?.userId ?? "";
    const details = { outcome: "failure", reason: reasonOf(error) } as const;
    this.engine.parts.tell("unavailable", { userId, client: clientOf(req) }, details);
    this.gate.refuse(req, res);
  }
}
