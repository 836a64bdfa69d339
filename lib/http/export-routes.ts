import { type Outcome, success } from "../core/errors.js";
import { exported } from "../engine/account-export.js";
import { subjectOf } from "../engine/login-context.js";
import { changeProblem, FRESH } from "../policy/access.js";
import { settingsAgain } from "./method-routes.js";
import { settingsPath } from "./request-state.js";
import { readNothing, type Reply, type Route, route, type RouteContext } from "./route.js";

/** Below `path`: what is kept of the account, as a file for its owner. */
const EXPORT_PATH = "/settings/export";

/** The same in every browser: names of files end up in other lists than their content does. */
const FILE_NAME = "two-step-sign-in.json";

/** All at once is worth more to a thief than what a page shows, so it needs what a change needs. */
async function download({ engine, login, settings, state }: RouteContext): Promise<Outcome<Reply>> {
  const problem = changeProblem(login, FRESH, settings.clock());
  if (problem !== undefined) return { ok: false, problem };
  // Not by way of the operations: those are for staff, who may have to say who they are and why.
  const text = JSON.stringify(await exported(engine.dependencies, subjectOf(login)), null, 2);
  return success({ status: 200, page: { redirect: settingsPath(state) }, file: { name: FILE_NAME, text } });
}

/** Owners take what is kept of them along. */
export const exportRoutes: readonly Route[] = [
  route({
    verb: "get",
    path: EXPORT_PATH,
    read: readNothing,
    run: download,
    again: (context, problem) => settingsAgain(context, problem),
  }),
];
