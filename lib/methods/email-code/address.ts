import { domainToASCII } from "node:url";
import { isMailAddress, LONGEST_ADDRESS } from "../../core/mail-address.js";

/** Letters of any script, digits, dots and hyphens: the resolver of names below would read more, and drop line breaks. */
const NAME = /^[\p{L}\p{M}\p{N}.-]+$/u;

/**
 * One e-mail address in the form that it is stored and sent to: its domain in ASCII (RFC 5891) and lower case, the part before the @ as
 * it was written. Undefined where it is anything but one address.
 *
 * A domain that looks like another one is just another address: what decides is who reads the mail.
 */
export function readAddress(given: unknown): string | undefined {
  if (typeof given !== "string" || given.length > LONGEST_ADDRESS) return undefined;
  const at = given.lastIndexOf("@");
  const name = given.slice(at + 1);
  if (!NAME.test(name)) return undefined;
  const address = `${given.slice(0, Math.max(at, 0))}@${domainToASCII(name)}`;
  return isMailAddress(address) ? address : undefined;
}
