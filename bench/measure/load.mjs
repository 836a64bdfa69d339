// @ts-check
// The load: a fixed number of requests over a fixed number of connections that are kept open, each taking the next request
// as soon as it has its answer.
import { Agent, request } from "node:http";

/** Where every stack believes its pages to be. */
export const ORIGIN = "https://bench.example";

/**
 * @typedef {object} Call
 * @property {string} method
 * @property {string} path
 * @property {string} [cookie]
 * @property {unknown} [body] sent as JSON
 */

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {string} cookie what the next call of this browser carries
 * @property {string} text
 * @property {number} waited milliseconds from the request to the end of its answer
 */

/** What a browser would send from now on. @param {string} known @param {readonly string[]} set */
function mergedCookies(known, set) {
  if (set.length === 0) return known;
  const jar = new Map(known === "" ? [] : known.split("; ").map((pair) => split(pair)));
  for (const line of set) {
    const [name, value] = split(line.split(";", 1)[0] ?? "");
    if (value === "") jar.delete(name);
    else jar.set(name, value);
  }
  return [...jar].map((pair) => pair.join("=")).join("; ");
}

/** @param {string} pair @returns {[string, string]} */
function split(pair) {
  const equals = pair.indexOf("=");
  return [pair.slice(0, equals), pair.slice(equals + 1)];
}

export class Load {
  /** @param {number} port @param {number} connections */
  constructor(port, connections) {
    this.port = port;
    this.connections = connections;
    this.agent = new Agent({ keepAlive: true, maxSockets: connections, scheduling: "fifo" });
  }

  /** @param {Call} call @returns {Promise<Answer>} */
  send({ method, path, cookie = "", body }) {
    const text = body === undefined ? "" : JSON.stringify(body);
    /** @type {Record<string, string | number>} */
    const headers = { host: `127.0.0.1:${this.port}`, accept: "application/json" };
    if (cookie !== "") headers["cookie"] = cookie;
    if (text !== "") headers["content-type"] = "application/json";
    if (method === "POST") {
      headers["content-length"] = Buffer.byteLength(text);
      headers["origin"] = ORIGIN;
    }
    const start = performance.now();
    return new Promise((resolve, reject) => {
      const sent = request(
        { port: this.port, host: "127.0.0.1", agent: this.agent, method, path, headers },
        (answer) => {
          /** @type {string[]} */
          const parts = [];
          answer.setEncoding("utf8");
          answer.on("data", (/** @type {string} */ part) => parts.push(part));
          answer.on("error", reject);
          answer.on("end", () => {
            const waited = performance.now() - start;
            const set = answer.headers["set-cookie"] ?? [];
            resolve({
              status: answer.statusCode ?? 0,
              cookie: mergedCookies(cookie, set),
              text: parts.join(""),
              waited,
            });
          });
        },
      );
      sent.on("error", reject);
      sent.end(text);
    });
  }

  /**
   * Sends all calls and answers when the last one is answered.
   * @param {readonly Call[]} calls
   */
  async run(calls) {
    /** @type {Answer[]} */
    const answers = new Array(calls.length);
    let next = 0;
    const worker = async () => {
      for (;;) {
        const index = next;
        next += 1;
        const call = calls[index];
        if (call === undefined) return;
        answers[index] = await this.send(call);
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.connections, calls.length) }, worker));
    return answers;
  }

  close() {
    this.agent.destroy();
  }
}
