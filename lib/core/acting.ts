import { MINUTE } from "./nouns.js";
import { isFresh } from "./time.js";

/** Somebody of the staff is signed in as a user, to act for them. */
export interface Acting {
  /** Who. */
  readonly actor: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** Such a login lasts no longer, whatever its session does. Milliseconds. */
export const ACTING_LIFE = 60 * MINUTE;

export function isActingNow({ since }: Acting, now: number): boolean {
  return isFresh(since, ACTING_LIFE - 1, now);
}
