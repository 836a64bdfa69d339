import { isEnrolled } from "../core/account.js";
import { closedFactors } from "../core/account-changes.js";
import { failure, type Outcome, success } from "../core/errors.js";
import { BACKUP_CODE, type MethodType } from "../core/nouns.js";
import { iso } from "../core/time.js";
import { type MethodChoice, preferredOf } from "../engine/choices.js";
import type { ElevatedLogin } from "../engine/elevation.js";
import { isActing, type LoginContext } from "../engine/login-context.js";
import type { ShownOperation } from "../engine/operations.js";
import type { Confirmed } from "../engine/step-up.js";
import { closedView, graceView } from "../engine/views.js";
import { opensSettings } from "../policy/access.js";
import { holdsUntil, isDue, type SessionRecord } from "../policy/assess.js";
import { NEW_PHONE } from "../pages/new-phone-way.js";
import { wantsPage } from "./answers.js";
import { choiceMembers } from "./choice-members.js";
import { amrOf } from "./description.js";
import { challengePath, newPhonePath, settingsPath, wayBack } from "./request-state.js";
import { returnOf } from "./recovery-return.js";
import { shownRecovery } from "./recovery-state.js";
import { isFromAnotherSite } from "./going.js";
import { localPlace } from "./return-to.js";
import { readNothing, type Reply, type Route, route, type RouteContext } from "./route.js";
import { readOperation } from "./schemas.js";
import { saveRecord } from "./session.js";

/** Below `path`: the page that offers to open again what wrong codes have closed. */
export const REOPEN_PATH = "/reopen";

/** Where the user was going: what the gate kept, else the application's front page. */
export function destination({ login, state }: RouteContext): string {
  return login.session?.returnTo ?? state.places.home;
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
 * Once a proof is given, the browser comes back to the settings, or to where it was asked for; what a route had asked for before is
 * abandoned. Operations have pages of their own, and wait on. Answers the context as it is from now on.
 */
export async function thenSettings(
  context: RouteContext,
  returnTo = settingsPath(context.state),
): Promise<RouteContext> {
  const { login, req } = context;
  if (login.session === undefined) return context;
  const { stepUp: _abandoned, ...plain } = login.session;
  const session: SessionRecord = { ...plain, confirming: true, returnTo };
  await saveRecord(req, session);
  return { ...context, login: { ...login, session } };
}

/** As {@link thenSettings}, for somebody who goes on from wherever they came. */
async function thenOn(context: RouteContext): Promise<RouteContext> {
  const { login, req } = context;
  if (login.session === undefined) return context;
  const session: SessionRecord = { ...login.session, confirming: true };
  await saveRecord(req, session);
  return { ...context, login: { ...login, session } };
}

/** The query of a link that leads to a proof nothing else asks for. `"settings"` or {@link NEW_PHONE}: and back there. */
const CONFIRM = "confirm";

function isFromSettings({ req, settings, state }: RouteContext): boolean {
  const from = localPlace(req.get("referer"), settings.origins(req));
  return from?.split("?", 1)[0] === settingsPath(state);
}

/** What the visitor came for. Links say it in their query: under `Referrer-Policy: no-referrer` nothing else does. */
function askedBy(context: RouteContext): Promise<RouteContext> {
  const wanted = context.req.query[CONFIRM];
  // Another site's link must not abandon what waits to be confirmed.
  if (isDue(context.login.status) || isFromAnotherSite(context.req)) return Promise.resolve(context);
  // Somebody who came from the settings to confirm that it is them goes back there.
  if (wanted === NEW_PHONE) return thenSettings(context, newPhonePath(context.state));
  if (wanted === "settings" || isFromSettings(context)) return thenSettings(context);
  return wanted === undefined ? Promise.resolve(context) : thenOn(context);
}

/** There is nothing to prove: the login is complete, and neither a route nor its owner asks for more. */
export function isSettled({ session, status }: LoginContext): boolean {
  return status.status === "verified" && session?.stepUp === undefined && session?.confirming !== true;
}

/** Where a browser gives the proof that it has asked for by a message or a question: from now on one is waited for. */
export async function challengeFor(
  context: RouteContext,
  method: MethodType,
  operation?: string,
): Promise<Reply["page"]> {
  const { login, pages, req, state } = context;
  const isNew = operation === undefined && isSettled(login) && wantsPage(req, pages);
  if (isNew) await (isFromSettings(context) ? thenSettings(context) : thenOn(context));
  return { redirect: challengePath(state, { method, operation }) };
}

/** The page a problem of a proof is told on: the challenge again. A step-up leads back to where it was asked for. */
export function challengeAgain(type?: MethodType): NonNullable<Route["again"]> {
  return ({ login, operation, pages, req }, problem) => {
    if (login.status.status === "must-enroll") return pages.due(req, login, problem);
    if (problem.code !== "expired") return pages.challenge(req, login, type, problem, operation);
    return isDue(login.status) ? undefined : pages.operationOver(req, login);
  };
}

/** An operation as clients are told of it. */
export function operationMember({ id, text }: ShownOperation) {
  return { operation: { id, text } };
}

function listed(operation: ShownOperation) {
  return { ...operationMember(operation).operation, expiresAt: iso(operation.expiresAt) };
}

/** The kinds that somebody can set up here who has to, in the order in which the page offers them. */
function enrollableBy({ login, pages }: RouteContext): { readonly enrollable?: readonly MethodType[] } {
  return login.status.status === "must-enroll" ? { enrollable: pages.enrollableAt(login.source) } : {};
}

async function challengeBody(context: RouteContext, methods: readonly MethodChoice[]) {
  const { engine, login } = context;
  const { status } = login;
  const members = choiceMembers(engine, login, methods);
  const preferred = preferredOf(methods)?.type ?? null;
  const recovery = shownRecovery(engine, login);
  const body = {
    status: status.status,
    ...members,
    preferred,
    ...enrollableBy(context),
    ...(recovery && { recovery }),
  };
  if (!isDue(status)) {
    return { ...body, ...graceView(login), operations: (await engine.operations.list(login)).map(listed) };
  }
  // Nothing can wait for a proof before the login is complete.
  const ends = holdsUntil(status);
  return ends < Infinity ? { ...body, expiresAt: iso(ends) } : body;
}

async function show(asked: RouteContext): Promise<Outcome<Reply>> {
  if (asked.req.query.operation !== undefined) return showOperation(asked, asked.req.query.operation);
  // Nothing is asked of whoever acts for somebody, and nothing taken.
  const context = isActing(asked.login) ? asked : await askedBy(asked);
  const body = await challengeBody(context, context.engine.authentication.choices(context.login));
  return success({ status: 200, body, page: await challengeOrWayOn(context) });
}

async function challengeOrWayOn(context: RouteContext): Promise<Reply["page"]> {
  const { login, pages, req, state } = context;
  const { record, status } = login;
  const nothingToProve = status.status === "not-enrolled" && !isEnrolled(record.account);
  if (nothingToProve) return { redirect: settingsPath(state) };
  if (isSettled(login) && wantsPage(req, pages)) return { redirect: await goOn(context) };
  const back = await returnOf(context);
  if (back !== undefined) return { redirect: back };
  return { render: () => pages.due(req, login) };
}

/** The page of one operation; nothing that is done elsewhere changes what it confirms. */
async function showOperation(context: RouteContext, id: unknown): Promise<Outcome<Reply>> {
  const { engine, login, pages, req } = context;
  const operation = typeof id === "string" ? await engine.operations.shown(login, id) : undefined;
  if (operation === undefined) return failure("expired");
  const choices = engine.authentication.choices(login, operation);
  const methods = choices.filter(({ type }) => operation.methods.includes(type));
  const body = { ...(await challengeBody(context, methods)), ...operationMember(operation) };
  const render = () => pages.challenge(req, login, undefined, undefined, operation);
  return success({ status: 200, body, page: { render } });
}

async function cancel(context: RouteContext, operation: string | undefined): Promise<Outcome<Reply>> {
  const { engine, login, state } = context;
  if (isActing(login)) {
    await state.keeper.passportLogin.abandon(state);
    return success({ status: 204, page: { redirect: state.places.login } });
  }
  if (operation !== undefined) {
    const abandoned = await engine.operations.abandon(login, operation);
    if (abandoned === undefined) return failure("expired");
    return success({ status: 204, page: { redirect: wayBack(state, login, abandoned) } });
  }
  // Nothing is pending: whoever turns away from confirming something stays signed in.
  if (!isDue(login.status)) return success({ status: 204, page: { redirect: wayBack(state, login) } });
  await engine.firstFactor.cancel(login);
  await state.keeper.passportLogin.forget(state, true);
  return success({ status: 204, page: { redirect: state.places.login } });
}

/** Wrong codes have closed something, and this proof may open it again. */
function canReopen({ login, proof }: ElevatedLogin): boolean {
  return closedFactors(login.record.account).length > 0 && opensSettings(login, proof.method);
}

/** A page on the way from a proof to where the user was going: of a method's after a sign-in by code, ours after a step-up. */
function wayOn({ login, pages, req, settings }: RouteContext, elevated: ElevatedLogin): string | undefined {
  // Where the browser was trusted just now nothing is offered: a new factor ends all trust.
  if (elevated.deviceToken !== undefined || !wantsPage(req, pages)) return undefined;
  if (login.status.status === "verified" && canReopen(elevated)) return REOPEN_PATH;
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
    return success({
      status: 200,
      body,
      page: { redirect: `${state.base}${offer}` },
      session: login.session,
      risen: login,
    });
  }
  const { returnTo: _used, ...session } = login.session;
  const token = deviceToken === undefined ? {} : { deviceToken };
  return success({ status: 200, body, page: { redirect: redirectTo }, session, risen: login, ...token });
}

/** The answer to a proof of one operation: the login and its session stay as they are, and what was asked for can be done now. */
export function confirmedReply(
  { engine, login, state }: RouteContext,
  { answer, confirmed }: Confirmed,
): Outcome<Reply> {
  const { status } = login;
  const { returnTo: redirectTo = state.places.home } = confirmed;
  const amr = status.status === "verified" ? amrOf(engine, status.login) : [];
  const body = { status: status.status, redirectTo, amr, ...answer };
  return success({ status: 200, body, page: { redirect: redirectTo } });
}

/** Asking for a second factor, and turning away. */
export const challengeRoutes: readonly Route[] = [
  route({ verb: "get", path: "/", isForActing: true, read: readNothing, run: show, again: challengeAgain() }),
  route({
    verb: "post",
    path: "/cancel",
    isForActing: true,
    read: readOperation,
    run: (context, { operation }) => cancel(context, operation),
    again: challengeAgain(),
  }),
];
