import { createRequire } from "node:module";
import { Kysely, SqliteDialect, type SqliteDatabase } from "kysely";

// Its types say better-sqlite3's, which is what Kysely asks for.
const Database = createRequire(import.meta.url)("libsql") as new (
  path: string,
  options: { readonly timeout: number },
) => SqliteDatabase;

/**
 * An SQLite database: in memory, or in a file that several processes may open. The caller destroys it. While another writes
 * it waits so many milliseconds, and this process with it.
 */
export function openSqlite(path = ":memory:", timeout = 30_000): Kysely<unknown> {
  return new Kysely<unknown>({ dialect: new SqliteDialect({ database: new Database(path, { timeout }) }) });
}
