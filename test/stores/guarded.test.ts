import { randomBytes } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { promisify } from "node:util";
import { describe, expect, test } from "@jest/globals";
import type { Store } from "express-second-factor";
import { UnavailableError } from "../../lib/core/errors.js";
import { guardedStore } from "../../lib/stores/guarded.js";
import { memoryStore } from "../../lib/stores/memory.js";

const TIMEOUT = 20;

type StoreVerb = "read" | "write" | "remove";

const CALLS: Record<StoreVerb, (store: Store) => unknown> = {
  read: (store) => store.read("key"),
  write: (store) => store.write("key", "value", { expect: null }),
  remove: (store) => store.remove("key", { expect: "1" }),
};

/** Answers of another shape than the contract's. */
const NONSENSE: Record<StoreVerb, readonly unknown[]> = {
  read: [null, "value", 5, {}, { value: "x" }, { value: 1, version: "1" }, { value: "x", version: 1 }, []],
  write: [null, true, 1, {}, Symbol.iterator],
  remove: [undefined, null, 1, "true", {}],
};

/** What a call does in the place of what it should. */
type Fault = () => unknown;

const rejects: Fault = () => Promise.reject(new Error("The cable is cut"));
const hangs: Fault = () => new Promise(() => undefined);
const throws: Fault = () => {
  throw new Error("The cable is cut");
};

/** A store whose one verb fails in this way until it is healed. */
function faultyStore(): Store & { fail(verb: StoreVerb, fault: Fault): void; heal(): void } {
  const [inner, faults] = [memoryStore(), new Map<StoreVerb, Fault>()];
  const call = (verb: StoreVerb, act: Fault): never => (faults.get(verb) ?? act)() as never;
  return {
    read: (key) => call("read", () => inner.read(key)),
    write: (key, value, options) => call("write", () => inner.write(key, value, options)),
    remove: (key, options) => call("remove", () => inner.remove(key, options)),
    fail: (verb, fault) => faults.set(verb, fault),
    heal: () => {
      faults.clear();
    },
  };
}

/** The whole process does nothing for so many milliseconds, as while its machine is suspended. */
function standStill(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

const VERBS = Object.keys(CALLS) as StoreVerb[];

const FAULTS: readonly [StoreVerb, string, Fault][] = VERBS.flatMap((verb) => [
  [verb, "throws", throws],
  [verb, "rejects", rejects],
  [verb, "hangs", hangs],
  ...NONSENSE[verb].map((answer): [StoreVerb, string, Fault] => [
    verb,
    `answers ${typeof answer} ${typeof answer === "symbol" ? "" : JSON.stringify(answer)}`,
    async () => answer,
  ]),
]);

describe("a guarded store", () => {
  test.each(FAULTS)("rejects as unavailable where %s %s", async (verb, _name, fault) => {
    const inner = faultyStore();
    const guarded = guardedStore(inner, TIMEOUT);
    inner.fail(verb, fault);
    const refusal = Promise.resolve().then(() => CALLS[verb](guarded));
    await expect(refusal).rejects.toThrow(UnavailableError);
    await expect(refusal).rejects.toMatchObject({ code: "unavailable", status: 503 });
  });

  test.each(VERBS)("works again where %s does", async (verb) => {
    const inner = faultyStore();
    const guarded = guardedStore(inner, TIMEOUT);
    inner.fail(verb, rejects);
    await expect(Promise.resolve().then(() => CALLS[verb](guarded))).rejects.toThrow(UnavailableError);
    inner.heal();
    await expect(Promise.resolve(CALLS[verb](guarded))).resolves.not.toThrow();
  });

  test("answers as the store does, and hands on what it was asked", async () => {
    const inner = memoryStore();
    const guarded = guardedStore(inner, TIMEOUT);
    const version = await guarded.write("key", "value", { expect: null });
    expect(await guarded.read("key")).toEqual(await inner.read("key"));
    expect(await guarded.write("key", "other", { expect: null })).toBeUndefined();
    expect(await guarded.remove("key", { expect: "another" })).toBe(false);
    expect(await guarded.remove("key", { expect: version! })).toBe(true);
    expect(await guarded.read("key")).toBeUndefined();
  });

  test("says in its error what did not answer, and not what was stored", async () => {
    const inner = faultyStore();
    inner.fail("write", hangs);
    const refusal = guardedStore(inner, TIMEOUT).write("account:u1", "the-record", { expect: null });
    await expect(refusal).rejects.toThrow(/^The store did not answer within 20 ms$/);
  });

  test.each<[string, () => Promise<unknown>]>([
    ["two turns later", () => nextTurn().then(() => nextTurn())],
    ["from another thread", () => promisify(randomBytes)(8)],
  ])("takes an answer that came %s, while the process itself stood still past the limit", async (_name, arrival) => {
    const inner = memoryStore();
    await inner.write("key", "value", { expect: null });
    const distant: Store = { ...faultyStore(), read: (key) => arrival().then(() => inner.read(key)) };
    const reading = guardedStore(distant, TIMEOUT).read("key");
    standStill(3 * TIMEOUT);
    await expect(reading).resolves.toMatchObject({ value: "value" });
  });

  test("answers the very entry the store did", async () => {
    const inner = memoryStore();
    await inner.write("key", "value", { expect: null });
    expect(await guardedStore(inner, TIMEOUT).read("key")).toBe(await inner.read("key"));
  });
});

describe("a guarded store's list", () => {
  /** All it lists, of a store that lists like this. */
  async function listed(list: NonNullable<Store["list"]>): Promise<string[]> {
    const keys: string[] = [];
    for await (const key of guardedStore({ ...faultyStore(), list }, TIMEOUT).list!("account")) keys.push(key);
    return keys;
  }

  test("is there only where the store's is", () => {
    expect(guardedStore(faultyStore(), TIMEOUT).list).toBeUndefined();
  });

  test("is the store's, however long it takes as a whole", async () => {
    const keys = Array.from({ length: 10 }, (_none, index) => `account:${index}`);
    const list = async function* (): AsyncGenerator<string> {
      for (const key of keys) {
        await new Promise((resolve) => setTimeout(resolve, TIMEOUT / 4));
        yield key;
      }
    };
    expect(await listed(list)).toEqual(keys);
  });

  test.each<[string, (kind: string) => unknown]>([
    ["is none", () => undefined],
    [
      "throws at once",
      () => {
        throw new Error("The cable is cut");
      },
    ],
    ["rejects at a step", () => steps(() => Promise.reject(new Error("The cable is cut")))],
    ["is silent at a step", () => steps(() => new Promise(() => undefined))],
    ["answers no step", () => steps(async () => "account:1")],
    ["lists what is no key", () => steps(async () => ({ done: false, value: 5 }))],
  ])("that %s is unavailable, and in time", async (_name, list) => {
    await expect(listed(list as NonNullable<Store["list"]>)).rejects.toThrow(UnavailableError);
  });

  test("ends the store's where nobody reads on", async () => {
    let isEnded = false;
    const list = async function* (): AsyncGenerator<string> {
      try {
        for (;;) yield "account:1";
      } finally {
        isEnded = true;
      }
    };
    for await (const key of guardedStore({ ...faultyStore(), list }, TIMEOUT).list!("account")) {
      expect(key).toBe("account:1");
      break;
    }
    expect(isEnded).toBe(true);
  });

  function steps(next: () => Promise<unknown>): unknown {
    return { [Symbol.asyncIterator]: () => ({ next, return: () => new Promise(() => undefined) }) };
  }
});
