import type { Account } from "../core/account.js";
import type { ActivityName } from "../core/activity.js";
import { recoveryOf, type RecoveryState, stateOf } from "../core/recovery.js";
import { iso } from "../core/time.js";

/** What a recovery's owner is told of it. */
export interface RecoveryView {
  readonly state: RecoveryState;
  /** When the wait is over, ISO 8601, UTC. */
  readonly completesAt?: string;
}

/** What a link leads to, while it is good. */
export interface LinkView extends RecoveryView {
  /** When the wait is over once it is used, where it shortens one. ISO 8601, UTC. */
  readonly shortensTo?: string;
}

export function recoveryView(account: Account, now: number): RecoveryView {
  const recovery = recoveryOf(account, now);
  const { completesAt } = recovery ?? {};
  return {
    state: stateOf(recovery),
    ...(completesAt !== undefined && { completesAt: iso(completesAt) }),
  };
}

/** Whether a recovery has ended after that time, milliseconds since the epoch, of which the wait had begun, and none was begun since. */
export function hasEndedSince({ activity }: Pick<Account, "activity">, since: number): boolean {
  const placeOf = (name: ActivityName): number => {
    const place = activity.findIndex(({ action }) => action === name);
    return place === -1 ? Infinity : place;
  };
  const ended = placeOf("recovery-cancelled");
  const confirmed = placeOf("recovery-confirmed");
  const isLast = ended < confirmed && confirmed < placeOf("recovery-requested");
  return isLast && (activity[ended]?.at ?? 0) > since;
}
