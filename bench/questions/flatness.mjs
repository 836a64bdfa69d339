// @ts-check
// Does checking a code cost more where there are many accounts, or many logins that wait for one? The same few users log in
// and prove, beside nobody, beside a million others, beside thousands of pending logins.
import { placeIn, startCrowd } from "../measure/browsers.mjs";
import { compare, ratioOf, scatterOf, twinOf } from "../measure/contest.mjs";
import { partOf } from "../measure/effort.mjs";
import { sum } from "../measure/server-process.mjs";
import { startRedis } from "../measure/services.mjs";
import { CONTEST_HEAD, contestRows } from "../report/contests.mjs";
import { atLeastOf, whole } from "../report/tables.mjs";
import { nameOf } from "../servers/population.mjs";

const [FEW, MANY, PENDING] = [10, 1_000_000, 10_000];
const [STEPS, WARM_UP_STEPS] = [15, 90];
/** Flat within a tenth, which is what one round scatters. */
const LEAST = 0.9;
const BASE = `${FEW} accounts`;
const DAY_MS = 24 * 60 * 60_000;

/** @typedef {{ stores: Record<string, import("../measure/contest.mjs").Contest>, many: string }} FlatnessResult */
/** @typedef {import("../measure/effort.mjs").Effort} Effort */
/** @typedef {import("../measure/server-process.mjs").Cost} Cost */
/** @typedef {{ accounts: number, pending?: number }} Crowding */

/** Logs in and proves, a few users at a time, drawn anew from all for each step. @param {import("../measure/browsers.mjs").Crowd} crowd @param {number} accounts */
function proving(crowd, accounts) {
  /** @param {number} steps */
  return async (steps) => {
    /** @type {Cost[]} */
    const costs = [];
    for (let step = 0; step < steps; step += 1) {
      const first = Math.floor(Math.random() * (accounts - FEW + 1));
      // Enrolled anew, so that no record has grown by what was measured before.
      const users = await crowd.enroll(Array.from({ length: FEW }, (_, index) => nameOf(first + index)));
      await crowd.nextStep();
      await crowd.logIn(users);
      costs.push(await crowd.verify(users));
    }
    return { verify: sum(costs) };
  };
}

/** @typedef {Awaited<ReturnType<typeof startRedis>>} RedisServer */

/** @param {Crowding} crowding @param {Effort} effort @param {{ set: number, url?: string | undefined, isPopulated: boolean }} redis a server of its own, if any */
async function startProving({ accounts, pending = 0 }, effort, { set, url, isPopulated }) {
  const crowd = await startCrowd({ stack: "product", ...placeIn(url) }, ["--max-old-space-size=4096"]);
  // Later than anything the last set wrote.
  await crowd.server.ask("advance", { milliseconds: set * DAY_MS });
  if (!isPopulated) await crowd.server.ask("populate", { count: Math.max(accounts, pending) });
  if (pending > 0) await crowd.logIn(crowd.strangers(Array.from({ length: pending }, (_, index) => nameOf(index))));
  const prove = proving(crowd, accounts);
  await prove(partOf(effort, WARM_UP_STEPS));
  return { crowd, slice: () => prove(STEPS) };
}

/** @param {Effort} effort @param {number} set @returns {Record<string, Crowding>} */
function crowdings(effort, set) {
  const [many, pending] = [partOf(effort, MANY), partOf(effort, PENDING)];
  return {
    [BASE]: { accounts: FEW },
    [twinOf(BASE)]: { accounts: FEW },
    [manyText(effort)]: { accounts: many },
    // Without a target, so one set will do.
    ...(set === 0 ? { [`${BASE}, ${whole(pending)} more logins pending`]: { accounts: FEW, pending } } : {}),
  };
}

/** @param {Effort} effort */
function manyText(effort) {
  return `${whole(partOf(effort, MANY))} accounts`;
}

/** Fresh processes for each set; what is kept in Redis stays, as it does for an application. @param {"memory" | "redis"} kind @param {Effort} effort @param {Map<string, RedisServer>} servers by crowding */
function fields(kind, effort, servers) {
  /** @param {number} set */
  return async (set) => {
    /** @type {Record<string, Awaited<ReturnType<typeof startProving>>>} */
    const running = {};
    for (const [name, crowding] of Object.entries(crowdings(effort, set))) {
      const known = servers.get(name);
      const redis = kind === "redis" ? (known ?? (await startRedis())) : undefined;
      if (redis !== undefined) servers.set(name, redis);
      running[name] = await startProving(crowding, effort, { set, url: redis?.url, isPopulated: known !== undefined });
    }
    return {
      contenders: Object.fromEntries(Object.entries(running).map(([name, { slice }]) => [name, slice])),
      leave: async () => void (await Promise.all(Object.values(running).map(({ crowd }) => crowd.leave()))),
    };
  };
}

/** @param {"memory" | "redis"} kind @param {Effort} effort */
async function measureStore(kind, effort) {
  /** @type {Map<string, RedisServer>} */
  const servers = new Map();
  try {
    const start = fields(kind, effort, servers);
    const rounds = Math.ceil(effort.rounds / 2);
    const { verify } = await compare({ base: BASE, start, sets: effort.sets, rounds });
    return /** @type {import("../measure/contest.mjs").Contest} */ (verify);
  } finally {
    await Promise.all([...servers.values()].map((server) => server.kill()));
  }
}

/** @param {import("../run.mjs").Services} services @returns {Promise<FlatnessResult>} */
export async function measureFlatness({ effort }) {
  const stores = { memory: await measureStore("memory", effort), Redis: await measureStore("redis", effort) };
  return { stores, many: manyText(effort) };
}

/** @param {FlatnessResult} result @returns {import("../report/tables.mjs").Table[]} */
export function flatnessTables({ stores }) {
  return [
    {
      title: "A TOTP code checked, in small and in large",
      head: ["accounts in", "beside", ...CONTEST_HEAD],
      rows: Object.entries(stores).flatMap(([store, contest]) =>
        contestRows(contest, {}).map((row) => [store, ...row]),
      ),
    },
  ];
}

/** @param {FlatnessResult} result */
export function flatnessTargets({ stores, many }) {
  return Object.entries(stores).map(([store, contest]) =>
    atLeastOf(`TOTP code checked, ${store}, beside ${many}`, ratioOf(contest, many), scatterOf(contest), LEAST),
  );
}
