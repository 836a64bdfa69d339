import { describe } from "@jest/globals";
import { createTables, sqlStore } from "express-second-factor/sql";
import { type Breakable, survivesOutages } from "../support/outages.js";
import { startPostgres } from "../support/postgres.js";
import { openPostgres } from "../support/postgres-client.js";

async function breakable(): Promise<Breakable> {
  const server = await startPostgres();
  const db = openPostgres(server.url);
  let tables = 0;
  return {
    async emptyStore() {
      const table = `test_${(tables += 1)}`;
      await createTables(db, { table });
      return sqlStore(db, { table });
    },
    breakDown: () => server.stop(),
    mend: () => server.start(),
    freeze: () => server.freeze(),
    resume: () => server.resume(),
    async close() {
      await db.destroy();
      await server.remove();
    },
  };
}

describe("PostgreSQL", () => {
  survivesOutages(breakable);
});
