import type { Account } from "../../core/account.js";
import { backOffUntil, isReported } from "../../core/approvals.js";
import { SECOND } from "../../core/nouns.js";
import type { Pause } from "../../engine/method.js";

/** The owner said that a request was not theirs: no device is asked until a factor of another kind was used. */
export const REPORTED = "push-reported";
/** Requests in a row were denied, or left alone. */
const RESTING = "push-resting";

/** Why no device of the account is asked now; undefined where it may be. */
export function pauseOf({ approvals }: Pick<Account, "approvals">, type: string, now: number): Pause | undefined {
  if (isReported(approvals, type)) return { reason: REPORTED };
  const until = backOffUntil(approvals, now);
  return until === undefined ? undefined : { reason: RESTING, retryAfter: Math.ceil((until - now) / SECOND) };
}
