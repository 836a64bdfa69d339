import type {
  AuthenticationResponseJSON,
  RegistrationResponseJSON,
  VerifiedAuthenticationResponse,
} from "@simplewebauthn/server";
import type { Factor } from "../../core/account.js";
import type { UserId } from "../../core/nouns.js";
import type { CredentialIndex } from "../../engine/credential-index.js";
import type { Evidence, FactorMethod, MethodContext, PresentContext, Site, Verdict } from "../../engine/method.js";
import { amrOf, challengeOf, hasRegressed, isSamePlace } from "./checks.js";
import { algorithmOf, type CoseKey, keyFitsOffer, OFFERED_ALGORITHMS } from "./keys.js";
import { passkeyName } from "./names.js";
import { OTHER_ADDRESS, UNVERIFIED } from "./obstacles.js";
import { defaultRpId, fits, type Place, type RelyingParty } from "./party.js";
import { readAssertion } from "./schemas.js";
import { hasStatement, isSignature } from "./statements.js";
import type {
  AttestationExpectation,
  Attested,
  CreationCeremony,
  PasskeySettings,
  PasskeyState,
  PresentedPasskey,
  RequestCeremony,
} from "./types.js";
import { assertionBinding } from "./bindings.js";

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
  readonly replaces = true;
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

  /** Whether a browser can use passkeys at the site. */
  isFor(place: Place): boolean {
    return this.rpIdAt(place) !== undefined;
  }

  /**
   * Whom passkeys are made for; undefined where no browser would. Without a user the name, which only new passkeys show, may be
   * empty.
   */
  partyOf({ issuer, origins }: Site): RelyingParty | undefined {
    const id = this.rpIdAt({ origins });
    return id === undefined ? undefined : { id, name: issuer, origins };
  }

  obstacle({ state }: Factor<PasskeyState>, place: Place): string | undefined {
    const rpId = state.rpId ?? this.rpIdAt(place);
    if (rpId === undefined || !fits(rpId, place)) return OTHER_ADDRESS;
    return this.given.userVerification === "required" && state.userVerified === false ? UNVERIFIED : undefined;
  }

  /**
   * Those of the passkeys that can be asked for at the site, and the domain they were made for: browsers ask for one at a time, the
   * present one where there is a choice. Undefined where there are none.
   */
  askable(factors: readonly Factor<PasskeyState>[], place: Place): Pick<RequestCeremony, "allow" | "rpId"> | undefined {
    const present = this.rpIdAt(place);
    const usable = factors.filter((factor) => this.obstacle(factor, place) === undefined);
    const domains = usable.map(({ state }) => state.rpId ?? present);
    const rpId = domains.includes(present) ? present : domains.at(-1);
    return rpId === undefined ? undefined : { rpId, allow: usable.filter((_each, index) => domains[index] === rpId) };
  }

  private rpIdAt(place: Place): string | undefined {
    const { rpId = defaultRpId(place) } = this.given;
    return rpId !== undefined && fits(rpId, place) ? rpId : undefined;
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

  async requestOptions({ allow, challenge, needsUserVerification, rpId }: RequestCeremony) {
    const { generateAuthenticationOptions } = await this.library;
    return generateAuthenticationOptions({
      rpID: rpId,
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
    if (challenge === undefined || factor === undefined || party === undefined) return undefined;
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
    // What it has shown once it can do; what it has not shown may be for want of being asked.
    const hasVerified = factor.state.userVerified === true || userVerified;
    const state = { ...factor.state, counter, backedUp: credentialBackedUp, userVerified: hasVerified };
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
    const { aaguid, credential: attested, ...shown } = result.registrationInfo;
    // 7.1: the id answered must be the attested one, of a bearable length, its key of an offered kind.
    if (attested.id !== credential.id || toBytes(attested.id).length > MAX_CREDENTIAL_ID_BYTES) return undefined;
    if (!isAttestedRight(object, library.decodeCredentialPublicKey(attested.publicKey))) return undefined;
    const state: PasskeyState = {
      credentialId: attested.id,
      publicKey: toText(attested.publicKey),
      counter: attested.counter,
      transports: (attested.transports ?? []).map(String).slice(0, 10),
      aaguid,
      backupEligible: shown.credentialDeviceType === "multiDevice",
      backedUp: shown.credentialBackedUp,
      userVerified: shown.userVerified,
      rpId: party.id,
    };
    const amr = shown.userVerified ? [...amrOf(state), "mfa"] : amrOf(state);
    return { state, name: passkeyName(aaguid, this.given.names), amr };
  }

  private async checkAssertion(
    credential: AuthenticationResponseJSON,
    state: PasskeyState,
    party: RelyingParty,
    challenge: string,
  ) {
    const { rpId = party.id } = state;
    // 7.2 step 15: for the domain it was made for, and only where that is this site's.
    if (!fits(rpId, party)) return undefined;
    const { decodeCredentialPublicKey, verifyAuthenticationResponse } = await this.library;
    const publicKey = toBytes(state.publicKey);
    const signature = toBytes(credential.response.signature);
    if (!isSignature(signature, algorithmOf(decodeCredentialPublicKey(publicKey)))) return undefined;
    return verifyAuthenticationResponse({
      response: credential,
      expectedChallenge: challenge,
      expectedOrigin: [...party.origins],
      expectedRPID: rpId,
      requireUserVerification: this.given.userVerification === "required",
      // The library compares counters before it checks the signature. A counter nobody signed proves no clone, so it is
      // given none and the comparison is ours.
      credential: { id: state.credentialId, publicKey, counter: 0 },
    });
  }
}
