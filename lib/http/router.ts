import { type NextFunction, type Request, type Response, Router } from "express";
import type { ErrorCode, Outcome, Problem } from "../core/errors.js";
import type { UserId } from "../core/nouns.js";
import { countedFor } from "../engine/address-limit.js";
import type { ShownOperation } from "../engine/operations.js";
import { pageScript, styleSheet } from "../pages/embedded.js";
import { sendJson, sendPage, sendProblem, sendRedirect, setCommonHeaders, wantsPage } from "./answers.js";
import { isOfOtherKind, readBody } from "./body.js";
import { challengeRoutes, thenSettings } from "./challenge-routes.js";
import { codesRoutes } from "./codes-page.js";
import { isCrossSite, isSilent } from "./cross-site.js";
import { setDeviceToken } from "./device-cookie.js";
import { methodRoutes } from "./method-routes.js";
import { prefersHtml } from "./negotiation.js";
import type { Refusals } from "./refusals.js";
import { reopenRoutes } from "./reopen-routes.js";
import { type RequestState, stateOf } from "./request-state.js";
import type { Reply, RequestContext, Route, RouteContext } from "./route.js";
import { readOperation } from "./schemas.js";
import { isOfAnother } from "./session.js";
import { writeRecord } from "./settings-notes.js";
import { settingsRoutes } from "./settings-routes.js";
import { currentUser } from "./user-visibility.js";

/** What the routes share; a context adds the request. */
type Shared = Pick<RequestContext, "engine" | "settings" | "pages"> & { readonly refusals: Refusals };

/** A request below `path`, and what is to be done with it once its login is known. */
export interface OwnRoute {
  readonly isConfirmedByWrite: boolean;
  handle(state: RequestState, next: NextFunction): void;
}

const ASSETS: Readonly<Record<string, readonly [type: string, text: string]>> = {
  "/assets/style.css": ["css", styleSheet],
  "/assets/page.js": ["js", pageScript],
};

/** Something else will do, or must: a client is told what there is. A limit without an end is that of a closed factor. */
function offersWays({ code, retryAfter }: Problem): boolean {
  if (code === "too-many-attempts") return retryAfter === undefined;
  return code === "second-factor-required" || code === "step-up-required";
}

/** What a refused proof was given for, so that its page is shown again and not another. */
async function operationIn({ engine, login }: RouteContext, body: unknown): Promise<ShownOperation | undefined> {
  const operation = readOperation(body)?.operation;
  return operation === undefined ? undefined : engine.operations.shown(login, operation);
}

async function tellProblem(context: RouteContext, route: Route, problem: Problem, body: unknown): Promise<void> {
  const { engine, login, pages, req, res } = context;
  const methods = offersWays(problem) ? { methods: engine.authentication.choices(login) } : {};
  const told: Problem = { ...problem, members: { ...methods, ...problem.members } };
  if (!wantsPage(req, pages)) sendProblem(req, res, told, pages);
  else {
    const current = problem.code === "step-up-required" ? await thenSettings(context) : context;
    const operation = await operationIn(current, body);
    const shown = operation === undefined ? current : { ...current, operation };
    sendProblem(req, res, told, pages, await route.again?.(shown, told, body));
  }
}

async function answer(
  context: RequestContext & { readonly login?: RouteContext["login"] },
  reply: Reply,
): Promise<void> {
  const { login, pages, req, res, settings } = context;
  const { body, deviceToken, page, status } = reply;
  // Drawn first: where the application's layout fails, nothing has been given to the browser yet.
  const html = wantsPage(req, pages) && "render" in page ? page.render() : undefined;
  if (deviceToken !== undefined && login !== undefined) setDeviceToken(req, res, settings, login.userId, deviceToken);
  await writeRecord(context, reply);
  if (html !== undefined) sendPage(res, 200, html);
  else if (wantsPage(req, pages) && "redirect" in page) sendRedirect(res, page.redirect);
  else sendJson(res, status, body);
}

/** Where nobody is logged in: what the route has for them, or why they get nothing. */
async function performAnonymous(context: RequestContext, route: Route, admitted: Admitted): Promise<void> {
  const { pages, req, res, settings, state } = context;
  if (route.runAnonymous === undefined || state.hasEnded) {
    sendProblem(req, res, { code: state.hasEnded ? "expired" : "login-required" }, pages);
  } else if (route.verb === "post" && isCrossSite(req, settings))
    sendProblem(req, res, { code: "cross-site-request" }, pages);
  else {
    const retryAfter = await admitted;
    const outcome: Outcome<Reply> =
      retryAfter === undefined
        ? await route.runAnonymous(context)
        : { ok: false, problem: { code: "too-many-attempts", retryAfter } };
    if (outcome.ok) await answer(context, outcome.value);
    else sendProblem(req, res, await countedFor(settings.addressGuard, req.ip, undefined, outcome.problem), pages);
  }
}

/** Whole seconds the address has to wait; undefined where it may go on. */
type Admitted = Promise<number | undefined> | undefined;

/** What a form sent that is refused unread: its page says what it is about when it is shown again. */
async function bodyForPage({ pages, req, res }: RouteContext): Promise<unknown> {
  if (!wantsPage(req, pages)) return undefined;
  const read = await readBody(req, res);
  return "body" in read ? read.body : undefined;
}

/** Without a word of where it comes from, its kind is what is wrong with it. */
function foreignCode(req: Request): ErrorCode {
  return isSilent(req) && isOfOtherKind(req) ? "unsupported-media-type" : "cross-site-request";
}

async function perform(context: RouteContext, route: Route, admitted: Admitted): Promise<void> {
  const { pages, req, res, settings } = context;
  // What a route changes goes on in the session, and this one is not theirs.
  if (route.verb === "post" && isOfAnother(req, context.login.userId)) {
    sendProblem(req, res, { code: "login-required" }, pages);
    return;
  }
  if (route.verb === "post" && isCrossSite(req, settings)) {
    sendProblem(req, res, { code: foreignCode(req) }, pages);
    return;
  }
  const retryAfter = await admitted;
  if (retryAfter !== undefined) {
    await tellProblem(context, route, { code: "too-many-attempts", retryAfter }, await bodyForPage(context));
    return;
  }
  const read = route.verb === "post" ? await readBody(req, res) : { body: {} };
  if ("code" in read) {
    await tellProblem(context, route, { code: read.code }, undefined);
    return;
  }
  const input = route.read(read.body);
  const outcome: Outcome<Reply> =
    input === undefined ? { ok: false, problem: { code: "invalid-request" } } : await route.run(context, input);
  if (outcome.ok) await answer(context, outcome.value);
  else {
    const problem = await countedFor(settings.addressGuard, req.ip, context.login.userId, outcome.problem);
    await tellProblem(context, route, problem, read.body);
  }
}

function isBelow(path: string, base: string): boolean {
  const lower = path.toLowerCase();
  return lower === base || lower.startsWith(`${base}/`);
}

/** The routes below `path`: a table of rows, and 404 for everything else. */
export class OwnRoutes {
  private readonly base: string;
  /** Rows by verb and path, for requests that write them as they are. */
  private readonly exact = new Map<string, Route>();
  private readonly router: Router;

  constructor(private readonly shared: Shared) {
    const { settings } = shared;
    this.base = settings.path.toLowerCase();
    const methods = [...settings.methods.values()];
    this.router = this.createRouter([
      ...challengeRoutes,
      ...methods.flatMap(methodRoutes),
      ...settingsRoutes,
      ...codesRoutes,
      ...reopenRoutes,
    ]);
  }

  /** The route of a request, or undefined where it is not below `path`. */
  find(req: Request): OwnRoute | undefined {
    const { path } = req;
    if (!isBelow(path, this.base)) return undefined;
    const route = this.exact.get(`${req.method} ${path.slice(this.base.length)}`);
    if (route === undefined) return { isConfirmedByWrite: false, handle: (state, next) => this.enter(state, next) };
    const admitted = this.admit(route, req, this.claimedUserId(req));
    return {
      isConfirmedByWrite: route.isConfirmedByWrite === true,
      handle: (state) => this.perform(state, route, admitted),
    };
  }

  /** Whose login the request presents; what it is worth is not known yet. */
  private claimedUserId(req: Request): UserId | undefined {
    const user = currentUser(req);
    return user && this.shared.settings.userId(user);
  }

  /** Begun beside the reading of the login. What nobody may run stands behind the limit of nobody. */
  private admit(route: Route, req: Request, userId: UserId | undefined): Admitted {
    const isForNobody = userId === undefined && route.runAnonymous !== undefined;
    if ((route.isLimited !== true && !isForNobody) || req.res === undefined) return undefined;
    const admitted = this.shared.settings.addressGuard.admit(req, req.res, userId);
    admitted.catch(() => undefined);
    return admitted;
  }

  private perform(state: RequestState, route: Route, admitted: Admitted): void {
    const { req, res } = state;
    const context: RequestContext = { ...this.shared, req, res, state };
    const { login } = state;
    const performed =
      login === undefined
        ? performAnonymous(context, route, admitted)
        : perform({ ...context, login }, route, admitted);
    performed.catch((error: unknown) => {
      this.shared.refusals.refuseUnavailable(req, res, error);
    });
  }

  /** Without pages, browsers' requests come out of the routes again and go on to the application, the user hidden. */
  private enter({ req, res }: RequestState, next: NextFunction): void {
    void this.router(req, res, (error?: unknown) => {
      // A path with broken escapes names nothing; everything else that goes wrong below is answered below.
      if (error === undefined || error === null) next();
      else this.shared.refusals.answerNotFound(req, res);
    });
  }

  private createRouter(routes: readonly Route[]): Router {
    const { pages, refusals, settings } = this.shared;
    const router = Router();
    if (!pages.isOn) {
      router.use(function leavePagesToApplication(req, _res, next) {
        if (req.method === "GET" && prefersHtml(req)) next("router");
        else next();
      });
    }
    for (const [path, [type, text]] of Object.entries(ASSETS)) {
      router.get(path, (_req, res) => {
        setCommonHeaders(res);
        res.type(type).send(text);
      });
    }
    for (const route of routes) this.add(router, route);
    router.use((req: Request, res: Response) => {
      refusals.answerNotFound(req, res);
    });
    return Router().use(settings.path, router);
  }

  private add(router: Router, route: Route): void {
    const { pages, refusals } = this.shared;
    router[route.verb](route.path, (req: Request, res: Response) => {
      const state = stateOf(req);
      if (state !== undefined) this.perform(state, route, this.admit(route, req, state.login?.userId));
      else refusals.refuseUnavailable(req, res, new Error("The routes were reached without the middleware"));
    });
    const isExact = !route.path.includes(":") && (pages.isOn || route.verb === "post");
    if (isExact) this.exact.set(`${route.verb.toUpperCase()} ${route.path === "/" ? "" : route.path}`, route);
  }
}
