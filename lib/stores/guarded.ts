import { isAnything, within } from "../core/within.js";
import type { Entry, Store } from "./contract.js";
import { isProcessMemory } from "./memory.js";

const WHAT = "The store";

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

function isStep(answer: unknown): answer is IteratorResult<string, unknown> {
  if (typeof answer !== "object" || answer === null || !("done" in answer)) return false;
  return answer.done === true || ("value" in answer && typeof answer.value === "string");
}

function isSteps(answer: unknown): answer is AsyncIterator<string> {
  return typeof answer === "object" && answer !== null && "next" in answer && typeof answer.next === "function";
}

type Asked = <T>(ask: () => unknown, accepts: (answer: unknown) => answer is T) => Promise<T>;

async function* guardedList(list: () => AsyncIterable<string>, asked: Asked): AsyncGenerator<string> {
  const steps = await asked(() => list()[Symbol.asyncIterator](), isSteps);
  let isAnswering = false;
  try {
    for (;;) {
      isAnswering = false;
      const step = await asked(() => steps.next(), isStep);
      if (step.done === true) return;
      isAnswering = true;
      yield step.value;
    }
  } finally {
    // Whoever went away early ends it; one that failed, or is silent, would not hear it.
    if (isAnswering) await asked(() => steps.return?.(), isAnything);
  }
}

/**
 * A store that always answers: as the contract says, or with an `UnavailableError` within `timeout` ms; a list, at each step. `tell`
 * hears of every failure.
 *
 * A write that timed out may still have happened. That is safe: what it granted is known to nobody.
 */
export function guardedStore(store: Store, timeout: number, tell: (error: unknown) => void = () => undefined): Store {
  // What is in this process can neither be silent nor answer otherwise, and most of a guard's cost is its timer.
  if (isProcessMemory(store)) return store;
  const list = store.list?.bind(store);
  async function asked<T>(ask: () => unknown, accepts: (answer: unknown) => answer is T): Promise<T> {
    try {
      return await within(WHAT, timeout, ask, accepts);
    } catch (error) {
      tell(error);
      throw error;
    }
  }
  return {
    read: (key) => asked(() => store.read(key), isEntry),
    write: (key, value, options) => asked(() => store.write(key, value, options), isVersion),
    remove: (key, options) => asked(() => store.remove(key, options), isBoolean),
    ...(list && { list: (kind) => guardedList(() => list(kind), asked) }),
  };
}
