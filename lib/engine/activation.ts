import { type Account, type Factor, isEnrolled } from "../core/account.js";
import { startEpoch } from "../core/account-changes.js";
import type { FactorId, MethodType, Proof } from "../core/nouns.js";
import { randomId } from "../crypto/random.js";
import { restsOnBackupCode } from "../policy/access.js";
import type { SessionRecord } from "../policy/assess.js";
import type { AccountRecord, Change } from "./account-records.js";
import type { EngineDependencies } from "./dependencies.js";
import { elevatedStage, risen } from "./elevation.js";
import { listedLogin, type LoginContext, recordOfListed, renewed } from "./login-context.js";

/** A factor that was proved and may now count. */
export interface ProvenFactor {
  readonly id: FactorId;
  readonly type: MethodType;
  readonly label: string;
  readonly state: unknown;
  /** RFC 8176 values of the proof, where they are not the method's own. */
  readonly amr?: readonly string[];
  /** Its owner need not have been there when it was made: this login has shown nothing new by it. */
  readonly isSilent?: boolean;
}

/** A factor that is in force, and the login that enrolled it. */
export interface EnrolledFactor {
  readonly factor: Factor;
  /** With the first factor: the codes in clear, for this one answer. */
  readonly backupCodes?: readonly string[];
  readonly login: LoginContext & { readonly session: SessionRecord };
}

/** An activation that is yet to be written. */
export interface Activation extends Omit<EnrolledFactor, "login"> {
  readonly session: SessionRecord;
}

/** What a factor is worth that is set up in this login, for a while: no more than what has opened it. */
function worthOf(login: LoginContext, now: number): Pick<Factor, "onBackupCode"> {
  const listed = listedLogin(login);
  return listed !== undefined && restsOnBackupCode(listed, now) ? { onBackupCode: true } : {};
}

/** The first factor does; one that was set up on a backup code must not make ten of it. */
function comesWithCodes(account: Account, { onBackupCode }: Factor): boolean {
  return !isEnrolled(account) && onBackupCode !== true;
}

/**
 * Puts a proved factor in force: with the first come backup codes, unless the login rests on one; this login rises with it, every
 * other one ends, and no browser is trusted any more.
 */
export async function activate(
  dependencies: EngineDependencies,
  login: LoginContext,
  { amr, isSilent = false, ...proven }: ProvenFactor,
  now: number,
): Promise<Change<Activation>> {
  const { backupCodes, keys } = dependencies;
  const { account } = login.record;
  const { id, type, label } = proven;
  const worth = worthOf(login, now);
  const factor: Factor = { ...proven, ...worth, createdAt: now, lastUsedAt: isSilent ? null : now, failures: 0 };
  const mints = comesWithCodes(account, factor);
  const minted = mints ? await backupCodes?.mint({ userId: account.userId, now, keys }) : undefined;
  const kept = minted === undefined ? account.factors : [minted.factor];
  const proof: Proof = { method: type, factorId: id, at: now, isEnrollment: true, ...worth, ...(amr && { amr }) };
  const stage =
    isSilent && login.status.status === "verified"
      ? renewed(login.status.login)
      : elevatedStage(dependencies, login, proof);
  const next: Account = startEpoch({ ...account, factors: [...kept, factor] }, randomId(), stage);
  const session = recordOfListed(login, stage, next.sessionEpoch);
  return {
    account: next,
    result: { factor, session, ...(minted === undefined ? {} : { backupCodes: minted.codes }) },
    events: [{ action: "factor-enrolled", method: type, factorId: id, label }],
  };
}

/** The enrolled factor with its login as the written record has it. */
export function enrolledWith(
  login: LoginContext,
  { session, ...activation }: Activation,
  record: AccountRecord,
  now: number,
): EnrolledFactor {
  return { ...activation, login: risen({ ...login, session }, record, now) };
}
