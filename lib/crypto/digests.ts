import { createHmac, timingSafeEqual } from "node:crypto";
import { UnavailableError } from "../core/errors.js";
import type { KeyContext, Keys } from "./key-provider.js";
import { randomSecret } from "./random.js";

const KEY_BYTES = 32;

/**
 * A random key of its own for one owner's digests, sealed. It is what a salt would be, and it is secret: whoever has the store
 * alone can check no guess. Because digests hang on it and not on the key ring, the ring can rotate without them.
 */
export interface DigestKey {
  readonly sealed: string;
  readonly key: Uint8Array;
}

export async function newDigestKey(keys: Keys, context: KeyContext): Promise<DigestKey> {
  const key = randomSecret(KEY_BYTES);
  return { key, sealed: await keys.encrypt(key, context) };
}

/** @throws UnavailableError where what comes out is no such key: nothing could be told right from wrong with it */
export async function openDigestKey(keys: Keys, sealed: string, context: KeyContext): Promise<Uint8Array> {
  const key = await keys.decrypt(sealed, context);
  if (key.length !== KEY_BYTES) throw new UnavailableError("The key provider opened a digest key to something else");
  return key;
}

/** HMAC-SHA-256 (RFC 2104), base64url. The context is part of what is digested. */
export function digestOf(key: Uint8Array, text: string, { owner, purpose }: KeyContext): string {
  return digest(key, [purpose, owner, text]);
}

function digest(key: Uint8Array, of: readonly (string | number)[]): string {
  return createHmac("sha256", key).update(JSON.stringify(of)).digest("base64url");
}

/** As the digests of a user whose id is a number were once made: with the number. */
function earlierDigestOf(key: Uint8Array, text: string, { owner, purpose }: KeyContext): string | undefined {
  const number = Number(owner);
  return String(number) === owner ? digest(key, [purpose, number, text]) : undefined;
}

/** Compared in constant time. */
export function isSameText(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * Index of the digest that `text` makes, or -1. Every digest is compared, each in constant time, so that the time taken
 * says nothing about which one, or how nearly one, matched.
 */
export function findDigest(key: Uint8Array, text: string, digests: readonly string[], context: KeyContext): number {
  const own = digestOf(key, text, context);
  const earlier = earlierDigestOf(key, text, context) ?? own;
  const isOwn = (each: string): boolean => [isSameText(own, each), isSameText(earlier, each)].includes(true);
  return digests.reduce((found, each, index) => (isOwn(each) && found < 0 ? index : found), -1);
}
