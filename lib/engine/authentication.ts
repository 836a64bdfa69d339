import { onItsOwn, replaceFactor } from "../core/account-changes.js";
import { failure, type Outcome, type Problem, success } from "../core/errors.js";
import type { Client } from "../core/nouns.js";
import { isRecovering } from "../policy/access.js";
import type { Change, Changed } from "./account-records.js";
import { choicesOf, type MethodChoice, type UnusableFactor, unusableOf } from "./choices.js";
import type { EngineDependencies } from "./dependencies.js";
import { elevate, type ElevatedLogin, type Elevation, risen } from "./elevation.js";
import {
  isActing,
  isOnItsOwn,
  type LoginContext,
  recipientOf,
  scopeOf,
  subjectOf,
  type Unweighed,
  weighed,
} from "./login-context.js";
import type { AnyMethod, Waiting } from "./method.js";
import { hasRisen } from "./openings.js";
import type { Presentation, Verification, Verified } from "./verification.js";

/** A proof given at a login. */
export interface Authenticating extends Presentation {
  /** The visitor asked not to be challenged on this browser again. */
  readonly trustDevice: boolean;
}

type Authenticated = Elevation & Pick<Verified, "proof" | "answer">;

/** Why nothing can be verified for this login; undefined where it can. */
export function admissionProblem(login: LoginContext, { refusal, send, type }: AnyMethod): Problem | undefined {
  const { session, status } = login;
  if (isActing(login)) return { code: "acting-login" };
  if (status.status === "ended" || hasRisen(login)) return { code: "expired" };
  // One key shown twice is one factor.
  if (session?.first === type) return { code: refusal };
  // Nothing is enrolled, so nothing can be right; the answer is the one of anything wrong, or that nothing can have been sent.
  const isBare = status.status === "not-enrolled" || status.status === "must-enroll";
  return isBare && status.isEnrolled !== true ? { code: send === undefined ? refusal : "not-found" } : undefined;
}

/** A factor that was set up on a backup code is worth that, until it is used at a later login. */
function onItsOwnIfLater(login: LoginContext, verified: Verified): Verified {
  const { account, proof } = verified;
  const factor = account.factors.find(({ id }) => id === proof.factorId);
  if (factor?.onBackupCode !== true || !isOnItsOwn(login, factor)) return verified;
  const { onBackupCode: _settled, ...own } = proof;
  return { ...verified, account: replaceFactor(account, onItsOwn(factor)), proof: own };
}

/** Asking for a second factor at a login, and taking the answer. */
export class Authentication {
  constructor(
    private readonly dependencies: EngineDependencies,
    private readonly verification: Verification,
  ) {}

  /**
   * What a login can be asked for, what is to be asked for first before the others; never what was its first factor, and nothing where
   * somebody acts for the user. `operation`: what is confirmed by it.
   */
  choices(login: LoginContext, operation?: { readonly id: string }): MethodChoice[] {
    if (isActing(login)) return [];
    const { clock, limits, methods } = this.dependencies;
    const { record, session, source: place } = login;
    // The old factors are there, and this login is not asked for them: it sets up a new one.
    if (isRecovering(login)) return [];
    const others = [...methods.values()].filter(({ type }) => type !== session?.first);
    const loginId = recipientOf(login, operation);
    return choicesOf(others, { account: record.account, scope: scopeOf(login), place, limits, now: clock(), loginId });
  }

  /** What the account has and cannot be asked for at this site. */
  unusable(login: LoginContext): UnusableFactor[] {
    if (isActing(login)) return [];
    const { record, source } = login;
    return [...this.dependencies.methods.values()].flatMap((method) => unusableOf(method, record.account, source));
  }

  /**
   * Proves one factor: finishes a pending login, or renews the proof of a full one (step-up). Of any number of simultaneous
   * attempts with one proof, one succeeds. `Waiting` where the method has no answer yet; nothing has changed then.
   */
  async authenticate(login: LoginContext, proving: Authenticating): Promise<Outcome<ElevatedLogin | Waiting>> {
    const { clock, records } = this.dependencies;
    const subject = subjectOf(login);
    let current = login.record;
    for (let attempt = 0; ; attempt += 1) {
      const now = clock();
      const change = await this.tryAt(weighed(login, current, now), proving, now);
      const changed = await records.settle(subject, current, change, now);
      if (changed !== undefined) return this.elevated(login, changed, now);
      current = await records.readAgain(login.userId, attempt);
    }
  }

  private elevated(
    login: LoginContext,
    { record, result }: Changed<Outcome<Authenticated | Waiting>>,
    now: number,
  ): Outcome<ElevatedLogin | Waiting> {
    if (!result.ok || "waiting" in result.value) return result as Outcome<Waiting>;
    const { answer, deviceToken, proof, session } = result.value;
    const elevated = risen({ ...login, session }, record, now);
    return success({ login: elevated, proof, answer, ...(deviceToken === undefined ? {} : { deviceToken }) });
  }

  /**
   * A login by a proof that says whose it is. With user verification it is complete (two factors in one); without it is a first
   * step, and nothing has risen: undefined.
   */
  async signIn(newcomer: Unweighed, presentation: Presentation): Promise<Outcome<ElevatedLogin | undefined>> {
    const { clock, records } = this.dependencies;
    const { record, result } = await records.change(
      subjectOf(newcomer),
      async (current, now): Promise<Change<Outcome<Authenticated | undefined>>> => {
        const tried = await this.verification.attempt(current.account, presentation, { scope: "login" }, now);
        if ("change" in tried) return { ...tried.change, result: tried.change.result as Outcome<never> };
        const login = weighed(newcomer, current, now);
        const { account, answer, events, proof } = onItsOwnIfLater(login, tried.verified);
        if (newcomer.denied === true || proof.amr?.includes("mfa") !== true)
          return { account, events, result: success(undefined) };
        const elevation = await elevate(this.dependencies, login, { account, proof }, false);
        const { written } = elevation;
        const result = success({ ...elevation, answer, proof });
        return { account: elevation.account, events: [...events, ...elevation.events], result, written };
      },
    );
    if (!result.ok || result.value === undefined) return result as Outcome<undefined>;
    const { answer, proof, session } = result.value;
    return success({ login: risen({ ...newcomer, session }, record, clock()), proof, answer });
  }

  /** A proof of nobody: told as any other wrong one, so that how a stranger fares does not say who is known. */
  refuseStranger({ refusal, type }: AnyMethod, client: Client): Outcome<never> {
    this.dependencies.emitAudit("factor-failed", { userId: "", client }, { method: type, outcome: "failure" });
    return failure(refusal, { isFailedAttempt: true });
  }

  private async tryAt(
    login: LoginContext,
    { method, presented, trustDevice }: Authenticating,
    now: number,
  ): Promise<Change<Outcome<Authenticated | Waiting>>> {
    const problem = admissionProblem(login, method);
    if (problem !== undefined) return { result: { ok: false, problem } };
    const claimant = { scope: scopeOf(login), loginId: login.session?.id };
    const tried = await this.verification.attempt(login.record.account, { method, presented }, claimant, now);
    if ("change" in tried) return tried.change;
    const verified = onItsOwnIfLater(login, tried.verified);
    const { answer, events, proof } = verified;
    const elevation = await elevate(this.dependencies, login, verified, trustDevice);
    const { written } = elevation;
    const result = success({ ...elevation, answer, proof });
    return { account: elevation.account, result, events: [...events, ...elevation.events], written };
  }
}
