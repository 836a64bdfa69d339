import { type Outcome, type Problem, success } from "../core/errors.js";
import type { LoginContext } from "../engine/login-context.js";
import type { Managed } from "../engine/management.js";
import { factorView, ownSettingsView } from "../engine/views.js";
import type { DoneName } from "../core/notes.js";
import { codesReply } from "./codes-page.js";
import { backFrom, settingsAgain } from "./method-routes.js";
import { settingsPath } from "./request-state.js";
import { readNothing, type Reply, type Route, route, type RouteContext } from "./route.js";
import * as schemas from "./schemas.js";
import { draftOf, takeNotes } from "./settings-notes.js";

const OPEN_TO = ["verified", "trusted-device", "not-enrolled"];

/** Why this login may not see the settings; undefined where it may. */
export function settingsProblem({ status: { status } }: LoginContext): Problem | undefined {
  if (OPEN_TO.includes(status)) return undefined;
  return { code: status === "must-enroll" ? "enrollment-required" : "second-factor-required" };
}

const again: NonNullable<Route["again"]> = (context, problem, body) => settingsAgain(context, problem, {}, body);

async function show(context: RouteContext): Promise<Outcome<Reply>> {
  const { engine, login, pages, req } = context;
  const problem = settingsProblem(login);
  if (problem !== undefined) return { ok: false, problem };
  const body = { ...ownSettingsView(login, engine.dependencies), ...pages.settingsMembers(req, login) };
  const callerNumber = await engine.callerChecks.shown(login);
  const notes = { ...(await takeNotes(context)), ...(callerNumber !== undefined && { callerNumber }) };
  return success({ status: 200, body, page: { render: () => pages.settingsPage(req, login, undefined, notes) } });
}

function idOf({ req }: RouteContext): string {
  return String(req.params.id ?? "");
}

type Change<Input = unknown> = (context: RouteContext, input: Input) => Promise<Outcome<Managed>>;

/** A change without anything to show for it: 204, and browsers go back to the settings page, which says what was done. */
function change(path: string, what: DoneName, act: Change): Route {
  return changeWith(path, what, readNothing, act);
}

function changeWith<Input>(path: string, what: DoneName, read: Route<Input>["read"], act: Change<Input>): Route {
  return route({
    verb: "post",
    path,
    read,
    async run(context, input) {
      const outcome = await act(context, input);
      if (!outcome.ok) return outcome;
      const { label, session } = outcome.value;
      const page = { redirect: backFrom(context.state, (input as { readonly from?: boolean }).from) };
      const done = { what, ...(label !== undefined && { label }) };
      return success({ status: 204, page, done, ...(session === undefined ? {} : { session }) });
    },
    again,
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
    const done = { what: "factor-renamed", label: outcome.value.label } as const;
    return success({ status: 200, body, page: { redirect: settingsPath(state) }, done });
  },
  // What was typed is there again, at once or once the proof is given that is asked for first.
  again: (context, problem, body) =>
    settingsAgain(context, problem, { draft: draftOf({ factorId: idOf(context) }, body) }),
});

const regenerate = route({
  verb: "post",
  path: "/backup-codes",
  read: readNothing,
  async run(context) {
    const { engine, login, state } = context;
    const outcome = await engine.management.regenerateBackupCodes(login);
    if (!outcome.ok) return outcome;
    const page = await codesReply(context, login, outcome.value, { continueTo: settingsPath(state), isFirst: false });
    return success({ status: 201, body: { backupCodes: outcome.value.codes }, page, done: { what: "codes-replaced" } });
  },
  again,
});

/** What owners see and change of their own account. */
export const settingsRoutes: readonly Route[] = [
  route({ verb: "get", path: "/settings", read: readNothing, run: show, again }),
  rename,
  regenerate,
  changeWith("/preferred", "preferred", schemas.readPreference, ({ engine, login }, { type }) =>
    engine.management.preferMethod(login, type),
  ),
  changeWith("/factors/:id/remove", "factor-removed", schemas.readFrom, (context) =>
    context.engine.management.removeFactor(context.login, idOf(context)),
  ),
  change("/factors/:id/resume", "factor-resumed", (context) =>
    context.engine.management.resumeFactor(context.login, idOf(context)),
  ),
  change("/devices/:id/revoke", "browser-forgotten", (context) =>
    context.engine.management.revokeDevice(context.login, idOf(context)),
  ),
  change("/devices/revoke-all", "browsers-forgotten", ({ engine, login }) => engine.management.revokeAllDevices(login)),
  change("/sessions/:id/revoke", "session-ended", (context) =>
    context.engine.management.revokeSession(context.login, idOf(context)),
  ),
  change("/sessions/revoke-others", "sessions-ended", ({ engine, login }) =>
    engine.management.revokeOtherSessions(login),
  ),
  change("/disable", "disabled", ({ engine, login }) => engine.management.disable(login)),
];
