import { domainToASCII } from "node:url";
import * as v from "valibot";

/** RFC 5321 section 4.5.3.1, with errata 1690: of a whole address, and of the part before the @. */
const LONGEST_ADDRESS = 254;
const LONGEST_LOCAL_PART = 64;

/** Letters of any script, digits, dots and hyphens: the resolver of names below would read more, and drop line breaks. */
const NAME = /^[\p{L}\p{M}\p{N}.-]+$/u;

/** HTML's own rule for one address: ASCII, no quotes, comments, display names or lists. */
const address = v.pipe(v.string(), v.rfcEmail());

/**
 * One e-mail address in the form that it is stored and sent to: its domain in ASCII (RFC 5891) and lower case, the part before the @ as
 * it was written. Undefined where it is anything but one address.
 *
 * A domain that looks like another one is just another address: what decides is who reads the mail.
 */
export function readAddress(given: unknown): string | undefined {
  if (typeof given !== "string" || given.length > LONGEST_ADDRESS) return undefined;
  const at = given.lastIndexOf("@");
  const [local, name] = [given.slice(0, Math.max(at, 0)), given.slice(at + 1)];
  if (!NAME.test(name) || local.length > LONGEST_LOCAL_PART || !isDotted(local)) return undefined;
  const domain = domainToASCII(name);
  const written = `${local}@${domain}`;
  const isOne = isPublicName(domain) && written.length <= LONGEST_ADDRESS && v.is(address, written);
  return isOne ? written : undefined;
}

/** RFC 5322 section 3.2.3: dots stand between something. */
function isDotted(local: string): boolean {
  return local.split(".").every((part) => part !== "");
}

/** A name with a domain above it, and no number: mail to an address of the network, or to a host, is nobody's own. */
function isPublicName(domain: string): boolean {
  const last = domain.split(".").at(-1) ?? "";
  return domain.includes(".") && !/^[0-9]*$/.test(last);
}
