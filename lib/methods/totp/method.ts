import { createGuardrails } from "@otplib/core";
import { getTimeStepUsed, verifySync } from "@otplib/totp";
import { generateTOTP } from "@otplib/uri";
import { base32nopad } from "@scure/base";
import { type Factor, factorsOf } from "../../core/account.js";
import { codeIn, digitsIn } from "../../core/codes.js";
import { nameForUri } from "../../core/names.js";
import { ALL_CODES, MINUTE } from "../../core/nouns.js";
import { otpCrypto } from "../../crypto/otp-plugin.js";
import { randomSecret } from "../../crypto/random.js";
import type {
  Enroll,
  EnrollmentContext,
  FactorMethod,
  MethodContext,
  PresentContext,
  Proved,
  SealContext,
} from "../../engine/method.js";
import { importTotp, LONGEST_SECRET_BYTES, SHORTEST_SECRET_BYTES } from "./import.js";
import { DIGITS, digitsOf, LONG_CODES, PERIOD, secretContext, type TotpState } from "./state.js";

const SECRET_BYTES = 20;
/** A clock up to two hours off is recognised, in windows of the widest kind the OTP library checks at once. */
const SEARCH_WIDTH = 49;
const SEARCH_CENTERS = [0, -98, 98, -196, 196] as const;

async function reseal(state: TotpState, { keys, userId }: SealContext): Promise<TotpState> {
  return { ...state, secret: await keys.reseal(state.secret, secretContext(userId)) };
}

/** What was taken over is checked, however long its secret: that was decided when it was. */
const guardrails = createGuardrails({
  MIN_SECRET_BYTES: SHORTEST_SECRET_BYTES,
  MAX_SECRET_BYTES: LONGEST_SECRET_BYTES,
});

type Shape = Pick<TotpState, "algorithm" | "digits" | "period">;

interface Window {
  /** Steps from the present one to the middle of the window. */
  readonly center: number;
  /** Steps either side of the middle. */
  readonly width: number;
}

/** The step whose code this is, within the window; undefined where there is none. */
function matchingStep(code: string, secret: Uint8Array, shape: Shape, now: number, window: Window): number | undefined {
  const { algorithm, period } = shape;
  const digits = digitsOf(shape);
  if (code.length !== digits) return undefined;
  const epoch = Math.floor(now / 1000) + window.center * period;
  const result = verifySync({
    secret,
    token: code,
    epoch,
    epochTolerance: window.width * period,
    algorithm,
    digits,
    period,
    crypto: otpCrypto,
    guardrails,
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

/** Characters of a URI that a name may take, so that a QR code holds it: 2,331 bytes at most, the issuer in them twice. */
const LONGEST_ISSUER = 400;
const LONGEST_ACCOUNT = 1_200;

/** Colons divide issuer from account in the label, so neither may contain one (Key URI format). */
function inUri(text: string, longest: number): string {
  return nameForUri(text.replaceAll(":", "_"), longest);
}

function keyUri(secret: Uint8Array, context: EnrollmentContext): string {
  return generateTOTP({
    issuer: inUri(context.issuer, LONGEST_ISSUER),
    label: inUri(context.accountName, LONGEST_ACCOUNT),
    secret: base32nopad.encode(secret),
  });
}

/** As many digits as the authenticator shows, one that is new: six. */
function normalize(code: string, state: Pick<TotpState, "digits"> = {}): string | undefined {
  return digitsIn(code, [digitsOf(state)]);
}

/**
 * Of the eight masks of ISO/IEC 18004 the one that fits what is random best on average, by its own count of what readers stumble
 * over. To try all eight and take the best is nine tenths of what a drawing costs, and makes it a fifteenth better.
 */
const MASK = 4;

/** Loaded when the first QR code is drawn: most requests draw none. */
async function drawQr(text: string): Promise<string> {
  const { renderSVG } = await import("uqr");
  return renderSVG(text, { border: 2, ecc: "M", maskPattern: MASK });
}

/** What an authenticator app takes the secret from. */
async function shownOf(secret: Uint8Array, context: EnrollmentContext) {
  const uri = keyUri(secret, context);
  return { secret: base32nopad.encode(secret), uri, qr: await drawQr(uri) };
}

function enrollment(window: number): Enroll<TotpState> {
  return {
    label: "Authenticator app",
    limits: ["totpEnroll"],
    replaces: true,
    normalize,
    async begin(context) {
      const secret = randomSecret(SECRET_BYTES);
      const sealed = await context.keys.encrypt(secret, secretContext(context.userId));
      return {
        state: { secret: sealed, step: -1, drift: 0, algorithm: "sha1", period: PERIOD },
        answer: await shownOf(secret, context),
      };
    },
    async again(state, context) {
      return shownOf(await context.keys.decrypt(state.secret, secretContext(context.userId)), context);
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

/** What a body presents: `{ code }`, as long as one of the account's authenticators shows them. */
function present(body: Readonly<Record<string, unknown>>, { account }: PresentContext): string | undefined {
  const code = codeIn(body);
  const own = (account === undefined ? [] : factorsOf(account, "totp")) as readonly Factor<TotpState>[];
  if (code === undefined) return undefined;
  return digitsIn(code, own.length === 0 ? [DIGITS] : own.map(({ state }) => digitsOf(state)));
}

/** How codes prove an authenticator: see `totp()`. `window`: steps either side. */
export function totpMethod(window: 0 | 1 | 2): FactorMethod<TotpState, string> {
  return {
    type: "totp",
    amr: ["otp"],
    aal: 2,
    phishingResistant: false,
    limits: ["totp", ALL_CODES],
    limitDefaults: { totp: { limit: 5, window: 15 * MINUTE }, totpEnroll: { limit: 60, window: 15 * MINUTE } },
    refusal: "invalid-code",
    present,
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
    hint: ({ state }) => (digitsOf(state) === DIGITS ? undefined : LONG_CODES),
    reseal,
    import: importTotp,
    enroll: enrollment(window),
  };
}
