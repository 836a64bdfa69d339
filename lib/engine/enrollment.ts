import { activeFactorsOf, type Enrollment, type Factor } from "../core/account.js";
import { hasRoom, replaceFactor } from "../core/account-changes.js";
import { countAttempt } from "../core/attempts.js";
import { failure, type Outcome, type Problem, success } from "../core/errors.js";
import type { FactorId, MethodType } from "../core/nouns.js";
import { randomId } from "../crypto/random.js";
import { factorProblem, FRESH } from "../policy/access.js";
import type { Change } from "./account-records.js";
import { type Activation, activate, type EnrolledFactor, enrolledWith } from "./activation.js";
import type { EngineDependencies } from "./dependencies.js";
import { type LoginContext, scopeOf, subjectOf, weighed } from "./login-context.js";
import type { AnyMethod, Enroll, EnrollmentBegun, EnrollmentContext, Mismatch } from "./method.js";
import {
  askerOf,
  begunAgain,
  beginningOf,
  type Enrollable,
  enrollableOf,
  EnrollmentAnswers,
  isOver,
  methodContextOf,
  openingProblem,
  openOf,
  pendingEnrollment,
  replaceEnrollment,
  withEnrollment,
} from "./open-enrollments.js";
import { countSend, deliver } from "./sending.js";
import { countedFailure, type Counting, limitRefusal } from "./verification.js";

/** Names an enrollment is begun with, and whatever else was sent. */
export interface Naming {
  readonly issuer: string;
  readonly accountName: string;
  /** What the owner calls the factor. Default: what the method calls itself, numbered. */
  readonly label?: string | undefined;
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
type Opened = OpenEnrollment & Pick<EnrollmentBegun, "deliver">;

function refused<T>(problem: Problem): Change<Outcome<T>> {
  return { result: { ok: false, problem } };
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
    const { result } = await records.change<Outcome<Opened>>(
      subjectOf(login),
      (current, now) => this.open(weighed(login, current, now), method, { ...naming, begin }, now),
      login.record,
    );
    if (!result.ok) return result;
    const { deliver: message, ...opened } = result.value;
    if (message === undefined) return success(opened);
    const sent = await deliver(this.dependencies, subjectOf(login), method, message, (account) => ({
      ...account,
      enrollments: account.enrollments.filter(({ id }) => id !== opened.factorId),
    }));
    return sent.ok ? success(opened) : sent;
  }

  /** Proves what was begun and makes it a factor. Ends every other login and all trusted devices. */
  async confirm(login: LoginContext, proof: EnrollmentProof): Promise<Outcome<EnrolledFactor>> {
    const method = enrollableOf(this.dependencies, proof.type);
    const code = method?.enroll.normalize(proof.code);
    if (method === undefined) return failure("not-found");
    if (code === undefined) return failure("invalid-request");
    const { clock, records } = this.dependencies;
    const { record, result } = await records.change<Outcome<Activation>>(
      subjectOf(login),
      (current, now) => this.prove(weighed(login, current, now), method, { ...proof, code }, now),
      login.record,
    );
    return result.ok ? success(enrolledWith(login, result.value, record, clock())) : result;
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
    naming: Naming & { readonly begin: Begin },
    now: number,
  ): Promise<Change<Outcome<Opened>>> {
    const { account } = login.record;
    const open = openOf(login, method.type, now);
    const problem = openingProblem(askerOf(login, open), now);
    if (problem !== undefined) return refused(problem);
    const counting = beginningOf(login, method);
    const limited = limitRefusal(this.dependencies, account, counting, now);
    if (limited !== undefined) return limited.change;
    const { accountName, body, issuer, label } = naming;
    const context = { ...methodContextOf(this.dependencies, login, now), issuer, accountName };
    const answer = open && (await this.answers.again(open, method, context, body));
    if (open === undefined || answer === undefined)
      return this.openAnew(login, method, { ...naming, counting, context }, now);
    const again = begunAgain(open, label, now);
    const { account: next } = countAttempt(account, counting.kinds, counting.scope, this.dependencies.limits, now);
    return {
      account: replaceEnrollment(next, again),
      result: success({ factorId: again.id, label: again.label, answer }),
    };
  }

  private async openAnew(
    login: LoginContext,
    method: Enrollable,
    given: Naming & { readonly begin: Begin; readonly counting: Counting; readonly context: EnrollmentContext },
    now: number,
  ): Promise<Change<Outcome<Opened>>> {
    const { begin, body, context, counting, label } = given;
    const problem = openingProblem(login, now);
    if (problem !== undefined) return refused(problem);
    const begun = await begin(context);
    if ("code" in begun) return refused(begun);
    const { account } = login.record;
    const { account: next } = countAttempt(account, counting.kinds, counting.scope, this.dependencies.limits, now);
    const sends = begun.deliver === undefined ? [] : (method.send?.limits ?? []);
    const counted = countSend(this.dependencies, next, sends, now);
    if ("problem" in counted) return refused(counted.problem);
    const { answer, deliver: message, state } = begun;
    const id = randomId();
    const kept = await this.answers.keep(login, method, begun, { id, body });
    const pending = pendingEnrollment(login, method, { id, label, state, answer: kept }, now);
    const opened: Opened = { factorId: id, label: pending.label, answer, ...(message && { deliver: message }) };
    return { account: withEnrollment(counted.account, pending, now), result: success(opened) };
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
    const problem = factorProblem(askerOf(login, pending), FRESH, now);
    if (problem !== undefined) return refused(problem);
    const limited = limitRefusal(this.dependencies, account, this.counting(login, method), now);
    if (limited !== undefined) return limited.change;
    if (pending === undefined) return refused({ code: "not-found" });
    if (isOver(pending, now)) return refused({ code: "expired" });
    if (!hasRoom(account)) return refused({ code: "conflict" });
    const proved = await method.enroll.confirm(
      proof.code,
      pending.state,
      methodContextOf(this.dependencies, login, now),
    );
    if ("mismatch" in proved) return this.mismatched(login, method, proved.mismatch, now, pending);
    const { id, type, label } = pending;
    const { result, ...change } = await activate(
      this.dependencies,
      login,
      { id, type, label, state: proved.state, keepsOthers: proof.keepsOthers === true },
      now,
    );
    return { ...change, result: success(result) };
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
