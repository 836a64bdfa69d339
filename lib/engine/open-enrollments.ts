import { type Account, type Enrollment, factorsOf, freeLabel } from "../core/account.js";
import { hasRoom } from "../core/account-changes.js";
import { failure, isSilence, type Outcome, type Problem, success } from "../core/errors.js";
import { type FactorId, type MethodType, MINUTE, type UserId } from "../core/nouns.js";
import { cleanText, MAX_LABEL } from "../core/text.js";
import { isFresh, isFuture } from "../core/time.js";
import type { KeyContext, Keys } from "../crypto/key-provider.js";
import {
  factorProblem,
  FRESH,
  type Freshness,
  isRecovering,
  probationProblem,
  stepUp,
  TO_ENROLL,
} from "../policy/access.js";
import type { EngineDependencies } from "./dependencies.js";
import { type LoginContext, scopeOf } from "./login-context.js";
import type {
  AnyMethod,
  Enroll,
  EnrollmentBegun,
  EnrollmentContext,
  EnrollmentResumed,
  MethodContext,
  Writing,
} from "./method.js";
import type { Counting } from "./counting.js";

// Enrollments that are open, until they are proved, cancelled or over: which there are, and what is shown of one once more.

export type Enrollable = AnyMethod & { readonly enroll: Enroll };
export type Answer = EnrollmentBegun["answer"];
type Body = Readonly<Record<string, unknown>>;

const ENROLLMENT_LIFE = 10 * MINUTE;
const MOST_PENDING = 10;
/** Whoever loads the page again sees it all for that long; later they say first that they want to. */
const SHOWN_LIFE = 5 * MINUTE;

/** What is sent with every start and changes nothing of what is begun. */
const BESIDE = ["endOtherSessions", "from", "label", "password"];

/** What whoever asks is called, and told in. */
export interface EnrollmentTerms extends Writing {
  readonly accountName: string;
}

/** The method of this kind, where it can be set up. */
export function enrollableOf({ methods }: EngineDependencies, type: MethodType): Enrollable | undefined {
  const method = methods.get(type);
  return method?.enroll === undefined ? undefined : (method as Enrollable);
}

/** What the method may know of this login. */
export function methodContextOf(
  { keys }: EngineDependencies,
  { session, userId }: LoginContext,
  now: number,
  factorId?: FactorId,
): MethodContext {
  return { userId, now, keys, loginId: session?.id, factorId };
}

/** What the method may know of this login, and of what it sets up. */
export function enrollmentContextOf(
  dependencies: EngineDependencies,
  login: LoginContext,
  { factorId, type, ...terms }: EnrollmentTerms & { readonly factorId: FactorId; readonly type: MethodType },
  now: number,
): EnrollmentContext {
  const { contact } = login.source;
  const factors = factorsOf(login.record.account, type);
  return { ...methodContextOf(dependencies, login, now, factorId), ...terms, contact, factors };
}

/** What beginning counts against, and showing it once more, which costs as much. */
export function beginningOf(login: LoginContext, { enroll, type }: Enrollable): Counting {
  return { kinds: enroll.limits ?? [], scope: scopeOf(login), type };
}

/** Its time is over, or was counted by a clock that was ahead. */
export function isOver({ expiresAt }: Enrollment, now: number): boolean {
  return expiresAt <= now || isFuture(expiresAt - ENROLLMENT_LIFE, now);
}

/** Its page still shows all of it, without being asked to. */
export function isShown({ expiresAt, shownAt = expiresAt - ENROLLMENT_LIFE }: Enrollment, now: number): boolean {
  return isFresh(shownAt, SHOWN_LIFE - 1, now);
}

function isOf({ session }: LoginContext, type: MethodType): (each: Enrollment) => boolean {
  return (each) => each.type === type && session !== undefined && each.loginId === session.id;
}

/** The enrollment of this kind that this login has open. */
export function openOf(login: LoginContext, type: MethodType, now: number): Enrollment | undefined {
  const isOwn = isOf(login, type);
  return login.record.account.enrollments.find((each) => isOwn(each) && !isOver(each, now));
}

/** Whoever gave the password again to begin it need not give it once more before it is done. */
export function askerOf(login: LoginContext, open: Enrollment | undefined): LoginContext {
  return open?.reconfirmed === true ? { ...login, reconfirmed: true } : login;
}

/** There is room for one more; what a recovery sets up takes the place of all there is. */
export function hasRoomAt(login: LoginContext): boolean {
  return hasRoom(login.record.account) || isRecovering(login);
}

/** There is room for one more, or it takes another's place. */
export function hasPlace(login: LoginContext, { replaces }: Enrollment): boolean {
  return hasRoomAt(login) || login.record.account.factors.some(({ id }) => id === replaces);
}

/** What must have been shown: one that takes a factor's place changes what there is, and does not only add to it. */
function freshnessFor(isReplacing: boolean): Freshness {
  return isReplacing ? FRESH : TO_ENROLL;
}

/** Why this one cannot go on at this login now; undefined where it can. */
export function goingOnProblem(login: LoginContext, open: Enrollment | undefined, now: number): Problem | undefined {
  return factorProblem(askerOf(login, open), freshnessFor(open?.replaces !== undefined), now);
}

/** Why nothing can be set up at this login now; undefined where it can. */
export function openingProblem(login: LoginContext, now: number, replaces = false): Problem | undefined {
  const early = replaces ? probationProblem(login.record.account, now) : undefined;
  // Told to nobody who has not shown who they are.
  const problem = factorProblem(login, freshnessFor(replaces), now) ?? early;
  if (problem !== undefined) return problem;
  // A login from before this middleware was installed has no record to tie an enrollment to.
  if (login.session === undefined) return stepUp(FRESH);
  return replaces || hasRoomAt(login) ? undefined : { code: "conflict" };
}

/** What an enrollment is begun with, where it is. */
interface Begun extends Pick<Enrollment, "id" | "state"> {
  readonly label: string | undefined;
  readonly answer?: string | undefined;
  readonly replaces?: FactorId | undefined;
  readonly guided?: boolean | undefined;
}

function marksOf({ answer, guided, replaces }: Begun): Pick<Enrollment, "answer" | "guided" | "replaces"> {
  return {
    ...(answer !== undefined && { answer }),
    ...(replaces !== undefined && { replaces }),
    ...(guided === true && { guided }),
  };
}

/** A new enrollment, as it is kept. */
export function pendingEnrollment(
  { record, reconfirmed, session }: LoginContext,
  { enroll, type }: Enrollable,
  begun: Begun,
  now: number,
): Enrollment {
  const { id, label, replaces, state } = begun;
  const replaced = record.account.factors.find((each) => each.id === replaces)?.label;
  return {
    id,
    type,
    label: cleanText(label ?? "", MAX_LABEL) || (replaced ?? freeLabel(record.account, enroll.label)),
    loginId: session?.id ?? "",
    expiresAt: now + ENROLLMENT_LIFE,
    shownAt: now,
    ...(reconfirmed === true && { reconfirmed }),
    ...marksOf(begun),
    state,
  };
}

/** How an enrollment is begun once more. */
interface BegunAgain {
  readonly label: string | undefined;
  readonly replaces: FactorId | undefined;
  readonly guided?: boolean | undefined;
}

/**
 * The open one as it is once its owner has begun it again: what they call it now counts, if they call it anything. Undefined where it
 * is to take another factor's place, or nobody's any more: that is begun anew, so that nothing goes that nobody said should. Who wants
 * a message once more need not say that again.
 */
export function begunAgain(
  { enroll }: Enrollable,
  open: Enrollment,
  { guided, label, replaces }: BegunAgain,
  now: number,
): Enrollment | undefined {
  if (enroll.resume === undefined && replaces !== open.replaces) return undefined;
  return {
    ...open,
    label: cleanText(label ?? "", MAX_LABEL) || open.label,
    ...(replaces !== undefined && { replaces }),
    ...(guided === true && { guided }),
    shownAt: now,
  };
}

/** The factor that a body says is to be replaced, if it says so. */
export function replacedBy(
  { enroll, type }: Enrollable,
  { factors }: Account,
  { replaces }: Body,
): Outcome<FactorId | undefined> {
  // A form's empty field says no more than leaving it out.
  if (enroll.replaces !== true || replaces === undefined || replaces === null || replaces === "")
    return success(undefined);
  const replaced = factors.find((each) => each.id === replaces && each.type === type);
  return replaced === undefined ? failure("not-found") : success(replaced.id);
}

export function replaceEnrollment(account: Account, enrollment: Enrollment): Account {
  const enrollments = account.enrollments.map((each) => (each.id === enrollment.id ? enrollment : each));
  return { ...account, enrollments };
}

/** The account with that enrollment, where it is still open, as if its message had not been asked for. */
export function withoutMessage(account: Account, id: FactorId, resumed: EnrollmentResumed): Account {
  const open = account.enrollments.find((each) => each.id === id);
  if (open === undefined || resumed.undo === undefined) return account;
  return replaceEnrollment(account, { ...open, state: resumed.undo(open.state) });
}

export function withEnrollment(account: Account, pending: Enrollment, now: number): Account {
  const stale = (each: Enrollment): boolean =>
    isOver(each, now) || (each.loginId === pending.loginId && each.type === pending.type);
  const others = account.enrollments.filter((each) => !stale(each));
  return { ...account, enrollments: [...others, pending].slice(-MOST_PENDING) };
}

/** The account without the enrollment of this kind that the login left; undefined where it has none. */
export function withoutOpen(login: LoginContext, type: MethodType): Account | undefined {
  const { account } = login.record;
  const isOwn = isOf(login, type);
  const enrollments = account.enrollments.filter((each) => !isOwn(each));
  return enrollments.length === account.enrollments.length ? undefined : { ...account, enrollments };
}

/** What was sent, as far as it says what is begun. */
function askedIn(body: Body): string {
  const asked = Object.entries(body).filter(([name]) => !BESIDE.includes(name));
  return JSON.stringify(asked.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function contextOf(userId: UserId, { id, loginId }: Pick<Enrollment, "id" | "loginId">): KeyContext {
  return { owner: userId, purpose: `enrollment/${loginId}/${id}` };
}

interface Kept {
  readonly answer: Answer;
  /** Absent: something was sent, and whoever begins again wants it sent again. */
  readonly asked?: string;
}

/** What open enrollments showed. Of methods that can tell it from their state nothing is kept; of others, sealed. */
export class EnrollmentAnswers {
  constructor(private readonly keys: Keys) {}

  /** What is kept of an enrollment to show it again; undefined where its method needs nothing kept. */
  async keep(
    { session, userId }: LoginContext,
    { enroll }: Enrollable,
    { answer, deliver }: EnrollmentBegun,
    begun: { readonly id: string; readonly body: Body },
  ): Promise<string | undefined> {
    if (enroll.again !== undefined) return undefined;
    const kept: Kept = { answer, ...(deliver === undefined && { asked: askedIn(begun.body) }) };
    const context = contextOf(userId, { id: begun.id, loginId: session?.id ?? "" });
    return this.keys.encrypt(Buffer.from(JSON.stringify(kept)), context);
  }

  /** What the enrollment showed; undefined where nobody can tell any more. */
  shown(open: Enrollment, method: Enrollable, context: EnrollmentContext): Promise<Answer | undefined> {
    return this.tell(open, method, context, () => true);
  }

  /** As {@link shown}, for somebody who begins it again with this body; undefined where it is to be begun anew. */
  again(open: Enrollment, method: Enrollable, context: EnrollmentContext, body: Body): Promise<Answer | undefined> {
    return this.tell(open, method, context, ({ asked }) => asked === askedIn(body));
  }

  private async tell(
    open: Enrollment,
    { enroll }: Enrollable,
    context: EnrollmentContext,
    isAsked: (kept: Kept) => boolean,
  ): Promise<Answer | undefined> {
    try {
      if (enroll.again !== undefined) return await enroll.again(open.state, context);
      if (open.answer === undefined) return undefined;
      const bytes = await this.keys.decrypt(open.answer, contextOf(context.userId, open));
      const kept = JSON.parse(Buffer.from(bytes).toString("utf8")) as Kept;
      return isAsked(kept) ? kept.answer : undefined;
    } catch (error) {
      // Sealed by a key that has left the ring: what cannot be shown is begun anew. Silence is no answer.
      if (isSilence(error)) throw error;
      return undefined;
    }
  }
}
