import { type Account, endOf, isEnrolled, liveDevice, type Login } from "../core/account.js";
import { type MethodType, MINUTE, type PolicyDecision, type UserId } from "../core/nouns.js";
import { isFuture } from "../core/time.js";

/** How long somebody who gave the first factor may take over the second. */
export const PENDING_LIFE = 10 * MINUTE;

/**
 * What a session remembers of a login. It grants nothing: a first step is worth what the account asks of it now, and a
 * second step is worth something only while the account lists it.
 */
export interface SessionRecord {
  readonly user: UserId;
  readonly step: "first" | "second";
  /** Id of this stage of the login; renewed whenever it rises, so that an older copy of the session is worthless. */
  readonly id: string;
  /** When the first factor was given, milliseconds since the epoch. */
  readonly at: number;
  /** The account's session epoch at the login. */
  readonly epoch: string;
  /** A second factor was due: should it stop being due, the login ends instead of becoming a full one. */
  readonly pending?: boolean;
  /** Where the user was going: a local path, kept here and taken from nowhere else. */
  readonly returnTo?: string;
  /** Found in the session without a record: when its first factor was given is not known, so it is not fresh. */
  readonly adopted?: boolean;
  /** What the policy has asked of this login so far, at its strictest; absent: `"optional"`. A later request asks no less. */
  readonly decision?: PolicyDecision;
  /** The first factor was this method, so the second must be another. */
  readonly first?: MethodType;
  /** Wrong proofs so far of methods that count none on the account. */
  readonly misses?: number;
  /** What a route asked for that this login could not show; the next proof is given for it. */
  readonly stepUp?: StepUpRequest;
}

/** A proof a route is waiting for. */
export interface StepUpRequest {
  /** Methods whose proof will do. */
  readonly methods: readonly MethodType[];
  /** Digest of the one operation the proof is for. */
  readonly operation?: string;
  /** What the user is about to confirm, sealed. */
  readonly shown?: string;
}

/** What a login is worth right now. An `ended` one is over, whatever its session says. */
export type LoginStatus =
  | {
      readonly status: "not-enrolled" | "must-enroll";
      /** A factor exists all the same: policy exempts the user from being asked. */
      readonly isEnrolled?: true;
      readonly expiresAt?: number;
      /** A full login whose account lost its factors. */
      readonly login?: Login;
    }
  | {
      readonly status: "pending";
      /** Absent: the session has no record of the login yet. */ readonly expiresAt?: number;
    }
  | { readonly status: "verified"; readonly login: Login }
  | { readonly status: "trusted-device"; readonly login: Login; readonly expiresAt: number }
  | { readonly status: "ended" };

/** Everything a login's worth depends on. */
export interface Assessed {
  readonly account: Account;
  /** Undefined: a login the session has no record of yet, or another user's. */
  readonly session: SessionRecord | undefined;
  readonly decision: PolicyDecision;
  /** Milliseconds a browser is trusted from its grant; undefined: none is, whatever was granted before. */
  readonly trustMaxAge: number | undefined;
  readonly now: number;
}

/** What a login has owed so far. */
export function decisionOf({ decision = "optional" }: SessionRecord): PolicyDecision {
  return decision;
}

/** The record of a login that owes this. */
export function withDecision(
  { decision: _before, ...session }: SessionRecord,
  decision: PolicyDecision,
): SessionRecord {
  // What most logins owe is not written into every session.
  return decision === "optional" ? session : { ...session, decision };
}

const ENDED: LoginStatus = { status: "ended" };

function assessSecondStep({ account, session, decision, trustMaxAge = 0, now }: Assessed): LoginStatus {
  const login = account.logins.find((each) => each.id === session?.id);
  if (login === undefined) return ENDED;
  if (!isEnrolled(account)) return { status: decision === "required" ? "must-enroll" : "not-enrolled", login };
  if (login.proofs.length > 0) return { status: "verified", login };
  const device = login.deviceId === undefined ? undefined : liveDevice(account, login.deviceId, now, trustMaxAge);
  return device === undefined ? ENDED : { status: "trusted-device", login, expiresAt: endOf(device, trustMaxAge) };
}

/** Every login of an older epoch is over, and a first step that was ended. */
function isOver({ epoch, id }: SessionRecord, account: Account): boolean {
  return epoch !== account.sessionEpoch || account.revokedLogins.includes(id);
}

/** It was ended, whatever else has become of it: by its epoch, by a logout, or because the account lists it no more. */
export function wasEnded(session: SessionRecord, account: Account): boolean {
  const isListed = account.logins.some(({ id }) => id === session.id);
  return isOver(session, account) || (session.step === "second" && !isListed);
}

function due(status: "pending" | "must-enroll", session: SessionRecord | undefined, now: number): LoginStatus {
  if (session === undefined || (status === "must-enroll" && session.pending !== true)) return { status };
  const expiresAt = session.at + PENDING_LIFE;
  // Begun by a clock that was ahead, it would wait until that time comes.
  return expiresAt <= now || isFuture(session.at, now) ? ENDED : { status, expiresAt };
}

function assessFirstStep({ account, session, decision, now }: Assessed): LoginStatus {
  const enrolled = isEnrolled(account);
  if (decision === "exempt") return { status: "not-enrolled", ...(enrolled ? { isEnrolled: true } : {}) };
  if (enrolled) return due("pending", session, now);
  if (decision === "required") return due("must-enroll", session, now);
  return session?.pending === true ? ENDED : { status: "not-enrolled" };
}

/**
 * What this login is worth at this moment: a pure function of the account as stored, the session's record, the policy's decision
 * and the clock, and of nothing else.
 */
export function assess(assessed: Assessed): LoginStatus {
  const { account, session } = assessed;
  if (session !== undefined && isOver(session, account)) return ENDED;
  return session?.step === "second" ? assessSecondStep(assessed) : assessFirstStep(assessed);
}

/** Until when a status holds while account, session and decision stay as they are; milliseconds since the epoch. */
export function holdsUntil(status: LoginStatus): number {
  return "expiresAt" in status ? (status.expiresAt ?? Infinity) : Infinity;
}

/** A second factor is due: nothing but the second-factor routes and exempt paths is reachable. */
export function isDue({ status }: LoginStatus): boolean {
  return status === "pending" || status === "must-enroll";
}
