import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from "@simplewebauthn/server";
import { type Account, type Factor, factorsOf, isEnrolled } from "../core/account.js";
import { failure, type Outcome, type Problem, success } from "../core/errors.js";
import type { Client, UserId } from "../core/nouns.js";
import { cleanText, MAX_LABEL } from "../core/text.js";
import { randomBase64url, randomId } from "../crypto/random.js";
import { challengeOf } from "../methods/passkey-checks.js";
import type { Attested, PasskeysMethod, PasskeyState, RelyingParty } from "../methods/passkeys.js";
import { FRESH, stepUp } from "../policy/access.js";
import { activate, type Enrolled, freeLabel } from "./activation.js";
import type { Bond, Ceremonies, CeremonyPurpose } from "./ceremonies.js";
import type { Challenge } from "./challenge.js";
import { MOST_FACTORS } from "./enrollment.js";
import type { Parts } from "./parts.js";
import type { PasskeyOwners } from "./passkey-owners.js";
import type { Change } from "./records.js";
import type { Risen } from "./risen.js";
import type { Verification, Verified } from "./verification.js";
import { changeRefusal, standingOf, subjectOf, trierOf, type Visitor } from "./visitor.js";

const HANDLE_BYTES = 64;

export interface Assertion {
  readonly party: RelyingParty;
  readonly credential: AuthenticationResponseJSON;
  readonly trustDevice: boolean;
}

/** A passkey presented by somebody nobody knows yet. */
export interface Presentation {
  readonly party: RelyingParty;
  readonly credential: AuthenticationResponseJSON;
  /** The browser session the challenge was made for. */
  readonly browserId: string;
  readonly client: Client;
}

/** A passkey somebody is about to add. */
export interface Creation {
  readonly party: RelyingParty;
  readonly accountName: string;
  /** By the way, without a dialog (conditional create). */
  readonly isConditional: boolean;
}

export interface Attestation {
  readonly party: RelyingParty;
  readonly credential: RegistrationResponseJSON;
  readonly label?: string | undefined;
}

function asPasskeys(factors: readonly Factor[]): readonly Factor<PasskeyState>[] {
  return factors as readonly Factor<PasskeyState>[];
}

function passkeysOf(account: Account): readonly Factor<PasskeyState>[] {
  return asPasskeys(factorsOf(account, "passkey"));
}

/** What an answer redeemed: its challenge, and what that was made for. */
interface Redeemed {
  readonly challenge: string;
  readonly purpose: CeremonyPurpose;
}

/** Passkey ceremonies: options with a challenge, then the answer to it, once. */
export class PasskeyDesk {
  constructor(
    private readonly parts: Parts,
    private readonly method: PasskeysMethod,
    private readonly ceremonies: Ceremonies,
    private readonly owners: PasskeyOwners,
    private readonly verification: Verification,
    private readonly challenge: Challenge,
  ) {}

  /** Options for a pending login or a step-up. Without a passkey there is nothing to ask for (`not-found`). */
  async requestOptions(
    visitor: Visitor,
    account: Account,
    party: RelyingParty,
  ): Promise<Outcome<PublicKeyCredentialRequestOptionsJSON>> {
    const allow = passkeysOf(account);
    if (allow.length === 0) return failure("not-found");
    const challenge = await this.ceremonies.begin(this.bond(visitor, account));
    const ceremony = { party, challenge, allow, needsUserVerification: false };
    return success(await this.method.requestOptions(ceremony));
  }

  /** Options for a whole login: any passkey the browser finds, with user verification. Says nothing about any user. */
  async discoverableOptions(browserId: string, party: RelyingParty): Promise<PublicKeyCredentialRequestOptionsJSON> {
    const challenge = await this.ceremonies.begin({ purpose: "passwordless", loginId: browserId });
    return this.method.requestOptions({ party, challenge, allow: [], needsUserVerification: true });
  }

  /** Proves a passkey: finishes a pending login, or renews the proof of a full one. */
  async verify(visitor: Visitor, account: Account, assertion: Assertion): Promise<Outcome<Verified<Risen>>> {
    const { credential, party, trustDevice } = assertion;
    const { method } = this;
    const redeemed = await this.redeem(credential.response.clientDataJSON, this.bond(visitor, account));
    const handle = account.handle;
    return this.challenge.prove(visitor, {
      method,
      trustDevice,
      prove: async (factors) => {
        if (redeemed === undefined) return undefined;
        const expectation = { party, challenge: redeemed.challenge, handle, needsUserVerification: false };
        return method.verifyAssertion(credential, asPasskeys(factors), expectation);
      },
    });
  }

  /** Whose passkey this claims to be; nothing is proved by it. */
  async claimant(credential: AuthenticationResponseJSON): Promise<UserId | undefined> {
    const { userHandle } = credential.response;
    return userHandle === undefined ? undefined : this.owners.ofHandle(userHandle);
  }

  /**
   * A login by a discoverable passkey: with user verification it is complete (two factors in one); without, it is a first
   * step, and nothing has risen. Uses the challenge up even where the claimant is unknown, so that a stranger's answer takes
   * the same path.
   */
  async signIn(newcomer: Visitor | undefined, presentation: Presentation): Promise<Outcome<Risen | undefined>> {
    const { browserId, client, credential, party } = presentation;
    const bond: Bond = { purpose: "passwordless", loginId: browserId };
    const redeemed = await this.redeem(credential.response.clientDataJSON, bond);
    if (newcomer === undefined || redeemed === undefined) {
      // Counted and told as any other wrong answer: how a stranger's fares must not say who is known.
      const userId = newcomer?.userId ?? "";
      const who = { attempter: { userId, address: client.ip }, subject: { userId, client } };
      return this.verification.counted(this.method, who, async () => failure("invalid-passkey"));
    }
    const { account: before } = await this.parts.records.read(newcomer.userId);
    const { challenge } = redeemed;
    const expectation = { party, challenge, handle: before.handle, needsUserVerification: false };
    const outcome = await this.verification.attempt<Risen | undefined>({
      ...trierOf(newcomer),
      method: this.method,
      admit: () => undefined,
      prove: (factors) => this.method.verifyAssertion(credential, asPasskeys(factors), expectation),
      complete: async (account, proof) =>
        proof.amr?.includes("mfa") === true
          ? this.challenge.rise(account, newcomer, proof, false)
          : { account, value: undefined },
    });
    if (!outcome.ok) return outcome;
    const { proof, value } = outcome.value;
    this.parts.tell("factor-verified", subjectOf(newcomer), { method: proof.method, factorId: proof.factorId });
    return success(value);
  }

  /** The user handle and the credentials in force; undefined where the owner never had any. */
  known({ handle, ...account }: Account): { readonly userId: string; readonly credentialIds: string[] } | undefined {
    if (handle === undefined) return undefined;
    return { userId: handle, credentialIds: passkeysOf(account).map(({ state }) => state.credentialId) };
  }

  /** Passkeys are offered to those who have none. */
  get isOffering(): boolean {
    return this.method.offer;
  }

  /** Whether this account is to be offered a passkey: it has none, and room for one, and its owner did not decline. */
  offers(account: Account): boolean {
    const hasRoom = account.factors.length < MOST_FACTORS && passkeysOf(account).length === 0;
    return this.method.offer && hasRoom && account.declinesPasskeys !== true;
  }

  /** The owner is not to be offered a passkey again; adding one stays open to them. */
  declineOffers(visitor: Visitor): Promise<Outcome<undefined>> {
    return this.parts.records.update<Outcome<undefined>>(visitor.userId, async (account) => {
      const { status } = standingOf(visitor, account, this.parts.clock());
      if (status !== "verified") return { result: failure("second-factor-required") };
      return { account: { ...account, declinesPasskeys: true }, result: success(undefined) };
    });
  }

  /** Options for a new passkey. One made by the way is for accounts that have a factor: it must not switch anything on. */
  async creationOptions(
    visitor: Visitor,
    { accountName, isConditional, party }: Creation,
  ): Promise<Outcome<PublicKeyCredentialCreationOptionsJSON>> {
    const prepared = await this.parts.records.update(visitor.userId, (account) =>
      this.prepare(account, visitor, isConditional),
    );
    if (!prepared.ok) return prepared;
    const { handle, account } = prepared.value;
    // A handle is 64 random bytes: another owner of the same one is a damaged store, and no passkey is made over it.
    if (!(await this.owners.claimHandle(handle, visitor.userId))) return failure("conflict");
    const purpose = isConditional ? "enroll-conditional" : "enroll";
    const challenge = await this.ceremonies.begin(this.bond(visitor, account, purpose));
    const ceremony = { party, challenge, handle, accountName, exclude: passkeysOf(account) };
    return success(await this.method.creationOptions(ceremony));
  }

  /** Puts a new passkey in force. Ends every other login and all trusted devices. */
  async enroll(visitor: Visitor, account: Account, attestation: Attestation): Promise<Outcome<Enrolled>> {
    const { credential, label, party } = attestation;
    const who = trierOf(visitor);
    const outcome = await this.verification.counted<Enrolled>(this.method, who, async () => {
      const refusal = changeRefusal(visitor, account, this.parts.clock(), FRESH);
      if (refusal !== undefined) return { ok: false, problem: refusal };
      const bonds = (["enroll", "enroll-conditional"] as const).map((each) => this.bond(visitor, account, each));
      const redeemed = await this.redeem(credential.response.clientDataJSON, ...bonds);
      if (redeemed === undefined) return failure("invalid-passkey");
      const { challenge, purpose } = redeemed;
      const isConditional = purpose === "enroll-conditional";
      const attested = await this.method.verifyAttestation(credential, { party, challenge, isConditional });
      if (attested === undefined) return failure("invalid-passkey");
      const { credentialId } = attested.state;
      if (!(await this.owners.claimCredential(credentialId, visitor.userId))) return failure("conflict");
      const added = await this.parts.records.update(visitor.userId, (current) =>
        this.add(current, visitor, attested, { label, isSilent: isConditional }),
      );
      if (!added.ok) await this.unclaim(visitor.userId, credentialId);
      return added;
    });
    if (outcome.ok) {
      const { id: factorId } = outcome.value.factor;
      this.parts.tell("factor-enrolled", subjectOf(visitor), { method: "passkey", factorId });
    }
    return outcome;
  }

  /** Releases a claim that came to nothing; one the account lives by stays. */
  private async unclaim(userId: UserId, credentialId: string): Promise<void> {
    const { account } = await this.parts.records.read(userId);
    const isHeld = passkeysOf(account).some(({ state }) => state.credentialId === credentialId);
    if (!isHeld) await this.owners.releaseCredential(credentialId, userId);
  }

  /** Why no passkey can be added to the account as it is now; undefined where one can. */
  private refusal(account: Account, visitor: Visitor, isConditional: boolean): Problem | undefined {
    const problem = changeRefusal(visitor, account, this.parts.clock(), FRESH);
    if (problem !== undefined) return problem;
    if (isConditional && !isEnrolled(account)) return { code: "enrollment-required" };
    return account.factors.length >= MOST_FACTORS ? { code: "conflict" } : undefined;
  }

  private async prepare(
    account: Account,
    visitor: Visitor,
    isConditional: boolean,
  ): Promise<Change<Outcome<{ readonly handle: string; readonly account: Account }>>> {
    const problem = visitor.mark === undefined ? stepUp(FRESH) : this.refusal(account, visitor, isConditional);
    if (problem !== undefined) return { result: { ok: false, problem } };
    if (account.handle !== undefined) return { result: success({ handle: account.handle, account }) };
    const handle = randomBase64url(HANDLE_BYTES);
    const next: Account = { ...account, handle };
    return { account: next, result: success({ handle, account: next }) };
  }

  private async add(
    account: Account,
    visitor: Visitor,
    { amr, name, state }: Attested,
    { isSilent, label }: { readonly isSilent: boolean; readonly label: string | undefined },
  ): Promise<Change<Outcome<Enrolled>>> {
    const problem = this.refusal(account, visitor, isSilent);
    if (problem !== undefined) return { result: { ok: false, problem } };
    if (passkeysOf(account).some((factor) => factor.state.credentialId === state.credentialId)) {
      return { result: failure("conflict") };
    }
    const chosen = cleanText(label ?? "", MAX_LABEL) || freeLabel(account, name);
    const proven = { id: randomId(), type: "passkey" as const, label: chosen, state, amr, isSilent };
    const enrolled = await activate(this.parts, account, visitor, proven, this.parts.clock());
    return { account: enrolled.risen.account, result: success(enrolled) };
  }

  private bond(visitor: Visitor, account: Account, purpose?: CeremonyPurpose): Bond {
    const { status } = standingOf(visitor, account, this.parts.clock());
    const asked = purpose ?? (status === "pending" ? "login" : "step-up");
    return { purpose: asked, userId: visitor.userId, loginId: visitor.mark?.id ?? "" };
  }

  /** The challenge this answers, used up; undefined where it was not one of these bonds. */
  private async redeem(clientDataJSON: string, ...bonds: readonly Bond[]): Promise<Redeemed | undefined> {
    const challenge = challengeOf(clientDataJSON);
    if (challenge === undefined) return undefined;
    const bond = await this.ceremonies.redeem(challenge, bonds);
    return bond && { challenge, purpose: bond.purpose };
  }
}
