/** The application's own id of a user, as text. */
export type UserId = string;

/** Id of one enrolled factor: random, unique within its account, safe to show to its owner. */
export type FactorId = string;

/** A kind of factor, in kebab case: `"totp"`, `"backup-code"`, `"passkey"`, or what a method from outside calls itself. */
export type MethodType = string;

/** Milliseconds since the Unix epoch. Everything that expires, expires by the clock the application configured. */
export type Clock = () => number;

/** One real proof of a second factor. A trusted device is not one. */
export interface Proof {
  readonly method: MethodType;
  readonly factorId: FactorId;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** RFC 8176 values of this very proof, where they depend on it. Default: those of its method. */
  readonly amr?: readonly string[];
  /** Given by setting the factor up, in a login that whatever came before had opened. */
  readonly isEnrollment?: true;
  /** Of a factor that is worth no more than the backup code it was set up on: see `Factor`. */
  readonly onBackupCode?: true;
}

/** What a request is worth. See `req.secondFactor.status`. */
export type Status = "anonymous" | "not-enrolled" | "must-enroll" | "pending" | "trusted-device" | "verified";

/** What the policy asks of one user on one request. */
export type PolicyDecision = "required" | "optional" | "exempt";

/**
 * What is counted, per account: `"allCodes"`, and the kinds the configured methods bring (`"totp"`, `"backupCode"`).
 * `"address"` counts per network address.
 */
export type LimitKind = string;

/** So many attempts in a window that begins with its first. */
export interface Limit {
  readonly limit: number;
  /** Milliseconds. */
  readonly window: number;
}

export type Limits = Readonly<Record<LimitKind, Limit>>;

/** Who is asking, as far as HTTP (or a console) can tell. Kept for audit and for the owner's own list of sessions. */
export interface Client {
  readonly ip?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly requestId?: string | undefined;
}

/** Look-up secrets (NIST SP 800-63B-4 section 3.1.2): they only ever exist beside another factor, and enroll nobody alone. */
export const BACKUP_CODE: MethodType = "backup-code";

/** A code that the help desk gave out in the place of a factor. It is none: nobody has it, and nothing lists it. */
export const TEMPORARY_PASS: MethodType = "temporary-pass";

/** Every code that can be guessed counts here too, whatever its kind. */
export const ALL_CODES: LimitKind = "allCodes";

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const DAY = 24 * 60 * MINUTE;
