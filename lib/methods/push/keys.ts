import { isP256, isSignedWithP256, keyId } from "../../crypto/public-keys.js";

const SIGNATURE_BYTES = 64;

/** The bytes of a text in base64url, in the one form that has: without padding, and without bits that say nothing. */
function bytesOf(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : undefined;
}

/** Whether this is the key of a device: P-256, SPKI in base64url. */
export function isDeviceKey(publicKey: string): boolean {
  const spki = bytesOf(publicKey);
  return spki !== undefined && isP256(spki);
}

/** Whether the device signed these lines. `signature`: 64 bytes in base64url. */
export function isSignedBy(publicKey: string, lines: string, signature: string): boolean {
  const [spki, bytes] = [bytesOf(publicKey), bytesOf(signature)];
  return spki !== undefined && bytes?.length === SIGNATURE_BYTES && isSignedWithP256(spki, lines, bytes);
}

/**
 * The id of the device with this key, which is its factor's: the device knows it before it is told, and the server that a key is
 * enrolled once.
 */
export function deviceIdOf(publicKey: string): string {
  return keyId(Buffer.from(publicKey, "base64url"));
}
