import type { NextFunction, Request, Response } from "express";
import { ConfigurationError } from "../core/errors.js";
import type { Engine } from "../engine/engine.js";
import { describe } from "./description.js";
import { Gate } from "./gate.js";
import { PageSet } from "./page-set.js";
import { PassportLogin } from "./passport-login.js";
import { createProxyCheck } from "./proxy-check.js";
import { Refusals } from "./refusals.js";
import { beginState, type LoginKeeper, type RequestState, stateOf } from "./request-state.js";
import { OwnRoutes } from "./router.js";
import { requireSession } from "./session.js";
import type { Settings } from "./settings.js";
import { takeOver, watchSession } from "./takeover.js";
import { currentUser, hideUser } from "./user-visibility.js";
import { WellKnown } from "./well-known.js";

/**
 * A user would come out of the session later than this middleware looks, and everything would be open. Passport takes users
 * it cannot restore out of the session, so one who is there and not on the request has yet to be restored.
 */
function requireOrder(req: Request): void {
  const session = requireSession(req);
  const hasLogin = session.passport?.user !== undefined;
  if (hasLogin && currentUser(req) === undefined) {
    throw new ConfigurationError(["app.use(mfa) must come after app.use(passport.session())"]);
  }
  watchSession(req, session);
}

/** The middleware: what every request of the application passes. */
export class Middleware {
  readonly gate: Gate;
  readonly pages: PageSet;
  readonly refusals: Refusals;
  private readonly keeper: LoginKeeper;
  private readonly routes: OwnRoutes;
  private readonly wellKnown: WellKnown;
  private readonly checkProxy = createProxyCheck();

  constructor(
    readonly settings: Settings,
    readonly engine: Engine,
  ) {
    this.pages = new PageSet(settings, engine);
    this.refusals = new Refusals(this.pages, engine.dependencies.emitAudit);
    this.gate = new Gate(settings, engine, this.pages);
    const passportLogin = new PassportLogin(settings, engine, this.gate, this.pages, this.refusals);
    this.keeper = { passportLogin, describe: (login) => describe(engine, login) };
    this.routes = new OwnRoutes({ engine, settings, pages: this.pages, refusals: this.refusals });
    this.wellKnown = new WellKnown(settings);
  }

  handle(req: Request, res: Response, next: NextFunction): void {
    this.proceed(req, res, next).catch((error: unknown) => {
      // The developer's mistake is for the developer's error handler; it lets nobody in either.
      if (error instanceof ConfigurationError) {
        hideUser(req);
        next(error);
      } else this.refusals.refuseUnavailable(req, res, error);
    });
  }

  private async proceed(req: Request, res: Response, next: NextFunction): Promise<void> {
    if (this.wellKnown.answer(req, res)) return;
    // Mounted once more further down: what was found above holds, and the user may be hidden by now.
    if (stateOf(req)?.keeper === this.keeper) {
      next();
      return;
    }
    requireOrder(req);
    this.checkProxy(req);
    const state: RequestState = beginState(req, res, this.keeper, this.settings.path);
    takeOver(req);
    const route = this.routes.find(req);
    await this.gate.loadLogin(state, route?.isConfirmedByWrite === true);
    if (route !== undefined) route.handle(state, next);
    else await this.gate.pass(state, next);
  }
}
