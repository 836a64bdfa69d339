import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "redis";
import { freePort, installDebian, onPath, until } from "./programs.js";

/** A Redis server of this test's own. Unless it was started with a folder, it keeps nothing: started again, it is empty. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
  /** Stops it from answering while its connections stay open; `resume` lets it go on where it was. */
  freeze(): void;
  resume(): void;
}

export interface RedisCluster {
  readonly servers: readonly RedisServer[];
  kill(): Promise<void>;
}

/** Where a Redis server is. Installs Debian's when run as root there; throws where none can be had. */
function findRedisServer(): string {
  const named = process.env["REDIS_SERVER_PATH"];
  if (named) return named;
  if (!onPath("redis-server")) installDebian("redis-server");
  const found = onPath("redis-server");
  if (found) return found;
  throw new Error(
    "No Redis: install one (Debian: `apt-get install redis-server`) or set REDIS_SERVER_PATH to its binary.",
  );
}

const LOCAL = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];

async function launch(port: number, args: readonly string[]): Promise<ChildProcess> {
  const server = spawn(findRedisServer(), ["--port", String(port), ...LOCAL, ...args], { stdio: "pipe" });
  // The test runner ends its workers with process.exit.
  const end = (): boolean => server.kill("SIGKILL");
  process.once("exit", end);
  server.once("exit", () => process.removeListener("exit", end));
  await new Promise<void>((resolve, reject) => {
    let said = "";
    server.stdout.on("data", (text: Buffer) => {
      said += text.toString();
      if (said.includes("Ready to accept connections")) resolve();
    });
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`redis-server ended with ${code}: ${said}`)));
  });
  return server;
}

async function killed(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise((resolve) => server.once("exit", resolve));
  server.kill("SIGKILL");
  await ended;
}

/** For a server that has on disk, in this folder, whatever it said it did. */
export function durable(folder: string): readonly string[] {
  return ["--appendonly", "yes", "--appendfsync", "always", "--dir", folder];
}

/** Starts a server on a free loopback port; the caller kills it. */
export async function startRedis(args: readonly string[] = []): Promise<RedisServer> {
  const port = await freePort();
  let server = await launch(port, args);
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    kill: () => killed(server),
    async start() {
      await killed(server);
      server = await launch(port, args);
    },
    freeze: () => server.kill("SIGSTOP"),
    resume: () => server.kill("SIGCONT"),
  };
}

const MASTERS = 3;
const SLOTS = 16_384;

/** Where one server is away, the others go on. */
const CLUSTER = ["--cluster-enabled", "yes", "--cluster-require-full-coverage", "no"];
/** Replicas that stay with their master, take over only once they are told they may, and then however old what they have is. */
const REPLICAS = [
  // How long a server is silent before it is given up; shorter, and a busy machine's are.
  ["--cluster-node-timeout", "1500"],
  ["--cluster-allow-replica-migration", "no"],
  ["--cluster-replica-no-failover", "yes"],
  ["--cluster-replica-validity-factor", "0"],
  ["--repl-diskless-sync-delay", "0"],
].flat();

/** Three servers that share the slots between them, and as many replicas where asked for; the caller kills them. */
export async function startRedisCluster({ replicas = false } = {}): Promise<RedisCluster> {
  const folder = mkdtempSync(join(tmpdir(), "redis-cluster-"));
  const servers: RedisServer[] = [];
  for (let node = 0; node < (replicas ? 2 : 1) * MASTERS; node += 1) {
    const own = ["--cluster-port", String(await freePort()), "--cluster-config-file", `${node}.conf`];
    const files = ["--dir", folder, "--dbfilename", `${node}.rdb`];
    servers.push(await startRedis([...CLUSTER, ...(replicas ? REPLICAS : []), ...own, ...files]));
  }
  const nodes = await Promise.all(servers.map(({ url }) => createClient({ url }).connect()));
  try {
    await formCluster(nodes);
  } finally {
    for (const node of nodes) node.destroy();
  }
  return {
    servers,
    async kill() {
      await Promise.all(servers.map((server) => server.kill()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Node {
  sendCommand<T>(args: string[]): Promise<T>;
}

async function formCluster(nodes: readonly Node[]): Promise<void> {
  const masters = nodes.slice(0, MASTERS);
  for (const [index, node] of masters.entries()) await takeSlots(node, index);
  for (const node of nodes.slice(1)) await meet(nodes[0]!, node);
  await until("the servers know each other", async () => {
    const states = await Promise.all(nodes.map((node) => node.sendCommand<string>(["CLUSTER", "INFO"])));
    return states.every((state) => state.includes("cluster_state:ok") && state.includes(`known_nodes:${nodes.length}`));
  });
  await Promise.all(
    nodes.slice(MASTERS).map(async (node, index) => {
      const id = await masters[index]!.sendCommand<string>(["CLUSTER", "MYID"]);
      await node.sendCommand(["CLUSTER", "REPLICATE", id]);
      await until("the replica has what its master has", async () =>
        (await node.sendCommand<string>(["INFO", "replication"])).includes("master_link_status:up"),
      );
    }),
  );
}

async function takeSlots(node: Node, index: number): Promise<void> {
  const [first, end] = [Math.floor((SLOTS * index) / MASTERS), Math.floor((SLOTS * (index + 1)) / MASTERS)];
  await node.sendCommand(["CLUSTER", "ADDSLOTSRANGE", String(first), String(end - 1)]);
  await node.sendCommand(["CLUSTER", "SET-CONFIG-EPOCH", String(index + 1)]);
}

async function meet(node: Node, other: Node): Promise<void> {
  const ports = await Promise.all(
    ["port", "cluster-port"].map(async (name) => {
      const reply = await other.sendCommand<Record<string, string>>(["CONFIG", "GET", name]);
      return reply[name]!;
    }),
  );
  await node.sendCommand(["CLUSTER", "MEET", "127.0.0.1", ...ports]);
}
