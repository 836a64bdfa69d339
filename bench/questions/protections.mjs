// @ts-check
// Speed is cheap for whoever checks less. Each stack is attacked in the same four ways, and what it did is written down.
import { names, startCrowd } from "../measure/browsers.mjs";
import { codeAt, stepAt } from "../measure/codes.mjs";

const STACKS = [
  "floor",
  "floor-with-passport",
  "floor-promises",
  "product",
  "passport-totp",
  "passport-totp-limited",
  "better-auth",
];
const [REPEATS, WRONG_CODES, AT_ONCE] = [3, 15, 20];
/** Steps either side whose codes no guess may hit by chance: wider than any stack's window. */
const FAR = 12;

/** @typedef {import("../measure/browsers.mjs").Crowd} Crowd */
/** @typedef {import("../measure/browsers.mjs").Browser} Browser */
/** @typedef {{ repeated: number, guessed: string, atOnce: number, passwordOpens: boolean | null, newSession: boolean }} Observed */
/** @typedef {{ stacks: Record<string, Observed> }} ProtectionsResult */

/** A browser of this user that gave the password. @param {Crowd} crowd @param {Browser} user @returns {Promise<Browser>} */
async function freshLogin(crowd, user) {
  const { cookie } = await crowd.load.send(crowd.dialect.login(user.name));
  return { ...user, cookie };
}

/** @param {Crowd} crowd @param {Browser} user @param {number} count */
async function freshLogins(crowd, user, count) {
  /** @type {Browser[]} */
  const browsers = [];
  for (let made = 0; made < count; made += 1) browsers.push(await freshLogin(crowd, user));
  return browsers;
}

/** How many of three logins, one after another, one code completes. @param {Crowd} crowd @param {Browser} user */
async function repeatCode(crowd, user) {
  await crowd.nextStep();
  let accepted = 0;
  for (const browser of await freshLogins(crowd, user, REPEATS)) {
    const { status } = await crowd.load.send(crowd.verifyCall(browser, crowd.code(user)));
    if (status === 200) accepted += 1;
  }
  return accepted;
}

/** How many logins one code completes that is sent for all of them at once. @param {Crowd} crowd @param {Browser} user */
async function useAtOnce(crowd, user) {
  await crowd.nextStep();
  const browsers = await freshLogins(crowd, user, AT_ONCE);
  const calls = browsers.map((browser) => crowd.verifyCall(browser, crowd.code(user)));
  const answers = await Promise.all(calls.map((call) => crowd.load.send(call)));
  return answers.filter(({ status }) => status === 200).length;
}

/** A code that is right at no time near. @param {Crowd} crowd @param {Browser} user @param {number} attempt */
function wrongCode(crowd, user, attempt) {
  const present = stepAt(crowd.now);
  const right = new Set(Array.from({ length: 2 * FAR + 1 }, (_, index) => codeAt(user.secret, present + index - FAR)));
  for (let number = attempt * 1_000; ; number += 1) {
    const code = String(number).padStart(6, "0");
    if (!right.has(code)) return code;
  }
}

/** Wrong codes, each in a login of its own, and then the right one. @param {Crowd} crowd @param {Browser} user */
async function guess(crowd, user) {
  await crowd.nextStep();
  /** @type {number[]} */
  const statuses = [];
  for (const [attempt, browser] of (await freshLogins(crowd, user, WRONG_CODES)).entries()) {
    const { status } = await crowd.load.send(crowd.verifyCall(browser, wrongCode(crowd, user, attempt)));
    statuses.push(status);
  }
  const browser = await freshLogin(crowd, user);
  const { status } = await crowd.load.send(crowd.verifyCall(browser, crowd.code(user)));
  const locked = statuses.findIndex((each) => each !== statuses[0]);
  const said = locked < 0 ? "" : `, ${statuses[locked]} from the ${locked + 1}th wrong code on`;
  return `${status === 200 ? "accepted" : "refused"}${said}`;
}

/** What the password alone opens, and whether the session keeps its name. @param {Crowd} crowd @param {Browser} user */
async function observeSession(crowd, user) {
  await crowd.nextStep();
  const pending = await freshLogin(crowd, user);
  const { page, opens } = crowd.dialect;
  const shown =
    page === undefined ? undefined : await crowd.load.send({ method: "GET", path: page, cookie: pending.cookie });
  const { cookie } = await crowd.load.send(crowd.verifyCall(pending, crowd.code(user)));
  const passwordOpens = shown === undefined ? null : opens(shown);
  return { passwordOpens, newSession: cookie !== pending.cookie };
}

/** @param {string} stack @returns {Promise<Observed>} */
async function observe(stack) {
  const crowd = await startCrowd({ stack });
  try {
    const [repeater, racer, guesser, visitor] = await crowd.enroll(names("a", 4));
    if (!repeater || !racer || !guesser || !visitor) throw new Error("Four users are needed");
    return {
      repeated: await repeatCode(crowd, repeater),
      atOnce: await useAtOnce(crowd, racer),
      guessed: await guess(crowd, guesser),
      ...(await observeSession(crowd, visitor)),
    };
  } finally {
    await crowd.leave();
  }
}

/** @returns {Promise<ProtectionsResult>} */
export async function measureProtections() {
  /** @type {Record<string, Observed>} */
  const stacks = {};
  for (const stack of STACKS) stacks[stack] = await observe(stack);
  return { stacks };
}

/** @param {boolean | null} value */
function yesNo(value) {
  if (value === null) return "has none";
  return value ? "yes" : "no";
}

/** @param {ProtectionsResult} result @param {Record<string, string>} stackNames @returns {import("../report/tables.mjs").Table[]} */
export function protectionsTables({ stacks }, stackNames) {
  return [
    {
      title: "What each of them lets through, as seen in this run",
      head: [
        "stack",
        `one code, ${REPEATS} logins`,
        `one code, ${AT_ONCE} logins at once`,
        `right code after ${WRONG_CODES} wrong ones`,
        "password alone opens the guarded page",
        "new session after the code",
      ],
      rows: Object.entries(stacks).map(([stack, seen]) => [
        stackNames[stack] ?? stack,
        `${seen.repeated} completed`,
        `${seen.atOnce} completed`,
        seen.guessed,
        yesNo(seen.passwordOpens),
        yesNo(seen.newSession),
      ]),
      notes: [
        "The guard of the page asks `req.isAuthenticated()` and nothing else; better-auth is asked for its session.",
      ],
    },
  ];
}
