import { afterAll, beforeAll, expect } from "@jest/globals";
import { createClient, type RedisClientType } from "redis";
import { type RedisCluster, type RedisServer, startRedis, startRedisCluster } from "./redis.js";
import { ioRedis, ioRedisCluster, nodeRedis, nodeRedisCluster } from "./redis-clients.js";

export const CLIENTS = ["node-redis", "node-redis, cluster", "ioredis", "ioredis, cluster"] as const;

async function connect(server: RedisServer, cluster: RedisCluster) {
  return {
    "node-redis": await nodeRedis(server.url),
    "node-redis, cluster": await nodeRedisCluster(cluster),
    ioredis: await ioRedis(server.url),
    "ioredis, cluster": await ioRedisCluster(cluster),
  };
}

/** A server and a cluster for the tests of one file, and a client of every kind. They are there once the tests run. */
class EveryClient {
  server!: RedisServer;
  cluster!: RedisCluster;
  clients!: Awaited<ReturnType<typeof connect>>;

  async start(): Promise<void> {
    [this.server, this.cluster] = await Promise.all([startRedis(), startRedisCluster()]);
    this.clients = await connect(this.server, this.cluster);
  }

  async stop(): Promise<void> {
    this.clients["node-redis"].destroy();
    this.clients["node-redis, cluster"].destroy();
    this.clients["ioredis"].disconnect();
    this.clients["ioredis, cluster"].disconnect();
    await Promise.all([this.server.kill(), this.cluster.kill()]);
  }

  async flushScripts(): Promise<void> {
    await this.clients["ioredis"].script("FLUSH");
    await Promise.all(this.clients["ioredis, cluster"].nodes("master").map((node) => node.script("FLUSH")));
  }
}

export const [MASTER, REPLICA] = [0, 3];

/** A cluster with replicas for the tests of one file, and a client of each library. They are there once the tests run. */
class ReplicatedCluster {
  cluster!: RedisCluster;
  clients!: readonly [Awaited<ReturnType<typeof nodeRedisCluster>>, Awaited<ReturnType<typeof ioRedisCluster>>];

  async start(): Promise<void> {
    this.cluster = await startRedisCluster({ replicas: true });
    this.clients = [await nodeRedisCluster(this.cluster), await ioRedisCluster(this.cluster)];
  }

  async stop(): Promise<void> {
    this.clients[0].destroy();
    this.clients[1].disconnect();
    await this.cluster.kill();
  }

  ask(server: number, ...command: string[]): Promise<string> {
    return this.withServer(server, async (client) => JSON.stringify(await client.sendCommand(command)));
  }

  /** Waits until the replica has all that its master has. */
  async replicated(): Promise<void> {
    await this.withServer(MASTER, async (client) => {
      // In a slot of this master's; the replica has all that was written before when it has this.
      await client.set("{u1}:last", "written");
      expect(await client.wait(1, 10_000)).toBe(1);
    });
  }

  private async withServer<T>(server: number, use: (client: RedisClientType) => Promise<T>): Promise<T> {
    const client: RedisClientType = createClient({ url: this.cluster.servers[server]!.url });
    await client.connect();
    try {
      return await use(client);
    } finally {
      client.destroy();
    }
  }
}

function forThisFile<Stage extends { start(): Promise<void>; stop(): Promise<void> }>(stage: Stage): Stage {
  beforeAll(() => stage.start(), 120_000);
  afterAll(() => stage.stop());
  return stage;
}

export function everyClient(): EveryClient {
  return forThisFile(new EveryClient());
}

export function replicatedCluster(): ReplicatedCluster {
  return forThisFile(new ReplicatedCluster());
}
