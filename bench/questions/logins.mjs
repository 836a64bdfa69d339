// @ts-check
// What do checking a TOTP code and a whole login cost, beside what they cannot cost less than and what others make of them?
import { names, placeIn, startCrowd } from "../measure/browsers.mjs";
import { against, compare } from "../measure/slices.mjs";
import { atLeast, rateText, ratioText } from "../report/tables.mjs";

const ROUNDS = 9;
/** Users a slice, in all, and slices before it counts. better-auth takes ten times as long, so it gets fewer. */
const USUAL = { slice: 300, users: 1_500, warmUp: 17 };
const SLOW = { slice: 60, users: 300, warmUp: 12 };

/** What is wanted of a code checked, of the floor by hand, by store. @type {Record<string, number>} */
export const VERIFY_TARGETS = { memory: 0.85, Redis: 0.75 };

/** What is set against the floor. */
const CANDIDATES = ["floor-with-passport", "product", "passport-totp", "better-auth"];

/** @typedef {Record<string, Record<string, import("../measure/slices.mjs").Compared>>} StoreResult by "login", "verify" and "both", then by stack */
/** @typedef {{ stores: Record<string, StoreResult> }} LoginsResult */

/** @param {import("../measure/server-process.mjs").Cost} one @param {import("../measure/server-process.mjs").Cost} other */
function together(one, other) {
  return {
    requests: one.requests,
    seconds: one.seconds + other.seconds,
    processorSeconds: one.processorSeconds + other.processorSeconds,
  };
}

/** Logins of one stack, a slice of its users at a time. @param {import("../measure/server-process.mjs").ServerSetting} setting */
async function startLogins(setting) {
  const size = setting.stack === "better-auth" ? SLOW : USUAL;
  const crowd = await startCrowd(setting);
  const users = await crowd.enroll(names("u", size.users));
  let from = 0;
  const slice = async () => {
    const part = users.slice(from, from + size.slice);
    from = (from + size.slice) % users.length;
    await crowd.nextStep();
    const login = await crowd.logIn(part);
    const verify = await crowd.verify(part);
    return { login, verify, both: together(login, verify) };
  };
  for (let done = 0; done < size.warmUp; done += 1) await slice();
  return { crowd, slice };
}

/** @param {string} [url] of a Redis server @returns {Promise<StoreResult>} */
async function measureStore(url) {
  const place = placeIn(url);
  const floor = await startLogins({ stack: "floor", ...place });
  /** @type {Record<string, Awaited<ReturnType<typeof startLogins>>>} */
  const others = {};
  try {
    for (const stack of CANDIDATES) others[stack] = await startLogins({ stack, ...place });
    const slices = Object.entries(others).map(([stack, { slice }]) => [stack, slice]);
    return await compare({ base: floor.slice, candidates: Object.fromEntries(slices), rounds: ROUNDS });
  } finally {
    await Promise.all([floor, ...Object.values(others)].map(({ crowd }) => crowd.leave()));
  }
}

/** @param {import("../run.mjs").Services} services @returns {Promise<LoginsResult>} */
export async function measureLogins({ redis }) {
  return { stores: { memory: await measureStore(), Redis: await measureStore(redis.url) } };
}

/** @param {LoginsResult} result @param {Record<string, string>} stackNames @returns {import("../report/tables.mjs").Table[]} */
export function loginsTables({ stores }, stackNames) {
  return Object.entries(stores).map(([store, { verify = {}, both = {} }]) => ({
    title: `A TOTP code checked, and the whole login: ${store}`,
    head: ["stack", "codes/s", "of the floor", "logins/s", "of the floor"],
    rows: Object.keys(verify).map((stack) => [
      stackNames[stack] ?? stack,
      ...cells(verify[stack]),
      ...cells(both[stack]),
    ]),
    notes:
      store === "memory" ? ["better-auth: SQLite in memory."] : ["better-auth: SQLite in memory, sessions in Redis."],
  }));
}

/** @param {import("../measure/slices.mjs").Compared | undefined} found */
function cells(found) {
  if (found === undefined) return ["", ""];
  const isBase = found.ratios.every((ratio) => ratio === 1);
  return [rateText(found.rate), isBase ? "1" : ratioText(found.ratio)];
}

/** @param {LoginsResult} result */
export function loginsTargets({ stores }) {
  return Object.entries(VERIFY_TARGETS).flatMap(([store, ofFloor]) => {
    const verify = stores[store]?.["verify"] ?? {};
    const beside = (/** @type {string} */ other) => against(verify["product"], verify[other]).median;
    return [
      atLeast(`TOTP code checked, ${store}, of the floor by hand`, beside("base"), ofFloor),
      atLeast(`TOTP code checked, ${store}, of passport-totp`, beside("passport-totp"), 1),
      atLeast(`TOTP code checked, ${store}, of better-auth`, beside("better-auth"), 10),
    ];
  });
}
