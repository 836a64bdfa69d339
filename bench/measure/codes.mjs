// @ts-check
import { createHmac } from "node:crypto";

export const STEP_MS = 30_000;

/**
 * The six digits of one step (RFC 4226 section 5.3 over RFC 6238's counter).
 * @param {Uint8Array} secret @param {number} step
 */
export function codeAt(secret, step) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac("sha1", secret).update(counter).digest();
  const offset = (digest.at(-1) ?? 0) & 15;
  const number = (digest.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000;
  return String(number).padStart(6, "0");
}

/** @param {number} time milliseconds since the epoch */
export function stepAt(time) {
  return Math.floor(time / STEP_MS);
}
