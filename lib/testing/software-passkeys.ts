import { type CBORType, encodeCBOR } from "@levischuck/tiny-cbor";
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from "@simplewebauthn/server";
import { randomBase64url } from "../crypto/random.js";
import { sha256Bytes, type SigningAlgorithm, signingKey, type SigningKey } from "../crypto/signing-keys.js";

export interface SoftwareAuthenticatorOptions {
  /** The page it is used on. Default: `"http://localhost:3000"`. */
  readonly origin?: string;
  /** Default: `"ES256"`, if it is among those asked for. */
  readonly algorithm?: SigningAlgorithm;
  /** Somebody is there. Default: true; without, it answers as a password manager does under conditional create. */
  readonly userPresence?: boolean;
  /** PIN or biometrics with each use. Default: as `userPresence`. */
  readonly userVerification?: boolean;
  /** Counts its signatures. Default: false; it then always says 0, as synced passkeys do. */
  readonly counter?: boolean;
  /** May be synced (BE). Default: true. */
  readonly backupEligible?: boolean;
  /** Is synced (BS). Default: as `backupEligible`. */
  readonly backedUp?: boolean;
  /** Keeps its passkeys itself, so that they can be found without a list. Default: true. */
  readonly resident?: boolean;
  /** Default: all zeros, as most authenticators say without attestation. */
  readonly aaguid?: string;
}

/** One passkey the authenticator holds. Mutable, so that a test can move its counter back or flip its flags. */
export interface SoftwarePasskey {
  readonly id: string;
  readonly rpId: string;
  /** The user handle it was made for. */
  readonly userHandle: string;
  readonly key: SigningKey;
  counter: number;
  backupEligible: boolean;
  backedUp: boolean;
}

/** What is answered, before it is encoded and signed: a test changes one thing and signs the lie properly. */
export interface Tampering {
  readonly clientData?: Readonly<Record<string, unknown>>;
  /** The relying party id whose hash is answered. */
  readonly rpId?: string;
  /** Bits of the flags byte: UP 0x01, UV 0x04, BE 0x08, BS 0x10, AT 0x40. */
  readonly flags?: (flags: number) => number;
  readonly counter?: number;
  readonly userHandle?: string | null;
  /** Id in the answer's envelope. */
  readonly id?: string;
  /** Id in the attested data, base64url. */
  readonly attestedId?: string;
  readonly publicKey?: ReadonlyMap<number, number | Uint8Array>;
  readonly signature?: (signature: Uint8Array) => Uint8Array;
  readonly format?: string;
  readonly attestationStatement?: ReadonlyMap<string, unknown>;
}

const UP = 0x01;
const UV = 0x04;
const BE = 0x08;
const BS = 0x10;
const AT = 0x40;
const COSE_IDS: Readonly<Record<SigningAlgorithm, number>> = { ES256: -7, EdDSA: -8, RS256: -257 };

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

function fromText(base64url: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64url, "base64url"));
}

function encode(value: unknown): Uint8Array {
  return encodeCBOR(value as CBORType);
}

/**
 * An authenticator in software: answers both WebAuthn ceremonies as a browser with a passkey provider would, without a
 * browser. For tests; it keeps its keys in memory and checks nothing a browser would check for you.
 */
export class SoftwareAuthenticator {
  readonly passkeys: SoftwarePasskey[] = [];
  private readonly options: Required<SoftwareAuthenticatorOptions>;

  constructor(options: SoftwareAuthenticatorOptions = {}) {
    const { backupEligible = true, userPresence = true } = options;
    this.options = {
      origin: "http://localhost:3000",
      algorithm: "ES256",
      userPresence,
      userVerification: userPresence,
      counter: false,
      backupEligible,
      backedUp: backupEligible,
      resident: true,
      aaguid: "00000000-0000-0000-0000-000000000000",
      ...options,
    };
  }

  /** `navigator.credentials.create()`. @throws when it holds one of the excluded passkeys, or no algorithm is in common */
  create(options: PublicKeyCredentialCreationOptionsJSON, tampering: Tampering = {}): RegistrationResponseJSON {
    const { algorithm, backedUp, backupEligible } = this.options;
    const excluded = new Set((options.excludeCredentials ?? []).map(({ id }) => id));
    if (this.passkeys.some(({ id }) => excluded.has(id))) throw new Error("InvalidStateError");
    if (!options.pubKeyCredParams.some(({ alg }) => alg === COSE_IDS[algorithm])) throw new Error("NotSupportedError");
    const passkey: SoftwarePasskey = {
      id: randomBase64url(32),
      rpId: options.rp.id ?? "",
      userHandle: options.user.id,
      key: signingKey(algorithm),
      counter: 0,
      backupEligible,
      backedUp,
    };
    this.passkeys.push(passkey);
    const clientData = this.clientData("webauthn.create", options.challenge, tampering);
    const authData = Buffer.concat([
      this.authenticatorData(passkey, AT, tampering),
      fromText(Buffer.from(this.options.aaguid.replaceAll("-", ""), "hex").toString("base64url")),
      this.attestedId(passkey, tampering),
      encode(tampering.publicKey ?? passkey.key.publicKey),
    ]);
    const attestation = new Map<string, unknown>([
      ["fmt", tampering.format ?? "none"],
      ["attStmt", tampering.attestationStatement ?? new Map()],
      ["authData", new Uint8Array(authData)],
    ]);
    const id = tampering.id ?? passkey.id;
    return {
      id,
      rawId: id,
      type: "public-key",
      response: {
        clientDataJSON: text(clientData),
        attestationObject: text(encode(attestation)),
        transports: ["internal"],
      },
      clientExtensionResults: {},
    };
  }

  /** `navigator.credentials.get()`. @throws when it holds no passkey that will do */
  get(options: PublicKeyCredentialRequestOptionsJSON, tampering: Tampering = {}): AuthenticationResponseJSON {
    const passkey = this.find(options);
    if (this.options.counter) passkey.counter += 1;
    const clientData = this.clientData("webauthn.get", options.challenge, tampering);
    const authData = this.authenticatorData(passkey, 0, tampering);
    const signature = passkey.key.sign(Buffer.concat([authData, sha256Bytes(clientData)]));
    const userHandle = tampering.userHandle === undefined ? passkey.userHandle : tampering.userHandle;
    const id = tampering.id ?? passkey.id;
    return {
      id,
      rawId: id,
      type: "public-key",
      response: {
        clientDataJSON: text(clientData),
        authenticatorData: text(authData),
        signature: text(tampering.signature?.(signature) ?? signature),
        ...(userHandle === null || !this.options.resident ? {} : { userHandle }),
      },
      clientExtensionResults: {},
    };
  }

  private find({ allowCredentials = [], rpId }: PublicKeyCredentialRequestOptionsJSON): SoftwarePasskey {
    const allowed = new Set(allowCredentials.map(({ id }) => id));
    const fits = ({ id }: SoftwarePasskey): boolean => (allowed.size === 0 ? this.options.resident : allowed.has(id));
    const passkey = this.passkeys.findLast((each) => each.rpId === rpId && fits(each));
    if (passkey === undefined) throw new Error("NotAllowedError");
    return passkey;
  }

  private clientData(type: string, challenge: string, { clientData = {} }: Tampering): Uint8Array {
    const data = { type, challenge, origin: this.options.origin, crossOrigin: false, ...clientData };
    return new Uint8Array(Buffer.from(JSON.stringify(data)));
  }

  private authenticatorData(passkey: SoftwarePasskey, extra: number, tampering: Tampering): Uint8Array {
    const seen = (this.options.userPresence ? UP : 0) | (this.options.userVerification ? UV : 0);
    const backup = (passkey.backupEligible ? BE : 0) | (passkey.backedUp ? BS : 0);
    const flags = seen | backup | extra;
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(tampering.counter ?? passkey.counter);
    const flagged = Uint8Array.of(tampering.flags?.(flags) ?? flags);
    return new Uint8Array(Buffer.concat([sha256Bytes(tampering.rpId ?? passkey.rpId), flagged, counter]));
  }

  private attestedId(passkey: SoftwarePasskey, { attestedId = passkey.id }: Tampering): Uint8Array {
    const id = fromText(attestedId);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(id.length);
    return new Uint8Array(Buffer.concat([length, id]));
  }
}

/**
 * A new authenticator that holds no passkeys yet.
 *
 * @example
 * ```ts
 * import { softwareAuthenticator } from "express-second-factor/testing";
 *
 * const key = softwareAuthenticator({ origin: "http://localhost:3000" });
 * const creation = await agent.post("/2fa/passkey/enroll/options").send({});
 * await agent.post("/2fa/passkey/enroll").send({ credential: key.create(creation.body) }).expect(201);
 *
 * const request = await agent.post("/2fa/passkey/options").send({});
 * await agent.post("/2fa/passkey").send({ credential: key.get(request.body) }).expect(200);
 * ```
 */
export function softwareAuthenticator(options: SoftwareAuthenticatorOptions = {}): SoftwareAuthenticator {
  return new SoftwareAuthenticator(options);
}
