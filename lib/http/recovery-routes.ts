import * as v from "valibot";
import { failure, type Outcome, type Problem, success } from "../core/errors.js";
import type { Recoveries } from "../engine/recovery.js";
import type { RecoveryPurpose } from "../engine/recovery-links.js";
import {
  recoveryDonePage,
  recoveryOverPage,
  recoveryPage,
  recoverySignInPage,
  type RecoveryPurposeView,
} from "../pages/recovery-pages.js";
import type { LayoutParts } from "../pages/views.js";
import { wantsPage } from "./answers.js";
import { browserLabel } from "./browser-label.js";
import { challengeAgain } from "./challenge-routes.js";
import { settingsAgain } from "./method-routes.js";
import { settingsPath } from "./request-state.js";
import { readNothing, type Reply, type RequestContext, type Route, route, type RouteContext } from "./route.js";
import { optional, reader } from "./schemas.js";
import { isOfAnother, saveRecord } from "./session.js";
import { clientOf } from "./source.js";

/** Below `path`: where a recovery is asked for; what is below that is for links in mails. */
export const RECOVERY_PATH = "/recovery";

/** No link of ours is longer. */
const token = v.pipe(v.string(), v.maxLength(4096));
const readToken = reader(v.object({ token }));
const readCancel = reader(v.object({ token: optional(token) }));
const readOptOut = reader(
  v.object({
    optedOut: v.pipe(
      v.union([v.boolean(), v.picklist(["true", "false"])]),
      v.transform((given) => given === true || given === "true"),
    ),
  }),
);

function iso(time: number): string {
  return new Date(time).toISOString();
}

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

/** Counted, and answered the same whatever comes of it. */
function ask(context: RouteContext): Promise<Outcome<Reply>> {
  return withRecoveries(context, async (recoveries) => {
    const { login, req, settings, state } = context;
    const outcome = await recoveries.request(login);
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

/** The page of a link: it says what its button does, and changes nothing, whoever opens it. */
function show(purpose: RecoveryPurposeView): Route {
  const look = (context: RequestContext): Promise<Outcome<Reply>> =>
    withRecoveries(context, async (recoveries) => {
      const { pages, req } = context;
      const given = typeof req.query.token === "string" ? req.query.token : "";
      const looked = await recoveries.look(given, purpose);
      if (!looked.ok) return looked;
      const render = (): LayoutParts => pages.forAnyone(req, (page) => recoveryPage(page, purpose, given));
      return success({ status: 200, body: looked.value, page: { render } });
    });
  return forAnyone({ verb: "get", path: pathOf(purpose), read: readNothing, run: look, runAnonymous: look });
}

function pathOf(purpose: RecoveryPurpose): string {
  return `${RECOVERY_PATH}/${purpose}`;
}

function done({ pages, req }: RequestContext, purpose: RecoveryPurpose, completesAt?: string): Reply["page"] {
  return { render: () => pages.forAnyone(req, (page) => recoveryDonePage(page, purpose, completesAt)) };
}

function confirm(context: RequestContext, given: { readonly token: string }): Promise<Outcome<Reply>> {
  return withRecoveries(context, async (recoveries) => {
    const outcome = await recoveries.confirm(given.token, clickerOf(context));
    if (!outcome.ok) return outcome;
    const body = { completesAt: iso(outcome.value.completesAt) };
    return success({ status: 200, body, page: done(context, "confirm", body.completesAt) });
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
async function cancelInSettings({ engine, pages, req, settings, state }: RequestContext): Promise<Outcome<Reply>> {
  const { login } = state;
  if (login === undefined || isOfAnother(req, login.userId))
    return failure(state.hasEnded ? "expired" : "login-required");
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
    const { req, state } = context;
    const { login } = state;
    const own = login === undefined || isOfAnother(req, login.userId) ? undefined : login;
    const outcome = await recoveries.complete(given.token, clickerOf(context), own);
    if (!outcome.ok) return outcome;
    const redirectTo = state.base;
    return success({ status: 200, body: { redirectTo }, page: { redirect: redirectTo }, session: outcome.value });
  });
}

/** A link that is good no more says so in its own words; one that completes says to sign in first. */
function again({ pages, req }: RequestContext, { code }: Problem): LayoutParts | undefined {
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
    read: readNothing,
    run: ask,
    again: challengeAgain(),
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
  forAnyone({ verb: "post", path: pathOf("confirm"), read: readToken, run: confirm, runAnonymous: confirm }),
  forAnyone({ verb: "post", path: pathOf("cancel"), read: readCancel, run: cancel, runAnonymous: cancel }),
  forAnyone({ verb: "post", path: pathOf("complete"), read: readToken, run: complete, runAnonymous: complete }),
];
