// @ts-check
// One server of a benchmark: a process of its own, on a core of its own, told over its message channel what to do between
// the slices.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { serverPrefix } from "./cores.mjs";

/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();
process.once("exit", () => running.forEach((child) => child.kill("SIGKILL")));

const MAIN = fileURLToPath(new URL("../servers/main.mjs", import.meta.url));

/** One key for all servers of a run, as the servers of one application share theirs. */
const KEYS = `bench:${randomBytes(32).toString("base64")}`;

/** @typedef {"memory" | "redis" | "sql"} StoreKind */

/**
 * @typedef {object} ServerSetting
 * @property {string} stack a name of servers/stacks.mjs
 * @property {string | undefined} [sessions] the URL of a Redis server; default: the sessions live in the process
 * @property {{ kind: StoreKind, url?: string }} [store] where the stack keeps accounts; default: memory
 */

/**
 * @typedef {object} Cost
 * @property {number} requests
 * @property {number} seconds by the clock on the wall
 * @property {number} processorSeconds of the server alone
 * @property {readonly number[]} [waited] milliseconds, one a request, where they are kept
 */

/** Several costs as one; how long each request waited is not kept. @param {readonly Cost[]} costs @returns {Cost} */
export function sum(costs) {
  const total = (/** @type {"requests" | "seconds" | "processorSeconds"} */ part) =>
    costs.reduce((all, cost) => all + cost[part], 0);
  return { requests: total("requests"), seconds: total("seconds"), processorSeconds: total("processorSeconds") };
}

export class ServerProcess {
  /** @param {import("node:child_process").ChildProcess} child @param {number} port @param {string} name */
  constructor(child, port, name) {
    this.child = child;
    this.port = port;
    this.name = name;
    this.asked = 0;
    /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
    this.open = new Map();
    child.on("message", (/** @type {any} */ { id, result, error }) => {
      const waiting = this.open.get(id);
      this.open.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(`${name}: ${error}`));
    });
    child.on("exit", (code, signal) => {
      for (const { reject } of this.open.values()) reject(new Error(`${name} ended with ${signal ?? code}`));
    });
  }

  /**
   * Asks the server for something that is no request of a user: see servers/main.mjs.
   * @param {string} command @param {Record<string, unknown>} [given] @returns {Promise<any>}
   */
  ask(command, given = {}) {
    this.asked += 1;
    const id = this.asked;
    return new Promise((resolve, reject) => {
      this.open.set(id, { resolve, reject });
      this.child.send({ id, command, given });
    });
  }

  /**
   * What `work` costs this server.
   * @param {() => Promise<number>} work answers how many requests it sent @returns {Promise<Cost>}
   */
  async measure(work) {
    const [before, start] = [await this.ask("processor"), process.hrtime.bigint()];
    const requests = await work();
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    return { requests, seconds, processorSeconds: ((await this.ask("processor")) - before) / 1e6 };
  }

  async stop() {
    const ended = once(this.child, "exit");
    this.child.disconnect();
    await ended;
  }
}

/**
 * @param {ServerSetting} setting
 * @param {readonly string[]} [nodeOptions] such as `--cpu-prof`
 */
export async function startServer(setting, nodeOptions = []) {
  const [program, ...args] = [
    ...serverPrefix,
    process.execPath,
    ...nodeOptions,
    MAIN,
    JSON.stringify({ ...setting, keys: KEYS }),
  ];
  const child = spawn(program ?? process.execPath, args, {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    env: { ...process.env, NODE_ENV: "production" },
  });
  let said = "";
  child.stderr?.on("data", (text) => {
    said = (said + String(text)).slice(-4_000);
  });
  child.once("exit", () => running.delete(child));
  running.add(child);
  const port = await new Promise((resolve, reject) => {
    child.once("message", (/** @type {any} */ message) => resolve(message.port));
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${setting.stack} ended with ${code}: ${said}`)));
  });
  return new ServerProcess(child, port, setting.stack);
}
