import type { Account } from "./account.js";
import { isLive } from "./logins.js";
import { MINUTE } from "./nouns.js";
import { voidPasses } from "./passes.js";
import { FREEZE, frozenUntil } from "./reports.js";
import { cleanText } from "./text.js";
import { isFuture } from "./time.js";

// What an account keeps of what its help desk is about to do: who is on the line, and what a second operator has to approve.

/** A number that the caller reads out from their own signed-in page. */
export interface CallerCheck {
  readonly beganAt: number;
  /** The key that the number is made with, sealed. The number itself is stored nowhere. */
  readonly key: string;
  readonly nonce: string;
  /** The logins that it was shown to, so that somebody can know it. Absent: nobody can. */
  readonly shownTo?: readonly string[];
  /** Numbers that were not the one. */
  readonly wrong: number;
}

/** What the help desk may only do once another operator has approved it. */
export type DeskOperation = "reset" | "issueTemporaryPass";

/** How long a temporary pass is good, milliseconds, and how often. */
export interface PassTerms {
  readonly life: number;
  readonly uses: number;
}

/** An operation that waits for another operator. */
export interface DeskRequest {
  readonly id: string;
  readonly operation: DeskOperation;
  /** Milliseconds since the epoch. */
  readonly askedAt: number;
  /** Who asked, and why. */
  readonly actor: string;
  readonly reason: string;
  readonly terms?: PassTerms;
}

/** Milliseconds. */
const CHECK_LIFE = 5 * MINUTE;
export const REQUEST_LIFE = 15 * MINUTE;
/** Of one account; the oldest goes first. */
const MOST_REQUESTS = 5;
const MOST_WRONG = 3;

/** Why somebody of the staff does something, in characters. */
export const MAX_REASON = 255;
const MAX_ACTOR = 255;

/** Spaces and invisible characters: they do not make another operator of a name. */
const BLANKS = /[\s\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]+/gu;

/** A name of an operator as it is kept: one line, and visible characters only. Empty: nobody is named. */
export function actorOf(actor: string): string {
  return cleanText(actor.replace(BLANKS, " "), MAX_ACTOR);
}

/** By way of capitals, because there are fewer: a final sigma and a dotless i have none of their own. */
function spelled(actor: string): string {
  return actorOf(actor).normalize("NFKC").toUpperCase().toLowerCase().replace(BLANKS, "");
}

/** However it is spelled, it is the same operator. */
export function isSameActor(one: string, other: string): boolean {
  return spelled(one) === spelled(other);
}

function isWithin(at: number, life: number, now: number): boolean {
  return at + life > now && !isFuture(at, now);
}

/**
 * The check that is open; undefined: none is. It is over with any login that saw its number: whoever was signed out, by themselves or by
 * the owner, is not to be believed by what they wrote down.
 */
export function openCheck(account: Account, now: number): CallerCheck | undefined {
  const { callerCheck, logins } = account;
  if (callerCheck === undefined || !isWithin(callerCheck.beganAt, CHECK_LIFE, now)) return undefined;
  const isThere = (id: string): boolean => logins.some((login) => login.id === id && isLive(account, login, now));
  return (callerCheck.shownTo ?? []).every(isThere) ? callerCheck : undefined;
}

/** With the number shown to this login, which has not seen it yet. */
export function withShown(account: Account, check: CallerCheck, loginId: string): Account {
  return { ...account, callerCheck: { ...check, shownTo: [...(check.shownTo ?? []), loginId] } };
}

export function checkEnd({ beganAt }: CallerCheck): number {
  return beganAt + CHECK_LIFE;
}

/** Without a check. */
export function withoutCheck({ callerCheck: _over, ...account }: Account): Account {
  return account;
}

/** After a number that was not the one; so many of them end it. */
export function afterWrongNumber(account: Account, check: CallerCheck): Account {
  const wrong = check.wrong + 1;
  return wrong < MOST_WRONG ? { ...account, callerCheck: { ...check, wrong } } : withoutCheck(account);
}

/** With something that another operator has to approve. What is over goes, and what the same operator asked for alike. */
export function withRequest(account: Account, request: DeskRequest, now: number): Account {
  const isAlike = ({ actor, operation }: DeskRequest): boolean =>
    operation === request.operation && isSameActor(actor, request.actor);
  const others = (account.deskRequests ?? []).filter(
    (each) => isWithin(each.askedAt, REQUEST_LIFE, now) && !isAlike(each),
  );
  return { ...account, deskRequests: [...others, request].slice(-MOST_REQUESTS) };
}

export function openRequest(
  { deskRequests = [] }: Pick<Account, "deskRequests">,
  id: string,
  now: number,
): DeskRequest | undefined {
  return deskRequests.find((each) => each.id === id && isWithin(each.askedAt, REQUEST_LIFE, now));
}

/** Without those for this operation: what two have asked for alike is done once. Default: without any. */
export function withoutRequests({ deskRequests = [], ...account }: Account, done?: DeskOperation): Account {
  const others = deskRequests.filter(({ operation }) => done !== undefined && operation !== done);
  return others.length === 0 ? account : { ...account, deskRequests: others };
}

/** A factor was set up: whoever was let in for that has done so, and what the desk was asked for was asked without it. */
export function withDeskDone(account: Account): Account {
  return withoutRequests(voidPasses(account));
}

/** Its owner has reported something since it was asked for, which whoever asked could not know. */
export function isReportedSince(account: Pick<Account, "frozenUntil">, { askedAt }: DeskRequest, now: number): boolean {
  const until = frozenUntil(account, now);
  return until !== undefined && until - FREEZE >= askedAt;
}

/** When all of it is over, milliseconds since the epoch; 0 where there is nothing. */
export function deskEnd({ callerCheck, deskRequests = [] }: Pick<Account, "callerCheck" | "deskRequests">): number {
  const check = callerCheck === undefined ? 0 : checkEnd(callerCheck);
  return Math.max(check, ...deskRequests.map(({ askedAt }) => askedAt + REQUEST_LIFE));
}
