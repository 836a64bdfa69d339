import type { Clock } from "../core/nouns.js";

/** A clock that stands still until it is moved. Pass it as the `clock` option. */
export interface MovableClock extends Clock {
  /** Moves on by that many milliseconds. */
  advance(milliseconds: number): void;
  /** Moves to a time in milliseconds since the epoch. */
  set(time: number): void;
}

/**
 * A clock for tests.
 * @param start - milliseconds since the epoch. Default: a fixed moment, so that runs repeat.
 *
 * @example
 * ```ts
 * import { authenticatorApp, movableClock } from "express-second-factor/testing";
 *
 * const clock = movableClock();
 * const mfa = secondFactor({ ..., clock });
 * const phone = authenticatorApp(uri);
 * await mfa.accounts.importTotp(userId, { secret: uri });
 *
 * const first = await mfa.accounts.verify(userId, { method: "totp", code: phone.code(clock()) });
 * clock.advance(30_000); // the phone shows another code
 * const second = await mfa.accounts.verify(userId, { method: "totp", code: phone.code(clock()) });
 * clock.set(Date.UTC(2027, 0, 31)); // whatever was to end this year has ended
 * ```
 */
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
