import type { Kysely } from "kysely";
import type { Clock } from "../core/nouns.js";
import { randomId } from "../crypto/random.js";
import type { Entry, RateLimitStore, StoreWithRateLimits, WriteOptions } from "./contract.js";
import { type Held, KnownEntries } from "./known-entries.js";
import { Cleanup } from "./sql-cleanup.js";
import { type EntryStatements, entryStatements, type ReadRow } from "./sql-entries.js";
import { sqlRateLimits } from "./sql-rate.js";
import { type Place, placeOf, type SqlStoreOptions, toldOfTables } from "./sql-tables.js";
import { givenText, storedText } from "./stored-text.js";

const PAGE = 500;

function heldIn(row: ReadRow, value: string): Held {
  const expiresAt = row.expires_at === null ? Infinity : Number(row.expires_at);
  return { entry: { value: givenText(value), version: row.version }, expiresAt };
}

class SqlStore implements StoreWithRateLimits {
  readonly rateLimitStore: RateLimitStore;
  private clock: Clock = Date.now;
  private readonly cleanup: Cleanup;
  private readonly known = new KnownEntries();
  private readonly statements: EntryStatements;

  constructor(private readonly place: Place) {
    this.statements = entryStatements(place);
    this.cleanup = new Cleanup(place, () => this.clock());
    this.rateLimitStore = sqlRateLimits(place, this.cleanup);
  }

  useClock(clock: Clock): void {
    this.clock = clock;
  }

  /** One statement, and without the value where it is the one that is known. */
  async read(key: string): Promise<Entry | undefined> {
    const place = storedText(key);
    const known = this.known.get(place);
    const row = await this.statements
      .read({ key: place, known: known?.entry.version ?? "" })
      .catch((error: unknown) => {
        throw toldOfTables(error, this.place);
      });
    if (row === undefined) {
      this.known.forget(place);
      return undefined;
    }
    const held = row.value === null ? known : this.known.seen(place, heldIn(row, row.value));
    // Never read as absent: an absent account is one without a second factor.
    if (held === undefined || Number.isNaN(held.expiresAt))
      throw new Error("The table holds something that is no entry of this store");
    return held.expiresAt > this.clock() ? held.entry : undefined;
  }

  async write(key: string, value: string, { expect, expiresAt = Infinity }: WriteOptions): Promise<string | undefined> {
    const [place, version] = [storedText(key), randomId()];
    const expires_at = expiresAt < Infinity ? Math.ceil(expiresAt) : null;
    const row = { key: place, version, value: storedText(value), expires_at, now: Math.floor(this.clock()) };
    const { create, replace } = this.statements;
    const written = await (expect === null ? create(row) : replace({ ...row, expect }));
    this.cleanup.due();
    if (written === undefined) return undefined;
    this.known.written(place, { entry: { value, version }, expiresAt: expires_at ?? Infinity });
    return version;
  }

  async remove(key: string, { expect }: { readonly expect: string }): Promise<boolean> {
    const place = storedText(key);
    const removed = await this.statements.remove({ key: place, expect, now: Math.floor(this.clock()) });
    if (removed !== undefined) this.known.forget(place);
    return removed !== undefined;
  }

  /** Page after page along the primary key, whatever its collation. */
  async *list(kind: string): AsyncGenerator<string> {
    const { db, entries } = this.place;
    const start = storedText(`${kind}:`);
    let last: string | undefined;
    for (;;) {
      let page = db
        .selectFrom(entries)
        .select("key")
        .where("key", "like", `${start.replace(/[\\%_]/g, "\\$&")}%`);
      if (last !== undefined) page = page.where("key", ">", last);
      const keys = (await page.orderBy("key").limit(PAGE).execute()).map(({ key }) => key);
      yield* keys.filter((key) => key.startsWith(start)).map(givenText);
      last = keys.at(-1);
      if (keys.length < PAGE || last === undefined) return;
    }
  }
}

/**
 * Keeps everything in two tables of PostgreSQL or SQLite, through the application's own Kysely instance. Create them first:
 * `createTables(db)`, or the text of `tablesSql(db)` in another migration tool.
 *
 * Each operation is one statement, so no transaction is needed; any isolation level is right, and above READ COMMITTED the
 * losers of a race may be answered 503. Rows end by the application's clock and are removed five minutes later, beside the writes.
 * `rateLimitStore` of what it answers counts in the second table, for `limits.address`; its windows end by this process' `Date.now`.
 *
 * This does NOT open or close connections, does NOT retry, and does NOT work with a read replica or MySQL. What a server with
 * `synchronous_commit = off` forgets in a crash is forgotten here too: used codes and counted attempts. Statements are NOT prepared
 * on the server: Kysely gives node-postgres no name for them.
 *
 * Set a connection and a statement time-out (for SQLite, whose driver blocks the process, a busy time-out below
 * `storeTimeout`), or statements of requests long answered pile up while the server is away. Listen
 * for the errors of node-postgres' pool and of its connections, or one that breaks ends the process.
 *
 * @throws ConfigurationError for another kind of database, a table's name that is none, or an option it does not have
 *
 * @example
 * ```ts
 * import { Kysely, PostgresDialect } from "kysely";
 * import { Pool } from "pg";
 * import { createTables, sqlStore } from "express-second-factor/sql";
 *
 * const pool = new Pool({ connectionString, connectionTimeoutMillis: 2_000, statement_timeout: 2_000 });
 * const report = (error: Error) => log.error(error);
 * pool.on("error", report).on("connect", (connection) => connection.on("error", report));
 * const db = new Kysely({ dialect: new PostgresDialect({ pool }) });
 * await createTables(db);
 * app.use(secondFactor({ issuer: "Acme", origin, keys, store: sqlStore(db) }));
 * ```
 */
export function sqlStore<DB>(db: Kysely<DB>, options: SqlStoreOptions = {}): StoreWithRateLimits {
  return new SqlStore(placeOf(db, options));
}
