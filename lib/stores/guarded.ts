import type { Clock } from "../core/nouns.js";
import { within } from "../core/within.js";
import { UnavailableError } from "../core/errors.js";
import type { Count, Entry, RateLimitStore, Store } from "./contract.js";

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

type ClientInfo = Awaited<ReturnType<RateLimitStore["increment"]>>;

function isCount(answer: unknown): answer is ClientInfo {
  const count = answer as Partial<ClientInfo> | null | undefined;
  const hits = count?.totalHits;
  const reset = count?.resetTime;
  const resets = reset === undefined || (reset instanceof Date && !Number.isNaN(reset.getTime()));
  return typeof hits === "number" && Number.isInteger(hits) && hits > 0 && resets;
}

function areCounts(answer: unknown): answer is Count[] {
  return Array.isArray(answer) && answer.every((each) => isCount(each) && each.resetTime !== undefined);
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
  return { ...guarded, ...guardedExtras(store, timeout) };
}

/** What a store may or may not know. */
function guardedExtras(store: Store, timeout: number): Partial<Store> {
  const [incrementAll, decrementAll] = [store.incrementAll?.bind(store), store.decrementAll?.bind(store)];
  const [glance, list] = [store.glance?.bind(store), store.list?.bind(store)];
  const counters = "The attempt counters";
  return {
    ...(incrementAll && {
      async incrementAll(all, clock) {
        const counts = await within(counters, timeout, () => incrementAll(all, clock), areCounts);
        if (counts.length === all.length) return counts;
        throw new UnavailableError("The attempt counters gave an answer of another length than was asked");
      },
    }),
    ...(decrementAll && {
      decrementAll: (all, clock) => within(counters, timeout, () => decrementAll(all, clock), isAnything),
    }),
    ...(glance && { glance: (key) => within("The store", timeout, () => glance(key), isEntry) }),
    ...(list && { list: (kind) => guardedList(list(kind), timeout) }),
  };
}
