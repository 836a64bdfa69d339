import type { Login } from "../core/account.js";
import type { Problem } from "../core/errors.js";
import { type MethodType, MINUTE, type Proof } from "../core/nouns.js";
import type { Mark, Standing } from "./assess.js";

/** How fresh the proof behind a change must be. */
export interface Freshness {
  /** Milliseconds. */
  readonly maxAge: number;
  /** A kind of proof that does not do here. */
  readonly except?: MethodType;
}

export const FRESH: Freshness = { maxAge: 15 * MINUTE };
/** For what weakens the account: removing a factor, switching off. */
export const VERY_FRESH: Freshness = { maxAge: 5 * MINUTE };

export interface Asker {
  readonly standing: Standing;
  readonly mark: Mark | undefined;
  readonly now: number;
  /** The first factor was given again with this very request. */
  readonly reconfirmed?: boolean;
}

/** The newest real proof of an accepted kind that is fresh enough; a trusted device has none. */
export function freshProof(login: Login, { maxAge, except }: Freshness, now: number): Proof | undefined {
  return login.proofs.findLast((proof) => proof.method !== except && now - proof.at <= maxAge);
}

/** Asks for a proof that fresh. */
export function stepUp({ maxAge, except }: Freshness): Problem {
  return { code: "step-up-required", members: { maxAge: maxAge / 1000, ...(except === undefined ? {} : { except }) } };
}

function firstStepProblem(
  { mark, standing, now, reconfirmed = false }: Asker,
  freshness: Freshness,
): Problem | undefined {
  const login = "login" in standing ? standing.login : undefined;
  const firstStep = mark !== undefined && mark.adopted !== true && now - mark.at <= FRESH.maxAge;
  const fresh = reconfirmed || firstStep || (login !== undefined && freshProof(login, freshness, now) !== undefined);
  return fresh ? undefined : stepUp(freshness);
}

/**
 * Why this login may not change the account's factors right now; undefined where it may. While a factor exists, only a
 * fresh real proof of one will do; before, a fresh first step.
 */
export function changeProblem(asker: Asker, freshness: Freshness): Problem | undefined {
  const { standing, now } = asker;
  switch (standing.status) {
    case "verified":
      return freshProof(standing.login, freshness, now) === undefined ? stepUp(freshness) : undefined;
    case "not-enrolled":
    case "must-enroll":
      // Not being asked for a factor is no proof of it.
      return standing.isEnrolled === true ? stepUp(freshness) : firstStepProblem(asker, freshness);
    case "trusted-device":
      return stepUp(freshness);
    case "pending":
      return { code: "second-factor-required" };
    case "ended":
      return { code: "expired" };
  }
}
