// @ts-check
// As much of Redis's protocol as counting needs: where a command or an answer ends.

/** @param {Buffer} bytes @param {number} at */
function lineEnd(bytes, at) {
  const end = bytes.indexOf("\r\n", at);
  return end < 0 ? undefined : end + 2;
}

/** The whole commands at the beginning, and what is left. Clients send lists of bulk strings only. @param {Buffer} bytes */
export function takeCommands(bytes) {
  /** @type {string[][]} */
  const commands = [];
  let rest = bytes;
  for (;;) {
    const taken = takeCommand(rest);
    if (taken === undefined) return { commands, rest };
    commands.push(taken.command);
    rest = taken.rest;
  }
}

/** @param {Buffer} bytes */
function takeCommand(bytes) {
  const head = numberAt(bytes, 0, "*");
  if (head === undefined) return undefined;
  /** @type {string[]} */
  const command = [];
  let { end } = head;
  for (let index = 0; index < head.number; index += 1) {
    const length = numberAt(bytes, end, "$");
    if (length === undefined || bytes.length < length.end + length.number + 2) return undefined;
    command.push(bytes.toString("utf8", length.end, length.end + length.number));
    end = length.end + length.number + 2;
  }
  const [name = "", ...args] = command;
  return { command: [name.toUpperCase(), ...args], rest: bytes.subarray(end) };
}

/** @param {Buffer} bytes @param {number} at @param {string} mark */
function numberAt(bytes, at, mark) {
  const end = lineEnd(bytes, at);
  if (end === undefined) return undefined;
  const line = bytes.toString("latin1", at, end - 2);
  if (!line.startsWith(mark)) throw new Error(`Redis was sent something else than a list: ${line.slice(0, 20)}`);
  return { number: Number(line.slice(1)), end };
}

/** The whole answers at the beginning, and what is left. What Redis sends unasked is marked. @param {Buffer} bytes */
export function takeAnswers(bytes) {
  /** @type {{ bytes: Buffer, isPush: boolean }[]} */
  const answers = [];
  let from = 0;
  for (;;) {
    const end = valueEnd(bytes, from);
    if (end === undefined) return { answers, rest: bytes.subarray(from) };
    answers.push({ bytes: bytes.subarray(from, end), isPush: bytes[from] === PUSH });
    from = end;
  }
}

const PUSH = ">".charCodeAt(0);
const BULKS = "$!=";
/** How many values follow each counted one. @type {Record<string, number>} */
const LISTS = { "*": 1, "~": 1, ">": 1, "%": 2 };

/** @param {Buffer} bytes @param {number} at @returns {number | undefined} undefined where the value is not whole */
function valueEnd(bytes, at) {
  const end = lineEnd(bytes, at);
  if (end === undefined) return undefined;
  const [type = "", size] = [bytes.toString("latin1", at, at + 1), Number(bytes.toString("latin1", at + 1, end - 2))];
  if (BULKS.includes(type) && size >= 0) return bytes.length < end + size + 2 ? undefined : end + size + 2;
  /** @type {number | undefined} */
  let after = end;
  for (let left = size * (LISTS[type] ?? 0); left > 0 && after !== undefined; left -= 1) after = valueEnd(bytes, after);
  return after;
}
