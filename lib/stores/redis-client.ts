import { ConfigurationError } from "../core/errors.js";

/** A node-redis client for one server (`createClient`), or a pool of them. */
export interface NodeRedisClient {
  readonly isOpen: boolean;
  sendCommand(args: string[]): Promise<unknown>;
}

/** A node-redis client for a cluster (`createCluster`). */
export interface NodeRedisCluster {
  readonly masters: readonly unknown[];
  sendCommand(firstKey: string, isReadonly: boolean, args: string[]): Promise<unknown>;
}

/** An ioredis client, for one server, behind Sentinels, or for a cluster. */
export interface IoRedisClient {
  call(command: string, args: string[]): Promise<unknown>;
}

export type RedisClient = NodeRedisClient | NodeRedisCluster | IoRedisClient;

/** Sends one command to the server that owns `key`. */
export type SendCommand = (key: string, command: readonly [string, ...string[]]) => Promise<unknown>;

type Maybe<T> = { readonly [K in keyof T]?: unknown };

interface AnyClient extends Maybe<NodeRedisClient>, Maybe<NodeRedisCluster>, Maybe<IoRedisClient> {
  readonly options?: { readonly scaleReads?: unknown } | null;
  readonly getMasterNode?: unknown;
}

function isIoRedis(client: AnyClient): boolean {
  return typeof client.call === "function";
}

function isNodeRedisCluster(client: AnyClient): boolean {
  return typeof client.sendCommand === "function" && Array.isArray(client.masters);
}

function isNodeRedis(client: AnyClient): boolean {
  const isClient = typeof client.sendCommand === "function" && typeof client.isOpen === "boolean";
  // node-redis' own Sentinel client takes other arguments.
  return isClient && client.getMasterNode === undefined;
}

function refuse(problem: string): never {
  throw new ConfigurationError([`redisStore(client): ${problem}`]);
}

/**
 * One way to send a command through any of the clients, told apart by what they have.
 *
 * @throws ConfigurationError where it is none of them, or one that may read from replicas: what a replica has not heard of
 * yet is what was just revoked or used up.
 */
export function commandSender(client: RedisClient): SendCommand {
  const given = Object(client) as AnyClient;
  if (isIoRedis(given)) {
    const { scaleReads = "master" } = given.options ?? {};
    if (scaleReads !== "master") refuse('the ioredis cluster must read from masters; leave scaleReads at "master"');
    const ioRedis = client as IoRedisClient;
    return async (_key, [command, ...args]) => ioRedis.call(command, args);
  }
  if (isNodeRedisCluster(given)) {
    const cluster = client as NodeRedisCluster;
    // Never as read-only, which would send it to a replica where the cluster is told to use them.
    return async (key, command) => cluster.sendCommand(key, false, [...command]);
  }
  if (isNodeRedis(given)) {
    const single = client as NodeRedisClient;
    return async (_key, command) => single.sendCommand([...command]);
  }
  return refuse("pass a client of node-redis (createClient or createCluster) or of ioredis (Redis or Cluster)");
}
