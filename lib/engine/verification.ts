import { type Account, addActivity, type Factor, factorsOf, replaceFactor } from "../core/account.js";
import { failure, type Outcome, type Problem, success } from "../core/errors.js";
import type { Proof } from "../core/nouns.js";
import type { Subject } from "../events/emitter.js";
import type { Attempter } from "../limits/attempts.js";
import type { Evidence, Method, MethodContext, Rejection } from "../methods/contract.js";
import type { Parts } from "./parts.js";
import type { Change, Versioned } from "./records.js";

/** Wrong answers in a row after which a factor is disabled (NIST SP 800-63B-4 section 3.2.2 allows at most 100). */
const DISABLED_AFTER = 50;

export function isDisabled(factor: Factor): boolean {
  return factor.failures >= DISABLED_AFTER;
}

/** Who tries, for the limits and for the audit trail. */
export interface Trier {
  readonly attempter: Attempter;
  readonly subject: Subject;
}

/** One attempt at proving a factor, wherever it comes from. */
export interface Attempt<T> extends Trier {
  readonly method: Method;
  readonly known?: Versioned | undefined;
  /** Finds the factor that is proved, among those in force. Asked again where another write came in between. */
  prove(factors: readonly Factor[], context: MethodContext): Promise<Evidence<unknown> | Rejection | undefined>;
  /** Why nothing may be verified on the account as it is now; undefined where it may. */
  admit(account: Account, now: number): Problem | undefined;
  /** What a proof brings about, written in the same write that uses the proof up. */
  complete(account: Account, proof: Proof): Promise<{ readonly account: Account; readonly value: T }>;
}

export interface Verified<T> {
  readonly value: T;
  readonly proof: Proof;
  /** What the method adds to the answer. */
  readonly answer: Readonly<Record<string, unknown>>;
}

/** An attempt's outcome and what is to be told once it is written. */
interface Tried<T> {
  readonly outcome: Outcome<Verified<T>>;
  readonly telling?: () => void;
}

function refused<T>(problem: Problem): Change<Tried<T>> {
  return { result: { outcome: { ok: false, problem } } };
}

function withFailure(account: Account, factors: readonly Factor[]): Account {
  return factors.reduce((changed, each) => replaceFactor(changed, { ...each, failures: each.failures + 1 }), account);
}

/** A right answer clears its own factor and re-opens those that guessing had disabled. */
function withSuccess(account: Account, proved: Factor, now: number): Account {
  const opened = account.factors.map((factor) => (isDisabled(factor) ? { ...factor, failures: 0 } : factor));
  return replaceFactor({ ...account, factors: opened }, { ...proved, failures: 0, lastUsedAt: now });
}

/** Runs a check; one that could not be finished was no attempt, and is not counted. */
export async function giveBackOnError<T>(giveBack: () => Promise<void>, check: () => Promise<T>): Promise<T> {
  try {
    return await check();
  } catch (error) {
    await giveBack();
    throw error;
  }
}

/** The one path of every verification: is it locked, limited, right, consumed; write it down, tell someone. */
export class Verification {
  constructor(private readonly parts: Parts) {}

  /** Checks a proof and uses it up. Of any number of simultaneous attempts with one proof, one succeeds. */
  async attempt<T>(attempt: Attempt<T>): Promise<Outcome<Verified<T>>> {
    return this.counted(attempt.method, attempt, async () => {
      const change = (account: Account): Promise<Change<Tried<T>>> => this.tryOnce(attempt, account);
      const { outcome, telling } = await this.parts.records.update(attempt.attempter.userId, change, attempt.known);
      telling?.();
      return outcome;
    });
  }

  /** Runs a check under the limits of its method. Only a wrong answer stays counted. */
  async counted<T>(
    method: Method,
    { attempter, subject }: Trier,
    check: () => Promise<Outcome<T>>,
  ): Promise<Outcome<T>> {
    const { limits, tell } = this.parts;
    const taken = await limits.take([...method.limits, "address"], attempter);
    if (!taken.allowed) {
      // Told once per window, or whoever knows a password could bury its owner in notices.
      const action = taken.isFirst ? "locked" : "attempt-refused";
      tell(action, subject, { method: method.type, outcome: "failure", reason: taken.kind });
      return failure("too-many-attempts", { retryAfter: taken.retryAfter });
    }
    const outcome = await giveBackOnError(taken.giveBack, check);
    // Not waited for: that an attempt is given back holds nobody up, and until it is, one fewer is left.
    if (outcome.ok || outcome.problem.code !== method.refusal) void taken.giveBack();
    else tell("factor-failed", subject, { method: method.type, outcome: "failure" });
    return outcome;
  }

  private async tryOnce<T>(attempt: Attempt<T>, account: Account): Promise<Change<Tried<T>>> {
    const now = this.parts.clock();
    const { method } = attempt;
    const refusal = attempt.admit(account, now);
    if (refusal !== undefined) return refused(refusal);
    const enrolled = factorsOf(account, method.type);
    const active = enrolled.filter((factor) => !isDisabled(factor));
    if (active.length < enrolled.length && active.length === 0) return refused({ code: "too-many-attempts" });
    const evidence = await attempt.prove(active, { userId: account.userId, now, keys: this.parts.keys });
    if (evidence === undefined || "rejected" in evidence) return this.wrong(account, active, attempt, now, evidence);
    return this.right(account, attempt, now, evidence);
  }

  private async right<T>(
    account: Account,
    attempt: Attempt<T>,
    now: number,
    { amr, answer = {}, concern, factor }: Evidence<unknown>,
  ): Promise<Change<Tried<T>>> {
    const values = amr === undefined ? {} : { amr };
    const proof: Proof = { method: attempt.method.type, factorId: factor.id, at: now, ...values };
    const completed = await attempt.complete(withSuccess(account, factor, now), proof);
    const outcome = success({ value: completed.value, proof, answer });
    const telling = (): void => {
      this.tellReopened(account, attempt);
      if (concern !== undefined)
        this.parts.tell(concern, attempt.subject, { method: proof.method, factorId: factor.id });
    };
    return { account: completed.account, result: { outcome, telling } };
  }

  private wrong<T>(
    account: Account,
    active: readonly Factor[],
    { method, subject }: Attempt<T>,
    now: number,
    rejection: Rejection | undefined,
  ): Change<Tried<T>> {
    const { type } = method;
    const isGuess = method.limits.length > 0;
    const disabled = isGuess ? active.filter(({ failures }) => failures + 1 === DISABLED_AFTER) : [];
    const telling = (): void => {
      const { tell } = this.parts;
      for (const { id } of disabled)
        tell("factor-disabled", subject, { method: type, factorId: id, outcome: "failure" });
      if (rejection === undefined) return;
      tell(rejection.rejected, subject, { method: type, factorId: rejection.factorId, outcome: "failure" });
    };
    const result = { outcome: failure(method.refusal), telling };
    // What cannot be guessed is not locked by guessing, so there is nothing to write down.
    if (!isGuess || active.length === 0) return { result };
    return {
      account: addActivity(withFailure(account, active), { at: now, action: "factor-failed", method: type }),
      result,
    };
  }

  private tellReopened<T>(before: Account, { subject }: Attempt<T>): void {
    for (const { id, type } of before.factors.filter(isDisabled)) {
      this.parts.tell("factor-reopened", subject, { method: type, factorId: id });
    }
  }
}
