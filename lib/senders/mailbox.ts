import { isMailAddress } from "../core/mail-address.js";

/** Whom a mail is from: an address, and a name to show. */
export interface Mailbox {
  readonly name: string;
  readonly address: string;
}

const NAMED = /^(?<name>[^<>]*)<(?<address>[^<>]*)>$/;
const LONGEST_NAME = 100;

function unquoted(name: string): string {
  const trimmed = name.trim();
  return /^"[^"]*"$/.test(trimmed) ? trimmed.slice(1, -1) : trimmed;
}

function partsOf(given: unknown): { readonly name?: unknown; readonly address?: unknown } {
  if (typeof given !== "string") return Object(given) as object;
  const { name, address } = NAMED.exec(given)?.groups ?? { name: "", address: given };
  return { name: unquoted(name ?? ""), address };
}

/** `ann@acme.example`, `Acme <no-reply@acme.example>`, or both in an object; undefined where it is not one sender. */
export function mailboxOf(given: unknown): Mailbox | undefined {
  const { name = "", address } = partsOf(given);
  if (typeof address !== "string" || !isMailAddress(address)) return undefined;
  const isName =
    typeof name === "string" && name.length <= LONGEST_NAME && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}"<>]/u.test(name);
  return isName ? { name, address } : undefined;
}
