export { redisStore, type RedisStoreOptions } from "../stores/redis.js";
export type { IoRedisClient, NodeRedisClient, NodeRedisCluster, RedisClient } from "../stores/redis-client.js";
export type { BringsRateLimitStore, StoreWithRateLimits } from "../stores/contract.js";
