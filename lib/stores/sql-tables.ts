import type { ColumnType, Compilable, Kysely } from "kysely";
import { ConfigurationError } from "../core/errors.js";
import { optionsProblems } from "../core/option-names.js";

export interface SqlStoreOptions {
  /**
   * The table of entries, `schema.table` where it is not in the search path; `<table>_rate` beside it counts for `limits.address`.
   * Default: `"second_factor"`.
   */
  readonly table?: string;
}

/** Since the epoch. Some drivers answer a bigint as text. */
type Milliseconds = ColumnType<number | string, number, number>;

/** The two tables as the queries see them, under their default names. */
export interface Tables {
  readonly second_factor: { key: string; version: string; value: string; expires_at: Milliseconds | null };
  readonly second_factor_rate: { key: string; hits: number; reset_at: Milliseconds };
}

/** Every query's database and where the tables are. */
export interface Place {
  readonly db: Kysely<Tables>;
  /** Typed as the default names, which the queries are written for. */
  readonly entries: "second_factor";
  readonly rate: "second_factor_rate";
}

const NAME = /^([a-z_]\w{0,50}\.)?[a-z_]\w{0,40}$/i;

interface AnyDatabase {
  withoutPlugins?: () => unknown;
  getExecutor?: () => { readonly adapter?: { readonly supportsReturning?: boolean } };
}

/** @throws ConfigurationError where the database or the table's name is of no use, or for options other than it and `others` */
export function placeOf<DB>(db: Kysely<DB>, options: SqlStoreOptions, others: readonly string[] = []): Place {
  const problems = optionsProblems(options, ["table", ...others], "sqlStore: ");
  const { table = "second_factor" } = Object(options) as SqlStoreOptions;
  const given = Object(db) as AnyDatabase;
  if (typeof given.getExecutor !== "function" || typeof given.withoutPlugins !== "function") {
    problems.push("sqlStore(db): pass a Kysely instance: new Kysely({ dialect: new PostgresDialect({ pool }) })");
  } else if (given.getExecutor().adapter?.supportsReturning !== true) {
    problems.push("sqlStore(db): only PostgreSQL and SQLite are supported (INSERT ... ON CONFLICT ... RETURNING)");
  }
  if (typeof table !== "string" || !NAME.test(table)) {
    problems.push(
      'sqlStore: table must be a name such as "second_factor" or "auth.second_factor", up to 41 characters',
    );
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return {
    // Plugins rename columns; the rows must come back as they were asked for.
    db: db.withoutPlugins() as unknown as Kysely<Tables>,
    entries: table as "second_factor",
    rate: `${table}_rate` as "second_factor_rate",
  };
}

/** What the database answered, with the mend where its table is missing: the most likely mistake, and a driver names no mend. */
export function toldOfTables(error: unknown, { entries }: Place): unknown {
  const { code, message } = Object(error) as { readonly code?: unknown; readonly message?: unknown };
  // PostgreSQL's undefined_table; SQLite has only the words.
  const isMissing = code === "42P01" || String(message).includes("no such table");
  if (!isMissing) return error;
  return new Error(`There is no table "${entries}": run createTables(db) first, with the same table option`, {
    cause: error,
  });
}

interface Statement extends Compilable {
  execute(): Promise<unknown>;
}

function statements({ db, entries, rate }: Place): readonly Statement[] {
  const { schema } = db;
  const bare = (table: string): string => table.slice(table.indexOf(".") + 1);
  return [
    schema
      .createTable(entries)
      .ifNotExists()
      .addColumn("key", "text", (column) => column.primaryKey())
      .addColumn("version", "text", (column) => column.notNull())
      .addColumn("value", "text", (column) => column.notNull())
      .addColumn("expires_at", "bigint"),
    schema
      .createTable(rate)
      .ifNotExists()
      .addColumn("key", "text", (column) => column.primaryKey())
      .addColumn("hits", "integer", (column) => column.notNull())
      .addColumn("reset_at", "bigint", (column) => column.notNull()),
    schema
      .createIndex(`${bare(entries)}_expires_at`)
      .ifNotExists()
      .on(entries)
      .column("expires_at"),
    schema
      .createIndex(`${bare(rate)}_reset_at`)
      .ifNotExists()
      .on(rate)
      .column("reset_at"),
  ];
}

/**
 * Creates the store's tables and their indexes where they are missing: from a migration, or at start. Any number of processes
 * may do so at once.
 *
 * This does NOT create a schema, and does NOT change a table that is there.
 * @throws ConfigurationError as `sqlStore` does; otherwise what the database answers
 *
 * @example
 * ```ts
 * import { createTables, sqlStore } from "express-second-factor/sql";
 *
 * const table = "acme_second_factor";
 * await createTables(db, { table });
 * app.use(secondFactor({ ..., store: sqlStore(db, { table }) }));
 * ```
 */
export async function createTables<DB>(db: Kysely<DB>, options: SqlStoreOptions = {}): Promise<void> {
  for (const statement of statements(placeOf(db, options))) {
    // Where another process creates the same at this moment, PostgreSQL answers an error; then it is there.
    await statement.execute().catch(() => statement.execute());
  }
}

/**
 * What {@link createTables} runs, as text for another migration tool: a list of statements, without semicolons. The database
 * may be one without a connection; only its dialect is asked.
 *
 * @throws ConfigurationError as `sqlStore` does
 *
 * @example
 * ```ts
 * import { tablesSql } from "express-second-factor/sql";
 *
 * const migration = tablesSql(db).map((statement) => `${statement};`).join("\n");
 * ```
 */
export function tablesSql<DB>(db: Kysely<DB>, options: SqlStoreOptions = {}): readonly string[] {
  return statements(placeOf(db, options)).map((statement) => statement.compile().sql);
}
