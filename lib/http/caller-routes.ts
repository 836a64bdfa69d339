import { type Outcome, success } from "../core/errors.js";
import { settingsAgain } from "./method-routes.js";
import { settingsPath } from "./request-state.js";
import { readNothing, type Reply, type Route, route, type RouteContext } from "./route.js";

/** A browser sees the number on its settings page, for as long as it is good. */
async function show({ engine, login, state }: RouteContext): Promise<Outcome<Reply>> {
  const shown = await engine.callerChecks.show(login);
  if (!shown.ok) return shown;
  return success({ status: 201, body: shown.value, page: { redirect: settingsPath(state) } });
}

/** The number that a caller reads out to the help desk, which is waiting for it. */
export const callerRoutes: readonly Route[] = [
  route({
    verb: "post",
    path: "/caller-check",
    read: readNothing,
    run: show,
    again: (context, problem) => settingsAgain(context, problem),
  }),
];
