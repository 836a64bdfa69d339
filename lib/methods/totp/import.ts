import { type Account, type Factor, factorsOf } from "../../core/account.js";
import { hmacKeyOf } from "../../crypto/hmac-keys.js";
import type { Imported, ImportTerms, MethodContext } from "../../engine/method.js";
import { DIGITS, secretContext, type TotpState } from "./state.js";
import { readSecret, type ReadSecret } from "./uri.js";

/** RFC 4226 R6. */
const MIN_SECRET_BYTES = 16;
/** What authenticators were given for years. Nothing shorter can be meant. */
export const SHORTEST_SECRET_BYTES = 10;
/** HMAC folds keys that are longer than a block of its hash; nobody makes secrets longer than the longest block. */
export const LONGEST_SECRET_BYTES = 128;

/** Why a secret of so many bytes is not taken; undefined where it is. */
function lengthProblem(bytes: number, { allowShortSecret = false }: ImportTerms): string | undefined {
  const given = `The TOTP secret has ${bytes * 8} bits`;
  if (bytes > LONGEST_SECRET_BYTES) return `${given}; more than ${LONGEST_SECRET_BYTES * 8} are not taken over`;
  if (bytes < SHORTEST_SECRET_BYTES)
    return `${given}; RFC 4226 asks for at least 128, and below ${SHORTEST_SECRET_BYTES * 8} none is taken over. Enroll this user anew`;
  if (bytes >= MIN_SECRET_BYTES || allowShortSecret) return undefined;
  return `${given}; RFC 4226 asks for at least 128. Enroll this user anew, or take it over as it is with allowShortSecret: true`;
}

/** @throws TypeError that says why a secret is refused: too short, a repeated pattern, or what `readSecret` cannot read */
function checkSecret(source: string, terms: ImportTerms): ReadSecret {
  const read = readSecret(source);
  const problem = lengthProblem(read.secret.length, terms);
  if (problem !== undefined) throw new TypeError(problem);
  if (new Set(read.secret).size < 5)
    throw new TypeError("The TOTP secret repeats itself: it was not made by a random generator");
  return read;
}

/** True when the user has an authenticator that shows the same codes: it must not be enrolled twice, or codes count twice. */
async function isKnown(
  { algorithm, secret }: Pick<ReadSecret, "algorithm" | "secret">,
  factors: readonly Factor<TotpState>[],
  { keys, userId }: MethodContext,
): Promise<boolean> {
  const known = await Promise.all(factors.map(({ state }) => keys.decrypt(state.secret, secretContext(userId))));
  // Of the same secret with another hash the codes differ; that it is there twice is a mistake all the same.
  const key = hmacKeyOf(secret, algorithm);
  return known.some((each) => Buffer.compare(each, secret) === 0 || hmacKeyOf(each, algorithm) === key);
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
  terms: ImportTerms = {},
): Promise<Imported<TotpState>> {
  const { digits, secret, ...shape } = checkSecret(source, terms);
  const known = factorsOf(account, "totp") as readonly Factor<TotpState>[];
  if (await isKnown({ algorithm: shape.algorithm, secret }, known, context))
    throw new TypeError("This TOTP secret is already enrolled for this user");
  const sealed = await context.keys.encrypt(secret, secretContext(context.userId));
  return {
    label: "Authenticator app",
    state: { secret: sealed, step: -1, drift: 0, ...shape, ...(digits === DIGITS ? {} : { digits }) },
    ...(secret.length < MIN_SECRET_BYTES && { warning: "short-secret" }),
  };
}
