import type { Clock } from "../core/nouns.js";
import { within } from "../core/within.js";
import type { Entry, RateLimitStore, Store } from "./contract.js";

function isEntry(answer: unknown): answer is Entry | undefined {
  if (answer === undefined) return true;
  if (typeof answer !== "object" || answer === null) return false;
  return (
    "value" in answer && "version" in answer && typeof answer.value === "string" && typeof answer.version === "string"
  );
}

function isVersion(answer: unknown): answer is string | undefined {
  return answer === undefined || typeof answer === "string";
}

function isBoolean(answer: unknown): answer is boolean {
  return typeof answer === "boolean";
}

type Count = Awaited<ReturnType<RateLimitStore["increment"]>>;

function isCount(answer: unknown): answer is Count {
  const count = answer as Partial<Count> | null | undefined;
  const hits = count?.totalHits;
  const reset = count?.resetTime;
  const resets = reset === undefined || (reset instanceof Date && !Number.isNaN(reset.getTime()));
  return typeof hits === "number" && Number.isInteger(hits) && hits > 0 && resets;
}

function isAnything(_answer: unknown): _answer is undefined {
  return true;
}

function isStep(answer: unknown): answer is IteratorResult<string, unknown> {
  if (typeof answer !== "object" || answer === null || !("done" in answer)) return false;
  return answer.done === true || ("value" in answer && typeof answer.value === "string");
}

async function* guardedList(keys: AsyncIterable<string>, timeout: number): AsyncGenerator<string> {
  const steps = keys[Symbol.asyncIterator]();
  try {
    for (;;) {
      const step = await within("The store", timeout, () => steps.next(), isStep);
      if (step.done === true) return;
      yield step.value;
    }
  } finally {
    await steps.return?.();
  }
}

function guardedAttempts(counters: RateLimitStore, timeout: number): RateLimitStore {
  return {
    increment: (key) => within("The attempt counter", timeout, () => counters.increment(key), isCount),
    decrement: (key) => within("The attempt counter", timeout, () => counters.decrement(key), isAnything),
    resetKey: (key) => within("The attempt counter", timeout, () => counters.resetKey(key), isAnything),
  };
}

/**
 * A store that always answers: as the contract says, or with an `UnavailableError` within `timeout` ms.
 *
 * A write that timed out may still have happened. That is safe: what it granted is known to nobody.
 */
export function guardedStore(store: Store, timeout: number): Store {
  const guarded: Store = {
    read: (key) => within("The store", timeout, () => store.read(key), isEntry),
    write: (key, value, options) => within("The store", timeout, () => store.write(key, value, options), isVersion),
    remove: (key, options) => within("The store", timeout, () => store.remove(key, options), isBoolean),
    attempts: (name: string, windowMs: number, clock: Clock) =>
      guardedAttempts(store.attempts(name, windowMs, clock), timeout),
  };
  const [glance, list] = [store.glance?.bind(store), store.list?.bind(store)];
  return {
    ...guarded,
    ...(glance && { glance: (key) => within("The store", timeout, () => glance(key), isEntry) }),
    ...(list && { list: (kind) => guardedList(list(kind), timeout) }),
  };
}
