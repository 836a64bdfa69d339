import { MINUTE, SECOND, type UserId } from "../core/nouns.js";
import type { Problem } from "../core/errors.js";
import { isFuture } from "../core/time.js";
import { digestOf, isSameText, newDigestKey, openDigestKey } from "../crypto/digests.js";
import type { KeyContext } from "../crypto/key-provider.js";
import { randomId } from "../crypto/random.js";
import type { MethodContext, SealContext } from "./method.js";

// Codes that are sent: what is stored of them, and how they are made of it. Nothing here knows how they travel.

export const CODE_DIGITS = 6;
/** Milliseconds. */
const CODE_LIFE = 5 * MINUTE;
const TRIES = 5;

/** A code that was sent to a login. The code itself is stored nowhere: it is made of this again. */
export interface OpenCode {
  /** The login whose it is, or the operation in one. */
  readonly for: string;
  readonly nonce: string;
  /** When it was made: its life does not begin anew when it is sent again. Milliseconds since the epoch. */
  readonly issuedAt: number;
  /** That are left. */
  readonly tries: number;
  /** Messages that hold it: under way, taken over, or nobody knows. */
  readonly sent: number;
}

/** What is stored of a factor whose codes are sent. */
export interface MessageCodeState {
  /** Where they go, sealed. */
  readonly to: string;
  /** The same as its owner may see it: masked. */
  readonly hint: string;
  /** The key that its codes are made with, sealed: they stay the same while the key ring rotates. */
  readonly key: string;
  readonly codes: readonly OpenCode[];
}

/** Which code it is: moved to another user, factor, login or purpose it is another one. */
export interface CodeBinding {
  readonly type: string;
  readonly factorId: string;
  readonly purpose: "login" | "enroll";
}

/** A code to send: a new one, or one that was sent already. */
export interface Issued {
  readonly code: OpenCode;
  readonly isNew: boolean;
}

function isLive({ issuedAt }: OpenCode, now: number): boolean {
  return issuedAt + CODE_LIFE > now && !isFuture(issuedAt, now);
}

function destinationContext(userId: UserId, type: string): KeyContext {
  return { owner: userId, purpose: `${type}/destination` };
}

function keyContext(userId: UserId, type: string): KeyContext {
  return { owner: userId, purpose: `${type}/key` };
}

/** A factor, or what is to become one, that nothing was sent for yet. */
export async function newCodeState(
  type: string,
  { hint, to }: { readonly hint: string; readonly to: string },
  { keys, userId }: SealContext,
): Promise<MessageCodeState> {
  const sealed = await keys.encrypt(Buffer.from(to), destinationContext(userId, type));
  const { sealed: key } = await newDigestKey(keys, keyContext(userId, type));
  return { to: sealed, hint, key, codes: [] };
}

export async function openDestination(
  type: string,
  { to }: MessageCodeState,
  { keys, userId }: SealContext,
): Promise<string> {
  return Buffer.from(await keys.decrypt(to, destinationContext(userId, type))).toString();
}

export async function resealed(
  type: string,
  state: MessageCodeState,
  { keys, userId }: SealContext,
): Promise<MessageCodeState> {
  const [to, key] = await Promise.all([
    keys.reseal(state.to, destinationContext(userId, type)),
    keys.reseal(state.key, keyContext(userId, type)),
  ]);
  return { ...state, to, key };
}

/** The code that this login was sent and that is not over, with tries left or without. */
export function codeFor({ codes }: MessageCodeState, loginId: string | undefined, now: number): OpenCode | undefined {
  return codes.find((each) => each.for === loginId && isLive(each, now));
}

/** … and that can still be answered. */
export function answerable(
  state: MessageCodeState,
  { loginId, now }: Pick<MethodContext, "loginId" | "now">,
): OpenCode | undefined {
  const code = codeFor(state, loginId, now);
  return code !== undefined && code.tries > 0 ? code : undefined;
}

export function endOfCode({ issuedAt }: Pick<OpenCode, "issuedAt">): number {
  return issuedAt + CODE_LIFE;
}

/**
 * The code to send to this login: the one it has, for as long as that lives, so that asking again gives no new tries; else a new one.
 * Where its tries are used up there is none before its life is over.
 */
export function issue(state: MessageCodeState, { loginId, now }: MethodContext): Issued | Problem {
  // Nothing ties a code to a login that the session has no record of.
  if (loginId === undefined) return { code: "expired" };
  const open = codeFor(state, loginId, now);
  if (open === undefined) {
    return { code: { for: loginId, nonce: randomId(), issuedAt: now, tries: TRIES, sent: 1 }, isNew: true };
  }
  if (open.tries > 0) return { code: { ...open, sent: open.sent + 1 }, isNew: false };
  return { code: "too-many-attempts", retryAfter: Math.max(1, Math.ceil((endOfCode(open) - now) / SECOND)) };
}

export function isIssued(issued: Issued | Problem): issued is Issued {
  return typeof issued.code === "object";
}

/** The state with this code of its login. What is over goes. */
export function withCode(state: MessageCodeState, code: OpenCode, now: number): MessageCodeState {
  const others = state.codes.filter((each) => each.for !== code.for && isLive(each, now));
  return { ...state, codes: [...others, code] };
}

/** The state without a code that was used. */
export function withoutCode(state: MessageCodeState, { nonce }: OpenCode): MessageCodeState {
  return { ...state, codes: state.codes.filter((each) => each.nonce !== nonce) };
}

/**
 * The state after a message with this code that nobody took. A code that no message holds is worth nothing; one that another message
 * holds stays good, whichever of the two was answered for first.
 */
export function withdrawn(state: MessageCodeState, { nonce }: OpenCode): MessageCodeState {
  const codes = state.codes.map((each) => (each.nonce === nonce ? { ...each, sent: each.sent - 1 } : each));
  return { ...state, codes: codes.filter(({ sent }) => sent > 0) };
}

/** The state after a wrong answer to this code. At its end it stays, so that there is none in its place. */
export function afterWrong(state: MessageCodeState, { nonce }: OpenCode): MessageCodeState {
  const codes = state.codes.map((each) => (each.nonce === nonce ? { ...each, tries: each.tries - 1 } : each));
  return { ...state, codes };
}

/** The six digits. */
export async function digitsOfCode(
  state: MessageCodeState,
  code: OpenCode,
  { factorId, purpose, type }: CodeBinding,
  { keys, userId }: SealContext,
): Promise<string> {
  const key = await openDigestKey(keys, state.key, keyContext(userId, type));
  const context = { owner: userId, purpose: [type, factorId, code.for, purpose].join("/") };
  const digest = Buffer.from(digestOf(key, code.nonce, context), "base64url");
  // Of 48 bits: no number is likelier than another by more than one in 280 million.
  return String(digest.readUIntBE(0, 6) % 10 ** CODE_DIGITS).padStart(CODE_DIGITS, "0");
}

export async function isCode(
  digits: string,
  state: MessageCodeState,
  code: OpenCode,
  binding: CodeBinding,
  context: SealContext,
): Promise<boolean> {
  return isSameText(digits, await digitsOfCode(state, code, binding, context));
}
