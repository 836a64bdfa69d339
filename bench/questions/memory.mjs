// @ts-check
// What do pending logins and accounts weigh? Counted on a sample, and scaled up.
import { createClient } from "redis";
import { names, placeIn, startCrowd } from "../measure/browsers.mjs";
import { partOf } from "../measure/effort.mjs";
import { atMost, whole } from "../report/tables.mjs";

const [LOGINS, LOGINS_SHOWN] = [5_000, 100_000];
const [ACCOUNTS, ACCOUNTS_SHOWN] = [100_000, 1_000_000];
const USERS = 100;
/** Bytes an account that no change may leave behind by more than a tenth. @type {Record<string, number>} */
const KNOWN_BYTES = { "this process": 1_419, Redis: 1_659, PostgreSQL: 1_423 };
const MOST_GROWTH = 1.1;
const RELATION_BYTES = "select pg_total_relation_size('second_factor')";

/** @typedef {{ sessionsAlone: number, withTheLine: number }} LoginBytes bytes a login */
/** @typedef {{ logins: Record<string, LoginBytes>, accounts: Record<string, number>, sample: { logins: number, accounts: number } }} MemoryResult accounts: bytes a row */
/** @typedef {import("../measure/browsers.mjs").Crowd} Crowd */
/** @typedef {import("../run.mjs").Services} Services */

/** @param {string} url @returns {Promise<number>} */
async function redisBytes(url) {
  const client = await createClient({ url }).connect();
  const info = await client.info("memory");
  client.destroy();
  return Number(/used_memory:(\d+)/.exec(info)?.[1]);
}

/** How much is added, by one. @param {() => Promise<number>} weigh @param {number} count @param {() => Promise<unknown>} add */
async function growth(weigh, count, add) {
  const before = await weigh();
  await add();
  return ((await weigh()) - before) / count;
}

/** Logins of enrolled users that stop after the password. @param {number} count @param {string} stack @param {string} [sessions] */
async function loginBytes(count, stack, sessions) {
  const crowd = await startCrowd({ stack, ...placeIn(sessions) }, ["--expose-gc"]);
  try {
    const users = await crowd.enroll(names("m", USERS));
    const many = Array.from({ length: count }, (_, index) => ({ ...users[index % USERS], cookie: "" }));
    // The first logins make what is made once.
    await crowd.logIn(users);
    const weigh = sessions === undefined ? () => crowd.server.ask("heap") : () => redisBytes(sessions);
    return await growth(weigh, count, () => crowd.logIn(/** @type {typeof users} */ (many)));
  } finally {
    await crowd.leave();
  }
}

/** @param {number} count @param {"memory" | "redis" | "sql"} kind @param {string} url @param {(crowd: Crowd) => Promise<number>} weigh */
async function rowBytes(count, kind, url, weigh) {
  const crowd = await startCrowd({ stack: "product", store: { kind, url } }, ["--expose-gc"]);
  try {
    await crowd.server.ask("populate", { count: 0 });
    return await growth(
      () => weigh(crowd),
      count,
      () => crowd.server.ask("populate", { count }),
    );
  } finally {
    await crowd.leave();
  }
}

/** @param {Services} services @returns {Promise<MemoryResult>} */
export async function measureMemory({ effort, redis, postgres, query }) {
  const sample = { logins: partOf(effort, LOGINS), accounts: partOf(effort, ACCOUNTS) };
  const both = async (/** @type {string} */ sessions) => ({
    sessionsAlone: await loginBytes(sample.logins, "base", sessions || undefined),
    withTheLine: await loginBytes(sample.logins, "product", sessions || undefined),
  });
  const { accounts: rows } = sample;
  return {
    logins: { "this process": await both(""), Redis: await both(redis.url) },
    accounts: {
      "this process": await rowBytes(rows, "memory", "", ({ server }) => server.ask("heap")),
      Redis: await rowBytes(rows, "redis", redis.url, () => redisBytes(redis.url)),
      PostgreSQL: await rowBytes(rows, "sql", postgres.url, async () => Number(await query(RELATION_BYTES))),
    },
    sample,
  };
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${whole(bytes / 1e6)} MB`;
}

/** @param {MemoryResult} result @returns {import("../report/tables.mjs").Table[]} */
export function memoryTables({ logins, accounts, sample }) {
  return [
    {
      title: `Memory of ${whole(LOGINS_SHOWN)} pending logins`,
      head: ["kept in", "sessions alone", "with the line"],
      rows: Object.entries(logins).map(([place, { sessionsAlone, withTheLine }]) => {
        return [place, megabytes(sessionsAlone * LOGINS_SHOWN), megabytes(withTheLine * LOGINS_SHOWN)];
      }),
      notes: [`Scaled up from ${whole(sample.logins)}.`],
    },
    {
      title: `Memory of ${whole(ACCOUNTS_SHOWN)} accounts, each with an authenticator and ten backup codes`,
      head: ["kept in", "rows", "each"],
      rows: Object.entries(accounts).map(([place, bytes]) => {
        return [place, megabytes(bytes * ACCOUNTS_SHOWN), `${whole(bytes)} bytes`];
      }),
      notes: [`Scaled up from ${whole(sample.accounts)}; with keys and indexes.`],
    },
  ];
}

/** @param {MemoryResult} result */
export function memoryTargets({ accounts }) {
  return Object.entries(accounts).map(([place, bytes]) =>
    atMost(`bytes an account, ${place}`, Math.round(bytes), Math.floor((KNOWN_BYTES[place] ?? NaN) * MOST_GROWTH)),
  );
}
