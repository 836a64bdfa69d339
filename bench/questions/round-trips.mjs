// @ts-check
// How often does a request go to Redis? Counted on the wire, between each client and the server: the sessions have one client,
// the accounts another, which the address limit shares.
import { setTimeout as delay } from "node:timers/promises";
import { names, startCrowd } from "../measure/browsers.mjs";
import { recognizeLimiter } from "../measure/limiter-scripts.mjs";
import { startProxy } from "../measure/redis-proxy.mjs";
import { atMost } from "../report/tables.mjs";

const STACKS = ["floor", "floor-with-passport", "floor-promises", "product", "passport-totp", "passport-totp-limited"];
/** Those that know accounts by their last request, and are asked again where another process had it. */
const KNOWING = new Set(["floor-promises", "product"]);
const [CODE, CODE_ELSEWHERE] = ["code", "code, password given to another process"];
/** Answers of the accounts are held back so long, and what is sent beside an answer is waited for so long. */
const [HOLD_MS, LATE_MS] = [25, 150];

/** @typedef {{ commands: string[], roundTrips: number }} Counted */
/** @typedef {import("../measure/browsers.mjs").Browser} Browser */
/** @typedef {import("../measure/load.mjs").Call} Call */
/** @typedef {{ sessions: Counted, accounts: Counted, limiter: Counted }} Step */
/** @typedef {{ stacks: Record<string, Record<string, Step>> }} RoundTripsResult by stack, then by step */

/** One process of a stack, and what it sends to Redis. @param {string} stack @param {number} redisPort */
async function startCounted(stack, redisPort) {
  const sessions = await startProxy(redisPort);
  const accounts = await startProxy(redisPort, { isLimiters: await recognizeLimiter(), holdMs: HOLD_MS });
  const crowd = await startCrowd({ stack, sessions: sessions.url, store: { kind: "redis", url: accounts.url } });
  return {
    crowd,
    /** Sends a request of a browser and counts. @param {Browser} user @param {Call} call */
    async count(user, call) {
      for (const proxy of [sessions, accounts]) proxy.forget();
      const { cookie, status } = await crowd.load.send({ ...call, cookie: user.cookie });
      user.cookie = cookie;
      const [its, own] = [sessions.roundTrips().own, accounts.roundTrips()];
      await delay(LATE_MS);
      const sent = accounts.commands();
      /** @type {Step} */
      const step = {
        sessions: { commands: sessions.commands().own, roundTrips: its },
        accounts: { commands: sent.own, roundTrips: own.own },
        limiter: { commands: sent.limiter, roundTrips: own.limiter },
      };
      return { step, status };
    },
    async leave() {
      await crowd.leave();
      for (const proxy of [sessions, accounts]) proxy.close();
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof startCounted>>} Server */

/** The first login of a process hands Redis the texts of the scripts. @param {Server} server @param {Browser} user */
async function handScripts({ crowd }, user) {
  await crowd.nextStep();
  await crowd.logIn([user]);
  await crowd.verify([user]);
  await crowd.nextStep();
  await delay(LATE_MS);
}

/** A whole login: the visitor is sent away from a page, logs in, and comes back to it. @param {Server} server @param {Browser} user */
async function journey({ crowd, count }, user) {
  const { dialect } = crowd;
  const { page } = dialect;
  /** @type {[string, Call][]} */
  const login = [
    ["password", dialect.login(user.name)],
    [CODE, dialect.verify(crowd.code(user))],
  ];
  /** @type {Call} */
  const visit = { method: "GET", path: page ?? "" };
  /** @type {[string, Call][]} */
  const calls = page === undefined ? login : [["page, nobody logged in", visit], ...login, ["page, verified", visit]];
  /** @type {Record<string, Step>} */
  const steps = {};
  let last = 0;
  for (const [name, call] of calls) ({ step: steps[name], status: last } = await count(user, call));
  if (last !== 200) throw new Error(`${crowd.server.name}: the login that was counted came to nothing`);
  return steps;
}

/** A code for a process that has not seen its user. @param {Server} first @param {Server} other @param {Browser} user @param {Browser} helper */
async function codeElsewhere(first, other, user, helper) {
  await handScripts(other, helper);
  for (const { crowd } of [first, other]) await crowd.nextStep();
  await first.crowd.logIn([user]);
  const { step, status } = await other.count(user, other.crowd.dialect.verify(other.crowd.code(user)));
  if (status !== 200) throw new Error(`${other.crowd.server.name}: the other process did not accept the code`);
  return step;
}

/** @param {string} stack @param {number} redisPort @returns {Promise<Record<string, Step>>} */
async function countStack(stack, redisPort) {
  const first = await startCounted(stack, redisPort);
  try {
    const [user, other, helper, otherHelper] = await first.crowd.enroll(names("c", 4));
    if (!user || !other || !helper || !otherHelper) throw new Error("Four users are needed");
    await handScripts(first, helper);
    const steps = await journey(first, user);
    if (!KNOWING.has(stack)) return steps;
    const second = await startCounted(stack, redisPort);
    try {
      return { ...steps, [CODE_ELSEWHERE]: await codeElsewhere(first, second, other, otherHelper) };
    } finally {
      await second.leave();
    }
  } finally {
    await first.leave();
  }
}

/** @param {import("../run.mjs").Services} services @returns {Promise<RoundTripsResult>} */
export async function measureRoundTrips({ redis }) {
  /** @type {RoundTripsResult["stacks"]} */
  const stacks = {};
  for (const stack of STACKS) stacks[stack] = await countStack(stack, redis.port);
  return { stacks };
}

/** @param {Counted} counted */
function countText({ commands, roundTrips }) {
  const kinds = [...new Set(commands)].map((name) => `${commands.filter((each) => each === name).length} ${name}`);
  return commands.length === 0 ? "none" : `${commands.length} in ${roundTrips}: ${kinds.join(", ")}`;
}

/** @param {RoundTripsResult} result @param {Record<string, string>} stackNames @returns {import("../report/tables.mjs").Table[]} */
export function roundTripsTables({ stacks }, stackNames) {
  return [
    {
      title: "Redis: commands in round trips, step by step through a login",
      head: ["stack", "step", "its own", "the address limit's", "the session's"],
      rows: Object.entries(stacks).flatMap(([stack, steps]) =>
        Object.entries(steps).map(([step, { sessions, accounts, limiter }]) => {
          return [stackNames[stack] ?? stack, step, ...[accounts, limiter, sessions].map(countText)];
        }),
      ),
      notes: [
        "Counted on the wire. A round trip begins with what a client sends first after an answer, and counts where the request waits for it.",
      ],
    },
  ];
}

/** Of the four steps of one login. @param {Record<string, Step> | undefined} steps */
function commandsOf(steps = {}) {
  const counted = Object.entries(steps).filter(([name]) => name !== CODE_ELSEWHERE);
  return counted.flatMap(([, step]) => Object.values(step).flatMap(({ commands }) => commands)).length;
}

/** @param {RoundTripsResult} result */
export function roundTripsTargets({ stacks }) {
  const own = (/** @type {string} */ step) => stacks["product"]?.[step]?.accounts.roundTrips ?? NaN;
  return [
    atMost("its own round trips of a code, where the process knows the account", own(CODE), 1),
    atMost("its own round trips of a code, where it does not", own(CODE_ELSEWHERE), 2),
    atMost("Redis commands of all four steps together", commandsOf(stacks["product"]), 13),
  ];
}
