import type { Subject } from "../events/emitter.js";
import type { EngineDependencies } from "./dependencies.js";
import { keptView, type KeptView } from "./kept-members.js";
import { lastUseIn } from "./logins.js";
import { type SettingsView, settingsView } from "./views.js";

/** All that is kept of a user and no secret: what their settings show, and the rest. Times are ISO 8601, UTC. */
export interface AccountExport extends SettingsView {
  readonly kept: KeptView;
}

/** Reads it out, and tells that it was. `reason`: why, where somebody of the staff does. */
export async function exported(
  { clock, emitAudit, hasRecovery, methods, records, uses }: EngineDependencies,
  subject: Subject,
  about: { readonly reason?: string } = {},
): Promise<AccountExport> {
  const { account } = await records.read(subject.userId);
  emitAudit("account-exported", subject, about);
  const none = { loginId: undefined, deviceId: undefined };
  const current = { ...none, now: clock(), lastUse: lastUseIn(uses), hasRecovery };
  const { graceUntil } = account;
  const grace = graceUntil === undefined ? {} : { graceUntil: new Date(graceUntil).toISOString() };
  return { ...settingsView(account, methods, current), ...grace, kept: keptView(account) };
}
