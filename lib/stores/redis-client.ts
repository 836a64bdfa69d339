import { ConfigurationError } from "../core/errors.js";

interface CommandOptions {
  /** Milliseconds. */
  readonly timeout?: number | undefined;
}

/** A node-redis client for one server (`createClient`), or a pool of them. */
export interface NodeRedisClient {
  readonly isOpen: boolean;
  sendCommand(args: string[], options?: CommandOptions): Promise<unknown>;
}

/** A node-redis client for a cluster (`createCluster`). */
export interface NodeRedisCluster {
  readonly masters: readonly unknown[];
  sendCommand(firstKey: string, isReadonly: boolean, args: string[], options?: CommandOptions): Promise<unknown>;
  nodeClient(master: unknown): Promise<NodeRedisClient> | NodeRedisClient;
}

/** An ioredis client, for one server, behind Sentinels, or for a cluster. */
export interface IoRedisClient {
  call(command: string, args: string[]): Promise<unknown>;
  /** Of a cluster only. */
  nodes?(role: "master"): readonly IoRedisClient[];
}

export type RedisClient = NodeRedisClient | NodeRedisCluster | IoRedisClient;

type Command = readonly [string, ...string[]];

/** Sends one command to the server that owns `key`. */
export type SendCommand = (key: string, command: Command) => Promise<unknown>;

/** Any of the clients, as the store uses it. */
export interface Connection {
  readonly send: SendCommand;
  /** A way to each server that owns keys: one, or every master of a cluster. */
  servers(): Promise<readonly ((command: Command) => Promise<unknown>)[]>;
}

type Maybe<T> = { readonly [K in keyof T]?: unknown };

interface AnyClient extends Maybe<NodeRedisClient>, Maybe<NodeRedisCluster>, Maybe<IoRedisClient> {
  readonly options?: { readonly scaleReads?: unknown; readonly commandOptions?: CommandOptions } | null;
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

function ofIoRedis(client: IoRedisClient): Connection {
  const to =
    (server: IoRedisClient) =>
    ([command, ...args]: Command) =>
      server.call(command, args);
  return {
    send: async (_key, command) => to(client)(command),
    servers: async () => (client.nodes?.("master") ?? [client]).map(to),
  };
}

/**
 * node-redis arms an abort signal for every command, five seconds unless the application says otherwise, which costs more than
 * the command. The store has a deadline of its own, so only a time-out that was chosen is left.
 */
function commandOptions({ options }: AnyClient): CommandOptions {
  const timeout = options?.commandOptions?.timeout;
  return { timeout };
}

function ofNodeRedisCluster(cluster: NodeRedisCluster): Connection {
  const options = commandOptions(cluster);
  return {
    // Never as read-only, which would send it to a replica where the cluster is told to use them.
    send: async (key, command) => cluster.sendCommand(key, false, [...command], options),
    async servers() {
      const clients = await Promise.all(cluster.masters.map(async (master) => cluster.nodeClient(master)));
      return clients.map((client) => (command) => client.sendCommand([...command], options));
    },
  };
}

function ofNodeRedis(client: NodeRedisClient): Connection {
  const options = commandOptions(client);
  const send = async (command: Command): Promise<unknown> => client.sendCommand([...command], options);
  return { send: (_key, command) => send(command), servers: async () => [send] };
}

/**
 * One way to send a command through any of the clients, told apart by what they have.
 *
 * @throws ConfigurationError where it is none of them, or one that may read from replicas: what a replica has not heard of
 * yet is what was just revoked or used up.
 */
export function connectionOf(client: RedisClient): Connection {
  const given = Object(client) as AnyClient;
  if (isIoRedis(given)) {
    const { scaleReads = "master" } = given.options ?? {};
    if (scaleReads !== "master") refuse('the ioredis cluster must read from masters; leave scaleReads at "master"');
    return ofIoRedis(client as IoRedisClient);
  }
  if (isNodeRedisCluster(given)) return ofNodeRedisCluster(client as NodeRedisCluster);
  if (isNodeRedis(given)) return ofNodeRedis(client as NodeRedisClient);
  return refuse("pass a client of node-redis (createClient or createCluster) or of ioredis (Redis or Cluster)");
}
