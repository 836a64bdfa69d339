/** The application's own id of a user, as text. */
export type UserId = string;

/** Id of one enrolled factor: random, unique within its account, safe to show to its owner. */
export type FactorId = string;

/** Every kind of factor the contract knows; which of them work is decided by the `methods` option. */
export type MethodType = "totp" | "backup-code" | "passkey" | "email-code" | "sms-code" | "push";

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
}

/** What a request is worth. See `req.secondFactor.status`. */
export type Status = "anonymous" | "not-enrolled" | "must-enroll" | "pending" | "trusted-device" | "verified";

/** What the policy asks of one user on one request. */
export type PolicyDecision = "required" | "optional" | "exempt";

/** Everything that is counted. `address` counts per network address, all others per account. */
export type LimitKind = "totp" | "backupCode" | "smsSend" | "emailSend" | "recovery" | "push" | "allCodes" | "address";

/** Who is asking, as far as HTTP (or a console) can tell. Kept for audit and for the owner's own list of sessions. */
export interface Client {
  readonly ip?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly requestId?: string | undefined;
}

/** Backup codes open an account but do not make one "enrolled": they only ever exist beside another factor. */
export const BACKUP_CODE: MethodType = "backup-code";

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const DAY = 24 * 60 * MINUTE;
