import { randomBytes, randomFillSync, randomInt } from "node:crypto";

const POOL_BYTES = 4_096;
const pool = Buffer.allocUnsafeSlow(POOL_BYTES);
let taken = POOL_BYTES;

/**
 * Random bytes of the operating system's generator, base64url. Asked for in one call for many: the call costs much, the bytes
 * little. What was given out is not kept.
 */
export function randomBase64url(bytes: number): string {
  if (bytes > POOL_BYTES) return randomBytes(bytes).toString("base64url");
  if (taken + bytes > POOL_BYTES) {
    randomFillSync(pool);
    taken = 0;
  }
  const text = pool.toString("base64url", taken, taken + bytes);
  pool.fill(0, taken, taken + bytes);
  taken += bytes;
  return text;
}

/** An id nobody can guess: 128 bits, base64url. */
export function randomId(): string {
  return randomBase64url(16);
}

/** A bearer token: 256 bits, base64url. */
export function randomToken(): string {
  return randomBase64url(32);
}

/** Raw bytes of the operating system's generator. */
export function randomSecret(bytes: number): Uint8Array {
  return new Uint8Array(randomBytes(bytes));
}

/** As the keys option takes it. */
export function randomBase64(bytes: number): string {
  return randomBytes(bytes).toString("base64");
}

/** So many digits, each series of them as likely as any other. */
export function randomDigits(count: number): string {
  return String(randomInt(10 ** count)).padStart(count, "0");
}
