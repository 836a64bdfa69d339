// @ts-check
// Stands between one client and Redis and counts: commands, and round trips as the client sees them. A round trip begins
// with what is sent first after an answer; what follows before the next answer belongs to it.
import { once } from "node:events";
import { connect, createServer } from "node:net";

/** Whole requests at the beginning of the text, and what is left. Clients send lists of bulk strings only. @param {Buffer} bytes */
function takeCommands(bytes) {
  /** @type {string[]} */
  const commands = [];
  let rest = bytes;
  for (;;) {
    const taken = takeCommand(rest);
    if (taken === undefined) return { commands, rest };
    commands.push(taken.name);
    rest = taken.rest;
  }
}

/** @param {Buffer} bytes */
function takeCommand(bytes) {
  const lines = lineReader(bytes);
  const count = lines.number("*");
  if (count === undefined) return undefined;
  let name = "";
  for (let index = 0; index < count; index += 1) {
    const length = lines.number("$");
    const text = length === undefined ? undefined : lines.bulk(length);
    if (text === undefined) return undefined;
    if (index === 0) name = text.toString().toUpperCase();
  }
  return { name, rest: lines.rest() };
}

/** @param {Buffer} bytes */
function lineReader(bytes) {
  let at = 0;
  return {
    /** @param {string} mark */
    number(mark) {
      const end = bytes.indexOf("\r\n", at);
      if (end < 0) return undefined;
      const line = bytes.toString("latin1", at, end);
      if (!line.startsWith(mark)) throw new Error(`Redis was sent something else than a list: ${line.slice(0, 20)}`);
      at = end + 2;
      return Number(line.slice(1));
    },
    /** @param {number} length */
    bulk(length) {
      if (bytes.length < at + length + 2) return undefined;
      at += length + 2;
      return bytes.subarray(at - length - 2, at - 2);
    },
    rest: () => bytes.subarray(at),
  };
}

/** @typedef {{ commands: string[], roundTrips: number }} Counted */
/** @typedef {import("node:net").Socket} Socket */

/** Passes everything on, both ways. @param {Socket} client @param {Socket} redis @param {(commands: string[], isFirst: boolean) => void} note */
function join(client, redis, note) {
  let hasHeard = true;
  /** @type {Buffer} */
  let unread = Buffer.alloc(0);
  client.on("data", (bytes) => {
    const { commands, rest } = takeCommands(Buffer.concat([unread, bytes]));
    unread = rest;
    note(commands, hasHeard);
    hasHeard = false;
    redis.write(bytes);
  });
  redis.on("data", (bytes) => {
    hasHeard = true;
    client.write(bytes);
  });
  for (const [one, other] of [
    [client, redis],
    [redis, client],
  ]) {
    one?.setNoDelay();
    one?.on("error", () => undefined);
    one?.on("close", () => other?.destroy());
  }
}

/** A Redis address that counts. For one request at a time: of several at once the round trips cannot be told apart. @param {number} redisPort */
export async function startProxy(redisPort) {
  /** @type {Counted} */
  let counted = { commands: [], roundTrips: 0 };
  /** @type {Set<Socket>} */
  const clients = new Set();
  const server = createServer((client) => {
    clients.add(client);
    join(client, connect(redisPort, "127.0.0.1"), (commands, isFirst) => {
      counted.commands.push(...commands);
      if (isFirst) counted.roundTrips += 1;
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return {
    url: `redis://127.0.0.1:${port}`,
    /** What was counted since the last time. */
    take() {
      const taken = counted;
      counted = { commands: [], roundTrips: 0 };
      return taken;
    },
    close() {
      for (const client of clients) client.destroy();
      server.close();
    },
  };
}
