import { scriptDigest } from "../crypto/script-digest.js";
import type { SendCommand } from "./redis-client.js";

/** A Lua script over keys of one server. Its numbers are decimal text, as is everything Redis keeps. */
export interface Script {
  readonly text: string;
  readonly digest: string;
}

function script(...lines: readonly string[]): Script {
  const text = lines.join("\n");
  return { text, digest: scriptDigest(text) };
}

// KEYS[1] the entry; ARGV[1] now, ARGV[2] the version it must have ('' for none).
const ENTRY = [
  "local found = redis.call('HMGET', KEYS[1], 'version', 'expiresAt')",
  "local version = found[1]",
  "if not version and redis.call('EXISTS', KEYS[1]) == 1 then",
  "  return redis.error_reply('ERR this key holds no entry of a second-factor store')",
  "end",
  "local expiresAt = tonumber(found[2] or '')",
  "if expiresAt and expiresAt <= tonumber(ARGV[1]) then version = false end",
];

/** ARGV[1] the version that is known already: answers 1 where it is the present one, else what HMGET does. */
export const READ = script(
  "if redis.call('HGET', KEYS[1], 'version') == ARGV[1] then return 1 end",
  "return redis.call('HMGET', KEYS[1], 'value', 'version', 'expiresAt')",
);

/**
 * ARGV[3] the new version, ARGV[4] the value, ARGV[5] when it expires, ARGV[6] ms until the server may drop it ('' for both:
 * never). Answers 1 where it wrote. A client that lost the answer may send the command again: it finds its own version.
 */
export const WRITE = script(
  ...ENTRY,
  "if version == ARGV[3] then return 1 end",
  "if (version or '') ~= ARGV[2] then return 0 end",
  "redis.call('HSET', KEYS[1], 'value', ARGV[4], 'version', ARGV[3], 'expiresAt', ARGV[5])",
  "if ARGV[6] == '' then redis.call('PERSIST', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], ARGV[6]) end",
  "return 1",
);

/** Answers 1 where it removed. */
export const REMOVE = script(
  ...ENTRY,
  "if (version or '') ~= ARGV[2] then return 0 end",
  "return redis.call('DEL', KEYS[1])",
);

// KEYS the counters; ARGV[1] now. All are looked at before one is changed, so that an error leaves none half counted.
const COUNTERS = [
  "local ends, open = {}, {}",
  "for i, key in ipairs(KEYS) do",
  "  local found = redis.call('HMGET', key, 'hits', 'resetAt')",
  "  local hits, resetAt = tonumber(found[1] or ''), tonumber(found[2] or '')",
  "  if not (hits and resetAt) and redis.call('EXISTS', key) == 1 then",
  "    return redis.error_reply('ERR this key holds no attempt counter')",
  "  end",
  "  ends[i] = found[2]",
  "  open[i] = resetAt and resetAt > tonumber(ARGV[1]) and hits",
  "end",
];

/**
 * For each counter two of ARGV: when a window that begins now ends, and ms until the server may drop it. Answers two for each:
 * the hits, and the window's end.
 */
export const INCREMENT = script(
  ...COUNTERS,
  "local counts = {}",
  "for i, key in ipairs(KEYS) do",
  "  local resetAt = ARGV[2 * i]",
  "  if open[i] then",
  "    counts[2 * i - 1], counts[2 * i] = redis.call('HINCRBY', key, 'hits', 1), ends[i]",
  "  else",
  "    redis.call('HSET', key, 'hits', '1', 'resetAt', resetAt)",
  "    redis.call('PEXPIRE', key, ARGV[2 * i + 1])",
  "    counts[2 * i - 1], counts[2 * i] = 1, resetAt",
  "  end",
  "end",
  "return counts",
);

/** Uncounts one attempt of each open window. */
export const DECREMENT = script(
  ...COUNTERS,
  "for i, key in ipairs(KEYS) do",
  "  if open[i] and open[i] > 0 then redis.call('HINCRBY', key, 'hits', -1) end",
  "end",
  "return 1",
);

export type RunScript = (
  script: Script,
  keys: readonly [string, ...string[]],
  args: readonly string[],
) => Promise<unknown>;

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("NOSCRIPT");
}

/** Runs scripts by their digest. A server that does not know one (restarted, flushed, failed over) is handed its text. */
export function scriptRunner(send: SendCommand): RunScript {
  return async (script, keys, args) => {
    const [first] = keys;
    const given = [String(keys.length), ...keys, ...args];
    try {
      return await send(first, ["EVALSHA", script.digest, ...given]);
    } catch (error) {
      // The server ran nothing, so sending it again runs it once.
      if (!isUnknownScript(error)) throw error;
      return send(first, ["EVAL", script.text, ...given]);
    }
  };
}
