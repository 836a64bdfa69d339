// Everything in PostgreSQL.
import { Kysely, PostgresDialect } from "kysely";
import { Pool } from "pg";
import { storageIn } from "./sql.js";

/** @param {string} url */
export async function openPostgres(url) {
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) {
    throw new Error("DATABASE_URL must look like postgres://user:password@127.0.0.1:5432/name");
  }
  const patience = { connectionTimeoutMillis: 2_000, query_timeout: 2_000, statement_timeout: 2_000 };
  const pool = new Pool({ connectionString: url, ...patience });
  // Unheard, the error of a connection ends the process, idle in the pool or just taken out of it.
  const tell = (error) => console.error(`PostgreSQL: ${error.message}`);
  pool.on("error", tell).on("connect", (connection) => connection.on("error", tell));
  const db = new Kysely({ dialect: new PostgresDialect({ pool }) });
  return storageIn(db, "PostgreSQL").catch(async (error) => {
    await db.destroy();
    throw new Error(`PostgreSQL at ${new URL(url).host}: ${error.message || error.code}`);
  });
}
