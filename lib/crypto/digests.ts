import { timingSafeEqual } from "node:crypto";
import type { KeyContext, KeyProvider } from "./key-provider.js";

function equal(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * Index of the digest that `text` makes, or -1. Every digest is compared, each in constant time, so that the time taken
 * says nothing about which one, or how nearly one, matched.
 */
export async function findDigest(
  keys: KeyProvider,
  text: string,
  digests: readonly string[],
  context: KeyContext,
): Promise<number> {
  const made = new Map<string, string>();
  let found = -1;
  for (const [index, digest] of digests.entries()) {
    const keyId = digest.slice(0, digest.indexOf("."));
    const own = made.get(keyId) ?? (await keys.mac(text, context, digest));
    made.set(keyId, own);
    if (equal(own, digest) && found < 0) found = index;
  }
  return found;
}
