import { type Account, addActivity, type Factor, factorsOf, replaceFactor } from "../core/account.js";
import { failure, type Outcome, type Problem, success } from "../core/errors.js";
import type { MethodType, Proof } from "../core/nouns.js";
import type { Subject } from "../events/emitter.js";
import type { Attempter } from "../limits/attempts.js";
import type { Method } from "../methods/contract.js";
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
  readonly type: MethodType;
  readonly code: string;
  readonly known?: Versioned | undefined;
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

/** The one path of every verification: is it locked, limited, right, consumed; write it down, tell someone. */
export class Verification {
  constructor(private readonly parts: Parts) {}

  /** Checks a code and uses it up. Of any number of simultaneous attempts with one code, one succeeds. */
  async attempt<T>(attempt: Attempt<T>): Promise<Outcome<Verified<T>>> {
    const method = this.parts.methods.get(attempt.type);
    if (method === undefined) return failure("not-found");
    const code = method.normalize(attempt.code);
    if (code === undefined) return failure("invalid-request");
    return this.counted(method, attempt, async () => {
      const { userId } = attempt.attempter;
      const change = (account: Account): Promise<Change<Tried<T>>> => this.tryOnce(method, code, attempt, account);
      const { outcome, telling } = await this.parts.records.update(userId, change, attempt.known);
      telling?.();
      return outcome;
    });
  }

  /** Runs a check of a code under the limits of its method. Only a wrong code stays counted. */
  async counted<T>(
    method: Method,
    { attempter, subject }: Trier,
    check: () => Promise<Outcome<T>>,
  ): Promise<Outcome<T>> {
    const { limits, tell } = this.parts;
    const taken = await limits.take([method.limit, "allCodes", "address"], attempter);
    if (!taken.allowed) {
      // Told once per window, or whoever knows a password could bury its owner in notices.
      const action = taken.isFirst ? "locked" : "attempt-refused";
      tell(action, subject, { method: method.type, outcome: "failure", reason: taken.kind });
      return failure("too-many-attempts", { retryAfter: taken.retryAfter });
    }
    const outcome = await check();
    if (outcome.ok || outcome.problem.code !== "invalid-code") await taken.giveBack();
    return outcome;
  }

  private async tryOnce<T>(
    method: Method,
    code: string,
    attempt: Attempt<T>,
    account: Account,
  ): Promise<Change<Tried<T>>> {
    const now = this.parts.clock();
    const refusal = attempt.admit(account, now);
    if (refusal !== undefined) return refused(refusal);
    const enrolled = factorsOf(account, method.type);
    const active = enrolled.filter((factor) => !isDisabled(factor));
    if (active.length < enrolled.length && active.length === 0) return refused({ code: "too-many-attempts" });
    const evidence = await method.verify(code, active, { userId: account.userId, now, keys: this.parts.keys });
    if (evidence === undefined) return this.wrong(account, active, attempt, now);
    const proof: Proof = { method: method.type, factorId: evidence.factor.id, at: now };
    const completed = await attempt.complete(withSuccess(account, evidence.factor, now), proof);
    const outcome = success({ value: completed.value, proof, answer: evidence.answer ?? {} });
    return {
      account: completed.account,
      result: {
        outcome,
        telling: () => {
          this.tellReopened(account, attempt);
        },
      },
    };
  }

  private wrong<T>(
    account: Account,
    active: readonly Factor[],
    { subject, type }: Attempt<T>,
    now: number,
  ): Change<Tried<T>> {
    const disabled = active.filter(({ failures }) => failures + 1 === DISABLED_AFTER);
    const telling = (): void => {
      this.parts.tell("factor-failed", subject, { method: type, outcome: "failure" });
      for (const { id } of disabled) {
        this.parts.tell("factor-disabled", subject, { method: type, factorId: id, outcome: "failure" });
      }
    };
    const noted = addActivity(withFailure(account, active), { at: now, action: "factor-failed", method: type });
    return { account: noted, result: { outcome: failure("invalid-code"), telling } };
  }

  private tellReopened<T>(before: Account, { subject }: Attempt<T>): void {
    for (const { id, type } of before.factors.filter(isDisabled)) {
      this.parts.tell("factor-reopened", subject, { method: type, factorId: id });
    }
  }
}
