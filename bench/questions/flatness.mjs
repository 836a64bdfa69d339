// @ts-check
// Does checking a code cost more where there are many accounts, or many logins that wait for one? The same few users log in
// and prove, beside nobody, beside a million others, beside thousands of pending logins.
import { placeIn, startCrowd } from "../measure/browsers.mjs";
import { startRedis } from "../measure/services.mjs";
import { compare } from "../measure/slices.mjs";
import { atLeast, rateText, ratioText, whole } from "../report/tables.mjs";
import { nameOf } from "../servers/population.mjs";

const [FEW, MANY, PENDING] = [10, 1_000_000, 10_000];
const [STEPS, WARM_UP_STEPS, ROUNDS] = [15, 120, 7];
/** Flat within what the measurement itself scatters. */
const LEAST = 0.9;

/** @typedef {{ stores: Record<string, Record<string, import("../measure/slices.mjs").Compared>> }} FlatnessResult */
/** @typedef {import("../measure/server-process.mjs").Cost} Cost */
/** @typedef {{ accounts: number, pending?: number }} Crowding */

/** @param {readonly Cost[]} costs @returns {Cost} */
function sum(costs) {
  const total = (/** @type {keyof Cost} */ part) => costs.reduce((all, cost) => all + cost[part], 0);
  return { requests: total("requests"), seconds: total("seconds"), processorSeconds: total("processorSeconds") };
}

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

/** @param {"memory" | "redis"} kind @param {Crowding} crowding */
async function startProving(kind, { accounts, pending = 0 }) {
  const redis = kind === "redis" ? await startRedis() : undefined;
  const crowd = await startCrowd({ stack: "product", ...placeIn(redis?.url) }, ["--max-old-space-size=4096"]);
  await crowd.server.ask("populate", { count: Math.max(accounts, pending) });
  if (pending > 0) await crowd.logIn(crowd.strangers(Array.from({ length: pending }, (_, index) => nameOf(index))));
  const prove = proving(crowd, accounts);
  await prove(WARM_UP_STEPS);
  const leave = async () => {
    await crowd.leave();
    await redis?.kill();
  };
  return { slice: () => prove(STEPS), leave };
}

/** @param {"memory" | "redis"} kind */
async function measureStore(kind) {
  const few = await startProving(kind, { accounts: FEW });
  const many = await startProving(kind, { accounts: MANY });
  const waiting = await startProving(kind, { accounts: FEW, pending: PENDING });
  try {
    const candidates = {
      [`${whole(MANY)} accounts`]: many.slice,
      [`${FEW} accounts, ${whole(PENDING)} more logins pending`]: waiting.slice,
    };
    return (await compare({ base: few.slice, candidates, rounds: ROUNDS }))["verify"] ?? {};
  } finally {
    for (const { leave } of [few, many, waiting]) await leave();
  }
}

/** @returns {Promise<FlatnessResult>} */
export async function measureFlatness() {
  return { stores: { memory: await measureStore("memory"), Redis: await measureStore("redis") } };
}

/** @param {FlatnessResult} result @returns {import("../report/tables.mjs").Table[]} */
export function flatnessTables({ stores }) {
  return [
    {
      title: "A TOTP code checked, in small and in large",
      head: ["accounts in", "beside", "codes/s", `of ${FEW} accounts`],
      rows: Object.entries(stores).flatMap(([store, rows]) =>
        Object.entries(rows).map(([name, { rate, ratio }]) =>
          name === "base"
            ? [store, `${FEW} accounts`, rateText(rate), "1"]
            : [store, name, rateText(rate), ratioText(ratio)],
        ),
      ),
    },
  ];
}

/** @param {FlatnessResult} result */
export function flatnessTargets({ stores }) {
  return Object.entries(stores).flatMap(([store, rows]) => {
    const crowded = Object.entries(rows).filter(([name]) => name !== "base");
    return crowded.map(([name, { ratio }]) =>
      atLeast(`TOTP code checked, ${store}, beside ${name}`, ratio.median, LEAST),
    );
  });
}
