import type { NextFunction, Request, Response } from "express";
import { ConfigurationError } from "../core/errors.js";
import type { Engine } from "../engine/engine.js";
import { answerAsset, type Scripts, scriptsOf } from "./assets.js";
import { Completion } from "./completion.js";
import { describe } from "./description.js";
import { Gate } from "./gate.js";
import { Hints } from "./hints.js";
import { LastPages } from "./last-pages.js";
import { MountCheck, requireOrder, strangeness } from "./order.js";
import { PageSet } from "./page-set.js";
import { PassportLogin } from "./passport-login.js";
import { Refusals } from "./refusals.js";
import { beginState, type LoginKeeper, type RequestState, stateOf } from "./request-state.js";
import { type OwnRoute, OwnRoutes } from "./router.js";
import type { Settings } from "./settings.js";
import { bringBack } from "./coming-back.js";
import { takeOver } from "./takeover.js";
import { tryToHideUser } from "./user-visibility.js";
import { WellKnown } from "./well-known.js";

/** The middleware: what every request of the application passes. */
export class Middleware {
  readonly gate: Gate;
  readonly pages: PageSet;
  readonly refusals: Refusals;
  private readonly keeper: LoginKeeper;
  private readonly routes: OwnRoutes;
  private readonly wellKnown: WellKnown;
  private readonly scripts: Scripts;
  private readonly mount = new MountCheck();
  private readonly hints: Hints;

  constructor(
    readonly settings: Settings,
    readonly engine: Engine,
  ) {
    this.hints = new Hints(settings);
    this.pages = new PageSet(settings, engine);
    const { emitAudit, emitError } = engine.dependencies;
    this.refusals = new Refusals(this.pages, emitAudit, emitError);
    const completion = new Completion(settings, engine);
    this.gate = new Gate(settings, engine, this.pages, completion);
    const passportLogin = new PassportLogin(settings, engine, this.gate, this.pages, this.refusals, completion);
    const lastPages = new LastPages();
    this.keeper = {
      completion,
      lastPages,
      passportLogin,
      describe: (login) => describe(engine, login),
      refuse: ({ req, res }, error) => {
        this.refusals.refuseUnavailable(req, res, error);
      },
    };
    this.routes = new OwnRoutes({ engine, settings, pages: this.pages, refusals: this.refusals });
    this.wellKnown = new WellKnown(settings);
    this.scripts = scriptsOf(settings.methods.values());
  }

  /** @throws ConfigurationError where it was called as no middleware is, and nobody is there to be told otherwise */
  handle(req: Request, res: Response, next: NextFunction): void {
    const strange = strangeness(req, res, next);
    if (strange === undefined) {
      this.proceed(req, res, next).catch((error: unknown) => {
        this.refuse(req, res, next, error);
      });
      return;
    }
    const error = new ConfigurationError([strange]);
    if (typeof (next as unknown) !== "function") throw error;
    if (typeof (req as unknown) === "object") tryToHideUser(req);
    next(error);
  }

  /** The developer's mistake is for the developer's error handler; it lets nobody in either. */
  private refuse(req: Request, res: Response, next: NextFunction, error: unknown): void {
    if (error instanceof ConfigurationError && tryToHideUser(req)) {
      // An error handler may answer without a word of why.
      this.settings.emitError("request", error);
      next(error);
    } else this.refusals.refuseUnavailable(req, res, error);
  }

  private async loadLogin(state: RequestState, route: OwnRoute | undefined): Promise<void> {
    try {
      await this.gate.loadLogin(state, route?.isConfirmedByWrite === true);
    } catch (error) {
      // "Stop the recovery" must not wait until a policy answers again that has nothing to say about it.
      const goesOn = route?.isForAnyone === true && !(error instanceof ConfigurationError) && tryToHideUser(state.req);
      if (!goesOn) throw error;
      state.login = undefined;
      this.refusals.tell(state.req, error);
    }
  }

  private async proceed(req: Request, res: Response, next: NextFunction): Promise<void> {
    if (this.wellKnown.answer(req, res) || answerAsset(req, res, this.settings.path, this.scripts)) return;
    // Mounted once more further down: what was found above holds, and the user may be hidden by now.
    if (stateOf(req)?.keeper === this.keeper) {
      next();
      return;
    }
    this.mount.look(req);
    requireOrder(req);
    this.settings.proxyCheck.look(req);
    this.settings.mounted.look(req);
    const state: RequestState = beginState(req, res, this.keeper, this.settings.placesAt(req.baseUrl));
    takeOver(req);
    const route = this.routes.find(req);
    await this.loadLogin(state, route);
    if (route !== undefined && state.login !== undefined) this.hints.look(req);
    if (await bringBack(state, this.settings)) return;
    if (route !== undefined) route.handle(state, next);
    else await this.gate.pass(state, next);
  }
}
