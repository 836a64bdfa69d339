// Attestation statements and signatures in the one form their formats allow. The verifier library takes more than that; the tests in
// test/passkeys say what.
import { certifiedKey } from "../../crypto/public-keys.js";

/** ES256, ES384, ES512: what they sign with is ASN.1 (WebAuthn Level 3 section 6.5.5). */
const ECDSA: ReadonlySet<unknown> = new Set([-7, -35, -36]);

/** The certified key an algorithm goes with; any other algorithm that is known is RSA's. */
const CERTIFIED: ReadonlyMap<unknown, string> = new Map([
  [-7, "prime256v1"],
  [-35, "secp384r1"],
  [-36, "secp521r1"],
  [-8, "ed25519"],
]);

type Statement = ReadonlyMap<unknown, unknown>;

/** Whether a statement is as its format says; formats that are not listed are all the library's. `algorithm`: the new key's. */
const FORMATS: Readonly<Record<string, (statement: Statement, algorithm: unknown) => boolean>> = {
  none: ({ size }) => size === 0,
  packed: isPacked,
  // Section 8.6: one certificate.
  "fido-u2f": (statement) => {
    const certificates = statement.get("x5c");
    return statement.size === 2 && isCertificates(certificates) && certificates.length === 1 && isSigned(statement, -7);
  },
  // Section 8.4: the certified key is the new one.
  "android-key": (statement, algorithm) =>
    statement.size === 3 && statement.get("alg") === algorithm && isSigned(statement, algorithm),
};

/** Whether the statement of an attestation object is, on top of what the verifier library checks (WebAuthn Level 3 section 8). */
export function hasStatement(object: Statement, algorithm: unknown): boolean {
  const [format, statement] = [object.get("fmt"), object.get("attStmt")];
  if (!(statement instanceof Map)) return false;
  const isAsItSays = typeof format === "string" && Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  return isAsItSays?.(statement, algorithm) ?? true;
}

/** Section 8.2: by the new key itself with its own algorithm, or by a certified key with that one's. */
function isPacked(statement: Statement, algorithm: unknown): boolean {
  const signedWith = statement.get("alg");
  if (!isSigned(statement, signedWith)) return false;
  if (!statement.has("x5c")) return statement.size === 2 && signedWith === algorithm;
  const certificates = statement.get("x5c");
  if (statement.size !== 3 || !isCertificates(certificates)) return false;
  const [leaf] = certificates;
  return leaf !== undefined && certifiedKey(leaf) === (CERTIFIED.get(signedWith) ?? "rsa");
}

function isCertificates(value: unknown): value is readonly Uint8Array[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => each instanceof Uint8Array);
}

function isSigned(statement: Statement, algorithm: unknown): boolean {
  const signature = statement.get("sig");
  return signature instanceof Uint8Array && isSignature(signature, algorithm);
}

/**
 * Whether a signature is in the one form its algorithm has. ECDSA's is DER (X.690), of which the library takes every variation; of
 * the others Node's verification takes one.
 */
export function isSignature(signature: Uint8Array, algorithm: unknown): boolean {
  if (!ECDSA.has(algorithm)) return true;
  const sequence = element(signature, SEQUENCE);
  if (sequence?.rest.length !== 0) return false;
  const r = element(sequence.content, INTEGER);
  const s = r && element(r.rest, INTEGER);
  return r !== undefined && s?.rest.length === 0 && isPositive(r.content) && isPositive(s.content);
}

const SEQUENCE = 0x30;
const INTEGER = 0x02;
/** The length follows, in one byte. */
const LONG = 0x81;

/** The element that the bytes begin with, and what comes after it. A length is in its shortest form, and of no more than two bytes. */
function element(
  bytes: Uint8Array,
  tag: number,
): { readonly content: Uint8Array; readonly rest: Uint8Array } | undefined {
  const isLong = bytes[1] === LONG;
  const start = isLong ? 3 : 2;
  const length = bytes[start - 1] ?? 0;
  const isShortest = isLong === length >= 0x80;
  if (bytes[0] !== tag || !isShortest || bytes.length < start + length) return undefined;
  return { content: bytes.subarray(start, start + length), rest: bytes.subarray(start + length) };
}

/** Not negative, not zero, and no zero byte in front that is not needed. */
function isPositive([first = 0x80, second = 0]: Uint8Array): boolean {
  return first < 0x80 && (first > 0 || second >= 0x80);
}
