import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Store as RateLimitStore } from "express-rate-limit";
import { type Kysely, sql } from "kysely";
import { createTables, sqlStore } from "express-second-factor/sql";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { openPostgres } from "../support/postgres-client.js";
import { openSqlite } from "../support/sqlite.js";
import { begin, RATE_LIMIT_CLAIMS } from "./rate-limit-claims.js";

let server: PostgresServer;
let databases: Record<"PostgreSQL" | "SQLite", Kysely<unknown>>;

beforeAll(async () => {
  server = await startPostgres();
  databases = { PostgreSQL: openPostgres(server.url, 32), SQLite: openSqlite() };
}, 120_000);

afterAll(async () => {
  await databases.SQLite.destroy();
  await databases.PostgreSQL.destroy();
  await server.remove();
});

let tables = 0;

async function emptyTable(): Promise<string> {
  tables += 1;
  const table = `test_${tables}`;
  for (const db of Object.values(databases)) await createTables(db, { table });
  return table;
}

describe.each(["PostgreSQL", "SQLite"] as const)("the rate limit store of sqlStore over %s", (name) => {
  const emptyStore = async (): Promise<RateLimitStore> =>
    sqlStore(databases[name], { table: await emptyTable() }).rateLimitStore;

  test.each(Object.entries(RATE_LIMIT_CLAIMS))("%s", async (_name, claim) => claim(await emptyStore()));

  test("counts with every other store of the same table, whatever the key is", async () => {
    const table = await emptyTable();
    const [one, other] = [1, 2].map(() => begin(sqlStore(databases[name], { table }).rateLimitStore)) as [
      RateLimitStore,
      RateLimitStore,
    ];
    for (const key of ["\0", "", "%", "'; drop table x; --", "\ud800", "☃"]) {
      expect((await one.increment(key)).totalHits).toBe(1);
      expect((await other.increment(key)).totalHits).toBe(2);
    }
  });

  test("keeps no counts beside the entries", async () => {
    const table = await emptyTable();
    await begin(sqlStore(databases[name], { table }).rateLimitStore).increment("192.0.2.1");
    expect((await sql`select * from ${sql.table(table)}`.execute(databases[name])).rows).toEqual([]);
  });
});

test("while PostgreSQL is away it rejects, and counts again when it is back", async () => {
  const db = openPostgres(server.url, 2);
  const store = begin(sqlStore(db, { table: await emptyTable() }).rateLimitStore);
  expect((await store.increment("192.0.2.1")).totalHits).toBe(1);
  await server.stop();
  await expect(Promise.resolve(store.increment("192.0.2.1"))).rejects.toThrow();
  await server.start();
  expect((await store.increment("192.0.2.1")).totalHits).toBe(2);
  await db.destroy();
}, 60_000);
