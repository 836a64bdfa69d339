import type { Account } from "../core/account.js";
import { failure, type Outcome } from "../core/errors.js";
import type { Change } from "./account-records.js";
import { countedFailure, limitRefusal } from "./counting.js";
import type { EngineDependencies } from "./dependencies.js";
import type { LoginContext } from "./login-context.js";

// A code of the set of backup codes that was replaced last. It is no proof: it is shown with a request to recover, and shortens its wait.

type Dependencies = Pick<EngineDependencies, "backupCodes" | "challenges" | "keys" | "limits">;

/** A code as it is compared, or that what was typed can be none. */
export type OldCode = { readonly presented: unknown } | "unreadable";

/** What was typed, by the method that made the code. */
export async function readOldCode(
  { backupCodes, challenges }: Dependencies,
  login: LoginContext,
  code: string,
): Promise<OldCode> {
  const { record, source } = login;
  const site = { origins: source.origins, issuer: source.issuer };
  const presented = await backupCodes?.present({ code }, { site, challenges, login, account: record.account });
  return presented === undefined ? "unreadable" : { presented };
}

/** What showing a code came to: an account in which it is used up, or a change that is all there is to do. */
export type Shown = { readonly account: Account } | { readonly change: Change<Outcome<never>> };

/** Limited and counted as a backup code at a login is. The answer is the same where there is no such set. */
export async function showOldCode(
  dependencies: Dependencies,
  account: Account,
  { presented }: Extract<OldCode, object>,
  now: number,
): Promise<Shown> {
  const { backupCodes: method, keys } = dependencies;
  if (method === undefined) return { account };
  const { formerCodes, userId } = account;
  const counting = { kinds: method.limits, scope: "login", type: method.type } as const;
  const limited = limitRefusal(dependencies, account, counting, now);
  if (limited !== undefined) return limited;
  // Where there is none the present one is gone through, to no avail: how long it takes must not say that there is none.
  const set = formerCodes ?? account.factors.find(({ type }) => type === method.type);
  const verdict = await method.verify(presented, set === undefined ? [] : [set], { account, keys, now, userId });
  const isRight = set === formerCodes && verdict !== undefined && "factor" in verdict;
  if (isRight) return { account: { ...account, formerCodes: verdict.factor } };
  const counted = countedFailure(dependencies, account, counting, now);
  return { change: { ...counted, result: failure(method.refusal, { isFailedAttempt: true }) } };
}
