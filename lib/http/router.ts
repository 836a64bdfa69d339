import { type NextFunction, type Request, type Response, Router } from "express";
import { type ErrorCode, failure, type Outcome, type Problem } from "../core/errors.js";
import type { UserId } from "../core/nouns.js";
import { countedFor } from "../engine/address-limit.js";
import { isActing, type LoginContext } from "../engine/login-context.js";
import type { ShownOperation } from "../engine/operations.js";
import {
  keepAddressSecret,
  sendFile,
  sendJson,
  sendJsonProblem,
  sendPage,
  sendProblem,
  sendRedirect,
  wantsPage,
} from "./answers.js";
import { otherAssets } from "./assets.js";
import { isOfOtherKind, readBody } from "./body.js";
import { bounce } from "./bounce.js";
import { callerRoutes } from "./caller-routes.js";
import { challengeRoutes, thenSettings } from "./challenge-routes.js";
import { codesRoutes } from "./codes-page.js";
import { isCrossSite, isSilent } from "./cross-site.js";
import { exportRoutes } from "./export-routes.js";
import { setDeviceToken } from "./device-cookie.js";
import { placeAsked } from "./going.js";
import { isHtmx, sendHtmxTo } from "./libraries.js";
import { methodRoutes } from "./method-routes.js";
import { prefersHtml } from "./negotiation.js";
import { passRoutes } from "./pass-routes.js";
import type { Refusals } from "./refusals.js";
import { reopenRoutes } from "./reopen-routes.js";
import { recoveryRoutes } from "./recovery-routes.js";
import { reportRoutes } from "./report-routes.js";
import { newPhonePath, type RequestState, stateOf } from "./request-state.js";
import type { Reply, RequestContext, Route, RouteContext } from "./route.js";
import { replaceRoutes } from "./replace-routes.js";
import * as schemas from "./schemas.js";
import { isOfAnother } from "./session.js";
import { writeRecord } from "./settings-notes.js";
import { settingsRoutes } from "./settings-routes.js";
import { signInAgainRoutes } from "./sign-in-again.js";
import { waysOn } from "./ways-on.js";
import { currentUser } from "./user-visibility.js";

/** What the routes share; a context adds the request. */
type Shared = Pick<RequestContext, "engine" | "settings" | "pages"> & { readonly refusals: Refusals };

/** A request below `path`, with what refuses it. */
type Handling = RequestContext & Pick<Shared, "refusals">;

/** A request below `path`, and what is to be done with it once its login is known. */
export interface OwnRoute {
  readonly isConfirmedByWrite: boolean;
  /** What a link in a message leads to: a login that cannot be judged is none there, and stops nobody. */
  readonly isForAnyone?: boolean | undefined;
  handle(state: RequestState, next: NextFunction): void;
}

/** What a refused proof was given for, so that its page is shown again and not another. */
async function operationIn({ engine, login }: RouteContext, body: unknown): Promise<ShownOperation | undefined> {
  const operation = schemas.readOperation(body)?.operation;
  return operation === undefined ? undefined : engine.operations.shown(login, operation);
}

async function tellProblem(context: RouteContext, route: Route, problem: Problem, body: unknown): Promise<void> {
  const { pages, req, res } = context;
  const told: Problem = { ...problem, members: { ...waysOn(context, problem), ...problem.members } };
  const isAsked = problem.code === "step-up-required" && (wantsPage(req, pages) || isHtmx(req));
  const wanted = schemas.readFrom(body).from ? newPhonePath(context.state) : undefined;
  const current = isAsked ? await thenSettings(context, wanted) : context;
  if (!wantsPage(req, pages)) sendJsonProblem(req, res, told, pages);
  else {
    const operation = await operationIn(current, body);
    const shown = operation === undefined ? current : { ...current, operation };
    await sendProblem(req, res, told, pages, await route.again?.(shown, told, body));
  }
}

/** A login that is complete but for what the application does first: false where it was over before that was done. */
async function isOpened(
  { login, refusals, state }: Handling & { readonly login?: RouteContext["login"] },
  risen: LoginContext,
): Promise<boolean> {
  const opened = await state.keeper.completion.complete(state, risen, { record: login?.session });
  if (opened.status.status !== "ended") return true;
  refusals.refuseEnded(state);
  return false;
}

/** What there is to draw for a browser. */
async function drawn({ pages, req }: RequestContext, { page }: Reply): Promise<string | undefined> {
  return wantsPage(req, pages) && "render" in page ? pages.document(req, page.render()) : undefined;
}

async function answer(context: Handling & { readonly login?: RouteContext["login"] }, reply: Reply): Promise<void> {
  const { login, pages, req, res, settings } = context;
  const { body, deviceToken, file, page, risen, status } = reply;
  // Drawn first: where the application's layout fails, nothing has been given to the browser yet.
  const html = await drawn(context, reply);
  if (risen?.opens === true && !(await isOpened(context, risen))) return;
  if (deviceToken !== undefined && login !== undefined) setDeviceToken(req, res, settings, login.userId, deviceToken);
  await writeRecord(context, reply);
  if (file !== undefined) sendFile(res, file);
  else if (html !== undefined) sendPage(res, 200, html, pages.policy(req, res));
  else if (wantsPage(req, pages) && "redirect" in page) sendRedirect(res, page.redirect);
  else {
    sendHtmxTo(req, res, placeOf(context, page));
    sendJson(res, status, body);
  }
}

/** Where a reply's page is to be opened: a page is no part of another. What a form made to be shown is in the JSON alone. */
function placeOf({ req, settings, state }: RequestContext, page: Reply["page"]): string | undefined {
  if ("redirect" in page) return page.redirect;
  return req.method === "GET" ? placeAsked(state, settings) : undefined;
}

/** Where nobody is logged in: what the route has for them, or why they get nothing. */
async function performAnonymous(context: Handling, route: Route, admitted: Admitted): Promise<void> {
  const { pages, req, res, settings, state } = context;
  if (route.runAnonymous === undefined || state.hasEnded) {
    if (bounce(context)) return;
    await sendProblem(req, res, { code: state.hasEnded ? "expired" : "login-required" }, pages);
  } else if (route.verb === "post" && isCrossSite(req, settings))
    await sendProblem(req, res, { code: "cross-site-request" }, pages);
  else {
    const retryAfter = await admitted;
    const outcome: Outcome<Reply> =
      retryAfter === undefined
        ? await route.runAnonymous(context, undefined)
        : { ok: false, problem: { code: "too-many-attempts", retryAfter } };
    if (outcome.ok) await answer(context, outcome.value);
    else
      await sendProblem(req, res, await countedFor(settings.addressGuard, req.ip, undefined, outcome.problem), pages);
  }
}

/** Whatever the login of the request is: it is nothing to the route, and nothing becomes of it here. */
async function performForAnyone(context: Handling, route: Route, admitted: Admitted): Promise<void> {
  const { pages, req, res, settings } = context;
  keepAddressSecret(res);
  const outcome = await outcomeForAnyone(context, route, admitted);
  if (outcome.ok) {
    await answer(context, outcome.value);
    return;
  }
  const problem = await countedFor(settings.addressGuard, req.ip, undefined, outcome.problem);
  const page = wantsPage(req, pages) ? route.againForAnyone?.(context, problem) : undefined;
  await sendProblem(req, res, problem, pages, page);
}

async function outcomeForAnyone(context: Handling, route: Route, admitted: Admitted): Promise<Outcome<Reply>> {
  const { req, res, settings } = context;
  if (route.verb === "post" && isCrossSite(req, settings)) return failure(foreignCode(req));
  const retryAfter = await admitted;
  if (retryAfter !== undefined) return failure("too-many-attempts", { retryAfter });
  const read = route.verb === "post" ? await readBody(req, res) : { body: {} };
  if ("code" in read) return failure(read.code);
  const input = route.read(read.body);
  if (input === undefined || route.runAnonymous === undefined) return failure("invalid-request");
  return route.runAnonymous(context, input);
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

/** Staff who act for a user get to nothing that is the user's alone. */
async function performForUser(context: Handling & RouteContext, route: Route, admitted: Admitted): Promise<void> {
  const { login, pages, req, res } = context;
  const isTheirs = route.isForActing === true || !isActing(login);
  await (isTheirs ? perform(context, route, admitted) : sendProblem(req, res, { code: "acting-login" }, pages));
}

async function perform(context: Handling & RouteContext, route: Route, admitted: Admitted): Promise<void> {
  const { pages, req, res, settings } = context;
  // What a route changes goes on in the session, and this one is not theirs.
  if (route.verb === "post" && isOfAnother(req, context.login.userId)) {
    await sendProblem(req, res, { code: "login-required" }, pages);
    return;
  }
  if (route.verb === "post" && isCrossSite(req, settings)) {
    await sendProblem(req, res, { code: foreignCode(req) }, pages);
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
      ...passRoutes,
      ...callerRoutes,
      ...methods.flatMap(methodRoutes),
      ...settingsRoutes,
      ...replaceRoutes,
      ...codesRoutes,
      ...reopenRoutes,
      ...reportRoutes,
      ...recoveryRoutes,
      ...exportRoutes,
      ...signInAgainRoutes,
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
      isForAnyone: route.isForAnyone,
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
    const concerned = route.isForAnyone === true ? undefined : userId;
    const isForNobody = concerned === undefined && route.runAnonymous !== undefined;
    if ((route.isLimited !== true && !isForNobody) || req.res === undefined) return undefined;
    const admitted = this.shared.settings.addressGuard.admit(req, req.res, concerned);
    admitted.catch(() => undefined);
    return admitted;
  }

  private perform(state: RequestState, route: Route, admitted: Admitted): void {
    const { req, res } = state;
    const context: Handling = { ...this.shared, req, res, state };
    const { login } = state;
    const isOfLogin = login !== undefined && route.isForAnyone !== true;
    const performNobodys = route.isForAnyone === true ? performForAnyone : performAnonymous;
    const performed = isOfLogin
      ? performForUser({ ...context, login }, route, admitted)
      : performNobodys(context, route, admitted);
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
    router.use(otherAssets);
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
