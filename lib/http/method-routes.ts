import { isEnrolled } from "../core/account.js";
import { failure, type Outcome, type Problem, success } from "../core/errors.js";
import type { MethodType } from "../core/nouns.js";
import type { EnrolledFactor } from "../engine/activation.js";
import { factorView } from "../engine/views.js";
import type { LayoutParts } from "../pages/views.js";
import { challengeAgain, confirmedReply, destination, elevatedReply } from "./challenge-routes.js";
import type { Method } from "./method.js";
import { prove, type Proving } from "./proving.js";
import { reconfirm } from "./reconfirm.js";
import { challengePath, settingsPath } from "./request-state.js";
import { type Reply, type Route, route, type RouteContext } from "./route.js";
import * as schemas from "./schemas.js";
import { userOf } from "./settings.js";

async function takeProof(context: RouteContext, type: MethodType, proving: Proving): Promise<Outcome<Reply>> {
  const method = context.settings.methods.get(type);
  if (method === undefined) return failure("invalid-request");
  const outcome = await prove(context, method, proving);
  if (!outcome.ok) return outcome;
  const { value } = outcome;
  if ("waiting" in value) {
    const page = { redirect: challengePath(context.state, { method: type, operation: proving.operation }) };
    return success({ status: 200, body: { ...value.waiting, status: "waiting" }, page });
  }
  return "confirmed" in value ? confirmedReply(context, value) : elevatedReply(context, value);
}

/**
 * Proves a factor of this kind: `POST /type`. Every method needs it.
 *
 * @example
 * ```ts
 * import { proofRoute, type Route } from "express-second-factor";
 *
 * const routes: readonly Route[] = [proofRoute("key-fob")];
 * ```
 */
export function proofRoute(type: MethodType): Route {
  return route<Proving>({
    verb: "post",
    path: `/${type}`,
    isLimited: true,
    isConfirmedByWrite: true,
    read(body) {
      const read = schemas.readProving(body);
      return read && { body, ...read };
    },
    run: (context, proving) => takeProof(context, type, proving),
    again: challengeAgain(type),
  });
}

/**
 * Sends what a factor of this kind is asked for with: `POST /type/send`. For methods with `send`.
 *
 * @example
 * ```ts
 * import { proofRoute, type Route, sendRoute } from "express-second-factor";
 *
 * const routes: readonly Route[] = [proofRoute("email-code"), sendRoute("email-code")];
 * ```
 */
export function sendRoute(type: MethodType): Route {
  return route({
    verb: "post",
    path: `/${type}/send`,
    isLimited: true,
    read: schemas.readSending,
    async run({ engine, login, settings, state }, { factorId, operation }) {
      const method = settings.methods.get(type);
      if (method === undefined) return failure("not-found");
      const waiting = await engine.operations.waiting(login, type, operation);
      if (!waiting.ok) return waiting;
      const outcome = await engine.sending.send(login, method, { factorId, operation: waiting.value });
      if (!outcome.ok) return outcome;
      const page = { redirect: challengePath(state, { method: type, operation }) };
      return success({ status: 202, body: outcome.value, page });
    },
    again: challengeAgain(type),
  });
}

/** Problems of a change made on the settings page are told there, or where a login still has to enroll. */
export function settingsAgain({ login, pages, req }: RouteContext, problem: Problem): LayoutParts | undefined {
  const { status } = login.status;
  if (status === "pending" || status === "must-enroll") return pages.due(req, login, problem);
  // Whoever has nothing to prove is told there how to go on.
  const canProve = isEnrolled(login.record.account);
  if (problem.code === "step-up-required" && canProve) return pages.challenge(req, login, undefined, problem);
  return status === "trusted-device" || problem.code === "expired"
    ? undefined
    : pages.settingsPage(req, login, problem);
}

function beginRoute(type: MethodType, status: 201 | 202): Route {
  return route({
    verb: "post",
    path: `/${type}/enroll`,
    isLimited: true,
    read(body) {
      const read = schemas.readEnrollment(body);
      return read && { ...read, body };
    },
    async run(context, { body, label, password }) {
      const { engine, pages, req, settings } = context;
      const confirmed = await reconfirm(context, password);
      if (!confirmed.ok) return confirmed;
      const user = userOf(context.login);
      const names = { issuer: settings.issuer(req, user), accountName: settings.accountName(user), label };
      const outcome = await engine.enrollments.begin(confirmed.value, type, { ...names, body });
      if (!outcome.ok) return outcome;
      const { answer, factorId } = outcome.value;
      const render = () => pages.enrollment(req, context.login, type, { factorId, answer });
      return success({ status, body: { factorId, ...answer }, page: { render } });
    },
    again: settingsAgain,
  });
}

/**
 * The answer to a proved enrollment: with the first factor the backup codes, shown once. `isOnTheWay`: the browser goes on to
 * where the user was going, and not back to the settings.
 */
export function enrolledReply(
  context: RouteContext,
  { backupCodes, factor, login }: EnrolledFactor,
  isOnTheWay = context.login.status.status === "must-enroll",
): Outcome<Reply> {
  const { pages, req, settings, state } = context;
  const { returnTo: _used, ...arrived } = login.session;
  const continueTo = isOnTheWay ? destination(context) : settingsPath(state);
  const session = isOnTheWay ? arrived : login.session;
  const view = factorView(factor, settings.methods);
  if (backupCodes === undefined) {
    return success({ status: 201, body: { factor: view }, page: { redirect: continueTo }, session, risen: login });
  }
  const render = () => pages.backupCodes(req, login, backupCodes, continueTo, true);
  return success({ status: 201, body: { factor: view, backupCodes }, page: { render }, session, risen: login });
}

const RETRIED: readonly Problem["code"][] = ["invalid-code", "invalid-request", "too-many-attempts"];

function factorIdIn(body: unknown): string {
  const factorId = (body as { readonly factorId?: unknown } | undefined)?.factorId;
  return typeof factorId === "string" ? factorId : "";
}

function confirmRoute(type: MethodType): Route {
  return route({
    verb: "post",
    path: `/${type}/enroll/confirm`,
    isLimited: true,
    read: schemas.readEnrollmentProof,
    async run(context, { code, factorId }) {
      const outcome = await context.engine.enrollments.confirm(context.login, { type, factorId, code });
      return outcome.ok ? enrolledReply(context, outcome.value) : outcome;
    },
    again(context, problem, body) {
      if (!RETRIED.includes(problem.code)) return settingsAgain(context, problem);
      const { login, pages, req } = context;
      return pages.enrollment(req, login, type, { factorId: factorIdIn(body), problem });
    },
  });
}

/**
 * Setting up a factor of this kind: `POST /type/enroll`, `POST /type/enroll/confirm`. `status` 202: something was sent. For methods
 * with `enroll`.
 *
 * @example
 * ```ts
 * import { enrollmentRoutes, proofRoute, type Route } from "express-second-factor";
 *
 * const routes: readonly Route[] = [proofRoute("key-fob"), ...enrollmentRoutes("key-fob")];
 * ```
 */
export function enrollmentRoutes(type: MethodType, status: 201 | 202 = 201): readonly Route[] {
  return [beginRoute(type, status), confirmRoute(type)];
}

/**
 * Finds a drifted clock again: `POST /type/resync`. For methods with `enroll.resync`.
 *
 * @example
 * ```ts
 * import { proofRoute, resyncRoute, type Route } from "express-second-factor";
 *
 * const routes: readonly Route[] = [proofRoute("key-fob"), resyncRoute("key-fob")];
 * ```
 */
export function resyncRoute(type: MethodType): Route {
  return route({
    verb: "post",
    path: `/${type}/resync`,
    isLimited: true,
    read: schemas.readResync,
    async run({ engine, login, settings, state }, { codes, factorId }) {
      const outcome = await engine.enrollments.resync(login, { type, factorId, codes });
      if (!outcome.ok) return outcome;
      const body = { factor: factorView(outcome.value, settings.methods) };
      return success({ status: 200, body, page: { redirect: settingsPath(state) } });
    },
    again: settingsAgain,
  });
}

/** A method's routes: its own, or what follows from what it can. */
export function methodRoutes({ enroll, routes, send, type }: Method): readonly Route[] {
  if (routes !== undefined) return routes;
  return [
    proofRoute(type),
    ...(send === undefined ? [] : [sendRoute(type)]),
    ...(enroll === undefined ? [] : enrollmentRoutes(type, send === undefined ? 201 : 202)),
    ...(enroll?.resync === undefined ? [] : [resyncRoute(type)]),
  ];
}
