import { describe, expect, test } from "@jest/globals";
import { memoryStore, type Store, UnavailableError } from "express-second-factor";
import { guardedStore } from "../../lib/stores/guarded.js";
import { answers, type Fault, faultyStore, HANGS, named, REJECTS, type StoreVerb, THROWS } from "../support/faults.js";

const TIMEOUT = 20;

const CALLS: Record<StoreVerb, (store: Store) => unknown> = {
  read: (store) => store.read("key"),
  write: (store) => store.write("key", "value", { expect: null }),
  remove: (store) => store.remove("key", { expect: "1" }),
  increment: (store) => store.attempts("totp", 1000, () => 0).increment("ann"),
  decrement: (store) => store.attempts("totp", 1000, () => 0).decrement("ann"),
};

/** Answers of another shape than the contract's. */
const NONSENSE: Record<StoreVerb, readonly unknown[]> = {
  read: [null, "value", 5, {}, { value: "x" }, { value: 1, version: "1" }, { value: "x", version: 1 }, []],
  write: [null, true, 1, {}, Symbol.iterator],
  remove: [undefined, null, 1, "true", {}],
  increment: [
    undefined,
    null,
    5,
    {},
    { totalHits: "5", resetTime: new Date(0) },
    { totalHits: 0, resetTime: new Date(0) },
    { totalHits: 1.5, resetTime: new Date(0) },
    { totalHits: NaN, resetTime: new Date(0) },
    { totalHits: 1, resetTime: "soon" },
    { totalHits: 1, resetTime: new Date(NaN) },
  ],
  decrement: [],
};

const FAULTS: readonly [StoreVerb, Fault][] = (Object.keys(CALLS) as StoreVerb[]).flatMap((verb) =>
  [THROWS, REJECTS, HANGS, ...NONSENSE[verb].map((answer) => answers(answer))].map((fault): [StoreVerb, Fault] => [
    verb,
    fault,
  ]),
);

describe("a guarded store", () => {
  test.each(FAULTS.map(([verb, fault]) => [verb, named(fault), fault] as const))(
    "rejects as unavailable where %s %s",
    async (verb, _name, fault) => {
      const inner = faultyStore();
      const guarded = guardedStore(inner, TIMEOUT);
      inner.fail(verb, fault);
      const refusal = Promise.resolve().then(() => CALLS[verb](guarded));
      await expect(refusal).rejects.toThrow(UnavailableError);
      await expect(refusal).rejects.toMatchObject({ code: "unavailable", status: 503 });
    },
  );

  test.each(Object.keys(CALLS) as StoreVerb[])("works again where %s does", async (verb) => {
    const inner = faultyStore();
    const guarded = guardedStore(inner, TIMEOUT);
    inner.fail(verb, REJECTS);
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
    inner.fail("write", HANGS);
    const refusal = guardedStore(inner, TIMEOUT).write("account:u1", "the-record", { expect: null });
    await expect(refusal).rejects.toThrow(/^The store did not answer within 20 ms$/);
  });
});
