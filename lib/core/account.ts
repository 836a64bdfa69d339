import type { Acting } from "./acting.js";
import type { Approvals } from "./approvals.js";
import type { AttemptWindows } from "./attempts.js";
import { type CallerCheck, deskEnd, type DeskRequest } from "./help-desk.js";
import { BACKUP_CODE, DAY, type FactorId, type MethodType, type Proof, type UserId } from "./nouns.js";
import { holdsPass, isByPass, type Pass, passesEnd } from "./passes.js";
import type { Recovery } from "./recovery.js";
import { isFuture } from "./time.js";
import type { WaitingLogin } from "./waiting.js";

/**
 * One enrolled factor. `State` belongs to its method and is JSON; secrets in it are sealed, codes are digests. Times are in
 * milliseconds since the epoch.
 */
export interface Factor<State = unknown> {
  readonly id: FactorId;
  readonly type: MethodType;
  readonly label: string;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
  /** Wrong answers in a row since the last right one, at logins. At the limit the factor is closed to them. */
  readonly failures: number;
  /** The same, within logins that are verified already. Absent: none. */
  readonly verifiedFailures?: number;
  /** Set up by a login that had shown nothing better than a backup code, and not used at a later login since. */
  readonly onBackupCode?: true;
  /** The login that set it up, as it was listed then. Absent: none did, and in older records. */
  readonly enrolledBy?: string;
  /** It proves nothing since its owner said that what it is about was not them, until it is resumed. */
  readonly suspended?: true;
  readonly state: State;
}

/** A factor somebody started to enroll and has not proved. It opens nothing and protects nothing. */
export interface Enrollment<State = unknown> {
  readonly id: FactorId;
  readonly type: MethodType;
  readonly label: string;
  /** The login (session) that started it and alone may finish it. */
  readonly loginId: string;
  readonly expiresAt: number;
  /** It was begun with the password given again, which carries it to its end. */
  readonly reconfirmed?: true;
  /** When its owner last asked to see it. Absent in older records: when it was begun. */
  readonly shownAt?: number;
  /** What its method showed, sealed, where the method cannot tell it from the state. */
  readonly answer?: string;
  /** The factor whose place it is to take. */
  readonly replaces?: FactorId;
  /** It was begun on the page for a new phone, and leads back there. */
  readonly guided?: true;
  readonly state: State;
}

/** A browser whose owner asked not to be challenged there. Only digests of its token are kept. */
export interface Device {
  readonly id: string;
  readonly label: string;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly expiresAt: number;
  /** The key of the digests, sealed. */
  readonly key: string;
  readonly digest: string;
  /** When `digest` replaced the newest entry of `spent`. */
  readonly rotatedAt: number;
  /** Digests of tokens used up, newest first, so that a copied cookie gives itself away. */
  readonly spent: readonly string[];
}

/** A completed login. A session is worth what this list says, not what the session says. */
export interface Login {
  /** From the moment it was complete to its end. */
  readonly id: string;
  /** Renewed whenever the login rises, so that an older copy of its session is worthless. Absent in older records: the id. */
  readonly stage?: string;
  /** When the first factor was given. */
  readonly at: number;
  /** Real proofs, oldest first, the newest of each method. Empty for a trusted device. */
  readonly proofs: readonly Proof[];
  /** Set where a trusted device stood in for a proof; the login dies with that device. */
  readonly deviceId?: string;
  /** The browser, as it was last seen. */
  readonly label: string;
  /** Its last proof, which went with the last factor, was worth no more than a backup code. */
  readonly onBackupCode?: true;
  /** Its network address, as it was last seen. */
  readonly ip?: string;
  /** When it was last seen, written down now and then. Absent in older records: at its first factor. */
  readonly seenAt?: number;
  /** How long its session lasts without being seen, milliseconds. Absent: as long as the browser is open. */
  readonly life?: number;
  /** It was used again after the request that listed it. */
  readonly used?: true;
  /**
   * Since when the application does what it does with a new login: until that has come to an end nothing is open to it. `deviceId`: the
   * browser that came to be trusted with it, and is not where it does not open.
   */
  readonly opening?: { readonly at: number; readonly deviceId?: string };
  /** Somebody of the staff is signed in with it, in the place of its user. It has shown nothing, and nothing is shown to it. */
  readonly acting?: Acting;
  /** The first step it rose from, where the application is told of new logins: it is told once. */
  readonly from?: string;
}

/** A login that ended, for as long as a copy of its session could come back. */
export interface LoginEnd {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
  /** When it ended, by the machine's clock, as sessions are dated. Absent: of a first step, and in older records. */
  readonly endedAt?: number;
  /** It was not complete. */
  readonly isFirstStep?: true;
}

/** What a change took off the account with it. */
export interface Ended {
  readonly sessions: number;
  /** Browsers that were trusted. */
  readonly browsers: number;
}

/** A line of the owner's own activity list. */
export interface Activity {
  /** When it happened last. */
  readonly at: number;
  readonly action: string;
  readonly outcome?: "failure";
  readonly method?: MethodType;
  /** The factor or browser it is about. */
  readonly label?: string;
  /** Where it was done. */
  readonly browser?: string;
  readonly ip?: string;
  /** How often. Absent: once. */
  readonly count?: number;
  /** What it ended beside what it is about. Absent: nothing. */
  readonly ended?: Ended;
  /** Of what happened last, counted from 1 over everything the list ever had. Absent in older records. */
  readonly number?: number;
  /** Of the times before, newest first, where the owner was told of each with its number. */
  readonly earlier?: readonly number[];
  /** The owner is told of such, and was not of this: there was too much of it. */
  readonly untold?: true;
}

/** Browsers that the account was fully signed in on: what each carries is kept as a digest alone. */
export interface KnownBrowsers {
  /** The key of the digests, sealed. */
  readonly key: string;
  /** Newest first. */
  readonly digests: readonly string[];
  /** Of addresses that it was signed in from, in the same way. Kept where a policy weighs logins. */
  readonly addresses?: readonly string[];
  /** When it was last signed in on any, milliseconds since the epoch. Kept where a policy weighs logins. */
  readonly at?: number;
}

/** Something that was reported as not its owner's doing. */
export interface Report {
  /** Of the line of the activity list. */
  readonly number: number;
  /** When no link to report it is good any more, milliseconds since the epoch. */
  readonly keptUntil: number;
}

/** Everything about one user's second factors: one record, one version, one conditional write. */
export interface Account {
  readonly userId: UserId;
  /** 64 random bytes, base64url: what passkeys call the user (WebAuthn Level 3 section 14.6.1). Made with the first. */
  readonly handle?: string;
  /** Renewed when every earlier login must end; sessions carry the one they were made under. Empty: the first. */
  readonly sessionEpoch: string;
  /** Renewed when the password has changed: what has waited for a second factor since before is over. Absent: it never has. */
  readonly passwordEpoch?: string;
  readonly factors: readonly Factor[];
  readonly enrollments: readonly Enrollment[];
  readonly devices: readonly Device[];
  readonly logins: readonly Login[];
  /** Logins that ended, newest first: a slow request may still write their session back. */
  readonly endedLogins: readonly LoginEnd[];
  /** Sessions that hold a login and no record of ours are over if they were last touched by then. */
  readonly unmarkedOver?: {
    /** Milliseconds since the epoch, by the machine's clock: that is what sessions are dated by. */
    readonly touchedBy: number;
    readonly keptUntil: number;
  };
  readonly activity: readonly Activity[];
  /** Attempts in windows that are open, by kind. */
  readonly attempts: AttemptWindows;
  /** The owner asked not to be offered a passkey again. */
  readonly declinesPasskeys?: true;
  /** The kind of factor that the owner wants to be asked for first. Absent: the strongest. */
  readonly preferred?: MethodType;
  /**
   * Claims in the credential index that no factor needs (yet, or any more), written down before they are made or given up: whatever
   * is interrupted in between, somebody can still give them up. Empty: of an account that is being erased.
   */
  readonly looseClaims?: readonly string[];
  /** Logins that wait for their second factor, where owners are told of those that never get it. */
  readonly waiting?: readonly WaitingLogin[];
  /** When the owner was last told of such. */
  readonly waitingToldAt?: number;
  /** Kept where owners are told of sign-ins on new ones. */
  readonly browsers?: KnownBrowsers;
  /**
   * Until when the owner of an account without a factor is only invited to set up what is demanded of them, milliseconds since the epoch.
   * Absent: none was ever demanded of them that they did not have. Once there it stays as it is.
   */
  readonly graceUntil?: number;
  /** No factor is set up, changed or removed by its owner before, milliseconds since the epoch. */
  readonly frozenUntil?: number;
  /** What was reported with a link that could still be used otherwise. */
  readonly reports?: readonly Report[];
  /** What its owner's devices are asked, and were. Absent: nothing ever. */
  readonly approvals?: Approvals;
  /** The set of backup codes before the one among the factors, with the codes of it that were not used. It opens nothing. */
  readonly formerCodes?: Factor;
  /** The way back for an owner who has lost every factor, while it is under way. */
  readonly recovery?: Recovery;
  /** The owner wants no such way. */
  readonly refusesRecovery?: true;
  /** Since a recovery no sensitive route is open before, milliseconds since the epoch. */
  readonly probationUntil?: number;
  /** Codes that the help desk gave out in the place of a factor, within a year. */
  readonly passes?: readonly Pass[];
  /** The help desk is finding out who is on the line. */
  readonly callerCheck?: CallerCheck;
  /** What the help desk does once another operator has approved it. */
  readonly deskRequests?: readonly DeskRequest[];
  /** What is left of an account that was erased is forgotten then, unless something new has come by that time. */
  readonly forgottenAt?: number;
}

/** The account of somebody who never had anything to do with second factors. */
export function emptyAccount(userId: UserId): Account {
  return {
    userId,
    sessionEpoch: "",
    factors: [],
    enrollments: [],
    devices: [],
    logins: [],
    endedLogins: [],
    activity: [],
    attempts: {},
  };
}

/** Of a session that lasts as long as the browser is open: its cookie does not say how long. */
const UNTOLD_LIFE = 14 * DAY;

/** What an account without a factor has done is not told for longer, unless something else keeps its record. */
const ACTIVITY_LIFE = 30 * DAY;

/** A time of grace is remembered that long after its end, milliseconds: with the record goes that there was one. */
const GRACE_MEMORY = 2 * 365 * DAY;

/** How long a login lasts without being seen, milliseconds. */
export function lifeOf({ life = UNTOLD_LIFE }: { readonly life?: number | undefined }): number {
  return life;
}

export function lastSeen({ at, seenAt = at }: Login): number {
  return seenAt;
}

/** Of its life: that a login was seen is written down this much later at most. */
export const SIGHT_DELAY = 1 / 10;

/**
 * When a login is over if it is not seen again. `usedAt`: when this process saw it last. Where it did not, one that was used may have
 * been seen elsewhere since that was written down.
 */
export function lifeEnd(login: Login, usedAt?: number): number {
  const life = lifeOf(login);
  if (usedAt !== undefined) return Math.max(lastSeen(login), usedAt) + life;
  return lastSeen(login) + (login.used === true ? Math.ceil(life * (1 + SIGHT_DELAY)) : life);
}

/** Nothing but a first factor was given for it, because nothing else was due. */
export function isBare({ deviceId, proofs }: Login): boolean {
  return proofs.length === 0 && deviceId === undefined;
}

/** There is nothing that the user has set up. */
function isPassing({ devices, enrollments, factors, handle, refusesRecovery }: Account): boolean {
  return (
    handle === undefined &&
    refusesRecovery === undefined &&
    [devices, enrollments, factors].every((list) => list.length === 0)
  );
}

/** … and nothing that was done is remembered. */
function holdsNothing(account: Account): boolean {
  const isKnown = account.graceUntil !== undefined || account.activity.length > 0 || account.logins.length > 0;
  const isOfDesk = passesEnd(account) > 0 || deskEnd(account) > 0;
  return isPassing(account) && !isKnown && !isOfDesk;
}

/** Nothing is known of the user but that they were forgotten, and nothing is left to be given up. */
export function isBlank(account: Account): boolean {
  return holdsNothing(account) && account.looseClaims === undefined;
}

/** What stands in the place of an account that was erased. */
export function isTombstone(account: Account): boolean {
  return account.forgottenAt !== undefined && holdsNothing(account);
}

/** A mark of an account that was erased is kept that long, milliseconds. */
export const TOMBSTONE_LIFE = 30 * DAY;

/** When everything of the account was forgotten, or every session of nobody's ended since; undefined: neither, for all that is known. */
export function erasedAt({ forgottenAt }: Account): number | undefined {
  return forgottenAt === undefined ? undefined : forgottenAt - TOMBSTONE_LIFE;
}

/**
 * When a record is over by itself: one of an erased account, and one of nobody that holds nothing but logins, their ends, what was
 * done in them, counted attempts, and a time of grace. Undefined: it stays.
 */
export function expiryOf(account: Account): number | undefined {
  const { activity, attempts, endedLogins, forgottenAt = 0, graceUntil, logins, sessionEpoch, unmarkedOver } = account;
  if (!isPassing(account) || account.looseClaims !== undefined) return undefined;
  // A new epoch of nobody's sessions must hold for as long as there may be sessions.
  if (account.forgottenAt === undefined && sessionEpoch !== "") return undefined;
  return Math.max(
    forgottenAt,
    passesEnd(account),
    deskEnd(account),
    unmarkedOver?.keptUntil ?? 0,
    graceUntil === undefined ? 0 : graceUntil + GRACE_MEMORY,
    ...Object.values(attempts).map(({ endsAt }) => endsAt),
    ...logins.map((login) => lifeEnd(login)),
    ...endedLogins.map(({ until }) => until),
    ...activity.slice(0, 1).map(({ at }) => at + ACTIVITY_LIFE),
  );
}

function isOwn({ type }: Factor): boolean {
  return type !== BACKUP_CODE;
}

/** True when the account has a factor of its own; backup codes alone do not count. */
export function isEnrolled(account: Account): boolean {
  return account.factors.some(isOwn);
}

/** The factor it was given by is still there, or the pass that stood in for one. */
export function isHeld(proof: Proof, account: Account): boolean {
  const { factorId } = proof;
  return isByPass(proof) ? holdsPass(account, factorId) : account.factors.some(({ id }) => id === factorId);
}

/**
 * The login with those of its proofs whose factors are still there. That it rose by them stays true without any, and is worth
 * nothing where it is asked what was proved.
 */
export function withHeldProofs(login: Login, account: Account): Login {
  const held = login.proofs.filter((proof) => isHeld(proof, account));
  return held.length === login.proofs.length ? login : { ...login, proofs: held };
}

export function factorsOf(account: Account, type: MethodType): readonly Factor[] {
  return account.factors.filter((factor) => factor.type === type);
}

/** Those of a kind that can be asked for, and prove something. */
export function activeFactorsOf(account: Account, type: MethodType): readonly Factor[] {
  return factorsOf(account, type).filter(({ suspended }) => suspended !== true);
}

/** Factors the owner manages one by one: all but the set of backup codes. */
export function ownFactors(account: Account): readonly Factor[] {
  return account.factors.filter(isOwn);
}

/** When the trust in a device ends, by its grant and by how long browsers are trusted now. */
export function endOf({ createdAt, expiresAt }: Device, maxAge: number): number {
  return Math.min(expiresAt, createdAt + maxAge);
}

/** Its trust holds at `now`; what was granted by a clock that was ahead would hold for as much longer. */
export function isDeviceLive(device: Device, now: number, maxAge = Infinity): boolean {
  return endOf(device, maxAge) > now && !isFuture(device.createdAt, now);
}

/** The device of this id, if its trust still holds at `now`. `maxAge`: how long browsers are trusted now. */
export function liveDevice(account: Account, deviceId: string, now: number, maxAge = Infinity): Device | undefined {
  return account.devices.find((device) => device.id === deviceId && isDeviceLive(device, now, maxAge));
}

/** A name no factor of the account has yet: the given one, numbered from the second on. */
export function freeLabel(account: Account, name: string): string {
  const taken = new Set(account.factors.map(({ label }) => label));
  let label = name;
  for (let number = 2; taken.has(label); number += 1) label = `${name} ${number}`;
  return label;
}
