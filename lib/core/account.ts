import { BACKUP_CODE, type FactorId, type MethodType, type Proof, type UserId } from "./nouns.js";

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
  /** Wrong answers in a row since the last right one. At the limit the factor is disabled. */
  readonly failures: number;
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
  readonly grant?: Grant;
}

/** A proof tied to one operation (`mfa.require({ bind })`). */
export interface Grant {
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
  readonly generation: string;
  readonly factors: readonly Factor[];
  readonly enrollments: readonly Enrollment[];
  readonly devices: readonly Device[];
  readonly logins: readonly Login[];
  /** First steps that were ended, newest first: a slow request may still write their session back. */
  readonly ended: readonly string[];
  readonly activity: readonly Activity[];
  /** The owner asked not to be offered a passkey again. */
  readonly declinesPasskeys?: true;
}

const FORMAT = 1;
const MAX_ACTIVITY = 20;
const MAX_ENDED = 20;

/** Logins beyond this many push out the oldest, so that a record stays small whatever a script does. */
export const MAX_LOGINS = 50;

/** The account of somebody who never had anything to do with second factors. */
export function emptyAccount(userId: UserId): Account {
  return { userId, generation: "", factors: [], enrollments: [], devices: [], logins: [], ended: [], activity: [] };
}

const LISTS = ["factors", "enrollments", "devices", "logins", "ended", "activity"] as const;

/** Nothing is known of the user but that they were forgotten. */
export function isBlank(account: Account): boolean {
  return account.handle === undefined && LISTS.every((name) => account[name].length === 0);
}

/** @throws when the text is not an account record of this format, or not this user's */
export function parseAccount(userId: UserId, text: string): Account {
  const record = JSON.parse(text) as (Account & { readonly format?: unknown }) | null;
  const isWhole =
    record?.format === FORMAT &&
    record.userId === userId &&
    typeof record.generation === "string" &&
    LISTS.every((name) => Array.isArray(record[name]));
  if (!isWhole) throw new Error("The stored account record is damaged, of another format, or another user's");
  return record;
}

export function serializeAccount(account: Account): string {
  return JSON.stringify({ format: FORMAT, ...account });
}

/** True when the account has a factor of its own; backup codes alone do not count. */
export function isEnrolled(account: Account): boolean {
  return account.factors.some((factor) => factor.type !== BACKUP_CODE);
}

export function factorsOf(account: Account, type: MethodType): readonly Factor[] {
  return account.factors.filter((factor) => factor.type === type);
}

/** Factors the owner manages one by one: all but the set of backup codes. */
export function ownFactors(account: Account): readonly Factor[] {
  return account.factors.filter((factor) => factor.type !== BACKUP_CODE);
}

export function replaceFactor(account: Account, factor: Factor): Account {
  return { ...account, factors: account.factors.map((each) => (each.id === factor.id ? factor : each)) };
}

/** Records a login; one of the same id, or of the id it continues, is replaced. */
export function addLogin(account: Account, login: Login, continues?: string): Account {
  const others = account.logins.filter((each) => each.id !== login.id && each.id !== continues);
  return { ...account, logins: [...others, login].slice(-MAX_LOGINS) };
}

export function removeLogin(account: Account, loginId: string): Account {
  return { ...account, logins: account.logins.filter((each) => each.id !== loginId) };
}

/** A first step is not listed while it lasts, so its end is. */
export function endFirstStep(account: Account, id: string): Account {
  return { ...account, ended: [id, ...account.ended].slice(0, MAX_ENDED) };
}

export function addActivity(account: Account, entry: Activity): Account {
  return { ...account, activity: [entry, ...account.activity].slice(0, MAX_ACTIVITY) };
}

/** Ends every login and trusted device but, where named, the login that asked for it. `generation`: one never used before. */
export function startGeneration(account: Account, generation: string, keep?: Login): Account {
  return {
    ...account,
    generation,
    devices: [],
    enrollments: [],
    ended: [],
    logins: keep === undefined ? [] : [keep],
  };
}

export function withoutDevice(account: Account, deviceId: string): Account {
  return { ...account, devices: account.devices.filter((device) => device.id !== deviceId) };
}

/** The device of this id, if its trust still holds at `now`. */
export function liveDevice(account: Account, deviceId: string, now: number): Device | undefined {
  return account.devices.find((device) => device.id === deviceId && device.expiresAt > now);
}
