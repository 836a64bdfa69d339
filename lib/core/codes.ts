/** Nobody types a code this long; what is longer is not looked at. */
const LONGEST_CODE = 1024;

/**
 * What mails, messengers, word processors and phones put between the characters of a code, and around it: white space, dashes (the
 * minus sign is one), and format characters, which cannot be seen at all.
 */
const BETWEEN = /[\p{White_Space}\p{Dash}\p{Pd}\p{Cf}]+/gu;

/** A code as it was typed or pasted, without what is none of it. What is left may be anything. */
export function bareCode(text: string): string {
  return text.replace(BETWEEN, "");
}

/** The code that a body presents, `{ code }`, bare; undefined where it presents none. */
export function codeIn({ code }: Readonly<Record<string, unknown>>): string | undefined {
  return typeof code === "string" && code.length <= LONGEST_CODE ? bareCode(code) : undefined;
}

/** So many ASCII digits, without what stood between them; undefined where it is anything else. */
export function digitsIn(code: string, lengths: readonly number[]): string | undefined {
  const digits = bareCode(code);
  return /^[0-9]+$/.test(digits) && lengths.includes(digits.length) ? digits : undefined;
}
