import { type Outcome, success } from "../core/errors.js";
import { isDue } from "../policy/assess.js";
import { destination } from "./challenge-routes.js";
import { keepBack } from "./coming-back.js";
import { settingsPath } from "./request-state.js";
import { readNothing, type Reply, type RequestContext, type Route, route, type RouteContext } from "./route.js";
import { saveSession } from "./session.js";

/** Below `path`: where somebody whose first factor is too long ago gives it again. */
const PATH = "/sign-in-again";

function toLogin({ state }: RequestContext): Outcome<Reply> {
  const { login: location } = state.places;
  return success({ status: 200, body: { location }, page: { redirect: location } });
}

/** Ends the login, since login pages send whoever is logged in elsewhere, and notes where it comes back to. */
async function leave(context: RouteContext): Promise<Outcome<Reply>> {
  const { login, req, settings, state } = context;
  const { passportLogin } = state.keeper;
  const to = isDue(login.status) ? destination(context) : settingsPath(state);
  await passportLogin.end(req);
  await passportLogin.forget(state, false);
  keepBack(req, { user: login.userId, to, at: settings.clock() });
  await saveSession(req);
  return toLogin(context);
}

/** For users without a factor of their own, of whom nothing but the first one can be asked. */
export const signInAgainRoutes: readonly Route[] = [
  route({
    verb: "post",
    path: PATH,
    read: readNothing,
    run: leave,
    // Pressed twice.
    runAnonymous: (context) => Promise.resolve(toLogin(context)),
  }),
];
