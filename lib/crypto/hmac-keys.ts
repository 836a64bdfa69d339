import { createHash } from "node:crypto";

/** Bytes of a block of each hash (FIPS 180-4). */
const BLOCK_BYTES = { sha1: 64, sha256: 64, sha512: 128 } as const;

/**
 * What HMAC makes of a key (RFC 2104 section 2), in a form to compare: one longer than a block is hashed, and a shorter one is filled
 * with zeros, so that those at its end do not count.
 */
export function hmacKeyOf(secret: Uint8Array, algorithm: keyof typeof BLOCK_BYTES): string {
  const isLong = secret.length > BLOCK_BYTES[algorithm];
  const key = isLong ? createHash(algorithm).update(secret).digest() : Buffer.from(secret);
  return key.toString("hex").replace(/(00)+$/, "");
}
