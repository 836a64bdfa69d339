export { redisStore, type RedisStoreOptions } from "../stores/redis.js";
export type { IoRedisClient, NodeRedisClient, NodeRedisCluster, RedisClient } from "../stores/redis-client.js";
