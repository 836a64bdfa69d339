import { ConfigurationError } from "../core/errors.js";
import type { Clock } from "../core/nouns.js";
import { optionsProblems } from "../core/option-names.js";
import { randomId } from "../crypto/random.js";
import type { Entry, RateLimitStore, StoreWithRateLimits, WriteOptions } from "./contract.js";
import { type Held, KnownEntries } from "./known-entries.js";
import { answersOf, nonsense, numberOf, timeToLive } from "./redis-answers.js";
import { type Connection, connectionOf, type RedisClient } from "./redis-client.js";
import { redisRateLimits } from "./redis-rate.js";
import { READ, REMOVE, type RunScript, scriptRunner, WRITE } from "./redis-scripts.js";
import { givenText, hashTag, storedText } from "./stored-text.js";

export interface RedisStoreOptions {
  /** What every key begins with. No braces, which are for the users' hash tags. Default: `"second-factor:"`. */
  readonly prefix?: string;
}

const DEFAULT_PREFIX = "second-factor:";

function isDone(answer: unknown): boolean {
  const done = numberOf(answer);
  return done === 0 || done === 1 ? done === 1 : nonsense("entry");
}

/** Keys of one user carry one hash tag, so that a cluster keeps them on one server. */
class Keys {
  constructor(private readonly prefix: string) {}

  /** `account:42` becomes `{42}:account`. */
  entry(key: string): string {
    const colon = key.indexOf(":");
    if (colon < 0) return `${this.prefix}{${hashTag(key)}}`;
    return `${this.prefix}{${hashTag(key.slice(colon + 1))}}:${hashTag(key.slice(0, colon))}`;
  }

  /** The pattern of a kind's keys, for SCAN. */
  patternOf(kind: string): string {
    return `${this.prefix.replace(/[\\*?[\]]/g, "\\$&")}{*}:${hashTag(kind)}`;
  }

  /** `{42}:account` is `account:42` again. */
  givenKey(kind: string, place: string): string {
    const tag = place.slice(this.prefix.length + 1, place.lastIndexOf("}"));
    return `${kind}:${givenText(tag)}`;
  }
}

/** Both protocols answer HMGET with a list: nulls where the key is absent, texts where it holds an entry. */
function heldIn(answer: unknown): Held | undefined {
  const fields = answersOf(answer, "entry");
  if (fields.length === 3 && fields.every((field) => field === null)) return undefined;
  const [value, version, expiresAt] = fields;
  if (typeof value !== "string" || typeof version !== "string" || typeof expiresAt !== "string") {
    return nonsense("entry");
  }
  const end = expiresAt === "" ? Infinity : numberOf(expiresAt);
  // Never read as ended: an absent account is one without a second factor.
  if (Number.isNaN(end)) return nonsense("entry");
  return { entry: { value: givenText(value), version }, expiresAt: end };
}

class RedisStore implements StoreWithRateLimits {
  readonly rateLimitStore: RateLimitStore;
  private clock: Clock = Date.now;
  private readonly keys: Keys;
  private readonly known = new KnownEntries();
  private readonly run: RunScript;

  constructor(
    private readonly connection: Connection,
    prefix: string,
  ) {
    this.keys = new Keys(prefix);
    this.run = scriptRunner(connection.send);
    this.rateLimitStore = redisRateLimits(`${prefix}rate:`, connection.send, this.run);
  }

  useClock(clock: Clock): void {
    this.clock = clock;
  }

  async read(key: string): Promise<Entry | undefined> {
    const held = await this.present(this.keys.entry(key));
    return held !== undefined && held.expiresAt > this.clock() ? held.entry : undefined;
  }

  async write(key: string, value: string, { expect, expiresAt = Infinity }: WriteOptions): Promise<string | undefined> {
    // No entry has it, and in the script it stands for "absent".
    if (expect === "") return undefined;
    const [now, version, place] = [this.clock(), randomId(), this.keys.entry(key)];
    const expiry = expiresAt < Infinity ? [String(expiresAt), timeToLive(expiresAt, now)] : ["", ""];
    const args = [String(now), expect ?? "", version, storedText(value), ...expiry];
    if (!isDone(await this.run(WRITE, place, args))) return undefined;
    this.known.written(place, { entry: { value, version }, expiresAt });
    return version;
  }

  async remove(key: string, { expect }: { readonly expect: string }): Promise<boolean> {
    if (expect === "") return false;
    const place = this.keys.entry(key);
    const isRemoved = isDone(await this.run(REMOVE, place, [String(this.clock()), expect]));
    if (isRemoved) this.known.forget(place);
    return isRemoved;
  }

  async *list(kind: string): AsyncGenerator<string> {
    for (const send of await this.connection.servers()) {
      let cursor = "0";
      do {
        const command = ["SCAN", cursor, "MATCH", this.keys.patternOf(kind), "COUNT", "500"] as const;
        const [next, places] = answersOf(await send(command), "list of entries");
        for (const place of answersOf(places, "list of entries")) yield this.keys.givenKey(kind, String(place));
        cursor = String(next);
      } while (cursor !== "0");
    }
  }

  /** One round trip, and without the value where it is the one that is known. */
  private async present(place: string): Promise<Held | undefined> {
    const known = this.known.get(place);
    const answer =
      known === undefined
        ? await this.connection.send(place, ["HMGET", place, "value", "version", "expiresAt"])
        : await this.run(READ, place, [known.entry.version]);
    if (known !== undefined && numberOf(answer) === 1) return known;
    const held = heldIn(answer);
    return held && this.known.seen(place, held);
  }
}

/**
 * Keeps everything in Redis 6.2 or later, through the application's own client: node-redis 5 or later, or ioredis 5 or later,
 * for one server or a cluster. The client may connect later; until it does, what needs the store is refused.
 *
 * Entries end by the application's clock; the server's expiry only tidies up, five minutes later. `rateLimitStore` of what it
 * answers is rate-limit-redis over the same connection, for `limits.address`; its windows end by the server's clock.
 *
 * Give the client no offline queue and a way to notice a silent server (node-redis: `pingInterval` with `socket.socketTimeout`;
 * ioredis: `commandTimeout`), or commands of requests long answered pile up while Redis is away.
 *
 * This does NOT make Redis durable. A server that loses or evicts account records has forgotten who has a second factor:
 * use `appendonly yes` and `maxmemory-policy noeviction`. Replication is asynchronous: the last writes before a fail-over may be
 * forgotten, and a code used then be used again.
 *
 * @throws ConfigurationError for a client of another kind, one that reads from replicas, braces in the prefix, or an option it does not have
 *
 * @example
 * ```ts
 * import { createClient } from "redis";
 * import { redisStore } from "express-second-factor/redis";
 *
 * const redis = createClient({ url: redisUrl, disableOfflineQueue: true });
 * redis.on("error", (error) => log.error(error));
 * await redis.connect();
 * app.use(secondFactor({ issuer: "Acme", origin, keys, store: redisStore(redis) }));
 * ```
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): StoreWithRateLimits {
  const connection = connectionOf(client);
  const problems = optionsProblems(options, ["prefix"], "redisStore: ");
  if (problems.length > 0) throw new ConfigurationError(problems);
  const { prefix = DEFAULT_PREFIX } = options;
  if (typeof prefix !== "string" || /[{}]/.test(prefix)) {
    throw new ConfigurationError(['redisStore: prefix must be text without braces, such as "acme:second-factor:"']);
  }
  return new RedisStore(connection, prefix);
}
