import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { redisStore } from "express-second-factor/redis";
import { testApp } from "../support/app.js";
import { wrongCode } from "../support/attack.js";
import { enrolled, full, pending } from "../support/browser.js";
import { interruptible } from "../support/interruptible.js";
import { type Breakable, closed, KEYS, survivesOutages, TIMEOUT, whole } from "../support/outages.js";
import { durable, startRedis } from "../support/redis.js";
import { startRelay } from "../support/relay.js";
import { ioRedis, nodeRedis } from "../support/redis-clients.js";

type Client = Parameters<typeof redisStore>[0];

async function breakable(connect: (url: string) => Promise<{ client: Client; end: () => void }>): Promise<Breakable> {
  const folder = mkdtempSync(join(tmpdir(), "redis-"));
  const server = await startRedis(durable(folder));
  const { client, end } = await connect(server.url);
  let stores = 0;
  return {
    emptyStore: async () => redisStore(client, { prefix: `test-${(stores += 1)}:` }),
    breakDown: () => server.kill(),
    mend: () => server.start(),
    freeze: () => server.freeze(),
    resume: () => server.resume(),
    async distantStore() {
      const relay = await startRelay(server.port);
      const distant = await connect(`redis://127.0.0.1:${relay.port}`);
      return {
        relay,
        store: redisStore(distant.client, { prefix: `test-${(stores += 1)}:` }),
        async end() {
          distant.end();
          await relay.close();
        },
      };
    },
    async close() {
      end();
      await server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

describe("Redis, through node-redis", () => {
  survivesOutages(() =>
    breakable(async (url) => {
      const client = await nodeRedis(url);
      return { client, end: () => client.destroy() };
    }),
  );
});

describe("Redis, through ioredis", () => {
  survivesOutages(() =>
    breakable(async (url) => {
      const client = await ioRedis(url);
      return { client, end: () => client.disconnect() };
    }),
  );
});

describe.each<[string, (url: string) => Promise<{ client: Client; end: () => void }>]>([
  [
    "node-redis",
    async (url) => {
      const client = createClient({ url });
      client.on("error", () => undefined);
      await client.connect();
      return { client, end: () => client.destroy() };
    },
  ],
  [
    "ioredis",
    async (url) => {
      const client = new Redis(url);
      client.on("error", () => undefined);
      return { client, end: () => client.disconnect() };
    },
  ],
])("Redis, through %s as it comes, which keeps commands until the server is back", (_name, connect) => {
  test("closes in time, and what is sent late lets nobody in", async () => {
    const server = await breakable(connect);
    try {
      const store = interruptible(await server.emptyStore());
      const target = testApp({ store, options: { keys: KEYS, storeTimeout: `${TIMEOUT}ms` } });
      const { phone } = await enrolled(target, "alice");
      const jar = await pending(target, "alice");
      store.once("before write", () => server.breakDown());
      await closed(jar.verify(phone.code(target.clock())));
      await closed(jar.get("/account"));
      await server.mend();
      await whole(target);
      expect(await jar.isIn()).toBe(false);
      target.clock.advance(30_000);
      expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
    } finally {
      await server.close();
    }
  });
});

test("Redis that is full: no guess is answered that it cannot count, who is in stays in, and afterwards all is as it was", async () => {
  const server = await startRedis(["--maxmemory-policy", "noeviction"]);
  const client = await nodeRedis(server.url);
  try {
    const target = testApp({ store: redisStore(client), options: { keys: KEYS, storeTimeout: `${TIMEOUT}ms` } });
    const { phone } = await enrolled(target, "alice");
    const [inside, waiting] = [await full(target, "alice", phone), await pending(target, "alice")];
    const [right, wrong] = [phone.code(target.clock()), wrongCode(phone, target.clock())];
    const statuses: number[] = [];
    for (let tries = 0; tries < 2; tries += 1) statuses.push((await waiting.verify(wrong)).status);
    await client.configSet("maxmemory", "1");
    for (const code of [right, wrong, right, wrong]) await closed(waiting.verify(code));
    expect([await waiting.isIn(), await inside.isIn()]).toEqual([false, true]);
    await client.configSet("maxmemory", "0");
    for (let tries = 0; tries < 4; tries += 1) statuses.push((await waiting.verify(wrong)).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
  } finally {
    client.destroy();
    await server.kill();
  }
});
