import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "@jest/globals";
import express from "express";
import { rateLimit, type Store as RateLimitStore } from "express-rate-limit";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { redisStore } from "express-second-factor/redis";
import { until } from "../support/programs.js";
import { startRedis } from "../support/redis.js";
import { CLIENTS, everyClient } from "../support/redis-stages.js";
import { begin, RATE_LIMIT_CLAIMS } from "./rate-limit-claims.js";

const redis = everyClient();

const ADDRESSES = Array.from({ length: 12 }, (_none, index) => `192.0.2.${index}`);

let stores = 0;

function emptyStore(name: (typeof CLIENTS)[number]): RateLimitStore {
  stores += 1;
  return redisStore(redis.clients[name], { prefix: `test-${stores}:` }).rateLimitStore;
}

describe.each(CLIENTS)("the rate limit store of redisStore over %s", (name) => {
  test.each(Object.entries(RATE_LIMIT_CLAIMS))("%s", (_name, claim) => claim(emptyStore(name)));

  test("counts on after the scripts are flushed from every server", async () => {
    const store = begin(emptyStore(name));
    for (const address of ADDRESSES) {
      await redis.flushScripts();
      expect((await store.increment(address)).totalHits).toBe(1);
      await redis.flushScripts();
      expect((await store.get!(address))?.totalHits).toBe(1);
      await redis.flushScripts();
      await store.decrement(address);
      expect(await store.get!(address)).toBeUndefined();
    }
  });
});

test("a client that answers nothing, or a number, in another way counts the same", async () => {
  const older = await createClient({ url: redis.server.url, RESP: 2 }).connect();
  const texts = new Redis(redis.server.url, { stringNumbers: true });
  for (const [name, client] of [["older:", older] as const, ["texts:", texts] as const]) {
    const store = begin(redisStore(client, { prefix: name }).rateLimitStore);
    expect(await store.get!("192.0.2.1")).toBeUndefined();
    await store.increment("192.0.2.1");
    expect((await store.increment("192.0.2.1")).totalHits).toBe(2);
    expect((await store.get!("192.0.2.1"))?.totalHits).toBe(2);
  }
  older.destroy();
  texts.disconnect();
});

test("its keys are under the store's prefix, and end by themselves", async () => {
  const { rateLimitStore } = redisStore(redis.clients["ioredis"], { prefix: "acme:" });
  begin(rateLimitStore, 60_000);
  await rateLimitStore.increment("192.0.2.1");
  await rateLimitStore.decrement("192.0.2.2");
  expect(await redis.clients["ioredis"].keys("acme:*")).toEqual(["acme:rate:192.0.2.1"]);
  expect(await redis.clients["ioredis"].pttl("acme:rate:192.0.2.1")).toBeGreaterThan(50_000);
});

/** Clients of a server that is away, impatient as an application should have them. */
const AWAY: Readonly<Record<string, (port: number) => { client: Parameters<typeof redisStore>[0]; end: () => void }>> =
  {
    "node-redis"(port) {
      const socket = { port, host: "127.0.0.1", reconnectStrategy: 20 };
      const client = createClient({ disableOfflineQueue: true, socket });
      client.on("error", () => undefined);
      client.connect().catch(() => undefined);
      return { client, end: () => client.destroy() };
    },
    ioredis(port) {
      const client = new Redis({ port, enableOfflineQueue: false, retryStrategy: () => 20 });
      client.on("error", () => undefined);
      return { client, end: () => client.disconnect() };
    },
  };

describe.each(Object.keys(AWAY))("a server that was away at start, over %s", (name) => {
  test("is counted on once it is there", async () => {
    const late = await startRedis();
    await late.kill();
    const { client, end } = AWAY[name]!(late.port);
    const { rateLimitStore: store } = redisStore(client);
    await store.init?.({ windowMs: 60_000 } as never);
    await expect(Promise.resolve(store.increment("192.0.2.1"))).rejects.toThrow();
    await expect(Promise.resolve(store.get!("192.0.2.1"))).rejects.toThrow();
    await late.start();
    await until("it counts", async () => {
      const count = await Promise.resolve(store.increment("192.0.2.1")).catch(() => undefined);
      return count !== undefined;
    });
    expect((await store.get!("192.0.2.1"))?.totalHits).toBe(1);
    await late.kill();
    await expect(Promise.resolve(store.increment("192.0.2.1"))).rejects.toThrow();
    await late.start();
    await until("it counts again", () => Promise.resolve(store.increment("192.0.2.1")).catch(() => undefined));
    end();
    await late.kill();
  });
});

test("a limiter of express-rate-limit counts in it", async () => {
  const app = express();
  app.use(rateLimit({ store: emptyStore("node-redis"), limit: 2, windowMs: 60_000, standardHeaders: "draft-8" }));
  app.get("/", (_req, res) => void res.send("in"));
  const listening = app.listen(0, "127.0.0.1");
  await once(listening, "listening");
  const url = `http://127.0.0.1:${(listening.address() as AddressInfo).port}/`;
  const answers = await Promise.all(Array.from({ length: 5 }, async () => (await fetch(url)).status));
  listening.close();
  listening.closeAllConnections();
  expect(answers.toSorted((a, b) => a - b)).toEqual([200, 200, 429, 429, 429]);
});
