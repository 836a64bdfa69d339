import { type Account, type Enrollment, type Factor, replaceFactor } from "../core/account.js";
import { failure, type Outcome, type Problem, success } from "../core/errors.js";
import { type FactorId, type MethodType, MINUTE } from "../core/nouns.js";
import { cleanText, MAX_LABEL } from "../core/text.js";
import { randomId } from "../crypto/random.js";
import { type CodeMethod, type Enroll, isCodeMethod, type Mismatch } from "../methods/contract.js";
import { FRESH, stepUp } from "../policy/access.js";
import { activate, type Enrolled, freeLabel } from "./activation.js";
import type { Parts } from "./parts.js";
import type { Change } from "./records.js";
import type { Verification } from "./verification.js";
import { changeRefusal, subjectOf, trierOf, type Visitor } from "./visitor.js";

/** Names an authenticator shows beside its codes. */
export interface Naming {
  readonly issuer: string;
  readonly accountName: string;
  /** What the owner calls the factor. Default: what the method calls itself, numbered. */
  readonly label?: string | undefined;
}

export interface Begun {
  readonly factorId: FactorId;
  readonly label: string;
  /** What the method shows once, such as secret, URI and QR code. */
  readonly answer: Readonly<Record<string, unknown>>;
}

export interface EnrollmentProof {
  readonly type: MethodType;
  readonly factorId: FactorId;
  readonly code: string;
}

export interface ResyncProof {
  readonly type: MethodType;
  readonly factorId: FactorId;
  /** Two codes in a row. */
  readonly codes: readonly [string, string];
}

type Enrollable = CodeMethod & { readonly enroll: Enroll<unknown> };

const ENROLLMENT_LIFE = 10 * MINUTE;
const MOST_PENDING = 10;
export const MOST_FACTORS = 20;

function refused<T>(problem: Problem): Change<Outcome<T>> {
  return { result: { ok: false, problem } };
}

function mismatched<T>({ clockOffMinutes }: Mismatch): Change<Outcome<T>> {
  return { result: failure("invalid-code", clockOffMinutes === undefined ? {} : { members: { clockOffMinutes } }) };
}

/** Setting factors up: begun with a secret, finished with a proof. Nothing counts before it is proved. */
export class EnrollmentDesk {
  constructor(
    private readonly parts: Parts,
    private readonly verification: Verification,
  ) {}

  /** Starts an enrollment, replacing one of the same kind this login left unfinished. No active factor is touched. */
  async begin(visitor: Visitor, type: MethodType, naming: Naming): Promise<Outcome<Begun>> {
    const method = this.enrollable(type);
    if (method === undefined) return failure("not-found");
    return this.parts.records.update(
      visitor.userId,
      (account) => this.open(account, visitor, method, naming),
      visitor.known,
    );
  }

  /** Proves what was begun and makes it a factor. Ends every other login and all trusted devices. */
  async confirm(visitor: Visitor, proof: EnrollmentProof): Promise<Outcome<Enrolled>> {
    const method = this.enrollable(proof.type);
    const code = method?.normalize(proof.code);
    if (method === undefined) return failure("not-found");
    if (code === undefined) return failure("invalid-request");
    const normalized = { ...proof, code };
    const outcome = await this.verification.counted(method, trierOf(visitor), () => {
      const change = (account: Account) => this.prove(account, visitor, method, normalized);
      return this.parts.records.update(visitor.userId, change, visitor.known);
    });
    if (outcome.ok) this.tell("factor-enrolled", visitor, proof.type, outcome.value.factor.id);
    return outcome;
  }

  /** Finds an active factor's drifted clock again from two consecutive codes. */
  async resync(visitor: Visitor, { type, factorId, codes }: ResyncProof): Promise<Outcome<Factor>> {
    const method = this.enrollable(type);
    if (method?.enroll.resync === undefined) return failure("not-found");
    const [first, second] = codes.map((code) => method.normalize(code));
    if (first === undefined || second === undefined) return failure("invalid-request");
    const normalized = { type, factorId, codes: [first, second] as const };
    const outcome = await this.verification.counted(method, trierOf(visitor), () => {
      const change = (account: Account) => this.readjust(account, visitor, method, normalized);
      return this.parts.records.update(visitor.userId, change, visitor.known);
    });
    if (outcome.ok) this.tell("factor-resynced", visitor, type, factorId);
    return outcome;
  }

  private enrollable(type: MethodType): Enrollable | undefined {
    const method = this.parts.methods.get(type);
    return isCodeMethod(method) && method.enroll !== undefined ? (method as Enrollable) : undefined;
  }

  private tell(
    action: "factor-enrolled" | "factor-resynced",
    visitor: Visitor,
    method: MethodType,
    factorId: FactorId,
  ): void {
    this.parts.tell(action, subjectOf(visitor), { method, factorId });
  }

  private async open(
    account: Account,
    visitor: Visitor,
    method: Enrollable,
    naming: Naming,
  ): Promise<Change<Outcome<Begun>>> {
    const now = this.parts.clock();
    const problem = changeRefusal(visitor, account, now, FRESH);
    if (problem !== undefined) return refused(problem);
    const loginId = visitor.mark?.id;
    // A login from before this middleware was installed has no mark to tie an enrollment to.
    if (loginId === undefined) return refused(stepUp(FRESH));
    if (account.factors.length >= MOST_FACTORS) return refused({ code: "conflict" });
    const { type, enroll } = method;
    const { state, answer } = await enroll.begin({ userId: visitor.userId, now, keys: this.parts.keys, ...naming });
    const label = cleanText(naming.label ?? "", MAX_LABEL) || freeLabel(account, enroll.label);
    const expiresAt = now + ENROLLMENT_LIFE;
    const carried = visitor.reconfirmed === true ? { reconfirmed: true as const } : {};
    const pending: Enrollment = { id: randomId(), type, label, loginId, expiresAt, ...carried, state };
    const stale = (each: Enrollment): boolean =>
      each.expiresAt <= now || (each.loginId === loginId && each.type === type);
    const enrollments = [...account.enrollments.filter((each) => !stale(each)), pending].slice(-MOST_PENDING);
    return { account: { ...account, enrollments }, result: success({ factorId: pending.id, label, answer }) };
  }

  private async prove(
    account: Account,
    visitor: Visitor,
    method: Enrollable,
    proof: EnrollmentProof,
  ): Promise<Change<Outcome<Enrolled>>> {
    const { userId, mark } = visitor;
    const now = this.parts.clock();
    const mine = (each: Enrollment): boolean =>
      each.id === proof.factorId && each.type === proof.type && each.loginId === mark?.id;
    const pending = account.enrollments.find(mine);
    const reconfirmed = pending?.reconfirmed === true;
    const problem = changeRefusal({ ...visitor, reconfirmed }, account, now, FRESH);
    if (problem !== undefined) return refused(problem);
    if (pending === undefined) return refused({ code: "not-found" });
    if (pending.expiresAt <= now) return refused({ code: "expired" });
    const proved = await method.enroll.confirm(proof.code, pending.state, { userId, now, keys: this.parts.keys });
    if ("mismatch" in proved) return mismatched(proved.mismatch);
    const { id, type, label } = pending;
    const enrolled = await activate(this.parts, account, visitor, { id, type, label, state: proved.state }, now);
    return { account: enrolled.risen.account, result: success(enrolled) };
  }

  private async readjust(
    account: Account,
    visitor: Visitor,
    method: Enrollable,
    proof: ResyncProof,
  ): Promise<Change<Outcome<Factor>>> {
    const { userId } = visitor;
    const now = this.parts.clock();
    const problem = changeRefusal(visitor, account, now, FRESH);
    if (problem !== undefined) return refused(problem);
    const factor = account.factors.find(({ id, type }) => id === proof.factorId && type === proof.type);
    if (factor === undefined) return refused({ code: "not-found" });
    const proved = await method.enroll.resync?.(proof.codes, factor.state, { userId, now, keys: this.parts.keys });
    if (proved === undefined) return refused({ code: "not-found" });
    if ("mismatch" in proved) return mismatched(proved.mismatch);
    const next: Factor = { ...factor, state: proved.state };
    return { account: replaceFactor(account, next), result: success(next) };
  }
}
