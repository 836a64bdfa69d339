import * as v from "valibot";
import { failure, type Outcome, type Problem, success } from "../core/errors.js";
import { MINUTE } from "../core/nouns.js";
import { RECOVERY_PATH, recoveryPath, type RecoveryPurpose } from "../core/recovery-paths.js";
import { iso } from "../core/time.js";
import type { LoginContext } from "../engine/login-context.js";
import type { Looked, Recoveries } from "../engine/recovery.js";
import {
  recoveryDonePage,
  recoveryFrozenPage,
  recoveryOverPage,
  recoveryPage,
  recoverySignInPage,
  type ShownEnd,
} from "../pages/recovery-pages.js";
import type { LayoutParts } from "../pages/views.js";
import { wantsPage } from "./answers.js";
import { browserLabel } from "./browser-label.js";
import { challengeAgain } from "./challenge-routes.js";
import { settingsAgain } from "./method-routes.js";
import { settingsPath } from "./request-state.js";
import { readNothing, type Reply, type RequestContext, type Route, route, type RouteContext } from "./route.js";
import { ofRecovery } from "./recovery-state.js";
import { clearReturn, readReturn, setReturn } from "./recovery-return.js";
import { optional, reader, text } from "./schemas.js";
import { isOfAnother, saveRecord } from "./session.js";
import { clientOf } from "./source.js";

/** No link of ours is longer. */
const token = v.pipe(v.string(), v.maxLength(4096));
const readToken = reader(v.object({ token }));
const readAsking = reader(v.object({ backupCode: optional(text) }));
const readCancel = reader(v.object({ token: optional(token) }));
const readOptOut = reader(
  v.object({
    optedOut: v.pipe(
      v.union([v.boolean(), v.picklist(["true", "false"])]),
      v.transform((given) => given === true || given === "true"),
    ),
  }),
);

function clickerOf({ req }: RequestContext) {
  return { client: clientOf(req), browser: browserLabel(req.get("user-agent")) };
}

/** Where the application does without recoveries there is nothing below the path. */
function withRecoveries<T>(
  { engine }: RequestContext,
  act: (recoveries: Recoveries) => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  return engine.recoveries === undefined ? Promise.resolve(failure("not-found")) : act(engine.recoveries);
}

/** What a request shows that shortens the wait. */
interface Asking {
  readonly backupCode?: string | undefined;
}

/** Counted, and answered the same whatever comes of it. */
function ask(context: RouteContext, { backupCode }: Asking): Promise<Outcome<Reply>> {
  return withRecoveries(context, async (recoveries) => {
    const { login, req, settings, state } = context;
    // A form sends the field that was left empty.
    const outcome = await recoveries.request(login, backupCode?.trim() === "" ? undefined : backupCode);
    if (!outcome.ok) return outcome;
    if (login.session !== undefined) await saveRecord(req, { ...login.session, askedRecovery: settings.clock() });
    const body = { expiresAt: iso(outcome.value.expiresAt) };
    return success({ status: 202, body, page: { redirect: state.base } });
  });
}

function optOut(context: RouteContext, { optedOut }: { readonly optedOut: boolean }): Promise<Outcome<Reply>> {
  return withRecoveries(context, async () => {
    const { engine, login, state } = context;
    const outcome = await engine.management.refuseRecovery(login, optedOut);
    if (!outcome.ok) return outcome;
    const done = { what: optedOut ? "recovery-off" : "recovery-on" } as const;
    return success({ status: 204, page: { redirect: settingsPath(state) }, done });
  });
}

/** The login of this very browser; undefined where there is none, or it is another's. */
function ownLogin({ req, state: { login } }: RequestContext): LoginContext | undefined {
  return login === undefined || isOfAnother(req, login.userId) ? undefined : login;
}

/** When a wait is over, for a page. */
function shownEnd({ settings }: RequestContext, at: string | undefined): ShownEnd | undefined {
  return at === undefined ? undefined : { at, minutesLeft: (Date.parse(at) - settings.clock()) / MINUTE };
}

/** What the link of a mail may be for, by the path it leads to. */
const PURPOSES = {
  confirm: ["confirm", "vouch"],
  cancel: ["cancel"],
  complete: ["complete"],
} as const satisfies Readonly<Record<string, readonly RecoveryPurpose[]>>;

type Way = keyof typeof PURPOSES;

/** Whoever has to sign in first comes back here by what the browser keeps of the link; nothing else of the address is kept. */
function tokenOf(context: RequestContext, way: Way): string {
  const { token: given } = context.req.query;
  if (typeof given === "string") return given;
  return (way === "complete" ? readReturn(context) : undefined) ?? "";
}

/** What a link leads to, or that its owner has to sign in before. */
function linkPage(context: RequestContext, token: string, { isSignedIn, purpose, view }: Looked): LayoutParts {
  const { pages, req } = context;
  const needsSignIn = purpose === "complete" && !isSignedIn;
  if (needsSignIn) return pages.forAnyone(req, recoverySignInPage);
  const shortensTo = shownEnd(context, view.shortensTo);
  return pages.forAnyone(req, (page) => recoveryPage(page, { purpose, token, shortensTo }));
}

/** The page of a link: it says what its button does, and changes nothing, whoever opens it. */
function show(way: Way): Route {
  const look = (context: RequestContext): Promise<Outcome<Reply>> =>
    withRecoveries(context, async (recoveries) => {
      const { pages, req } = context;
      const given = tokenOf(context, way);
      const looked = await recoveries.look(given, PURPOSES[way], ownLogin(context));
      if (!looked.ok) {
        keepReturn(context, way, given, looked.problem);
        return looked;
      }
      const { isSignedIn, view } = looked.value;
      if (way === "complete" && !isSignedIn && wantsPage(req, pages)) setReturn(context, given);
      const render = (): LayoutParts => linkPage(context, given, looked.value);
      return success({ status: 200, body: view, page: { render } });
    });
  return forAnyone({ verb: "get", path: recoveryPath(way), read: readNothing, run: look, runAnonymous: look });
}

/** What is kept of a link in this browser once it was refused: it is come back to from the sign-in, and not where it is over. */
function keepReturn(context: RequestContext, way: Way, given: string, { code }: Problem): void {
  if (way !== "complete") return;
  if (code === "expired") clearReturn(context);
  if (code === "login-required" && wantsPage(context.req, context.pages)) setReturn(context, given);
}

function done(context: RequestContext, purpose: RecoveryPurpose, completesAt?: string): Reply["page"] {
  const { pages, req } = context;
  const end = shownEnd(context, completesAt);
  return { render: () => pages.forAnyone(req, (page) => recoveryDonePage(page, purpose, end)) };
}

/** Begins the wait, or shortens it: which of the two, the link says. */
function confirm(context: RequestContext, given: { readonly token: string }): Promise<Outcome<Reply>> {
  return withRecoveries(context, async (recoveries) => {
    const outcome = await recoveries.confirm(given.token, clickerOf(context));
    if (!outcome.ok) return outcome;
    const { completesAt: end, purpose } = outcome.value;
    const completesAt = iso(end);
    return success({ status: 200, body: { completesAt }, page: done(context, purpose, completesAt) });
  });
}

function cancel(context: RequestContext, given: { readonly token?: string | undefined }): Promise<Outcome<Reply>> {
  return withRecoveries(context, async (recoveries) => {
    if (given.token === undefined) return cancelInSettings(context);
    const outcome = await recoveries.cancel(given.token, clickerOf(context));
    return outcome.ok ? success({ status: 204, page: done(context, "cancel") }) : outcome;
  });
}

/** Without a link, whoever has proved a factor in this session ends it. */
async function cancelInSettings(context: RequestContext): Promise<Outcome<Reply>> {
  const { engine, pages, req, settings, state } = context;
  const login = ownLogin(context);
  if (login === undefined) return failure(state.hasEnded ? "expired" : "login-required");
  const outcome = await engine.management.cancelRecovery(login);
  if (!outcome.ok) return outcome;
  if (login.session !== undefined && wantsPage(req, pages)) {
    await saveRecord(req, { ...login.session, done: { what: "recovery-cancelled", at: settings.clock() } });
  }
  return success({ status: 204, page: { redirect: settingsPath(state) } });
}

/** The login of this very browser goes on to set up a factor, if it has given the first one again. */
function complete(context: RequestContext, given: { readonly token: string }): Promise<Outcome<Reply>> {
  return withRecoveries(context, async (recoveries) => {
    const outcome = await recoveries.complete(given.token, clickerOf(context), ownLogin(context));
    if (!outcome.ok) {
      keepReturn(context, "complete", given.token, outcome.problem);
      return outcome;
    }
    clearReturn(context);
    const redirectTo = context.state.base;
    return success({ status: 200, body: { redirectTo }, page: { redirect: redirectTo }, session: outcome.value });
  });
}

/** What is wrong with a request is said where it was asked. */
const OF_REQUEST: readonly Problem["code"][] = ["invalid-code", "invalid-request", "too-many-attempts"];

const toChallenge = challengeAgain();

function askAgain(context: RouteContext, problem: Problem, body: unknown): ReturnType<typeof toChallenge> {
  const { login, pages, req } = context;
  if (login.status.status === "must-enroll" || !OF_REQUEST.includes(problem.code))
    return toChallenge(context, problem, body);
  return pages.challenge(req, login, undefined, ofRecovery(problem));
}

/** A link that is good no more says so in its own words; one that completes says to sign in first, or from when on it works. */
function again({ pages, req }: RequestContext, { code, members }: Problem): LayoutParts | undefined {
  const until = members?.frozenUntil;
  if (typeof until === "string") return pages.forAnyone(req, (page) => recoveryFrozenPage(page, until));
  if (code === "expired") return pages.forAnyone(req, recoveryOverPage);
  return code === "login-required" ? pages.forAnyone(req, recoverySignInPage) : undefined;
}

/** What a link may do, its token says; whose login the request has, if any, is for the row to look at. */
function forAnyone<Input>(row: Omit<Parameters<typeof route<Input>>[0], "isForAnyone" | "isLimited">): Route {
  return route<Input>({ ...row, isForAnyone: true, isLimited: true, againForAnyone: again });
}

/** The way back for whoever has lost every factor. */
export const recoveryRoutes: readonly Route[] = [
  route({
    verb: "post",
    path: RECOVERY_PATH,
    isLimited: true,
    read: readAsking,
    run: ask,
    again: askAgain,
  }),
  route({
    verb: "post",
    path: `${RECOVERY_PATH}/opt-out`,
    read: readOptOut,
    run: optOut,
    again: (context, problem) => settingsAgain(context, problem),
  }),
  show("confirm"),
  show("cancel"),
  show("complete"),
  forAnyone({ verb: "post", path: recoveryPath("confirm"), read: readToken, run: confirm, runAnonymous: confirm }),
  forAnyone({ verb: "post", path: recoveryPath("cancel"), read: readCancel, run: cancel, runAnonymous: cancel }),
  forAnyone({ verb: "post", path: recoveryPath("complete"), read: readToken, run: complete, runAnonymous: complete }),
];
