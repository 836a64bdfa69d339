import { type FactorId, type MethodType, MINUTE } from "./nouns.js";
import { isFuture } from "./time.js";

// Questions that are put to a device of the owner's: "is that you?". Pure changes of what an account keeps of them.

export type ApprovalDecision = "approved" | "denied";

/** One question. It belongs to whoever asked, and goes to one device. */
export interface ApprovalRequest {
  /** SHA-256 of the id that clients name it by. */
  readonly digest: string;
  /** The device that is asked, and alone may decide. */
  readonly factorId: FactorId;
  /** Who alone may use the answer: a login, an operation within it, or a call of the application's own. */
  readonly askedBy: string;
  /** The id in the cookie of the browser that asked, which may not approve. Absent: no browser did. */
  readonly askingBrowser?: string;
  /** Number and text, sealed. */
  readonly sealed: string;
  /** Where it was asked, for the owner to read. */
  readonly browser?: string;
  readonly ip?: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** While it is open, the end of that; once it is approved, of the time in which whoever asked can use that. */
  readonly expiresAt: number;
  /** Numbers that were typed and were not the one. */
  readonly wrongNumbers: number;
  /** Absent: it is open. */
  readonly decision?: ApprovalDecision;
}

/** What an account keeps of them: one question at a time, and what the last ones came to. */
export interface Approvals {
  /** Of the factors that are asked. */
  readonly type?: MethodType;
  readonly request?: ApprovalRequest;
  /** Questions in a row that were denied, or that nobody answered. */
  readonly misses: number;
  /** When the last of these was over, milliseconds since the epoch. */
  readonly missedAt?: number;
  /**
   * The owner said that a question was not theirs, on a factor of this kind: nothing is asked by it until a factor of another kind
   * was used.
   */
  readonly reported?: MethodType;
}

export type ApprovalState = "waiting" | ApprovalDecision | "expired";

const NONE: Approvals = { misses: 0 };

/** So many wrong numbers deny. */
const MOST_WRONG_NUMBERS = 3;
/** An answer in the last moment is still to be had for that long, milliseconds. */
const ANSWER_LIFE = MINUTE;
/** How long nothing is asked after two misses in a row, three, and more; milliseconds. */
const BACK_OFF = [5 * MINUTE, 15 * MINUTE, 60 * MINUTE] as const;

/** By a clock that was set back, nothing is open for longer either. */
function isOver({ createdAt, expiresAt }: ApprovalRequest, now: number): boolean {
  return expiresAt <= now || isFuture(createdAt, now);
}

export function stateOfRequest(request: ApprovalRequest, now: number): ApprovalState {
  const { decision } = request;
  if (decision === "denied") return decision;
  return isOver(request, now) ? "expired" : (decision ?? "waiting");
}

/** The one that can still be decided. */
export function openRequest({ request }: Approvals = NONE, now: number): ApprovalRequest | undefined {
  return request !== undefined && stateOfRequest(request, now) === "waiting" ? request : undefined;
}

function missed({ misses, ...approvals }: Approvals, missedAt: number): Approvals {
  return { ...approvals, misses: misses + 1, missedAt };
}

/** With what ran out counted as missed. One that another takes the place of, or that was approved, is none. */
export function settled(approvals: Approvals = NONE, now: number): Approvals {
  const { request, ...rest } = approvals;
  if (request === undefined || request.decision !== undefined || !isOver(request, now)) return approvals;
  return missed(rest, Math.min(request.expiresAt, now));
}

/** Until when nothing may be asked, milliseconds since the epoch; undefined where something may. */
export function backOffUntil(approvals: Approvals | undefined, now: number): number | undefined {
  const { misses, missedAt = 0 } = settled(approvals, now);
  const wait = BACK_OFF[Math.min(misses - 2, BACK_OFF.length - 1)] ?? 0;
  const until = missedAt + wait;
  // One that ends later than two can was begun by a clock that was ahead, and would last until then.
  if (until <= now || until > now + 2 * wait) return undefined;
  // By a clock that was set back a little, it lasts no longer than one either.
  return Math.min(until, now + wait);
}

/** The owner said that what was asked by this kind of factor was not them, and has used no other since. */
export function isReported({ reported }: Approvals = NONE, type: MethodType): boolean {
  return reported === type;
}

/** Asked: in the place of whatever was asked before. */
export function withRequest(approvals: Approvals | undefined, request: ApprovalRequest, now: number): Approvals {
  return { ...settled(approvals, now), request };
}

/** Without the question of this digest: it was not delivered, or its answer is used up. */
export function withoutRequest(approvals: Approvals = NONE, digest: string): Approvals {
  const { request, ...rest } = approvals;
  return request?.digest === digest ? rest : approvals;
}

/** The open question decided. */
export function decided(
  approvals: Approvals,
  request: ApprovalRequest,
  decision: ApprovalDecision,
  now: number,
): Approvals {
  if (decision === "denied") return { ...missed(approvals, now), request: { ...request, decision } };
  const { missedAt: _over, ...rest } = approvals;
  const expiresAt = Math.max(request.expiresAt, now + ANSWER_LIFE);
  return { ...rest, misses: 0, request: { ...request, decision, expiresAt } };
}

/** With one more wrong number for the open question; enough of them deny it. */
export function withWrongNumber(approvals: Approvals, request: ApprovalRequest, now: number): Approvals {
  const next = { ...request, wrongNumbers: request.wrongNumbers + 1 };
  return next.wrongNumbers < MOST_WRONG_NUMBERS
    ? { ...approvals, request: next }
    : decided(approvals, next, "denied", now);
}

/** Denied, because it was not the owner who asked. */
export function withReported(
  approvals: Approvals,
  request: ApprovalRequest,
  reported: MethodType,
  now: number,
): Approvals {
  return { ...decided(approvals, request, "denied", now), reported };
}

/**
 * Once a factor is gone: nobody can answer what it was asked. `isLast`: of its kind; then nothing is left of what its kind was asked.
 */
export function withoutAsked(
  approvals: Approvals,
  { id, type }: { readonly id: FactorId; readonly type: MethodType },
  isLast: boolean,
): Approvals | undefined {
  if (isLast && approvals.type === type) return undefined;
  const { request, ...rest } = approvals;
  return request?.factorId === id ? rest : approvals;
}

/** With nothing that keeps anything from being asked. */
export function withoutPause({ missedAt: _over, reported: _lifted, ...approvals }: Approvals): Approvals {
  return { ...approvals, misses: 0 };
}

/**
 * After a right proof by a factor of this kind. `askedBy`: by whoever asks as this one, who waits for no other answer any more; what ran
 * out before counts as missed all the same.
 */
export function afterProof(
  approvals: Approvals,
  type: MethodType,
  { askedBy, now }: { readonly askedBy: string | undefined; readonly now: number },
): Approvals {
  const counted = settled(approvals, now);
  const { reported, ...rest } = counted;
  const lifted = reported === undefined || reported === type ? counted : rest;
  const { request } = lifted;
  const isWaitedFor = request !== undefined && request.askedBy === askedBy && request.decision !== "denied";
  return isWaitedFor ? withoutRequest(lifted, request.digest) : lifted;
}
