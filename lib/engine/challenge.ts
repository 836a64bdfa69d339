import { type Account, addActivity, addLogin, factorsOf, type Login, withoutDevice } from "../core/account.js";
import { failure, type Outcome, type Problem } from "../core/errors.js";
import { BACKUP_CODE, type MethodType, type Proof } from "../core/nouns.js";
import { isCodeMethod, type Method } from "../methods/contract.js";
import type { Mark, Standing } from "../policy/assess.js";
import type { Parts } from "./parts.js";
import { markOf, type Risen, risenLogin } from "./risen.js";
import type { Attempt, Verification, Verified } from "./verification.js";
import { deviceIdOf, standingOf, subjectOf, trierOf, type Visitor } from "./visitor.js";

/** What a visitor can be asked for: their own factors, by method, in the order of the `methods` option. */
export interface MethodChoice {
  readonly type: MethodType;
  readonly factors: readonly { readonly id: string; readonly label: string; readonly hint?: string }[];
}

export interface CodeProving {
  readonly type: MethodType;
  readonly code: string;
  /** The visitor asked not to be challenged on this browser again. */
  readonly trustDevice: boolean;
}

/** A proof of any kind, from a visitor. */
export interface Proving {
  readonly method: Method;
  readonly trustDevice: boolean;
  readonly prove: Attempt<Risen>["prove"];
}

/** Why nothing can be verified for a login of this standing; undefined where it can. */
function admission(standing: Standing, { mark }: Visitor, { refusal, type }: Method): Problem | undefined {
  if (standing.status === "ended") return { code: "expired" };
  // One key shown twice is one factor.
  if (mark?.step === "first" && mark.first === type) return { code: refusal };
  // Nothing is enrolled, so nothing can be right; the answer is the one of anything wrong.
  const isBare = standing.status === "not-enrolled" || standing.status === "must-enroll";
  return isBare && standing.isEnrolled !== true ? { code: refusal } : undefined;
}

function choiceOf(method: Method, account: Account): MethodChoice {
  const factors = factorsOf(account, method.type).map((factor) => ({
    id: factor.id,
    label: factor.label,
    ...(method.hint === undefined ? {} : { hint: method.hint(factor) }),
  }));
  return { type: method.type, factors };
}

/** Asking for a second factor and taking the answer. */
export class Challenge {
  constructor(
    private readonly parts: Parts,
    private readonly verification: Verification,
  ) {}

  /** `mark`: the login that is asked, where its first factor rules a method out. */
  choices(account: Account, mark?: Mark): MethodChoice[] {
    const all = [...this.parts.methods.values()].map((method) => choiceOf(method, account));
    const isSecond = mark?.step === "first";
    return all.filter(({ factors, type }) => factors.length > 0 && !(isSecond && mark.first === type));
  }

  /** RFC 8176 values of a login's proofs; `mfa` because there are two factors behind it, or one that is two. */
  amr({ proofs }: Login): string[] {
    const values = proofs.flatMap(({ amr, method }) => amr ?? this.parts.methods.get(method)?.amr ?? []);
    return proofs.length > 0 ? [...new Set([...values, "mfa"])] : [];
  }

  /** Proves a factor by a typed code. */
  async verify(visitor: Visitor, { type, code, trustDevice }: CodeProving): Promise<Outcome<Verified<Risen>>> {
    const method = this.parts.methods.get(type);
    if (!isCodeMethod(method)) return failure("not-found");
    const normalized = method.normalize(code);
    if (normalized === undefined) return failure("invalid-request");
    return this.prove(visitor, {
      method,
      trustDevice,
      prove: (factors, context) => method.verify(normalized, factors, context),
    });
  }

  /** Proves one factor: finishes a pending login, or renews the proof of a full one (step-up). */
  async prove(visitor: Visitor, { method, trustDevice, prove }: Proving): Promise<Outcome<Verified<Risen>>> {
    let isStepUp = false;
    const outcome = await this.verification.attempt<Risen>({
      ...trierOf(visitor),
      method,
      known: visitor.known,
      prove,
      admit(account, now) {
        const standing = standingOf(visitor, account, now);
        isStepUp = standing.status === "verified";
        return admission(standing, visitor, method);
      },
      complete: (account, proof) => this.rise(account, visitor, proof, trustDevice),
    });
    if (outcome.ok) this.report(visitor, isStepUp, outcome.value);
    return outcome;
  }

  /** The account and the login after a proof: listed under a new id, the browser trusted where that was asked. */
  async rise(
    account: Account,
    visitor: Visitor,
    proof: Proof,
    trustDevice: boolean,
  ): Promise<{ readonly account: Account; readonly value: Risen }> {
    const { method, at } = proof;
    const login = risenLogin(visitor, standingOf(visitor, account, at), proof);
    const action = method === BACKUP_CODE ? "backup-code-used" : "factor-verified";
    const listed = addActivity(addLogin(account, login, visitor.mark?.id), {
      at,
      action,
      method,
      label: visitor.arrival.label,
    });
    const granted = trustDevice ? await this.trust(listed, visitor, at) : { account: listed };
    const value: Risen = { ...granted, mark: markOf(visitor, login, granted.account), login };
    return { account: granted.account, value };
  }

  private async trust(
    account: Account,
    visitor: Visitor,
    now: number,
  ): Promise<{ account: Account; deviceToken?: string }> {
    const { devices } = this.parts;
    if (devices === undefined) return { account };
    const replaced = deviceIdOf(visitor) ?? "";
    const { label } = visitor.arrival;
    const granted = await devices.grant(withoutDevice(account, replaced), label, now);
    const noted = addActivity(granted.account, { at: now, action: "device-trusted", label });
    return { account: noted, deviceToken: granted.token };
  }

  report(visitor: Visitor, isStepUp: boolean, { proof, value }: Verified<Risen>): void {
    const { tell } = this.parts;
    const details = { method: proof.method, factorId: proof.factorId };
    tell(proof.method === BACKUP_CODE ? "backup-code-used" : "factor-verified", subjectOf(visitor), details);
    if (isStepUp) tell("step-up", subjectOf(visitor), details);
    if (value.deviceToken !== undefined) tell("device-trusted", subjectOf(visitor));
  }
}
