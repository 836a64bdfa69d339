import { Kysely, PostgresDialect } from "kysely";
import { Pool } from "pg";

/** A database as an impatient application opens it. The caller destroys it. */
export function openPostgres(url: string, max = 10): Kysely<unknown> {
  const pool = new Pool({ connectionString: url, max, connectionTimeoutMillis: 1_000 });
  // An idle connection that breaks is no concern of anybody's.
  pool.on("error", () => undefined);
  return new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
}
