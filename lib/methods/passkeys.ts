import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from "@simplewebauthn/server";
import type { Factor } from "../core/account.js";
import type { Evidence, Method, Rejection } from "./contract.js";
import { isSamePlace, keyFitsOffer, OFFERED_ALGORITHMS } from "./passkey-checks.js";
import { passkeyName } from "./passkey-names.js";

export interface PasskeysOptions {
  /** The domain passkeys are made for. Default: the host name of the first configured origin. */
  readonly rpId?: string;
  /**
   * PIN or biometrics with each use. Default: `"preferred"`: a key without them is a second factor all the same. A passkey as
   * the whole login always needs them.
   */
  readonly userVerification?: "preferred" | "required";
  /** Passkeys a browser can offer by itself. Default: `"preferred"`. */
  readonly residentKey?: "discouraged" | "preferred" | "required";
  /** A signature counter that went back (a cloned key, WebAuthn Level 3 section 6.1.1). Default: `"refuse"`. */
  readonly counterRegression?: "refuse" | "report";
  /** Names by AAGUID, beside those known. */
  readonly names?: Readonly<Record<string, string>>;
  /**
   * After a login with a code, users without a passkey see a page that offers one, until they add it or ask not to be asked.
   * Default: false, the browser goes straight on. With `passkeys()` first in `methods` the next login asks for it first.
   */
  readonly offer?: boolean;
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
  readonly handle: string;
  readonly accountName: string;
  readonly exclude: readonly Factor<PasskeyState>[];
}

export interface AssertionExpectation {
  readonly party: RelyingParty;
  readonly challenge: string;
  /** The user handle of the account. */
  readonly handle: string | undefined;
  readonly needsUserVerification: boolean;
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

export interface PasskeysMethod extends Method<PasskeyState> {
  readonly rpId: string | undefined;
  readonly userVerification: "preferred" | "required";
  readonly offer: boolean;
  /** Resolves when what passkeys need is loaded. */
  readonly loaded: Promise<void>;
  requestOptions(ceremony: RequestCeremony): Promise<PublicKeyCredentialRequestOptionsJSON>;
  creationOptions(ceremony: CreationCeremony): Promise<PublicKeyCredentialCreationOptionsJSON>;
  /** WebAuthn Level 3 section 7.2. */
  verifyAssertion(
    credential: AuthenticationResponseJSON,
    factors: readonly Factor<PasskeyState>[],
    expectation: AssertionExpectation,
  ): Promise<Evidence<PasskeyState> | Rejection | undefined>;
  /** WebAuthn Level 3 section 7.1. */
  verifyAttestation(
    credential: RegistrationResponseJSON,
    expectation: AttestationExpectation,
  ): Promise<Attested | undefined>;
}

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

class Passkeys implements PasskeysMethod {
  readonly type = "passkey";
  readonly amr = ["pop", "user"];
  readonly aal = 2;
  readonly phishingResistant = true;
  /** Nothing to guess: whoever has no key cannot lock out whoever has. */
  readonly limits = [];
  readonly refusal = "invalid-passkey";
  readonly rpId: string | undefined;
  readonly userVerification: "preferred" | "required";
  readonly offer: boolean;
  readonly loaded: Promise<void>;
  private readonly library: Promise<Library>;

  constructor(private readonly options: PasskeysOptions) {
    this.rpId = options.rpId;
    this.userVerification = options.userVerification ?? "preferred";
    this.offer = options.offer ?? false;
    // Loaded when configured, so that applications without passkeys do not pay for them, and no request waits for it.
    this.library = load();
    this.loaded = this.library.then(() => undefined);
    this.loaded.catch(() => undefined);
  }

  hint({ state }: Factor<PasskeyState>): string {
    return state.backupEligible ? "synced" : "device-bound";
  }

  strict(): PasskeysMethod {
    return new Passkeys({ ...this.options, userVerification: "required" });
  }

  async requestOptions({ allow, challenge, needsUserVerification, party }: RequestCeremony) {
    const { generateAuthenticationOptions } = await this.library;
    return generateAuthenticationOptions({
      rpID: party.id,
      challenge: toBytes(challenge),
      allowCredentials: allow.map(descriptor),
      timeout: TIMEOUT,
      userVerification: needsUserVerification ? "required" : this.userVerification,
    });
  }

  async creationOptions({ accountName, challenge, exclude, handle, party }: CreationCeremony) {
    const { generateRegistrationOptions } = await this.library;
    return generateRegistrationOptions({
      rpID: party.id,
      rpName: party.name,
      userID: toBytes(handle),
      userName: accountName,
      userDisplayName: accountName,
      challenge: toBytes(challenge),
      timeout: TIMEOUT,
      attestationType: "none",
      excludeCredentials: exclude.map(descriptor),
      authenticatorSelection: {
        residentKey: this.options.residentKey ?? "preferred",
        userVerification: this.userVerification,
      },
      supportedAlgorithmIDs: [...OFFERED_ALGORITHMS],
    });
  }

  async verifyAssertion(
    credential: AuthenticationResponseJSON,
    factors: readonly Factor<PasskeyState>[],
    expectation: AssertionExpectation,
  ): Promise<Evidence<PasskeyState> | Rejection | undefined> {
    // 7.2 step 5: the key must be one of those that were asked for.
    const factor = factors.find(({ state }) => state.credentialId === credential.id);
    if (factor === undefined || !isSamePlace(credential.response.clientDataJSON)) return undefined;
    // 7.2 step 6: the key must belong to the account it opens.
    const { userHandle } = credential.response;
    if (userHandle !== undefined && userHandle !== expectation.handle) return undefined;
    const result = await verdict(() => this.checkAssertion(credential, factor.state, expectation));
    if (result?.verified !== true) return undefined;
    const { credentialBackedUp, credentialDeviceType, newCounter, userVerified } = result.authenticationInfo;
    // 7.2 step 19: whether a key may be synced is decided when it is made.
    if ((credentialDeviceType === "multiDevice") !== factor.state.backupEligible) return undefined;
    const counter = Math.max(factor.state.counter, newCounter);
    const state: PasskeyState = { ...factor.state, counter, backedUp: credentialBackedUp };
    const evidence = { factor: { ...factor, state }, amr: userVerified ? [...amrOf(state), "mfa"] : amrOf(state) };
    if (!hasRegressed(factor.state.counter, newCounter)) return evidence;
    return this.judgeRegression(evidence);
  }

  private judgeRegression(evidence: Evidence<PasskeyState>): Evidence<PasskeyState> | Rejection {
    if (this.options.counterRegression === "report") return { ...evidence, concern: REGRESSED };
    return { rejected: REGRESSED, factorId: evidence.factor.id };
  }

  async verifyAttestation(
    credential: RegistrationResponseJSON,
    { challenge, isConditional, party }: AttestationExpectation,
  ): Promise<Attested | undefined> {
    if (!isSamePlace(credential.response.clientDataJSON)) return undefined;
    const { decodeCredentialPublicKey, isoCBOR, verifyRegistrationResponse } = await this.library;
    // 7.1 step 13. The decoder takes what is cut short or goes on after its end; CTAP2's one canonical form has neither.
    const object = toBytes(credential.response.attestationObject);
    const whole = await verdict(async () => toText(isoCBOR.encode(isoCBOR.decodeFirst(object))));
    if (whole !== toText(object)) return undefined;
    const result = await verdict(() =>
      verifyRegistrationResponse({
        response: credential,
        expectedChallenge: challenge,
        expectedOrigin: [...party.origins],
        expectedRPID: party.id,
        // 7.1 step 15: a passkey made by the way takes nobody's finger; verification is waived for none.
        requireUserPresence: !isConditional,
        requireUserVerification: this.userVerification === "required",
        supportedAlgorithmIDs: [...OFFERED_ALGORITHMS],
      }),
    );
    if (result?.verified !== true) return undefined;
    const { aaguid, credential: attested, credentialBackedUp, credentialDeviceType } = result.registrationInfo;
    // 7.1: the id answered must be the attested one, of a bearable length, its key of an offered kind.
    if (attested.id !== credential.id || toBytes(attested.id).length > MAX_CREDENTIAL_ID_BYTES) return undefined;
    if (!keyFitsOffer(decodeCredentialPublicKey(attested.publicKey))) return undefined;
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
    return { state, name: passkeyName(aaguid, this.options.names), amr };
  }

  private async checkAssertion(
    credential: AuthenticationResponseJSON,
    state: PasskeyState,
    { challenge, needsUserVerification, party }: AssertionExpectation,
  ) {
    const { verifyAuthenticationResponse } = await this.library;
    return verifyAuthenticationResponse({
      response: credential,
      expectedChallenge: challenge,
      expectedOrigin: [...party.origins],
      expectedRPID: party.id,
      requireUserVerification: needsUserVerification || this.userVerification === "required",
      // The library compares counters before it checks the signature. A counter nobody signed proves no clone, so it is
      // given none and the comparison is ours.
      credential: { id: state.credentialId, publicKey: toBytes(state.publicKey), counter: 0 },
    });
  }
}

/**
 * Passkeys and security keys (WebAuthn Level 3): the one method that a look-alike site cannot use, because the browser signs
 * which site it is on.
 *
 * Does NOT ask for attestation: which make of authenticator a user has is not verified, only named.
 *
 * @example
 * ```ts
 * import { backupCodes, passkeys } from "express-second-factor";
 *
 * const methods = [passkeys({ rpId: "acme.example", userVerification: "required" }), backupCodes()];
 * app.use(secondFactor({ ..., origin: ["https://acme.example", "https://app.acme.example"], methods }));
 * ```
 */
export function passkeys(options: PasskeysOptions = {}): PasskeysMethod {
  return new Passkeys(options);
}

export function isPasskeysMethod(method: Method | undefined): method is PasskeysMethod {
  return method?.type === "passkey";
}
