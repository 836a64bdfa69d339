// @ts-check
// What do checking a TOTP code and a whole login cost, beside what they cannot cost less than and what others make of them?
import { names, placeIn, startCrowd } from "../measure/browsers.mjs";
import { compare, ratioOf, scatterOf, twinOf } from "../measure/contest.mjs";
import { partOf } from "../measure/effort.mjs";
import { sum } from "../measure/server-process.mjs";
import { CONTEST_HEAD, contestRows } from "../report/contests.mjs";
import { atLeastOf } from "../report/tables.mjs";

/** Users a slice, in all, and slices before it counts. better-auth takes ten times as long, so it gets fewer. */
const USUAL = { slice: 200, users: 1_000, warmUp: 20 };
const SLOW = { slice: 40, users: 200, warmUp: 18 };

const FLOOR = "floor-promises";
const CONTENDERS = ["product", "passport-totp", "passport-totp-limited", "better-auth"];
/** Floors that promise less: shown without a target, in one set. */
const BARE_FLOORS = ["floor", "floor-with-passport"];

/** What is wanted, of whom, by store. @type {readonly { kind: "verify" | "both", other: string, of: string, least: Record<string, number> }[]} */
export const LOGIN_TARGETS = [
  { kind: "verify", other: FLOOR, of: "the floor with the same promises", least: { memory: 0.95, Redis: 1 } },
  { kind: "both", other: "passport-totp", of: "passport-totp", least: { memory: 0.92, Redis: 1.05 } },
  {
    kind: "both",
    other: "passport-totp-limited",
    of: "passport-totp behind express-rate-limit",
    least: { memory: 1, Redis: 1.1 },
  },
  { kind: "verify", other: "better-auth", of: "better-auth", least: { memory: 11, Redis: 5.5 } },
];
const DONE = { verify: "TOTP code checked", both: "login and code together" };

/** @typedef {import("../measure/effort.mjs").Effort} Effort */
/** @typedef {Record<string, import("../measure/contest.mjs").Contest>} StoreResult by "login", "verify" and "both" */
/** @typedef {{ stores: Record<string, StoreResult> }} LoginsResult */

/** Logins of one stack, a slice of its users at a time. @param {import("../measure/server-process.mjs").ServerSetting} setting @param {Effort} effort @param {string} prefix of its users */
async function startLogins(setting, effort, prefix) {
  const size = setting.stack === "better-auth" ? SLOW : USUAL;
  const crowd = await startCrowd(setting);
  const users = await crowd.enroll(names(prefix, size.users));
  let from = 0;
  const slice = async () => {
    const part = users.slice(from, from + size.slice);
    from = (from + size.slice) % users.length;
    await crowd.nextStep();
    const login = await crowd.logIn(part);
    const verify = await crowd.verify(part);
    // One login is one request here, although it is sent as two.
    return { login, verify, both: { ...sum([login, verify]), requests: login.requests } };
  };
  for (let done = 0; done < partOf(effort, size.warmUp); done += 1) await slice();
  return { crowd, slice };
}

/** @param {Effort} effort @param {string} [url] of a Redis server @returns {Promise<StoreResult>} */
async function measureStore(effort, url) {
  /** @param {number} set */
  const start = async (set) => {
    /** @type {Record<string, Awaited<ReturnType<typeof startLogins>>>} */
    const running = {};
    const others = [...CONTENDERS, ...(set === 0 ? BARE_FLOORS : [])];
    for (const name of [FLOOR, twinOf(FLOOR), ...others]) {
      const isTwin = name === twinOf(FLOOR);
      const setting = { stack: isTwin ? FLOOR : name, ...placeIn(url) };
      // Others in each set and process: twins share a Redis, and the clock of a new one is behind what the last one wrote.
      running[name] = await startLogins(setting, effort, `${isTwin ? "v" : "u"}${set}-`);
    }
    return {
      contenders: Object.fromEntries(Object.entries(running).map(([name, { slice }]) => [name, slice])),
      leave: async () => void (await Promise.all(Object.values(running).map(({ crowd }) => crowd.leave()))),
    };
  };
  return compare({ base: FLOOR, start, sets: effort.sets, rounds: effort.rounds });
}

/** @param {import("../run.mjs").Services} services @returns {Promise<LoginsResult>} */
export async function measureLogins({ effort, redis }) {
  return { stores: { memory: await measureStore(effort), Redis: await measureStore(effort, redis.url) } };
}

/** @param {LoginsResult} result @param {Record<string, string>} stackNames @returns {import("../report/tables.mjs").Table[]} */
export function loginsTables({ stores }, stackNames) {
  return Object.entries(stores).flatMap(([store, { verify, both }]) => {
    const note =
      store === "memory" ? "better-auth: SQLite in memory." : "better-auth: SQLite in memory, sessions in Redis.";
    return [
      { title: `A TOTP code checked: ${store}`, contest: verify },
      { title: `Login and code together: ${store}`, contest: both },
    ].map(({ title, contest }) => ({
      title,
      head: ["stack", ...CONTEST_HEAD],
      rows: contest === undefined ? [] : contestRows(contest, stackNames),
      notes: [note],
    }));
  });
}

/** @param {LoginsResult} result */
export function loginsTargets({ stores }) {
  return LOGIN_TARGETS.flatMap(({ kind, other, of, least }) =>
    Object.entries(stores).flatMap(([store, result]) => {
      const [contest, wanted] = [result[kind], least[store]];
      if (contest === undefined || wanted === undefined) return [];
      const what = `${DONE[kind]}, ${store}, of ${of}`;
      return [atLeastOf(what, ratioOf(contest, "product", other), scatterOf(contest), wanted)];
    }),
  );
}
