import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { Cluster, type Redis } from "ioredis";
import { createSentinel } from "redis";
import { redisStore } from "express-second-factor/redis";
import { movableClock } from "express-second-factor/testing";
import { type RedisServer, startRedis } from "../support/redis.js";
import { ioRedis } from "../support/redis-clients.js";

let server: RedisServer;
let redis: Redis;

beforeAll(async () => {
  server = await startRedis();
  redis = await ioRedis(server.url);
}, 120_000);

beforeEach(async () => {
  await redis.flushall();
});

afterAll(async () => {
  redis.disconnect();
  await server.kill();
});

const ENTRY = "second-factor:{1}:account";

describe("what a Redis server holds", () => {
  test.each<[string, () => Promise<unknown>]>([
    ["a string", () => redis.set(ENTRY, "text")],
    ["a list", () => redis.rpush(ENTRY, "text")],
    ["a hash of other fields", () => redis.hset(ENTRY, "other", "field")],
    ["a value without a version", () => redis.hset(ENTRY, { value: "text", expiresAt: "" })],
    ["an end that is no time", () => redis.hset(ENTRY, { value: "text", version: "v", expiresAt: "soon" })],
    ["a version without a value", () => redis.hset(ENTRY, { version: "v", expiresAt: "" })],
  ])("%s in the place of an entry is a failure, and stays", async (_name, put) => {
    await put();
    const [before, store] = [await redis.dump(ENTRY), redisStore(redis)];
    const isHash = (await redis.type(ENTRY)) === "hash";
    const isAbsent =
      isHash && (await redis.hmget(ENTRY, "value", "version", "expiresAt")).every((each) => each === null);
    if (!isAbsent) await expect(store.read("account:1")).rejects.toThrow();
    const write = store.write("account:1", "value", { expect: null }).catch(() => undefined);
    expect(await write).toBeUndefined();
    expect(await redis.dump(ENTRY)).toBe(before);
  });

  test.each([
    ["nothing", undefined],
    ["a number", 7],
    ["OK", "OK"],
    ["an object", {}],
    ["an empty list", []],
  ])("an answer of another shape is a failure: %s", async (_name, answer) => {
    const store = redisStore({ call: async () => answer });
    await expect(store.read("account:1")).rejects.toThrow();
    await expect(store.write("account:1", "value", { expect: null })).rejects.toThrow();
    await expect(store.remove("account:1", { expect: "v" })).rejects.toThrow();
  });

  test("is dropped by the server only five minutes after it ended by the application's clock", async () => {
    const [store, clock] = [redisStore(redis), movableClock()];
    store.useClock?.(clock);
    const expiresAt = clock() + 60_000;
    const version = await store.write("account:1", "value", { expect: null, expiresAt });
    expect(Math.round((await redis.pttl(ENTRY)) / 1000)).toBe(360);
    await store.write("account:1", "value", { expect: version! });
    expect(await redis.pttl(ENTRY)).toBe(-1);
  });

  test("an entry that ended comes back for no clock that runs on", async () => {
    const [store, clock] = [redisStore(redis), movableClock()];
    store.useClock?.(clock);
    const version = await store.write("account:1", "value", { expect: null, expiresAt: clock() + 1 });
    clock.advance(1);
    expect(await store.write("account:1", "new", { expect: version! })).toBeUndefined();
    expect(await store.remove("account:1", { expect: version! })).toBe(false);
    expect(await redis.exists(ENTRY)).toBe(1);
  });

  test("no two ids share an entry, and each value comes back as it was", async () => {
    const odd = fc
      .array(fc.constantFrom("{", "}", ":", "%", "\ud800", "\udc00", "\0", "a", "007b"))
      .map((all) => all.join(""));
    const texts = fc.uniqueArray(fc.oneof(odd, fc.string({ unit: "binary" })), { minLength: 20, maxLength: 60 });
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(texts, async (ids) => {
        const store = redisStore(redis, { prefix: `run-${(runs += 1)}:` });
        await Promise.all(ids.map((id) => store.write(`account:${id}`, id, { expect: null })));
        const entries = await Promise.all(ids.map((id) => store.read(`account:${id}`)));
        expect(entries.map((entry) => entry?.value)).toEqual(ids);
      }),
      { numRuns: 20 },
    );
  });
});

test("a write whose answer was lost on the way, and that the client sends again, has won", async () => {
  const twice = {
    call: async (command: string, args: string[]) => (await redis.call(command, args), redis.call(command, args)),
  };
  const [store, plain] = [redisStore(twice), redisStore(redis)];
  const version = await store.write("account:1", "value", { expect: null });
  expect(await plain.read("account:1")).toEqual({ value: "value", version });
  const next = await store.write("account:1", "next", { expect: version! });
  expect(await plain.read("account:1")).toEqual({ value: "next", version: next });
});

describe("redisStore refuses at start", () => {
  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["an address", "redis://127.0.0.1"],
    ["an object", {}],
    ["a function that sends", { sendCommand: async () => undefined }],
    [
      "node-redis' Sentinel client",
      createSentinel({ name: "main", sentinelRootNodes: [{ host: "127.0.0.1", port: 1 }] }),
    ],
  ])("%s in the place of a client", (_name, client) => {
    expect(() => redisStore(client as never)).toThrow(/pass a client of node-redis .* or of ioredis/);
  });

  test("an ioredis cluster that reads from replicas", () => {
    const cluster = new Cluster([], { lazyConnect: true, scaleReads: "slave" });
    expect(() => redisStore(cluster)).toThrow(/scaleReads/);
  });

  test("a prefix with braces, which would decide where all users are kept", () => {
    expect(() => redisStore(redis, { prefix: "{acme}:" })).toThrow(/prefix must be text without braces/);
  });
});
