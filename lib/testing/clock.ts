import type { Clock } from "../core/nouns.js";

/** A clock that stands still until it is moved. Pass it as the `clock` option. */
export interface MovableClock extends Clock {
  /** Moves on by that many milliseconds. */
  advance(milliseconds: number): void;
  /** Moves to a time in milliseconds since the epoch. */
  set(time: number): void;
}

/** @param start - milliseconds since the epoch. Default: a fixed moment, so that runs repeat. */
export function movableClock(start: number = Date.UTC(2026, 10, 21, 12)): MovableClock {
  let now = start;
  return Object.assign(() => now, {
    advance(milliseconds: number) {
      now += milliseconds;
    },
    set(time: number) {
      now = time;
    },
  });
}
