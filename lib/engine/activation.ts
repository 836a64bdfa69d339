import { type Account, type Factor, isEnrolled, type Login, ownFactors } from "../core/account.js";
import { startEpoch, withBackupCodes, withNewFactor, withoutFactors } from "../core/account-changes.js";
import { withDeskDone } from "../core/help-desk.js";
import { isLive } from "../core/logins.js";
import type { FactorId, MethodType, Proof } from "../core/nouns.js";
import { PROBATION } from "../core/recovery.js";
import { iso } from "../core/time.js";
import { withoutWaiting } from "../core/waiting.js";
import { randomId } from "../crypto/random.js";
import type { AccountEvent } from "../events/audit.js";
import { isRecovering, restsOnBackupCode } from "../policy/access.js";
import type { Others } from "../core/notes.js";
import type { SessionRecord } from "../policy/assess.js";
import type { AccountRecord, Change } from "./account-records.js";
import type { EngineDependencies } from "./dependencies.js";
import { elevatedStage, risen } from "./elevation.js";
import { listedLogin, type LoginContext, recordOfListed, renewed } from "./login-context.js";
import { withLogin } from "./logins.js";
import { recognizedWith } from "./known-browsers.js";
import type { Minted } from "./method.js";

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
  /** Where it is the account's first, the other logins stay, and are asked for it. */
  readonly keepsOthers?: boolean;
  /** The factor of the same kind whose place it takes, if that is still there. */
  readonly replaces?: FactorId | undefined;
}

/** A factor that is in force, and the login that enrolled it. */
export interface EnrolledFactor {
  readonly factor: Factor;
  /** It took another's place. */
  readonly isReplacement?: true;
  /** It was begun on the page for a new phone. */
  readonly guided?: true;
  /** With the first factor: the codes in clear, for this one answer, and the set that they are. */
  readonly minted?: Minted;
  /** What became of the other logins; absent where the account lists none. */
  readonly others?: Others;
  readonly login: LoginContext & { readonly session: SessionRecord };
}

/** An activation that is yet to be written. */
export interface Activation extends Omit<EnrolledFactor, "login"> {
  readonly session: SessionRecord;
}

/** What a factor is worth that is set up in this login, for a while: no more than what has opened it. */
function worthOf(login: LoginContext, now: number): Pick<Factor, "onBackupCode"> {
  const listed = listedLogin(login);
  return listed !== undefined && restsOnBackupCode(login, listed, now) ? { onBackupCode: true } : {};
}

/** The first factor does; one that was set up on a backup code must not make ten of it. */
function comesWithCodes(account: Account, { onBackupCode }: Factor): boolean {
  return !isEnrolled(account) && onBackupCode !== true;
}

/**
 * The account with its first factor, in which the other logins go on as they were: by their first factor alone, so that this one is
 * due. What they once showed is gone with the factors that it was shown by.
 */
function keepingOthers(
  { uses }: EngineDependencies,
  account: Account,
  stage: Login,
  now: number,
): ReturnType<typeof withLogin> {
  const others = account.logins.map(({ deviceId: _gone, ...each }): Login => ({ ...each, proofs: [] }));
  return withLogin({ ...account, devices: [], enrollments: [], logins: others }, stage, uses, now);
}

/** The account with the new factor, and what becomes in it of the other logins. */
function withStage(
  dependencies: EngineDependencies,
  { record }: LoginContext,
  { grown, keepsOthers, stage }: { readonly grown: Account; readonly keepsOthers: boolean; readonly stage: Login },
  now: number,
): ReturnType<typeof withLogin> & Pick<Activation, "others"> {
  const { account } = record;
  const keeps = keepsOthers && !isEnrolled(account);
  const isThere = account.logins.some((each) => each.id !== stage.id && isLive(account, each, now));
  const others = isThere ? ({ others: keeps ? "kept" : "ended" } as const) : {};
  if (keeps) return { ...keepingOthers(dependencies, grown, stage, now), ...others };
  return { account: startEpoch(grown, randomId(), stage), events: [], ...others };
}

/** What this login rises to. By a factor that its owner need not have seen it has shown nothing new. */
function stageOf(dependencies: EngineDependencies, login: LoginContext, proof: Proof, isSilent: boolean): Login {
  const { status } = login;
  return isSilent && status.status === "verified" ? renewed(status.login) : elevatedStage(dependencies, login, proof);
}

/** New backup codes, and the login that asked for them. */
export function madeBy({ codes, factor }: Minted, loginId: string | undefined): Minted {
  return loginId === undefined ? { codes, factor } : { codes, factor: { ...factor, enrolledBy: loginId } };
}

/** The backup codes that come with a factor, made by the same login; undefined where none do. */
async function codesWith(
  { backupCodes, keys }: EngineDependencies,
  account: Account,
  factor: Factor,
  now: number,
): Promise<Minted | undefined> {
  if (backupCodes === undefined || !comesWithCodes(account, factor)) return undefined;
  return madeBy(await backupCodes.mint({ userId: account.userId, now, keys }), factor.enrolledBy);
}

/**
 * Puts a proved factor in force: with the first come backup codes, unless the login rests on one; this login rises with it, every
 * other one ends, unless it is the first and they may stay, and no browser is trusted any more.
 */
async function putInForce(
  dependencies: EngineDependencies,
  login: LoginContext,
  { amr, isSilent = false, keepsOthers = false, replaces, ...proven }: ProvenFactor,
  now: number,
): Promise<Change<Activation>> {
  const { account } = login.record;
  const { id, type } = proven;
  const worth = worthOf(login, now);
  const proof: Proof = { method: type, factorId: id, at: now, isEnrollment: true, ...worth, ...(amr && { amr }) };
  const stage = stageOf(dependencies, login, proof, isSilent);
  const times = { createdAt: now, lastUsedAt: isSilent ? null : now };
  const factor: Factor = { ...proven, ...worth, ...times, enrolledBy: stage.id, failures: 0 };
  const minted = await codesWith(dependencies, account, factor, now);
  const replaced = account.factors.find((each) => each.id === replaces && each.type === type);
  const base = minted === undefined ? account : withBackupCodes(account, minted.factor);
  const grown = withDeskDone(withNewFactor(base, factor, replaced));
  const { account: next, events, ...rest } = withStage(dependencies, login, { grown, keepsOthers, stage }, now);
  const session = recordOfListed(login, stage, next.sessionEpoch);
  const { events: seen, ...recognized } = await recognizedWith(dependencies, login, next);
  return {
    ...recognized,
    account: dependencies.credentials.withRemoved(account, recognized.account),
    result: { factor, session, ...rest, ...(minted && { minted }), ...(replaced && { isReplacement: true }) },
    events: [...events, ...enrollment(factor, replaced), ...seen],
  };
}

/**
 * As {@link putInForce}. Of a login that completed a recovery the one write that puts the new factor in force also voids what there was
 * before: at no moment is the account without a factor.
 */
export async function activate(
  dependencies: EngineDependencies,
  login: LoginContext,
  proven: ProvenFactor,
  now: number,
): Promise<Change<Activation>> {
  if (!isRecovering(login)) return putInForce(dependencies, login, proven, now);
  const { account: before } = login.record;
  const { session, source } = login;
  // It waited for a proof, and waits no more: its owner must not hear of it as of somebody who gave up.
  const answered = withoutWaiting(before, { id: session?.id, browser: source.label, ip: source.client.ip });
  const emptied = { ...login, record: { ...login.record, account: withoutFactors(answered) } };
  const change = await putInForce(dependencies, emptied, { ...proven, keepsOthers: false }, now);
  const { account: next = emptied.record.account, events = [] } = change;
  const voided = ownFactors(before).map(({ id: factorId, label, type: method }): AccountEvent => {
    return { action: "factor-removed", reason: "recovery", method, factorId, label };
  });
  const until = now + PROBATION;
  const done: AccountEvent = { action: "recovery-completed", facts: { until: iso(until) } };
  return {
    ...change,
    account: dependencies.credentials.withRemoved(before, { ...next, probationUntil: until }),
    events: [...voided, ...events, done],
  };
}

/** Of one that took another's place its owner gets one notice: that the other was replaced. */
function enrollment({ id: factorId, label, type: method }: Factor, replaced: Factor | undefined): AccountEvent[] {
  const enrolled = { action: "factor-enrolled", method, factorId, label };
  if (replaced === undefined) return [enrolled];
  const { id, label: before } = replaced;
  const gone = { action: "factor-replaced", method, factorId: id, label: before, replaced };
  return [gone, { ...enrolled, isSaidBefore: true }];
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
