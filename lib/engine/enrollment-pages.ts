import type { Enrollment } from "../core/account.js";
import { countAttempt } from "../core/attempts.js";
import { failure, type Outcome, success } from "../core/errors.js";
import type { FactorId, MethodType } from "../core/nouns.js";
import type { Change } from "./account-records.js";
import { resending } from "./delivery.js";
import type { EngineDependencies } from "./dependencies.js";
import { type LoginContext, subjectOf, weighed } from "./login-context.js";
import {
  type Answer,
  beginningOf,
  type Enrollable,
  enrollableOf,
  EnrollmentAnswers,
  enrollmentContextOf,
  type EnrollmentTerms,
  goingOnProblem,
  isShown,
  openOf,
  withoutOpen,
} from "./open-enrollments.js";
import { limitRefusal } from "./counting.js";

/** What an enrollment that is open is for. */
export interface EnrollmentAim {
  /** The factor whose place it is to take, while that is there. */
  readonly replaces?: { readonly id: FactorId; readonly label: string };
  /** It was begun on the page for a new phone. */
  readonly guided?: true;
}

/** An enrollment that is open, as its page shows it. */
export interface PagedEnrollment extends EnrollmentAim {
  readonly factorId: FactorId;
  /** Absent once it was shown for five minutes, until it is begun again. */
  readonly answer?: Answer | undefined;
}

function aimOf({ record }: LoginContext, { guided, replaces }: Enrollment): EnrollmentAim {
  const replaced = record.account.factors.find(({ id }) => id === replaces);
  return {
    ...(replaced && { replaces: { id: replaced.id, label: replaced.label } }),
    ...(guided && { guided }),
  };
}

function mayShow(login: LoginContext, open: Enrollment, now: number): boolean {
  return isShown(open, now) && goingOnProblem(login, open, now) === undefined;
}

/** What browsers come back to while an enrollment is open. */
export class EnrollmentPages {
  private readonly answers: EnrollmentAnswers;

  constructor(private readonly dependencies: EngineDependencies) {
    this.answers = new EnrollmentAnswers(dependencies.keys);
  }

  /**
   * What this login has open of that kind; undefined where that is nothing. Counts as a start does, because it costs as much.
   */
  async find(
    login: LoginContext,
    type: MethodType,
    names: EnrollmentTerms,
  ): Promise<Outcome<PagedEnrollment | undefined>> {
    const method = enrollableOf(this.dependencies, type);
    if (method === undefined) return failure("not-found");
    const { result } = await this.dependencies.records.change<Outcome<PagedEnrollment | undefined>>(
      subjectOf(login),
      (current, now) => this.found(weighed(login, current, now), method, names, now),
      login.record,
    );
    return result;
  }

  /** What an open enrollment showed, after a proof of it was wrong: no longer, and to nobody else, than its own page shows it. */
  async again(
    login: LoginContext,
    { factorId, type }: { readonly factorId: FactorId; readonly type: MethodType },
    names: EnrollmentTerms,
  ): Promise<PagedEnrollment> {
    const now = this.dependencies.clock();
    const [method, open] = [enrollableOf(this.dependencies, type), openOf(login, type, now)];
    if (method === undefined || open?.id !== factorId || !mayShow(login, open, now)) return { factorId };
    return { factorId, ...aimOf(login, open), answer: await this.shown(login, open, method, names, now) };
  }

  /**
   * The visitor turned away from setting up a factor of this kind: what was shown of it proves nothing any more. Answers what it was
   * for.
   */
  async cancel(login: LoginContext, type: MethodType): Promise<EnrollmentAim> {
    const open = openOf(login, type, this.dependencies.clock());
    await this.dependencies.records.change<undefined>(
      subjectOf(login),
      (current, now) => {
        const account = withoutOpen(weighed(login, current, now), type);
        return { ...(account !== undefined && { account }), result: undefined };
      },
      login.record,
    );
    return open === undefined ? {} : aimOf(login, open);
  }

  private async shown(
    login: LoginContext,
    open: Enrollment,
    method: Enrollable,
    names: EnrollmentTerms,
    now: number,
  ): Promise<Answer | undefined> {
    const about = { ...names, factorId: open.id, type: method.type };
    const context = enrollmentContextOf(this.dependencies, login, about, now);
    const answer = await this.answers.shown(open, method, context);
    return answer && { ...answer, ...resending(this.dependencies, login.record.account, method.send, now) };
  }

  private async found(
    login: LoginContext,
    method: Enrollable,
    names: EnrollmentTerms,
    now: number,
  ): Promise<Change<Outcome<PagedEnrollment | undefined>>> {
    const { account } = login.record;
    const open = openOf(login, method.type, now);
    if (open === undefined) return { result: success(undefined) };
    const problem = goingOnProblem(login, open, now);
    if (problem !== undefined) return { result: { ok: false, problem } };
    const paged = { factorId: open.id, ...aimOf(login, open) };
    if (!isShown(open, now)) return { result: success(paged) };
    const counting = beginningOf(login, method);
    const limited = limitRefusal(this.dependencies, account, counting, now);
    if (limited !== undefined) return limited.change;
    const answer = await this.shown(login, open, method, names, now);
    const { account: next } = countAttempt(account, counting.kinds, counting.scope, this.dependencies.limits, now);
    return { ...(counting.kinds.length > 0 && { account: next }), result: success({ ...paged, answer }) };
  }
}
