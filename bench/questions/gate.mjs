// @ts-check
// What does the line cost on requests that have nothing to do with second factors? The same page of the same application,
// with `app.use(mfa)` and without.
import { names, startCrowd } from "../measure/browsers.mjs";
import { compare } from "../measure/slices.mjs";
import { atLeast, rateText, ratioText } from "../report/tables.mjs";

const [SESSIONS, SLICE, WARM_UP, ROUNDS] = [200, 600, 10_000, 9];
const PAGE = "/account";

/** What is wanted of a verified request, of the same without the line, by store. @type {Record<string, number>} */
export const GATE_TARGETS = { memory: 0.95, Redis: 0.9 };

/** @typedef {import("../measure/browsers.mjs").Browser} Browser */
/** @typedef {import("../measure/browsers.mjs").Crowd} Crowd */
/** @typedef {import("../measure/server-process.mjs").StoreKind} StoreKind */
/** @typedef {{ stores: Record<string, Record<string, import("../measure/slices.mjs").Compared>> }} GateResult */

/** The page, asked for by each browser in turn. @param {Crowd} crowd @param {readonly Browser[]} browsers @param {number} status */
function asks(crowd, browsers, status) {
  const calls = Array.from({ length: SLICE }, (_, index) => {
    return { method: "GET", path: PAGE, cookie: browsers[index % browsers.length]?.cookie ?? "" };
  });
  return async () => ({ page: await crowd.send(calls, status) });
}

/** @param {Crowd} crowd */
async function states(crowd) {
  const [notEnrolled, verified, pending] = ["none", "whole", "half"].map((prefix) => names(prefix, SESSIONS));
  const without = crowd.strangers(notEnrolled ?? []);
  await crowd.logIn(without, 200);
  const whole = await crowd.enroll(verified ?? []);
  await crowd.nextStep();
  await crowd.logIn(whole);
  await crowd.verify(whole);
  const half = await crowd.enroll(pending ?? []);
  await crowd.logIn(half);
  return {
    "signed in, no factor": asks(crowd, without, 200),
    verified: asks(crowd, whole, 200),
    pending: asks(crowd, half, 401),
  };
}

/** @param {{ sessions?: string | undefined, store: { kind: StoreKind, url?: string } }} place */
async function measureStore({ sessions, store }) {
  const [plain, guarded] = [
    await startCrowd({ stack: "base", sessions }),
    await startCrowd({ stack: "product", sessions, store }),
  ];
  try {
    const users = plain.strangers(names("b", SESSIONS));
    await plain.logIn(users);
    const base = asks(plain, users, 200);
    const candidates = await states(guarded);
    for (let sent = 0; sent < WARM_UP; sent += SLICE) await base();
    for (let sent = 0; sent < WARM_UP; sent += 3 * SLICE) for (const slice of Object.values(candidates)) await slice();
    const { page = {} } = await compare({ base, candidates, rounds: ROUNDS });
    return page;
  } finally {
    await Promise.all([plain.leave(), guarded.leave()]);
  }
}

/** @param {import("../run.mjs").Services} services @returns {Promise<GateResult>} */
export async function measureGate({ redis, postgres }) {
  return {
    stores: {
      memory: await measureStore({ store: { kind: "memory" } }),
      Redis: await measureStore({ sessions: redis.url, store: { kind: "redis", url: redis.url } }),
      "Redis, client cache": await measureStore({
        sessions: redis.url,
        store: { kind: "redis-cached", url: redis.url },
      }),
      PostgreSQL: await measureStore({ store: { kind: "sql", url: postgres.url } }),
    },
  };
}

/** @type {Record<string, string>} */
const SESSIONS_IN = { memory: "memory", PostgreSQL: "memory" };

/** @param {GateResult} result @returns {import("../report/tables.mjs").Table[]} */
export function gateTables({ stores }) {
  const rows = Object.entries(stores).flatMap(([store, page]) =>
    Object.entries(page).map(([state, { rate, ratio }]) => {
      const where = `${store}, sessions in ${SESSIONS_IN[store] ?? "Redis"}`;
      return state === "base"
        ? [where, "without the line", rateText(rate), "1"]
        : [where, state, rateText(rate), ratioText(ratio)];
    }),
  );
  return [
    {
      title: "The gate: one page with `app.use(mfa)` and without",
      head: ["accounts", "request", "requests/s", "of the same without"],
      rows,
      notes: [
        `${SESSIONS} sessions in turn: their accounts are known to the process.`,
        "Client cache: `redisStore(client, { clientSideCache: true })`. Pending requests are answered 401 by the line itself.",
      ],
    },
  ];
}

/** @param {GateResult} result */
export function gateTargets({ stores }) {
  return Object.entries(GATE_TARGETS).map(([store, least]) => {
    const found = stores[store]?.["verified"]?.ratio.median ?? NaN;
    return atLeast(`verified request, ${store}, of the same without`, found, least);
  });
}
