import type { Subject } from "../events/emitter.js";
import type { EngineDependencies } from "./dependencies.js";
import { keptView, type KeptView } from "./kept-members.js";
import { exportedView, type SettingsView } from "./views.js";

/** All that is kept of a user and no secret: what their settings show, and the rest. Times are ISO 8601, UTC. */
export interface AccountExport extends SettingsView {
  readonly kept: KeptView;
}

/** Reads it out, and tells that it was. `reason`: why, where somebody of the staff does. */
export async function exported(
  dependencies: EngineDependencies,
  subject: Subject,
  about: { readonly reason?: string } = {},
): Promise<AccountExport> {
  const { account } = await dependencies.records.read(subject.userId);
  dependencies.emitAudit("account-exported", subject, about);
  return { ...exportedView(account, dependencies), kept: keptView(account) };
}
