import { parse } from "@otplib/uri";
import { base32nopad } from "@scure/base";
import { type Account, type Factor, factorsOf } from "../../core/account.js";
import type { Imported, MethodContext } from "../../engine/method.js";
import { DIGITS, PERIOD, secretContext, type TotpAlgorithm, type TotpState } from "./state.js";

/** A secret from another system, checked. */
interface ImportedSecret {
  readonly secret: Uint8Array;
  readonly algorithm: TotpAlgorithm;
  readonly period: number;
}

const MIN_SECRET_BYTES = 16;
const ALGORITHMS: readonly string[] = ["sha1", "sha256", "sha512"];

function decodeBase32(text: string): Uint8Array {
  try {
    return base32nopad.decode(text.replace(/[\s-]|=+$/g, "").toUpperCase());
  } catch {
    throw new TypeError("The TOTP secret is not base32 (RFC 4648: letters A-Z and digits 2-7)");
  }
}

/** What is wrong with a URI the parser refused, without a word of its secret. */
function uriReason(source: string): string {
  const shape = "it must be otpauth://totp/LABEL?secret=BASE32";
  if (!URL.canParse(source)) return shape;
  const { host, searchParams } = new URL(source);
  if (host !== "totp") return "only time-based codes (otpauth://totp/) can be imported";
  if (!searchParams.has("secret")) return "it has no secret";
  const known = (name: string, values: RegExp): boolean => values.test(searchParams.get(name) ?? "");
  if (!known("algorithm", /^(sha-?(1|256|512))?$/i)) return "its algorithm is not SHA1, SHA256 or SHA512";
  if (!known("digits", /^([0-9]*)$/)) return "its digits are no number";
  return known("period", /^([0-9]*)$/) ? shape : "its period is no number";
}

function readUri(source: string): ReturnType<typeof parse> {
  try {
    return parse(source);
  } catch {
    // The parser's own words repeat the URI, and the URI is the secret.
    throw new TypeError(`The otpauth URI cannot be read: ${uriReason(source)}`);
  }
}

/** Secret and parameters from an `otpauth://totp/` URI or a bare base32 secret. @throws TypeError with the reason */
function readSecret(source: string): ImportedSecret {
  if (!source.startsWith("otpauth:")) return { secret: decodeBase32(source), algorithm: "sha1", period: PERIOD };
  const { type, params } = readUri(source);
  if (type !== "totp") throw new TypeError("Only time-based codes (otpauth://totp/) can be imported");
  if ((params.digits ?? DIGITS) !== DIGITS) throw new TypeError(`Only ${DIGITS}-digit codes can be imported`);
  const algorithm = params.algorithm ?? "sha1";
  return { secret: decodeBase32(params.secret), algorithm, period: params.period ?? PERIOD };
}

/**
 * Checks a secret of another system.
 * @throws TypeError that says why it is refused: not base32, under 128 bits (RFC 4226 R6), a repeated pattern, or a shape
 * no common app keeps to.
 */
function checkSecret(source: string): ImportedSecret {
  const imported = readSecret(source);
  const { secret, algorithm, period } = imported;
  if (secret.length < MIN_SECRET_BYTES) {
    throw new TypeError(
      `The TOTP secret has ${secret.length * 8} bits; RFC 4226 asks for at least 128. Enroll this user anew`,
    );
  }
  if (new Set(secret).size < 5)
    throw new TypeError("The TOTP secret repeats itself: it was not made by a random generator");
  if (!ALGORITHMS.includes(algorithm))
    throw new TypeError(`The algorithm "${algorithm}" is not SHA-1, SHA-256 or SHA-512`);
  if (period !== 30 && period !== 60) throw new TypeError(`A period of ${period} s is not supported; 30 and 60 are`);
  return imported;
}

/** True when the user has an authenticator with this very secret: it must not be enrolled twice, or codes count twice. */
async function isKnown(
  secret: Uint8Array,
  factors: readonly Factor<TotpState>[],
  { keys, userId }: MethodContext,
): Promise<boolean> {
  const known = await Promise.all(factors.map(({ state }) => keys.decrypt(state.secret, secretContext(userId))));
  return known.some((each) => base32nopad.encode(each) === base32nopad.encode(secret));
}

/**
 * Takes over an authenticator: a base32 secret, or a whole `otpauth://totp/` URI. The codes of the present window are left usable
 * once.
 * @throws TypeError with the reason where the secret is weak, malformed, or already enrolled
 */
export async function importTotp(
  source: string,
  account: Account,
  context: MethodContext,
): Promise<Imported<TotpState>> {
  const { algorithm, period, secret } = checkSecret(source);
  const known = factorsOf(account, "totp") as readonly Factor<TotpState>[];
  if (await isKnown(secret, known, context)) throw new TypeError("This TOTP secret is already enrolled for this user");
  const sealed = await context.keys.encrypt(secret, secretContext(context.userId));
  return { label: "Authenticator app", state: { secret: sealed, step: -1, drift: 0, algorithm, period } };
}
