import { channel, subscribe, unsubscribe } from "node:diagnostics_channel";
import type { MethodType } from "../core/nouns.js";
import type { Events } from "./emitter.js";

export type ProofOutcome = "success" | "failure" | "waiting" | "error";

/** One look at one proof: published as it begins, and the same object as it ends. Holds nothing of what was presented. */
export interface ProofTrace {
  /** Whose it is, where several applications share a process. */
  readonly events: Events;
  readonly method: MethodType;
  /** As it ends: `waiting` where there is no answer yet, `error` where store, keys or method failed. */
  outcome?: ProofOutcome;
}

const [START, END] = ["express-second-factor:proof:start", "express-second-factor:proof:end"] as const;
const [STARTED, ENDED] = [channel(START), channel(END)];

/** Runs it, and says so where anybody listens; otherwise it costs the question whether anybody does. */
export async function traced<T>(
  trace: Omit<ProofTrace, "outcome">,
  run: () => Promise<T>,
  outcomeOf: (answer: T) => ProofOutcome,
): Promise<T> {
  if (!STARTED.hasSubscribers && !ENDED.hasSubscribers) return run();
  const told: ProofTrace = { ...trace };
  STARTED.publish(told);
  let outcome: ProofOutcome = "error";
  try {
    const answer = await run();
    outcome = outcomeOf(answer);
    return answer;
  } finally {
    told.outcome = outcome;
    ENDED.publish(told);
  }
}

/** Hears of each, of one application; answers what ends it. A listener that throws would end the process, so it must not. */
export function onProofs(
  events: Events,
  started: (trace: ProofTrace) => void,
  ended: (trace: ProofTrace) => void,
): () => void {
  const of = (listen: (trace: ProofTrace) => void) => (message: unknown) => {
    const trace = message as ProofTrace;
    if (trace.events === events) listen(trace);
  };
  const [begin, end] = [of(started), of(ended)];
  subscribe(START, begin);
  subscribe(END, end);
  return () => {
    unsubscribe(START, begin);
    unsubscribe(END, end);
  };
}
