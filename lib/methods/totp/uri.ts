import { urlIn } from "../../core/urls.js";
import { base32nopad } from "@scure/base";
import { bareCode } from "../../core/codes.js";
import { DIGITS, MOST_DIGITS, PERIOD, type TotpAlgorithm, type TotpDigits } from "./state.js";

/** A secret from another system, and what goes with it. */
export interface ReadSecret {
  readonly secret: Uint8Array;
  readonly algorithm: TotpAlgorithm;
  /** Seconds. */
  readonly period: number;
  readonly digits: TotpDigits;
}

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/** Bits of the last character that belong to no byte, by how many characters stand in the last group. */
const SPARE_BITS: Readonly<Record<number, number>> = { 2: 2, 4: 4, 5: 1, 7: 3 };

/** Random text of 26 characters was never encoded: what of its last one belongs to no byte is dropped, as every app does. */
function withoutSpareBits(text: string): string {
  const spare = SPARE_BITS[text.length % 8];
  if (spare === undefined) return text;
  const last = BASE32.indexOf(text.slice(-1));
  return text.slice(0, -1) + BASE32.charAt((last >> spare) << spare);
}

function decodeBase32(given: string): Uint8Array {
  const text = bareCode(given).replace(/=+$/, "");
  try {
    // Letters outside of ASCII have upper cases inside.
    if (/^[A-Za-z2-7]*$/.test(text)) return base32nopad.decode(withoutSpareBits(text.toUpperCase()));
  } catch {
    // Said below: the decoder's own words repeat the secret.
  }
  throw new TypeError("The TOTP secret is not base32 (RFC 4648: letters A-Z and digits 2-7)");
}

function unreadable(reason: string): TypeError {
  // Without a word of the URI: it is the secret.
  return new TypeError(`The otpauth URI cannot be read: ${reason}`);
}

const SHAPE = "it must be otpauth://totp/LABEL?secret=BASE32";

function isEscapedRight(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** Parameters with something in them, by name in small letters. An empty one says as little as none; of two the first counts. */
function parametersOf(url: URL): ReadonlyMap<string, string> {
  const given = [...url.searchParams].map(([name, value]) => [name.trim().toLowerCase(), value.trim()] as const);
  return new Map(given.filter(([, value]) => value !== "").reverse());
}

function readAlgorithm(text: string): TotpAlgorithm {
  const [, size] = /^(?:hmac)?[-_]?sha[-_]?(1|256|512)$/i.exec(text) ?? [];
  if (size === undefined) throw unreadable("its algorithm is not SHA1, SHA256 or SHA512");
  return `sha${size}` as TotpAlgorithm;
}

function readNumber(name: string, text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw unreadable(`its ${name} is no number`);
  return Number(text);
}

function readDigits(text: string): TotpDigits {
  const digits = readNumber("digits", text);
  if (digits === DIGITS || digits === MOST_DIGITS) return digits;
  throw new TypeError(`Only ${DIGITS}- and ${MOST_DIGITS}-digit codes can be imported`);
}

function readPeriod(text: string): number {
  const period = readNumber("period", text);
  if (period === PERIOD || period === 2 * PERIOD) return period;
  throw new TypeError(`A period of ${period} s is not supported; ${PERIOD} and ${2 * PERIOD} are`);
}

function readUri(text: string): ReadSecret {
  // Copied out of a page, with the page's own escapes in it.
  const source = text.replaceAll("&amp;", "&");
  const url = urlIn(source);
  if (url === undefined) throw unreadable(SHAPE);
  const kind = url.host.toLowerCase();
  if (kind === "hotp") throw new TypeError("Only time-based codes (otpauth://totp/) can be imported");
  if (kind !== "totp") throw unreadable("only time-based codes (otpauth://totp/) can be imported");
  if (url.pathname === "" || !isEscapedRight(source)) throw unreadable(SHAPE);
  const parameters = parametersOf(url);
  const secret = parameters.get("secret");
  if (secret === undefined) throw unreadable("it has no secret");
  return {
    algorithm: readAlgorithm(parameters.get("algorithm") ?? "sha1"),
    digits: readDigits(parameters.get("digits") ?? String(DIGITS)),
    period: readPeriod(parameters.get("period") ?? String(PERIOD)),
    secret: decodeBase32(secret),
  };
}

/** What stands around a text that was copied. */
const AROUND = /^[\p{White_Space}\p{Cf}]+|[\p{White_Space}\p{Cf}]+$/gu;

/**
 * Secret and parameters from an `otpauth://totp/` URI or a bare base32 secret, as other systems write and people copy them: in
 * capitals or not, grouped, padded, with empty parameters and ones of their own. @throws TypeError with the reason
 */
export function readSecret(given: string): ReadSecret {
  const text = given.replace(AROUND, "");
  if (/^otpauth:/i.test(text)) return readUri(text);
  return { secret: decodeBase32(text), algorithm: "sha1", digits: DIGITS, period: PERIOD };
}
