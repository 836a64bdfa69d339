import { MINUTE } from "./nouns.js";

/** The clocks of one application's machines may differ by this much, in milliseconds. */
const CLOCK_TOLERANCE = MINUTE;

/** Further ahead than clocks differ: the clock was wrong when this was written, or is now. Nothing may follow from it. */
export function isFuture(at: number, now: number): boolean {
  return at - now > CLOCK_TOLERANCE;
}

/** It happened, and no more than `maxAge` milliseconds ago. A clock that is set back makes nothing fresh. */
export function isFresh(at: number, maxAge: number, now: number): boolean {
  return now - at <= maxAge && !isFuture(at, now);
}

/** The last time there is: some ends of old records are later. */
const LAST_TIME = 8.64e15;

/** As every answer, event and notice says a time: ISO 8601, UTC. */
export function iso(time: number): string {
  return new Date(Math.min(time, LAST_TIME)).toISOString();
}
