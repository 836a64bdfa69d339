import { NodeCryptoPlugin } from "@otplib/plugin-crypto-node";
import { getTimeStepUsed, verifySync } from "@otplib/totp";
import { generateTOTP, parse } from "@otplib/uri";
import { base32nopad } from "@scure/base";
import { renderSVG } from "uqr";
import type { Factor } from "../core/account.js";
import { ConfigurationError } from "../core/errors.js";
import type { KeyContext } from "../crypto/key-provider.js";
import { randomSecret } from "../crypto/random.js";
import type { CodeMethod, Enroll, EnrollmentContext, MethodContext, Proved, SealContext } from "./contract.js";

export interface TotpOptions {
  /**
   * Steps accepted either side of the present one: 0, 1 or 2. Default: 1 (RFC 6238 section 5.2). Wider windows are not
   * offered: a drifted clock is found again by resync, which costs no safety.
   */
  readonly window?: 0 | 1 | 2;
}

export type TotpAlgorithm = "sha1" | "sha256" | "sha512";

/** What is stored of an authenticator: the secret sealed, and how far its codes have been used. */
export interface TotpState {
  readonly secret: string;
  /** The last accepted step; only a later one is ever accepted. */
  readonly step: number;
  /** Steps this authenticator's clock is ahead (or behind, negative), as found by resync. */
  readonly drift: number;
  readonly algorithm: TotpAlgorithm;
  /** Seconds per step. */
  readonly period: number;
}

/** A secret from another system, checked. */
export interface ImportedTotp {
  readonly secret: Uint8Array;
  readonly algorithm: TotpAlgorithm;
  readonly period: number;
}

const SECRET_BYTES = 20;
const MIN_SECRET_BYTES = 16;
const DIGITS = 6;
const PERIOD = 30;
const ALGORITHMS: readonly string[] = ["sha1", "sha256", "sha512"];
/** A clock up to two hours off is recognised, in windows of the widest kind the OTP library checks at once. */
const SEARCH_WIDTH = 49;
const SEARCH_CENTERS = [0, -98, 98, -196, 196] as const;

const crypto = new NodeCryptoPlugin();

async function reseal(state: TotpState, { keys, userId }: SealContext): Promise<TotpState> {
  return { ...state, secret: await keys.reseal(state.secret, secretContext(userId)) };
}

function secretContext(userId: string): KeyContext {
  return { owner: userId, purpose: "totp-secret" };
}

type Shape = Pick<TotpState, "algorithm" | "period">;

interface Window {
  /** Steps from the present one to the middle of the window. */
  readonly center: number;
  /** Steps either side of the middle. */
  readonly width: number;
}

/** The step whose code this is, within the window; undefined where there is none. */
function matchingStep(code: string, secret: Uint8Array, shape: Shape, now: number, window: Window): number | undefined {
  const { algorithm, period } = shape;
  const epoch = Math.floor(now / 1000) + window.center * period;
  const result = verifySync({
    secret,
    token: code,
    epoch,
    epochTolerance: window.width * period,
    algorithm,
    period,
    crypto,
  });
  return result.valid ? result.timeStep : undefined;
}

/** As {@link matchingStep}, over the two hours either side; the nearest match counts. */
function searchStep(code: string, secret: Uint8Array, shape: Shape, now: number): number | undefined {
  for (const center of SEARCH_CENTERS) {
    const step = matchingStep(code, secret, shape, now, { center, width: SEARCH_WIDTH });
    if (step !== undefined) return step;
  }
  return undefined;
}

function presentStep(now: number, period: number): number {
  return getTimeStepUsed(Math.floor(now / 1000), period);
}

/** Colons divide issuer from account in the label, so neither may contain one (Key URI format). */
function withoutColon(text: string): string {
  return text.replaceAll(":", "_");
}

function keyUri(secret: Uint8Array, context: EnrollmentContext): string {
  return generateTOTP({
    issuer: withoutColon(context.issuer),
    label: withoutColon(context.accountName),
    secret: base32nopad.encode(secret),
  });
}

function enrollment(window: number): Enroll<TotpState> {
  return {
    label: "Authenticator app",
    async begin(context) {
      const secret = randomSecret(SECRET_BYTES);
      const uri = keyUri(secret, context);
      const sealed = await context.keys.encrypt(secret, secretContext(context.userId));
      return {
        state: { secret: sealed, step: -1, drift: 0, algorithm: "sha1", period: PERIOD },
        answer: { secret: base32nopad.encode(secret), uri, qr: renderSVG(uri, { border: 2, ecc: "M" }) },
      };
    },
    async confirm(code, state, { keys, now, userId }) {
      const secret = await keys.decrypt(state.secret, secretContext(userId));
      const step = matchingStep(code, secret, state, now, { center: 0, width: window });
      if (step !== undefined) return { state: { ...state, step } };
      return { mismatch: clockAdvice(searchStep(code, secret, state, now), state.period, now) };
    },
    resync,
  };
}

function clockAdvice(step: number | undefined, period: number, now: number): { clockOffMinutes?: number } {
  if (step === undefined) return {};
  const minutes = Math.round(((step - presentStep(now, period)) * period) / 60);
  return minutes === 0 ? {} : { clockOffMinutes: minutes };
}

/**
 * Two codes in a row say where the authenticator's clock stands (RFC 6238 section 6). The later-step rule holds here too,
 * so a pair written down earlier is worthless once any later code was used.
 */
async function resync(
  codes: readonly [string, string],
  state: TotpState,
  context: MethodContext,
): Promise<Proved<TotpState>> {
  const { keys, now, userId } = context;
  const secret = await keys.decrypt(state.secret, secretContext(userId));
  const first = searchStep(codes[0], secret, state, now);
  if (first === undefined) return { mismatch: {} };
  const present = presentStep(now, state.period);
  const second = matchingStep(codes[1], secret, state, now, { center: first + 1 - present, width: 0 });
  if (second !== first + 1 || second <= state.step) return { mismatch: clockAdvice(first, state.period, now) };
  return { state: { ...state, step: second, drift: second - present } };
}

/**
 * Time-based one-time passwords from an authenticator app (RFC 6238): SHA-1, 6 digits, 30 seconds, 20-byte secrets,
 * a step accepted once and only ever a later one than the last (RFC 6238 section 5.2).
 *
 * Does NOT protect against somebody who relays the code while it is fresh: that takes a passkey.
 *
 * @throws ConfigurationError for a window that is not 0, 1 or 2
 *
 * @example
 * ```ts
 * import { backupCodes, totp } from "express-second-factor";
 *
 * // Only the code the phone shows at this moment.
 * app.use(secondFactor({ ..., methods: [totp({ window: 0 }), backupCodes()] }));
 * ```
 */
export function totp(options: TotpOptions = {}): CodeMethod<TotpState> {
  const window = options.window ?? 1;
  if (![0, 1, 2].includes(window)) {
    throw new ConfigurationError([
      `totp: window must be 0, 1 or 2 steps, not ${String(window)}; a drifted clock needs resync`,
    ]);
  }
  return {
    type: "totp",
    amr: ["otp"],
    aal: 2,
    phishingResistant: false,
    limits: ["totp", "allCodes"],
    refusal: "invalid-code",
    strict: () => totp({ window: 0 }),
    normalize(code) {
      const digits = code.replace(/(?<=[0-9])[ -]+(?=[0-9])/g, "").trim();
      return /^[0-9]{6}$/.test(digits) ? digits : undefined;
    },
    async verify(code, factors, { keys, now, userId }) {
      for (const factor of factors) {
        const { state } = factor;
        const secret = await keys.decrypt(state.secret, secretContext(userId));
        const step = matchingStep(code, secret, state, now, { center: state.drift, width: window });
        if (step === undefined || step <= state.step) continue;
        return { factor: { ...factor, state: { ...(await reseal(state, { keys, userId })), step } } };
      }
      return undefined;
    },
    reseal,
    enroll: enrollment(window),
  };
}

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
function readSecret(source: string): ImportedTotp {
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
export function checkTotpSecret(source: string): ImportedTotp {
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

/** Seals an imported secret for its owner; the codes of the present window are left usable once. */
export async function totpState(imported: ImportedTotp, { keys, userId }: MethodContext): Promise<TotpState> {
  const { secret, algorithm, period } = imported;
  return { secret: await keys.encrypt(secret, secretContext(userId)), step: -1, drift: 0, algorithm, period };
}

/** True when the user has an authenticator with this very secret: it must not be enrolled twice, or codes count twice. */
export async function hasTotpSecret(
  imported: ImportedTotp,
  factors: readonly Factor<TotpState>[],
  { keys, userId }: MethodContext,
): Promise<boolean> {
  const known = await Promise.all(factors.map((factor) => keys.decrypt(factor.state.secret, secretContext(userId))));
  return known.some((secret) => base32nopad.encode(secret) === base32nopad.encode(imported.secret));
}
