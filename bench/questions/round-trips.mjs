// @ts-check
// How often does a request go to Redis? Counted on the wire, between each client and the server: the sessions have one client,
// the accounts another.
import { names, startCrowd } from "../measure/browsers.mjs";
import { startProxy } from "../measure/redis-proxy.mjs";
import { atMost } from "../report/tables.mjs";

const STACKS = ["floor", "floor-with-passport", "product", "passport-totp"];

/** @typedef {import("../measure/redis-proxy.mjs").Counted} Counted */
/** @typedef {import("../measure/browsers.mjs").Crowd} Crowd */
/** @typedef {import("../measure/browsers.mjs").Browser} Browser */
/** @typedef {import("../measure/load.mjs").Call} Call */
/** @typedef {{ sessions: Counted, accounts: Counted }} Step */
/** @typedef {{ stacks: Record<string, Record<string, Step>> }} RoundTripsResult by stack, then by step */

/** A whole login: the visitor is sent away from a page, logs in, and comes back to it. @param {Crowd} crowd @param {Browser} user @returns {[string, () => Call][]} */
function journey(crowd, user) {
  const { dialect } = crowd;
  const { page } = dialect;
  /** @type {[string, () => Call][]} */
  const login = [
    ["password", () => dialect.login(user.name)],
    ["code", () => dialect.verify(crowd.code(user))],
  ];
  if (page === undefined) return login;
  const visit = () => ({ method: "GET", path: page });
  return [["page, nobody logged in", visit], ...login, ["page, verified", visit]];
}

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
    await crowd.nextStep();
    const [user] = users;
    if (user === undefined) throw new Error("A user is needed");
    /** @type {Record<string, Step>} */
    const steps = {};
    let status = 0;
    for (const [name, call] of journey(crowd, user)) {
      steps[name] = await counting(async () => {
        ({ cookie: user.cookie, status } = await crowd.load.send({ ...call(), cookie: user.cookie }));
      });
    }
    if (status !== 200) throw new Error(`${stack}: the login that was counted came to nothing`);
    return steps;
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
      title: "Redis: commands in round trips, step by step through a login",
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
function commandsOf(steps = {}) {
  const counted = Object.values(steps).flatMap(({ sessions, accounts }) => [
    ...sessions.commands,
    ...accounts.commands,
  ]);
  return counted.length;
}

/** @param {RoundTripsResult} result */
export function roundTripsTargets({ stacks }) {
  const own = (/** @type {string} */ step) => stacks["product"]?.[step]?.accounts.roundTrips ?? NaN;
  const byHand = commandsOf(stacks["passport-totp"]);
  return [
    atMost("its own round trips of a verified request", own("page, verified"), 1),
    atMost("its own round trips of a code checked", own("code"), 3),
    atMost("Redis commands of all four steps together, as passport-totp", commandsOf(stacks["product"]), byHand),
  ];
}
