import type { Account } from "../core/account.js";
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
