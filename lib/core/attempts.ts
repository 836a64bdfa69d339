import type { Account } from "./account.js";
import { type Limit, type LimitKind, type Limits, SECOND } from "./nouns.js";

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
  /** When it ends. Milliseconds since the epoch. */
  readonly endsAt: number;
}

function keyOf(kind: LimitKind, scope: AttemptScope): string {
  return scope === "login" ? kind : `${scope}/${kind}`;
}

/** A window that ends later than two can was opened by a clock that was ahead, and would lock its user until then. */
function isOpen({ endsAt }: AttemptWindow, limit: Limit, now: number): boolean {
  return endsAt > now && endsAt <= now + 2 * limit.window;
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
    if (open === undefined || limit === undefined || open.count < limit.limit || !isOpen(open, limit, now)) continue;
    // By a clock that was set back a little, it does not last longer than a window either.
    const endsAt = Math.min(open.endsAt, now + limit.window);
    if (longest !== undefined && endsAt <= longest.endsAt) continue;
    longest = { kind, retryAfter: Math.max(1, Math.ceil((endsAt - now) / SECOND)), endsAt };
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
  const current = Object.entries(account.attempts).filter(([, { endsAt }]) => endsAt > now);
  const attempts: Record<string, AttemptWindow> = Object.fromEntries(current);
  const reached: LimitKind[] = [];
  for (const kind of kinds) {
    const limit = limits[kind];
    if (limit === undefined) continue;
    const open = attempts[keyOf(kind, scope)];
    const before = open !== undefined && isOpen(open, limit, now) ? open : { count: 0, endsAt: now + limit.window };
    const count = before.count + 1;
    attempts[keyOf(kind, scope)] = { ...before, count };
    if (count === limit.limit) reached.push(kind);
  }
  return { account: { ...account, attempts }, reached };
}

/**
 * The account with one attempt of each kind fewer: what was counted came to nothing. Only sending is ever taken back. `counted`: the
 * windows it was counted in; one that has begun since is somebody else's.
 */
export function uncountAttempt(account: Account, kinds: readonly LimitKind[], counted: AttemptWindows): Account {
  const attempts: Record<string, AttemptWindow> = { ...account.attempts };
  for (const key of kinds.map((kind) => keyOf(kind, "login"))) {
    const open = attempts[key];
    if (open === undefined || open.count === 0 || open.endsAt !== counted[key]?.endsAt) continue;
    attempts[key] = { ...open, count: open.count - 1 };
  }
  return { ...account, attempts };
}
