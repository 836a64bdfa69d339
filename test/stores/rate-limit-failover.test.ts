import { expect, test } from "@jest/globals";
import { redisStore } from "express-second-factor/redis";
import { until } from "../support/programs.js";
import { MASTER, REPLICA, replicatedCluster } from "../support/redis-stages.js";
import { begin } from "./rate-limit-claims.js";

const ADDRESSES = Array.from({ length: 12 }, (_none, index) => `192.0.2.${index}`);

const redis = replicatedCluster();

test("a replica that has taken over counts on, though it never saw the scripts", async () => {
  const stores = redis.clients.map((client, index) =>
    begin(redisStore(client, { prefix: `test-${index}:` }).rateLimitStore),
  );
  for (const store of stores) {
    for (const address of ADDRESSES) expect((await store.increment(address)).totalHits).toBe(1);
  }
  await redis.replicated();
  expect(await redis.ask(REPLICA, "INFO", "memory")).toContain("number_of_cached_scripts:0");
  await redis.cluster.servers[MASTER]!.kill();
  await redis.ask(REPLICA, "CONFIG", "SET", "cluster-replica-no-failover", "no");
  for (const store of stores) {
    for (const address of ADDRESSES) {
      await until(`${address} is seen`, () => Promise.resolve(store.get!(address)).catch(() => undefined), 30_000);
      expect((await store.increment(address)).totalHits).toBe(2);
    }
  }
}, 60_000);
