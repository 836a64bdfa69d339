import type { Account } from "../core/account.js";
import { type AttemptWindows, countAttempt, limitReached, uncountAttempt } from "../core/attempts.js";
import { isSilence, failure, OF_SENDING, type Outcome, type Problem, success } from "../core/errors.js";
import { type LimitKind, type Limits, type MethodType, SECOND } from "../core/nouns.js";
import { iso } from "../core/time.js";
import { isAnything, within } from "../core/within.js";
import type { Subject } from "../events/emitter.js";
import type { EngineDependencies } from "./dependencies.js";
import type { Message, SendTerms } from "./method.js";
import type { Taken } from "./send-budgets.js";

/** What does not answer by then is given up, whatever a method says. */
const LONGEST_DELIVERY = 30 * SECOND;

/** No message can be sent for now, which says nothing about a code that was. */
function tooSoon(retryAfter: number): Problem {
  return { code: "too-many-attempts", retryAfter, members: { reason: OF_SENDING } };
}

/** What a message counts against in its account. */
function countedBy({ coolDown, limits }: SendTerms): readonly LimitKind[] {
  return coolDown === undefined ? limits : [...limits, coolDown];
}

/** Of the limits that stand before a message the one that lasts longest; undefined where one can be sent now. */
function reachedBy(account: Account, send: SendTerms, limits: Limits, now: number): ReturnType<typeof limitReached> {
  const { rejected } = send;
  const kinds = [...countedBy(send), ...(rejected === undefined ? [] : [rejected])];
  return limitReached(account, kinds, "login", limits, now);
}

/** An account with one more message counted, or why none may be sent now. */
export function countSend(
  { limits }: Pick<EngineDependencies, "limits">,
  account: Account,
  send: SendTerms,
  now: number,
): { readonly account: Account } | { readonly problem: Problem } {
  const reached = reachedBy(account, send, limits, now);
  if (reached !== undefined) return { problem: tooSoon(reached.retryAfter) };
  return { account: countAttempt(account, countedBy(send), "login", limits, now).account };
}

/** The time between two messages is not over. */
export function isCooling(
  { limits }: Pick<EngineDependencies, "limits">,
  account: Account,
  { coolDown }: Pick<SendTerms, "coolDown"> = {},
  now: number,
): boolean {
  return coolDown !== undefined && limitReached(account, [coolDown], "login", limits, now) !== undefined;
}

/** When another message can be asked for, where there is a cool-down between two: a member of answers. */
export function resending(
  { limits }: Pick<EngineDependencies, "limits">,
  account: Account,
  send: SendTerms | undefined,
  now: number,
): { readonly resendAt?: string } {
  if (send?.coolDown === undefined) return {};
  const reached = reachedBy(account, send, limits, now);
  return { resendAt: iso(reached?.endsAt ?? now) };
}

/** A message that was written down as sent. */
export interface Written {
  readonly message: Message;
  /** The account's windows that it was counted in. */
  readonly counted: AttemptWindows;
  /** The account as if it had not been asked for. */
  readonly undo: (account: Account) => Account;
}

/** The kind of factor that a message is for. */
export interface SentBy {
  readonly type: MethodType;
  readonly send?: SendTerms | undefined;
}

/** What was counted for a message that was not sent. */
interface Counted extends Omit<Written, "message"> {
  readonly taken: readonly Taken[];
}

/**
 * Delivers what has been written down as sent, once the budgets of all accounts have room for it. Where it is refused everything is
 * given back (`undo`); where nobody answers it may have been delivered all the same, and stays counted.
 */
export async function deliver(
  dependencies: EngineDependencies,
  subject: Subject,
  { send, type }: SentBy,
  { message, ...written }: Written,
): Promise<Outcome<undefined>> {
  const { budgets, emitAudit, emitError } = dependencies;
  const reserved = await budgets.reserve(message.budgets ?? []).catch(async (error: unknown) => {
    // Nothing was sent: it must not have been counted, as far as that can still be written.
    await takeBack(dependencies, subject, send, { ...written, taken: [] }).catch(() => undefined);
    throw error;
  });
  if ("exhausted" in reserved) {
    const { exhausted, retryAfter } = reserved;
    await takeBack(dependencies, subject, send, { ...written, taken: [] });
    emitAudit("attempt-refused", subject, { method: type, reason: exhausted.kind, outcome: "failure" });
    return { ok: false, problem: tooSoon(retryAfter) };
  }
  for (const { near } of reserved.near) {
    if (near !== undefined) emitAudit(near.action, subject, { method: type, reason: near.reason });
  }
  const refusal = await handedOver(send, message);
  if (refusal === undefined) {
    emitAudit(send?.sentAs ?? "code-sent", subject, { method: type });
    return success(undefined);
  }
  emitError("sender", refusal.error, subject);
  emitAudit("delivery-failed", subject, { method: type, outcome: "failure" });
  if (isSilence(refusal.error)) await warm(dependencies, subject, send, written.counted);
  else await takeBack(dependencies, subject, send, { ...written, taken: reserved.taken }, send?.rejected);
  return failure("delivery-failed");
}

/** Undefined where the sender took the message over. */
async function handedOver(
  send: SendTerms | undefined,
  message: Message,
): Promise<{ readonly error: unknown } | undefined> {
  const timeout = Math.min(send?.timeout ?? LONGEST_DELIVERY, LONGEST_DELIVERY);
  const waiting = new AbortController();
  try {
    await within(message.by ?? "The sender", timeout, () => message.deliver(waiting.signal), isAnything);
    return undefined;
  } catch (error) {
    waiting.abort();
    return { error };
  }
}

/** `rejected`: what a message counts against that was not taken. */
async function takeBack(
  { budgets, limits, records }: EngineDependencies,
  subject: Subject,
  send: SendTerms | undefined,
  { counted, taken, undo }: Counted,
  rejected?: LimitKind,
): Promise<void> {
  const given = records.change(subject, ({ account }, now) => {
    const before = undo(uncountAttempt(account, send === undefined ? [] : countedBy(send), counted));
    const next = rejected === undefined ? before : countAttempt(before, [rejected], "login", limits, now).account;
    return { account: next, result: undefined };
  });
  // Neither is kept because the other could not be given back.
  const [own, shared] = await Promise.allSettled([given, budgets.release(taken)]);
  for (const each of [own, shared]) if (each.status === "rejected") throw each.reason;
}

/** Nobody knows whether it was sent: its owner need not wait to try again. */
async function warm(
  { records }: EngineDependencies,
  subject: Subject,
  send: SendTerms | undefined,
  counted: AttemptWindows,
): Promise<void> {
  const { coolDown } = send ?? {};
  if (coolDown === undefined) return;
  await records.change(subject, ({ account }) => ({
    account: uncountAttempt(account, [coolDown], counted),
    result: undefined,
  }));
}
