// @ts-check
// Stands between one client and Redis and counts: commands, and round trips as the client sees them. A round trip begins
// with what is sent first after an answer; what follows before the next answer belongs to it. Commands of several kinds may share
// a client: each kind has round trips of its own.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { takeAnswers, takeCommands } from "./resp.mjs";

/** @typedef {import("node:net").Socket} Socket */
/** @typedef {"own" | "limiter"} Kind */

/** What one kind of commands has come to. */
class Tally {
  /** @type {string[]} */
  commands = [];
  /** Round trips whose first answer was handed on. */
  answered = 0;
  isWaiting = false;

  /** @param {string} name */
  sent(name) {
    this.commands.push(name);
    this.isWaiting = true;
  }

  heard() {
    if (this.isWaiting) this.answered += 1;
    this.isWaiting = false;
  }
}

/** @param {Socket} one @param {Socket} other */
function tie(one, other) {
  for (const [socket, partner] of [
    [one, other],
    [other, one],
  ]) {
    socket?.setNoDelay();
    socket?.on("error", () => undefined);
    socket?.on("close", () => partner?.destroy());
  }
}

/** What one address has counted. */
class Count {
  own = new Tally();
  limiter = new Tally();
}

/**
 * Passes everything on, both ways.
 * @param {Socket} client
 * @param {Socket} redis
 * @param {{ kindOf: (command: readonly string[]) => Kind, tally: (kind: Kind) => Tally, holdMs: number }} how
 */
function join(client, redis, { kindOf, tally, holdMs }) {
  /** @type {Kind[]} */
  const open = [];
  /** @type {[Buffer, Buffer]} */
  let [unread, unheard] = [Buffer.alloc(0), Buffer.alloc(0)];
  let handedOn = Promise.resolve();
  client.on("data", (bytes) => {
    const { commands, rest } = takeCommands(Buffer.concat([unread, bytes]));
    unread = rest;
    for (const command of commands) {
      const kind = kindOf(command);
      open.push(kind);
      tally(kind).sent(command[0] ?? "");
    }
    redis.write(bytes);
  });
  redis.on("data", (bytes) => {
    const { answers, rest } = takeAnswers(Buffer.concat([unheard, bytes]));
    unheard = rest;
    for (const answer of answers) {
      const kind = answer.isPush ? undefined : open.shift();
      handedOn = handedOn.then(async () => {
        if (kind === "own" && holdMs > 0) await delay(holdMs);
        if (kind !== undefined) tally(kind).heard();
        client.write(answer.bytes);
      });
    }
  });
  tie(client, redis);
}

/**
 * A Redis address that counts. For one request at a time: of several at once the round trips cannot be told apart.
 * @param {number} redisPort
 * @param {object} [how]
 * @param {(command: readonly string[]) => boolean} [how.isLimiters]
 * @param {number} [how.holdMs] hands the store's own answers on so much later: whoever does not wait for one is done before
 */
export async function startProxy(redisPort, { isLimiters = () => false, holdMs = 0 } = {}) {
  let count = new Count();
  /** @type {Set<Socket>} */
  const clients = new Set();
  const server = createServer((client) => {
    clients.add(client);
    join(client, connect(redisPort, "127.0.0.1"), {
      kindOf: (command) => (isLimiters(command) ? "limiter" : "own"),
      tally: (kind) => count[kind],
      holdMs,
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return {
    url: `redis://127.0.0.1:${port}`,
    /** Forgets what was counted so far. */
    forget() {
      count = new Count();
    },
    /** Round trips that were waited for until now. */
    roundTrips: () => ({ own: count.own.answered, limiter: count.limiter.answered }),
    commands: () => ({ own: [...count.own.commands], limiter: [...count.limiter.commands] }),
    close() {
      for (const client of clients) client.destroy();
      server.close();
    },
  };
}
