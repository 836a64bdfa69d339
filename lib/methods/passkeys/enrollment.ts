import type { PublicKeyCredentialCreationOptionsJSON, RegistrationResponseJSON } from "@simplewebauthn/server";
import { type Account, type Factor, factorsOf, freeLabel, isEnrolled } from "../../core/account.js";
import { hasRoom } from "../../core/account-changes.js";
import { failure, type Outcome, type Problem, success } from "../../core/errors.js";
import { cleanText, MAX_LABEL } from "../../core/text.js";
import { randomBase64url, randomId } from "../../crypto/random.js";
import type { Change } from "../../engine/account-records.js";
import { type Activation, activate, type EnrolledFactor, enrolledWith } from "../../engine/activation.js";
import type { EngineDependencies } from "../../engine/dependencies.js";
import { type LoginContext, subjectOf, weighed } from "../../engine/login-context.js";
import { changeProblem, FRESH, stepUp } from "../../policy/access.js";
import { bindingOf } from "./bindings.js";
import { challengeOf } from "./checks.js";
import type { Attested, Passkeys, PasskeyState, RelyingParty } from "./method.js";

const HANDLE_BYTES = 64;

/** A passkey somebody is about to add. */
export interface Creation {
  readonly party: RelyingParty;
  readonly accountName: string;
  /** By the way, without a dialog (conditional create). */
  readonly isConditional: boolean;
}

/** A passkey somebody has made. */
export interface Attestation {
  readonly party: RelyingParty;
  readonly credential: RegistrationResponseJSON;
  readonly label?: string | undefined;
}

export function passkeysOf(account: Account): readonly Factor<PasskeyState>[] {
  return factorsOf(account, "passkey") as readonly Factor<PasskeyState>[];
}

/** Why no passkey can be added to the account as it is now; undefined where one can. */
function creationProblem(login: LoginContext, isConditional: boolean, now: number): Problem | undefined {
  const { account } = login.record;
  const problem = changeProblem(login, FRESH, now);
  if (problem !== undefined) return problem;
  // One made by the way is for accounts that have a factor: it must not switch anything on.
  if (isConditional && !isEnrolled(account)) return { code: "enrollment-required" };
  return hasRoom(account) ? undefined : { code: "conflict" };
}

/** Setting passkeys up: options with a challenge, then the answer to it, once. */
export class PasskeyEnrollment {
  constructor(
    private readonly method: Passkeys,
    private readonly dependencies: EngineDependencies,
  ) {}

  /** Options for a new passkey. */
  async options(login: LoginContext, creation: Creation): Promise<Outcome<PublicKeyCredentialCreationOptionsJSON>> {
    const { accountName, isConditional, party } = creation;
    const { challenges, credentials, records } = this.dependencies;
    const { record, result } = await records.change<Outcome<string>>(subjectOf(login), (current, now) =>
      this.prepare(weighed(login, current, now), isConditional, now),
    );
    if (!result.ok) return result;
    const userHandle = result.value;
    // A handle is 64 random bytes: another owner of the same one is a damaged store, and no passkey is made over it.
    if (!(await credentials.claimHandle(userHandle, login.userId))) return failure("conflict");
    const challenge = await challenges.begin(bindingOf(login, isConditional ? "enroll-conditional" : "enroll"));
    const exclude = passkeysOf(record.account);
    return success(await this.method.creationOptions({ party, challenge, userHandle, accountName, exclude }));
  }

  /** Puts a new passkey in force. Ends every other login and all trusted devices. */
  async finish(login: LoginContext, attestation: Attestation): Promise<Outcome<EnrolledFactor>> {
    const { clock, credentials, records } = this.dependencies;
    const refusal = changeProblem(login, FRESH, clock());
    if (refusal !== undefined) return { ok: false, problem: refusal };
    const attested = await this.attest(login, attestation);
    if (attested === undefined) return this.refused(login);
    const { credentialId } = attested.state;
    if (!(await credentials.claimCredential(credentialId, login.userId))) return failure("conflict");
    const { record, result } = await records.change<Outcome<Activation>>(subjectOf(login), (current, now) =>
      this.add(weighed(login, current, now), attested, attestation.label, now),
    );
    if (result.ok) return success(enrolledWith(login, result.value, record, clock()));
    await this.unclaim(login, credentialId);
    return result;
  }

  private refused(login: LoginContext): Outcome<never> {
    const { refusal, type } = this.method;
    this.dependencies.emitAudit("factor-failed", subjectOf(login), { method: type, outcome: "failure" });
    return failure(refusal, { isFailedAttempt: true });
  }

  /** The passkey, verified, and whether it was made by the way; its challenge is used up. */
  private async attest(
    login: LoginContext,
    { credential, party }: Attestation,
  ): Promise<(Attested & { readonly isConditional: boolean }) | undefined> {
    const challenge = challengeOf(credential.response.clientDataJSON);
    const bindings = (["enroll", "enroll-conditional"] as const).map((purpose) => bindingOf(login, purpose));
    const redeemed =
      challenge === undefined ? undefined : await this.dependencies.challenges.redeem(challenge, bindings);
    if (challenge === undefined || redeemed === undefined) return undefined;
    const isConditional = redeemed.purpose === "enroll-conditional";
    const attested = await this.method.verifyAttestation(credential, { party, challenge, isConditional });
    return attested && { ...attested, isConditional };
  }

  /** Releases a claim that came to nothing; one the account lives by stays. */
  private async unclaim({ userId }: LoginContext, credentialId: string): Promise<void> {
    const { credentials, records } = this.dependencies;
    const { account } = await records.read(userId);
    const isHeld = passkeysOf(account).some(({ state }) => state.credentialId === credentialId);
    if (!isHeld) await credentials.releaseCredential(credentialId, userId);
  }

  /** Makes sure that there is a user handle, and answers it. */
  private prepare(login: LoginContext, isConditional: boolean, now: number): Change<Outcome<string>> {
    const { account } = login.record;
    // A login from before this middleware was installed has no record to tie a challenge to.
    const problem = login.session === undefined ? stepUp(FRESH) : creationProblem(login, isConditional, now);
    if (problem !== undefined) return { result: { ok: false, problem } };
    if (account.handle !== undefined) return { result: success(account.handle) };
    const handle = randomBase64url(HANDLE_BYTES);
    return { account: { ...account, handle }, result: success(handle) };
  }

  private async add(
    login: LoginContext,
    { amr, isConditional, name, state }: Attested & { readonly isConditional: boolean },
    label: string | undefined,
    now: number,
  ): Promise<Change<Outcome<Activation>>> {
    const { account } = login.record;
    const problem = creationProblem(login, isConditional, now);
    if (problem !== undefined) return { result: { ok: false, problem } };
    const isKnown = passkeysOf(account).some((factor) => factor.state.credentialId === state.credentialId);
    if (isKnown) return { result: failure("conflict") };
    const chosen = cleanText(label ?? "", MAX_LABEL) || freeLabel(account, name);
    const proven = { id: randomId(), type: this.method.type, label: chosen, state, amr, isSilent: isConditional };
    const { result, ...change } = await activate(this.dependencies, login, proven, now);
    return { ...change, result: success(result) };
  }
}
