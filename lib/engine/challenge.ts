import { type Account, addActivity, addLogin, factorsOf, type Login, withoutDevice } from "../core/account.js";
import type { Outcome, Problem } from "../core/errors.js";
import { BACKUP_CODE, type MethodType, type Proof } from "../core/nouns.js";
import type { Method } from "../methods/contract.js";
import type { Standing } from "../policy/assess.js";
import type { Parts } from "./parts.js";
import { markOf, type Risen, risenLogin } from "./risen.js";
import type { Verification, Verified } from "./verification.js";
import { standingOf, subjectOf, type Visitor } from "./visitor.js";

/** What a visitor can be asked for: their own factors, by method, in the order of the `methods` option. */
export interface MethodChoice {
  readonly type: MethodType;
  readonly factors: readonly { readonly id: string; readonly label: string; readonly hint?: string }[];
}

export interface Proving {
  readonly type: MethodType;
  readonly code: string;
  /** The visitor asked not to be challenged on this browser again. */
  readonly trustDevice: boolean;
}

/** Why nothing can be verified for a login of this standing; undefined where it can. */
function admission(standing: Standing): Problem | undefined {
  if (standing.status === "ended") return { code: "expired" };
  // Nothing is enrolled, so nothing can be right; the answer is the one of any wrong code.
  if (standing.status === "not-enrolled" || standing.status === "must-enroll") return { code: "invalid-code" };
  return undefined;
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

  choices(account: Account): MethodChoice[] {
    const all = [...this.parts.methods.values()].map((method) => choiceOf(method, account));
    return all.filter(({ factors }) => factors.length > 0);
  }

  /** RFC 8176 values of a login's proofs; `mfa` because they came on top of a first factor. */
  amr(login: Login): string[] {
    const values = login.proofs.flatMap(({ method }) => this.parts.methods.get(method)?.amr ?? []);
    return login.proofs.length > 0 ? [...new Set([...values, "mfa"])] : [];
  }

  /** Proves one factor: finishes a pending login, or renews the proof of a full one (step-up). */
  async verify(visitor: Visitor, { type, code, trustDevice }: Proving): Promise<Outcome<Verified<Risen>>> {
    let isStepUp = false;
    const outcome = await this.verification.attempt<Risen>({
      attempter: visitor,
      subject: subjectOf(visitor),
      type,
      code,
      known: visitor.known,
      admit(account, now) {
        const standing = standingOf(visitor, account, now);
        isStepUp = standing.status === "verified";
        return admission(standing);
      },
      complete: (account, proof) => this.rise(account, visitor, proof, trustDevice),
    });
    if (outcome.ok) this.report(visitor, isStepUp, outcome.value);
    return outcome;
  }

  private async rise(account: Account, visitor: Visitor, proof: Proof, trustDevice: boolean) {
    const { method, at } = proof;
    const login = risenLogin(visitor, standingOf(visitor, account, at), proof);
    const action = method === BACKUP_CODE ? "backup-code-used" : "factor-verified";
    const listed = addActivity(addLogin(account, login, visitor.mark?.id), {
      at,
      action,
      method,
      label: visitor.label,
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
    const replaced = visitor.deviceToken?.split(".")[0] ?? "";
    const granted = await devices.grant(withoutDevice(account, replaced), visitor.label, now);
    return { account: granted.account, deviceToken: granted.token };
  }

  private report(visitor: Visitor, isStepUp: boolean, { proof, value }: Verified<Risen>): void {
    const { tell } = this.parts;
    const details = { method: proof.method, factorId: proof.factorId };
    tell(proof.method === BACKUP_CODE ? "backup-code-used" : "factor-verified", subjectOf(visitor), details);
    if (isStepUp) tell("step-up", subjectOf(visitor), details);
    if (value.deviceToken !== undefined) tell("device-trusted", subjectOf(visitor));
  }
}
