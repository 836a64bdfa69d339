import { type Account, type Factor, ownFactors, type Report } from "./account.js";
import { startEpoch } from "./account-changes.js";
import { withoutFormerCodes } from "./former-codes.js";
import { DAY, type FactorId } from "./nouns.js";
import { voidPasses } from "./passes.js";
import { withoutRecovery } from "./recovery.js";

// What becomes of an account whose owner says "this wasn't me", and how that is lifted. Pure changes, as those of account-changes.

/** Changes of factors are frozen that long, milliseconds. */
export const FREEZE = DAY;

/** What somebody had nothing to do with, as far as it says which factors are not theirs. */
export interface Suspicion {
  /** When it happened, milliseconds since the epoch. */
  readonly at: number;
  /** What it was about. */
  readonly factorId?: FactorId | undefined;
  /** The login that did it. */
  readonly loginId?: string | undefined;
}

/** Until when changes of factors are frozen; undefined where they are not. */
export function frozenUntil({ frozenUntil: until = 0 }: Pick<Account, "frozenUntil">, now: number): number | undefined {
  return until > now ? until : undefined;
}

export function isSuspended({ suspended }: Factor): boolean {
  return suspended === true;
}

/** It is what was reported, or came to be since, or by the same login. */
function isSuspect({ createdAt, enrolledBy, id }: Factor, { at, factorId, loginId }: Suspicion): boolean {
  return id === factorId || createdAt >= at || (loginId !== undefined && enrolledBy === loginId);
}

/** Of these the one to keep where one must be: what can be used before what cannot, then the oldest. */
function firstOf(factors: readonly Factor[], isUsable: (factor: Factor) => boolean): Factor | undefined {
  return factors.toSorted((a, b) => Number(isUsable(b)) - Number(isUsable(a)) || a.createdAt - b.createdAt)[0];
}

/** The factors to suspend, backup codes among them: never so that the account is left without one of its own that can be used. */
export function suspectsOf(
  account: Account,
  suspicion: Suspicion,
  isUsable: (factor: Factor) => boolean,
): readonly Factor[] {
  const suspects = account.factors.filter((factor) => !isSuspended(factor) && isSuspect(factor, suspicion));
  const own = ownFactors(account).filter((factor) => !isSuspended(factor));
  const left = own.filter((factor) => !suspects.includes(factor));
  if (left.some(isUsable)) return suspects;
  const kept = firstOf(
    own.filter((factor) => suspects.includes(factor)),
    isUsable,
  );
  // What cannot be used anyway is no better than what is left.
  const isOfNoUse = kept === undefined || (left.length > 0 && !isUsable(kept));
  return isOfNoUse ? suspects : suspects.filter((factor) => factor !== kept);
}

/** What a report makes of an account. `epoch`: one never used before. */
export interface Reporting {
  readonly report: Report;
  readonly suspects: readonly Factor[];
  readonly epoch: string;
}

/** Nobody is signed in any more and no browser trusted; changes are frozen, what is suspect is suspended, what was reported noted. */
export function withReport(account: Account, { epoch, report, suspects }: Reporting, now: number): Account {
  const others = (account.reports ?? []).filter(({ keptUntil }) => keptUntil > now);
  const factors = account.factors.map((factor): Factor =>
    suspects.includes(factor) ? { ...factor, suspended: true } : factor,
  );
  // Whoever signs in from now on is told of, also where it is on a browser that was known.
  const { browsers: known } = account;
  const browsers = known && { browsers: { ...known, digests: [], ...(known.addresses && { addresses: [] }) } };
  const reported = {
    ...withoutRecovery(withoutFormerCodes(account)),
    ...browsers,
    factors,
    frozenUntil: now + FREEZE,
    reports: [...others, report],
  };
  return startEpoch(voidPasses(reported), epoch);
}

/** A factor that can be asked for again. */
export function resumed({ suspended: _lifted, ...factor }: Factor): Factor {
  return factor;
}

/** With nothing frozen or suspended. What was reported stays noted: its link is used up. */
export function withoutFreeze({ frozenUntil: _over, ...account }: Account): Account {
  return { ...account, factors: account.factors.map((factor) => (isSuspended(factor) ? resumed(factor) : factor)) };
}
