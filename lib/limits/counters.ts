import type { Clock } from "../core/nouns.js";
import type { Count, Counter, RateLimitStore, Store } from "../stores/contract.js";

/** Several attempt counters as one: counted together, and given back together. */
export interface Counters {
  /** Answers in the order of the counters. @throws UnavailableError where one does not answer; the others are given back */
  increment(counters: readonly Counter[]): Promise<readonly Count[]>;
  /** Never rejects: a counter that cannot take an attempt back counts one too many until its window ends. */
  decrement(counters: readonly Counter[]): Promise<void>;
}

/** For stores that know counters one by one only. */
function separately(store: Store, clock: Clock): Counters {
  const known = new Map<string, RateLimitStore>();
  const counterOf = ({ name, windowMs }: Counter): RateLimitStore => {
    const counter = known.get(name) ?? store.attempts(name, windowMs, clock);
    known.set(name, counter);
    return counter;
  };
  const decrement: Counters["decrement"] = async (counters) => {
    await Promise.allSettled(counters.map(async (counter) => counterOf(counter).decrement(counter.key)));
  };
  const incrementOne = async (counter: Counter): Promise<Count> => {
    const { totalHits, resetTime } = await counterOf(counter).increment(counter.key);
    return { totalHits, resetTime: resetTime ?? new Date(clock() + counter.windowMs) };
  };
  return {
    decrement,
    async increment(counters) {
      const answers = await Promise.allSettled(counters.map(incrementOne));
      const failed = answers.find((answer) => answer.status === "rejected");
      if (failed === undefined) return answers.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
      await decrement(counters.filter((_counter, index) => answers[index]?.status === "fulfilled"));
      throw failed.reason;
    },
  };
}

export function createCounters(store: Store, clock: Clock): Counters {
  const [incrementAll, decrementAll] = [store.incrementAll?.bind(store), store.decrementAll?.bind(store)];
  if (incrementAll === undefined || decrementAll === undefined) return separately(store, clock);
  return {
    increment: (counters) => incrementAll(counters, clock),
    async decrement(counters) {
      await decrementAll(counters, clock).catch(() => undefined);
    },
  };
}
