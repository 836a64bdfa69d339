import { scriptDigest } from "../crypto/script-digest.js";
import type { SendCommand } from "./redis-client.js";

/** A Lua script over one key. Its numbers are decimal text, as is everything Redis keeps. */
export interface Script {
  readonly text: string;
  readonly digest: string;
}

export function scriptOf(text: string): Script {
  return { text, digest: scriptDigest(text) };
}

function script(...lines: readonly string[]): Script {
  return scriptOf(lines.join("\n"));
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

/** Runs a script over one key. */
export type RunScript = (script: Script, key: string, args: readonly string[]) => Promise<unknown>;

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("NOSCRIPT");
}

/** Runs scripts by their digest. A server that does not know one (restarted, flushed, failed over) is handed its text. */
export function scriptRunner(send: SendCommand): RunScript {
  return async ({ digest, text }, key, args) => {
    try {
      return await send(key, ["EVALSHA", digest, "1", key, ...args]);
    } catch (error) {
      // The server ran nothing, so sending it again runs it once.
      if (!isUnknownScript(error)) throw error;
      return send(key, ["EVAL", text, "1", key, ...args]);
    }
  };
}
