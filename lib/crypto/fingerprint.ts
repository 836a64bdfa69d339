import { hash } from "node:crypto";

/** SHA-256 of a text, base64url: to look something up by a value that is itself random and secret. Unkeyed. */
export function sha256(text: string): string {
  return hash("sha256", text, "base64url");
}

/** A short, stable name for a text, to tell things apart by. NOT a secret and no protection for one. */
export function fingerprint(text: string): string {
  return sha256(text).slice(0, 12);
}
