import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { keysFor } from "./key-ring.js";

/** What of an audit key does one thing, by the id of the key; the first writes. */
export type AuditKeys = ReadonlyMap<string, AuditKey>;

export type AuditKey = KeyObject;

/** Each use has a key of its own, so that nothing made for one can be taken for the other. */
export function chainKeys(text: string): AuditKeys {
  return keysFor(text, "audit-chain");
}

export function subjectKeys(text: string): AuditKeys {
  return keysFor(text, "audit-subject");
}

/** Of a record: over the digest of the one before it, which has one length, and its own text. HMAC-SHA-256 (RFC 2104), base64url. */
export function chainDigest(key: AuditKey, before: string, text: string): string {
  return createHmac("sha256", key).update(before).update("\n").update(text).digest("base64url");
}

/** By which a user's row is found: without the key it does not say whose it is. */
export function subjectRow(key: AuditKey, id: string): string {
  return createHmac("sha256", key).update(id).digest("base64url");
}

/** What stands for a text, under a secret of one user's: 128 bits. Nobody makes or guesses it once the secret is gone. */
export function pseudonymOf(secret: string, member: string, text: string): string {
  const key = createSecretKey(Buffer.from(secret, "base64url"));
  return createHmac("sha256", key)
    .update(JSON.stringify([member, text]))
    .digest("base64url")
    .slice(0, 22);
}
