import * as v from "valibot";
import { type Outcome, type Problem, success } from "../core/errors.js";
import { iso } from "../core/time.js";
import { USED } from "../engine/reports.js";
import { reportedPage, reportOverPage, reportPage } from "../pages/report-page.js";
import type { LayoutParts } from "../pages/views.js";
import { browserLabel } from "./browser-label.js";
import { readNothing, type Reply, type RequestContext, type Route, route } from "./route.js";
import { reader } from "./schemas.js";
import { clientOf } from "./source.js";

/** Below `path`: what a link in a message leads to. */
const REPORT_PATH = "/report";

/** No link of ours is longer. */
const readReport = reader(v.object({ token: v.pipe(v.string(), v.maxLength(4096)) }));

function tokenIn({ req }: RequestContext): string {
  const { token } = req.query;
  return typeof token === "string" ? token : "";
}

/** Opened by a person, a mail scanner or a prefetch: it says what it is about, and changes nothing. */
async function show(context: RequestContext): Promise<Outcome<Reply>> {
  const { engine, pages, req } = context;
  const token = tokenIn(context);
  const looked = await engine.reports.look(token);
  if (!looked.ok) return looked;
  const { at, kind, number } = looked.value;
  const event = { kind, at: iso(at), number };
  const render = (): LayoutParts => pages.forAnyone(req, (page) => reportPage(page, { event, token }));
  return success({ status: 200, body: event, page: { render } });
}

async function report(
  { engine, pages, req, settings }: RequestContext,
  { token }: { readonly token: string },
): Promise<Outcome<Reply>> {
  const browser = browserLabel(req.get("user-agent"));
  const place = { origins: settings.origins(req) };
  const outcome = await engine.reports.report(token, { client: clientOf(req), browser, place });
  if (!outcome.ok) return outcome;
  const { ended, suspended } = outcome.value;
  const done = { ended, frozenUntil: iso(outcome.value.frozenUntil) };
  const render = (): LayoutParts => pages.forAnyone(req, (page) => reportedPage(page, { ...done, suspended }));
  return success({ status: 200, body: done, page: { render } });
}

/** A link that is good no more says so in its own words: that of anything left for too long would not help. */
function again({ pages, req }: RequestContext, { code, members }: Problem): LayoutParts | undefined {
  if (code !== "expired") return undefined;
  return pages.forAnyone(req, (page) => reportOverPage(page, members?.reason === USED));
}

const forAnyone = { path: REPORT_PATH, isForAnyone: true, isLimited: true, againForAnyone: again } as const;

/** "This wasn't me": whose login the request has, if any, is nothing to it. What it may do, its token says. */
export const reportRoutes: readonly Route[] = [
  route({ ...forAnyone, verb: "get", read: readNothing, run: show, runAnonymous: show }),
  route({ ...forAnyone, verb: "post", read: readReport, run: report, runAnonymous: report }),
];
