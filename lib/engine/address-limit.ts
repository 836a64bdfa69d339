import type { Problem } from "../core/errors.js";
import type { UserId } from "../core/nouns.js";

/**
 * The limit per network address: how many accounts are being guessed at from one place. What counts and how long is the
 * business of whoever keeps it; the engine asks it where an attempt comes with an address and no request.
 */
export interface AddressLimit {
  /** Whole seconds until an attempt from this address may be made; undefined where one may be made now. Counts nothing. */
  secondsToWait(ip: string | undefined, userId: UserId | undefined): Promise<number | undefined>;
  /** Counts a failed attempt. Answers whole seconds to wait where it is beyond the limit. */
  recordFailure(ip: string | undefined, userId: UserId | undefined): Promise<number | undefined>;
}

/** A failure counts for its address before it is answered; beyond the limit the answer is the limit's. */
export async function countedFor(
  limit: AddressLimit,
  ip: string | undefined,
  userId: UserId | undefined,
  problem: Problem,
): Promise<Problem> {
  if (problem.isFailedAttempt !== true) return problem;
  const retryAfter = await limit.recordFailure(ip, userId);
  return retryAfter === undefined ? problem : { code: "too-many-attempts", retryAfter };
}
