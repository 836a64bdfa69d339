import { type Account, type Login, ownFactors } from "../core/account.js";
import type { Problem } from "../core/errors.js";
import { probationUntil } from "../core/recovery.js";
import { frozenUntil } from "../core/reports.js";
import { BACKUP_CODE, type MethodType, MINUTE, type Proof } from "../core/nouns.js";
import { isByPass } from "../core/passes.js";
import { isFresh, iso } from "../core/time.js";
import type { LoginStatus, SessionRecord } from "./assess.js";
import type { MethodFacts } from "./requirement.js";

/** How fresh the proof behind a change must be. */
export interface Freshness {
  /** Milliseconds. */
  readonly maxAge: number;
  /** A kind of proof that does not do here. */
  readonly except?: MethodType;
  /** A temporary pass does here, which is no factor. */
  readonly takesPass?: true;
}

export const FRESH: Freshness = { maxAge: 15 * MINUTE };
/** For setting a new factor up, which is all that a temporary pass is given out for, and a recovery completed for. */
export const TO_ENROLL: Freshness = { ...FRESH, takesPass: true };
/** For what changes no more than what is offered: a proof of this login, however old. */
export const EVER: Freshness = { maxAge: Infinity };
/** For what weakens the account: removing a factor, switching off. */
export const VERY_FRESH: Freshness = { maxAge: 5 * MINUTE };
/** Nothing that rests on a backup code shows or makes backup codes: one stolen slip of paper must not become ten. */
export const NOT_BY_BACKUP_CODE: Freshness = { ...FRESH, except: BACKUP_CODE };

/** Who asks for a change, and when. */
export interface Asker {
  readonly status: LoginStatus;
  readonly session: SessionRecord | undefined;
  /** The first factor was given again for this very change. */
  readonly reconfirmed?: true | undefined;
  readonly record: { readonly account: Account };
  /** What is known of the methods as they are configured now. */
  readonly kinds: ReadonlyMap<MethodType, MethodFacts>;
}

/**
 * Whether proofs of this kind change anything in this account. Of restricted kinds only where it has nothing better: whoever reads a
 * mailbox, or has taken a number over, must not get rid of the app or the passkey that stands beside it. One that cannot be used
 * just now, or at this site, is still there; of methods that are not configured any more nobody can be asked.
 */
export function opensSettings({ kinds, record }: Pick<Asker, "kinds" | "record">, type: MethodType): boolean {
  if (kinds.get(type)?.isRestricted !== true) return true;
  return !ownFactors(record.account).some((factor) => {
    const kind = kinds.get(factor.type);
    return kind !== undefined && kind.isRestricted !== true;
  });
}

/** A proof by a factor that was set up on the excepted kind is worth no more than that. */
function isExcepted(proof: Proof, { except, takesPass }: Freshness): boolean {
  const { method, onBackupCode } = proof;
  if (isByPass(proof)) return takesPass !== true;
  return method === except || (except === BACKUP_CODE && onBackupCode === true);
}

/** The newest real proof of an accepted kind that is fresh enough; a trusted device has none. */
function freshProof(asker: Asker, { proofs }: Login, freshness: Freshness, now: number): Proof | undefined {
  return proofs.findLast(
    (proof) =>
      !isExcepted(proof, freshness) && opensSettings(asker, proof.method) && isFresh(proof.at, freshness.maxAge, now),
  );
}

/** Whether all that the login has shown lately, or before its last factor went, is worth no more than a backup code. */
export function restsOnBackupCode(asker: Asker, login: Login, now: number): boolean {
  if (login.proofs.length === 0) return login.onBackupCode === true;
  return freshProof(asker, login, { ...NOT_BY_BACKUP_CODE, takesPass: true }, now) === undefined;
}

/** Asks for a proof that fresh. */
export function stepUp({ maxAge, except }: Freshness): Problem {
  return { code: "step-up-required", members: { maxAge: maxAge / 1000, ...(except === undefined ? {} : { except }) } };
}

function firstStepProblem(asker: Asker, freshness: Freshness, now: number): Problem | undefined {
  const { reconfirmed, session, status } = asker;
  const login = "login" in status ? status.login : undefined;
  const firstStep = session !== undefined && session.adopted !== true && isFresh(session.at, FRESH.maxAge, now);
  const isShown =
    reconfirmed === true ||
    firstStep ||
    (login !== undefined && freshProof(asker, login, freshness, now) !== undefined);
  return isShown ? undefined : stepUp(freshness);
}

function verifiedProblem(asker: Asker, login: Login, freshness: Freshness, now: number): Problem | undefined {
  if (login.acting !== undefined) return { code: "acting-login" };
  return freshProof(asker, login, freshness, now) === undefined ? stepUp(freshness) : undefined;
}

/**
 * Why this login may not change the account's factors right now; undefined where it may. While a factor exists, only a
 * fresh real proof of one will do ({@link opensSettings}); before, a fresh first step.
 */
export function changeProblem(asker: Asker, freshness: Freshness, now: number): Problem | undefined {
  const { status } = asker;
  // Its links have shown more than a first step, and it may set up a factor alone, as a login by a temporary pass.
  if (isRecovering(asker)) return freshness.takesPass === true ? undefined : { code: "enrollment-required" };
  switch (status.status) {
    case "verified":
      return verifiedProblem(asker, status.login, freshness, now);
    case "not-enrolled":
    case "must-enroll":
      // Not being asked for a factor is no proof of it.
      return status.isEnrolled === true ? stepUp(freshness) : firstStepProblem(asker, freshness, now);
    case "trusted-device":
      return stepUp(freshness);
    case "pending":
      return { code: "second-factor-required" };
    case "ended":
      return { code: "expired" };
  }
}

/** It completed a recovery, and may set up a factor alone. */
export function isRecovering({ status }: Pick<Asker, "status">): boolean {
  return "recovers" in status;
}

/** Not so soon after a recovery; undefined where it may be. */
export function probationProblem(account: Pick<Account, "probationUntil">, now: number): Problem | undefined {
  const until = probationUntil(account, now);
  return until === undefined ? undefined : { code: "probation", members: { until: iso(until) } };
}

/** Changes that the account takes from nobody for now; undefined where it does. */
export function freezeProblem(account: Pick<Account, "frozenUntil">, now: number): Problem | undefined {
  const until = frozenUntil(account, now);
  return until === undefined ? undefined : { code: "frozen", members: { frozenUntil: iso(until) } };
}

/** Whoever has not finished their login, or whose is over, is told nothing of what the account takes from nobody for now. */
function isToldFirst({ status: { status } }: Asker): boolean {
  return status !== "pending" && status !== "ended";
}

/** As {@link changeProblem}, for what sets up, changes or removes a factor: while that is frozen no proof will do, so none is asked for. */
export function factorProblem(asker: Asker, freshness: Freshness, now: number): Problem | undefined {
  const early = isToldFirst(asker) ? freezeProblem(asker.record.account, now) : undefined;
  return early ?? changeProblem(asker, freshness, now);
}

/** As {@link factorProblem}, for what takes a factor out, or puts another in its place: nor so soon after a recovery. */
export function removalProblem(asker: Asker, freshness: Freshness, now: number): Problem | undefined {
  const early = isToldFirst(asker) ? probationProblem(asker.record.account, now) : undefined;
  return early ?? factorProblem(asker, freshness, now);
}

/** As {@link factorProblem}, for a new factor. One that takes another's place changes what there is, and does not only add to it. */
export function settingUpProblem(asker: Asker, isReplacing: boolean, now: number): Problem | undefined {
  return isReplacing ? removalProblem(asker, FRESH, now) : factorProblem(asker, TO_ENROLL, now);
}
