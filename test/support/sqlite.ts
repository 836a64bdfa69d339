import { createRequire } from "node:module";
import { Kysely, SqliteDialect, type SqliteDatabase } from "kysely";

// Its types say better-sqlite3's, which is what Kysely asks for.
const Database = createRequire(import.meta.url)("libsql") as new (path: string) => SqliteDatabase;

/** An SQLite database, in memory unless a file is named. The caller destroys it. */
export function openSqlite(file = ":memory:"): Kysely<unknown> {
  return new Kysely<unknown>({ dialect: new SqliteDialect({ database: new Database(file) }) });
}
