import type { Account } from "./account.js";
import { type LimitKind, type Limits, SECOND } from "./nouns.js";

/** Attempts of one kind in the window that is open. */
export interface AttemptWindow {
  readonly count: number;
  /** Milliseconds since the epoch; from then on it is as if there were none. */
  readonly endsAt: number;
}

export type AttemptWindows = Readonly<Record<string, AttemptWindow>>;

/**
 * Attempts at logins, and attempts in logins that are verified already (step-up, settings), are counted apart: whoever has only
 * the password must not be able to lock out whoever is signed in.
 */
export type AttemptScope = "login" | "verified";

/** A limit that is reached: nothing is tried before it ends. */
export interface LimitReached {
  readonly kind: LimitKind;
  /** Whole seconds, at least 1. */
  readonly retryAfter: number;
}

function keyOf(kind: LimitKind, scope: AttemptScope): string {
  return scope === "login" ? kind : `${scope}/${kind}`;
}

/** Of the kinds whose limit is reached, the one that lasts longest. */
export function limitReached(
  { attempts }: Account,
  kinds: readonly LimitKind[],
  scope: AttemptScope,
  limits: Limits,
  now: number,
): LimitReached | undefined {
  let longest: LimitReached | undefined;
  for (const kind of kinds) {
    const open = attempts[keyOf(kind, scope)];
    const limit = limits[kind];
    if (open === undefined || limit === undefined || open.endsAt <= now || open.count < limit.limit) continue;
    // A clock that was set back must not make a window longer than it is.
    const retryAfter = Math.max(1, Math.ceil(Math.min(open.endsAt - now, limit.window) / SECOND));
    if (longest === undefined || retryAfter > longest.retryAfter) longest = { kind, retryAfter };
  }
  return longest;
}

/** The account with one more attempt of each kind, and the kinds whose limit it reaches. Windows that ended are dropped. */
export function countAttempt(
  account: Account,
  kinds: readonly LimitKind[],
  scope: AttemptScope,
  limits: Limits,
  now: number,
): { readonly account: Account; readonly reached: readonly LimitKind[] } {
  const open = Object.entries(account.attempts).filter(([, { endsAt }]) => endsAt > now);
  const attempts: Record<string, AttemptWindow> = Object.fromEntries(open);
  const reached: LimitKind[] = [];
  for (const kind of kinds) {
    const limit = limits[kind];
    if (limit === undefined) continue;
    const before = attempts[keyOf(kind, scope)] ?? { count: 0, endsAt: now + limit.window };
    const count = before.count + 1;
    attempts[keyOf(kind, scope)] = { ...before, count };
    if (count === limit.limit) reached.push(kind);
  }
  return { account: { ...account, attempts }, reached };
}

/** The account with one attempt of each kind fewer: what was counted came to nothing. */
export function uncountAttempt(account: Account, kinds: readonly LimitKind[], scope: AttemptScope): Account {
  const attempts: Record<string, AttemptWindow> = { ...account.attempts };
  for (const kind of kinds) {
    const open = attempts[keyOf(kind, scope)];
    if (open !== undefined && open.count > 0) attempts[keyOf(kind, scope)] = { ...open, count: open.count - 1 };
  }
  return { ...account, attempts };
}
