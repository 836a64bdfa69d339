// @ts-check
// How often does a request go to Redis? Counted on the wire, between each client and the server: the sessions have one client,
// the accounts another.
import { names, startCrowd } from "../measure/browsers.mjs";
import { startProxy } from "../measure/redis-proxy.mjs";
import { atMost } from "../report/tables.mjs";

const STACKS = ["floor", "floor-with-passport", "product", "passport-totp"];

/** @typedef {import("../measure/redis-proxy.mjs").Counted} Counted */
/** @typedef {{ sessions: Counted, accounts: Counted }} Step */
/** @typedef {{ stacks: Record<string, Record<string, Step>> }} RoundTripsResult by stack, then by step */

/** @param {string} stack @param {number} redisPort @returns {Promise<Record<string, Step>>} */
async function count(stack, redisPort) {
  const [sessions, accounts] = [await startProxy(redisPort), await startProxy(redisPort)];
  const crowd = await startCrowd({ stack, sessions: sessions.url, store: { kind: "redis", url: accounts.url } });
  /** @param {() => Promise<unknown>} act @returns {Promise<Step>} */
  const counting = async (act) => {
    sessions.take();
    accounts.take();
    await act();
    return { sessions: sessions.take(), accounts: accounts.take() };
  };
  try {
    const users = await crowd.enroll(names("c", 2));
    // The first login of a process hands Redis the texts of the scripts.
    await crowd.nextStep();
    await crowd.logIn(users.slice(1));
    await crowd.verify(users.slice(1));
    const user = users.slice(0, 1);
    await crowd.nextStep();
    const login = await counting(() => crowd.logIn(user));
    const verify = await counting(() => crowd.verify(user));
    const path = crowd.dialect.page;
    if (path === undefined) return { login, verify };
    const call = { method: "GET", path, cookie: user[0]?.cookie ?? "" };
    return { login, verify, "verified request": await counting(() => crowd.send([call], 200)) };
  } finally {
    await crowd.leave();
    for (const proxy of [sessions, accounts]) proxy.close();
  }
}

/** @param {import("../run.mjs").Services} services @returns {Promise<RoundTripsResult>} */
export async function measureRoundTrips({ redis }) {
  /** @type {RoundTripsResult["stacks"]} */
  const stacks = {};
  for (const stack of STACKS) stacks[stack] = await count(stack, redis.port);
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
      title: "Redis: commands in round trips",
      head: ["stack", "step", "its own", "the session's"],
      rows: Object.entries(stacks).flatMap(([stack, steps]) =>
        Object.entries(steps).map(([step, { sessions, accounts }]) => {
          return [stackNames[stack] ?? stack, step, countText(accounts), countText(sessions)];
        }),
      ),
      notes: ["Counted on the wire. A round trip begins with what a client sends first after an answer."],
    },
  ];
}

/** @param {Record<string, Step> | undefined} steps */
function commandsOfLogin(steps) {
  const both = ["login", "verify"].map((step) => steps?.[step]);
  return both.reduce(
    (sum, step) => sum + (step?.accounts.commands.length ?? NaN) + (step?.sessions.commands.length ?? NaN),
    0,
  );
}

/** @param {RoundTripsResult} result */
export function roundTripsTargets({ stacks }) {
  const own = (/** @type {string} */ step) => stacks["product"]?.[step]?.accounts.roundTrips ?? NaN;
  return [
    atMost("its own round trips of a verified request", own("verified request"), 1),
    atMost("its own round trips of a code checked", own("verify"), 3),
    atMost(
      "commands of a whole login, sessions and all: as passport-totp",
      commandsOfLogin(stacks["product"]),
      commandsOfLogin(stacks["passport-totp"]),
    ),
  ];
}
