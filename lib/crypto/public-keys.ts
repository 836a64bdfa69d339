import { createECDH, createPublicKey, X509Certificate } from "node:crypto";

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
