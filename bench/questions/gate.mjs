// @ts-check
// What does the line cost on requests that have nothing to do with second factors? The same page of the same application,
// with `app.use(mfa)` and without.
import { names, startCrowd } from "../measure/browsers.mjs";
import { compare, ratioOf, scatterOf, twinOf } from "../measure/contest.mjs";
import { partOf } from "../measure/effort.mjs";
import { CONTEST_HEAD, contestRows, latencyRows } from "../report/contests.mjs";
import { atLeastOf, atMostOf } from "../report/tables.mjs";

const [SESSIONS, SLICE, WARM_UP] = [200, 600, 10_000];
const PAGE = "/account";
const [NOT_ENROLLED, VERIFIED, PENDING] = ["signed in, no factor", "verified", "pending"];

/** What is wanted of requests of the same application without the line, by store. @type {Record<string, Record<string, number>>} */
export const GATE_TARGETS = {
  memory: { [VERIFIED]: 0.95, [NOT_ENROLLED]: 0.93 },
  Redis: { [VERIFIED]: 0.95, [NOT_ENROLLED]: 0.95 },
  PostgreSQL: { [VERIFIED]: 0.9 },
};
/** Of the wait of the slowest hundredth. */
const MOST_WAIT = 1.15;
const WAITING_STORES = ["memory", "Redis"];

/** @typedef {import("../measure/browsers.mjs").Browser} Browser */
/** @typedef {import("../measure/browsers.mjs").Crowd} Crowd */
/** @typedef {import("../measure/contest.mjs").Contest} Contest */
/** @typedef {import("../measure/contest.mjs").Slice} Slice */
/** @typedef {import("../measure/effort.mjs").Effort} Effort */
/** @typedef {import("../measure/server-process.mjs").StoreKind} StoreKind */
/** @typedef {{ stores: Record<string, Contest> }} GateResult */

/**
 * @typedef {object} Place
 * @property {string | undefined} [sessions]
 * @property {{ kind: StoreKind, url?: string }} store
 * @property {string} base the stack
 * @property {readonly string[]} [beside] stacks that are shown without a target, in one set
 * @property {number} [sets] where fewer will do
 */

/** The page, asked for by each browser in turn. @param {Crowd} crowd @param {readonly Browser[]} browsers @param {number} status @returns {Slice} */
function asks(crowd, browsers, status) {
  const calls = Array.from({ length: SLICE }, (_, index) => {
    return { method: "GET", path: PAGE, cookie: browsers[index % browsers.length]?.cookie ?? "" };
  });
  return async () => ({ page: await crowd.send(calls, status) });
}

/** @param {Crowd} crowd @param {number} set whose users are others: the clock of a new process is behind what the last one wrote */
async function states(crowd, set) {
  const [notEnrolled = [], verified = [], pending = []] = ["none", "whole", "half"].map((prefix) =>
    names(`${prefix}${set}-`, SESSIONS),
  );
  const without = crowd.strangers(notEnrolled);
  await crowd.logIn(without, 200);
  const whole = await crowd.enroll(verified);
  await crowd.nextStep();
  await crowd.logIn(whole);
  await crowd.verify(whole);
  const half = await crowd.enroll(pending);
  await crowd.logIn(half);
  return {
    [NOT_ENROLLED]: asks(crowd, without, 200),
    [VERIFIED]: asks(crowd, whole, 200),
    [PENDING]: asks(crowd, half, 401),
  };
}

/** @param {Crowd} crowd */
async function withoutTheLine(crowd) {
  const users = await crowd.enroll(names("b", SESSIONS));
  await crowd.logIn(users);
  return asks(crowd, users, 200);
}

/** @param {readonly Slice[]} slices that share a process, and so its warm-up @param {Effort} effort */
async function warmUp(slices, effort) {
  const rounds = Math.ceil(partOf(effort, WARM_UP) / (SLICE * slices.length));
  for (let done = 0; done < rounds; done += 1) for (const slice of slices) await slice();
}

/** @param {Place} place @param {Effort} effort @param {number} set */
async function startField({ sessions, store, base, beside = [] }, effort, set) {
  const plain = { [base]: base, [twinOf(base)]: base, ...Object.fromEntries(beside.map((stack) => [stack, stack])) };
  const wanted = Object.entries(plain).filter(([, stack]) => set === 0 || !beside.includes(stack));
  /** @type {Crowd[]} */
  const crowds = [];
  /** @type {Record<string, Slice>} */
  const contenders = {};
  for (const [name, stack] of wanted) {
    const crowd = await startCrowd({ stack, sessions, store });
    crowds.push(crowd);
    contenders[name] = await withoutTheLine(crowd);
    await warmUp([contenders[name]], effort);
  }
  const guarded = await startCrowd({ stack: "product", sessions, store });
  crowds.push(guarded);
  const own = await states(guarded, set);
  await warmUp(Object.values(own), effort);
  return {
    contenders: { ...contenders, ...own },
    leave: async () => void (await Promise.all(crowds.map((crowd) => crowd.leave()))),
  };
}

/** @param {Place} place @param {Effort} effort */
async function measurePlace(place, effort) {
  const { sets = effort.sets, base } = place;
  const start = (/** @type {number} */ set) => startField(place, effort, set);
  const { page } = await compare({ base, start, sets: Math.min(sets, effort.sets), rounds: effort.rounds });
  return /** @type {Contest} */ (page);
}

/** @param {import("../run.mjs").Services} services @returns {Record<string, Place>} */
function places({ redis, postgres }) {
  const { url } = redis;
  return {
    memory: { store: { kind: "memory" }, base: "base" },
    Redis: { sessions: url, store: { kind: "redis", url }, base: "base" },
    PostgreSQL: { store: { kind: "sql", url: postgres.url }, base: "base-with-select", beside: ["base"] },
  };
}

/** @param {import("../run.mjs").Services} services @returns {Promise<GateResult>} */
export async function measureGate(services) {
  /** @type {GateResult["stores"]} */
  const stores = {};
  for (const [name, place] of Object.entries(places(services)))
    stores[name] = await measurePlace(place, services.effort);
  return { stores };
}

/** @type {Record<string, string>} */
const SESSIONS_IN = { memory: "memory", PostgreSQL: "memory" };
/** @type {Record<string, string>} */
const ROW_NAMES = { base: "without the line", "base-with-select": "without the line, one prepared SELECT" };

/** @param {GateResult} result @returns {import("../report/tables.mjs").Table[]} */
export function gateTables({ stores }) {
  const placed = Object.entries(stores).map(([store, contest]) => {
    return { where: `${store}, sessions in ${SESSIONS_IN[store] ?? "Redis"}`, contest };
  });
  return [
    {
      title: "The gate: one page with `app.use(mfa)` and without",
      head: ["accounts", "request", ...CONTEST_HEAD],
      rows: placed.flatMap(({ where, contest }) => contestRows(contest, ROW_NAMES).map((row) => [where, ...row])),
      notes: [
        `${SESSIONS} sessions in turn: their accounts are known to the process.`,
        "Pending requests are answered 401 by the line itself.",
      ],
    },
    {
      title: "The same requests: the slowest hundredth, with 16 connections",
      head: ["accounts", "request", "p99, ms", "of the first"],
      rows: placed.flatMap(({ where, contest }) => latencyRows(contest, ROW_NAMES).map((row) => [where, ...row])),
    },
  ];
}

/** @param {GateResult} result */
export function gateTargets({ stores }) {
  const costs = Object.entries(GATE_TARGETS).flatMap(([store, wanted]) => {
    const contest = stores[store];
    if (contest === undefined) return [];
    const of = `of the same without${contest.base === "base" ? "" : ", which asks one prepared SELECT"}`;
    return Object.entries(wanted).map(([state, least]) =>
      atLeastOf(`${state}, ${store}, ${of}`, ratioOf(contest, state), scatterOf(contest), least),
    );
  });
  const waits = WAITING_STORES.map((store) => {
    const contest = /** @type {Contest} */ (stores[store]);
    const ratio = ratioOf(contest, contest.base, VERIFIED, "p99");
    return atMostOf(
      `p99 of a ${VERIFIED} request, ${store}, of the same without`,
      ratio,
      scatterOf(contest, "p99"),
      MOST_WAIT,
    );
  });
  return [...costs, ...waits];
}
