import type { Clock } from "../core/nouns.js";
import type { RateLimitStore } from "./contract.js";
import { answersOf, nonsense, numberOf, timeToLive } from "./redis-answers.js";
import type { SendCommand } from "./redis-client.js";
import { DECREMENT, INCREMENT, type RunScript } from "./redis-scripts.js";

interface Count {
  readonly totalHits: number;
  readonly resetTime: Date;
}

function countOf([hits, resetAt]: readonly unknown[]): Count {
  const [totalHits, reset] = [numberOf(hits), numberOf(resetAt)];
  if (!Number.isSafeInteger(totalHits) || !Number.isFinite(reset)) return nonsense("attempt counter");
  return { totalHits, resetTime: new Date(reset) };
}

/** Attempt counters whose windows end by the application's clock; rate-limit-redis ends them by the server's. */
export class RedisAttempts implements RateLimitStore {
  readonly localKeys = false;

  constructor(
    private readonly send: SendCommand,
    private readonly run: RunScript,
    private readonly placeOf: (key: string) => string,
    private readonly windowMs: number,
    private readonly clock: Clock,
  ) {}

  async get(key: string): Promise<Count | undefined> {
    const place = this.placeOf(key);
    const fields = answersOf(await this.send(place, ["HMGET", place, "hits", "resetAt"]), "attempt counter");
    if (fields.every((field) => field === null)) return undefined;
    const count = countOf(fields);
    return count.resetTime.getTime() > this.clock() ? count : undefined;
  }

  async increment(key: string): Promise<Count> {
    const now = this.clock();
    const end = now + this.windowMs;
    const answer = await this.run(INCREMENT, this.placeOf(key), [String(now), String(end), timeToLive(end, now)]);
    return countOf(answersOf(answer, "attempt counter"));
  }

  async decrement(key: string): Promise<void> {
    await this.run(DECREMENT, this.placeOf(key), [String(this.clock())]);
  }

  async resetKey(key: string): Promise<void> {
    const place = this.placeOf(key);
    await this.send(place, ["DEL", place]);
  }
}
