import type { PublicKeyCredentialCreationOptionsJSON, RegistrationResponseJSON } from "@simplewebauthn/server";
import { type Account, activeFactorsOf, type Factor, factorsOf, freeLabel, isEnrolled } from "../../core/account.js";
import { hasRoom, withLooseClaims, withoutLooseClaims } from "../../core/account-changes.js";
import { failure, type Outcome, type Problem, success } from "../../core/errors.js";
import { cleanText, MAX_LABEL } from "../../core/text.js";
import { randomBase64url, randomId } from "../../crypto/random.js";
import type { Change } from "../../engine/account-records.js";
import { type Activation, activate, type EnrolledFactor, enrolledWith } from "../../engine/activation.js";
import { type Claim, credentialClaim, handleClaim } from "../../engine/credential-index.js";
import type { EngineDependencies } from "../../engine/dependencies.js";
import { type LoginContext, subjectOf, weighed } from "../../engine/login-context.js";
import { factorProblem, FRESH, stepUp } from "../../policy/access.js";
import { bindingOf } from "./bindings.js";
import { challengeOf } from "./checks.js";
import type { Passkeys } from "./method.js";
import type { RelyingParty } from "./party.js";
import type { Attested, PasskeyState } from "./types.js";

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
  /** With the account's first factor the other logins stay, and are asked for it. */
  readonly keepsOthers: boolean;
}

/** A passkey that was verified, and is yet to be added. */
interface New extends Attested {
  readonly isConditional: boolean;
}

/** Those that can be asked for. */
export function activePasskeysOf(account: Account): readonly Factor<PasskeyState>[] {
  return activeFactorsOf(account, "passkey") as readonly Factor<PasskeyState>[];
}

/** All of them, also those that are suspended: none of them is made twice. */
export function passkeysOf(account: Account): readonly Factor<PasskeyState>[] {
  return factorsOf(account, "passkey") as readonly Factor<PasskeyState>[];
}

/** Why no passkey can be added to the account as it is now; undefined where one can. */
function creationProblem(login: LoginContext, isConditional: boolean, now: number): Problem | undefined {
  const { account } = login.record;
  const problem = factorProblem(login, FRESH, now);
  if (problem !== undefined) return problem;
  // One made by the way is for accounts that have a factor: it must not switch anything on.
  if (isConditional && !isEnrolled(account)) return { code: "enrollment-required" };
  return hasRoom(account) ? undefined : { code: "conflict" };
}

/** Why this passkey cannot be added; undefined where it can. */
function additionProblem(
  login: LoginContext,
  { credentialId }: PasskeyState,
  isConditional: boolean,
  now: number,
): Problem | undefined {
  const problem = creationProblem(login, isConditional, now);
  if (problem !== undefined) return problem;
  const isKnown = passkeysOf(login.record.account).some(({ state }) => state.credentialId === credentialId);
  return isKnown ? { code: "conflict" } : undefined;
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
    const claim = handleClaim(userHandle);
    if (!(await credentials.claim(claim, login.userId))) return failure("conflict");
    if ((await records.read(login.userId)).account.handle !== userHandle) {
      // The account was erased beside this request.
      await credentials.settle(login.userId, [claim]);
      return failure("expired");
    }
    const challenge = await challenges.begin(bindingOf(login, isConditional ? "enroll-conditional" : "enroll"));
    // What cannot be used here is in nobody's way: the same key, with a PIN by now, may be set up anew.
    const exclude = passkeysOf(record.account).filter((each) => this.method.obstacle(each, party) === undefined);
    return success(await this.method.creationOptions({ party, challenge, userHandle, accountName, exclude }));
  }

  /** Puts a new passkey in force. Ends every other login and all trusted devices. */
  async finish(login: LoginContext, attestation: Attestation): Promise<Outcome<EnrolledFactor>> {
    const { clock, credentials, records } = this.dependencies;
    const refusal = factorProblem(login, FRESH, clock());
    if (refusal !== undefined) return { ok: false, problem: refusal };
    const attested = await this.attest(login, attestation);
    if (attested === undefined) return this.refused(login);
    const claim = credentialClaim(attested.state.credentialId);
    const { result: announced } = await records.change<Outcome<undefined>>(subjectOf(login), (current, now) =>
      this.announce(weighed(login, current, now), attested, claim, now),
    );
    if (!announced.ok) return announced;
    if (!(await credentials.claim(claim, login.userId))) return this.giveUp(login, claim, { code: "conflict" });
    const { record, result } = await records.change<Outcome<Activation>>(subjectOf(login), (current, now) =>
      this.add(weighed(login, current, now), attested, attestation, now),
    );
    if (!result.ok) return this.giveUp(login, claim, result.problem);
    return success(enrolledWith(login, result.value, record, clock()));
  }

  private refused(login: LoginContext): Outcome<never> {
    const { refusal, type } = this.method;
    this.dependencies.emitAudit("factor-failed", subjectOf(login), { method: type, outcome: "failure" });
    return failure(refusal, { isFailedAttempt: true });
  }

  /** The passkey, verified, and whether it was made by the way; its challenge is used up. */
  private async attest(login: LoginContext, { credential, party }: Attestation): Promise<New | undefined> {
    const challenge = challengeOf(credential.response.clientDataJSON);
    const bindings = (["enroll", "enroll-conditional"] as const).map((purpose) => bindingOf(login, purpose));
    const redeemed =
      challenge === undefined ? undefined : await this.dependencies.challenges.redeem(challenge, bindings);
    if (challenge === undefined || redeemed === undefined) return undefined;
    const isConditional = redeemed.purpose === "enroll-conditional";
    const attested = await this.method.verifyAttestation(credential, { party, challenge, isConditional });
    return attested && { ...attested, isConditional };
  }

  /** Gives up a claim that came to nothing; one the account lives by stays. */
  private async giveUp({ userId }: LoginContext, claim: Claim, problem: Problem): Promise<Outcome<never>> {
    // What cannot be given up now is written down; the answer is the same.
    await this.dependencies.credentials.settle(userId, [claim]).catch(() => undefined);
    return { ok: false, problem };
  }

  /** Writes down what is about to be claimed: should nothing come of it, it can still be given up. */
  private announce(
    login: LoginContext,
    { isConditional, state }: New,
    claim: Claim,
    now: number,
  ): Change<Outcome<undefined>> {
    const problem = additionProblem(login, state, isConditional, now);
    if (problem !== undefined) return { result: { ok: false, problem } };
    return { account: withLooseClaims(login.record.account, [claim]), result: success(undefined) };
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
    { amr, isConditional, name, state }: New,
    { keepsOthers, label }: Attestation,
    now: number,
  ): Promise<Change<Outcome<Activation>>> {
    const { account } = login.record;
    const problem = additionProblem(login, state, isConditional, now);
    if (problem !== undefined) return { result: { ok: false, problem } };
    const chosen = cleanText(label ?? "", MAX_LABEL) || freeLabel(account, name);
    const { type } = this.method;
    const proven = { id: randomId(), type, label: chosen, state, amr, isSilent: isConditional, keepsOthers };
    const { account: next, result, ...change } = await activate(this.dependencies, login, proven, now);
    const settled = withoutLooseClaims(next ?? account, [credentialClaim(state.credentialId)]);
    return { ...change, account: settled, result: success(result) };
  }
}
