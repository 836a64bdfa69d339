// Everything in an SQLite file, which needs no server and no compiler.
import { Kysely, SqliteDialect } from "kysely";
import Database from "libsql";
import { storageIn } from "./sql.js";

/** Several processes may share the file. @param {string} path */
export async function openFile(path) {
  // Milliseconds to wait for another process's write.
  const database = new Database(path, { timeout: 2_000 });
  // Readers and one writer at a time do not wait for each other.
  database.pragma("journal_mode = WAL");
  return storageIn(new Kysely({ dialect: new SqliteDialect({ database }) }), "a file");
}
