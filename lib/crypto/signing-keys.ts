import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** COSE algorithms a passkey can be made with here. */
export type SigningAlgorithm = "ES256" | "EdDSA" | "RS256";

/** A key pair as an authenticator holds it. */
export interface SigningKey {
  readonly algorithm: SigningAlgorithm;
  /** COSE labels and values of the public key (RFC 9053), to be encoded as CBOR. */
  readonly publicKey: ReadonlyMap<number, number | Uint8Array>;
  /** ECDSA signatures are DER, as WebAuthn Level 3 section 6.5.5 asks. */
  sign(data: Uint8Array): Uint8Array;
}

function bytes(base64url: string | undefined): Uint8Array {
  return new Uint8Array(Buffer.from(base64url ?? "", "base64url"));
}

type Maker = () => {
  readonly key: KeyObject;
  readonly cose: readonly (readonly [number, number | Uint8Array])[];
  readonly hash: string | null;
};

const MAKERS: Readonly<Record<SigningAlgorithm, Maker>> = {
  ES256() {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const { x, y } = publicKey.export({ format: "jwk" });
    return {
      key: privateKey,
      hash: "sha256",
      cose: [
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, bytes(x)],
        [-3, bytes(y)],
      ],
    };
  },
  EdDSA() {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const { x } = publicKey.export({ format: "jwk" });
    return {
      key: privateKey,
      hash: null,
      cose: [
        [1, 1],
        [3, -8],
        [-1, 6],
        [-2, bytes(x)],
      ],
    };
  },
  RS256() {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const { e, n } = publicKey.export({ format: "jwk" });
    return {
      key: privateKey,
      hash: "sha256",
      cose: [
        [1, 3],
        [3, -257],
        [-1, bytes(n)],
        [-2, bytes(e)],
      ],
    };
  },
};

export function signingKey(algorithm: SigningAlgorithm): SigningKey {
  const { cose, hash, key } = MAKERS[algorithm]();
  return { algorithm, publicKey: new Map(cose), sign: (data) => new Uint8Array(sign(hash, data, key)) };
}

/** SHA-256, for client data and relying party ids. */
export function sha256Bytes(data: string | Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(data).digest());
}
