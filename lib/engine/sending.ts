import { type Account, activeFactorsOf, type Factor } from "../core/account.js";
import { isClosed, replaceFactor } from "../core/account-changes.js";
import { countAttempt, limitReached, uncountAttempt } from "../core/attempts.js";
import { failure, isSilence, type Outcome, type Problem, success } from "../core/errors.js";
import { type FactorId, type LimitKind, SECOND } from "../core/nouns.js";
import { isAnything, within } from "../core/within.js";
import type { Subject } from "../events/emitter.js";
import type { Change } from "./account-records.js";
import type { EngineDependencies } from "./dependencies.js";
import { type LoginContext, recipientOf, scopeOf, subjectOf, weighed } from "./login-context.js";
import type { AnyMethod, Deliver, Prepared, Send } from "./method.js";
import type { WaitingOperation } from "./operations.js";

/** What does not answer by then is given up, whatever a method says. */
const LONGEST_DELIVERY = 30 * SECOND;

type Sendable = AnyMethod & { readonly send: Send };

/** Which factor a message is for, and what it is to confirm. */
interface Sent {
  readonly factorId?: FactorId | undefined;
  readonly operation?: WaitingOperation | undefined;
}

/** An account with one more message counted, or why none may be sent now. */
export function countSend(
  { limits }: EngineDependencies,
  account: Account,
  kinds: readonly LimitKind[],
  now: number,
): { readonly account: Account } | { readonly problem: Problem } {
  const reached = limitReached(account, kinds, "login", limits, now);
  if (reached !== undefined) return { problem: { code: "too-many-attempts", retryAfter: reached.retryAfter } };
  return countAttempt(account, kinds, "login", limits, now);
}

/**
 * Delivers what has been written down as sent. Where it is refused everything is given back (`undo`); where nobody answers it may
 * have been delivered all the same, and stays counted.
 */
export async function deliver(
  { emitAudit, emitError, records }: EngineDependencies,
  subject: Subject,
  { send, type }: AnyMethod,
  message: Deliver,
  undo: (account: Account) => Account,
): Promise<Outcome<undefined>> {
  const timeout = Math.min(send?.timeout ?? LONGEST_DELIVERY, LONGEST_DELIVERY);
  try {
    await within("The sender", timeout, message, isAnything);
  } catch (error) {
    emitError("sender", error, subject);
    emitAudit("delivery-failed", subject, { method: type, outcome: "failure" });
    if (!isSilence(error)) {
      await records.change(subject, ({ account }) => ({
        account: undo(uncountAttempt(account, send?.limits ?? [])),
        result: undefined,
      }));
    }
    return failure("delivery-failed");
  }
  emitAudit("code-sent", subject, { method: type });
  return success(undefined);
}

/** Sends what a factor is asked for with, under the limits of its method: only ever to what is stored. */
export class Sending {
  constructor(private readonly dependencies: EngineDependencies) {}

  /** `factorId`: of several of a kind the one used last. What is sent for an operation proves nothing else. */
  async send(
    login: LoginContext,
    method: AnyMethod,
    { factorId, operation }: Sent = {},
  ): Promise<Outcome<Readonly<Record<string, unknown>>>> {
    if (method.send === undefined) return failure("not-found");
    const sendable = method as Sendable;
    const subject = subjectOf(login);
    const { result } = await this.dependencies.records.change<Outcome<Prepared>>(
      subject,
      (current, now) => this.prepare(weighed(login, current, now), sendable, { factorId, operation }, now),
      login.record,
    );
    if (!result.ok) return result;
    const { answer, deliver: message } = result.value;
    const sent = await deliver(this.dependencies, subject, method, message, (account) => undone(account, result.value));
    return sent.ok ? success(answer) : sent;
  }

  private async prepare(
    login: LoginContext,
    { send, type }: Sendable,
    { factorId, operation }: Sent,
    now: number,
  ): Promise<Change<Outcome<Prepared>>> {
    if (login.status.status === "ended") return { result: failure("expired") };
    const { account } = login.record;
    const scope = scopeOf(login);
    const asked = activeFactorsOf(account, type).filter(({ id }) => factorId === undefined || id === factorId);
    const factor = lastUsed(asked.filter((each) => !isClosed(each, scope)));
    if (factor === undefined) return { result: failure(asked.length > 0 ? "too-many-attempts" : "not-found") };
    const counted = countSend(this.dependencies, account, send.limits, now);
    if ("problem" in counted) return { result: { ok: false, problem: counted.problem } };
    const context = { userId: login.userId, now, keys: this.dependencies.keys, loginId: recipientOf(login, operation) };
    const prepared = await send.prepare(factor, context);
    if ("code" in prepared) return { result: { ok: false, problem: prepared } };
    return { account: replaceFactor(counted.account, prepared.factor), result: success(prepared) };
  }
}

/** The factor may be gone by now, or changed by others. */
function undone(account: Account, prepared: Prepared): Account {
  const factor = account.factors.find(({ id }) => id === prepared.factor.id);
  const before = factor && prepared.undo?.(factor);
  return before === undefined ? account : replaceFactor(account, before);
}

function lastUsed(factors: readonly Factor[]): Factor | undefined {
  return factors.toSorted((a, b) => (b.lastUsedAt ?? b.createdAt) - (a.lastUsedAt ?? a.createdAt))[0];
}
