import { Cluster, Redis } from "ioredis";
import { createClient, createCluster } from "redis";
import type { RedisCluster } from "./redis.js";

/** Impatient clients, as an application should have them: an error at once while the server is away, and quick to return. */
export async function nodeRedis(url: string) {
  const client = createClient({ url, disableOfflineQueue: true, socket: { reconnectStrategy: 20 } });
  client.on("error", () => undefined);
  return client.connect();
}

export async function nodeRedisCluster({ servers }: RedisCluster) {
  const client = createCluster({
    rootNodes: servers.map(({ url }) => ({ url })),
    defaults: { disableOfflineQueue: true, socket: { reconnectStrategy: 20 } },
    // Milliseconds after which it asks who took the place of a server that is away; 5 s by default.
    topologyRefreshOnReconnectionAttemptStrategy: 100,
  });
  client.on("error", () => undefined);
  return client.connect();
}

export async function ioRedis(url: string): Promise<Redis> {
  const client = new Redis(url, { lazyConnect: true, enableOfflineQueue: false, retryStrategy: () => 20 });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

export async function ioRedisCluster({ servers }: RedisCluster): Promise<Cluster> {
  const client = new Cluster(
    servers.map(({ port }) => ({ host: "127.0.0.1", port })),
    // Each connection it gives up holds the process for so many milliseconds; 2,000 by default.
    { lazyConnect: true, redisOptions: { disconnectTimeout: 100 } },
  );
  client.on("error", () => undefined);
  await client.connect();
  return client;
}
