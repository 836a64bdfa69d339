import { type DeliveryReason, deliveryFailure, unanswered } from "./delivery-error.js";
import { SECOND } from "./nouns.js";

/** Where nobody gives it up before: the time-outs of mail servers and providers are minutes. */
const LONGEST = 30 * SECOND;

export interface Attempt<Answer> {
  /** `The mail`: how errors begin. */
  readonly what: string;
  /** Whoever asked waits no longer once it is aborted. */
  readonly signal: AbortSignal | undefined;
  /** Hands the message over. What can be called off is called off by this signal. */
  readonly ask: (signal: AbortSignal) => PromiseLike<Answer>;
  readonly reasonOf: (error: unknown) => DeliveryReason;
}

/**
 * Hands one message over. Waits no longer than it is waited for, and never longer than thirty seconds; what a provider says after that
 * is nobody's any more.
 */
export async function attempt<Answer>({ what, signal, ask, reasonOf }: Attempt<Answer>): Promise<Answer> {
  if (signal?.aborted) throw unanswered(what);
  const over = new AbortController();
  const end = (): void => over.abort();
  const givenUp = new Promise<never>((_resolve, reject) => {
    over.signal.addEventListener("abort", () => reject(unanswered(what)));
  });
  const timer = setTimeout(end, LONGEST);
  signal?.addEventListener("abort", end);
  try {
    return await Promise.race([answered(ask, over.signal, (error) => deliveryFailure(what, reasonOf(error))), givenUp]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
  }
}

async function answered<Answer>(
  ask: Attempt<Answer>["ask"],
  signal: AbortSignal,
  failureOf: (error: unknown) => Error,
): Promise<Answer> {
  try {
    return await ask(signal);
  } catch (error) {
    throw failureOf(error);
  }
}
