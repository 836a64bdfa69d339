import { type Account, activeFactorsOf, type Enrollment, type Factor } from "../core/account.js";
import { isClosed, replaceFactor } from "../core/account-changes.js";
import { failure, type Outcome, type Problem, success } from "../core/errors.js";
import type { FactorId } from "../core/nouns.js";
import type { Change } from "./account-records.js";
import { countSend, deliver, resending, type Written as WrittenDown } from "./delivery.js";
import type { EngineDependencies } from "./dependencies.js";
import { type LoginContext, recipientOf, scopeOf, subjectOf, weighed } from "./login-context.js";
import type { AnyMethod, Prepared, Send } from "./method.js";
import {
  type Enrollable,
  enrollableOf,
  enrollmentContextOf,
  type EnrollmentTerms,
  goingOnProblem,
  isOver,
  replaceEnrollment,
  withoutMessage,
} from "./open-enrollments.js";
import type { WaitingOperation } from "./operations.js";

type Sendable = AnyMethod & { readonly send: Send };

/** Which factor a message is for, what it is to confirm, and what it may say. */
export interface Sent {
  readonly factorId?: FactorId | undefined;
  readonly operation?: WaitingOperation | undefined;
  readonly terms: EnrollmentTerms;
}

/** What was written down as sent, how it is taken back, and what its owner is told. */
interface Written extends WrittenDown {
  readonly answer: Readonly<Record<string, unknown>>;
  /** It was for a factor that is being set up. */
  readonly isEnrollment?: true;
}

/** A message that was taken over: what its owner is told of it. */
export type SentMessage = Pick<Written, "answer" | "isEnrollment">;

/** Sends what a factor is asked for with, under the limits of its method: only ever to what is stored. */
export class Sending {
  constructor(private readonly dependencies: EngineDependencies) {}

  /**
   * `factorId`: of several of a kind the one used last; or one that this login is setting up. What is sent for an operation proves
   * nothing else.
   */
  async send(login: LoginContext, method: AnyMethod, asked: Sent): Promise<Outcome<SentMessage>> {
    if (method.send === undefined) return failure("not-found");
    const sendable = method as Sendable;
    const subject = subjectOf(login);
    const { result } = await this.dependencies.records.change<Outcome<Written>>(
      subject,
      (current, now) => this.write(weighed(login, current, now), sendable, asked, now),
      login.record,
    );
    if (!result.ok) return result;
    const { counted, message, undo, ...told } = result.value;
    const sent = await deliver(this.dependencies, subject, method, { counted, message, undo });
    return sent.ok ? success(told) : sent;
  }

  private write(
    login: LoginContext,
    method: Sendable,
    asked: Sent,
    now: number,
  ): Change<Outcome<Written>> | Promise<Change<Outcome<Written>>> {
    if (login.status.status === "ended") return { result: failure("expired") };
    const isOwn = ({ id, loginId, type }: Enrollment): boolean =>
      id === asked.factorId && type === method.type && loginId === login.session?.id;
    const pending = login.record.account.enrollments.find(isOwn);
    return pending === undefined
      ? this.prepare(login, method, asked, now)
      : this.resume(login, method, { ...asked, pending }, now);
  }

  private async prepare(
    login: LoginContext,
    { send, type }: Sendable,
    { factorId, operation, terms }: Sent,
    now: number,
  ): Promise<Change<Outcome<Written>>> {
    const { account } = login.record;
    const scope = scopeOf(login);
    const asked = activeFactorsOf(account, type).filter(({ id }) => factorId === undefined || id === factorId);
    const factor = lastUsed(asked.filter((each) => !isClosed(each, scope)));
    if (factor === undefined) return { result: failure(asked.length > 0 ? "too-many-attempts" : "not-found") };
    const counted = countSend(this.dependencies, account, send, now);
    if ("problem" in counted) return { result: { ok: false, problem: counted.problem } };
    const { keys } = this.dependencies;
    const context = { ...terms, userId: login.userId, now, keys, loginId: recipientOf(login, operation) };
    const prepared = await send.prepare(factor, context);
    if ("code" in prepared) return { result: { ok: false, problem: prepared } };
    const next = replaceFactor(counted.account, prepared.factor);
    const answer = { ...prepared.answer, ...resending(this.dependencies, next, send, now) };
    const undo = (each: Account): Account => undone(each, prepared);
    const written = { message: prepared, answer, counted: next.attempts, undo };
    return { account: next, result: success(written) };
  }

  /** The code of an enrollment once more. */
  private async resume(
    login: LoginContext,
    method: Sendable,
    { pending, terms }: Sent & { readonly pending: Enrollment },
    now: number,
  ): Promise<Change<Outcome<Written>>> {
    const enrollable = enrollableOf(this.dependencies, method.type);
    if (enrollable?.enroll.resume === undefined) return { result: failure("not-found") };
    const problem = goingOnProblem(login, pending, now);
    if (problem !== undefined) return { result: { ok: false, problem } };
    if (isOver(pending, now)) return { result: failure("expired") };
    const { account } = login.record;
    const counted = countSend(this.dependencies, account, method.send, now);
    if ("problem" in counted) return { result: { ok: false, problem: counted.problem } };
    const written = await this.resumed(login, enrollable, { account: counted.account, pending, terms }, now);
    if ("code" in written) return { result: { ok: false, problem: written } };
    return { account: written.account, result: success(written) };
  }

  private async resumed(
    login: LoginContext,
    { enroll, send }: Enrollable,
    {
      account,
      pending,
      terms,
    }: { readonly account: Account; readonly pending: Enrollment; readonly terms: EnrollmentTerms },
    now: number,
  ): Promise<(Written & { readonly account: Account }) | Problem> {
    const context = enrollmentContextOf(
      this.dependencies,
      login,
      { ...terms, factorId: pending.id, type: pending.type },
      now,
    );
    const resumed = await enroll.resume?.(pending.state, context);
    if (resumed === undefined) return { code: "not-found" };
    if ("code" in resumed) return resumed;
    const next = replaceEnrollment(account, { ...pending, state: resumed.state, shownAt: now });
    const answer = { factorId: pending.id, ...resumed.answer, ...resending(this.dependencies, next, send, now) };
    const undo = (each: Account): Account => withoutMessage(each, pending.id, resumed);
    return { account: next, message: resumed, answer, isEnrollment: true, counted: next.attempts, undo };
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
