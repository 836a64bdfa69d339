import { failure, type Outcome, type Problem, success } from "../core/errors.js";
import type { MethodType } from "../core/nouns.js";
import type { EnrolledFactor } from "../engine/activation.js";
import { factorView } from "../engine/views.js";
import { type Enrollment, isEnrolled } from "../core/account.js";
import type { LayoutParts } from "../pages/views.js";
import { challengeAgain, challengeFor, confirmedReply, destination, elevatedReply } from "./challenge-routes.js";
import { wantsPage } from "./answers.js";
import { CODES_PATH, codesReply } from "./codes-page.js";
import { enrollmentAgain, enrollmentPageRoutes, enrollmentPath, termsFor } from "./enrollment-page.js";
import { lateReply } from "./late-forms.js";
import type { Method } from "./method.js";
import { keepsOthers } from "./other-sessions.js";
import { prove, type Proving } from "./proving.js";
import { reconfirm } from "./reconfirm.js";
import { newPhonePath, settingsPath } from "./request-state.js";
import { type Reply, type Route, route, type RouteContext } from "./route.js";
import * as schemas from "./schemas.js";
import { draftOf, keepDraft, type Notes, refusedOf } from "./settings-notes.js";

async function takeProof(context: RouteContext, type: MethodType, proving: Proving): Promise<Outcome<Reply>> {
  const method = context.settings.methods.get(type);
  if (method === undefined) return failure("invalid-request");
  const late = proving.operation === undefined ? await lateReply(context, proving.body.shown) : undefined;
  if (late !== undefined) return late;
  const outcome = await prove(context, method, proving);
  if (!outcome.ok) return outcome;
  const { value } = outcome;
  if ("waiting" in value) {
    const page = await challengeFor(context, type, proving.operation);
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

/** Problems of a message after which the enrollment is still there. */
const SENT_AGAIN: readonly Problem["code"][] = ["delivery-failed", "too-many-attempts"];

/** It is the page of an enrollment that asks for a message. */
function isEnrolling({ login }: RouteContext, type: MethodType, body: unknown): boolean {
  const { factorId } = (body ?? {}) as { readonly factorId?: unknown };
  const isAsked = (each: Enrollment): boolean =>
    each.id === factorId && each.type === type && each.loginId === login.session?.id;
  return login.record.account.enrollments.some(isAsked);
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
    async run(context, { factorId, operation, shown }) {
      const { engine, login, settings } = context;
      const method = settings.methods.get(type);
      if (method === undefined) return failure("not-found");
      const late = operation === undefined ? await lateReply(context, shown) : undefined;
      if (late !== undefined) return late;
      const waiting = await engine.stepUp.waiting(login, method, operation);
      if (!waiting.ok) return waiting;
      const asked = { factorId, operation: waiting.value, terms: termsFor(context, type) };
      const outcome = await engine.sending.send(login, method, asked);
      if (!outcome.ok) return outcome;
      const { answer, isEnrollment } = outcome.value;
      const page =
        isEnrollment === true
          ? { redirect: `${context.state.base}${enrollmentPath(type)}` }
          : await challengeFor(context, type, operation);
      return success({ status: 202, body: answer, page });
    },
    again(context, problem, body) {
      if (!isEnrolling(context, type, body)) return challengeAgain(type)(context, problem, body);
      return SENT_AGAIN.includes(problem.code)
        ? enrollmentAgain(context, type, problem, body)
        : settingsAgain(context, problem);
    },
  });
}

/**
 * Problems of a change made on the settings page are told there, or where a login still has to enroll; those of the page for a new
 * phone, as the body says, on that.
 */
export async function settingsAgain(
  context: RouteContext,
  problem: Problem,
  notes?: Notes,
  body?: unknown,
): Promise<LayoutParts | undefined> {
  const { login, pages, req } = context;
  const { status } = login.status;
  if (status === "pending" || status === "must-enroll") return pages.due(req, login, problem);
  // Whoever has nothing to prove is told there how to go on.
  const canProve = isEnrolled(login.record.account);
  if (problem.code === "step-up-required" && canProve) {
    const { login: asked } = await keepDraft(context, notes?.draft);
    return pages.challenge(req, asked, undefined, problem);
  }
  if (status === "trusted-device" || problem.code === "expired") return undefined;
  return schemas.readFrom(body).from
    ? pages.newPhone(req, login, problem)
    : pages.settingsPage(req, login, problem, notes);
}

function beginRoute(type: MethodType, status: 201 | 202): Route {
  return route({
    verb: "post",
    path: enrollmentPath(type),
    isLimited: true,
    read(body) {
      const read = schemas.readEnrollment(body);
      return read && { ...read, body };
    },
    async run(context, { body, from, label, password, replaces }) {
      const { engine, state } = context;
      const confirmed = await reconfirm(context, password);
      if (!confirmed.ok) return confirmed;
      const outcome = await engine.enrollments.begin(confirmed.value, type, {
        ...termsFor(context, type),
        guided: from,
        label,
        replaces,
        body,
      });
      if (!outcome.ok) return outcome;
      const { answer, factorId } = outcome.value;
      const page = { redirect: `${state.base}${enrollmentPath(type)}` };
      return success({ status, body: { factorId, ...answer }, page });
    },
    again: (context, problem, body) =>
      settingsAgain(context, problem, { draft: draftOf({ type }, body), refused: refusedOf(type, body) }, body),
  });
}

/** Where a form was that changed something. `isGuided`: on the page for a new phone. */
export function backFrom(state: RouteContext["state"], isGuided = false): string {
  return isGuided ? newPhonePath(state) : settingsPath(state);
}

/**
 * The answer to a proved enrollment: with the first factor the backup codes, shown once. `isOnTheWay`: the browser goes on to
 * where the user was going, and not back to the settings. From the page for a new phone it comes back there.
 */
export async function enrolledReply(
  context: RouteContext,
  enrolled: EnrolledFactor,
  isOnTheWay = context.login.status.status === "must-enroll",
): Promise<Outcome<Reply>> {
  const { factor, guided, isReplacement, login, minted, others } = enrolled;
  const { settings, state } = context;
  const { returnTo, ...arrived } = login.session;
  // A route wanted a factor that there was none of: it leads back there too.
  const isGoingOn = guided !== true && (isOnTheWay || returnTo !== undefined);
  const continueTo = isGoingOn ? destination(context) : backFrom(state, guided);
  const session = isGoingOn ? arrived : login.session;
  const view = factorView(factor, settings.methods);
  const what = isReplacement === true ? "factor-replaced" : "factor-added";
  const done = { what, label: factor.label, ...(others && { others }) } as const;
  const told = isGoingOn ? {} : { done };
  if (minted === undefined) {
    return success({
      status: 201,
      body: { factor: view },
      page: { redirect: continueTo },
      session,
      risen: login,
      ...told,
    });
  }
  const page = await codesReply(context, login, minted, { continueTo, isFirst: true, others });
  return success({
    status: 201,
    body: { factor: view, backupCodes: minted.codes },
    page,
    session,
    risen: login,
    ...told,
  });
}

const RETRIED: readonly Problem["code"][] = ["invalid-code", "invalid-request", "too-many-attempts"];

/** It was proved a moment ago, by the second click or in another tab: that browser goes on. */
function isDone({ login, pages, req }: RouteContext, problem: Problem, factorId: string): boolean {
  const isIn = login.record.account.factors.some(({ id }) => id === factorId);
  return problem.code === "not-found" && isIn && login.status.status === "verified" && wantsPage(req, pages);
}

function confirmRoute(type: MethodType): Route {
  return route({
    verb: "post",
    path: `${enrollmentPath(type)}/confirm`,
    isLimited: true,
    read: schemas.readEnrollmentProof,
    async run(context, { code, endOtherSessions, factorId }) {
      const { engine, login, settings, state } = context;
      const proof = { type, factorId, code, keepsOthers: keepsOthers(settings, endOtherSessions) };
      const outcome = await engine.enrollments.confirm(login, proof);
      if (outcome.ok) return enrolledReply(context, outcome.value);
      if (!isDone(context, outcome.problem, factorId)) return outcome;
      return success({ status: 204, page: { redirect: `${state.base}${CODES_PATH}` } });
    },
    again(context, problem, body) {
      return RETRIED.includes(problem.code)
        ? enrollmentAgain(context, type, problem, body)
        : settingsAgain(context, problem);
    },
  });
}

/**
 * Setting up a factor of this kind: `POST /type/enroll`, `POST /type/enroll/confirm`, `POST /type/enroll/cancel`, and for browsers the
 * page of what is open, `GET /type/enroll`. `status` 202: something was sent. For methods with `enroll`.
 *
 * @example
 * ```ts
 * import { enrollmentRoutes, proofRoute, type Route } from "express-second-factor";
 *
 * const routes: readonly Route[] = [proofRoute("key-fob"), ...enrollmentRoutes("key-fob")];
 * ```
 */
export function enrollmentRoutes(type: MethodType, status: 201 | 202 = 201): readonly Route[] {
  const again: NonNullable<Route["again"]> = (context, problem) => settingsAgain(context, problem);
  return [beginRoute(type, status), confirmRoute(type), ...enrollmentPageRoutes(type, again)];
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
      const { label } = outcome.value;
      const body = { factor: factorView(outcome.value, settings.methods) };
      const done = { what: "factor-resynced", label } as const;
      return success({ status: 200, body, page: { redirect: settingsPath(state) }, done });
    },
    again: (context, problem) => settingsAgain(context, problem),
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
