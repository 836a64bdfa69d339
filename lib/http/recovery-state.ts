import { CONFIRM_LIFE } from "../core/recovery.js";
import { MINUTE } from "../core/nouns.js";
import { isFresh } from "../core/time.js";
import type { Engine } from "../engine/engine.js";
import type { LoginContext } from "../engine/login-context.js";
import { recoveryView, type RecoveryView } from "../engine/recovery-view.js";
import type { ShownRecovery } from "../pages/views.js";

/** {@link shownRecovery} for a page, which says how long it takes. */
export function recoveryOnPage(engine: Engine, login: LoginContext): ShownRecovery | undefined {
  const view = shownRecovery(engine, login);
  if (view?.completesAt === undefined) return view;
  const left = Date.parse(view.completesAt) - engine.dependencies.clock();
  return { ...view, minutesLeft: Math.max(0, left / MINUTE) };
}

/** Until when a login that completed a recovery may set up a factor, ISO 8601, UTC; undefined where it completed none. */
export function recoveringUntil({ status }: LoginContext): string | undefined {
  const isRecovering = "recovers" in status && status.expiresAt !== undefined;
  return isRecovering ? new Date(status.expiresAt).toISOString() : undefined;
}

/**
 * What whoever is asked for a second factor is told of a recovery; undefined where there is none to be had. Whether anything came of a
 * request is not told before it is confirmed: to the login that asked it was requested, and to any other it was not.
 */
export function shownRecovery({ dependencies, recoveries }: Engine, login: LoginContext): RecoveryView | undefined {
  const { record, session, status } = login;
  if (recoveries === undefined || (status.status !== "pending" && status.status !== "trusted-device")) return undefined;
  const now = dependencies.clock();
  const view = recoveryView(record.account, now);
  const asked = session?.askedRecovery;
  const isAsked = asked !== undefined && isFresh(asked, CONFIRM_LIFE - 1, now);
  if (view.state !== "none" && view.state !== "requested") return view;
  return { state: isAsked ? "requested" : "none" };
}
