import type { Clock } from "../core/nouns.js";
import type { Count, Counter, RateLimitStore } from "./contract.js";
import { answersOf, nonsense, numberOf, timeToLive } from "./redis-answers.js";
import type { Connection } from "./redis-client.js";
import { DECREMENT, INCREMENT, type RunScript, type Script } from "./redis-scripts.js";

/** Where a counter is, by its name and whose it is. */
export type PlaceOf = (name: string, key: string) => string;

/** A counter, and what a script is told of it. */
interface Told {
  readonly counter: Counter;
  readonly args: readonly string[];
}

/** Counters that one run of a script was about, and what it answered. */
interface Ran {
  readonly group: readonly Told[];
  readonly answer: unknown;
}

function countOf(hits: unknown, resetAt: unknown): Count {
  const [totalHits, reset] = [numberOf(hits), numberOf(resetAt)];
  if (!Number.isSafeInteger(totalHits) || !Number.isFinite(reset)) return nonsense("attempt counter");
  return { totalHits, resetTime: new Date(reset) };
}

function countsOf({ answer, group }: Ran): readonly (readonly [Counter, Count])[] {
  const fields = answersOf(answer, "attempt counter");
  return group.map(({ counter }, index) => [counter, countOf(fields[2 * index], fields[2 * index + 1])]);
}

/** Keys of one owner are on one server. */
function byOwner(told: readonly Told[]): readonly (readonly Told[])[] {
  const owners = new Set(told.map(({ counter }) => counter.key));
  return [...owners].map((owner) => told.filter(({ counter }) => counter.key === owner));
}

function isCrossSlot(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("CROSSSLOT");
}

/**
 * Attempt counters whose windows end by the application's clock; rate-limit-redis ends them by the server's. Counters of
 * several owners are one script where one server has them all.
 */
export class RedisCounters {
  private isSharded: boolean;

  constructor(
    private readonly connection: Connection,
    private readonly run: RunScript,
    private readonly placeOf: PlaceOf,
  ) {
    this.isSharded = connection.isCluster;
  }

  async increment(counters: readonly Counter[], clock: Clock): Promise<readonly Count[]> {
    const now = clock();
    const told = counters.map((counter) => {
      const end = now + counter.windowMs;
      return { counter, args: [String(end), timeToLive(end, now)] };
    });
    const { ran, failure } = await this.perform(INCREMENT, told, now);
    const done = ran.flatMap(({ group }) => group.map(({ counter }) => counter));
    if (failure !== undefined) {
      await this.decrement(done, clock).catch(() => undefined);
      throw failure.reason;
    }
    const counts = new Map(ran.flatMap(countsOf));
    return counters.map((counter) => counts.get(counter) ?? nonsense("attempt counter"));
  }

  async decrement(counters: readonly Counter[], clock: Clock): Promise<void> {
    const told = counters.map((counter) => ({ counter, args: [] }));
    const { failure } = await this.perform(DECREMENT, told, clock());
    if (failure !== undefined) throw failure.reason;
  }

  async get({ key, name }: Counter, clock: Clock): Promise<Count | undefined> {
    const place = this.placeOf(name, key);
    const fields = answersOf(await this.connection.send(place, ["HMGET", place, "hits", "resetAt"]), "attempt counter");
    if (fields.every((field) => field === null)) return undefined;
    const count = countOf(fields[0], fields[1]);
    return count.resetTime.getTime() > clock() ? count : undefined;
  }

  async reset({ key, name }: Counter): Promise<void> {
    const place = this.placeOf(name, key);
    await this.connection.send(place, ["DEL", place]);
  }

  /** Runs a script over all counters: at once where one server has them, else once for each owner. */
  private async perform(
    script: Script,
    told: readonly Told[],
    now: number,
  ): Promise<{ readonly ran: readonly Ran[]; readonly failure: PromiseRejectedResult | undefined }> {
    const groups = this.isSharded ? byOwner(told) : [told];
    const answers = await Promise.allSettled(groups.map((group) => this.runOver(script, group, now)));
    const ran = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
    const failure = answers.find((answer) => answer.status === "rejected");
    if (this.isSharded || !isCrossSlot(failure?.reason)) return { ran, failure };
    // A proxy before several servers says so, and has run nothing.
    this.isSharded = true;
    return this.perform(script, told, now);
  }

  private async runOver(script: Script, group: readonly Told[], now: number): Promise<Ran> {
    const [first, ...others] = group.map(({ counter }) => this.placeOf(counter.name, counter.key));
    if (first === undefined) return { group, answer: [] };
    const args = [String(now), ...group.flatMap((each) => each.args)];
    return { group, answer: await this.run(script, [first, ...others], args) };
  }
}

/** One name's counters, in express-rate-limit's contract. */
export class RedisAttempts implements RateLimitStore {
  readonly localKeys = false;

  constructor(
    private readonly counters: RedisCounters,
    private readonly name: string,
    private readonly windowMs: number,
    private readonly clock: Clock,
  ) {}

  get(key: string): Promise<Count | undefined> {
    return this.counters.get(this.counter(key), this.clock);
  }

  async increment(key: string): Promise<Count> {
    const [count] = await this.counters.increment([this.counter(key)], this.clock);
    return count ?? nonsense("attempt counter");
  }

  decrement(key: string): Promise<void> {
    return this.counters.decrement([this.counter(key)], this.clock);
  }

  resetKey(key: string): Promise<void> {
    return this.counters.reset(this.counter(key));
  }

  private counter(key: string): Counter {
    return { name: this.name, key, windowMs: this.windowMs };
  }
}
