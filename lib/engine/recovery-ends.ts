import type { Account } from "../core/account.js";
import { withoutRecovery } from "../core/recovery.js";
import { type AccountEvent, recoveryEnding } from "../events/audit.js";

/** What a real proof of a factor makes of an account: whoever has one has not lost everything. */
export function endedByProof(
  account: Account,
  now: number,
): { readonly account: Account; readonly events: readonly AccountEvent[] } {
  return { account: withoutRecovery(account), events: recoveryEnding(account, now, "proof") };
}
