// Where mails and texts stay: nothing leaves the machine. Every process of the demonstration sees the same.
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** As many as the page shows; older ones are forgotten. */
const KEPT = 20;

/**
 * @typedef {object} KeptMessage
 * @property {string} to an address, or a number
 * @property {string} text
 * @property {string} [subject] of mails
 * @property {string} [html] of mails
 * @property {string} at when it was sent, ISO 8601
 */

/** Keeps messages in the folder, one file each: two processes write beside each other. @param {string} folder */
function files(folder) {
  const names = async () => (await readdir(folder)).filter((name) => name.endsWith(".json")).sort();
  let turn = 0;
  return {
    async add(message) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      turn += 1;
      // In the order they were sent in, also within one millisecond.
      const name = `${String(Date.now()).padStart(15, "0")}-${String(turn).padStart(6, "0")}-${randomUUID()}.json`;
      await writeFile(join(folder, name), JSON.stringify(message), { mode: 0o600 });
      const old = (await names()).slice(0, -KEPT);
      await Promise.all(old.map((each) => rm(join(folder, each), { force: true })));
    },
    async list() {
      const texts = (await names().catch(() => [])).map((name) => readFile(join(folder, name), "utf8").catch(() => ""));
      return (await Promise.all(texts)).flatMap((text) => (text === "" ? [] : [JSON.parse(text)]));
    },
  };
}

function memory() {
  const messages = [];
  return {
    async add(message) {
      messages.push(message);
      messages.splice(0, messages.length - KEPT);
    },
    list: async () => messages,
  };
}

/** What stands for a mail server and for a provider of text messages. */
export class Outbox {
  #kept;
  #clock;

  /** @param {{ folder?: string, clock?: () => number }} options without a folder in memory */
  constructor({ folder, clock = Date.now } = {}) {
    this.#kept = folder === undefined ? memory() : files(folder);
    this.#clock = clock;
  }

  /** For `mailSender`, in the place of `nodemailer.createTransport({ … })`. */
  transport = {
    sendMail: ({ to, subject, text, html }) => this.#keep({ to: to.address, subject, text, html }),
  };

  /** For `smsCode`, in the place of `twilioSender({ … })`. */
  sendText = ({ to, text }) => this.#keep({ to, text });

  /** Newest first. @returns {Promise<KeptMessage[]>} */
  async messages() {
    return [...(await this.#kept.list())].reverse();
  }

  #keep(message) {
    return this.#kept.add({ ...message, at: new Date(this.#clock()).toISOString() });
  }
}
