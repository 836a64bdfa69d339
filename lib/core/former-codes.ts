import type { Account, Factor } from "./account.js";
import { BACKUP_CODE } from "./nouns.js";

// The set of backup codes that was replaced last, as far as its codes were not used. It is no factor and opens nothing: a code of it shows,
// with a request to recover, that its owner asks. One set back, and no further.

/** What is left of an account's set once it is no factor any more. A suspended one may be in wrong hands: nothing of it is left. */
function formerOf({ factors, formerCodes }: Account): Factor | undefined {
  const set = factors.find(({ type }) => type === BACKUP_CODE);
  if (set === undefined) return formerCodes;
  return set.suspended === true ? undefined : set;
}

export function withoutFormerCodes({ formerCodes: _void, ...account }: Account): Account {
  return account;
}

/** The account, which was `before` and has lost its set of backup codes or got another, with the one that it had. */
export function withFormerCodes(account: Account, before: Account): Account {
  const formerCodes = formerOf(before);
  return formerCodes === undefined ? withoutFormerCodes(account) : { ...account, formerCodes };
}
