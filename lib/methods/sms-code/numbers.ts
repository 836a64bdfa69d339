import { bareCode } from "../../core/codes.js";

/** Why no code is sent to a number. Clients are told the word (`reason`), the page says it. */
export type NumberReason =
  /** A landline, a premium or toll-free number, a personal or satellite one, one with an extension, or none at all. */
  | "not-mobile"
  /** It may be one, written as it is dialled at home. */
  | "no-country-code"
  /** A mobile number of a country that the `countries` option does not list. */
  | "country-not-allowed";

/** A number that a text can be sent to. */
export interface MobileNumber {
  /** E.164: a plus sign and digits. */
  readonly number: string;
  /** ISO 3166-1. */
  readonly country: string;
}

export interface RefusedNumber {
  readonly reason: NumberReason;
}

/** Nobody writes one longer. */
const LONGEST_TEXT = 64;

/** What people write between the digits, beside white space and dashes. */
const BETWEEN = /[()./]/g;

/** A plus sign, and what a country's code and a number can be; ASCII digits alone, so that nothing reads them otherwise than we do. */
const INTERNATIONAL = /^\+[1-9][0-9]{6,14}$/;
const NATIONAL = /^[0-9]{4,15}$/;

/** Loaded with the first number: it knows the numbers of every country, and most processes never read one. */
export async function loadNumbers() {
  return import("libphonenumber-js/mobile");
}

function bareNumber(text: string): string {
  return text.length > LONGEST_TEXT ? "" : bareCode(text).replace(BETWEEN, "");
}

/** A number as it is written internationally, whosesoever it is; undefined where it is not written so. */
export function writtenNumber(text: string | undefined): string | undefined {
  const bare = bareNumber(text ?? "");
  return INTERNATIONAL.test(bare) ? bare : undefined;
}

/**
 * A mobile number from what somebody typed: with its country's code, whatever stands between the digits. What is read is the whole
 * text: no extension, no number within other words, none that is part of a longer one.
 */
export async function readNumber(text: string, countries: readonly string[]): Promise<MobileNumber | RefusedNumber> {
  const written = writtenNumber(text);
  if (written === undefined) return { reason: NATIONAL.test(bareNumber(text)) ? "no-country-code" : "not-mobile" };
  const { parsePhoneNumberFromString } = await loadNumbers();
  const read = parsePhoneNumberFromString(written, { extract: false });
  // By the numbers of mobiles alone; what belongs to no country (+882, +870) is "valid" all the same.
  if (read?.country === undefined || !read.isValid() || read.getType() !== "MOBILE") return { reason: "not-mobile" };
  if (!countries.includes(read.country)) return { reason: "country-not-allowed" };
  return { number: read.number, country: read.country };
}

/** Enough of a number to know one's own by: `•••• 42`. */
export function maskNumber(number: string): string {
  return `•••• ${number.slice(-2)}`;
}
