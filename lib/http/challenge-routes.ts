import { isEnrolled } from "../core/account.js";
import { closedFactors } from "../core/account-changes.js";
import { type Outcome, success } from "../core/errors.js";
import { BACKUP_CODE, type MethodType } from "../core/nouns.js";
import { isOpen } from "../engine/choices.js";
import type { ElevatedLogin } from "../engine/elevation.js";
import { scopeOf } from "../engine/login-context.js";
import { closedView } from "../engine/views.js";
import { holdsUntil, isDue } from "../policy/assess.js";
import { wantsPage } from "./answers.js";
import { amrOf } from "./description.js";
import { settingsPath } from "./request-state.js";
import { readNothing, type Reply, type Route, route, type RouteContext } from "./route.js";
import { saveRecord } from "./session.js";

/** Below `path`: the page that offers to open again what wrong codes have closed. */
export const REOPEN_PATH = "/reopen";

/** Where the user was going: what the gate kept, else the front page. */
export function destination({ login }: RouteContext): string {
  return login.session?.returnTo ?? "/";
}

/** As {@link destination}, which is used up by it: an application may have sent the browser here itself. */
export async function goOn(context: RouteContext): Promise<string> {
  const { login, req } = context;
  if (login.session?.returnTo === undefined) return destination(context);
  const { returnTo, ...arrived } = login.session;
  await saveRecord(req, arrived);
  return returnTo;
}

/**
 * Once a proof is given, the browser comes back to the settings; whatever a route had asked to have confirmed before is
 * abandoned. Answers the context as it is from now on.
 */
export async function thenSettings(context: RouteContext): Promise<RouteContext> {
  const { login, req, state } = context;
  if (login.session === undefined) return context;
  const { stepUp: _abandoned, ...plain } = login.session;
  const session = { ...plain, returnTo: settingsPath(state) };
  await saveRecord(req, session);
  return { ...context, login: { ...login, session } };
}

/** Without what was to be confirmed, where nobody can read it any more. */
async function withReadable(context: RouteContext): Promise<RouteContext> {
  const { engine, login, req } = context;
  if (login.session === undefined || (await engine.stepUp.isReadable(login))) return context;
  const { stepUp: _unreadable, ...session } = login.session;
  await saveRecord(req, session);
  return { ...context, login: { ...login, session } };
}

function isFromSettings({ login, req, state }: RouteContext): boolean {
  return !isDue(login.status) && req.get("referer")?.endsWith(settingsPath(state)) === true;
}

/** The page a problem of a proof is told on: the challenge again. A step-up leads back to where it was asked for. */
export function challengeAgain(type?: MethodType): NonNullable<Route["again"]> {
  return ({ confirming, login, pages, req }, problem) => {
    if (login.status.status === "must-enroll") return pages.due(req, login, problem);
    return problem.code === "expired" ? undefined : pages.challenge(req, login, type, problem, confirming);
  };
}

async function show(asked: RouteContext): Promise<Outcome<Reply>> {
  // Somebody who came from the settings to confirm that it is them goes back there.
  const context = isFromSettings(asked) ? await thenSettings(asked) : await withReadable(asked);
  const { engine, login, pages, req, state } = context;
  const { record, session, status } = login;
  const methods = engine.authentication.choices(record.account, session, scopeOf(login));
  const preferred = methods.find(isOpen)?.type ?? null;
  const ends = isDue(status) ? holdsUntil(status) : Infinity;
  const expiresAt = ends < Infinity ? { expiresAt: new Date(ends).toISOString() } : {};
  const body = { status: status.status, methods, preferred, ...expiresAt };
  const nothingToProve = status.status === "not-enrolled" && !isEnrolled(record.account);
  const confirming = await engine.stepUp.shownOperation(login);
  const page = nothingToProve
    ? { redirect: settingsPath(state) }
    : { render: () => pages.due(req, login, undefined, confirming) };
  return success({ status: 200, body, page });
}

async function cancel({ engine, login, settings, state }: RouteContext): Promise<Outcome<Reply>> {
  // Nothing is pending: whoever turns away from confirming something stays signed in.
  if (!isDue(login.status)) return success({ status: 204, page: { redirect: settingsPath(state) } });
  await engine.firstFactor.cancel(login);
  await state.keeper.passportLogin.forget(state, true);
  return success({ status: 204, page: { redirect: settings.loginPath } });
}

/** Whoever confirms one operation is about to do that, and nothing else. */
function isPlainStepUp({ session, status }: RouteContext["login"]): boolean {
  return status.status === "verified" && session?.stepUp?.operation === undefined;
}

/** A page on the way from a proof to where the user was going: of a method's after a sign-in by code, ours after a step-up. */
function wayOn({ login, pages, req, settings }: RouteContext, elevated: ElevatedLogin): string | undefined {
  // Where the browser was trusted just now nothing is offered: a new factor ends all trust.
  if (elevated.deviceToken !== undefined || !wantsPage(req, pages)) return undefined;
  if (isPlainStepUp(login) && closedFactors(elevated.login.record.account).length > 0) return REOPEN_PATH;
  if (login.status.status !== "pending" || elevated.proof.method === BACKUP_CODE) return undefined;
  for (const method of settings.methods.values()) {
    const path = method.afterSignIn?.(elevated);
    if (path !== undefined) return path;
  }
  return undefined;
}

/** The answer to a proof: the login has risen, and the browser goes where it was going, if by way of an offer. */
export function elevatedReply(context: RouteContext, elevated: ElevatedLogin): Outcome<Reply> {
  const { engine, state } = context;
  const { answer, deviceToken, login } = elevated;
  const redirectTo = destination(context);
  const amr = login.status.status === "verified" ? amrOf(engine, login.status.login) : [];
  const closed = closedView(login.record.account);
  const body = { status: "verified", redirectTo, amr, ...answer, ...(closed.length > 0 && { closed }) };
  const offer = wayOn(context, elevated);
  if (offer !== undefined) {
    return success({ status: 200, body, page: { redirect: `${state.base}${offer}` }, session: login.session });
  }
  const { returnTo: _used, ...session } = login.session;
  const token = deviceToken === undefined ? {} : { deviceToken };
  return success({ status: 200, body, page: { redirect: redirectTo }, session, ...token });
}

/** Asking for a second factor, and turning away. */
export const challengeRoutes: readonly Route[] = [
  route({ verb: "get", path: "/", read: readNothing, run: show }),
  route({ verb: "post", path: "/cancel", read: readNothing, run: cancel }),
];
