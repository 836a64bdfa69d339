// @ts-check
import { createHash } from "node:crypto";

/** The TOTP secret of a user, 20 bytes: the server enrolls it, the load makes codes of it. @param {string} name */
export function secretOf(name) {
  return createHash("sha1").update(`bench ${name}`).digest();
}
