import { describe, expect, test } from "@jest/globals";
import { createClient } from "redis";
import type { Store } from "express-second-factor";
import { redisStore } from "express-second-factor/redis";
import { storeContract } from "express-second-factor/testing";
import { CLIENTS, everyClient } from "../support/redis-stages.js";

const redis = everyClient();

let stores = 0;

/** An empty store: on a server that other tests use too, one with a prefix nobody had. */
function emptyStore(name: (typeof CLIENTS)[number]): Store {
  stores += 1;
  return redisStore(redis.clients[name], { prefix: `test-${stores}:` });
}

describe.each(CLIENTS)("redisStore over %s keeps the contract", (name) => {
  for (const claim of storeContract(() => emptyStore(name))) test(claim.name, () => claim.run());

  test("after its scripts are flushed from every server", async () => {
    const [store, keys] = [emptyStore(name), ["account:1", "account:2", "account:3", "account:4"]];
    for (const key of keys) {
      await redis.flushScripts();
      const version = await store.write(key, "value", { expect: null });
      await redis.flushScripts();
      expect(await store.read(key)).toEqual({ value: "value", version });
      await redis.flushScripts();
      expect(await store.read(key)).toEqual({ value: "value", version });
      await redis.flushScripts();
      expect(await store.remove(key, { expect: version! })).toBe(true);
    }
  });
});

test("an entry that is known is asked for in one round trip, without its value, and is the very same", async () => {
  const [sizes, client] = [[] as number[], redis.clients["node-redis"]];
  const counting = {
    isOpen: true,
    async sendCommand(args: string[]) {
      const answer: unknown = await client.sendCommand(args);
      sizes.push(JSON.stringify(answer).length);
      return answer;
    },
  };
  const [store, other] = [redisStore(counting, { prefix: "known:" }), redisStore(client, { prefix: "known:" })];
  const version = await other.write("account:1", "x".repeat(1_000), { expect: null });
  const first = await store.read("account:1");
  expect([await store.read("account:1"), await store.read("account:1")]).toEqual([first, first]);
  expect(await store.read("account:1")).toBe(first);
  expect(sizes).toEqual([expect.any(Number), 1, 1, 1]);
  expect(sizes[0]).toBeGreaterThan(1_000);

  const next = await other.write("account:1", "changed", { expect: version! });
  sizes.length = 0;
  expect(await store.read("account:1")).toEqual({ value: "changed", version: next });
  expect(sizes).toHaveLength(1);
  const own = await store.write("account:1", "own", { expect: next! });
  const written = await store.read("account:1");
  expect(written).toEqual({ value: "own", version: own });
  expect(await store.read("account:1")).toBe(written);
  expect(sizes.slice(2)).toEqual([1, 1]);
});

test("keys of one user are kept in one slot of a cluster, whatever their id is", async () => {
  for (const id of ["u1", "a}b{c", "{}", "{", "}", "a:b:c", "%007d", "ünï {☃}"]) {
    const before = await allKeys();
    const store = emptyStore("ioredis, cluster");
    for (const kind of ["account", "login", "device"]) await store.write(`${kind}:${id}`, "value", { expect: null });
    const kept = (await allKeys()).filter((key) => !before.includes(key));
    const slots = await Promise.all(kept.map((key) => redis.clients["ioredis, cluster"].cluster("KEYSLOT", key)));
    expect([id, kept.length, new Set(slots).size]).toEqual([id, 3, 1]);
  }
});

test("a node-redis client that speaks the older protocol reads the same", async () => {
  const client = await createClient({ url: redis.server.url, RESP: 2 }).connect();
  try {
    const store = redisStore(client, { prefix: "resp-2:" });
    expect(await store.read("account:1")).toBeUndefined();
    const version = await store.write("account:1", "value", { expect: null });
    expect(await store.read("account:1")).toEqual({ value: "value", version });
    expect(await store.read("account:1")).toEqual({ value: "value", version });
  } finally {
    client.destroy();
  }
});

test("a client of node-redis' pool works as one client does", async () => {
  const pool = redis.clients["node-redis"].duplicate().createPool();
  await pool.connect();
  const store = redisStore(pool, { prefix: "pool:" });
  const version = await store.write("account:1", "value", { expect: null });
  expect(await store.read("account:1")).toEqual({ value: "value", version });
  pool.destroy();
});

async function allKeys(): Promise<string[]> {
  const keys = await Promise.all(redis.clients["ioredis, cluster"].nodes("master").map((node) => node.keys("*")));
  return keys.flat();
}
