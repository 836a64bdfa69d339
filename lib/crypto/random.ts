import { randomBytes } from "node:crypto";

/** An id nobody can guess: 128 bits, base64url. */
export function randomId(): string {
  return randomBytes(16).toString("base64url");
}

/** A bearer token: 256 bits, base64url. */
export function randomToken(): string {
  return randomBytes(32).toString("base64url");
}

/** Raw bytes of the operating system's generator. */
export function randomSecret(bytes: number): Uint8Array {
  return new Uint8Array(randomBytes(bytes));
}
