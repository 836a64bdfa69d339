import assert from "node:assert/strict";
import type { Store } from "../stores/contract.js";
import { type MovableClock, movableClock } from "./clock.js";

/** What a store under test is made from: a clock to obey, and the promise that each call makes an empty one. */
export type MakeStore = (clock: MovableClock) => Store | Promise<Store>;

/** One promise of the contract; rejects where the store breaks it. Hand `name` and `run` to any test runner. */
export interface ContractClaim {
  readonly name: string;
  run(): Promise<void>;
}

const WIDTH = 32;

type Claim = (store: Store, clock: MovableClock) => Promise<void>;

/** The same call, started many times before any of them can finish. */
function race<T>(call: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: WIDTH }, (_none, index) => call(index)));
}

async function mustWrite(store: Store, key: string, value: string, expect: string | null = null): Promise<string> {
  const version = await store.write(key, value, { expect });
  assert.ok(version !== undefined, "the write was refused");
  return version;
}

const entries: Readonly<Record<string, Claim>> = {
  "an absent entry reads as undefined": async (store) => {
    assert.equal(await store.read("absent"), undefined);
  },
  "what was written is read, with the version the write answered": async (store) => {
    const version = await mustWrite(store, "key", "välue \u0000 \u{1F511}");
    assert.deepEqual(await store.read("key"), { value: "välue \u0000 \u{1F511}", version });
  },
  "a write that expects nothing is refused where something is": async (store) => {
    await mustWrite(store, "key", "first");
    assert.equal(await store.write("key", "second", { expect: null }), undefined);
    assert.equal((await store.read("key"))?.value, "first");
  },
  "a write that expects an older version is refused and changes nothing": async (store) => {
    const first = await mustWrite(store, "key", "first");
    const second = await mustWrite(store, "key", "second", first);
    assert.notEqual(second, first);
    assert.equal(await store.write("key", "third", { expect: first }), undefined);
    assert.deepEqual(await store.read("key"), { value: "second", version: second });
  },
  "a write that expects a version is refused where nothing is": async (store) => {
    const version = await mustWrite(store, "key", "value");
    await store.remove("key", { expect: version });
    assert.equal(await store.write("key", "again", { expect: version }), undefined);
    assert.equal(await store.read("key"), undefined);
  },
  "an entry written anew after its removal has another version than before": async (store) => {
    const before = await mustWrite(store, "key", "value");
    await store.remove("key", { expect: before });
    const after = await mustWrite(store, "key", "value");
    assert.notEqual(after, before);
  },
  "a removal that expects an older version is refused": async (store) => {
    const first = await mustWrite(store, "key", "first");
    await mustWrite(store, "key", "second", first);
    assert.equal(await store.remove("key", { expect: first }), false);
    assert.equal((await store.read("key"))?.value, "second");
  },
  "keys do not touch each other": async (store) => {
    await mustWrite(store, "account:1", "one");
    await mustWrite(store, "account:11", "eleven");
    assert.equal((await store.read("account:1"))?.value, "one");
  },
  "a changed entry is read as it is now, however often it was read before": async (store) => {
    let version = await mustWrite(store, "account:1", "0");
    for (const value of ["1", "2", "2", "3"]) {
      await store.read("account:1");
      version = await mustWrite(store, "account:1", value, version);
      assert.deepEqual(await store.read("account:1"), { value, version });
      assert.deepEqual(await store.read("account:1"), { value, version });
    }
  },
  "where the store lists keys, those of a kind are listed and no others": async (store) => {
    if (store.list === undefined) return;
    const ids = Array.from({ length: 40 }, (_none, index) => `user-${index}`);
    const odd = ["", "a:b", "{braces}", "100%", "*?[x]", "\u0000", "_", "é\u{1F511}"];
    const keys = [...ids, ...odd].map((id) => `account:${id}`);
    await Promise.all([...keys, "accounts:1", "credential:1"].map((key) => mustWrite(store, key, "x")));
    const listed = new Set<string>();
    for await (const key of store.list("account")) listed.add(key);
    assert.deepEqual([...listed].toSorted(), keys.toSorted());
  },
  "an entry is there until it expires, by the given clock, and may then be written as absent": async (store, clock) => {
    const expiresAt = clock() + 60_000;
    assert.ok((await store.write("key", "value", { expect: null, expiresAt })) !== undefined);
    clock.advance(59_999);
    assert.equal((await store.read("key"))?.value, "value");
    clock.advance(1);
    assert.equal(await store.read("key"), undefined);
    await mustWrite(store, "key", "new");
  },
};

const races: Readonly<Record<string, Claim>> = {
  "of simultaneous writes to an absent entry one wins": async (store) => {
    const versions = await race((index) => store.write("key", String(index), { expect: null }));
    assert.equal(versions.filter((version) => version !== undefined).length, 1);
    const winner = versions.findIndex((version) => version !== undefined);
    assert.equal((await store.read("key"))?.value, String(winner));
  },
  "of simultaneous writes to one version one wins": async (store) => {
    const expect = await mustWrite(store, "key", "start");
    const versions = await race((index) => store.write("key", String(index), { expect }));
    assert.equal(versions.filter((version) => version !== undefined).length, 1);
  },
  "of simultaneous removals of one version one wins": async (store) => {
    const expect = await mustWrite(store, "key", "start");
    const removed = await race(() => store.remove("key", { expect }));
    assert.equal(removed.filter(Boolean).length, 1);
  },
  "of a write and a removal of one version one wins": async (store) => {
    const expect = await mustWrite(store, "key", "start");
    const won = await race(async (index) =>
      index % 2 === 0 ? (await store.write("key", "next", { expect })) !== undefined : store.remove("key", { expect }),
    );
    assert.equal(won.filter(Boolean).length, 1);
  },
  "writers that read, change and write until they win lose no change": async (store) => {
    await mustWrite(store, "key", "0");
    await race(async () => {
      for (;;) {
        const entry = await store.read("key");
        assert.ok(entry !== undefined);
        const next = String(Number(entry.value) + 1);
        if ((await store.write("key", next, { expect: entry.version })) !== undefined) return;
      }
    });
    assert.equal((await store.read("key"))?.value, String(WIDTH));
  },
};

const attempts: Readonly<Record<string, Claim>> = {
  "simultaneous attempts see different counts": async (store, clock) => {
    const counter = store.attempts("totp", 60_000, clock);
    const counts = await race(async () => (await counter.increment("ann")).totalHits);
    assert.deepEqual(
      counts.toSorted((a, b) => a - b),
      Array.from({ length: WIDTH }, (_none, index) => index + 1),
    );
  },
  "counters of one name are shared, of other names and keys are not": async (store, clock) => {
    await store.attempts("totp", 60_000, clock).increment("ann");
    assert.equal((await store.attempts("totp", 60_000, clock).increment("ann")).totalHits, 2);
    assert.equal((await store.attempts("backupCode", 60_000, clock).increment("ann")).totalHits, 1);
    assert.equal((await store.attempts("totp", 60_000, clock).increment("ben")).totalHits, 1);
  },
  "a window begins with its first attempt and ends by the given clock": async (store, clock) => {
    const counter = store.attempts("totp", 60_000, clock);
    const { resetTime } = await counter.increment("ann");
    assert.equal(resetTime?.getTime(), clock() + 60_000);
    clock.advance(59_999);
    assert.equal((await counter.increment("ann")).totalHits, 2);
    clock.advance(1);
    assert.equal((await counter.increment("ann")).totalHits, 1);
  },
  "where counters are counted together, each counts as it would alone": async (store, clock) => {
    if (store.incrementAll === undefined || store.decrementAll === undefined) return;
    const [totp, address] = [
      { name: "totp", key: "ann", windowMs: 60_000 },
      { name: "address", key: "192.0.2.1", windowMs: 120_000 },
    ];
    await store.attempts("totp", 60_000, clock).increment("ann");
    const counts = await store.incrementAll([address, totp], clock);
    assert.deepEqual(
      counts.map(({ resetTime, totalHits }) => [totalHits, resetTime.getTime() - clock()]),
      [
        [1, 120_000],
        [2, 60_000],
      ],
    );
    await store.decrementAll([totp, address], clock);
    assert.equal((await store.attempts("totp", 60_000, clock).increment("ann")).totalHits, 2);
    assert.equal((await store.attempts("address", 120_000, clock).increment("192.0.2.1")).totalHits, 1);
    clock.advance(60_000);
    const later = await store.incrementAll([totp, address], clock);
    assert.deepEqual(
      later.map(({ totalHits }) => totalHits),
      [1, 2],
    );
    assert.deepEqual(await store.incrementAll([], clock), []);
  },
  "a given-back attempt is uncounted, and never below nothing": async (store, clock) => {
    const counter = store.attempts("totp", 60_000, clock);
    await counter.increment("ann");
    await counter.increment("ann");
    await counter.decrement("ann");
    assert.equal((await counter.increment("ann")).totalHits, 2);
    await counter.decrement("ben");
    assert.equal((await counter.increment("ben")).totalHits, 1);
  },
};

/**
 * The promises of the `Store` contract as claims for any test runner, each on a store of its own. Every conditional write is
 * raced: a store that passes lets each code, device token and challenge be used once.
 *
 * @example
 * ```ts
 * import { storeContract } from "express-second-factor/testing";
 *
 * for (const { name, run } of storeContract((clock) => myStore({ clock }))) test(name, run);
 * ```
 */
export function storeContract(make: MakeStore): readonly ContractClaim[] {
  return Object.entries({ ...entries, ...races, ...attempts }).map(([name, claim]) => ({
    name,
    async run() {
      const clock = movableClock();
      const store = await make(clock);
      store.useClock?.(clock);
      await claim(store, clock);
    },
  }));
}
