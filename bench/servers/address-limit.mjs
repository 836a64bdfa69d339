// @ts-check
// The address limit of the product, by hand: express-rate-limit in front of a route, which only looks there, and its headers.
// What is counted is an answer that was wrong, so that right codes of many users behind one address are never refused.
import { ipKeyGenerator, MemoryStore, rateLimit } from "express-rate-limit";
import { RedisStore } from "rate-limit-redis";

const [LIMIT, WINDOW_MS] = [100, 15 * 60_000];

/** @typedef {Awaited<ReturnType<typeof import("./application.mjs").connectRedis>>} RedisClient */

/** The counters of express-rate-limit, in this process or in Redis. @param {RedisClient} [client] @param {string} [prefix] */
export function limitStore(client, prefix = "rl:") {
  if (client === undefined) return new MemoryStore();
  return new RedisStore({ prefix, sendCommand: (...command) => client.sendCommand(command) });
}

/** @param {ReturnType<typeof limitStore>} store */
function lookingOnly(store) {
  return {
    localKeys: store instanceof MemoryStore,
    init: store.init.bind(store),
    decrement: store.decrement.bind(store),
    resetKey: store.resetKey.bind(store),
    /** @param {string} key */
    async increment(key) {
      const found = await store.get(key);
      // The script of rate-limit-redis answers NaN where there is no counter.
      const hits = found?.totalHits || 0;
      return { totalHits: hits + 1, resetTime: hits > 0 ? found?.resetTime : new Date(Date.now() + WINDOW_MS) };
    },
  };
}

/** @param {RedisClient} [client] @param {string} [prefix] */
export function createAddressLimit(client, prefix) {
  const store = limitStore(client, prefix);
  const look = rateLimit({
    windowMs: WINDOW_MS,
    limit: LIMIT,
    standardHeaders: "draft-8",
    legacyHeaders: false,
    store: lookingOnly(store),
    message: { code: "too-many-attempts" },
  });
  /** @param {import("express").Request} req */
  const count = async ({ ip = "" }) => void (await store.increment(ipKeyGenerator(ip)));
  return { look, count };
}
