import { type Outcome, type Problem, success } from "../core/errors.js";
import type { MethodType } from "../core/nouns.js";
import type { Begun } from "../engine/enrollment.js";
import { factorView } from "../engine/views.js";
import type { Enrolled } from "../engine/activation.js";
import { destination } from "./challenge-routes.js";
import { reconfirm } from "./reconfirm.js";
import { type Reply, type Route, route, type Scene } from "./route.js";
import * as schemas from "./schemas.js";
import { settingsPath } from "./state.js";

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function secretPage({ pages, req, visit }: Scene, { factorId, label, answer }: Begun): Reply["page"] {
  const { secret, uri, qr } = answer;
  return {
    html: pages.enrollTotp(req, visit, { factorId, label, secret: text(secret), uri: text(uri), qr: text(qr) }),
  };
}

/** Problems of a change made on the settings page are told there, or where a login still has to enroll. */
export function settingsAgain(scene: Scene, problem: Problem): string | undefined {
  const { pages, req, visit } = scene;
  const { status } = visit.standing;
  if (status === "pending" || status === "must-enroll") return pages.due(req, visit, problem);
  if (problem.code === "step-up-required") return pages.challenge(req, visit, undefined, problem);
  return status === "trusted-device" || problem.code === "expired"
    ? undefined
    : pages.settingsPage(req, visit, problem);
}

function begin(type: MethodType): Route {
  return route({
    verb: "post",
    path: `/${type}/enroll`,
    body: schemas.enrollment,
    async run(scene, { label, password }) {
      const { engine, req, settings, visit } = scene;
      const visitor = await reconfirm(scene, password);
      if (!visitor.ok) return visitor;
      const naming = { issuer: settings.issuer(req, visit.user), accountName: settings.accountName(visit.user), label };
      const outcome = await engine.enrollment.begin(visitor.value, type, naming);
      if (!outcome.ok) return outcome;
      const { factorId, answer } = outcome.value;
      return success({ status: 201, body: { factorId, ...answer }, page: secretPage(scene, outcome.value) });
    },
    again: settingsAgain,
  });
}

/**
 * The answer to a proved enrollment: with the first factor the backup codes, shown once. `isOnTheWay`: the browser goes on to
 * where the user was going, and not back to the settings.
 */
export function enrolledReply(
  scene: Scene,
  { backupCodes, factor, risen }: Enrolled,
  isOnTheWay = scene.visit.standing.status === "must-enroll",
): Outcome<Reply> {
  const { engine, pages, req, state, visit } = scene;
  const { returnTo: _used, ...arrived } = risen.mark;
  const continueTo = isOnTheWay ? destination(scene) : settingsPath(state);
  const mark = isOnTheWay ? arrived : risen.mark;
  const view = factorView(factor, engine.parts.methods);
  if (backupCodes === undefined) {
    return success({ status: 201, body: { factor: view }, page: { redirect: continueTo }, mark });
  }
  const html = pages.backupCodes(req, { ...visit, account: risen.account }, backupCodes, continueTo, true);
  return success({ status: 201, body: { factor: view, backupCodes }, page: { html }, mark });
}

function confirm(type: MethodType): Route {
  return route({
    verb: "post",
    path: `/${type}/enroll/confirm`,
    body: schemas.enrollmentProof,
    async run(scene, { factorId, code }) {
      const { engine, visit } = scene;
      const outcome = await engine.enrollment.confirm(visit.visitor, { type, factorId, code });
      return outcome.ok ? enrolledReply(scene, outcome.value) : outcome;
    },
    again(scene, problem, body) {
      const factorId = text((body as { readonly factorId?: unknown } | undefined)?.factorId);
      const isRetry =
        problem.code === "invalid-code" || problem.code === "invalid-request" || problem.code === "too-many-attempts";
      return isRetry
        ? scene.pages.confirmTotp(scene.req, scene.visit, factorId, problem)
        : settingsAgain(scene, problem);
    },
  });
}

function resync(type: MethodType): Route {
  return route({
    verb: "post",
    path: `/${type}/resync`,
    body: schemas.resync,
    async run({ engine, state, visit }, { factorId, codes }) {
      const outcome = await engine.enrollment.resync(visit.visitor, { type, factorId, codes });
      if (!outcome.ok) return outcome;
      const body = { factor: factorView(outcome.value, engine.parts.methods) };
      return success({ status: 200, body, page: { redirect: settingsPath(state) } });
    },
    again: settingsAgain,
  });
}

/** Setting up factors that are proved by a typed code. */
export function enrollmentRoutes(types: readonly MethodType[]): readonly Route[] {
  return types.flatMap((type) => [begin(type), confirm(type), resync(type)]);
}
