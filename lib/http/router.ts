import { type Request, type RequestHandler, type Response, Router } from "express";
import type { Problem } from "../core/errors.js";
import { isCodeMethod } from "../methods/contract.js";
import { pageScript, styleSheet } from "../pages/embedded.js";
import { sendJson, sendPage, sendProblem, sendRedirect, setCommonHeaders, wantsPage } from "./answers.js";
import { readBody } from "./body.js";
import { challengeRoutes, thenSettings } from "./challenge-routes.js";
import { isCrossSite } from "./cross-site.js";
import { setDeviceToken } from "./device-cookie.js";
import { enrollmentRoutes } from "./enrollment-routes.js";
import { offerRoutes } from "./offer-routes.js";
import { passkeyRoutes } from "./passkey-routes.js";
import { prefersHtml } from "./negotiation.js";
import type { Reply, Route, Scene, Stage } from "./route.js";
import { check } from "./schemas.js";
import { renewSession } from "./session.js";
import { settingsRoutes } from "./settings-routes.js";
import { stateOf, type Visit } from "./state.js";

/** What the routes share; a scene adds the request. */
export type Setting = Pick<Scene, "engine" | "settings" | "pages"> & {
  /** Answers a request whose checking failed: closed. */
  refuse(req: Request, res: Response, error: unknown): void;
  answerNotFound(req: Request, res: Response): void;
};

const ASSETS: Readonly<Record<string, readonly [type: string, text: string]>> = {
  "/assets/style.css": ["css", styleSheet],
  "/assets/page.js": ["js", pageScript],
};

async function tellProblem(scene: Scene, route: Route, problem: Problem, body: unknown): Promise<void> {
  const { engine, pages, req, res, visit } = scene;
  const listed = problem.code === "second-factor-required" || problem.code === "step-up-required";
  const methods = listed ? { methods: engine.challenge.choices(visit.account, visit.visitor.mark) } : {};
  const told: Problem = { ...problem, members: { ...methods, ...problem.members } };
  if (!wantsPage(req, pages)) sendProblem(req, res, told, pages);
  else {
    const current = problem.code === "step-up-required" ? await thenSettings(scene) : scene;
    const confirming = await engine.stepUp.shown(current.visit.visitor);
    const shown = confirming === undefined ? current : { ...current, confirming };
    sendProblem(req, res, told, pages, route.again?.(shown, told, body));
  }
}

async function answer(stage: Stage & { readonly visit?: Visit }, reply: Reply): Promise<void> {
  const { pages, req, res, settings, visit } = stage;
  const { deviceToken, mark } = reply;
  if (deviceToken !== undefined && visit !== undefined) setDeviceToken(req, res, settings, visit.userId, deviceToken);
  if (mark !== undefined) await renewSession(req, mark);
  if (!wantsPage(req, pages)) sendJson(res, reply.status, reply.body);
  else if ("redirect" in reply.page) sendRedirect(res, reply.page.redirect);
  else sendPage(res, 200, reply.page.html);
}

/** Where nobody is logged in: what the route has for them, or why they get nothing. */
async function performAnonymous(stage: Stage, route: Route): Promise<void> {
  const { pages, req, res, settings, state } = stage;
  if (route.runAnonymous === undefined || state.hasEnded) {
    sendProblem(req, res, { code: state.hasEnded ? "expired" : "login-required" }, pages);
  } else if (isCrossSite(req, settings)) sendProblem(req, res, { code: "cross-site-request" }, pages);
  else {
    const outcome = await route.runAnonymous(stage);
    if (outcome.ok) await answer(stage, outcome.value);
    else sendProblem(req, res, outcome.problem, pages);
  }
}

async function perform(scene: Scene, route: Route): Promise<void> {
  const { pages, req, res, settings } = scene;
  if (route.verb === "post" && isCrossSite(req, settings)) {
    sendProblem(req, res, { code: "cross-site-request" }, pages);
    return;
  }
  const read = route.verb === "post" ? await readBody(req, res) : { body: {} };
  if ("code" in read) {
    await tellProblem(scene, route, { code: read.code }, undefined);
    return;
  }
  const body = check(route.body, read.body);
  const outcome =
    body === undefined
      ? { ok: false as const, problem: { code: "invalid-request" as const } }
      : await route.run(scene, body);
  if (outcome.ok) await answer(scene, outcome.value);
  else await tellProblem(scene, route, outcome.problem, read.body);
}

function handlerOf(route: Route, setting: Setting): RequestHandler {
  return function secondFactorRoute(req, res) {
    const state = stateOf(req);
    if (state === undefined) {
      setting.refuse(req, res, new Error("The routes were reached without the middleware"));
      return;
    }
    const stage: Stage = { ...setting, req, res, state };
    const { visit } = state;
    const performed = visit === undefined ? performAnonymous(stage, route) : perform({ ...stage, visit }, route);
    performed.catch((error: unknown) => {
      setting.refuse(req, res, error);
    });
  };
}

/** The routes below `path`: a table of rows, and 404 for everything else. */
export function createRouter(setting: Setting): Router {
  const { engine, pages } = setting;
  const byCode = [...engine.parts.methods.values()].filter(isCodeMethod);
  const types = byCode.map(({ type }) => type);
  const enrollable = byCode.filter(({ enroll }) => enroll !== undefined).map(({ type }) => type);
  const desk = engine.passkeys;
  const passkeys = desk === undefined ? [] : passkeyRoutes(desk);
  const offer = desk?.isOffering === true ? offerRoutes(desk) : [];
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
  const codes = [...challengeRoutes(types), ...enrollmentRoutes(enrollable)];
  for (const route of [...codes, ...passkeys, ...offer, ...settingsRoutes]) {
    router[route.verb](route.path, handlerOf(route, setting));
  }
  router.use(function notFound(req, res) {
    setting.answerNotFound(req, res);
  });
  return router;
}
