import { createECDH, createHash, createPublicKey, type KeyObject, verify, X509Certificate } from "node:crypto";

const KEY_ID_BYTES = 16;

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

/**
 * The public key on P-256 with these coordinates (SP 800-56A section 5.6.2.3.4): each below the field's order, on the curve, and not
 * the point at infinity. Node's import checks all of it.
 */
function p256Key(x: Uint8Array, y: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey({ format: "jwk", key: { kty: "EC", crv: "P-256", x: text(x), y: text(y) } });
  } catch {
    return undefined;
  }
}

/** Whether these are the coordinates of a public key on P-256. */
export function isOnP256(x: Uint8Array, y: Uint8Array): boolean {
  return p256Key(x, y) !== undefined;
}

/** The point, uncompressed, that belongs to a private key on P-256; undefined where that is no number of its range. */
export function publicPointOf(privateKey: Uint8Array): Uint8Array | undefined {
  try {
    const pair = createECDH("prime256v1");
    pair.setPrivateKey(privateKey);
    return pair.getPublicKey();
  } catch {
    return undefined;
  }
}

/** Of the key a certificate certifies the curve, or its kind where it is on none: `"prime256v1"`, `"rsa"`, `"ed25519"`. */
export function certifiedKey(certificate: Uint8Array): string | undefined {
  try {
    const { asymmetricKeyDetails, asymmetricKeyType } = new X509Certificate(certificate).publicKey;
    return asymmetricKeyDetails?.namedCurve ?? asymmetricKeyType;
  } catch {
    return undefined;
  }
}

/** What a key on P-256 begins with (RFC 5480): its kind, the curve by name, and that the whole point follows. */
const SPKI_START = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d03010703420004", "hex");
const COORDINATE_BYTES = 32;

/** Undefined for any other key, and in any other form: Node reads compressed points and those with both, and what follows. */
function keyOfSpki(spki: Uint8Array): KeyObject | undefined {
  const start = SPKI_START.length;
  const isOne = spki.length === start + 2 * COORDINATE_BYTES && SPKI_START.equals(spki.subarray(0, start));
  const middle = start + COORDINATE_BYTES;
  return isOne ? p256Key(spki.subarray(start, middle), spki.subarray(middle)) : undefined;
}

/** Whether these bytes are a public key on P-256, in its one form: SPKI with the curve's name and an uncompressed point. */
export function isP256(spki: Uint8Array): boolean {
  return keyOfSpki(spki) !== undefined;
}

/** Whether the key signed the text with ECDSA and SHA-256. A signature is 64 bytes, r and s (IEEE P1363), as WebCrypto makes it. */
export function isSignedWithP256(spki: Uint8Array, text: string, signature: Uint8Array): boolean {
  const key = keyOfSpki(spki);
  return key !== undefined && verify("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }, signature);
}

/** What whoever has the key calls it: 128 bits of its SHA-256, base64url. Another key of the same name nobody finds. */
export function keyId(spki: Uint8Array): string {
  return createHash("sha256").update(spki).digest().subarray(0, KEY_ID_BYTES).toString("base64url");
}
