// @ts-check
// Users with browsers in front of one stack: who is enrolled, and whose session is worth what.
import { DIALECTS } from "../servers/stacks.mjs";
import { codeAt, STEP_MS, stepAt } from "./codes.mjs";
import { Load } from "./load.mjs";
import { startServer } from "./server-process.mjs";

const CONNECTIONS = 16;
/** The OTP library of passport-totp gets one code in 20,000 wrong. */
const MOST_REFUSED = 0.01;

/** @typedef {{ name: string, secret: Uint8Array, cookie: string }} Browser */
/** @typedef {import("./load.mjs").Call} Call */
/** @typedef {import("./load.mjs").Answer} Answer */

/** @param {string} prefix @param {number} count */
export function names(prefix, count) {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

export class Crowd {
  /** @param {import("./server-process.mjs").ServerProcess} server */
  constructor(server) {
    const dialect = DIALECTS[server.name];
    if (dialect === undefined) throw new Error(`Nobody knows how to log in to ${server.name}`);
    this.server = server;
    this.dialect = dialect;
    this.load = new Load(server.port, CONNECTIONS);
    this.now = Date.now();
  }

  /** Browsers of users without a second factor. @param {readonly string[]} users @returns {Browser[]} */
  strangers(users) {
    return users.map((name) => ({ name, secret: new Uint8Array(), cookie: "" }));
  }

  /** Browsers of users with an authenticator, enrolled now. @param {readonly string[]} users @returns {Promise<Browser[]>} */
  async enroll(users) {
    const secrets = await this.server.ask("enroll", { names: users });
    return users.map((name, index) => ({ name, secret: Buffer.from(secrets[index], "hex"), cookie: "" }));
  }

  /** On to a step in which no code was used. Stacks that take a code twice have no clock to move, and need none. */
  async nextStep() {
    const now = await this.server.ask("advance", { milliseconds: STEP_MS });
    this.now = this.dialect.readsSystemClock === true ? Date.now() : now;
  }

  /** The code of the present step, or of one so many steps off. @param {Browser} browser @param {number} [offset] */
  code({ secret }, offset = 0) {
    return codeAt(secret, stepAt(this.now) + offset);
  }

  /** The first step of a login, each in a new session. @param {readonly Browser[]} browsers @param {number} [status] */
  logIn(browsers, status = this.dialect.asked) {
    return this.#act(browsers, (browser) => this.dialect.login(browser.name), status);
  }

  /** The second step. @param {readonly Browser[]} browsers */
  verify(browsers) {
    return this.#act(browsers, (browser) => this.verifyCall(browser, this.code(browser)), 200);
  }

  /** @param {Browser} browser @param {string} code @returns {Call} */
  verifyCall({ cookie }, code) {
    return { ...this.dialect.verify(code), cookie };
  }

  /**
   * Sends all calls and says what they cost the server. Throws where more than a few are answered with another status.
   * @param {readonly Call[]} calls @param {number} status @param {(answers: readonly Answer[]) => void} [keep]
   */
  async send(calls, status, keep = () => undefined) {
    /** @type {number[]} */
    let waited = [];
    const cost = await this.server.measure(async () => {
      const answers = await this.load.run(calls);
      waited = answers.map((answer) => answer.waited);
      const others = answers.filter((answer) => answer.status !== status);
      if (others.length > calls.length * MOST_REFUSED) {
        const counted = `${others.length} of ${calls.length} not answered ${status}`;
        throw new Error(`${this.server.name}: ${counted}: ${others[0]?.status} ${others[0]?.text}`);
      }
      keep(answers);
      return calls.length;
    });
    return { ...cost, waited };
  }

  /** @param {readonly Browser[]} browsers @param {(browser: Browser) => Call} call @param {number} status */
  #act(browsers, call, status) {
    return this.send(browsers.map(call), status, (answers) => {
      for (const [index, browser] of browsers.entries()) browser.cookie = answers[index]?.cookie ?? "";
    });
  }

  async leave() {
    this.load.close();
    await this.server.stop();
  }
}

/** Sessions and accounts both in the process, or both in one Redis. @param {string} [url] */
export function placeIn(url) {
  if (url === undefined) return {};
  return { sessions: url, store: /** @type {const} */ ({ kind: "redis", url }) };
}

/** Starts a server and a crowd in front of it. @param {import("./server-process.mjs").ServerSetting} setting @param {readonly string[]} [nodeOptions] */
export async function startCrowd(setting, nodeOptions) {
  return new Crowd(await startServer(setting, nodeOptions));
}
