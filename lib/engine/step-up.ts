import { type Factor, isHeld, ownFactors } from "../core/account.js";
import { failure, type Outcome, success } from "../core/errors.js";
import { type MethodType, MINUTE, type Proof } from "../core/nouns.js";
import type { AccountEvent } from "../events/audit.js";
import { acceptableMethods, type ProofRequirement, satisfyingProof } from "../policy/requirement.js";
import type { Change } from "./account-records.js";
import { admissionProblem } from "./authentication.js";
import type { EngineDependencies } from "./dependencies.js";
import { type LoginContext, recipientOf, scopeOf, subjectOf, weighed } from "./login-context.js";
import type { AnyMethod, Waiting } from "./method.js";
import type { Operation } from "./operation.js";
import type { Operations, ShownOperation, WaitingOperation } from "./operations.js";
import { endRecovery } from "./recovery-ends.js";
import type { Presentation, Verification, Verified } from "./verification.js";

/** A proof that was given for one operation, which it opened. */
export interface Confirmed extends Pick<Verified, "proof" | "answer"> {
  readonly confirmed: WaitingOperation;
}

/** Where the browser goes from a confirmation, and from where it was turned back: local paths. */
interface Way {
  readonly returnTo?: string | undefined;
  readonly backTo?: string | undefined;
}

/** A proof for one operation is good that long, unless the route says otherwise. */
const GRANT_LIFE = 5 * MINUTE;

/** How old a proof may be, in milliseconds; undefined: as old as the login. */
export function longestAge({ maxAge }: ProofRequirement, operation: Operation | undefined): number | undefined {
  return maxAge ?? (operation === undefined ? undefined : GRANT_LIFE);
}

/** A whole login of somebody who has a factor, whatever this login has shown of it. */
function canConfirm({ status }: LoginContext): boolean {
  const isExempt = status.status === "not-enrolled" && status.isEnrolled === true;
  return isExempt || status.status === "verified" || status.status === "trusted-device";
}

/** Whether a login has shown what a route asks for, and what is asked of it where it has not. */
export class StepUp {
  constructor(
    private readonly dependencies: EngineDependencies,
    private readonly verification: Verification,
    private readonly operations: Operations,
  ) {}

  /** The methods whose proofs can satisfy the requirement. */
  methodsFor(requirement: ProofRequirement): readonly MethodType[] {
    return acceptableMethods(requirement, this.dependencies.methods.values());
  }

  /**
   * The operation of that id, if it waits for a proof by this method. Without an id: undefined. `invalid-request` for methods that open
   * no route, whatever the id; `expired` for one that waits no more.
   */
  waiting(
    login: LoginContext,
    { stepsUp, type }: AnyMethod,
    id?: string,
  ): Promise<Outcome<WaitingOperation | undefined>> {
    if (id !== undefined && stepsUp === false) return Promise.resolve(failure("invalid-request"));
    return this.operations.waiting(login, type, id);
  }

  /**
   * The account has nothing but factors of restricted kinds, and none that this could be shown by: something else has to be set up.
   * Backup codes stand in for a factor: they are a way on only where the route asks for them by name, or nothing else could be set up.
   */
  needsEnrollment({ record }: LoginContext, requirement: ProofRequirement): boolean {
    const { methods } = this.dependencies;
    const { account } = record;
    const acceptable = this.methodsFor(requirement);
    const own = ownFactors(account);
    const isPoor = ({ type }: Factor): boolean =>
      methods.get(type)?.isRestricted === true && !acceptable.includes(type);
    if (own.length === 0 || !own.every(isPoor)) return false;
    const isLeft = (factor: Factor): boolean =>
      acceptable.includes(factor.type) && methods.get(factor.type)?.remaining?.(factor) !== 0;
    const spare = account.factors.filter(isLeft);
    const canSetUp = acceptable.some((type) => methods.get(type)?.mint === undefined);
    return canSetUp ? !spare.some(({ type }) => requirement.methods?.includes(type)) : spare.length === 0;
  }

  /** Whether the login satisfies the requirement now. A proof given for an operation is used up by it, once. */
  async authorizeAndConsume(
    login: LoginContext,
    requirement: ProofRequirement,
    operation: Operation | undefined,
  ): Promise<boolean> {
    const acceptable = this.methodsFor(requirement);
    if (operation !== undefined) return this.useProof(login, requirement, operation, acceptable);
    const { status } = login;
    if (status.status !== "verified") return false;
    return satisfyingProof(status.login, requirement, acceptable, this.dependencies.clock()) !== undefined;
  }

  /** The operation, waiting for a proof from now on; undefined where the session has no record of the login. */
  ask(
    login: LoginContext,
    requirement: ProofRequirement,
    operation: Operation,
    way: Way,
  ): Promise<ShownOperation | undefined> {
    return this.operations.ask(login, operation, {
      methods: this.methodsFor(requirement),
      maxAge: requirement.maxAge ?? GRANT_LIFE,
      ...(way.returnTo !== undefined && { returnTo: way.returnTo }),
      ...(way.backTo !== undefined && { backTo: way.backTo }),
    });
  }

  /**
   * Proves one factor for one operation: that may be done once, and nothing else comes of it. The proof is used up first; where the
   * operation ended meanwhile nothing is opened (`expired`).
   */
  async confirm(
    login: LoginContext,
    presentation: Presentation,
    operation: WaitingOperation,
  ): Promise<Outcome<Confirmed | Waiting>> {
    const { result } = await this.dependencies.records.change(
      subjectOf(login),
      (current, now) => this.tryFor(operation, weighed(login, current, now), presentation, now),
      login.record,
    );
    if (!result.ok || "waiting" in result.value) return result;
    return (await this.operations.open(login, operation, result.value.proof)) ? result : failure("expired");
  }

  private async tryFor(
    operation: WaitingOperation,
    login: LoginContext,
    presentation: Presentation,
    now: number,
  ): Promise<Change<Outcome<Confirmed | Waiting>>> {
    const problem = admissionProblem(login, presentation.method);
    if (problem !== undefined) return { result: { ok: false, problem } };
    const claimant = { scope: scopeOf(login), loginId: recipientOf(login, operation) };
    const tried = await this.verification.attempt(login.record.account, presentation, claimant, now);
    if ("change" in tried) return tried.change;
    const { account, answer, events, proof } = tried.verified;
    const told: AccountEvent = { action: "step-up", method: proof.method, factorId: proof.factorId };
    const result = success({ proof, answer, confirmed: operation });
    const ended = endRecovery(account, now, "proof");
    return { account: ended.account, result, events: [...events, told, ...ended.events] };
  }

  private async useProof(
    login: LoginContext,
    requirement: ProofRequirement,
    operation: Operation,
    acceptable: readonly MethodType[],
  ): Promise<boolean> {
    if (!canConfirm(login)) return false;
    const fresh = { ...requirement, maxAge: longestAge(requirement, operation) };
    const willDo = (proof: Proof, now: number): boolean =>
      isHeld(proof, login.record.account) && satisfyingProof({ proofs: [proof] }, fresh, acceptable, now) !== undefined;
    return this.operations.use(login, operation, willDo);
  }
}
