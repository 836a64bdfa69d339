import { tried } from "./tried.js";

/** RFC 5321 section 4.5.3.1, with errata 1690: of a whole address, and of the part before the @. */
export const LONGEST_ADDRESS = 254;
const LONGEST_LOCAL = 64;
/** RFC 5321 section 4.1.2, Dot-string: what needs no quotes. */
const LOCAL = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

function isDomain(text: string): boolean {
  const labels = text.split(".");
  // A last label of digits is an address of the network.
  return labels.length > 1 && labels.every((label) => LABEL.test(label)) && /[a-z]/i.test(labels.at(-1) ?? "");
}

/**
 * One address, and nothing a mail library or server could read as a second one, a name, a comment or a command: no quotes, blanks,
 * line breaks or brackets. ASCII only, where nothing looks like something else; names of other scripts are written `xn--…`.
 */
export function isMailAddress(text: string): boolean {
  const at = text.lastIndexOf("@");
  if (at < 1 || at > LONGEST_LOCAL || text.length > LONGEST_ADDRESS) return false;
  return LOCAL.test(text.slice(0, at)) && isDomain(text.slice(at + 1));
}

/**
 * What two ways to write one mailbox have in common: the case of its letters does not count, nor the script of its host's name, nor what
 * many hosts let everybody put into their own address: a word behind a plus sign, and dots. What only may be the same is taken for it.
 */
export function comparedAddress(text: string): string {
  // Applications may say it as it stands in a mail, with a name.
  const address = text
    .slice(text.lastIndexOf("<") + 1)
    .replace(/>.*/s, "")
    .trim();
  const at = address.lastIndexOf("@") + 1;
  const host = address.slice(at);
  const name = tried(() => new URL(`http://${host}`).hostname) ?? host;
  const [local = ""] = address.slice(0, at).split(/[+@]/);
  return `${local.replaceAll(/[."]/g, "")}@${name.replace(/\.$/, "")}`.toLowerCase();
}
