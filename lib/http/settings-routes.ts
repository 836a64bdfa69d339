import { failure, type Outcome, success } from "../core/errors.js";
import { factorView, settingsView } from "../engine/views.js";
import { deviceIdOf } from "../engine/visitor.js";
import type { Managed } from "../engine/management.js";
import { settingsAgain } from "./enrollment-routes.js";
import { type Reply, type Route, route, type Scene } from "./route.js";
import * as schemas from "./schemas.js";
import { settingsPath } from "./state.js";

const OPEN_TO = ["verified", "trusted-device", "not-enrolled"];

async function show(scene: Scene): Promise<Outcome<Reply>> {
  const { engine, pages, req, settings, visit } = scene;
  const { account, standing, visitor } = visit;
  if (!OPEN_TO.includes(standing.status)) {
    return failure(standing.status === "must-enroll" ? "enrollment-required" : "second-factor-required");
  }
  const current = { loginId: visitor.mark?.id, deviceId: deviceIdOf(visitor), now: settings.clock() };
  const body = { ...settingsView(account, engine.parts.methods, current), ...pages.passkeysOf(req, visit) };
  return success({ status: 200, body, page: { html: pages.settingsPage(req, visit) } });
}

/** A change without anything to show for it: 204, and browsers go back to the settings page. */
function done(scene: Scene, outcome: Outcome<Managed>): Outcome<Reply> {
  if (!outcome.ok) return outcome;
  const { mark } = outcome.value;
  return success({
    status: 204,
    page: { redirect: settingsPath(scene.state) },
    ...(mark === undefined ? {} : { mark }),
  });
}

function change(path: string, act: (scene: Scene, id: string) => Promise<Outcome<Managed>>): Route {
  return route({
    verb: "post",
    path,
    body: schemas.nothing,
    run: async (scene) => done(scene, await act(scene, String(scene.req.params.id ?? ""))),
    again: settingsAgain,
  });
}

const rename = route({
  verb: "post",
  path: "/factors/:id/rename",
  body: schemas.renaming,
  async run(scene, { label }) {
    const { engine, req, visit } = scene;
    const outcome = await engine.management.renameFactor(visit.visitor, String(req.params.id ?? ""), label);
    if (!outcome.ok) return outcome;
    const body = { factor: factorView(outcome.value, engine.parts.methods) };
    return success({ status: 200, body, page: { redirect: settingsPath(scene.state) } });
  },
  again: settingsAgain,
});

const regenerate = route({
  verb: "post",
  path: "/backup-codes",
  body: schemas.nothing,
  async run(scene) {
    const { engine, pages, req, visit } = scene;
    const outcome = await engine.management.regenerateBackupCodes(visit.visitor);
    if (!outcome.ok) return outcome;
    const html = pages.backupCodes(req, visit, outcome.value, settingsPath(scene.state), false);
    return success({ status: 201, body: { backupCodes: outcome.value }, page: { html } });
  },
  again: settingsAgain,
});

/** What owners see and change of their own account. */
export const settingsRoutes: readonly Route[] = [
  route({ verb: "get", path: "/settings", body: schemas.nothing, run: show, again: settingsAgain }),
  rename,
  regenerate,
  change("/factors/:id/remove", ({ engine, visit }, id) => engine.management.removeFactor(visit.visitor, id)),
  change("/devices/:id/revoke", ({ engine, visit }, id) => engine.management.revokeDevice(visit.visitor, id)),
  change("/devices/revoke-all", ({ engine, visit }) => engine.management.revokeAllDevices(visit.visitor)),
  change("/sessions/revoke-others", ({ engine, visit }) => engine.management.revokeOtherSessions(visit.visitor)),
  change("/disable", ({ engine, visit }) => engine.management.disable(visit.visitor)),
];
