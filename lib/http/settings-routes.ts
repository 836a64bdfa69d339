import { failure, type Outcome, success } from "../core/errors.js";
import type { Managed } from "../engine/management.js";
import { factorView, ownSettingsView } from "../engine/views.js";
import { settingsAgain } from "./method-routes.js";
import { settingsPath } from "./request-state.js";
import { readNothing, type Reply, type Route, route, type RouteContext } from "./route.js";
import * as schemas from "./schemas.js";

const OPEN_TO = ["verified", "trusted-device", "not-enrolled"];

async function show({ engine, login, pages, req }: RouteContext): Promise<Outcome<Reply>> {
  const { status } = login;
  if (!OPEN_TO.includes(status.status)) {
    return failure(status.status === "must-enroll" ? "enrollment-required" : "second-factor-required");
  }
  const body = { ...ownSettingsView(login, engine.dependencies), ...pages.settingsMembers(req, login) };
  return success({ status: 200, body, page: { render: () => pages.settingsPage(req, login) } });
}

function idOf({ req }: RouteContext): string {
  return String(req.params.id ?? "");
}

/** A change without anything to show for it: 204, and browsers go back to the settings page. */
function change(path: string, act: (context: RouteContext) => Promise<Outcome<Managed>>): Route {
  return changeWith(path, readNothing, act);
}

function changeWith<Input>(
  path: string,
  read: Route<Input>["read"],
  act: (context: RouteContext, input: Input) => Promise<Outcome<Managed>>,
): Route {
  return route({
    verb: "post",
    path,
    read,
    async run(context, input) {
      const outcome = await act(context, input);
      if (!outcome.ok) return outcome;
      const { session } = outcome.value;
      const page = { redirect: settingsPath(context.state) };
      return success({ status: 204, page, ...(session === undefined ? {} : { session }) });
    },
    again: settingsAgain,
  });
}

const rename = route({
  verb: "post",
  path: "/factors/:id/rename",
  read: schemas.readRenaming,
  async run(context, { label }) {
    const { engine, login, settings, state } = context;
    const outcome = await engine.management.renameFactor(login, idOf(context), label);
    if (!outcome.ok) return outcome;
    const body = { factor: factorView(outcome.value, settings.methods) };
    return success({ status: 200, body, page: { redirect: settingsPath(state) } });
  },
  again: settingsAgain,
});

const regenerate = route({
  verb: "post",
  path: "/backup-codes",
  read: readNothing,
  async run({ engine, login, pages, req, state }) {
    const outcome = await engine.management.regenerateBackupCodes(login);
    if (!outcome.ok) return outcome;
    const render = () => pages.backupCodes(req, login, outcome.value, settingsPath(state), false);
    return success({ status: 201, body: { backupCodes: outcome.value }, page: { render } });
  },
  again: settingsAgain,
});

/** What owners see and change of their own account. */
export const settingsRoutes: readonly Route[] = [
  route({ verb: "get", path: "/settings", read: readNothing, run: show, again: settingsAgain }),
  rename,
  regenerate,
  changeWith("/preferred", schemas.readPreference, ({ engine, login }, { type }) =>
    engine.management.preferMethod(login, type),
  ),
  change("/factors/:id/remove", (context) => context.engine.management.removeFactor(context.login, idOf(context))),
  change("/devices/:id/revoke", (context) => context.engine.management.revokeDevice(context.login, idOf(context))),
  change("/devices/revoke-all", ({ engine, login }) => engine.management.revokeAllDevices(login)),
  change("/sessions/:id/revoke", (context) => context.engine.management.revokeSession(context.login, idOf(context))),
  change("/sessions/revoke-others", ({ engine, login }) => engine.management.revokeOtherSessions(login)),
  change("/disable", ({ engine, login }) => engine.management.disable(login)),
];
