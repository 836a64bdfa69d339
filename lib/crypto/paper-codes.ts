import { base32crockford } from "@scure/base";
import { randomSecret } from "./random.js";

// Codes that people read off paper, or out to each other: sixteen characters of Crockford's base 32, 80 bits.

const CODE_BYTES = 10;
/** In either case, and with what is read wrongly. */
const CROCKFORD = /^[0-9A-TV-Z]{16}$/i;

/** A new code, as it is digested. */
export function newPaperCode(): string {
  return base32crockford.encode(randomSecret(CODE_BYTES));
}

/** A code as it was typed, bare, as it is digested: upper case, and what is read wrongly read rightly. Undefined: it is none. */
export function readPaperCode(bare: string): string | undefined {
  return CROCKFORD.test(bare) ? bare.toUpperCase().replaceAll("O", "0").replace(/[IL]/g, "1") : undefined;
}

/** `XXXX-XXXX-XXXX-XXXX`. */
export function shownPaperCode(code: string): string {
  return code.replace(/(.{4})(?=.)/g, "$1-");
}
