import { Kysely, PostgresDialect } from "kysely";
import { Pool } from "pg";

/** A database as an application opens it, waiting so many milliseconds for a connection. The caller destroys it. */
export function openPostgres(url: string, max = 10, connectionTimeoutMillis = 1_000): Kysely<unknown> {
  const pool = new Pool({ connectionString: url, max, connectionTimeoutMillis });
  // A connection that breaks, idle or just taken out, is told as an event of its own, and unheard ends the process.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  return new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
}
