import {
  type Account,
  endOf,
  isBare,
  isEnrolled,
  lifeEnd,
  liveDevice,
  type Login,
  withHeldProofs,
} from "../core/account.js";
import { type MethodType, MINUTE, type UserId } from "../core/nouns.js";
import type { Done, Draft } from "../core/notes.js";
import { isActingNow } from "../core/acting.js";
import { isByPass } from "../core/passes.js";
import { recoversUntil } from "../core/recovery.js";
import { isFuture } from "../core/time.js";
import { isDemanding, isExempting, type LoginDecision } from "./decisions.js";
import { type Grace, graceEnd } from "./grace.js";

/** How long somebody who gave the first factor may take over the second. */
export const PENDING_LIFE = 10 * MINUTE;

/**
 * What a session remembers of a login. It grants nothing: a first step is worth what the account asks of it now, and a
 * second step is worth something only while the account lists it.
 */
export interface SessionRecord {
  readonly user: UserId;
  /** `"second"`: the login is complete, if without a second factor where none was due, and the account lists it. */
  readonly step: "first" | "second";
  /** The login's: one for its first step, and one from then on. */
  readonly id: string;
  /** Of a second step: its stage as the account lists it, so that an older copy of the session is worthless. */
  readonly stage?: string | undefined;
  /** When the first factor was given, milliseconds since the epoch. */
  readonly at: number;
  /** The account's session epoch at the login. */
  readonly epoch: string;
  /** A second factor was due: should it stop being due, the login ends instead of becoming a full one. */
  readonly pending?: boolean;
  /** When that came to be due of a complete login, milliseconds since the epoch. Of a first step it is due from the beginning. */
  readonly dueAt?: number;
  /** The account's when it began to wait; absent: the account had none. */
  readonly passwordEpoch?: string;
  /** Where the user was going: a local path, kept here and taken from nowhere else. */
  readonly returnTo?: string;
  /** Found in the session without a record: when its first factor was given is not known, so it is not fresh. */
  readonly adopted?: boolean;
  /** What the policy has asked of this login so far, at its strictest; absent: `"optional"`. A later request asks no less. */
  readonly decision?: LoginDecision;
  /** The first factor was this method, so the second must be another. */
  readonly first?: MethodType;
  /** Wrong proofs so far of methods that count none on the account. */
  readonly misses?: number;
  /** What the first step knew and the end of the login is to know, sealed. */
  readonly carried?: string;
  /** The recovery that it completed: it sets up a factor, or is over. */
  readonly recovers?: string;
  /** When it asked for a recovery, whatever came of that, milliseconds since the epoch. */
  readonly askedRecovery?: number;
  /** It was led back to where a recovery is completed: once is enough. */
  readonly broughtBack?: true;
  /** Where nothing is enforced: it was complete by its first step, whatever is proved later. */
  readonly opened?: true;
  /** What made it: the method and path of the request, not to be read from this. */
  readonly route?: string;
  /** What a route asked for that this login could not show: the page offers nothing else. */
  readonly stepUp?: StepUpRequest;
  /** Its owner came to confirm that it is them, and nothing asked for it but they. */
  readonly confirming?: true;
  /** What was done last in the settings, and is to be told there, once. */
  readonly done?: Done;
  /** What was typed in the settings and could not be done before a proof. */
  readonly draft?: Draft;
}

/** A proof a route is waiting for, for anything it does. What is asked for one operation is kept with that. */
export interface StepUpRequest {
  /** Methods whose proof will do. */
  readonly methods: readonly MethodType[];
  /** When, milliseconds since the epoch. */
  readonly at: number;
  /** Where whoever turns away from it goes: a local path. */
  readonly backTo?: string;
}

/** What a login is worth right now. An `ended` one is over, whatever its session says. */
export type LoginStatus =
  | {
      readonly status: "not-enrolled" | "must-enroll";
      /** A factor exists all the same: policy exempts the user from being asked. */
      readonly isEnrolled?: true;
      /** It completed a recovery: it may set up a factor, and do nothing else. The account has those it had. */
      readonly recovers?: true;
      readonly expiresAt?: number;
      /** A factor is demanded, and is not due before, milliseconds since the epoch. */
      readonly graceUntil?: number;
      /** A complete login, as the account lists it. Absent: it is not listed yet. */
      readonly login?: Login;
    }
  | {
      readonly status: "pending";
      /** Absent: the session does not say yet since when. */
      readonly expiresAt?: number;
    }
  | {
      readonly status: "verified";
      /** With the proofs of factors that are still there: it may have none left. */
      readonly login: Login;
    }
  | { readonly status: "trusted-device"; readonly login: Login; readonly expiresAt: number }
  | { readonly status: "ended" };

/**
 * A login in a session that bears no record of it yet: made before this middleware saw it, by a remember-me cookie or a route above,
 * or written back by a slow request from before it was marked.
 */
export interface UnmarkedSession {
  /** The id its login has, if it was listed, or will have. */
  readonly id: string;
  /** When the session was last touched, by the machine's clock; undefined where its cookie does not tell. */
  readonly touchedAt: number | undefined;
  /** A record that was made for another session, and copied into this one. */
  readonly copied: SessionRecord | undefined;
}

/** Everything a login's worth depends on. */
export interface Assessed {
  readonly account: Account;
  /** Undefined: a login the session has no record of yet, or another user's. */
  readonly session: SessionRecord | undefined;
  readonly unmarked?: UnmarkedSession | undefined;
  readonly decision: LoginDecision;
  /** For those who have no factor; undefined: what is demanded of them is due. */
  readonly grace: Grace | undefined;
  /** When this process saw the login last; undefined where it did not. */
  readonly usedAt?: number | undefined;
  /** Milliseconds a browser is trusted from its grant; undefined: none is, whatever was granted before. */
  readonly trustMaxAge: number | undefined;
  readonly now: number;
}

/** What a login has owed so far. */
export function decisionOf({ decision = "optional" }: SessionRecord): LoginDecision {
  return decision;
}

/** The record of a login that owes this. */
export function withDecision({ decision: _before, ...session }: SessionRecord, decision: LoginDecision): SessionRecord {
  // What most logins owe is not written into every session.
  return decision === "optional" ? session : { ...session, decision };
}

/** The record of a login that waits for its second factor from now on. A new password ends it. */
export function asWaiting(session: SessionRecord, { passwordEpoch }: Account): SessionRecord {
  return { ...session, pending: true, ...(passwordEpoch !== undefined && { passwordEpoch }) };
}

const ENDED: LoginStatus = { status: "ended" };

/** The login of a session, where the account lists it at the stage that the session was made for. */
export function listedAt({ id, stage }: Pick<SessionRecord, "id" | "stage">, { logins }: Account): Login | undefined {
  return logins.find((login) => login.id === id && login.stage === stage);
}

function assessSecondStep(assessed: Assessed): LoginStatus {
  const { account, session, now, usedAt } = assessed;
  const login = session && listedAt(session, account);
  if (login === undefined || lifeEnd(login, usedAt) <= now) return ENDED;
  if (login.acting !== undefined) return isActingNow(login.acting, now) ? { status: "verified", login } : ENDED;
  // It has shown no more than its first factor, and is worth what that is worth now.
  if (isBare(login)) return listed(assessFirstStep(assessed), login);
  return assessRisen(assessed, login);
}

function assessRisen(assessed: Assessed, login: Login): LoginStatus {
  const { account, decision, session, trustMaxAge = 0, now } = assessed;
  const held = withHeldProofs(login, account);
  // Who was let in to set a first factor up has nothing else to show.
  if (!isEnrolled(account) && !held.proofs.some(isByPass)) {
    const graceUntil = graceEnd(assessed, now);
    if (graceUntil !== undefined) return { status: "not-enrolled", login, graceUntil };
    return { status: isDemanding(decision) ? "must-enroll" : "not-enrolled", login };
  }
  if (login.proofs.length > 0) return { status: "verified", login: held };
  // Whatever the browser shows, it is the login that is challenged.
  if (decision === "challenge") return due("pending", session, now);
  const device = login.deviceId === undefined ? undefined : liveDevice(account, login.deviceId, now, trustMaxAge);
  return device === undefined ? ENDED : { status: "trusted-device", login, expiresAt: endOf(device, trustMaxAge) };
}

function listed(status: LoginStatus, login: Login): LoginStatus {
  return status.status === "not-enrolled" || status.status === "must-enroll" ? { ...status, login } : status;
}

function hasEnded(id: string, { endedLogins }: Account, now: number): boolean {
  return endedLogins.some((end) => end.id === id && end.until > now);
}

/** Whoever knew the password that was, and has shown nothing else, is not let in by a proof that comes later. */
function isOfOldPassword({ passwordEpoch, pending }: SessionRecord, account: Account): boolean {
  return pending === true && account.passwordEpoch !== undefined && account.passwordEpoch !== passwordEpoch;
}

/**
 * It was ended, whatever else has become of it: by its epoch, by a new password, by a logout, or because the account lists it no more.
 * A complete login is over when it is not listed, and needs no further word.
 */
export function wasEnded(session: SessionRecord, account: Account, now: number): boolean {
  const { epoch, id, stage, step } = session;
  if (epoch !== account.sessionEpoch || isOfOldPassword(session, account)) return true;
  return step === "second" ? listedAt({ id, stage }, account) === undefined : hasEnded(id, account, now);
}

/** What began before it was copied goes on as it began: its ten minutes, and what it waits for. */
export function goesOn({ pending, step }: SessionRecord): boolean {
  return step === "first" || pending === true;
}

/**
 * By more than its trusted browser, which each request of it shows again: the first ones of a session may come side by side. Where
 * nothing is due nothing would be shown.
 */
function hasRisen({ deviceId, proofs, stage }: Login, assessed: Assessed): boolean {
  const isShownAgain = deviceId !== undefined && proofs.length === 0 && isDue(assessFirstStep(assessed));
  return stage !== undefined && !isShownAgain;
}

/** What it is a copy of is over, or staff's who act for the user: that is the user's own login nowhere. */
function isNotCopied(copied: SessionRecord, account: Account, now: number): boolean {
  return wasEnded(copied, account, now) || listedAt(copied, account)?.acting !== undefined;
}

/** It ended before it was marked here, or what it is a copy of did, or that has risen since. */
function wasEndedUnmarked({ copied, id, touchedAt = Infinity }: UnmarkedSession, assessed: Assessed): boolean {
  const { account, now } = assessed;
  if (hasEnded(id, account, now) || touchedAt <= (account.unmarkedOver?.touchedBy ?? -Infinity)) return true;
  if (account.logins.some((login) => login.id === id && hasRisen(login, assessed))) return true;
  if (copied === undefined || isNotCopied(copied, account, now)) return copied !== undefined;
  return goesOn(copied) && assessFirstStep({ ...assessed, session: copied }) === ENDED;
}

/** Undefined: of a complete login it has just come to be due, and nobody has been told yet. */
function dueSince({ at, dueAt, step }: SessionRecord): number | undefined {
  return step === "first" ? at : dueAt;
}

function due(status: "pending" | "must-enroll", session: SessionRecord | undefined, now: number): LoginStatus {
  if (session === undefined || (status === "must-enroll" && session.pending !== true)) return { status };
  const since = dueSince(session);
  if (since === undefined) return { status };
  const expiresAt = since + PENDING_LIFE;
  // Begun by a clock that was ahead, it would wait until that time comes.
  return expiresAt <= now || isFuture(since, now) ? ENDED : { status, expiresAt };
}

function assessFirstStep(assessed: Assessed): LoginStatus {
  const { account, session, decision, now } = assessed;
  const enrolled = isEnrolled(account);
  if (isExempting(decision)) return { status: "not-enrolled", ...(enrolled ? { isEnrolled: true } : {}) };
  if (enrolled) return due("pending", session, now);
  // Nothing exempts a login that waits already.
  const graceUntil = session?.pending === true ? undefined : graceEnd(assessed, now);
  if (graceUntil !== undefined) return { status: "not-enrolled", graceUntil };
  if (isDemanding(decision)) return due("must-enroll", session, now);
  return session?.pending === true ? ENDED : { status: "not-enrolled" };
}

/**
 * What this login is worth at this moment: a pure function of the account as stored, the session's record, the policy's decision
 * and the clock, and of nothing else.
 */
export function assess(assessed: Assessed): LoginStatus {
  const { account, now, session, unmarked } = assessed;
  if (session !== undefined && wasEnded(session, account, now)) return ENDED;
  if (unmarked !== undefined && wasEndedUnmarked(unmarked, assessed)) return ENDED;
  if (session?.step === "second") {
    const status = assessSecondStep(assessed);
    return status === ENDED ? status : assessRecovering(assessed, session, status);
  }
  const status = assessFirstStep(assessed);
  return session === undefined ? status : assessRecovering(assessed, session, status);
}

/** A login that completed a recovery sets up a factor and does nothing else; once it may not any more, it is over. */
function assessRecovering({ account, now }: Assessed, session: SessionRecord, status: LoginStatus): LoginStatus {
  const expiresAt = recoversUntil(account, session.id, now);
  if (expiresAt === undefined) return session.recovers === undefined ? status : ENDED;
  const login = "login" in status ? { login: status.login } : {};
  return { status: "must-enroll", recovers: true, expiresAt, ...login };
}

/** Until when a status holds while account, session and decision stay as they are; milliseconds since the epoch. */
export function holdsUntil(status: LoginStatus): number {
  return "expiresAt" in status ? (status.expiresAt ?? Infinity) : Infinity;
}

/** A second factor is due: nothing but the second-factor routes and exempt paths is reachable. */
export function isDue({ status }: LoginStatus): boolean {
  return status === "pending" || status === "must-enroll";
}
