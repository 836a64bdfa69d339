import type { Account } from "./account.js";
import { countAttempt, limitReached } from "./attempts.js";
import { MINUTE } from "./nouns.js";

/** Of one kind, for one account. Whoever holds a session must not bury a message among a thousand that they cause. */
const MOST_TOLD = { limit: 20, window: 60 * MINUTE };

/** The account with one more of this kind that its owner is told of; undefined where there were too many of it lately. */
export function withTelling(account: Account, action: string, now: number): Account | undefined {
  const kind = `told/${action}`;
  const limits = { [kind]: MOST_TOLD };
  if (limitReached(account, [kind], "login", limits, now) !== undefined) return undefined;
  return countAttempt(account, [kind], "login", limits, now).account;
}
