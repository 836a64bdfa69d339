import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { sql } from "kysely";
import { createTables, sqlStore } from "express-second-factor/sql";
import { testApp } from "../support/app.js";
import { enrolled, full, pending } from "../support/browser.js";
import { type Breakable, closed, KEYS, survivesOutages, TIMEOUT, whole } from "../support/outages.js";
import { startPostgres } from "../support/postgres.js";
import { openPostgres } from "../support/postgres-client.js";
import { startRelay } from "../support/relay.js";
import { openSqlite } from "../support/sqlite.js";

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

describe("SQLite", () => {
  test("locked by another process: closed for logins, and whole again when it is released", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sqlite-"));
    const [db, other] = [openSqlite(join(folder, "test.db"), 20), openSqlite(join(folder, "test.db"))];
    try {
      await createTables(db);
      const target = testApp({ store: sqlStore(db), options: { keys: KEYS, storeTimeout: `${TIMEOUT}ms` } });
      const { phone } = await enrolled(target, "alice");
      const [inside, waiting] = [await full(target, "alice", phone), await pending(target, "alice")];
      await sql`begin exclusive`.execute(other);
      await closed(inside.get("/account"));
      await closed(waiting.verify(phone.code(target.clock())));
      await sql`commit`.execute(other);
      expect([await inside.isIn(), await waiting.isIn()]).toEqual([true, false]);
      expect((await waiting.verify(phone.code(target.clock()))).status).toBe(200);
    } finally {
      await Promise.all([db.destroy(), other.destroy()]);
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test("without its tables, and with new and empty ones: every login is over, full or pending", async () => {
    const db = openSqlite();
    await createTables(db);
    const target = testApp({ store: sqlStore(db), options: { keys: KEYS } });
    const { phone } = await enrolled(target, "alice");
    const [inside, waiting] = [await full(target, "alice", phone), await pending(target, "alice")];
    for (const table of ["second_factor", "second_factor_rate"]) await sql`drop table ${sql.table(table)}`.execute(db);
    await closed(inside.get("/account"));
    await closed(waiting.verify(phone.code(target.clock())));
    await createTables(db);
    await whole(target);
    expect([await inside.isIn(), await waiting.isIn()]).toEqual([false, false]);
    expect((await waiting.verify(phone.code(target.clock()))).status).not.toBe(200);
    expect(await waiting.isIn()).toBe(false);
    await db.destroy();
  });
});
