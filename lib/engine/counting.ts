import type { Account } from "../core/account.js";
import { type AttemptScope, countAttempt, limitReached } from "../core/attempts.js";
import type { Outcome, Problem } from "../core/errors.js";
import type { LimitKind, MethodType } from "../core/nouns.js";
import type { AccountEvent } from "../events/audit.js";
import type { Change } from "./account-records.js";
import type { EngineDependencies } from "./dependencies.js";

// Attempts against their limits: what is refused by one, and what a failure comes to.

/** What an attempt counts against, and what it is told as. */
export interface Counting {
  readonly kinds: readonly LimitKind[];
  readonly scope: AttemptScope;
  readonly type: MethodType;
}

/** A refusal with what is told of it; nothing is written. */
export function refused(
  problem: Problem,
  events: readonly AccountEvent[] = [],
): { readonly change: Change<Outcome<never>> } {
  return { change: { result: { ok: false, problem }, events } };
}

/** The answer of a limit, told each time; that it was reached was told when it was. `type`: absent where no factor is tried. */
export function limitRefusal(
  { limits }: Pick<EngineDependencies, "limits">,
  account: Account,
  { kinds, scope, type }: Omit<Counting, "type"> & Partial<Counting>,
  now: number,
): { readonly change: Change<Outcome<never>> } | undefined {
  const reached = limitReached(account, kinds, scope, limits, now);
  if (reached === undefined) return undefined;
  const { kind, retryAfter } = reached;
  return refused({ code: "too-many-attempts", retryAfter }, [
    { action: "attempt-refused", ...(type && { method: type }), reason: kind, outcome: "failure" },
  ]);
}

/** An account with one more failed attempt, and what is told of it: each window's limit once, by whoever reaches it. */
export function countedFailure(
  { limits }: Pick<EngineDependencies, "limits">,
  account: Account,
  { kinds, scope, type }: Counting,
  now: number,
): { readonly account: Account; readonly events: readonly AccountEvent[] } {
  const counted = countAttempt(account, kinds, scope, limits, now);
  const failed: AccountEvent = { action: "factor-failed", method: type, outcome: "failure" };
  const locked = counted.reached.map((kind): AccountEvent => ({
    action: "locked",
    method: type,
    reason: kind,
    outcome: "failure",
  }));
  return { account: counted.account, events: [failed, ...locked] };
}
