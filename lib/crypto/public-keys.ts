import { createECDH, createPublicKey, type KeyObject, verify, X509Certificate } from "node:crypto";

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

/**
 * Whether these are the coordinates of a public key on P-256 (SP 800-56A section 5.6.2.3.4): each below the field's order, on the
 * curve, and not the point at infinity. Node's import checks all of it.
 */
export function isOnP256(x: Uint8Array, y: Uint8Array): boolean {
  try {
    createPublicKey({ format: "jwk", key: { kty: "EC", crv: "P-256", x: text(x), y: text(y) } });
    return true;
  } catch {
    return false;
  }
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

/** The public key on P-256 that these bytes are (RFC 5480, uncompressed); undefined for any other, in whatever form. */
function p256Key(spki: Uint8Array): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
    if (key.asymmetricKeyType !== "ec" || key.asymmetricKeyDetails?.namedCurve !== "prime256v1") return undefined;
    // Points that are compressed are read too, and so is what follows the key: of a key there is to be one form.
    return key.export({ format: "der", type: "spki" }).equals(spki) ? key : undefined;
  } catch {
    return undefined;
  }
}

/** Whether these bytes are a public key on P-256, in its one form: SPKI with the curve's name and an uncompressed point. */
export function isP256(spki: Uint8Array): boolean {
  return p256Key(spki) !== undefined;
}

/** Whether the key signed the text with ECDSA and SHA-256. A signature is 64 bytes, r and s (IEEE P1363), as WebCrypto makes it. */
export function isSignedWithP256(spki: Uint8Array, text: string, signature: Uint8Array): boolean {
  const key = p256Key(spki);
  return key !== undefined && verify("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }, signature);
}
