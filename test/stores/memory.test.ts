import { describe, expect, test } from "@jest/globals";
import { memoryStore, secondFactor, type Store } from "express-second-factor";
import { movableClock, storeContract } from "express-second-factor/testing";

describe("the memory store", () => {
  for (const { name, run } of storeContract((clock) => memoryStore({ clock }))) test(name, run);

  test("takes the clock of the secondFactor that uses it", async () => {
    const store = memoryStore();
    const clock = movableClock(1_000);
    secondFactor({ issuer: "Acme", origin: "http://localhost:3000", store, clock });
    await store.write("key", "value", { expect: null, expiresAt: 2_000 });
    expect(await store.read("key")).toMatchObject({ value: "value" });
    clock.set(2_000);
    expect(await store.read("key")).toBeUndefined();
  });

  test("keeps a clock of its own where it was given one", async () => {
    const [own, other] = [movableClock(0), movableClock(10_000)];
    const store = memoryStore({ clock: own });
    secondFactor({ issuer: "Acme", origin: "http://localhost:3000", store, clock: other });
    await store.write("key", "value", { expect: null, expiresAt: 5_000 });
    expect(await store.read("key")).toBeDefined();
  });

  test("forgets what expired, so that it does not grow with every login there ever was", async () => {
    const clock = movableClock();
    const store = memoryStore({ clock });
    const sizes: number[] = [];
    for (let round = 0; round < 50; round += 1) {
      for (let count = 0; count < 20; count += 1) {
        await store.write(`login:${round}:${count}`, "x", { expect: null, expiresAt: clock() + 60_000 });
        await store.attempts("totp", 60_000, clock).increment(`${round}:${count}`);
      }
      clock.advance(60_000);
      const { rows, counters } = store as unknown as {
        rows: Map<string, unknown>;
        counters: Map<string, Map<string, unknown>>;
      };
      sizes.push(rows.size + counters.get("totp")!.size);
    }
    expect(Math.max(...sizes)).toBeLessThan(200);
  });
});

describe("the store contract finds a store out that", () => {
  /** Names of the claims that a store does not keep. */
  async function broken(change: (inner: Store) => Partial<Store>): Promise<string[]> {
    const claims = storeContract((clock) => {
      const inner = memoryStore({ clock });
      const store: Store = {
        read: (key) => inner.read(key),
        write: (key, value, options) => inner.write(key, value, options),
        remove: (key, options) => inner.remove(key, options),
        attempts: (name, windowMs, given) => inner.attempts(name, windowMs, given),
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
    expect(found).toEqual([
      "an entry is there until it expires, by the given clock, and may then be written as absent",
    ]);
  });

  test("counts attempts apart for each caller", async () => {
    const found = await broken(() => ({
      attempts: (name, windowMs, clock) => memoryStore({ clock }).attempts(name, windowMs, clock),
    }));
    expect(found).toEqual(["counters of one name are shared, of other names and keys are not"]);
  });

  test("never gives an attempt back", async () => {
    const found = await broken((inner) => ({
      attempts: (name, windowMs, clock) => ({ ...inner.attempts(name, windowMs, clock), decrement: () => undefined }),
    }));
    expect(found).toEqual(["a given-back attempt is uncounted, and never below nothing"]);
  });
});
