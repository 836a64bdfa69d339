import type { PublicKeyCredentialCreationOptionsJSON, RegistrationResponseJSON } from "@simplewebauthn/server";
import { type Account, activeFactorsOf, type Factor, factorsOf, isEnrolled } from "../../core/account.js";
import { failure, type Outcome, type Problem, success } from "../../core/errors.js";
import type { FactorId } from "../../core/nouns.js";
import { randomBase64url, randomId } from "../../crypto/random.js";
import type { Change } from "../../engine/account-records.js";
import type { EnrolledFactor } from "../../engine/activation.js";
import {
  addClaimed,
  earlyFactorProblem,
  newFactorProblem,
  placeOf,
  refusedFactor,
} from "../../engine/claimed-enrollment.js";
import { handleClaim } from "../../engine/credential-index.js";
import type { EngineDependencies } from "../../engine/dependencies.js";
import { type LoginContext, subjectOf, weighed } from "../../engine/login-context.js";
import { FRESH, stepUp } from "../../policy/access.js";
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
  /** The passkey whose place it is to take. */
  readonly replaces?: FactorId | undefined;
}

/** A passkey somebody has made. */
export interface Attestation {
  readonly party: RelyingParty;
  readonly credential: RegistrationResponseJSON;
  readonly label?: string | undefined;
  /** The passkey whose place it takes. */
  readonly replaces?: FactorId | undefined;
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

/** How a passkey is added. */
interface Terms extends Pick<Creation, "isConditional"> {
  readonly replaces?: FactorId | undefined;
}

/** Why no passkey can be added to the account as it is now; undefined where one can. */
function creationProblem(login: LoginContext, { isConditional, replaces }: Terms, now: number): Problem | undefined {
  const problem = newFactorProblem(login, now, placeOf("passkey", replaces));
  if (problem !== undefined) return problem;
  // One made by the way, which its owner may not notice, takes no place.
  if (isConditional && replaces !== undefined) return { code: "invalid-request" };
  // One made by the way is for accounts that have a factor: it must not switch anything on.
  return isConditional && !isEnrolled(login.record.account) ? { code: "enrollment-required" } : undefined;
}

/** Why this passkey cannot be added; undefined where it can. */
function additionProblem(
  login: LoginContext,
  { credentialId }: PasskeyState,
  terms: Terms,
  now: number,
): Problem | undefined {
  const problem = creationProblem(login, terms, now);
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
    const { accountName, isConditional, party, replaces } = creation;
    const { challenges, credentials, records } = this.dependencies;
    const { record, result } = await records.change<Outcome<string>>(subjectOf(login), (current, now) =>
      this.prepare(weighed(login, current, now), { isConditional, replaces }, now),
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
    const { keepsOthers, label, replaces } = attestation;
    const place = placeOf(this.method.type, replaces);
    const refusal = earlyFactorProblem(login, this.dependencies.clock(), place);
    if (refusal !== undefined) return { ok: false, problem: refusal };
    const attested = await this.attest(login, attestation);
    if (attested === undefined) return refusedFactor(this.dependencies, login, this.method);
    const { isConditional, ...made } = attested;
    return addClaimed(this.dependencies, login, {
      ...made,
      id: randomId(),
      type: this.method.type,
      credentialId: made.state.credentialId,
      label,
      isSilent: isConditional,
      keepsOthers,
      replaces,
      problem: (current, now) => additionProblem(current, made.state, { isConditional, replaces }, now),
    });
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

  /** Makes sure that there is a user handle, and answers it. */
  private prepare(login: LoginContext, terms: Terms, now: number): Change<Outcome<string>> {
    const { account } = login.record;
    // A login from before this middleware was installed has no record to tie a challenge to.
    const problem = login.session === undefined ? stepUp(FRESH) : creationProblem(login, terms, now);
    if (problem !== undefined) return { result: { ok: false, problem } };
    if (account.handle !== undefined) return { result: success(account.handle) };
    const handle = randomBase64url(HANDLE_BYTES);
    return { account: { ...account, handle }, result: success(handle) };
  }
}
