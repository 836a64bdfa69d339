import { randomBytes } from "node:crypto";

/** Random bytes of the operating system's generator, base64url. */
export function randomBase64url(bytes: number): string {
  return randomBytes(bytes).toString("base64url");
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
