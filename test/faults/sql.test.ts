import { describe } from "@jest/globals";
import { createTables, sqlStore } from "express-second-factor/sql";
import { type Breakable, survivesOutages } from "../support/outages.js";
import { startPostgres } from "../support/postgres.js";
import { openPostgres } from "../support/postgres-client.js";
import { startRelay } from "../support/relay.js";

async function breakable(): Promise<Breakable> {
  const server = await startPostgres();
  const db = openPostgres(server.url);
  let tables = 0;
  const emptyTable = async (): Promise<string> => {
    const table = `test_${(tables += 1)}`;
    await createTables(db, { table });
    return table;
  };
  return {
    emptyStore: async () => sqlStore(db, { table: await emptyTable() }),
    breakDown: () => server.stop(),
    mend: () => server.start(),
    freeze: () => server.freeze(),
    resume: () => server.resume(),
    async distantStore() {
      const url = new URL(server.url);
      const relay = await startRelay(Number(url.port));
      url.port = String(relay.port);
      const distant = openPostgres(url.href);
      return {
        relay,
        store: sqlStore(distant, { table: await emptyTable() }),
        async end() {
          await distant.destroy();
          await relay.close();
        },
      };
    },
    async close() {
      await db.destroy();
      await server.remove();
    },
  };
}

describe("PostgreSQL", () => {
  survivesOutages(breakable);
});
