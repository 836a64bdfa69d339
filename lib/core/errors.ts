/** Machine-readable reasons, one meaning each. Applications and clients rely on them; the words beside them may change. */
export type ErrorCode = keyof typeof ERRORS;

/**
 * Every answer to something wrong: its HTTP status and the sentence a visitor may read.
 * The table is the reference; documentation and messages are checked against it.
 *
 * @example
 * ```ts
 * import { ERRORS, type ErrorCode } from "express-second-factor";
 *
 * const german: Partial<Record<ErrorCode, string>> = { "invalid-code": "Der Code stimmt nicht." };
 * const untranslated = Object.keys(ERRORS).filter((code) => !(code in german));
 * ```
 */
export const ERRORS = {
  "invalid-request": { status: 400, title: "The request is not understood" },
  "login-required": { status: 401, title: "Sign in first" },
  "second-factor-required": { status: 401, title: "A second factor is required" },
  "step-up-required": { status: 401, title: "Confirm that it is you" },
  "invalid-code": { status: 401, title: "That code is not right" },
  "invalid-passkey": { status: 401, title: "That passkey was not accepted" },
  "enrollment-required": { status: 403, title: "A second factor must be set up first" },
  "acting-login": { status: 403, title: "Not while acting for somebody" },
  frozen: { status: 403, title: "Changes are frozen for a while" },
  denied: { status: 403, title: "This sign-in is refused" },
  probation: { status: 403, title: "Not yet, so soon after a recovery" },
  "same-browser": { status: 403, title: "A browser cannot approve for itself" },
  "cross-site-request": { status: 403, title: "The request came from another site" },
  "not-found": { status: 404, title: "There is nothing here" },
  conflict: { status: 409, title: "That is already in use" },
  "last-factor": { status: 409, title: "The last second factor cannot be removed" },
  expired: { status: 410, title: "That took too long" },
  "too-large": { status: 413, title: "The request is too large" },
  "unsupported-media-type": { status: 415, title: "This kind of content is not accepted" },
  "too-many-attempts": { status: 429, title: "Too many attempts" },
  "delivery-failed": { status: 503, title: "The message could not be sent" },
  "login-failed": { status: 503, title: "The sign-in could not be finished" },
  unavailable: { status: 503, title: "Sign-in cannot be checked right now" },
} as const;

/** Something a visitor did or met, ready to be told: a code, and what a client needs to go on. */
export interface Problem {
  readonly code: ErrorCode;
  /** Whole seconds until another attempt can succeed; absent where waiting does not help. */
  readonly retryAfter?: number;
  /** Further members of the answer, such as `methods` or `maxAge`. Never secret, never personal. */
  readonly members?: Readonly<Record<string, unknown>>;
  /** Something was tried and was wrong: it counts for the address it came from. */
  readonly isFailedAttempt?: true;
}

/** Beside `too-many-attempts`: it is messages that have to wait, and what has arrived can be answered all the same. */
export const OF_SENDING = "sending";

export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

export function success<T>(value: T): Outcome<T> {
  return { ok: true, value };
}

export function failure(code: ErrorCode, extra: Omit<Problem, "code"> = {}): Outcome<never> {
  return { ok: false, problem: { code, ...extra } };
}

// Every entry point, in either module format, carries these classes, so one process may hold several copies of each; this is
// how a copy knows the errors of another.
function sign(error: Error, name: string): void {
  // Not enumerable: it is not for whoever logs the error.
  Object.defineProperty(error, Symbol.for(`express-second-factor.${name}`), { value: true });
}

function isSigned(value: unknown, name: string): boolean {
  return typeof value === "object" && value !== null && Symbol.for(`express-second-factor.${name}`) in value;
}

/** A class derived from one of these inherits the question, and knows its own errors alone. */
function isOurs(asked: object): boolean {
  return Object.hasOwn(asked, Symbol.hasInstance);
}

/**
 * The developer's mistake: thrown at start where it can be seen there, at the first request otherwise.
 * The message lists every problem found, each with its mend; `problems` holds them one by one.
 *
 * @example
 * ```ts
 * import { ConfigurationError } from "express-second-factor";
 *
 * try {
 *   await mfa.ready();
 * } catch (error) {
 *   if (!(error instanceof ConfigurationError)) throw error;
 *   for (const problem of error.problems) log.error(problem);
 *   process.exitCode = 1;
 * }
 * ```
 */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`express-second-factor is not configured correctly:\n${problems.map((each) => `  - ${each}`).join("\n")}`);
    this.problems = problems;
    sign(this, "ConfigurationError");
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isOurs(this) ? isSigned(value, "ConfigurationError") : super[Symbol.hasInstance](value);
  }
}

/** Why something could not be decided, in words that hold nothing of anybody: only our own are repeated. */
export function reasonOf(error: unknown): string {
  if (error instanceof ConfigurationError) return error.problems.join("; ");
  return error instanceof UnavailableError ? error.message : "The application's own code, or the session, failed";
}

/**
 * The world's failure: a store, limiter or key provider that did not answer as promised. Always answered by refusing.
 * `status` is 503; `cause`, where there is one, is the error that was answered.
 *
 * @example
 * ```ts
 * import { UnavailableError } from "express-second-factor";
 *
 * app.post("/admin/users/:id/reset", async (req, res) => {
 *   try {
 *     res.json({ reset: await mfa.accounts.reset(req.params.id, { actor: "admin:42" }) });
 *   } catch (error) {
 *     if (!(error instanceof UnavailableError)) throw error;
 *     res.status(error.status).send("That cannot be done right now. Try again in a minute.");
 *   }
 * });
 * ```
 */
export class UnavailableError extends Error {
  override readonly name = "UnavailableError";
  readonly code = "unavailable" satisfies ErrorCode;
  readonly status = ERRORS.unavailable.status;

  constructor(what: string, cause?: unknown) {
    super(what, { cause });
    sign(this, "UnavailableError");
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isOurs(this) ? isSigned(value, "UnavailableError") : super[Symbol.hasInstance](value);
  }
}

/**
 * A login that was complete but for what the application does with it, or refused by its policy, and is over; or ended meanwhile. Answered like
 * any other problem; code that waits for the login is given it.
 */
export class LoginRefusedError extends Error {
  override readonly name = "LoginRefusedError";
  readonly status: number;

  constructor(
    readonly code: Extract<ErrorCode, "login-failed" | "expired" | "denied">,
    cause?: unknown,
  ) {
    super(ERRORS[code].title, { cause });
    this.status = ERRORS[code].status;
  }
}

const UNASKED: Partial<Record<ErrorCode, string>> = {
  "not-found": "this user has no device that approves, or not that one",
  frozen: "devices are not asked since their owner answered “this wasn't me”",
  probation: "the account was recovered less than 72 hours ago",
  "too-many-attempts": "it was asked too often, or was denied or not answered too often",
  "delivery-failed": "the message was not taken",
};

/**
 * The owner could not be asked (`mfa.approve`), which says nothing about what they would have answered. `code` says why: `"not-found"`,
 * `"frozen"`, `"probation"`, `"too-many-attempts"` or `"delivery-failed"`; `status` is its HTTP status; `retryAfter`, where waiting
 * helps, whole seconds.
 *
 * @example
 * ```ts
 * import { NotAskedError } from "express-second-factor";
 *
 * const onNumber = (number: string) => log.info(`Tell the caller: ${number}`);
 * try {
 *   await mfa.approve(userId, { operation: "Change of address", actor: "support:7", onNumber });
 * } catch (error) {
 *   if (!(error instanceof NotAskedError)) throw error;
 *   log.warn(`Not asked: ${error.code}`);
 * }
 * ```
 */
export class NotAskedError extends Error {
  override readonly name = "NotAskedError";
  readonly code: ErrorCode;
  readonly status: number;
  readonly retryAfter?: number;

  constructor({ code, retryAfter }: Problem) {
    super(`The owner could not be asked: ${UNASKED[code] ?? ERRORS[code].title}`);
    this.code = code;
    this.status = ERRORS[code].status;
    if (retryAfter !== undefined) this.retryAfter = retryAfter;
    sign(this, "NotAskedError");
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isOurs(this) ? isSigned(value, "NotAskedError") : super[Symbol.hasInstance](value);
  }
}

const UNDONE: Readonly<Record<NotDoneError["code"], string>> = {
  "approval-required": "another operator has to approve it: mfa.accounts.approve(requestId, { actor })",
  "too-many-attempts": "this user was given as many as there are in a year",
  frozen: "this user answered “this wasn't me”, and changes are frozen",
  expired: "there is no such request, or it was approved already, or took too long",
};

/**
 * An operation of the help desk's that was not done (`mfa.accounts`). `code` says why: `"approval-required"` (another operator has to
 * approve it, by `requestId`, before `expiresAt`), `"too-many-attempts"` (`retryAfter` in whole seconds), `"frozen"` or `"expired"`.
 * `status` is an HTTP status for it: 202 for what is to be approved.
 *
 * @example
 * ```ts
 * import { NotDoneError } from "express-second-factor";
 *
 * try {
 *   await mfa.accounts.reset(userId, { actor: "support:7", reason: "Lost phone, ticket 4711" });
 * } catch (error) {
 *   if (!(error instanceof NotDoneError)) throw error;
 *   const { code, expiresAt, requestId } = error;
 *   log.info({ code, expiresAt, requestId });
 * }
 * ```
 */
export class NotDoneError extends Error {
  override readonly name = "NotDoneError";
  readonly code: "approval-required" | Extract<ErrorCode, "too-many-attempts" | "frozen" | "expired">;
  readonly status: number;
  readonly retryAfter?: number;
  /** Of `"approval-required"`: what the other operator names. */
  readonly requestId?: string;
  /** Of `"approval-required"`: until when. ISO 8601, UTC. */
  readonly expiresAt?: string;

  constructor({ code, expiresAt, requestId, retryAfter }: Pick<NotDoneError, "code"> & Partial<Undone>) {
    super(`It was not done: ${UNDONE[code]}`);
    this.code = code;
    this.status = code === "approval-required" ? 202 : ERRORS[code].status;
    if (retryAfter !== undefined) this.retryAfter = retryAfter;
    if (requestId !== undefined) this.requestId = requestId;
    if (expiresAt !== undefined) this.expiresAt = expiresAt;
    sign(this, "NotDoneError");
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isOurs(this) ? isSigned(value, "NotDoneError") : super[Symbol.hasInstance](value);
  }
}

type Undone = Pick<NotDoneError, "expiresAt" | "requestId" | "retryAfter">;

/** Nothing answered at all, which says nothing about what was asked; an answer that was an error has a cause. */
export function isSilence(error: unknown): boolean {
  return error instanceof UnavailableError && error.cause === undefined;
}
