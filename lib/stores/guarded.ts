import { UnavailableError } from "../core/errors.js";
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

function begun(list: () => AsyncIterable<string>): AsyncIterator<string> {
  try {
    return list()[Symbol.asyncIterator]();
  } catch (error) {
    throw new UnavailableError(`${WHAT} failed`, error);
  }
}

async function* guardedList(list: () => AsyncIterable<string>, timeout: number): AsyncGenerator<string> {
  const steps = begun(list);
  let isAnswering = false;
  try {
    for (;;) {
      isAnswering = false;
      const step = await within(WHAT, timeout, () => steps.next(), isStep);
      if (step.done === true) return;
      isAnswering = true;
      yield step.value;
    }
  } finally {
    // Whoever went away early ends it; one that failed, or is silent, would not hear it.
    if (isAnswering) await within(WHAT, timeout, () => steps.return?.(), isAnything);
  }
}

/**
 * A store that always answers: as the contract says, or with an `UnavailableError` within `timeout` ms; a list, at each step.
 *
 * A write that timed out may still have happened. That is safe: what it granted is known to nobody.
 */
export function guardedStore(store: Store, timeout: number): Store {
  // What is in this process can neither be silent nor answer otherwise, and most of a guard's cost is its timer.
  if (isProcessMemory(store)) return store;
  const list = store.list?.bind(store);
  return {
    read: (key) => within(WHAT, timeout, () => store.read(key), isEntry),
    write: (key, value, options) => within(WHAT, timeout, () => store.write(key, value, options), isVersion),
    remove: (key, options) => within(WHAT, timeout, () => store.remove(key, options), isBoolean),
    ...(list && { list: (kind) => guardedList(() => list(kind), timeout) }),
  };
}
