import { type Factor, ownFactors } from "../core/account.js";
import { BACKUP_CODE, MINUTE } from "../core/nouns.js";
import { isFresh } from "../core/time.js";
import { changeProblem, FRESH, TO_ENROLL } from "../policy/access.js";
import type { EngineDependencies } from "./dependencies.js";
import { listedLogin, type LoginContext } from "./login-context.js";
import {
  backupCodesView,
  type BackupCodesView,
  factorView,
  type FactorView,
  frozenMember,
  probationMember,
} from "./views.js";

/** How long a factor counts as new there. */
const NEW_LIFE = 60 * MINUTE;

/** Where somebody is on the way to a new phone: they prove that it is them, set the new one up, and remove what is left of the old. */
export type NewPhoneStep = "prove" | "set-up" | "remove";

/** A factor, as the page for a new phone tells of it. */
export interface NewPhoneFactor extends FactorView {
  /** This login has set it up, less than an hour ago. Absent: it is from before. */
  readonly isNew?: true;
  /** Another of its kind takes its place where that is begun with its id as `replaces`. Absent: it is removed once another is there. */
  readonly replaceable?: true;
}

/**
 * How far the account and this login are. Nothing of it is kept: it follows from what there is, so whoever leaves goes on where they
 * were.
 */
export interface NewPhoneView {
  readonly step: NewPhoneStep;
  readonly factors: readonly NewPhoneFactor[];
  readonly backupCodes: BackupCodesView;
  /** Until then nothing is set up, changed or removed, because something was reported. ISO 8601, UTC; absent: it is. */
  readonly frozenUntil?: string;
  /** After a recovery, until then nothing is replaced or removed. Absent: it is. */
  readonly probation?: { readonly until: string };
}

/** What the page says beside. */
export interface NewPhoneHints {
  /** What this login has shown does for adding something, if for nothing else. */
  readonly mayAdd: boolean;
  /** This login has given a backup code. */
  readonly usedCode: boolean;
}

type Parts = Pick<EngineDependencies, "clock" | "methods">;

function stepOf(login: LoginContext, factors: readonly NewPhoneFactor[], now: number): NewPhoneStep {
  const hasNew = factors.some(({ isNew }) => isNew === true);
  const isDone = hasNew && factors.every(({ isNew }) => isNew === true);
  if (!isDone && changeProblem(login, FRESH, now) !== undefined) return "prove";
  return hasNew ? "remove" : "set-up";
}

export function newPhoneView(login: LoginContext, { clock, methods }: Parts): NewPhoneView {
  const { account } = login.record;
  const now = clock();
  const own = listedLogin(login)?.id;
  const isNew = ({ createdAt, enrolledBy }: Factor): boolean =>
    own !== undefined && enrolledBy === own && isFresh(createdAt, NEW_LIFE, now);
  const factors = ownFactors(account).map((factor): NewPhoneFactor => {
    const method = methods.get(factor.type);
    const isReplaceable = method?.replaces ?? method?.enroll?.replaces ?? false;
    const view = factorView(factor, methods, login.source);
    return { ...view, ...(isNew(factor) && { isNew: true }), ...(isReplaceable && { replaceable: true }) };
  });
  return {
    step: stepOf(login, factors, now),
    factors,
    backupCodes: backupCodesView(account, methods),
    ...frozenMember(account, now),
    ...probationMember(account, now),
  };
}

export function newPhoneHints(login: LoginContext, { clock }: Parts): NewPhoneHints {
  return {
    mayAdd: changeProblem(login, TO_ENROLL, clock()) === undefined,
    usedCode: listedLogin(login)?.proofs.some(({ method }) => method === BACKUP_CODE) === true,
  };
}
