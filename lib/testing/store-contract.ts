import assert from "node:assert/strict";
import { DAY, MINUTE } from "../core/nouns.js";
import type { Store, WriteOptions } from "../stores/contract.js";
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

async function mustWrite(
  store: Store,
  key: string,
  value: string,
  options: Partial<WriteOptions> = {},
): Promise<string> {
  const version = await store.write(key, value, { expect: null, ...options });
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
    const second = await mustWrite(store, "key", "second", { expect: first });
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
    await mustWrite(store, "key", "second", { expect: first });
    assert.equal(await store.remove("key", { expect: first }), false);
    assert.equal((await store.read("key"))?.value, "second");
  },
  "an unchanged entry reads equal, however often": async (store) => {
    const version = await mustWrite(store, "account:1", "value");
    const first = await store.read("account:1");
    await mustWrite(store, "account:2", "other");
    assert.equal(await store.write("account:1", "lost", { expect: null }), undefined);
    assert.equal(await store.remove("account:1", { expect: "another" }), false);
    assert.deepEqual(await store.read("account:1"), first);
    assert.deepEqual(first, { value: "value", version });
  },
  "a long value comes back as it was": async (store) => {
    const value = JSON.stringify(
      Array.from({ length: 400 }, (_none, index) => `50 % of line ${index} \u{1F511} \\u0000`),
    );
    await mustWrite(store, "account:1", value);
    assert.equal((await store.read("account:1"))?.value, value);
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
      version = await mustWrite(store, "account:1", value, { expect: version });
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
};

const times: Readonly<Record<string, Claim>> = {
  "an entry is there until it expires, by the given clock, and may then be written as absent": async (store, clock) => {
    await mustWrite(store, "key", "value", { expiresAt: clock() + MINUTE });
    clock.advance(MINUTE - 1);
    assert.equal((await store.read("key"))?.value, "value");
    clock.advance(1);
    assert.equal(await store.read("key"), undefined);
    await mustWrite(store, "key", "new");
  },
  "what has expired is neither replaced nor removed by its version": async (store, clock) => {
    const version = await mustWrite(store, "key", "value", { expiresAt: clock() + MINUTE });
    clock.advance(MINUTE);
    assert.equal(await store.write("key", "again", { expect: version }), undefined);
    assert.equal(await store.remove("key", { expect: version }), false);
    assert.equal(await store.read("key"), undefined);
  },
  "a permanent entry written over an expiring one stays": async (store, clock) => {
    const first = await mustWrite(store, "key", "expiring", { expiresAt: clock() + MINUTE });
    const version = await mustWrite(store, "key", "permanent", { expect: first });
    await mustWrite(store, "gone", "expiring", { expiresAt: clock() + MINUTE });
    clock.advance(MINUTE);
    await mustWrite(store, "gone", "permanent");
    clock.advance(DAY);
    for (let other = 0; other < 8; other += 1) await mustWrite(store, `other:${other}`, "x");
    assert.deepEqual(await store.read("key"), { value: "permanent", version });
    assert.equal((await store.read("gone"))?.value, "permanent");
  },
  "a later write decides when an entry expires, sooner or later than before": async (store, clock) => {
    const [sooner, later] = [
      await mustWrite(store, "sooner", "1", { expiresAt: clock() + DAY }),
      await mustWrite(store, "later", "1", { expiresAt: clock() + MINUTE }),
    ];
    await mustWrite(store, "sooner", "2", { expect: sooner, expiresAt: clock() + MINUTE });
    await mustWrite(store, "later", "2", { expect: later, expiresAt: clock() + DAY });
    clock.advance(MINUTE);
    assert.equal(await store.read("sooner"), undefined);
    assert.equal((await store.read("later"))?.value, "2");
  },
};

const races: Readonly<Record<string, Claim>> = {
  "of simultaneous writes to an absent entry one wins": async (store) => {
    const versions = await race((index) => store.write("key", String(index), { expect: null }));
    assert.equal(versions.filter((version) => version !== undefined).length, 1);
    const winner = versions.findIndex((version) => version !== undefined);
    assert.equal((await store.read("key"))?.value, String(winner));
  },
  "of simultaneous writes over an expired entry one wins": async (store, clock) => {
    await mustWrite(store, "key", "expired", { expiresAt: clock() + MINUTE });
    clock.advance(MINUTE);
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
      // Who loses lost to a writer that won, and each wins once.
      for (let tries = 0; tries < WIDTH; tries += 1) {
        const entry = await store.read("key");
        assert.ok(entry !== undefined);
        const next = String(Number(entry.value) + 1);
        if ((await store.write("key", next, { expect: entry.version })) !== undefined) return;
      }
      assert.fail("a write lost although nobody else won");
    });
    assert.equal((await store.read("key"))?.value, String(WIDTH));
  },
};

/**
 * The promises of the `Store` contract as claims for any test runner, each on a store of its own: its three functions, and of
 * `list` and `useClock` what the store has. Every conditional write is raced, 32 wide: a store that passes lets each code, device
 * token and challenge be used once, and counts each attempt.
 *
 * It does NOT test what outlives a process, a fail-over or a restart of the server, and does NOT test a `rateLimitStore`.
 *
 * @example
 * ```ts
 * import { storeContract } from "express-second-factor/testing";
 *
 * for (const { name, run } of storeContract((clock) => myStore({ clock }))) test(name, run);
 * ```
 */
export function storeContract(make: MakeStore): readonly ContractClaim[] {
  return Object.entries({ ...entries, ...times, ...races }).map(([name, claim]) => ({
    name,
    async run() {
      const clock = movableClock();
      const store = await make(clock);
      store.useClock?.(clock);
      await claim(store, clock);
    },
  }));
}
