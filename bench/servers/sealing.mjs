// @ts-check
// What every floor does to a secret and a code.
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, timingSafeEqual } from "node:crypto";
import { codeAt, stepAt } from "../measure/codes.mjs";

const KEY = createSecretKey(Buffer.alloc(32, "floor"));
const [NONCE_BYTES, TAG_BYTES] = [12, 16];

/** @param {string} name @param {Uint8Array} secret */
export function seal(name, secret) {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", KEY, nonce).setAAD(Buffer.from(name));
  return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]).toString("base64url");
}

/** @param {string} name @param {string} text */
export function open(name, text) {
  const sealed = Buffer.from(text, "base64url");
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", KEY, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(name)).setAuthTag(sealed.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
}

/** The step of a right code, 0 for a wrong one; all three are compared. @param {Uint8Array} secret @param {string} code six digits @param {number} now */
export function matchingStep(secret, code, now) {
  const given = Buffer.from(code);
  const present = stepAt(now);
  let found = 0;
  for (let step = present + 1; step >= present - 1; step -= 1) {
    if (timingSafeEqual(Buffer.from(codeAt(secret, step)), given)) found = step;
  }
  return found;
}
