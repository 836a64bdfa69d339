import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { createClient } from "redis";
import { redisStore } from "express-second-factor/redis";
import { movableClock } from "express-second-factor/testing";
import { testApp, type TestApp } from "../support/app.js";
import { enrolled, full, Jar } from "../support/browser.js";
import { until } from "../support/programs.js";
import { type RedisServer, startRedis } from "../support/redis.js";
import { ioRedis, nodeRedis } from "../support/redis-clients.js";

const TTL = 400;

let server: RedisServer;
let plain: Awaited<ReturnType<typeof nodeRedis>>;
let caching: Awaited<ReturnType<typeof cachingClient>>;

async function cachingClient(ttl = TTL) {
  const client = createClient({
    url: server.url,
    RESP: 3,
    clientSideCache: { ttl, maxEntries: 1_000 },
    disableOfflineQueue: true,
    socket: { reconnectStrategy: 20 },
  });
  client.on("error", () => undefined);
  return client.connect();
}

beforeAll(async () => {
  server = await startRedis();
  [plain, caching] = [await nodeRedis(server.url), await cachingClient()];
}, 120_000);

afterAll(async () => {
  plain.destroy();
  caching.destroy();
  await server.kill();
});

/** Commands the server has answered, by name. */
async function commands(): Promise<Record<string, number>> {
  const calls = (await plain.info("commandstats")).matchAll(/cmdstat_([^:]+):calls=(\d+)/g);
  return Object.fromEntries([...calls].map(([, name, count]) => [name, Number(count)]));
}

/** What the server was asked by so many requests of a login that is full, without what counting it costs. */
async function asked(jar: Jar, requests: number): Promise<Record<string, number>> {
  const before = await commands();
  for (let request = 0; request < requests; request += 1) expect(await jar.isIn()).toBe(true);
  const after = await commands();
  const made = Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)] as const);
  return Object.fromEntries(made.filter(([name, count]) => count > 0 && name !== "info"));
}

/** Two processes of one application: one that looks at its cache, and one that always asks. */
async function twoProcesses(): Promise<{ cached: TestApp; other: TestApp; jar: Jar }> {
  await plain.flushAll();
  const clock = movableClock();
  const cached = testApp({ clock, store: redisStore(caching, { clientSideCache: true }) });
  const other = testApp({ clock, store: redisStore(plain) });
  const { phone } = await enrolled(cached, "alice");
  return { cached, other, jar: await full(cached, "alice", phone) };
}

describe("what a request of a full login asks Redis", () => {
  test("is one script without the record, where nothing changed", async () => {
    await plain.flushAll();
    const sizes: number[] = [];
    const recording = {
      isOpen: true,
      async sendCommand(args: string[]) {
        const answer: unknown = await plain.sendCommand(args);
        sizes.push(JSON.stringify(answer).length);
        return answer;
      },
    };
    const target = testApp({ store: redisStore(recording) });
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    await jar.isIn();
    sizes.length = 0;
    expect(await asked(jar, 10)).toEqual({ evalsha: 10, hget: 10 });
    expect(sizes).toEqual([...Array<number>(10).fill(1), ...sizes.slice(10)]);
    const changing = testApp({ clock: target.clock, store: redisStore(plain) });
    await changing.mfa.accounts.revokeDevices("u1");
    await changing.mfa.accounts.regenerateBackupCodes("u1");
    sizes.length = 0;
    expect(await jar.isIn()).toBe(true);
    expect(sizes).toEqual([expect.any(Number)]);
    expect(sizes[0]).toBeGreaterThan(500);
  });

  test("is nothing with client-side caching, where nothing changed", async () => {
    const { jar } = await twoProcesses();
    await jar.isIn();
    const made = await asked(jar, 20);
    // The cache may end its life in between, and is then filled again.
    expect(made["hmget"] ?? 0).toBeLessThanOrEqual(2);
    expect(Object.keys(made).filter((name) => name !== "hmget")).toEqual([]);
  });
});

describe("with client-side caching", () => {
  test("what another process revokes ends here as soon as the server says so", async () => {
    const { jar, other } = await twoProcesses();
    expect(await jar.isIn()).toBe(true);
    await other.mfa.accounts.signOutEverywhere("u1");
    await until("the login to end", async () => !(await jar.isIn()), 2 * TTL);
  });

  test("what this process did itself is seen at once, every time", async () => {
    const { cached, jar } = await twoProcesses();
    for (let round = 0; round < 20; round += 1) {
      expect(await jar.isIn()).toBe(true);
      await cached.mfa.accounts.regenerateBackupCodes("u1");
      expect(await jar.isIn()).toBe(true);
    }
    await cached.mfa.accounts.signOutEverywhere("u1");
    expect(await jar.isIn()).toBe(false);
  });

  test("a login made in another process is never taken for one that ended", async () => {
    const { cached, other } = await twoProcesses();
    const { phone } = await enrolled(other, "carol");
    const here = testApp({ clock: cached.clock, store: cached.store, sessionStore: other.sessionStore });
    for (let round = 0; round < 10; round += 1) {
      const jar = await full(other, "carol", phone);
      const there = new Jar(here);
      there.agent.jar = jar.agent.jar;
      expect(await there.isIn()).toBe(true);
    }
  });

  test("a server that fell silent goes unnoticed for the cache's life and no longer: then everything is refused", async () => {
    const { jar } = await twoProcesses();
    expect(await jar.isIn()).toBe(true);
    server.freeze();
    await until("the gate to close", async () => (await jar.get("/account")).status === 503, 10_000);
    server.resume();
    await until("the gate to open again", async () => (await jar.get("/account")).status === 200, 10_000);
  });

  test.each([
    ["a client without a cache", async () => plain],
    ["a cache without an end", async () => cachingClient(0)],
    ["a cache that lives for minutes", async () => cachingClient(60_000)],
    ["ioredis", async () => ioRedis(server.url)],
  ])("%s is refused at start", async (_name, make) => {
    const client = await make();
    expect(() => redisStore(client, { clientSideCache: true })).toThrow(/clientSideCache/);
    if (client === plain) return;
    if ("disconnect" in client && "call" in client) client.disconnect();
    else client.destroy();
  });
});
