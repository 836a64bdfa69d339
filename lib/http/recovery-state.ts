import { CONFIRM_LIFE } from "../core/recovery.js";
import { isFresh } from "../core/time.js";
import type { Engine } from "../engine/engine.js";
import type { LoginContext } from "../engine/login-context.js";
import { recoveryView, type RecoveryView } from "../engine/recovery-view.js";

/**
 * What whoever is asked for a second factor is told of a recovery; undefined where there is none to be had. Whether anything came of a
 * request is not told before it is confirmed: to this login it was requested.
 */
export function shownRecovery({ dependencies, recoveries }: Engine, login: LoginContext): RecoveryView | undefined {
  const { record, session, status } = login;
  if (recoveries === undefined || (status.status !== "pending" && status.status !== "trusted-device")) return undefined;
  const now = dependencies.clock();
  const view = recoveryView(record.account, now);
  const asked = session?.askedRecovery;
  const isAsked = asked !== undefined && isFresh(asked, CONFIRM_LIFE - 1, now);
  return view.state === "none" && isAsked ? { state: "requested" } : view;
}
