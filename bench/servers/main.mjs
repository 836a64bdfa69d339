// @ts-check
// A server under measurement. Started by measure/server-process.mjs with one JSON argument; answers requests on a port of
// its own, and on its message channel what the questions ask between the slices.
import { STACKS } from "./stacks.mjs";

/** @typedef {import("../measure/server-process.mjs").ServerSetting & { keys: string, clock: () => number }} StackSetting */

/**
 * @typedef {object} Stack
 * @property {import("express").Express} app
 * @property {(name: string) => Promise<Uint8Array>} enroll gives a user an authenticator, anew; answers its secret
 * @property {Record<string, (given: any) => Promise<unknown>>} [commands] what else this stack can be asked for
 */

/** @typedef {(setting: StackSetting) => Promise<Stack>} BuildStack */

const KEEP_ALIVE_MS = 3_600_000;

/** @type {Omit<StackSetting, "clock">} */
const setting = JSON.parse(process.argv[2] ?? "{}");
// Stands still until it is moved: a code is good once, so each slice is given a step of its own.
let now = Date.now();
const build = await STACKS[setting.stack]?.();
if (build === undefined) throw new Error(`There is no stack called ${setting.stack}`);
const stack = await build({ ...setting, clock: () => now });

/** @type {Record<string, (given: any) => unknown>} */
const COMMANDS = {
  ...stack.commands,
  async enroll({ names }) {
    const secrets = [];
    for (const name of names) secrets.push(Buffer.from(await stack.enroll(name)).toString("hex"));
    return secrets;
  },
  advance({ milliseconds }) {
    now += milliseconds;
    return now;
  },
  /** Microseconds of processor time since the start. */
  processor() {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  /** Bytes in use after a collection. Never before a slice: it doubles the cost of what follows. */
  heap() {
    if (globalThis.gc === undefined) throw new Error("Start this server with --expose-gc");
    globalThis.gc();
    return process.memoryUsage().heapUsed;
  },
};

process.on("message", async (/** @type {any} */ { id, command, given }) => {
  try {
    const act = COMMANDS[command];
    if (act === undefined) throw new Error(`${setting.stack} cannot be asked to ${command}`);
    process.send?.({ id, result: await act(given) });
  } catch (error) {
    process.send?.({ id, error: error instanceof Error ? error.stack : String(error) });
  }
});
process.once("disconnect", () => process.exit());

const listener = stack.app.listen(0, "127.0.0.1", () => {
  // Connections stay open while others have their turn.
  listener.keepAliveTimeout = KEEP_ALIVE_MS;
  const address = listener.address();
  process.send?.({ port: typeof address === "object" ? address?.port : undefined });
});
