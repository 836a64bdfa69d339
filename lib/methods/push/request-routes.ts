import type { ApprovalState } from "../../core/approvals.js";
import { failure, type Outcome, success } from "../../core/errors.js";
import { SECOND } from "../../core/nouns.js";
import { iso } from "../../core/time.js";
import { type LoginContext, recipientOf, subjectOf, weighed } from "../../engine/login-context.js";
import { hasRisen } from "../../engine/openings.js";
import { keepBrowserId } from "../../http/browser-cookie.js";
import { wantsPage } from "../../http/answers.js";
import { challengeAgain, challengeFor, confirmedReply, elevatedReply } from "../../http/challenge-routes.js";
import { termsFor } from "../../http/enrollment-page.js";
import { lateReply } from "../../http/late-forms.js";
import { prove } from "../../http/proving.js";
import { challengePath } from "../../http/request-state.js";
import { readNothing, type Reply, type Route, route, type RouteContext } from "../../http/route.js";
import { readSending } from "../../http/schemas.js";
import { deviceRoutes } from "./device-routes.js";
import type { Push } from "./method.js";
import { WAIT_PATH } from "./places.js";
import { askedWithin, digestOfId, namedRequest } from "./request-ids.js";
import { readStatus } from "./request-schemas.js";
import { type Admission, type Asking, PushRequests, requestIn, type ShownRequest, stateIn } from "./requests.js";
import { waitPage } from "./wait-page.js";
import type { PushWords } from "./words.js";

const TYPE = "push";

/** Somebody who waits asks again after so many seconds; who has waited for long, less often. */
const SOON = 2;
const LATER = 5;
const LONG = 30 * SECOND;

interface Sending {
  readonly factorId?: string | undefined;
  readonly operation?: string | undefined;
  readonly shown?: string | undefined;
}

type Status = NonNullable<ReturnType<typeof readStatus>>;

/** Whose login is over asks nothing more, and from one that has risen nothing more comes. */
function admissionOf(login: LoginContext): Admission {
  return (record, now) => {
    const current = weighed(login, record, now);
    return current.status.status === "ended" || hasRisen(current) ? { code: "expired" } : undefined;
  };
}

/** What the device is asked in this login; a problem where there is nothing to be confirmed by it. */
async function askingOf(context: RouteContext, push: Push, { factorId, operation }: Sending): Promise<Outcome<Asking>> {
  const { engine, login, req, res, settings } = context;
  const waiting = await engine.stepUp.waiting(login, push, operation);
  if (!waiting.ok) return waiting;
  const askedBy = recipientOf(login, waiting.value);
  // Nothing ties a request to a login that the session has no record of.
  if (askedBy === undefined) return failure("expired");
  const { issuer, origin, words } = termsFor(context, TYPE);
  const shown = operation === undefined ? undefined : await engine.operations.shown(login, operation);
  if (operation !== undefined && shown === undefined) return failure("expired");
  return success({
    askedBy,
    factorId,
    text: shown?.text ?? (words as PushWords).request.signIn(issuer),
    browser: login.source.label,
    ip: login.source.client.ip,
    askingBrowser: await keepBrowserId(req, res, settings, engine),
    origin,
  });
}

async function send(context: RouteContext, push: Push, sending: Sending): Promise<Outcome<Reply>> {
  const { engine, login } = context;
  const { operation, shown } = sending;
  const late = operation === undefined ? await lateReply(context, shown) : undefined;
  if (late !== undefined) return late;
  const asking = await askingOf(context, push, sending);
  if (!asking.ok) return asking;
  const requests = new PushRequests(push, engine.dependencies);
  const asked = await requests.ask(subjectOf(login), asking.value, admissionOf(login), login.record);
  if (!asked.ok) return asked;
  const { expiresAt, number, requestId } = asked.value;
  const body = { requestId, number, expiresAt: iso(expiresAt) };
  // From now on a proof is waited for.
  await challengeFor(context, TYPE, operation);
  return success({ status: 202, body, page: { redirect: waitPlace(context, operation) } });
}

/** What was asked in this login, or for this operation of it; undefined where nothing was, or not any more. */
function shownIn(context: RouteContext, push: Push, operation?: string): Promise<ShownRequest | undefined> {
  const { engine, login } = context;
  const askedBy = recipientOf(login, operation === undefined ? undefined : { id: operation });
  const requests = new PushRequests(push, engine.dependencies);
  return askedBy === undefined ? Promise.resolve(undefined) : requests.shown(login.record.account, askedBy);
}

/** The page on which an answer is waited for. `isEarly`: somebody asked for an answer before there was one. */
async function pageOf(
  context: RouteContext,
  { device, expiresAt, number, requestId, state }: ShownRequest,
  operation: string | undefined,
  { isEarly = false } = {},
): Promise<Reply["page"]> {
  const { engine, login, pages, req } = context;
  const shown = operation === undefined ? undefined : await engine.operations.shown(login, operation);
  if (operation !== undefined && shown === undefined) return { render: () => pages.operationOver(req, login) };
  const asked = { factorId: device.id, device: device.label, requestId, number, state, isEarly };
  const view = { ...asked, expiresAt: iso(expiresAt) };
  return {
    render: () => pages.waiting(req, login, TYPE, (form) => waitPage(form, view), { operation: shown }),
  };
}

async function wait(context: RouteContext, push: Push): Promise<Outcome<Reply>> {
  const { pages, req, state } = context;
  const { operation } = req.query;
  const named = typeof operation === "string" ? operation : undefined;
  const shown = await shownIn(context, push, named);
  if (shown === undefined) {
    if (!wantsPage(req, pages)) return failure("not-found");
    const redirect = challengePath(state, { method: TYPE, operation: named });
    return success({ status: 200, body: {}, page: { redirect } });
  }
  const { expiresAt, number, requestId, state: came } = shown;
  const body = { requestId, number, expiresAt: iso(expiresAt), state: came };
  return success({ status: 200, body, page: await pageOf(context, shown, named) });
}

function waitPlace({ state }: RouteContext, operation: string | undefined): string {
  const query = operation === undefined ? "" : `?${new URLSearchParams({ operation }).toString()}`;
  return `${state.base}${WAIT_PATH}${query}`;
}

/** What came of it so far. Nothing is counted, and nothing rises. */
async function told(
  context: RouteContext,
  push: Push,
  digest: string,
  { operation, state }: { readonly operation: string | undefined; readonly state: ApprovalState },
): Promise<Outcome<Reply>> {
  const { login, pages, req, res, settings } = context;
  const request = requestIn(login.record.account, digest)?.request;
  const isAwaited = state === "waiting" && request !== undefined;
  if (isAwaited) res.set("Retry-After", String(settings.clock() - request.createdAt < LONG ? SOON : LATER));
  const shown = isAwaited && wantsPage(req, pages) ? await shownIn(context, push, operation) : undefined;
  const page =
    shown === undefined
      ? { redirect: waitPlace(context, operation) }
      : await pageOf(context, shown, operation, { isEarly: true });
  return success({ status: 200, body: { state }, page });
}

/** Which request of this login's is asked about, and the operation it is for. The body may name that, and no other. */
async function namedBy(
  { engine, login }: RouteContext,
  given: Status,
): Promise<Outcome<{ readonly digest: string; readonly operation: string | undefined }>> {
  const named = await namedRequest(engine.dependencies.keys, given.requestId);
  const asked = named && askedWithin(named, login);
  if (asked === undefined) return failure("not-found");
  const { operation } = asked;
  if (given.operation !== undefined && given.operation !== operation) return failure("expired");
  return success({ digest: digestOfId(given.requestId), operation });
}

/** What came of a request of this login's; approved, the login rises, or the operation opens that it was asked for. */
async function answerOf(context: RouteContext, push: Push, given: Status): Promise<Outcome<Reply>> {
  const { login, settings } = context;
  const late = given.operation === undefined ? await lateReply(context, given.shown) : undefined;
  if (late !== undefined) return late;
  const named = await namedBy(context, given);
  if (!named.ok) return named;
  const { digest, operation } = named.value;
  const state = stateIn(login.record.account, digest, settings.clock());
  return given.peek || state !== "approved"
    ? told(context, push, digest, { operation, state })
    : use(context, push, given, { digest, operation });
}

async function use(
  context: RouteContext,
  push: Push,
  { requestId, trustDevice }: Status,
  { digest, operation }: { readonly digest: string; readonly operation: string | undefined },
): Promise<Outcome<Reply>> {
  const method = context.settings.methods.get(TYPE);
  if (method === undefined) return failure("not-found");
  const proved = await prove(context, method, { body: { requestId }, trustDevice, operation });
  if (!proved.ok) return proved;
  const { value } = proved;
  // Used or over by now.
  if ("waiting" in value) return told(context, push, digest, { operation, state: "expired" });
  return "confirmed" in value ? confirmedReply(context, value) : elevatedReply(context, value);
}

/** Asking a device, waiting for what it decides, and deciding. */
export function requestRoutes(push: Push): readonly Route[] {
  const again = challengeAgain(TYPE);
  return [
    route({
      verb: "post",
      path: "/push/send",
      isLimited: true,
      read: readSending,
      run: (context, sending) => send(context, push, sending),
      again,
    }),
    route({ verb: "get", path: WAIT_PATH, read: readNothing, run: (context) => wait(context, push), again }),
    route({
      verb: "post",
      path: "/push/status",
      read: readStatus,
      run: (context, given) => answerOf(context, push, given),
      again,
    }),
    ...deviceRoutes(push),
  ];
}
