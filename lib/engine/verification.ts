import { type Account, activeFactorsOf, type Factor } from "../core/account.js";
import { closedFactors, countFailures, countSuccess, isClosed, replaceFactor } from "../core/account-changes.js";
import type { AttemptScope } from "../core/attempts.js";
import { failure, type Outcome, type Problem, success } from "../core/errors.js";
import type { LimitKind, Proof } from "../core/nouns.js";
import { type AccountEvent, reopening } from "../events/audit.js";
import type { Subject } from "../events/emitter.js";
import type { Change } from "./account-records.js";
import { countedFailure, limitRefusal, refused } from "./counting.js";
import type { EngineDependencies } from "./dependencies.js";
import type { AnyMethod, Evidence, ProofContext, Rejection, Waiting } from "./method.js";
import { endRecovery } from "./recovery-ends.js";

/** Who tries to prove a factor (the claimant of SP 800-63B-4), as far as limits and methods must know. */
export interface Claimant {
  readonly scope: AttemptScope;
  /** Undefined where the attempt belongs to no login. */
  readonly loginId?: string | undefined;
}

/** A proof to be checked: a method, and what was presented to it. */
export interface Presentation {
  readonly method: AnyMethod;
  readonly presented: unknown;
}

/** A proof that was right and is used up in `account`, which is yet to be written. */
export interface Verified {
  readonly account: Account;
  readonly proof: Proof;
  /** What the method adds to the answer. */
  readonly answer: Readonly<Record<string, unknown>>;
  readonly events: readonly AccountEvent[];
}

/** What an attempt came to: a right proof to go on with, or a change that is all there is to do. */
export type Tried = { readonly verified: Verified } | { readonly change: Change<Outcome<Waiting>> };

/** So many backup codes left are told: that they run low, and that they have run out. */
const FEW: readonly number[] = [2, 0];

function factsOf(remaining: number | undefined): Pick<AccountEvent, "facts"> {
  return remaining === undefined ? {} : { facts: { remaining } };
}

/** The one path of every verification: limited? right? used up? What it came to is written by whoever asked. */
export class Verification {
  constructor(private readonly dependencies: EngineDependencies) {}

  /** Checks a proof on an account as it is. Answers what is to be written; nothing may be told before it is. */
  async attempt(
    account: Account,
    { method, presented }: Presentation,
    claimant: Claimant,
    now: number,
  ): Promise<Tried> {
    const { loginId, scope } = claimant;
    const { limits, send, type } = method;
    const counting = { kinds: limits, scope, type };
    const limited = limitRefusal(this.dependencies, account, counting, now);
    if (limited !== undefined) return limited;
    const enrolled = activeFactorsOf(account, type);
    // What sends has told its owner so already: there is nothing to be answered.
    if (enrolled.length === 0 && send !== undefined) return refused({ code: "not-found" });
    const open = enrolled.filter((factor) => !isClosed(factor, scope));
    if (open.length === 0 && enrolled.length > 0) return refused({ code: "too-many-attempts" });
    const { handle: userHandle, userId } = account;
    const context: ProofContext = { account, userId, now, keys: this.dependencies.keys, loginId, userHandle };
    const verdict = await method.verify(presented, open, context);
    if (verdict === undefined || "rejected" in verdict) return this.wrong(account, method, scope, now, verdict);
    if ("waiting" in verdict) return { change: { result: success(verdict) } };
    return { verified: this.right(account, method, claimant, now, verdict) };
  }

  /** Proves a factor outside any login: nothing rises by it. */
  async verify(subject: Subject, presentation: Presentation): Promise<Outcome<Proof>> {
    const { records } = this.dependencies;
    const { result } = await records.change<Outcome<Proof>>(subject, async ({ account }, now) => {
      const tried = await this.attempt(account, presentation, { scope: "login" }, now);
      if ("change" in tried) {
        const { result: outcome, ...change } = tried.change;
        return { ...change, result: outcome.ok ? failure("not-found") : outcome };
      }
      const { account: next, events, proof } = tried.verified;
      const ended = endRecovery(next, now, "proof");
      return { account: ended.account, events: [...events, ...ended.events], result: success(proof) };
    });
    return result;
  }

  /** Something that can be guessed and is no factor (a password given again), under the limits that all codes share. */
  async verifyOther(
    subject: Subject,
    kinds: readonly LimitKind[],
    { scope }: Claimant,
    { check, refusal }: { readonly check: () => Promise<boolean>; readonly refusal: Problem },
  ): Promise<Outcome<undefined>> {
    const counting = { kinds, scope, type: "password" };
    let isRight: boolean | undefined;
    const { result } = await this.dependencies.records.change<Outcome<undefined>>(subject, async ({ account }, now) => {
      const limited = limitRefusal(this.dependencies, account, counting, now);
      if (limited !== undefined) return limited.change;
      isRight ??= await check();
      if (isRight) return { result: success(undefined) };
      const counted = countedFailure(this.dependencies, account, counting, now);
      return { ...counted, result: { ok: false, problem: { ...refusal, isFailedAttempt: true } } };
    });
    return result;
  }

  private right(
    account: Account,
    method: AnyMethod,
    claimant: Claimant,
    now: number,
    { account: changed = account, amr, answer = {}, concern, factor }: Evidence,
  ): Verified {
    const { type, verifiedAs = "factor-verified" } = method;
    const worth = factor.onBackupCode === true ? ({ onBackupCode: true } as const) : {};
    const proof: Proof = { method: type, factorId: factor.id, at: now, ...worth, ...(amr && { amr }) };
    const next = countSuccess(changed, factor, claimant, now);
    const stillClosed = new Set(closedFactors(next).map(({ id }) => id));
    const reopened = closedFactors(account).filter(({ id }) => !stillClosed.has(id));
    const about = { method: type, factorId: factor.id };
    const remaining = method.remaining?.(factor);
    const events: AccountEvent[] = [
      ...reopened.map(reopening),
      ...(concern === undefined ? [] : [{ action: concern, ...about }]),
      { action: verifiedAs, ...about, isRecorded: true, ...factsOf(remaining) },
      ...(remaining !== undefined && FEW.includes(remaining)
        ? [{ action: "backup-codes-low" as const, ...about, ...factsOf(remaining) }]
        : []),
    ];
    return { account: next, proof, answer, events };
  }

  private wrong(
    account: Account,
    { limits, refusal, type }: AnyMethod,
    scope: AttemptScope,
    now: number,
    { concern, factorId, factors = [], failing }: Partial<Rejection> = {},
  ): { readonly change: Change<Outcome<never>> } {
    const result = failure(refusal, { isFailedAttempt: true });
    const failed = { method: type, outcome: "failure" } as const;
    const concerns: AccountEvent[] =
      concern === undefined ? [] : [{ action: concern, ...failed, ...(factorId === undefined ? {} : { factorId }) }];
    const changed = factors.reduce(replaceFactor, account);
    // What cannot be guessed is not locked by guessing, so there is nothing to write down.
    if (limits.length === 0) {
      const events = [...concerns, { action: "factor-failed", ...failed }];
      const isWorthWriting = factors.length > 0 || concern !== undefined;
      return { change: { ...(isWorthWriting && { account: changed }), result, events } };
    }
    const counted = countedFailure(this.dependencies, changed, { kinds: limits, scope, type }, now);
    const isFailing = ({ id }: Factor): boolean => failing === undefined || failing.includes(id);
    const active = activeFactorsOf(counted.account, type);
    const open = active.filter((factor) => isFailing(factor) && !isClosed(factor, scope));
    const { account: next, closed } = countFailures(counted.account, open, scope);
    const closing = closed.map(
      ({ id, label }) => ({ action: "factor-disabled", factorId: id, label, ...failed }) as const,
    );
    return { change: { account: next, result, events: [...closing, ...concerns, ...counted.events] } };
  }
}
