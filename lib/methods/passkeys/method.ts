import type {
  AuthenticationResponseJSON,
  RegistrationResponseJSON,
  VerifiedAuthenticationResponse,
} from "@simplewebauthn/server";
import type { Factor } from "../../core/account.js";
import type { UserId } from "../../core/nouns.js";
import type { CredentialIndex } from "../../engine/credential-index.js";
import type { Evidence, FactorMethod, MethodContext, PresentContext, Site, Verdict } from "../../engine/method.js";
import { challengeOf, isSamePlace } from "./checks.js";
import { algorithmOf, type CoseKey, keyFitsOffer, OFFERED_ALGORITHMS } from "./keys.js";
import { passkeyName } from "./names.js";
import { readAssertion } from "./schemas.js";
import { hasStatement, isSignature } from "./statements.js";
import { assertionBinding } from "./bindings.js";

/** What passkeys are checked by; see the options of `passkeys()`. */
export interface PasskeySettings {
  readonly rpId: string | undefined;
  readonly userVerification: "preferred" | "required";
  readonly residentKey: "discouraged" | "preferred" | "required";
  readonly counterRegression: "refuse" | "report";
  readonly names: Readonly<Record<string, string>>;
}

/** What is stored of a passkey. Nothing in it is secret. Bytes are base64url. */
export interface PasskeyState {
  readonly credentialId: string;
  /** COSE. */
  readonly publicKey: string;
  readonly counter: number;
  readonly transports: readonly string[];
  readonly aaguid: string;
  /** May be synced (BE); never changes. */
  readonly backupEligible: boolean;
  /** Is synced (BS). */
  readonly backedUp: boolean;
}

/** Who asks for a ceremony: everything comes from the configuration, nothing from a request's headers. */
export interface RelyingParty {
  readonly id: string;
  readonly name: string;
  readonly origins: readonly string[];
}

export interface RequestCeremony {
  readonly party: RelyingParty;
  readonly challenge: string;
  /** The passkeys that will do; none: any that the browser finds by itself. */
  readonly allow: readonly Factor<PasskeyState>[];
  readonly needsUserVerification: boolean;
}

export interface CreationCeremony {
  readonly party: RelyingParty;
  readonly challenge: string;
  readonly userHandle: string;
  readonly accountName: string;
  readonly exclude: readonly Factor<PasskeyState>[];
}

/** An assertion as a body presents it, its challenge used up. */
export interface PresentedPasskey {
  readonly credential: AuthenticationResponseJSON;
  readonly party: RelyingParty;
  /** Undefined where it answers no challenge of ours. */
  readonly challenge: string | undefined;
}

export interface AttestationExpectation {
  readonly party: RelyingParty;
  readonly challenge: string;
  /** Asked for under conditional mediation, where nobody need be at the authenticator. */
  readonly isConditional: boolean;
}

/** A new passkey that was verified. */
export interface Attested {
  readonly state: PasskeyState;
  readonly name: string;
  readonly amr: readonly string[];
}

type AuthenticationInfo = VerifiedAuthenticationResponse["authenticationInfo"];

type Library = typeof import("@simplewebauthn/server") &
  Pick<typeof import("@simplewebauthn/server/helpers"), "decodeCredentialPublicKey" | "isoCBOR">;

async function load(): Promise<Library> {
  const [library, helpers] = await Promise.all([
    import("@simplewebauthn/server"),
    import("@simplewebauthn/server/helpers"),
  ]);
  const { decodeCredentialPublicKey, isoCBOR } = helpers;
  return { ...library, decodeCredentialPublicKey, isoCBOR };
}

const REGRESSED = "passkey-counter-regressed";
const TIMEOUT = 300_000;
const MAX_CREDENTIAL_ID_BYTES = 1023;

function toBytes(base64url: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(base64url, "base64url"));
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

function descriptor({ state }: Factor<PasskeyState>): { id: string; transports: string[] } {
  return { id: state.credentialId, transports: [...state.transports] };
}

/** RFC 8176: a key in software (synced) or hardware, its possession proved, and the user's gesture. */
function amrOf({ backupEligible }: Pick<PasskeyState, "backupEligible">): string[] {
  return [backupEligible ? "swk" : "hwk", "pop", "user"];
}

/** 7.2 step 22. Authenticators without a counter always say 0. */
function hasRegressed(known: number, next: number): boolean {
  return (known !== 0 || next !== 0) && next <= known;
}

/** A verifier library throws for most of what is wrong; to a visitor all of it is one answer. */
async function verdict<T>(check: () => Promise<T>): Promise<T | undefined> {
  try {
    return await check();
  } catch {
    return undefined;
  }
}

/** 7.1 step 13. The decoder takes what is cut short or goes on after its end; CTAP2's one canonical form has neither. */
function readObject({ isoCBOR }: Library, bytes: Uint8Array<ArrayBuffer>): ReadonlyMap<unknown, unknown> | undefined {
  const object: unknown = isoCBOR.decodeFirst(bytes);
  const isWhole = object instanceof Map && toText(isoCBOR.encode(object)) === toText(bytes);
  return isWhole ? object : undefined;
}

function isAttestedRight(object: ReadonlyMap<unknown, unknown>, key: CoseKey): boolean {
  return keyFitsOffer(key) && hasStatement(object, algorithmOf(key));
}

/** How passkeys prove their owner, and how new ones are verified. */
export class Passkeys implements FactorMethod<PasskeyState, PresentedPasskey> {
  readonly type = "passkey";
  readonly amr = ["pop", "user"];
  readonly aal = 2;
  readonly phishingResistant = true;
  /** Nothing to guess: whoever has no key cannot lock out whoever has. */
  readonly limits = [];
  readonly refusal = "invalid-passkey";
  private readonly library: Promise<Library>;

  constructor(private readonly given: PasskeySettings) {
    // Loaded when configured, so that applications without passkeys do not pay for them, and no request waits for it.
    this.library = load();
    this.library.catch(() => undefined);
  }

  async ready(): Promise<void> {
    await this.library;
  }

  hint({ state }: Factor<PasskeyState>): string {
    return state.backupEligible ? "synced" : "device-bound";
  }

  credentialIds({ credentialId }: PasskeyState): readonly string[] {
    return [credentialId];
  }

  /** Whom passkeys are made for. Without a user the name, which only new passkeys show, may be empty. */
  partyOf({ issuer, origins }: Site): RelyingParty {
    const { rpId = new URL(origins[0] ?? "").hostname } = this.given;
    return { id: rpId, name: issuer, origins };
  }

  /** Uses the challenge up, whatever comes of it. */
  async present(
    body: Readonly<Record<string, unknown>>,
    context: PresentContext,
  ): Promise<PresentedPasskey | undefined> {
    const read = readAssertion(body);
    if (read === undefined) return undefined;
    const { credential } = read;
    const answered = challengeOf(credential.response.clientDataJSON);
    const redeemed =
      answered === undefined ? undefined : await context.challenges.redeem(answered, [assertionBinding(context)]);
    const challenge = redeemed === undefined ? undefined : answered;
    return { credential, party: this.partyOf(context.site), challenge };
  }

  async claimant({ credential }: PresentedPasskey, credentials: CredentialIndex): Promise<UserId | undefined> {
    const { userHandle } = credential.response;
    return userHandle === undefined ? undefined : credentials.ownerOfHandle(userHandle);
  }

  async requestOptions({ allow, challenge, needsUserVerification, party }: RequestCeremony) {
    const { generateAuthenticationOptions } = await this.library;
    return generateAuthenticationOptions({
      rpID: party.id,
      challenge: toBytes(challenge),
      allowCredentials: allow.map(descriptor),
      timeout: TIMEOUT,
      userVerification: needsUserVerification ? "required" : this.given.userVerification,
    });
  }

  async creationOptions({ accountName, challenge, exclude, party, userHandle }: CreationCeremony) {
    const { generateRegistrationOptions } = await this.library;
    return generateRegistrationOptions({
      rpID: party.id,
      rpName: party.name,
      userID: toBytes(userHandle),
      userName: accountName,
      userDisplayName: accountName,
      challenge: toBytes(challenge),
      timeout: TIMEOUT,
      attestationType: "none",
      excludeCredentials: exclude.map(descriptor),
      authenticatorSelection: {
        residentKey: this.given.residentKey,
        userVerification: this.given.userVerification,
      },
      supportedAlgorithmIDs: [...OFFERED_ALGORITHMS],
    });
  }

  /** WebAuthn Level 3 section 7.2. */
  async verify(
    { challenge, credential, party }: PresentedPasskey,
    factors: readonly Factor<PasskeyState>[],
    { userHandle: ownHandle }: MethodContext,
  ): Promise<Verdict<PasskeyState>> {
    // 7.2 step 5: the key must be one of those that were asked for.
    const factor = factors.find(({ state }) => state.credentialId === credential.id);
    if (challenge === undefined || factor === undefined) return undefined;
    // 7.2 step 6: the key must belong to the account it opens.
    const { clientDataJSON, userHandle } = credential.response;
    if (!isSamePlace(clientDataJSON) || (userHandle !== undefined && userHandle !== ownHandle)) return undefined;
    const result = await verdict(() => this.checkAssertion(credential, factor.state, party, challenge));
    return result?.verified === true ? this.judge(factor, result.authenticationInfo) : undefined;
  }

  private judge(
    factor: Factor<PasskeyState>,
    { credentialBackedUp, credentialDeviceType, newCounter, userVerified }: AuthenticationInfo,
  ): Verdict<PasskeyState> {
    // 7.2 step 19: whether a key may be synced is decided when it is made.
    if ((credentialDeviceType === "multiDevice") !== factor.state.backupEligible) return undefined;
    const counter = Math.max(factor.state.counter, newCounter);
    const state: PasskeyState = { ...factor.state, counter, backedUp: credentialBackedUp };
    const evidence = { factor: { ...factor, state }, amr: userVerified ? [...amrOf(state), "mfa"] : amrOf(state) };
    return hasRegressed(factor.state.counter, newCounter) ? this.judgeRegression(evidence) : evidence;
  }

  private judgeRegression(evidence: Evidence<PasskeyState>): Verdict<PasskeyState> {
    if (this.given.counterRegression === "report") return { ...evidence, concern: REGRESSED };
    return { rejected: true, concern: REGRESSED, factorId: evidence.factor.id };
  }

  /** WebAuthn Level 3 section 7.1. */
  async verifyAttestation(
    credential: RegistrationResponseJSON,
    { challenge, isConditional, party }: AttestationExpectation,
  ): Promise<Attested | undefined> {
    if (!isSamePlace(credential.response.clientDataJSON)) return undefined;
    const library = await this.library;
    const object = await verdict(async () => readObject(library, toBytes(credential.response.attestationObject)));
    if (object === undefined) return undefined;
    const result = await verdict(() =>
      library.verifyRegistrationResponse({
        response: credential,
        expectedChallenge: challenge,
        expectedOrigin: [...party.origins],
        expectedRPID: party.id,
        // 7.1 step 15: a passkey made by the way takes nobody's finger; verification is waived for none.
        requireUserPresence: !isConditional,
        requireUserVerification: this.given.userVerification === "required",
        supportedAlgorithmIDs: [...OFFERED_ALGORITHMS],
      }),
    );
    if (result?.verified !== true) return undefined;
    const { aaguid, credential: attested, credentialBackedUp, credentialDeviceType } = result.registrationInfo;
    // 7.1: the id answered must be the attested one, of a bearable length, its key of an offered kind.
    if (attested.id !== credential.id || toBytes(attested.id).length > MAX_CREDENTIAL_ID_BYTES) return undefined;
    if (!isAttestedRight(object, library.decodeCredentialPublicKey(attested.publicKey))) return undefined;
    const state: PasskeyState = {
      credentialId: attested.id,
      publicKey: toText(attested.publicKey),
      counter: attested.counter,
      transports: (attested.transports ?? []).map(String).slice(0, 10),
      aaguid,
      backupEligible: credentialDeviceType === "multiDevice",
      backedUp: credentialBackedUp,
    };
    const amr = result.registrationInfo.userVerified ? [...amrOf(state), "mfa"] : amrOf(state);
    return { state, name: passkeyName(aaguid, this.given.names), amr };
  }

  private async checkAssertion(
    credential: AuthenticationResponseJSON,
    state: PasskeyState,
    party: RelyingParty,
    challenge: string,
  ) {
    const { decodeCredentialPublicKey, verifyAuthenticationResponse } = await this.library;
    const publicKey = toBytes(state.publicKey);
    const signature = toBytes(credential.response.signature);
    if (!isSignature(signature, algorithmOf(decodeCredentialPublicKey(publicKey)))) return undefined;
    return verifyAuthenticationResponse({
      response: credential,
      expectedChallenge: challenge,
      expectedOrigin: [...party.origins],
      expectedRPID: party.id,
      requireUserVerification: this.given.userVerification === "required",
      // The library compares counters before it checks the signature. A counter nobody signed proves no clone, so it is
      // given none and the comparison is ours.
      credential: { id: state.credentialId, publicKey, counter: 0 },
    });
  }
}
