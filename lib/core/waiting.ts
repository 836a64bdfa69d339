import type { Account } from "./account.js";
import { MINUTE } from "./nouns.js";
import { isFuture } from "./time.js";

// Logins whose first factor was right and whose second one is awaited, so that their owner hears of those that never get any further.

/** A login that gave its first factor and waits for the second. */
export interface WaitingLogin {
  /** As its session names it while it waits. */
  readonly id: string;
  /** When the first factor was given, milliseconds since the epoch. */
  readonly at: number;
  /** When it runs out. */
  readonly until: number;
  readonly browser: string;
  readonly ip?: string;
}

/** Whoever goes on beginning logins is told of once; a record must not grow with them. */
const MOST_WAITING = 10;

/** Between two times that an owner is told of logins that went no further. */
const SPACE = 60 * MINUTE;

/** The account with one more login that waits; undefined where there is nothing to write. */
export function withWaiting(account: Account, login: WaitingLogin): Account | undefined {
  const { waiting = [] } = account;
  if (waiting.length >= MOST_WAITING || waiting.some(({ id }) => id === login.id)) return undefined;
  return { ...account, waiting: [...waiting, login] };
}

/** What of a login that came to its end says which of those that wait were its owner's own. */
export interface Finished {
  readonly id?: string | undefined;
  readonly browser: string;
  readonly ip?: string | undefined;
}

function isOfOne({ browser, id, ip }: WaitingLogin, finished: Finished): boolean {
  return id === finished.id || (browser === finished.browser && ip === finished.ip);
}

/** … without those that a login which is complete now has answered for: its own first step, and others from the same place. */
export function withoutWaiting(account: Account, finished: Finished): Account {
  const { waiting, ...settled } = account;
  const left = waiting?.filter((login) => !isOfOne(login, finished)) ?? [];
  if (left.length === waiting?.length) return account;
  return left.length === 0 ? settled : { ...settled, waiting: left };
}

/** When it runs out. Of a clock that was ahead it is over, as its login is. */
function endOf({ at, until }: WaitingLogin, now: number): number {
  return isFuture(at, now) ? now : until;
}

/** When the owner is to be told of logins that ran out: at most once an hour. Undefined: nothing waits. */
export function unfinishedAt({ waiting = [], waitingToldAt }: Account, now: number): number | undefined {
  if (waiting.length === 0) return undefined;
  const first = Math.min(...waiting.map((login) => endOf(login, now)));
  // Written by a clock that was ahead, it would keep the owner from being told.
  if (waitingToldAt === undefined || isFuture(waitingToldAt, now)) return first;
  return Math.max(first, waitingToldAt + SPACE);
}

/** It is time to tell of them, and nobody has. */
export function isUntold(account: Account, now: number): boolean {
  return (unfinishedAt(account, now) ?? Infinity) <= now;
}

/** Takes out what has run out by now; undefined where it is not time to tell of it. */
export function takeUnfinished(
  account: Account,
  now: number,
): { readonly account: Account; readonly unfinished: readonly WaitingLogin[] } | undefined {
  const { waiting = [], ...settled } = account;
  const dueAt = unfinishedAt(account, now);
  if (dueAt === undefined || dueAt > now) return undefined;
  const isOver = (login: WaitingLogin): boolean => endOf(login, now) <= now;
  const left = waiting.filter((login) => !isOver(login));
  const told = { ...settled, waitingToldAt: now, ...(left.length > 0 && { waiting: left }) };
  return { account: told, unfinished: waiting.filter(isOver) };
}
