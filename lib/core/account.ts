import type { AttemptWindows } from "./attempts.js";
import { BACKUP_CODE, type FactorId, type MethodType, type Proof, type UserId } from "./nouns.js";
import { isFuture } from "./time.js";

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
  readonly id: string;
  /** When the first factor was given. */
  readonly at: number;
  /** Real proofs, oldest first, the newest of each method. Empty for a trusted device. */
  readonly proofs: readonly Proof[];
  /** Set where a trusted device stood in for a proof; the login dies with that device. */
  readonly deviceId?: string;
  readonly label: string;
  /** The newest proof, where it was given for one operation: it opens that one, once. */
  readonly grant?: OperationGrant;
}

/** A proof tied to one operation (`mfa.require({ bind })`). */
export interface OperationGrant {
  /** Digest of what the proof was given for. */
  readonly operation: string;
  readonly proof: Proof;
}

/** A line of the owner's own activity list. */
export interface Activity {
  readonly at: number;
  readonly action: string;
  readonly method?: MethodType;
  readonly label?: string;
}

/** Everything about one user's second factors: one record, one version, one conditional write. */
export interface Account {
  readonly userId: UserId;
  /** 64 random bytes, base64url: what passkeys call the user (WebAuthn Level 3 section 14.6.1). Made with the first. */
  readonly handle?: string;
  /** Renewed when every earlier login must end; sessions carry the one they were made under. Empty: the first. */
  readonly sessionEpoch: string;
  readonly factors: readonly Factor[];
  readonly enrollments: readonly Enrollment[];
  readonly devices: readonly Device[];
  readonly logins: readonly Login[];
  /** First steps that were ended, newest first: a slow request may still write their session back. */
  readonly revokedLogins: readonly string[];
  readonly activity: readonly Activity[];
  /** Attempts in windows that are open, by kind. */
  readonly attempts: AttemptWindows;
  /** The owner asked not to be offered a passkey again. */
  readonly declinesPasskeys?: true;
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
    revokedLogins: [],
    activity: [],
    attempts: {},
  };
}

/** Nothing is known of the user but that they were forgotten. */
export function isBlank({ activity, devices, enrollments, factors, handle, logins, revokedLogins }: Account): boolean {
  const lists = [activity, devices, enrollments, factors, logins, revokedLogins];
  return handle === undefined && lists.every((list) => list.length === 0);
}

/**
 * When a record is over by itself: one of an erased account, and one of nobody that holds nothing but counted attempts. Undefined:
 * it stays.
 */
export function expiryOf(account: Account): number | undefined {
  const { attempts, forgottenAt, sessionEpoch } = account;
  // A new epoch of nobody's sessions must hold for as long as there may be sessions.
  if (!isBlank(account) || (forgottenAt === undefined && sessionEpoch !== "")) return undefined;
  const ends = Object.values(attempts).map(({ endsAt }) => endsAt);
  return Math.max(forgottenAt ?? 0, ...ends);
}

function isOwn({ type }: Factor): boolean {
  return type !== BACKUP_CODE;
}

/** True when the account has a factor of its own; backup codes alone do not count. */
export function isEnrolled(account: Account): boolean {
  return account.factors.some(isOwn);
}

export function factorsOf(account: Account, type: MethodType): readonly Factor[] {
  return account.factors.filter((factor) => factor.type === type);
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
export function isLive(device: Device, now: number, maxAge = Infinity): boolean {
  return endOf(device, maxAge) > now && !isFuture(device.createdAt, now);
}

/** The device of this id, if its trust still holds at `now`. `maxAge`: how long browsers are trusted now. */
export function liveDevice(account: Account, deviceId: string, now: number, maxAge = Infinity): Device | undefined {
  return account.devices.find((device) => device.id === deviceId && isLive(device, now, maxAge));
}

/** A name no factor of the account has yet: the given one, numbered from the second on. */
export function freeLabel(account: Account, name: string): string {
  const taken = new Set(account.factors.map(({ label }) => label));
  let label = name;
  for (let number = 2; taken.has(label); number += 1) label = `${name} ${number}`;
  return label;
}
