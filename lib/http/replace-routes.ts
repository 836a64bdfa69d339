import { isEnrolled } from "../core/account.js";
import { type Outcome, success } from "../core/errors.js";
import { newPhoneView } from "../engine/new-phone.js";
import { NEW_PHONE } from "../pages/new-phone-way.js";
import { settingsAgain } from "./method-routes.js";
import { settingsPath } from "./request-state.js";
import { readNothing, type Reply, type Route, route, type RouteContext } from "./route.js";
import { takeNotes } from "./settings-notes.js";
import { settingsProblem } from "./settings-routes.js";

async function show(context: RouteContext): Promise<Outcome<Reply>> {
  const { engine, login, pages, req, state } = context;
  const problem = settingsProblem(login);
  if (problem !== undefined) return { ok: false, problem };
  const body = newPhoneView(login, engine.dependencies);
  // Where there is nothing yet, the settings offer a first one.
  if (!isEnrolled(login.record.account)) return success({ status: 200, body, page: { redirect: settingsPath(state) } });
  const notes = await takeNotes(context);
  return success({ status: 200, body, page: { render: () => pages.newPhone(req, login, undefined, notes) } });
}

/** It changes nothing: each step is a change of the settings, and the page tells which one is next. */
export const replaceRoutes: readonly Route[] = [
  route({
    verb: "get",
    path: `/${NEW_PHONE}`,
    read: readNothing,
    run: show,
    again: (context, problem) => settingsAgain(context, problem),
  }),
];
