import { createHash } from "node:crypto";

/** A short, stable name for a text, to tell things apart by. NOT a secret and no protection for one. */
export function fingerprint(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 12);
}
