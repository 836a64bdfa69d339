// @ts-check
// Does a code cost more where an account has everything an account can have?
import { softwareAuthenticator } from "express-second-factor/testing";
import { names, placeIn, startCrowd } from "../measure/browsers.mjs";
import { compare, ratioOf, scatterOf, twinOf } from "../measure/contest.mjs";
import { partOf } from "../measure/effort.mjs";
import { ORIGIN } from "../measure/load.mjs";
import { sum } from "../measure/server-process.mjs";
import { CONTEST_HEAD, contestRows } from "../report/contests.mjs";
import { atLeastOf } from "../report/tables.mjs";
import { WRONG } from "../servers/growth.mjs";

/** With the backup codes twenty factors, the most there can be. */
const SIZE = { authenticators: 9, passkeys: 10, devices: 10, logins: 50 };
const [USERS, STEPS, WARM_UP_STEPS] = [12, 10, 60];
/** Longer than the windows in which wrong codes are counted: an hour, and a quarter of one. */
const [HOUR_MS, QUARTER_MS] = [61 * 60_000, 16 * 60_000];
const WRONG_CODES = WRONG.totp + WRONG["backup-code"];
const LEAST = 0.8;
const [SMALL, LARGE] = ["a small account", "a large account"];

/** @typedef {import("../measure/browsers.mjs").Browser} Browser */
/** @typedef {import("../measure/browsers.mjs").Crowd} Crowd */
/** @typedef {import("../measure/effort.mjs").Effort} Effort */
/** @typedef {import("../measure/server-process.mjs").Cost} Cost */
/** @typedef {{ stores: Record<string, import("../measure/contest.mjs").Contest>, size: typeof SIZE }} LargeResult */

/** Sends one request of a browser, whose cookies go on. @param {Crowd} crowd @param {Browser} browser @param {string} path @param {unknown} body @param {number} status */
async function post(crowd, browser, path, body, status) {
  const answer = await crowd.load.send({ method: "POST", path, body, cookie: browser.cookie });
  if (answer.status !== status) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
  browser.cookie = answer.cookie;
  return JSON.parse(answer.text);
}

/** @typedef {ReturnType<typeof softwareAuthenticator>} Key */

/** @param {Crowd} crowd @param {Browser} browser @param {number} count */
async function addPasskeys(crowd, browser, count) {
  const key = softwareAuthenticator({ origin: ORIGIN });
  for (let added = 0; added < count; added += 1) {
    // One that holds a passkey of the account already would refuse.
    const another = added === 0 ? key : softwareAuthenticator({ origin: ORIGIN });
    const options = await post(crowd, browser, "/2fa/passkey/enroll/options", {}, 200);
    await post(crowd, browser, "/2fa/passkey/enroll", { credential: another.create(options) }, 201);
  }
  return key;
}

/** @param {Crowd} crowd @param {Browser} browser @param {Key} key */
async function usePasskey(crowd, browser, key) {
  const options = await post(crowd, browser, "/2fa/passkey/options", {}, 200);
  await post(crowd, browser, "/2fa/passkey", { credential: key.get(options) }, 200);
}

/** Whole logins, each from a new browser; answers what their codes cost. @param {Crowd} crowd @param {readonly Browser[]} users @param {boolean} trustDevice */
async function logIn(crowd, users, trustDevice) {
  await crowd.nextStep();
  await crowd.logIn(users);
  const calls = users.map((user) => {
    const call = crowd.verifyCall(user, crowd.code(user));
    return trustDevice ? { ...call, body: { code: crowd.code(user), trustDevice } } : call;
  });
  return crowd.send(calls, 200, (answers) => {
    for (const [index, user] of users.entries()) user.cookie = answers[index]?.cookie ?? "";
  });
}

/** What an account has, and that it is as large as is said. @param {Crowd} crowd @param {string} name */
async function assertLarge(crowd, name) {
  const found = JSON.stringify(await crowd.server.ask("count", { name }));
  if (found !== JSON.stringify(SIZE))
    throw new Error(`A large account should have ${JSON.stringify(SIZE)}, not ${found}`);
}

/** Wrong codes that still count, and yet leave room for right ones. @param {Crowd} crowd @param {readonly string[]} users */
async function guessWrong(crowd, users) {
  await crowd.server.ask("advance", { milliseconds: HOUR_MS });
  await crowd.server.ask("guess", { names: users, method: "backup-code" });
  await crowd.server.ask("advance", { milliseconds: QUARTER_MS });
  await crowd.server.ask("guess", { names: users, method: "totp" });
}

/**
 * Accounts with passkeys alone. The routes take the last of twenty factors only where nothing else is in the account: neither the
 * authenticator the first were added with, nor backup codes.
 * @param {Crowd} crowd @param {readonly string[]} users @returns {Promise<void>}
 */
async function growPasskeys(crowd, users) {
  await crowd.server.ask("erase", { names: users });
  const secrets = await crowd.server.ask("addAuthenticators", { names: users, count: 1 });
  const browsers = users.map((name, index) => ({ name, secret: Buffer.from(secrets[index][0], "hex"), cookie: "" }));
  await logIn(crowd, browsers, false);
  const keys = await Promise.all(browsers.map((browser) => addPasskeys(crowd, browser, SIZE.passkeys - 1)));
  await crowd.server.ask("removeAuthenticators", { names: users });
  const again = browsers.map((browser, index) => ({ browser: { ...browser, cookie: "" }, key: keys[index] }));
  await crowd.logIn(again.map(({ browser }) => browser));
  for (const { browser, key } of again) {
    if (key !== undefined) await usePasskey(crowd, browser, key);
    await addPasskeys(crowd, browser, 1);
  }
}

/** Grows accounts; answers the secrets of each. @param {Crowd} crowd @param {readonly string[]} users */
async function grow(crowd, users) {
  await growPasskeys(crowd, users);
  /** @type {string[][]} */
  const answered = await crowd.server.ask("addAuthenticators", { names: users, count: SIZE.authenticators });
  const secrets = answered.map((own) => own.map((secret) => Buffer.from(secret, "hex")));
  for (let made = 0; made < SIZE.logins; made += 1) {
    await logIn(crowd, withAuthenticator(users, secrets, made % SIZE.authenticators), made < SIZE.devices);
  }
  return secrets;
}

/** Each user with one of their authenticators, in a new browser. @param {readonly string[]} users @param {readonly (readonly Buffer[])[]} secrets @param {number} place @returns {Browser[]} */
function withAuthenticator(users, secrets, place) {
  return users.map((name, index) => ({ name, secret: secrets[index]?.[place] ?? Buffer.alloc(0), cookie: "" }));
}

/** @param {import("../measure/server-process.mjs").ServerSetting} place @param {Effort} effort @param {string} prefix of its users */
async function startLarge(place, effort, prefix) {
  const crowd = await startCrowd(place);
  const users = names(prefix, USERS);
  const secrets = await grow(crowd, users);
  let used = 0;
  const slice = async (steps = STEPS) => {
    await guessWrong(crowd, users);
    /** @type {Cost[]} */
    const costs = [];
    for (let step = 0; step < steps; step += 1) {
      // Each of the authenticators in turn, because the first is found sooner than the last.
      const browsers = withAuthenticator(users, secrets, used % SIZE.authenticators);
      used += 1;
      costs.push(await logIn(crowd, browsers, false));
    }
    return { verify: sum(costs) };
  };
  await slice(partOf(effort, WARM_UP_STEPS));
  const check = () => assertLarge(crowd, users.at(-1) ?? "");
  await check();
  return { crowd, slice: () => slice(), check };
}

/** @param {import("../measure/server-process.mjs").ServerSetting} place @param {Effort} effort @param {string} prefix of its users */
async function startSmall(place, effort, prefix) {
  const crowd = await startCrowd(place);
  const users = names(prefix, USERS);
  const slice = async () => {
    // Enrolled anew, so that no record has grown by what was measured before.
    const browsers = await crowd.enroll(users);
    /** @type {Cost[]} */
    const costs = [];
    for (let step = 0; step < STEPS; step += 1) costs.push(await logIn(crowd, browsers, false));
    return { verify: sum(costs) };
  };
  // As many logins as the large accounts have behind them.
  const steps = SIZE.logins + partOf(effort, WARM_UP_STEPS);
  for (let done = 0; done < steps; done += STEPS) await slice();
  return { crowd, slice, check: async () => undefined };
}

/** @param {Effort} effort @param {string} [url] of a Redis server */
async function measureStore(effort, url) {
  const place = { stack: "product", ...placeIn(url) };
  /** @param {number} set */
  const start = async (set) => {
    // Others in each set and process: the clock of a new one is behind what the last one wrote.
    const running = {
      [SMALL]: await startSmall(place, effort, `small${set}-`),
      [twinOf(SMALL)]: await startSmall(place, effort, `little${set}-`),
      [LARGE]: await startLarge(place, effort, `large${set}-`),
    };
    return {
      contenders: Object.fromEntries(Object.entries(running).map(([name, { slice }]) => [name, slice])),
      async leave() {
        for (const { check } of Object.values(running)) await check();
        await Promise.all(Object.values(running).map(({ crowd }) => crowd.leave()));
      },
    };
  };
  const { verify } = await compare({ base: SMALL, start, sets: effort.sets, rounds: effort.rounds });
  return /** @type {import("../measure/contest.mjs").Contest} */ (verify);
}

/** @param {import("../run.mjs").Services} services @returns {Promise<LargeResult>} */
export async function measureLarge({ effort, redis }) {
  return { stores: { memory: await measureStore(effort), Redis: await measureStore(effort, redis.url) }, size: SIZE };
}

/** @param {LargeResult} result @returns {import("../report/tables.mjs").Table[]} */
export function largeTables({ stores, size }) {
  const { authenticators, devices, logins, passkeys } = size;
  return [
    {
      title: "A TOTP code checked, of a small and of a large account",
      head: ["accounts in", "of", ...CONTEST_HEAD],
      rows: Object.entries(stores).flatMap(([store, contest]) =>
        contestRows(contest, {}).map((row) => [store, ...row]),
      ),
      notes: [
        `Large: ${authenticators} authenticators, each used in turn, ${passkeys} passkeys, ${devices} trusted devices, ${logins} logins, ${WRONG_CODES} wrong codes that still count.`,
        `Small: an authenticator, ten backup codes and at most ${STEPS} logins.`,
      ],
    },
  ];
}

/** @param {LargeResult} result */
export function largeTargets({ stores }) {
  return Object.entries(stores).map(([store, contest]) =>
    atLeastOf(
      `TOTP code checked, ${store}, large account of a small one`,
      ratioOf(contest, LARGE),
      scatterOf(contest),
      LEAST,
    ),
  );
}
