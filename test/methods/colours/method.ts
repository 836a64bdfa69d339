import { randomInt } from "node:crypto";
import type {
  EnrollmentContext,
  Factor,
  FactorMethod,
  KeyContext,
  MethodContext,
  Prepared,
  Problem,
  Proved,
  SealContext,
  Verdict,
} from "express-second-factor";

export const TYPE = "colour-sequence";
export const PALETTE = ["red", "orange", "yellow", "green", "blue", "violet", "black", "white"] as const;

const MINUTE = 60_000;
/** 8 to the power of 7: as hard to guess as six digits. */
const LENGTH = 7;
const LIFE = 5 * MINUTE;
const TRIES = 3;
const LONGEST_TEXT = 254;

/** A sequence on its way to whoever owns the address. */
export interface ColourMessage {
  readonly to: string;
  readonly sequence: string;
}

export interface ColoursOptions {
  /** Takes a message over, or rejects: then it was not taken. */
  readonly deliver: (message: ColourMessage) => Promise<void>;
  /** Milliseconds to wait for `deliver`. Default: 10,000. */
  readonly timeout?: number;
}

/** A sequence that was sent, for the one login that asked. */
interface Sent {
  readonly loginId: string | undefined;
  /** Sealed. */
  readonly sequence: string;
  readonly expiresAt: number;
  readonly tries: number;
}

/** What is stored of a factor. The address is sealed, so that the store holds none; the hint is what its owner may see. */
export interface ColourState {
  readonly address: string;
  readonly hint: string;
  readonly sent: readonly Sent[];
}

function sealedFor({ userId }: SealContext): KeyContext {
  return { owner: userId, purpose: TYPE };
}

function seal(text: string, context: SealContext): Promise<string> {
  return context.keys.encrypt(Buffer.from(text), sealedFor(context));
}

async function unseal(sealed: string, context: SealContext): Promise<string> {
  return Buffer.from(await context.keys.decrypt(sealed, sealedFor(context))).toString();
}

/** `red-green-…`, however it was written down. */
function normalize(code: string): string | undefined {
  if (code.length > LONGEST_TEXT) return undefined;
  const colours = code.toLowerCase().match(/[a-z]+/g) ?? [];
  const isOne = colours.length === LENGTH && colours.every((each) => PALETTE.some((colour) => colour === each));
  return isOne ? colours.join("-") : undefined;
}

function drawn(): string {
  return Array.from({ length: LENGTH }, () => PALETTE[randomInt(PALETTE.length)]).join("-");
}

function addressIn({ address }: Readonly<Record<string, unknown>>): string | undefined {
  const isOne = typeof address === "string" && address.length <= LONGEST_TEXT && /^[^\s@]+@[^\s@]+$/.test(address);
  return isOne ? address : undefined;
}

function masked(address: string): string {
  return `${address.slice(0, 1)}•••${address.slice(address.indexOf("@"))}`;
}

/** The state with a new sequence for this login, in the place of one it had. */
async function withSequence(state: ColourState, sequence: string, context: MethodContext): Promise<ColourState> {
  const { loginId, now } = context;
  const others = state.sent.filter((each) => each.expiresAt > now && each.loginId !== loginId);
  const one: Sent = { loginId, sequence: await seal(sequence, context), expiresAt: now + LIFE, tries: TRIES };
  return { ...state, sent: [...others, one] };
}

/** Which sequences may be answered: those of this login, or of any where the application itself asks. */
function open({ sent }: ColourState, { loginId, now }: MethodContext): readonly Sent[] {
  return sent.filter((each) => each.expiresAt > now && (loginId === undefined || each.loginId === loginId));
}

/** The state with one try fewer on what was open; without it where that was the last one. */
function afterWrong(state: ColourState, context: MethodContext): ColourState {
  const tried = open(state, context);
  const left = state.sent.map((each) => (tried.includes(each) ? { ...each, tries: each.tries - 1 } : each));
  return { ...state, sent: left.filter(({ tries }) => tries > 0) };
}

async function matching(code: string, state: ColourState, context: MethodContext): Promise<Sent | undefined> {
  for (const each of open(state, context)) if ((await unseal(each.sequence, context)) === code) return each;
  return undefined;
}

async function begin(
  context: EnrollmentContext,
  body: Readonly<Record<string, unknown>>,
  deliver: ColoursOptions["deliver"],
) {
  const to = addressIn(body);
  if (to === undefined) return { code: "invalid-request" } satisfies Problem;
  const sequence = drawn();
  const address = { address: await seal(to, context), hint: masked(to), sent: [] };
  const state = await withSequence(address, sequence, context);
  return { state, answer: { sentTo: state.hint }, deliver: () => deliver({ to, sequence }) };
}

/** The first sequence shows that the address is theirs. */
async function confirm(code: string, state: ColourState, context: MethodContext): Promise<Proved<ColourState>> {
  const right = await matching(code, state, context);
  if (right === undefined) return { mismatch: { state: afterWrong(state, context) } };
  return { state: { ...state, sent: [] } };
}

async function prepare(
  factor: Factor<ColourState>,
  context: MethodContext,
  deliver: ColoursOptions["deliver"],
): Promise<Prepared<ColourState>> {
  const { state } = factor;
  const [sequence, to] = [drawn(), await unseal(state.address, context)];
  return {
    factor: { ...factor, state: await withSequence(state, sequence, context) },
    answer: { sentTo: state.hint },
    deliver: () => deliver({ to, sequence }),
    undo(current) {
      const others = current.state.sent.filter(({ loginId }) => loginId !== context.loginId);
      const before = state.sent.filter(({ loginId }) => loginId === context.loginId);
      return { ...current, state: { ...current.state, sent: [...others, ...before] } };
    },
  };
}

async function verify(
  code: string,
  factors: readonly Factor<ColourState>[],
  context: MethodContext,
): Promise<Verdict<ColourState>> {
  for (const factor of factors) {
    const { state } = factor;
    const right = await matching(code, state, context);
    if (right === undefined) continue;
    return { factor: { ...factor, state: { ...state, sent: state.sent.filter((each) => each !== right) } } };
  }
  return {
    rejected: true,
    factors: factors.map((factor) => ({ ...factor, state: afterWrong(factor.state, context) })),
  };
}

async function reseal(state: ColourState, context: SealContext): Promise<ColourState> {
  const anew = (sealed: string): Promise<string> => context.keys.reseal(sealed, sealedFor(context));
  const sent = state.sent.map(async (each) => ({ ...each, sequence: await anew(each.sequence) }));
  return { ...state, address: await anew(state.address), sent: await Promise.all(sent) };
}

/** How a sequence proves its owner: see `colours()`. */
export function coloursMethod({ deliver, timeout = 10_000 }: ColoursOptions): FactorMethod<ColourState, string> {
  return {
    type: TYPE,
    amr: ["mca"],
    aal: 2,
    phishingResistant: false,
    limits: ["colourGuess", "allCodes"],
    limitDefaults: {
      colourGuess: { limit: 5, window: 15 * MINUTE },
      colourSend: { limit: 3, window: 30 * MINUTE },
      colourPause: { limit: 1, window: MINUTE },
    },
    refusal: "invalid-code",
    verifiedAs: "colours-matched",
    present: ({ code }) => (typeof code === "string" ? normalize(code) : undefined),
    verify,
    enroll: { label: "Colours", normalize, confirm, begin: (context, body) => begin(context, body, deliver) },
    send: {
      limits: ["colourSend", "colourPause"],
      timeout,
      prepare: (factor, context) => prepare(factor, context, deliver),
    },
    hint: ({ state }) => state.hint,
    reseal,
  };
}
