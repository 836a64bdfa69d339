// @ts-check
// Where `floorPromises` keeps its accounts: a record with a version, and beside it the count of wrong codes. The wrong ones are
// counted, and the record is replaced, in one step that nothing comes between.
import { createHash } from "node:crypto";
import { connectRedis } from "./application.mjs";

const [LIMIT, WINDOW_MS] = [5, 15 * 60_000];

/** @typedef {{ version: string, sealed: string, step: number, logins: readonly string[] }} FloorAccount */

/**
 * @typedef {object} Attempt
 * @property {string} name
 * @property {number} now
 * @property {string} version of the record the code was checked against
 * @property {FloorAccount | undefined} next what replaces it; undefined: the code was wrong
 */

/** @typedef {"done" | "stale" | "limited"} Settled */

/**
 * @typedef {object} Place
 * @property {(name: string) => FloorAccount | undefined} [readNow] where nothing has to be waited for
 * @property {(name: string) => Promise<FloorAccount | undefined>} read
 * @property {(name: string, account: FloorAccount) => Promise<void>} put
 * @property {(attempt: Attempt) => Promise<Settled>} settle
 */

/** @returns {Place} */
export function placeInMemory() {
  /** @type {Map<string, FloorAccount>} */
  const accounts = new Map();
  /** @type {Map<string, { hits: number, until: number }>} */
  const wrong = new Map();
  return {
    readNow: (name) => accounts.get(name),
    read: async (name) => accounts.get(name),
    put: async (name, account) => void accounts.set(name, account),
    async settle({ name, now, version, next }) {
      const known = wrong.get(name);
      const counted = known === undefined || known.until <= now ? { hits: 0, until: now + WINDOW_MS } : known;
      if (counted.hits >= LIMIT) return "limited";
      if (accounts.get(name)?.version !== version) return "stale";
      if (next !== undefined) accounts.set(name, next);
      else wrong.set(name, { ...counted, hits: counted.hits + 1 });
      return "done";
    },
  };
}

const SETTLE = [
  "local counted = redis.call('HMGET', KEYS[2], 'hits', 'until')",
  "local hits, ends, now = tonumber(counted[1] or '0'), tonumber(counted[2] or '0'), tonumber(ARGV[1])",
  "if ends <= now then hits, ends = 0, now + tonumber(ARGV[4]) end",
  "if hits >= tonumber(ARGV[3]) then return 'limited' end",
  "if redis.call('HGET', KEYS[1], 'version') ~= ARGV[2] then return 'stale' end",
  "if ARGV[5] == '' then",
  "  redis.call('HSET', KEYS[2], 'hits', hits + 1, 'until', ends)",
  "  redis.call('PEXPIRE', KEYS[2], ARGV[4])",
  "else",
  "  redis.call('HSET', KEYS[1], 'version', ARGV[5], 'value', ARGV[6])",
  "end",
  "return 'done'",
].join("\n");

/**
 * A record that is known is not parsed again: only its version is asked for. A server that hangs is left to the time-out the
 * client has by itself.
 * @param {string} url
 * @param {string} prefix
 * @returns {Promise<Place & { client: Awaited<ReturnType<typeof connectRedis>> }>}
 */
export async function placeInRedis(url, prefix) {
  const client = await connectRedis(url);
  await client.scriptLoad(SETTLE);
  const digest = createHash("sha1").update(SETTLE).digest("hex");
  /** @type {Map<string, FloorAccount>} */
  const known = new Map();
  const keyOf = (/** @type {string} */ name) => `${prefix}:{${name}}`;
  /** @param {string} name @param {string} field @returns {Promise<string | null>} */
  const fieldOf = (name, field) => client.sendCommand(["HGET", keyOf(name), field]);
  return {
    client,
    async read(name) {
      const version = await fieldOf(name, "version");
      const account = known.get(name);
      if (version === null) return undefined;
      if (account?.version === version) return account;
      const found = JSON.parse((await fieldOf(name, "value")) ?? "null") ?? undefined;
      known.set(name, found);
      return found;
    },
    async put(name, account) {
      await client.hSet(keyOf(name), { version: account.version, value: JSON.stringify(account) });
      known.set(name, account);
    },
    async settle({ name, now, version, next }) {
      const write = next === undefined ? ["", ""] : [next.version, JSON.stringify(next)];
      const args = [String(now), version, String(LIMIT), String(WINDOW_MS), ...write];
      /** @type {Settled} */
      const settled = await client.sendCommand(["EVALSHA", digest, "2", keyOf(name), `${keyOf(name)}:wrong`, ...args]);
      if (settled === "done" && next !== undefined) known.set(name, next);
      return settled;
    },
  };
}
