import type { ClientRateLimitInfo, Options } from "express-rate-limit";
import { type RedisReply, RedisStore as RateLimitRedis } from "rate-limit-redis";
import type { RateLimitStore } from "./contract.js";
import type { SendCommand } from "./redis-client.js";
import { type RunScript, type Script, scriptOf } from "./redis-scripts.js";

/**
 * rate-limit-redis' own is DECR, which makes a count of -1 that never ends where there is none. Answers 1 where it took one back.
 */
const DECREMENT = scriptOf(
  [
    "if redis.call('PTTL', KEYS[1]) <= 0 or tonumber(redis.call('GET', KEYS[1])) <= 0 then return 0 end",
    "redis.call('DECR', KEYS[1])",
    "return 1",
  ].join("\n"),
);

/**
 * A way to send commands for rate-limit-redis, on which a script is never loaded, only run: by its digest, or by its text where
 * the server does not know it. Its own loading waits for the server at start, need not reach the one that owns a key, and, where
 * it failed once, is not tried again.
 */
function selfLoading(send: SendCommand, run: RunScript) {
  const scripts = new Map<string, Script>();
  const runKnown = async (key: string, digest: string, args: readonly string[]): Promise<unknown> => {
    const script = scripts.get(digest);
    if (script === undefined) throw new Error("rate-limit-redis runs a script that it did not load");
    return run(script, key, args);
  };
  return async ({ key = "", command }: { readonly key?: string; readonly command: string[] }): Promise<RedisReply> => {
    const [verb = "", first = "", ...others] = command;
    if (verb === "SCRIPT") {
      const script = scriptOf(others[0] ?? "");
      scripts.set(script.digest, script);
      return script.digest;
    }
    // The others are how many keys, the one key, and what the script is told.
    const answer = verb === "EVALSHA" ? runKnown(key, first, others.slice(2)) : send(key, [verb, first, ...others]);
    return (await answer) as RedisReply;
  };
}

/** rate-limit-redis, with what it does wrong put right. */
class RedisRateLimits implements RateLimitStore {
  readonly localKeys = false;
  private readonly inner: RateLimitRedis;

  constructor(
    readonly prefix: string,
    send: SendCommand,
    private readonly run: RunScript,
  ) {
    this.inner = new RateLimitRedis({ prefix, sendCommandCluster: selfLoading(send, run) });
  }

  /** Asks the server nothing, so it neither waits nor fails. */
  init(options: Options): Promise<void> {
    return this.inner.init(options);
  }

  /** Its own answers NaN, and a window that is over, where nothing was counted. */
  async get(key: string): Promise<ClientRateLimitInfo | undefined> {
    const count = await this.inner.get(key);
    const isOpen = count?.resetTime !== undefined && count.resetTime.getTime() > Date.now();
    return isOpen && count.totalHits > 0 ? count : undefined;
  }

  increment(key: string): Promise<ClientRateLimitInfo> {
    return this.inner.increment(key);
  }

  async decrement(key: string): Promise<void> {
    await this.run(DECREMENT, this.inner.prefixKey(key), []);
  }

  resetKey(key: string): Promise<void> {
    return this.inner.resetKey(key);
  }
}

/**
 * Counts under keys that begin with `prefix`. Windows end by the server's clock; `resetTime` is this process' clock and what the
 * server says is left, and so later than the window's length from now by as much as the answer was on its way.
 */
export function redisRateLimits(prefix: string, send: SendCommand, run: RunScript): RateLimitStore {
  return new RedisRateLimits(prefix, send, run);
}
