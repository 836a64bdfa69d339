import { ConfigurationError } from "../core/errors.js";
import type { Clock } from "../core/nouns.js";
import { randomId } from "../crypto/random.js";
import type { Count, Counter, Entry, RateLimitStore, Store, WriteOptions } from "./contract.js";
import { answersOf, nonsense, numberOf, timeToLive } from "./redis-answers.js";
import { RedisAttempts, RedisCounters } from "./redis-attempts.js";
import { type Connection, connectionOf, type RedisClient } from "./redis-client.js";
import { READ, REMOVE, type RunScript, scriptRunner, WRITE } from "./redis-scripts.js";
import { KnownEntries } from "./known-entries.js";
import { givenText, hashTag, storedText } from "./stored-text.js";

export interface RedisStoreOptions {
  /** What every key begins with. No braces, which are for the users' hash tags. Default: `"second-factor:"`. */
  readonly prefix?: string;
  /**
   * Let logins that are full go on without a round trip, out of the cache of a node-redis client made with `RESP: 3` and
   * `clientSideCache: { ttl: 1000, maxEntries: 10_000 }`. What another process revokes then takes effect when the server's
   * invalidation arrives, a network delay later; a server that falls silent goes unnoticed for up to `ttl` ms. Default: false.
   */
  readonly clientSideCache?: boolean;
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

  counter(name: string, key: string): string {
    return `${this.prefix}{${hashTag(key)}}:attempts:${hashTag(name)}`;
  }
}

interface Held extends Entry {
  readonly expiresAt: number;
}

/** Both protocols answer HMGET with a list: nulls where the key is absent, texts where it holds an entry. */
function heldIn(answer: unknown): Held | undefined {
  const fields = answersOf(answer, "entry");
  if (fields.length === 3 && fields.every((field) => field === null)) return undefined;
  const [value, version, expiresAt] = fields;
  if (typeof value !== "string" || typeof version !== "string" || typeof expiresAt !== "string") {
    return nonsense("entry");
  }
  return { value: givenText(value), version, expiresAt: expiresAt === "" ? Infinity : Number(expiresAt) };
}

class RedisStore implements Store {
  private clock: Clock = Date.now;
  protected readonly keys: Keys;
  protected readonly known = new KnownEntries<Held>();
  private readonly run: RunScript;
  private readonly counters: RedisCounters;

  constructor(
    private readonly connection: Connection,
    prefix: string,
  ) {
    this.keys = new Keys(prefix);
    this.run = scriptRunner(connection.send);
    this.counters = new RedisCounters(connection, this.run, (name, key) => this.keys.counter(name, key));
  }

  useClock(clock: Clock): void {
    this.clock = clock;
  }

  async read(key: string): Promise<Entry | undefined> {
    return this.alive(await this.present(this.keys.entry(key)));
  }

  async write(key: string, value: string, { expect, expiresAt = Infinity }: WriteOptions): Promise<string | undefined> {
    // No entry has it, and in the script it stands for "absent".
    if (expect === "") return undefined;
    const [now, version, place] = [this.clock(), randomId(), this.keys.entry(key)];
    const expiry = expiresAt < Infinity ? [String(expiresAt), timeToLive(expiresAt, now)] : ["", ""];
    const args = [String(now), expect ?? "", version, storedText(value), ...expiry];
    if (!isDone(await this.run(WRITE, [place], args))) return undefined;
    this.known.replace(place, { value, version, expiresAt });
    return version;
  }

  async remove(key: string, { expect }: { readonly expect: string }): Promise<boolean> {
    if (expect === "") return false;
    return isDone(await this.run(REMOVE, [this.keys.entry(key)], [String(this.clock()), expect]));
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

  attempts(name: string, windowMs: number, clock: Clock): RateLimitStore {
    return new RedisAttempts(this.counters, name, windowMs, clock);
  }

  incrementAll(counters: readonly Counter[], clock: Clock): Promise<readonly Count[]> {
    return this.counters.increment(counters, clock);
  }

  decrementAll(counters: readonly Counter[], clock: Clock): Promise<void> {
    return this.counters.decrement(counters, clock);
  }

  protected alive(held: Held | undefined): Entry | undefined {
    if (held === undefined || !(held.expiresAt > this.clock())) return undefined;
    return { value: held.value, version: held.version };
  }

  /** One round trip, and without the value where it is the one that is known. */
  private async present(place: string): Promise<Held | undefined> {
    const known = this.known.get(place);
    const answer =
      known === undefined
        ? await this.connection.send(place, ["HMGET", place, "value", "version", "expiresAt"])
        : await this.run(READ, [place], [known.version]);
    if (known !== undefined && numberOf(answer) === 1) return known;
    const held = heldIn(answer);
    if (held !== undefined) this.known.put(place, held);
    return held;
  }
}

type CachedFields = NonNullable<Connection["cachedFields"]>;

class CachingRedisStore extends RedisStore {
  constructor(
    connection: Connection,
    private readonly cachedFields: CachedFields,
    prefix: string,
  ) {
    super(connection, prefix);
  }

  /** The version comes out of the client's cache; one that is not the last this process saw is not believed. */
  async glance(key: string): Promise<Entry | undefined> {
    const place = this.keys.entry(key);
    const [version] = answersOf(await this.cachedFields(place, ["version"]), "entry");
    const known = this.known.get(place);
    return known === undefined || known.version !== version ? this.read(key) : this.alive(known);
  }
}

/**
 * Keeps everything in Redis 6.2 or later, through the application's own client: node-redis 5 or later, or ioredis 5 or later,
 * for one server or a cluster. The client may connect later; until it does, what needs the store is refused.
 *
 * Entries end by the application's clock; the server's expiry only tidies up, an hour later. Give the client no offline queue
 * and a way to notice a silent server (node-redis: `pingInterval` with `socket.socketTimeout`; ioredis: `commandTimeout`), or
 * commands of requests long answered pile up while Redis is away.
 *
 * This does NOT make Redis durable. A server that loses or evicts account records has forgotten who has a second factor:
 * use `appendonly yes` and `maxmemory-policy noeviction`. Replication is asynchronous: the last writes before a fail-over may be
 * forgotten, and a code used then be used again.
 *
 * @throws ConfigurationError for a client of another kind, one that reads from replicas, braces in the prefix, or
 * `clientSideCache` without a client that has one
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
export function redisStore(
  client: RedisClient,
  { clientSideCache = false, prefix = DEFAULT_PREFIX }: RedisStoreOptions = {},
): Store {
  const connection = connectionOf(client, clientSideCache);
  if (typeof prefix !== "string" || /[{}]/.test(prefix)) {
    throw new ConfigurationError(['redisStore: prefix must be text without braces, such as "acme:second-factor:"']);
  }
  const { cachedFields } = connection;
  return cachedFields === undefined
    ? new RedisStore(connection, prefix)
    : new CachingRedisStore(connection, cachedFields, prefix);
}
