import { type Account, activeFactorsOf, type Factor } from "../core/account.js";
import { isClosed } from "../core/account-changes.js";
import { type AttemptScope, limitReached } from "../core/attempts.js";
import type { Limits, MethodType } from "../core/nouns.js";
import { iso } from "../core/time.js";
import { resending } from "./delivery.js";
import type { AnyMethod, Site } from "./method.js";

/** What a visitor can be asked for: their own factors, by method, what is to be asked for first before the others. */
export interface MethodChoice {
  readonly type: MethodType;
  readonly factors: readonly FactorChoice[];
  /** Whole seconds in which nothing of it is tried, because there were too many attempts. Absent: it can be tried now. */
  readonly retryAfter?: number;
  /** The method's own word for why nothing of it is asked now. Absent: something is. */
  readonly paused?: string;
}

/** `closed`: too many wrong answers in a row; it proves nothing until another factor, or support, opens it again. */
export interface FactorChoice {
  readonly id: string;
  readonly label: string;
  readonly hint?: string;
  readonly closed?: true;
  /** What was sent to this login and can still be answered. Times are ISO 8601, UTC. */
  readonly sent?: { readonly expiresAt: string; readonly resendAt?: string };
}

/** Who is asked, where and when. `scope`: which attempts theirs are counted with. */
export interface Asked {
  readonly account: Account;
  readonly scope: AttemptScope;
  readonly place: Place;
  readonly limits: Limits;
  readonly now: number;
  /** Whose messages they may answer. */
  readonly loginId?: string | undefined;
}

type Place = Pick<Site, "origins">;

/** A factor that can prove nothing here, whoever holds it, and the method's own word for why. */
export interface UnusableFactor {
  readonly id: string;
  readonly type: MethodType;
  readonly label: string;
  readonly reason: string;
}

export function unusableOf(method: AnyMethod, account: Account, place: Place): UnusableFactor[] {
  return activeFactorsOf(account, method.type).flatMap((factor) => {
    const reason = method.obstacle?.(factor, place);
    return reason === undefined ? [] : [{ id: factor.id, type: method.type, label: factor.label, reason }];
  });
}

/** A factor that holds something to prove it with, here: of a set of codes one is left. */
export function isUsable(method: AnyMethod, factor: Factor, place: Place): boolean {
  return method.remaining?.(factor) !== 0 && method.obstacle?.(factor, place) === undefined;
}

function sentTo(
  { send }: AnyMethod,
  factor: Factor,
  { account, limits, loginId, now }: Asked,
): Pick<FactorChoice, "sent"> {
  const until = send?.openUntil?.(factor, { loginId, now });
  if (until === undefined) return {};
  return { sent: { expiresAt: iso(until), ...resending({ limits }, account, send, now) } };
}

/** What keeps the whole of a kind from being tried now, if only for a while. */
function waitingOf(
  method: AnyMethod,
  { account, limits, now, scope }: Asked,
): Pick<MethodChoice, "paused" | "retryAfter"> {
  const pause = method.paused?.(account, now);
  const { retryAfter } = pause ?? limitReached(account, method.limits, scope, limits, now) ?? {};
  return { ...(pause && { paused: pause.reason }), ...(retryAfter !== undefined && { retryAfter }) };
}

function choiceOf(method: AnyMethod, asked: Asked): MethodChoice {
  const { account, place, scope } = asked;
  const usable = activeFactorsOf(account, method.type).filter((factor) => isUsable(method, factor, place));
  const factors = usable.map((factor) => {
    const hint = method.hint?.(factor);
    return {
      id: factor.id,
      label: factor.label,
      ...(hint === undefined ? {} : { hint }),
      ...(isClosed(factor, scope) ? { closed: true as const } : {}),
      ...sentTo(method, factor, asked),
    };
  });
  return { type: method.type, factors, ...waitingOf(method, asked) };
}

/**
 * What speaks for asking for a method first, the weightiest before the rest: it is no spare set that runs out, its owner wants it,
 * no look-alike site can use it, nobody takes it over with a line or a mailbox, how much it shows, when it was last used.
 */
function weightsOf(method: AnyMethod, account: Account): readonly number[] {
  const { aal, isRestricted = false, phishingResistant, type } = method;
  const used = activeFactorsOf(account, type).map(({ lastUsedAt }) => lastUsedAt ?? 0);
  const isWanted = account.preferred === type;
  const isSpare = method.mint !== undefined;
  return [!isSpare, isWanted, phishingResistant, !isRestricted, aal, Math.max(0, ...used)].map(Number);
}

function byWeight(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((weight, index) => weight !== other[index]);
  return (other[at] ?? 0) - (one[at] ?? 0);
}

/** The account's factors by method, in the order in which they are to be asked for; what weighs the same keeps its order. */
export function choicesOf(methods: readonly AnyMethod[], asked: Asked): MethodChoice[] {
  const weighed = methods.map((method) => ({ method, weights: weightsOf(method, asked.account) }));
  return weighed
    .sort((one, other) => byWeight(one.weights, other.weights))
    .map(({ method }) => choiceOf(method, asked))
    .filter(({ factors }) => factors.length > 0);
}

/** Something of it can be proved, now or after a while. */
export function isOpen({ factors }: MethodChoice): boolean {
  return factors.some(({ closed }) => closed !== true);
}

/** What to ask for first: what can be tried now, else what can be again after a while. Undefined: all of it is closed. */
export function preferredOf(choices: readonly MethodChoice[]): MethodChoice | undefined {
  const open = choices.filter(isOpen);
  return open.find(({ paused, retryAfter }) => retryAfter === undefined && paused === undefined) ?? open[0];
}

/** Something of it was sent a moment ago, and is waited for: whoever comes back to the page has it in hand. */
function isAsked({ factors }: MethodChoice): boolean {
  return factors.some(({ sent }) => sent !== undefined);
}

/** What was asked for, or tried. */
export interface Sought {
  readonly tried?: MethodType | undefined;
  /** As a browser asks: anything. */
  readonly wanted?: unknown;
}

/**
 * What is shown of the choices. `instead`: what was tried has to wait, so something is shown that has not. An empty list shows
 * nothing.
 */
export function shownOf(
  choices: readonly MethodChoice[],
  { tried, wanted }: Sought,
): { readonly type: MethodType | undefined; readonly instead: boolean } {
  const best = preferredOf(choices);
  const sought = choices.find(({ type }) => type === (tried ?? wanted)) ?? choices.find(isAsked);
  const instead =
    tried !== undefined && sought?.retryAfter !== undefined && best !== undefined && best.retryAfter === undefined;
  return { type: (instead ? best : (sought ?? best ?? choices[0]))?.type, instead };
}
