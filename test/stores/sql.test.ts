import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
  CamelCasePlugin,
  DummyDriver,
  Kysely,
  MysqlAdapter,
  MysqlQueryCompiler,
  PostgresAdapter,
  PostgresDialect,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
} from "kysely";
import { Pool } from "pg";
import { createTables, removeExpired, sqlStore, tablesSql } from "express-second-factor/sql";
import { movableClock, storeContract } from "express-second-factor/testing";
import { type PostgresServer, startPostgres } from "../support/postgres.js";
import { openPostgres } from "../support/postgres-client.js";
import { openSqlite } from "../support/sqlite.js";
import { begin } from "./rate-limit-claims.js";

let server: PostgresServer;
let postgres: Kysely<unknown>;
let sqlite: Kysely<unknown>;

beforeAll(async () => {
  server = await startPostgres();
  postgres = openPostgres(server.url, 32);
  sqlite = openSqlite();
}, 120_000);

afterAll(async () => {
  await sqlite.destroy();
  await postgres.destroy();
  await server.remove();
});

const DATABASES = ["PostgreSQL", "SQLite"] as const;
type Name = (typeof DATABASES)[number];

const LINGER = 5 * 60_000;

let tables = 0;

/** A table nobody used, in a database that other tests use too. */
async function emptyTable(name: Name): Promise<{ db: Kysely<unknown>; table: string }> {
  tables += 1;
  const [db, table] = [name === "SQLite" ? sqlite : postgres, `test_${tables}`];
  await createTables(db, { table });
  return { db, table };
}

describe.each(DATABASES)("sqlStore over %s", (name) => {
  for (const claim of storeContract(async () => {
    const { db, table } = await emptyTable(name);
    return sqlStore(db, { table });
  })) {
    test(`keeps the contract: ${claim.name}`, () => claim.run());
  }

  test("says where its table is missing how to make it, and what the database said", async () => {
    const store = sqlStore(name === "SQLite" ? sqlite : postgres, { table: "never_made" });
    const error: unknown = await Promise.resolve(store.read("account:1")).catch((reason: unknown) => reason);
    expect(String(error)).toContain('There is no table "never_made": run createTables(db)');
    expect(String((error as Error).cause)).toContain("never_made");
  });

  test("keeps different ids apart and gives each value back as it was", async () => {
    const { db, table } = await emptyTable(name);
    const store = sqlStore(db, { table });
    const ids = ["Ann", "ann", "ann ", "\0", "%0000", "\ud800", "\udc00", "\ufffd", "", "'; drop table x; --", "{☃}"];
    ids.push("\u0001\u001f\u007f\u0080", "50 %", "\u{1F511}%\ud800");
    for (const id of ids) expect(await store.write(`account:${id}`, id, { expect: null })).toBeDefined();
    for (const id of ids) expect((await store.read(`account:${id}`))?.value).toBe(id);
  });

  test("answers the very same entry until it is written again, by whomever", async () => {
    const { db, table } = await emptyTable(name);
    const [store, other] = [sqlStore(db, { table }), sqlStore(db, { table })];
    const version = await other.write("account:1", "value", { expect: null });
    const first = await store.read("account:1");
    expect(await store.read("account:1")).toBe(first);
    const next = await other.write("account:1", "changed", { expect: version! });
    expect(await store.read("account:1")).toEqual({ value: "changed", version: next });
    const own = await store.write("account:1", "own", { expect: next! });
    const written = await store.read("account:1");
    expect(written).toEqual({ value: "own", version: own });
    expect(await store.read("account:1")).toBe(written);
  });

  test("removes what ended more than five minutes ago beside its writes, and nothing else", async () => {
    const [{ db, table }, clock] = [await emptyTable(name), movableClock()];
    const store = sqlStore(db, { table });
    store.useClock?.(clock);
    begin(store.rateLimitStore);
    for (const id of ["1", "2"]) {
      await store.write(`login:${id}`, "value", { expect: null, expiresAt: clock() + 60_000 });
      await store.rateLimitStore.increment(id);
    }
    const ended = sql`update ${sql.table(`${table}_rate`)} set reset_at = ${Date.now() - LINGER} where key = '1'`;
    await ended.execute(db);
    await store.write("account:1", "value", { expect: null });
    clock.advance(60_000 + LINGER - 1);
    await store.write("login:3", "value", { expect: null, expiresAt: clock() + 60_000 });
    await expectSoon(() => rows(db, table), [4, 1]);
    clock.advance(60_000);
    await store.rateLimitStore.increment("3");
    await expectSoon(() => rows(db, table), [2, 2]);
    clock.advance(LINGER + 60_000);
    expect(await removeExpired(db, { table, clock })).toBe(1);
    expect(await rows(db, table)).toEqual([1, 2]);
    expect((await store.read("account:1"))?.value).toBe("value");
  });

  test("removes more than a batch where a job asks for it", async () => {
    const { db, table } = await emptyTable(name);
    const store = sqlStore(db, { table });
    const expiresAt = Date.now() + 60_000;
    for (let id = 0; id < 520; id += 1) await store.write(`login:${id}`, "", { expect: null, expiresAt });
    const clock = movableClock(expiresAt + LINGER);
    expect(await removeExpired(db, { table, clock })).toBe(520);
  });

  test("creates its tables once, and says the same as text", async () => {
    const { db, table } = await emptyTable(name);
    await createTables(db, { table });
    const text = tablesSql(db, { table: `${table}_text` });
    for (const statement of text) await sql.raw(statement).execute(db);
    const version = await sqlStore(db, { table: `${table}_text` }).write("account:1", "value", { expect: null });
    expect(version).toBeDefined();
  });
});

async function rows(db: Kysely<unknown>, table: string): Promise<number[]> {
  const counts = [table, `${table}_rate`].map((each) =>
    sql<{ n: number | string }>`select count(*) as n from ${sql.table(each)}`.execute(db),
  );
  return (await Promise.all(counts)).map((result) => Number(result.rows[0]!.n));
}

async function expectSoon(look: () => Promise<number[]>, expected: number[]): Promise<void> {
  for (let tries = 0; tries < 200 && JSON.stringify(await look()) !== JSON.stringify(expected); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(await look()).toEqual(expected);
}

test("processes that start together may all create the tables", async () => {
  await Promise.all(Array.from({ length: 8 }, () => createTables(postgres, { table: "together" })));
  expect(await sqlStore(postgres, { table: "together" }).read("account:1")).toBeUndefined();
});

test("a table may stand in a schema of PostgreSQL", async () => {
  await sql`create schema auth`.execute(postgres);
  await createTables(postgres, { table: "auth.mfa" });
  const store = sqlStore(postgres, { table: "auth.mfa" });
  const version = await store.write("account:1", "value", { expect: null });
  expect(await store.write("account:1", "again", { expect: null })).toBeUndefined();
  expect(await store.read("account:1")).toEqual({ value: "value", version });
  begin(store.rateLimitStore);
  await store.rateLimitStore.increment("192.0.2.1");
  expect((await store.rateLimitStore.increment("192.0.2.1")).totalHits).toBe(2);
});

test("plugins of the application's Kysely change nothing", async () => {
  const { db, table } = await emptyTable("PostgreSQL");
  const [store, clock] = [sqlStore(db.withPlugin(new CamelCasePlugin()), { table }), movableClock()];
  store.useClock?.(clock);
  await store.write("login:1", "value", { expect: null, expiresAt: clock() + 1 });
  expect((await store.read("login:1"))?.value).toBe("value");
  clock.advance(1);
  expect(await store.read("login:1")).toBeUndefined();
});

test("under a stricter isolation level one of simultaneous writes wins, too", async () => {
  const pool = new Pool({
    connectionString: server.url,
    max: 16,
    options: "-c default_transaction_isolation=serializable",
  });
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  const { table } = await emptyTable("PostgreSQL");
  const store = sqlStore(db, { table });
  const expect1 = await store.write("account:1", "start", { expect: null });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 16 }, () => store.write("account:1", "next", { expect: expect1! })),
  );
  await db.destroy();
  expect(outcomes.filter((each) => each.status === "fulfilled" && each.value !== undefined)).toHaveLength(1);
});

describe("sqlStore refuses at start", () => {
  test.each([undefined, {}, "postgres://localhost"])("what is no Kysely: %p", (db) => {
    expect(() => sqlStore(db as never)).toThrow(/pass a Kysely instance/);
  });

  test("a database that cannot do it in one statement", () => {
    const mysql = new Kysely<unknown>({
      dialect: {
        createAdapter: () => new MysqlAdapter(),
        createDriver: () => new DummyDriver(),
        createIntrospector: (db) => new PostgresIntrospector(db),
        createQueryCompiler: () => new MysqlQueryCompiler(),
      },
    });
    expect(() => sqlStore(mysql)).toThrow(/only PostgreSQL and SQLite/);
  });

  test.each(["", "a b", "a.b.c", 'x"; drop table y; --', "x".repeat(42)])("a table called %p", (table) => {
    expect(() => sqlStore(postgres, { table })).toThrow(/table must be a name/);
  });
});

test("the tables' text needs no connection", () => {
  const db = new Kysely<unknown>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (each) => new PostgresIntrospector(each),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
  expect(tablesSql(db)).toEqual([
    'create table if not exists "second_factor" ("key" text primary key, "version" text not null, "value" text not null, "expires_at" bigint)',
    'create table if not exists "second_factor_rate" ("key" text primary key, "hits" integer not null, "reset_at" bigint not null)',
    'create index if not exists "second_factor_expires_at" on "second_factor" ("expires_at")',
    'create index if not exists "second_factor_rate_reset_at" on "second_factor_rate" ("reset_at")',
  ]);
});
