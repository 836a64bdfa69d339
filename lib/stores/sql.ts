import type { Kysely } from "kysely";
import type { Clock } from "../core/nouns.js";
import { randomId } from "../crypto/random.js";
import type { Entry, RateLimitStore, Store, WriteOptions } from "./contract.js";
import { SqlAttempts } from "./sql-attempts.js";
import { KnownEntries } from "./known-entries.js";
import { Cleanup } from "./sql-cleanup.js";
import { type Place, placeOf, type SqlStoreOptions } from "./sql-tables.js";
import { givenText, storedText } from "./stored-text.js";

const PAGE = 500;

class SqlStore implements Store {
  private clock: Clock = Date.now;
  private readonly cleanup: Cleanup;
  private readonly known = new KnownEntries<Entry>();

  constructor(private readonly place: Place) {
    this.cleanup = new Cleanup(place);
  }

  useClock(clock: Clock): void {
    this.clock = clock;
  }

  /** One statement, and without the value where it is the one that is known. */
  async read(key: string): Promise<Entry | undefined> {
    const place = storedText(key);
    const known = this.known.get(place);
    const row = await this.place.db
      .selectFrom(this.place.entries)
      .select((eb) => [
        "version",
        "expires_at",
        eb
          .case()
          .when("version", "=", known?.version ?? "")
          .then(null)
          .else(eb.ref("value"))
          .end()
          .as("value"),
      ])
      .where("key", "=", place)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    if (row.expires_at !== null && !(Number(row.expires_at) > this.clock())) return undefined;
    const entry = row.value === null ? known : { value: givenText(row.value), version: row.version };
    if (entry !== undefined && entry !== known) this.known.put(place, entry);
    return entry;
  }

  async write(key: string, value: string, { expect, expiresAt = Infinity }: WriteOptions): Promise<string | undefined> {
    const now = this.clock();
    const row = {
      version: randomId(),
      value: storedText(value),
      expires_at: expiresAt < Infinity ? Math.ceil(expiresAt) : null,
    };
    const place = storedText(key);
    const written = await (expect === null ? this.create(place, row, now) : this.replace(place, row, expect, now));
    if (written !== undefined) this.known.replace(place, { value, version: written.version });
    this.cleanup.due(now);
    return written?.version;
  }

  async remove(key: string, { expect }: { readonly expect: string }): Promise<boolean> {
    const removed = await this.place.db
      .deleteFrom(this.place.entries)
      .where("key", "=", storedText(key))
      .where("version", "=", expect)
      .where((eb) => eb.or([eb("expires_at", "is", null), eb("expires_at", ">", Math.floor(this.clock()))]))
      .returning("version")
      .executeTakeFirst();
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

  attempts(name: string, windowMs: number, clock: Clock): RateLimitStore {
    return new SqlAttempts(this.place, this.cleanup, { name: storedText(name), windowMs, clock });
  }

  /** One statement: inserts where nothing is, or where what is has expired. */
  private create(key: string, row: Row, now: number): Promise<{ version: string } | undefined> {
    const { db, entries } = this.place;
    return db
      .insertInto(entries)
      .values({ key, ...row })
      .onConflict((conflict) =>
        conflict.column("key").doUpdateSet(row).where(`${entries}.expires_at`, "<=", Math.floor(now)),
      )
      .returning("version")
      .executeTakeFirst();
  }

  private replace(key: string, row: Row, expect: string, now: number): Promise<{ version: string } | undefined> {
    return this.place.db
      .updateTable(this.place.entries)
      .set(row)
      .where("key", "=", key)
      .where("version", "=", expect)
      .where((eb) => eb.or([eb("expires_at", "is", null), eb("expires_at", ">", Math.floor(now))]))
      .returning("version")
      .executeTakeFirst();
  }
}

interface Row {
  readonly version: string;
  readonly value: string;
  readonly expires_at: number | null;
}

/**
 * Keeps everything in two tables of PostgreSQL or SQLite, through the application's own Kysely instance. Create them first:
 * `createTables(db)`, or the text of `tablesSql(db)` in another migration tool.
 *
 * Each operation is one statement, so no transaction is needed; any isolation level is right, and above READ COMMITTED the
 * losers of a race may be answered 503. Rows end by the application's clock and are removed an hour later, beside the writes.
 *
 * This does NOT open or close connections, does NOT retry, and does NOT work with a read replica or MySQL. What a server with
 * `synchronous_commit = off` forgets in a crash is forgotten here too: used codes and counted attempts.
 *
 * Set a connection and a statement time-out (for SQLite, whose driver blocks the process, a busy time-out below
 * `storeTimeout`), or statements of requests long answered pile up while the server is away. Listen
 * for the errors of node-postgres' pool and of its connections, or one that breaks ends the process.
 *
 * @throws ConfigurationError for another kind of database, or a table's name that is none
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
export function sqlStore<DB>(db: Kysely<DB>, options: SqlStoreOptions = {}): Store {
  return new SqlStore(placeOf(db, options));
}
