import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createClient, type RedisClientType } from "redis";
import { redisStore } from "express-second-factor/redis";
import { until } from "../support/programs.js";
import { type RedisCluster, startRedisCluster } from "../support/redis.js";
import { ioRedisCluster, nodeRedisCluster } from "../support/redis-clients.js";
import { begin } from "./rate-limit-claims.js";

const [MASTER, REPLICA] = [0, 3];
const ADDRESSES = Array.from({ length: 12 }, (_none, index) => `192.0.2.${index}`);

let cluster: RedisCluster;
let clients: readonly [Awaited<ReturnType<typeof nodeRedisCluster>>, Awaited<ReturnType<typeof ioRedisCluster>>];

beforeAll(async () => {
  cluster = await startRedisCluster({ replicas: true });
  clients = [await nodeRedisCluster(cluster), await ioRedisCluster(cluster)];
}, 120_000);

afterAll(async () => {
  clients[0].destroy();
  clients[1].disconnect();
  await cluster.kill();
});

async function withServer<T>(server: number, use: (client: RedisClientType) => Promise<T>): Promise<T> {
  const client: RedisClientType = createClient({ url: cluster.servers[server]!.url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    client.destroy();
  }
}

const ask = (server: number, ...command: string[]): Promise<string> =>
  withServer(server, async (client) => JSON.stringify(await client.sendCommand(command)));

/** Waits until the replica has all that its master has. */
async function replicated(): Promise<void> {
  await withServer(MASTER, async (client) => {
    // In a slot of this master's.
    await client.set("{u1}:last", "written");
    expect(await client.wait(1, 10_000)).toBe(1);
  });
}

test("a replica that has taken over counts on, though it never saw the scripts", async () => {
  const stores = clients.map((client, index) => begin(redisStore(client, { prefix: `test-${index}:` }).rateLimitStore));
  for (const store of stores) {
    for (const address of ADDRESSES) expect((await store.increment(address)).totalHits).toBe(1);
  }
  await replicated();
  expect(await ask(REPLICA, "INFO", "memory")).toContain("number_of_cached_scripts:0");
  await cluster.servers[MASTER]!.kill();
  await ask(REPLICA, "CONFIG", "SET", "cluster-replica-no-failover", "no");
  for (const store of stores) {
    for (const address of ADDRESSES) {
      await until(`${address} is seen`, () => Promise.resolve(store.get!(address)).catch(() => undefined), 30_000);
      expect((await store.increment(address)).totalHits).toBe(2);
    }
  }
}, 60_000);
