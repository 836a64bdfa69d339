import type { Account } from "./account.js";
import { DAY, type LimitKind, type Limits, MINUTE } from "./nouns.js";
import { isFuture } from "./time.js";

// The way back for somebody who has lost every factor: asked for, confirmed by mail, waited for, completed. Pure changes, as those of
// account-changes. No factor goes before the write that puts a new one in force.

/** What shortens a wait: shown with the request, or, by a second channel, once the wait has begun. */
export type EvidenceKind = "trusted-browser" | "old-backup-code" | "second-channel";

/** How long is waited where that was shown, milliseconds. What is not there does not count. */
export type EvidenceWaits = Partial<Readonly<Record<EvidenceKind, number>>>;

/** A recovery that was asked for. Times are in milliseconds since the epoch. */
export interface Recovery {
  readonly id: string;
  readonly requestedAt: number;
  /** The login that asked, as its session names it: another one has to complete it. */
  readonly by: string;
  /** It is over then unless it was confirmed. */
  readonly confirmBy: number;
  /** Names the one link that confirms or completes it. Renewed with every mail, and by every use. */
  readonly link: string;
  /** What was shown of what counts. Absent: nothing. */
  readonly evidence?: readonly EvidenceKind[];
  /** Where it was asked for. */
  readonly browser?: string;
  readonly ip?: string;
  /** Where its mails go, sealed: there is no request at hand when most of them are due. */
  readonly reach: string;
  readonly confirmedAt?: number;
  /** Names the one link in messages to other channels that shortens the wait, until one of them is used. Absent: none does. */
  readonly vouch?: string;
  /** When the wait is over. */
  readonly completesAt?: number;
  /** When its owner is to be told again. Absent: they were, or the wait is over. */
  readonly halfAt?: number;
  /** The application has the last word about it: a process whose options know of none does not take it on without. */
  readonly asksFirst?: true;
  /** Until then one process asks the application whether it may go on. */
  readonly askedUntil?: number;
  readonly readyAt?: number;
  /** No link completes it any more. */
  readonly linkUntil?: number;
  /** The login that completed it alone sets up a factor, until then. */
  readonly completed?: { readonly at: number; readonly loginId: string; readonly enrollBy: number };
}

/** What is told of it. `ready`: the link that completes it was mailed. */
export type RecoveryState = "none" | "requested" | "waiting" | "ready";

/** What ended it. Of staff the audit trail has why. */
export type RecoveryEnd = "link" | "proof" | "settings" | "staff" | "report" | "refused" | "expired" | "reset";

/** Requests of one account, whatever came of them. */
export const RECOVERY_LIMIT: LimitKind = "recovery";
export const RECOVERY_LIMITS: Limits = { [RECOVERY_LIMIT]: { limit: 3, window: DAY } };

/** The confirming link is good that long. */
export const CONFIRM_LIFE = 30 * MINUTE;
/** The completing link, and others that are asked for in its place. */
const COMPLETE_LIFE = DAY;
/** The login that completed it has that long to set up a factor. */
const ENROLL_LIFE = 10 * MINUTE;
/** After a recovery no sensitive route is open, and no address is changed. */
export const PROBATION = 72 * 60 * MINUTE;
/** Where the application does not say whether it may go on, it is over. */
const PATIENCE = 30 * DAY;

type Held = Pick<Account, "recovery">;

function endOf({ completed, completesAt, confirmBy, linkUntil }: Recovery): number {
  if (completesAt === undefined) return confirmBy;
  return linkUntil === undefined ? completesAt + PATIENCE : Math.max(linkUntil, completed?.enrollBy ?? 0);
}

/** The recovery of the account that is not over. Of a clock that was ahead it is. */
export function recoveryOf({ recovery }: Held, now: number): Recovery | undefined {
  if (recovery === undefined || isFuture(recovery.requestedAt, now)) return undefined;
  return endOf(recovery) > now ? recovery : undefined;
}

export function stateOf(recovery: Recovery | undefined): RecoveryState {
  if (recovery === undefined) return "none";
  if (recovery.confirmedAt === undefined) return "requested";
  return recovery.linkUntil === undefined ? "waiting" : "ready";
}

/** What is shown, each once; nothing where that is nothing. */
function evidenceMember(shown: readonly EvidenceKind[]): Pick<Recovery, "evidence"> {
  return shown.length === 0 ? {} : { evidence: [...new Set(shown)] };
}

/**
 * With one that was asked for; asked for again before it is confirmed it stays what it is, and its newest link alone confirms it. What
 * the same login has shown before it has shown; what another one showed is not this one's.
 */
export function withRequested(
  account: Account,
  { evidence = [], ...asked }: Omit<Recovery, "id" | "confirmBy" | "requestedAt">,
  id: string,
  now: number,
): Account {
  const known = recoveryOf(account, now);
  const before = known?.by === asked.by ? (known.evidence ?? []) : [];
  const shown = evidenceMember([...before, ...evidence]);
  return {
    ...account,
    recovery: { ...asked, ...shown, id: known?.id ?? id, requestedAt: now, confirmBy: now + CONFIRM_LIFE },
  };
}

/** Of what was shown that which makes the wait the shortest; undefined where nothing was that counts. */
export function countingOf(
  { evidence = [] }: Pick<Recovery, "evidence">,
  waits: EvidenceWaits,
): EvidenceKind | undefined {
  const lengthOf = (each: EvidenceKind): number => waits[each] ?? Infinity;
  return evidence.filter((each) => lengthOf(each) < Infinity).sort((a, b) => lengthOf(a) - lengthOf(b))[0];
}

/** How a wait begins. */
interface Waiting {
  /** Milliseconds. */
  readonly wait: number;
  /** One that nobody was told. */
  readonly link: string;
  /** Names the link that shortens it. Undefined: none does. */
  readonly vouch: string | undefined;
  /** The application has the last word, when it is over. */
  readonly asksFirst: boolean;
}

/** With its wait begun. */
export function withConfirmed(
  account: Account,
  recovery: Recovery,
  { asksFirst, link, vouch, wait }: Waiting,
  now: number,
): Account {
  const halfAt = wait > 0 ? { halfAt: now + Math.ceil(wait / 2) } : {};
  const more = { ...halfAt, ...(vouch !== undefined && { vouch }), ...(asksFirst && { asksFirst }) };
  return { ...account, recovery: { ...recovery, link, confirmedAt: now, completesAt: now + wait, ...more } };
}

/** When the wait is over once it is confirmed from a second channel, too: counted from its beginning, and no later than it was. */
export function vouchedEnd({ completesAt, confirmedAt }: Recovery, wait: number, now: number): number {
  const end = Math.max(now, (confirmedAt ?? now) + wait);
  return Math.min(end, completesAt ?? end);
}

/** Confirmed from a second channel, too. Half time moves with the end; where it is past it is not told: this is. */
export function withVouched(account: Account, recovery: Recovery, wait: number, now: number): Account {
  const { halfAt: told, vouch: _used, ...kept } = recovery;
  const completesAt = vouchedEnd(recovery, wait, now);
  const half = Math.ceil(((kept.confirmedAt ?? now) + completesAt) / 2);
  const halfAt = told !== undefined && half > now ? { halfAt: half } : {};
  const shown = evidenceMember([...(kept.evidence ?? []), "second-channel"]);
  return { ...account, recovery: { ...kept, ...shown, completesAt, ...halfAt } };
}

/** Ready to be completed by this link; asked for again, no longer than it was. */
export function withLink(account: Account, recovery: Recovery, link: string, now: number): Account {
  const { askedUntil: _asked, halfAt: _told, vouch: _late, ...kept } = recovery;
  const until = kept.linkUntil ?? now + COMPLETE_LIFE;
  return { ...account, recovery: { ...kept, link, readyAt: kept.readyAt ?? now, linkUntil: until } };
}

/** This login alone may set up a factor now. `link`: one that nobody was told. */
export function withCompleted(
  account: Account,
  recovery: Recovery,
  { link, loginId }: { readonly link: string; readonly loginId: string },
  now: number,
): Account {
  return {
    ...account,
    recovery: { ...recovery, link, completed: { at: now, loginId, enrollBy: now + ENROLL_LIFE } },
  };
}

export function withoutRecovery({ recovery: _over, ...account }: Account): Account {
  return account;
}

/** Until when this login may set up a factor because it completed a recovery; undefined where it may not. */
export function recoversUntil(account: Held, loginId: string, now: number): number | undefined {
  const { completed } = recoveryOf(account, now) ?? {};
  return completed?.loginId === loginId && completed.enrollBy > now ? completed.enrollBy : undefined;
}

/**
 * Until when the account is on probation; undefined where it is not. A clock that is set back neither lifts it nor makes it longer than
 * one is. What ends later than two would was begun by a clock that was ahead, and does not count: it could last for years.
 */
export function probationUntil(
  { probationUntil: until = 0 }: Pick<Account, "probationUntil">,
  now: number,
): number | undefined {
  return until > now && until <= now + 2 * PROBATION ? Math.min(until, now + PROBATION) : undefined;
}

/** When its owner is to be told for the second time. */
export function halfDueAt({ recovery }: Held): number | undefined {
  return recovery?.halfAt;
}

/** When its wait is over, or the application is to be asked again whether it may go on. */
export function readyDueAt({ recovery }: Held): number | undefined {
  if (recovery?.completesAt === undefined || recovery.linkUntil !== undefined) return undefined;
  return Math.max(recovery.completesAt, recovery.askedUntil ?? 0);
}

/** When it is over by itself. */
export function overDueAt({ recovery }: Held, now: number): number | undefined {
  if (recovery === undefined) return undefined;
  return isFuture(recovery.requestedAt, now) ? now : endOf(recovery);
}
