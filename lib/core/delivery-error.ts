import { UnavailableError } from "./errors.js";

/** What a provider calls it where nobody answered: it may have taken the message all the same. */
const NO_ANSWER: readonly unknown[] = [
  ...["ETIMEDOUT", "ESOCKETTIMEDOUT", "SOCKET_TIMEOUT", "ECONNABORTED", "ECONNRESET", "EABORT"],
  ...["AbortError", "TimeoutError"],
  // Those of Node's fetch. That it found no connection in time (UND_ERR_CONNECT_TIMEOUT) is none: nothing was sent.
  ...["UND_ERR_SOCKET", "UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"],
];

/** Text of a provider that can hold no number and no code: letters first, and never five digits in a row. */
const NAME = /^(?!.*\d{5})[A-Za-z][\w.-]{0,63}$/;

/** Of a notice: nobody knows where its owner gets mail. */
export const NO_ADDRESS = "no-address";

/** What to do, by codes of our own. Found by the code, which is all that is kept of an error of another copy of this class. */
const HINTS: ReadonlyMap<unknown, string> = new Map([
  [NO_ADDRESS, "no address is known: user.email answers none, or there is no user.load, or it finds nobody"],
]);

/** Why a message was not taken, as far as a provider says it. */
export interface DeliveryReason {
  /** The provider's own name or number for what was wrong. */
  readonly code?: unknown;
  /** Of its answer: HTTP's, SMTP's. */
  readonly status?: unknown;
  /** Nobody is reached there any more. */
  readonly gone?: boolean;
  /** What to do about it, in words of ours. */
  readonly hint?: string;
}

function knownCode(code: unknown): string | number | undefined {
  // Numbers of providers have five digits at most, what is sent has six.
  if (typeof code === "number") return Number.isInteger(code) && code >= 0 && code < 100_000 ? code : undefined;
  return typeof code === "string" && NAME.test(code) ? code : undefined;
}

function knownStatus(status: unknown): number | undefined {
  return typeof status === "number" && Number.isInteger(status) && status >= 100 && status < 600 ? status : undefined;
}

/**
 * A message that was not taken. Providers repeat numbers, addresses and whole messages in their errors, and errors are logged: nothing
 * of theirs is kept but what they call it.
 */
export class DeliveryError extends Error {
  override readonly name = "DeliveryError";
  /** The provider's name or number for what was wrong: `"EENVELOPE"`, 21211, `"ThrottlingException"`. */
  readonly code: string | number | undefined;
  /** Of the provider's answer: 550 (SMTP), 429 (HTTP). Absent where there was none. */
  readonly status: number | undefined;
  /** Nobody is reached there any more, and no later message will be. Absent where that is not said. */
  declare readonly gone?: true;

  /** `what`: `The mail`. */
  constructor(what: string, { code, status, gone, hint = HINTS.get(code) }: DeliveryReason = {}) {
    const [known, answered] = [knownCode(code), knownStatus(status)];
    const details = [known, answered].filter((each) => each !== undefined && each !== "").join(", ");
    const mend = hint === undefined ? "" : `: ${hint}`;
    super(`${what} was not taken${details === "" ? "" : ` (${details})`}${mend}`);
    this.code = known;
    this.status = answered;
    if (gone === true) this.gone = true;
  }
}

/** Nobody answered, which has no cause: what is counted stays counted. */
export function unanswered(what: string): UnavailableError {
  return new UnavailableError(`${what}: no answer, so it may have been taken or not`);
}

/** What a provider's failure means, without a word of its own. */
export function deliveryFailure(what: string, reason: DeliveryReason): Error {
  const isSilent = knownStatus(reason.status) === undefined && NO_ANSWER.includes(reason.code);
  return isSilent ? unanswered(what) : new DeliveryError(what, reason);
}
