import type { Account, Factor } from "../core/account.js";
import { ACTIVITIES } from "../core/activity.js";
import { backOffUntil } from "../core/approvals.js";
import type { MethodType, UserId } from "../core/nouns.js";
import { frozenUntil, isSuspended } from "../core/reports.js";
import { cleanText } from "../core/text.js";

/** What happened. Kebab case; the list grows, the meaning of a name never changes. */
export type KnownAction =
  | "challenge-issued"
  | "challenge-expired"
  | "challenge-cancelled"
  | "factor-verified"
  | "factor-failed"
  | "factor-enrolled"
  | "factor-imported"
  | "factor-removed"
  | "factor-renamed"
  | "factor-replaced"
  | "factor-resynced"
  | "backup-codes-regenerated"
  | "backup-code-used"
  | "device-trusted"
  | "device-used"
  | "device-revoked"
  | "device-replayed"
  | "locked"
  | "attempt-refused"
  | "factor-disabled"
  | "factor-reopened"
  | "factor-suspended"
  | "factor-resumed"
  | "freeze-lifted"
  | "recovery-requested"
  | "recovery-refused"
  | "recovery-confirmed"
  | "recovery-shortened"
  | "recovery-half-time"
  | "recovery-ready"
  | "recovery-cancelled"
  | "recovery-started"
  | "recovery-completed"
  | "recovery-opted-out"
  | "recovery-opted-in"
  | "step-up"
  | "admin-reset"
  | "temporary-pass-issued"
  | "temporary-pass-used"
  | "acting-login"
  | "caller-check-begun"
  | "caller-check-shown"
  | "caller-check-verified"
  | "approval-requested"
  | "approval-given"
  | "account-exported"
  | "account-erased"
  | "password-changed"
  | "reported"
  | "signed-out"
  | "session-revoked"
  | "session-displaced"
  | "sessions-revoked"
  | "signed-out-everywhere"
  | "passkey-counter-regressed"
  | "backup-codes-low"
  | "new-browser"
  | "login-unfinished"
  | "would-block"
  | "notice-failed"
  | "code-sent"
  | "push-requested"
  | "push-approved"
  | "push-denied"
  | "push-reported"
  | "push-unreachable"
  | "delivery-failed"
  | "sms-ceiling-near"
  | "login-failed"
  | "login-denied"
  | "no-method-left"
  | "unavailable";

/** One of those known, or a name that a method of the application's own brings. */
export type AuditAction = KnownAction | (string & NonNullable<unknown>);

/** Something a change of an account did: told once it is written, and never where it is not. */
export interface AccountEvent {
  readonly action: AuditAction;
  readonly method?: MethodType;
  readonly factorId?: string;
  readonly reason?: string;
  /** Why somebody of the staff did it, in their words: of the audit trail, in the place of `reason`. Its owner is not told. */
  readonly stated?: string | undefined;
  /** Who did it, where that was not whoever made the change. */
  readonly actor?: string;
  /** Default: success. */
  readonly outcome?: "failure";
  /** For the owner's activity list: the name of the factor or browser it is about. */
  readonly label?: string;
  /** The owner's activity list has a line for it, whatever it is called. */
  readonly isRecorded?: true;
  /** For the owner: when it happened, milliseconds since the epoch. Default: now. */
  readonly at?: number;
  /** What the owner is told beside, and nobody else: counts and names, no secret. */
  readonly facts?: EventFacts;
  /** The factor that another has taken the place of, as it was stored: for telling its owner where it was. Never part of an event. */
  readonly replaced?: Factor;
  /** Its owner is told of it by the event before: it has no notice of its own. */
  readonly isSaidBefore?: true;
}

export interface EventFacts {
  /** Backup codes left. */
  readonly remaining?: number;
  /** When what it is about can be gone on with: ISO 8601, UTC. */
  readonly until?: string;
  /** Logins that it happened to. */
  readonly count?: number;
  /** What a factor was called before. */
  readonly before?: string;
}

/** What ends other logins, and the trust in browsers. Whatever is about one of them alone names it. */
const ENDING: ReadonlySet<AuditAction> = new Set<KnownAction>([
  "admin-reset",
  "factor-enrolled",
  "factor-imported",
  "factor-removed",
  "factor-replaced",
  "password-changed",
  "reported",
  "sessions-revoked",
  "signed-out-everywhere",
]);

/** Whether what a change ended is told with this. */
export function tellsOfEnds({ action, isSaidBefore, reason }: AccountEvent): boolean {
  if (isSaidBefore === true) return false;
  return ENDING.has(action) || (action === "device-revoked" && reason === "all");
}

/** A factor that wrong answers had closed is open again. */
export function reopening({ id, label, type }: Factor): AccountEvent {
  return { action: "factor-reopened", method: type, factorId: id, label };
}

/** A report has suspended a factor, or that is lifted. Of a set of backup codes there is no name. */
export function suspension(action: "factor-suspended" | "factor-resumed", { id, label, type }: Factor): AccountEvent {
  return { action, method: type, factorId: id, label };
}

/** What a report did to an account is lifted, as far as it still holds. */
export function lifting(account: Account, now: number): readonly AccountEvent[] {
  const resumed = account.factors.filter(isSuspended).map((factor) => suspension("factor-resumed", factor));
  return frozenUntil(account, now) === undefined ? resumed : [...resumed, { action: "freeze-lifted" }];
}

/** Devices of an account that are not asked for now are asked again. */
export function resumedAsking({ approvals, factors }: Account, now: number): readonly AccountEvent[] {
  const { reported, request } = approvals ?? {};
  // Those that a report has suspended are told of with that.
  const isPaused = (factor: Factor): boolean => factor.type === reported && !isSuspended(factor);
  if (reported !== undefined) return factors.filter(isPaused).map((each) => suspension("factor-resumed", each));
  if (backOffUntil(approvals, now) === undefined) return [];
  const asked = factors.find(({ id }) => id === request?.factorId);
  return [{ ...(asked && reopening(asked)), action: "factor-reopened", reason: "back-off" }];
}

const RECORDED: ReadonlySet<AuditAction> = new Set<KnownAction>(ACTIVITIES);

/** Whether the owner's activity list has a line for it. */
export function isRecorded(event: AccountEvent): boolean {
  return event.isRecorded === true || RECORDED.has(event.action);
}

/** One thing that happened, without any secret, code, address or token in it. */
export interface AuditEvent {
  /** ISO 8601, UTC, by the configured clock. */
  readonly time: string;
  readonly action: AuditAction;
  readonly outcome: "success" | "failure";
  /** Absent where nobody is known: `unavailable` before anybody is, and a proof that is nobody's. */
  readonly userId?: UserId;
  /** Who did it: the user's own id, or what the caller of a server-side operation named. Absent as `userId` is. */
  readonly actor?: string;
  readonly method?: MethodType;
  readonly factorId?: string;
  /** Why, in kebab case; of what staff did by `mfa.accounts` and said why, their words, at most 255 characters on one line. */
  readonly reason?: string;
  readonly ip?: string;
  /** At most 255 characters, none of them control characters. */
  readonly userAgent?: string;
  readonly requestId?: string;
}

export type OwaspLevel = "INFO" | "WARN" | "CRITICAL";

type OwaspRow = readonly [name: string, level: OwaspLevel, what?: "administrative"];

/** The most of an id within a name of the vocabulary, in characters. */
const MAX_NAME = 255;

/** An action that is not here has no name in the vocabulary: see docs/audit.md, which says why of each. */
const OWASP: Partial<Record<string, OwaspRow>> = {
  "factor-verified": ["authn_login_success", "INFO"],
  "factor-failed": ["authn_login_fail", "WARN"],
  "factor-enrolled": ["authn_token_created", "INFO"],
  "factor-imported": ["authn_token_created", "INFO"],
  "factor-removed": ["authn_token_revoked", "WARN"],
  "factor-replaced": ["authn_token_revoked", "WARN"],
  "backup-codes-regenerated": ["authn_token_created", "INFO"],
  "backup-code-used": ["authn_login_success", "INFO"],
  "temporary-pass-issued": ["authn_token_created", "INFO"],
  "temporary-pass-used": ["authn_login_success", "INFO"],
  "device-trusted": ["authn_token_created", "INFO"],
  "device-revoked": ["authn_token_revoked", "INFO"],
  "factor-suspended": ["authn_token_revoked", "WARN"],
  "device-replayed": ["authn_token_reuse", "CRITICAL"],
  "passkey-counter-regressed": ["authn_token_reuse", "CRITICAL"],
  locked: ["authn_login_fail_max", "WARN"],
  "attempt-refused": ["excess_rate_limit_exceeded", "WARN"],
  "factor-disabled": ["authn_login_lock", "WARN"],
  "push-denied": ["authn_login_fail", "WARN"],
  "push-reported": ["authn_login_lock", "WARN"],
  "signed-out": ["session_expired", "INFO"],
  "session-revoked": ["session_expired", "INFO"],
  "session-displaced": ["session_expired", "INFO"],
  "sessions-revoked": ["session_expired", "INFO"],
  "signed-out-everywhere": ["session_expired", "INFO"],
  "challenge-expired": ["session_expired", "INFO"],
  "challenge-cancelled": ["session_expired", "INFO"],
  "device-used": ["authn_login_success", "INFO"],
  "login-unfinished": ["authn_login_fail", "WARN"],
  "login-failed": ["authn_login_fail", "WARN"],
  "password-changed": ["authn_password_change", "INFO"],
  reported: ["authn_login_lock", "WARN"],
  "admin-reset": ["authz_admin", "WARN", "administrative"],
  "account-erased": ["authz_admin", "WARN", "administrative"],
  "freeze-lifted": ["authz_admin", "WARN", "administrative"],
  "login-denied": ["authn_login_fail", "WARN"],
};

/**
 * The event as the OWASP Logging Vocabulary names it (`authn_login_fail:user`, `authz_admin:actor,admin-reset`), with its level;
 * undefined where the vocabulary has no name for it.
 *
 * @example
 * ```ts
 * import { toOwasp } from "express-second-factor";
 *
 * mfa.events.on("audit", (event) => log.info({ ...event, ...toOwasp(event) }));
 * ```
 */
export function toOwasp(event: AuditEvent): { readonly event: string; readonly level: OwaspLevel } | undefined {
  const row = Object.hasOwn(OWASP, event.action) ? OWASP[event.action] : undefined;
  if (row === undefined) return undefined;
  const [name, level, what] = row;
  // The vocabulary names who did it, and what; its names stand in lines of text, and begin none.
  const [actor, user] = [event.actor ?? "system", event.userId].map((id) => id && cleanText(id, MAX_NAME));
  if (what === "administrative") return { event: `${name}:${actor},${event.action}`, level };
  return { event: user === undefined ? name : `${name}:${user}`, level };
}
