import { describe, expect, test } from "@jest/globals";
import type { Store } from "express-second-factor";
import { movableClock, storeContract } from "express-second-factor/testing";
import { memoryStore } from "../../lib/stores/memory.js";

describe("the memory store", () => {
  for (const { name, run } of storeContract((clock) => memoryStore({ clock }))) test(name, run);

  test("takes the clock of the secondFactor that uses it", async () => {
    const [store, clock] = [memoryStore(), movableClock(1_000)];
    store.useClock?.(clock);
    await store.write("key", "value", { expect: null, expiresAt: 2_000 });
    expect(await store.read("key")).toMatchObject({ value: "value" });
    clock.set(2_000);
    expect(await store.read("key")).toBeUndefined();
  });

  test("keeps a clock of its own where it was given one", async () => {
    const [own, other] = [movableClock(0), movableClock(10_000)];
    const store = memoryStore({ clock: own });
    store.useClock?.(other);
    await store.write("key", "value", { expect: null, expiresAt: 5_000 });
    expect(await store.read("key")).toBeDefined();
  });

  test("answers the very same entry until it is written again", async () => {
    const store = memoryStore();
    const version = await store.write("key", "value", { expect: null });
    const entry = await store.read("key");
    expect(await store.read("key")).toBe(entry);
    await store.write("key", "value", { expect: version! });
    expect(await store.read("key")).not.toBe(entry);
  });

  test("forgets what expired, so that it does not grow with every login there ever was", async () => {
    const [clock, sizes] = [movableClock(), [] as number[]];
    const store = memoryStore({ clock });
    for (let round = 0; round < 50; round += 1) {
      for (let count = 0; count < 20; count += 1) {
        await store.write(`login:${round}:${count}`, "x", { expect: null, expiresAt: clock() + 60_000 });
      }
      clock.advance(60_000);
      sizes.push(...sizesOf(store));
    }
    expect(Math.max(...sizes)).toBeLessThan(100);
  });

  test("forgets what expires soon however much that expires late was written before it", async () => {
    const clock = movableClock();
    const store = memoryStore({ clock });
    for (let id = 0; id < 50; id += 1)
      await store.write(`device:${id}`, "x", { expect: null, expiresAt: clock() + DAY });
    for (let id = 0; id < 400; id += 1) {
      const life = 60_000 + 1_000 * ((id * 7) % 60);
      await store.write(`challenge:${id}`, "x", { expect: null, expiresAt: clock() + life });
    }
    clock.advance(120_000);
    for (let id = 0; id < 101; id += 1) await store.write(`account:${id}`, "x", { expect: null });
    expect(sizesOf(store)).toEqual([151, 50]);
    clock.advance(DAY);
    for (let id = 0; id < 13; id += 1) await store.write(`account:new:${id}`, "x", { expect: null });
    expect(sizesOf(store)).toEqual([114, 0]);
  });

  test("does not forget at the old end what was written again to stay, or to end later", async () => {
    const clock = movableClock();
    const store = memoryStore({ clock });
    const expiresAt = clock() + 60_000;
    const staying = await store.write("account:1", "1", { expect: null, expiresAt });
    const longer = await store.write("login:1", "1", { expect: null, expiresAt });
    await store.write("account:1", "2", { expect: staying! });
    await store.write("login:1", "2", { expect: longer!, expiresAt: expiresAt + 60_000 });
    clock.advance(60_000);
    for (let id = 0; id < 5; id += 1) await store.write(`account:other:${id}`, "x", { expect: null });
    expect([(await store.read("account:1"))?.value, (await store.read("login:1"))?.value]).toEqual(["2", "2"]);
    expect(sizesOf(store)).toEqual([7, 1]);
  });
});

const DAY = 24 * 60 * 60_000;

/** How many entries it holds, and how many it knows will expire. */
function sizesOf(store: Store): number[] {
  const { expiring, rows } = store as unknown as Record<"rows" | "expiring", { readonly size: number }>;
  return [rows.size, expiring.size];
}

describe("the store contract finds a store out that", () => {
  /** Names of the claims that a store does not keep. */
  async function broken(change: (inner: Store) => Partial<Store>): Promise<string[]> {
    const claims = storeContract((clock) => {
      const inner = memoryStore({ clock });
      const store: Store = {
        read: (key) => inner.read(key),
        write: (key, value, options) => inner.write(key, value, options),
        remove: (key, options) => inner.remove(key, options),
      };
      return { ...store, ...change(store) };
    });
    const verdicts = await Promise.all(
      claims.map(({ name, run }) =>
        run().then(
          () => undefined,
          () => name,
        ),
      ),
    );
    return verdicts.filter((name) => name !== undefined);
  }

  test("keeps every promise: none is found", async () => {
    expect(await broken(() => ({}))).toEqual([]);
  });

  test("looks and then writes, not in one step", async () => {
    const found = await broken((inner) => ({
      async write(key, value, { expect: expected, ...rest }) {
        const before = await inner.read(key);
        if ((before?.version ?? null) !== expected) return undefined;
        for (;;) {
          const now = await inner.read(key);
          const version = await inner.write(key, value, { expect: now?.version ?? null, ...rest });
          if (version !== undefined) return version;
        }
      },
    }));
    expect(found).toEqual(
      expect.arrayContaining([
        "of simultaneous writes to an absent entry one wins",
        "of simultaneous writes to one version one wins",
        "writers that read, change and write until they win lose no change",
      ]),
    );
  });

  test("looks and then removes, not in one step", async () => {
    const found = await broken((inner) => ({
      async remove(key, { expect: expected }) {
        const before = await inner.read(key);
        if (before?.version !== expected) return false;
        await Promise.resolve();
        await inner.remove(key, { expect: expected });
        return true;
      },
    }));
    expect(found).toContain("of simultaneous removals of one version one wins");
  });

  test("writes whatever is expected", async () => {
    const found = await broken((inner) => ({
      async write(key, value) {
        return inner.write(key, value, { expect: (await inner.read(key))?.version ?? null });
      },
    }));
    expect(found).toContain("a write that expects an older version is refused and changes nothing");
  });

  test("counts its versions anew after a removal", async () => {
    const found = await broken((inner) => {
      const counts = new Map<string, number>();
      const real = new Map<string, string>();
      return {
        async read(key) {
          const entry = await inner.read(key);
          return entry && { value: entry.value, version: String(counts.get(key)) };
        },
        async write(key, value, { expect: expected, ...rest }) {
          const count = counts.get(key) ?? 0;
          if ((count === 0 ? null : String(count)) !== expected) return undefined;
          const version = await inner.write(key, value, { expect: real.get(key) ?? null, ...rest });
          if (version === undefined) return undefined;
          real.set(key, version);
          counts.set(key, count + 1);
          return String(count + 1);
        },
        async remove(key, { expect: expected }) {
          if (String(counts.get(key)) !== expected) return false;
          counts.delete(key);
          const version = real.get(key);
          real.delete(key);
          return version !== undefined && inner.remove(key, { expect: version });
        },
      };
    });
    expect(found).toContain("an entry written anew after its removal has another version than before");
  });

  test("does not obey the clock", async () => {
    const found = await broken((inner) => ({
      write: (key, value, { expect: expected }) => inner.write(key, value, { expect: expected }),
    }));
    expect(found).toContain(
      "an entry is there until it expires, by the given clock, and may then be written as absent",
    );
  });

  test("keeps the end an entry once had", async () => {
    const found = await broken((inner) => {
      const ends = new Map<string, number>();
      return {
        async write(key, value, { expect: expected, expiresAt = ends.get(key) }) {
          if (expiresAt !== undefined) ends.set(key, expiresAt);
          return inner.write(key, value, { expect: expected, ...(expiresAt !== undefined && { expiresAt }) });
        },
      };
    });
    expect(found).toContain("a permanent entry written over an expiring one stays");
  });

  test("counts reads in the entry", async () => {
    let reads = 0;
    const found = await broken((inner) => ({
      async read(key) {
        const entry = await inner.read(key);
        return entry && { ...entry, version: `${entry.version}.${(reads += 1)}` };
      },
    }));
    expect(found).toContain("an unchanged entry reads equal, however often");
  });
});
