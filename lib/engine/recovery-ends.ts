import type { Account } from "../core/account.js";
import { type RecoveryEnd, recoveryOf, withoutRecovery } from "../core/recovery.js";
import type { AccountEvent } from "../events/audit.js";

/** An account without a recovery, and what is told of the one that it had: nothing where none was under way. */
export interface RecoveryEnded {
  readonly account: Account;
  readonly events: readonly AccountEvent[];
}

/** Ends the recovery that is under way, if there is one. */
export function endRecovery(account: Account, now: number, reason: RecoveryEnd): RecoveryEnded {
  const isUnderWay = recoveryOf(account, now) !== undefined;
  return { account: withoutRecovery(account), events: isUnderWay ? [{ action: "recovery-cancelled", reason }] : [] };
}

/** What is told where a change of the account has ended its recovery by the way: that of the last factor, a reset, a report. */
export function recoveryGone(
  { after, before }: { readonly after: Account; readonly before: Account },
  now: number,
  reason: RecoveryEnd,
): readonly AccountEvent[] {
  return after.recovery === undefined ? endRecovery(before, now, reason).events : [];
}
