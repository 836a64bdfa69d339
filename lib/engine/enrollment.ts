import { type Account, activeFactorsOf, type Enrollment, type Factor } from "../core/account.js";
import { replaceFactor } from "../core/account-changes.js";
import { countAttempt } from "../core/attempts.js";
import { failure, type Outcome, type Problem, success } from "../core/errors.js";
import type { FactorId, MethodType } from "../core/nouns.js";
import { randomId } from "../crypto/random.js";
import { factorProblem, FRESH } from "../policy/access.js";
import type { Change } from "./account-records.js";
import { type Activation, activate, type EnrolledFactor, enrolledWith } from "./activation.js";
import type { EngineDependencies } from "./dependencies.js";
import { type LoginContext, scopeOf, subjectOf, weighed } from "./login-context.js";
import { countSend, deliver, isCooling, resending, type Written } from "./delivery.js";
import type { AnyMethod, Enroll, EnrollmentBegun, EnrollmentContext, Message, Mismatch } from "./method.js";
import {
  askerOf,
  begunAgain,
  beginningOf,
  type Enrollable,
  enrollableOf,
  EnrollmentAnswers,
  enrollmentContextOf,
  hasPlace,
  type EnrollmentTerms,
  goingOnProblem,
  isOver,
  methodContextOf,
  openingProblem,
  openOf,
  pendingEnrollment,
  replacedBy,
  replaceEnrollment,
  withEnrollment,
  withoutMessage,
} from "./open-enrollments.js";
import { countedFailure, type Counting, limitRefusal } from "./counting.js";

/** What an enrollment is begun with, and whatever else was sent. */
export interface Naming extends EnrollmentTerms {
  /** What the owner calls the factor. Default: what the method calls itself, numbered. */
  readonly label?: string | undefined;
  /** It is begun on the page for a new phone. */
  readonly guided?: boolean | undefined;
  /** The factor whose place it is to take. Methods that have no such thing take no notice. */
  readonly replaces?: FactorId | undefined;
  /** The body as it was sent, for the method to read. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** An enrollment that is open, until it is proved or its time is over. */
export interface OpenEnrollment {
  readonly factorId: FactorId;
  readonly label: string;
  /** What the method shows once, such as secret, URI and QR code. */
  readonly answer: Readonly<Record<string, unknown>>;
}

export interface EnrollmentProof {
  readonly type: MethodType;
  readonly factorId: FactorId;
  readonly code: string;
  /** With the account's first factor the other logins stay, and are asked for it. Default: they end. */
  readonly keepsOthers?: boolean;
}

export interface ResyncProof {
  readonly type: MethodType;
  readonly factorId: FactorId;
  /** Two codes in a row. */
  readonly codes: readonly [string, string];
}

type Begin = (context: EnrollmentContext) => ReturnType<Enroll["begin"]>;

/** An enrollment that was written down, and the message that is to be delivered. */
interface Opened extends OpenEnrollment {
  readonly written?: Written;
}

/** An enrollment that is begun: by a start, under an id of its own. */
interface Beginning {
  readonly naming: Naming;
  readonly id: FactorId;
  readonly begin: Begin;
}

/** What is looked at before one is begun. */
interface Start extends Beginning {
  readonly counting: Counting;
  readonly context: EnrollmentContext;
  /** The factor whose place it is to take. */
  readonly replaces: FactorId | undefined;
}

function refused<T>(problem: Problem): Change<Outcome<T>> {
  return { result: { ok: false, problem } };
}

/** What is sent with it; undefined where that is nothing. */
function messageOf({ budgets, by, deliver: handOver }: EnrollmentBegun): Message | undefined {
  return handOver && { deliver: handOver, ...(budgets && { budgets }), ...(by !== undefined && { by }) };
}

/** The account without an enrollment whose message was not taken, unless another one was, and with the one that it took the place of. */
function withoutBegun(account: Account, id: FactorId, begun: EnrollmentBegun, before: Enrollment | undefined): Account {
  const open = account.enrollments.find((each) => each.id === id);
  if (open === undefined) return account;
  const left = begun.undo?.(open.state);
  if (left !== undefined) return replaceEnrollment(account, { ...open, state: left });
  const others = account.enrollments.filter((each) => each !== open);
  return { ...account, enrollments: before === undefined ? others : [...others, before] };
}

/** Setting factors up: begun, then finished with a proof. Nothing counts before it is proved. */
export class Enrollments {
  private readonly answers: EnrollmentAnswers;

  constructor(private readonly dependencies: EngineDependencies) {
    this.answers = new EnrollmentAnswers(dependencies.keys);
  }

  /**
   * Starts an enrollment. One of the same kind that this login has open is answered again, however many starts come at once; where
   * something else is asked for it is begun anew. No active factor is touched.
   */
  async begin(login: LoginContext, type: MethodType, naming: Naming): Promise<Outcome<OpenEnrollment>> {
    const method = enrollableOf(this.dependencies, type);
    if (method === undefined) return failure("not-found");
    const { records } = this.dependencies;
    // Once, however often its write is lost: what it makes can be costly.
    let begun: ReturnType<Begin> | undefined;
    const begin: Begin = (context) => (begun ??= method.enroll.begin(context, naming.body));
    const beginning: Beginning = { naming, id: randomId(), begin };
    const { result } = await records.change<Outcome<Opened>>(
      subjectOf(login),
      (current, now) => this.open(weighed(login, current, now), method, beginning, now),
      login.record,
    );
    if (!result.ok) return result;
    const { written, ...opened } = result.value;
    if (written === undefined) return success(opened);
    const sent = await deliver(this.dependencies, subjectOf(login), method, written);
    return sent.ok ? success(opened) : sent;
  }

  /** Proves what was begun and makes it a factor. Ends every other login and all trusted devices. */
  async confirm(login: LoginContext, proof: EnrollmentProof): Promise<Outcome<EnrolledFactor>> {
    const method = enrollableOf(this.dependencies, proof.type);
    const code = method?.enroll.normalize(proof.code);
    if (method === undefined) return failure("not-found");
    if (code === undefined) return failure("invalid-request");
    const { clock, credentials, records } = this.dependencies;
    const { record, result } = await records.change<Outcome<Activation>>(
      subjectOf(login),
      (current, now) => this.prove(weighed(login, current, now), method, { ...proof, code }, now),
      login.record,
    );
    if (!result.ok) return result;
    await credentials.tidy(login.userId, record.account);
    return success(enrolledWith(login, result.value, record, clock()));
  }

  /** Finds an active factor's drifted clock again from two consecutive codes. */
  async resync(login: LoginContext, { type, factorId, codes }: ResyncProof): Promise<Outcome<Factor>> {
    const method = enrollableOf(this.dependencies, type);
    if (method?.enroll.resync === undefined) return failure("not-found");
    const known = login.record.account.factors.find((each) => each.id === factorId && each.type === type);
    const [first, second] = codes.map((code) => method.enroll.normalize(code, known?.state));
    if (first === undefined || second === undefined) return failure("invalid-request");
    const { result } = await this.dependencies.records.change<Outcome<Factor>>(
      subjectOf(login),
      (current, now) => this.readjust(weighed(login, current, now), method, { factorId, codes: [first, second] }, now),
      login.record,
    );
    return result;
  }

  private async open(
    login: LoginContext,
    method: Enrollable,
    beginning: Beginning,
    now: number,
  ): Promise<Change<Outcome<Opened>>> {
    const { account } = login.record;
    const { body: _methods, guided, label, replaces: wanted, ...terms } = beginning.naming;
    const open = openOf(login, method.type, now);
    const replaced = replacedBy(method, account, wanted);
    const problem = openingProblem(askerOf(login, open), now, replaced.ok && replaced.value !== undefined);
    if (problem !== undefined) return refused(problem);
    if (!replaced.ok) return { result: replaced };
    const { value: replaces } = replaced;
    const counting = beginningOf(login, method);
    const limited = limitRefusal(this.dependencies, account, counting, now);
    if (limited !== undefined) return limited.change;
    const about = { ...terms, factorId: open?.id ?? beginning.id, type: method.type };
    const start: Start = {
      ...beginning,
      counting,
      context: enrollmentContextOf(this.dependencies, login, about, now),
      replaces,
    };
    const again = open && begunAgain(method, open, { guided, label, replaces }, now);
    const change = again && (await this.openAgain(login, method, start, again));
    return change ?? this.openAnew(login, method, start, open);
  }

  /** The open one, where nothing else was asked for. */
  private async openAgain(
    login: LoginContext,
    method: Enrollable,
    { context, counting, naming }: Start,
    again: Enrollment,
  ): Promise<Change<Outcome<Opened>> | undefined> {
    const { account } = login.record;
    if (method.enroll.resume !== undefined) return this.resume(account, method, { context, body: naming.body }, again);
    const answer = await this.answers.again(again, method, context, naming.body);
    if (answer === undefined) return undefined;
    const { limits } = this.dependencies;
    const { account: next } = countAttempt(account, counting.kinds, counting.scope, limits, context.now);
    const { id: factorId, label } = again;
    return { account: replaceEnrollment(next, again), result: success({ factorId, label, answer }) };
  }

  /** Of a method that sends: its message once more, unless one went out a moment ago. */
  private async resume(
    account: Account,
    { enroll, send }: Enrollable,
    { body, context }: { readonly body: Naming["body"]; readonly context: EnrollmentContext },
    again: Enrollment,
  ): Promise<Change<Outcome<Opened>> | undefined> {
    const { now } = context;
    const resumed = await enroll.resume?.(again.state, context, body);
    if (resumed === undefined) return undefined;
    if ("code" in resumed) return refused(resumed);
    const { id: factorId, label } = again;
    const cools = resumed.isFirst !== true && isCooling(this.dependencies, account, send, now);
    const counted = cools || send === undefined ? { account } : countSend(this.dependencies, account, send, now);
    if ("problem" in counted) return refused(counted.problem);
    const state = cools ? again.state : resumed.state;
    const next = replaceEnrollment(counted.account, { ...again, state });
    const answer = { ...resumed.answer, ...resending(this.dependencies, next, send, now) };
    const undo = (each: Account): Account => withoutMessage(each, factorId, resumed);
    const written = { message: resumed, counted: next.attempts, undo };
    return { account: next, result: success({ factorId, label, answer, ...(!cools && { written }) }) };
  }

  private async openAnew(
    login: LoginContext,
    method: Enrollable,
    { begin, context, counting, id, naming, replaces }: Start,
    before: Enrollment | undefined,
  ): Promise<Change<Outcome<Opened>>> {
    const { now } = context;
    const problem = openingProblem(login, now, replaces !== undefined);
    if (problem !== undefined) return refused(problem);
    const begun = await begin({ ...context, factorId: id });
    if ("code" in begun) return refused(begun);
    const { account } = login.record;
    const { account: next } = countAttempt(account, counting.kinds, counting.scope, this.dependencies.limits, now);
    const { answer, state } = begun;
    const message = messageOf(begun);
    const counted =
      message === undefined || method.send === undefined
        ? { account: next }
        : countSend(this.dependencies, next, method.send, now);
    if ("problem" in counted) return refused(counted.problem);
    const kept = await this.answers.keep(login, method, begun, { id, body: naming.body });
    const pending = pendingEnrollment(login, method, { ...naming, id, state, answer: kept, replaces }, now);
    const grown = withEnrollment(counted.account, pending, now);
    const told = { ...answer, ...resending(this.dependencies, grown, message && method.send, now) };
    const opened = { factorId: id, label: pending.label, answer: told };
    const undo = (each: Account): Account => withoutBegun(each, id, begun, before);
    const written = message && { message, counted: grown.attempts, undo };
    return { account: grown, result: success({ ...opened, ...(written && { written }) }) };
  }

  private async prove(
    login: LoginContext,
    method: Enrollable,
    proof: EnrollmentProof,
    now: number,
  ): Promise<Change<Outcome<Activation>>> {
    const { account } = login.record;
    const mine = (each: Enrollment): boolean =>
      each.id === proof.factorId && each.type === proof.type && each.loginId === login.session?.id;
    const pending = account.enrollments.find(mine);
    const problem = goingOnProblem(login, pending, now);
    if (problem !== undefined) return refused(problem);
    const limited = limitRefusal(this.dependencies, account, this.counting(login, method), now);
    if (limited !== undefined) return limited.change;
    if (pending === undefined) return refused({ code: "not-found" });
    if (isOver(pending, now)) return refused({ code: "expired" });
    if (!hasPlace(login, pending)) return refused({ code: "conflict" });
    const proved = await method.enroll.confirm(
      proof.code,
      pending.state,
      methodContextOf(this.dependencies, login, now, pending.id),
    );
    if ("mismatch" in proved) return this.mismatched(login, method, proved.mismatch, now, pending);
    const { guided, id, label, replaces, type } = pending;
    const { result, ...change } = await activate(
      this.dependencies,
      login,
      { id, type, label, state: proved.state, replaces, keepsOthers: proof.keepsOthers === true },
      now,
    );
    return { ...change, result: success({ ...result, ...(guided && { guided }) }) };
  }

  private async readjust(
    login: LoginContext,
    method: Enrollable,
    { codes, factorId }: Pick<ResyncProof, "codes" | "factorId">,
    now: number,
  ): Promise<Change<Outcome<Factor>>> {
    const { account } = login.record;
    const problem = factorProblem(login, FRESH, now);
    if (problem !== undefined) return refused(problem);
    const limited = limitRefusal(this.dependencies, account, this.counting(login, method), now);
    if (limited !== undefined) return limited.change;
    const factor = activeFactorsOf(account, method.type).find(({ id }) => id === factorId);
    if (factor === undefined) return refused({ code: "not-found" });
    const proved = await method.enroll.resync?.(codes, factor.state, methodContextOf(this.dependencies, login, now));
    if (proved === undefined) return refused({ code: "not-found" });
    if ("mismatch" in proved) return this.mismatched(login, method, proved.mismatch, now);
    const next: Factor = { ...factor, state: proved.state };
    const { label } = factor;
    const events = [{ action: "factor-resynced", method: method.type, factorId, label }];
    return { account: replaceFactor(account, next), result: success(next), events };
  }

  private counting(login: LoginContext, { limits, type }: AnyMethod): Counting {
    return { kinds: limits, scope: scopeOf(login), type };
  }

  private mismatched(
    login: LoginContext,
    method: AnyMethod,
    { clockOffMinutes, state }: Mismatch,
    now: number,
    pending?: Enrollment,
  ): Change<Outcome<never>> {
    const { account } = login.record;
    const changed =
      state === undefined || pending === undefined ? account : replaceEnrollment(account, { ...pending, state });
    const counted = countedFailure(this.dependencies, changed, this.counting(login, method), now);
    const members = clockOffMinutes === undefined ? {} : { members: { clockOffMinutes } };
    return { ...counted, result: failure(method.refusal, { ...members, isFailedAttempt: true }) };
  }
}
