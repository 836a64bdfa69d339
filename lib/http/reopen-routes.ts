import { failure, type Outcome, type Problem, success } from "../core/errors.js";
import { closedView } from "../engine/views.js";
import { reopenPage } from "../pages/reopen-page.js";
import { destination, goOn, REOPEN_PATH } from "./challenge-routes.js";
import { settingsAgain } from "./method-routes.js";
import { settingsPath } from "./request-state.js";
import { readNothing, type Reply, type Route, route, type RouteContext } from "./route.js";

function pageOf(context: RouteContext, problem?: Problem): string {
  const { login, pages, req } = context;
  const closed = closedView(login.record.account);
  return pages.custom(req, login, (page) => reopenPage(page, closed, destination(context)), problem);
}

/** Where the browser goes from here: on to where it was going, else to the settings, where this can be asked for as well. */
function wayOn(context: RouteContext): Promise<string> {
  const isOnTheWay = context.login.session?.returnTo !== undefined;
  return isOnTheWay ? goOn(context) : Promise.resolve(settingsPath(context.state));
}

async function show(context: RouteContext): Promise<Outcome<Reply>> {
  const { login } = context;
  if (login.status.status !== "verified") return failure("second-factor-required");
  const closed = closedView(login.record.account);
  const page = closed.length > 0 ? { render: () => pageOf(context) } : { redirect: await wayOn(context) };
  return success({ status: 200, body: { closed, redirectTo: destination(context) }, page });
}

async function reopen(context: RouteContext): Promise<Outcome<Reply>> {
  const { engine, login } = context;
  const outcome = await engine.management.reopenFactors(login);
  if (!outcome.ok) return outcome;
  const isOnTheWay = login.session?.returnTo !== undefined;
  const done = isOnTheWay ? {} : { done: { what: "reopened" } as const };
  return success({ status: 204, page: { redirect: await wayOn(context) }, ...done });
}

const again: NonNullable<Route["again"]> = (context, problem) => settingsAgain(context, problem);

/** What wrong answers at logins have closed is opened again by its owner, who has proved within a login that it is them. */
export const reopenRoutes: readonly Route[] = [
  route({ verb: "get", path: REOPEN_PATH, read: readNothing, run: show, again }),
  route({ verb: "post", path: REOPEN_PATH, read: readNothing, run: reopen, again }),
];
