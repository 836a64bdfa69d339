import { type Account, isEnrolled } from "../core/account.js";
import { isDemanding, type LoginDecision } from "./decisions.js";

/** For how long those who must have a factor and have none are only invited. */
export interface Grace {
  /** The same for all, milliseconds since the epoch. */
  readonly until: number | undefined;
  /** Milliseconds for each user, from when a factor was first demanded of them. */
  readonly period: number | undefined;
}

/** What the time of grace depends on. */
export interface Graced {
  readonly account: Account;
  readonly decision: LoginDecision;
  /** Undefined: the policy has none. */
  readonly grace: Grace | undefined;
}

/**
 * Until when a factor that is demanded is not yet due, milliseconds since the epoch: the later of the two, where there are two. Undefined
 * where it is due: what one login is challenged for has no grace, and a time that was not written down has not begun.
 */
export function graceEnd({ account, decision, grace }: Graced, now: number): number | undefined {
  if (grace === undefined || decision !== "required") return undefined;
  const own = grace.period === undefined ? undefined : account.graceUntil;
  const end = Math.max(grace.until ?? -Infinity, own ?? -Infinity);
  return end > now ? end : undefined;
}

/** The user's own time of grace is to begin: a factor is demanded of them that they do not have, for the first time. */
export function isGraceToBegin({ account, decision, grace }: Graced): boolean {
  if (grace?.period === undefined || decision !== "required") return false;
  return account.graceUntil === undefined && !isEnrolled(account);
}

/** The account must have a factor: the last one stays. */
export function mustKeepFactor(graced: Graced, now: number): boolean {
  return isDemanding(graced.decision) && graceEnd(graced, now) === undefined;
}
