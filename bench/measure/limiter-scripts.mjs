// @ts-check
// Tells the commands of rate-limit-redis from those of a store that shares its client: by the scripts it hands to Redis, and by
// the keys it names to them.
import { createHash } from "node:crypto";
import { RedisStore } from "rate-limit-redis";

/** Asks the library itself, with a client that only listens. */
async function limiterScripts() {
  /** @type {Map<string, string>} */
  const scripts = new Map();
  const store = new RedisStore({
    async sendCommand(...[, , text = ""]) {
      const digest = createHash("sha1").update(text).digest("hex");
      scripts.set(digest, text);
      return digest;
    },
  });
  await store.init(/** @type {any} */ ({ windowMs: 1_000 }));
  return scripts;
}

/** @returns {Promise<(command: readonly string[]) => boolean>} to be asked of every command in order */
export async function recognizeLimiter() {
  const scripts = await limiterScripts();
  const texts = new Set(scripts.values());
  /** @type {Set<string>} */
  const keys = new Set();
  return ([name = "", ...args]) => {
    if (name === "SCRIPT") return texts.has(args[1] ?? "");
    if (name !== "EVALSHA") return keys.has(args[0] ?? "");
    const [digest = "", , key = ""] = args;
    if (!scripts.has(digest)) return false;
    keys.add(key);
    return true;
  };
}
