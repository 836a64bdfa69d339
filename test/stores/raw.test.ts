import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { RedisStore } from "connect-redis";
import session from "express-session";
import { type Kysely, sql } from "kysely";
import type { Store } from "express-second-factor";
import { redisStore } from "express-second-factor/redis";
import { createTables, sqlStore } from "express-second-factor/sql";
import { authenticatorApp } from "express-second-factor/testing";
import { testApp, type TestApp, USERS } from "../support/app.js";
import { deviceCookie, wrongCode } from "../support/attack.js";
import { type Enrolled, Jar, pending } from "../support/browser.js";
import { startPostgres } from "../support/postgres.js";
import { openPostgres } from "../support/postgres-client.js";
import { startRedis } from "../support/redis.js";
import { nodeRedis } from "../support/redis-clients.js";
import { spellings } from "../support/routes.js";
import { openSqlite } from "../support/sqlite.js";

const KEY = randomBytes(32).toString("base64");

interface Kept {
  readonly store: Store;
  readonly sessionStore: session.Store;
  /** Everything the server holds, names and values. */
  dump(): Promise<string>;
  end(): Promise<void>;
}

async function tablesOf(db: Kysely<unknown>): Promise<string> {
  const tables = ["second_factor", "second_factor_rate"];
  return JSON.stringify(await Promise.all(tables.map((each) => sql`select * from ${sql.table(each)}`.execute(db))));
}

const PLACES: Readonly<Record<string, () => Promise<Kept>>> = {
  async "Redis, sessions too"() {
    const server = await startRedis();
    const client = await nodeRedis(server.url);
    return {
      store: redisStore(client),
      sessionStore: new RedisStore({ client }),
      async dump() {
        const keys = await client.keys("*");
        const held = await Promise.all(
          keys.map(async (key) => ((await client.type(key)) === "hash" ? client.hGetAll(key) : client.get(key))),
        );
        return JSON.stringify(keys.map((key, index) => [key, held[index]]));
      },
      async end() {
        client.destroy();
        await server.kill();
      },
    };
  },
  async PostgreSQL() {
    const server = await startPostgres();
    const db = openPostgres(server.url);
    await createTables(db);
    return {
      store: sqlStore(db),
      sessionStore: new session.MemoryStore(),
      dump: () => tablesOf(db),
      async end() {
        await db.destroy();
        await server.remove();
      },
    };
  },
  async SQLite() {
    const db = openSqlite();
    await createTables(db);
    return {
      store: sqlStore(db),
      sessionStore: new session.MemoryStore(),
      dump: () => tablesOf(db),
      end: () => db.destroy(),
    };
  },
};

describe.each(Object.keys(PLACES))("what lies in %s", (name) => {
  let kept: Kept;
  let target: TestApp;
  let alice: Enrolled;
  const codes: string[] = [];
  const tokens: string[] = [];
  const secrets: string[] = [KEY, ...USERS.map(({ email }) => email), "acme.test", "-password"];

  const code = (): string => {
    const next = alice.phone.code(target.clock());
    codes.push(next);
    return next;
  };

  /** All that is done in a life: enroll, fail, sign in by each means, trust a browser, come back with it. */
  async function live(): Promise<void> {
    const jar = new Jar(target);
    await jar.login("alice");
    alice = await jar.enroll();
    codes.push(alice.phone.code(target.clock() - 30_000));
    const signing = await pending(target, "alice");
    const wrong = wrongCode(alice.phone, target.clock());
    codes.push(wrong);
    expect((await signing.verify(wrong)).status).toBe(401);
    expect((await signing.verify(code(), { trustDevice: true })).status).toBe(200);
    tokens.push(deviceCookie(signing)[1]);
    await signing.post("/logout");
    await signing.login("alice");
    tokens.push(deviceCookie(signing)[1]);
    expect(await signing.isIn()).toBe(true);
    const other = await pending(target, "alice");
    expect((await other.post("/2fa/backup-code", { code: alice.backupCodes[0] })).status).toBe(200);
    const begun = new Jar(target);
    await begun.login("carol");
    const { uri } = (await begun.post("/2fa/totp/enroll")).body as { uri: string };
    secrets.push(...spellings({ phone: authenticatorApp(uri), backupCodes: [], factorId: "" }));
  }

  beforeAll(async () => {
    kept = await PLACES[name]!();
    target = testApp({ ...kept, options: { keys: `test:${KEY}` } });
    await live();
  }, 120_000);

  afterAll(() => kept.end());

  test("shows no secret, backup code, token, key or address, however it is spelled", async () => {
    const lies = await kept.dump();
    expect(lies).toContain("account");
    const all = [...secrets, ...spellings(alice), ...tokens.flatMap((token) => [token, ...token.split(".").slice(1)])];
    expect(all.filter((secret) => lies.includes(secret))).toEqual([]);
  });

  test("shows no code that was typed, right or wrong", async () => {
    const lies = await kept.dump();
    expect(codes.length).toBeGreaterThan(2);
    expect(codes.filter((each) => new RegExp(`(?<![0-9a-z_-])${each}(?![0-9a-z_-])`, "i").test(lies))).toEqual([]);
  });

  test("opens for nobody else when it is copied to another user", async () => {
    const [{ value } = { value: "" }] = [await kept.store.read("account:u1")];
    const put = async (record: string): Promise<void> => {
      const there = await kept.store.read("account:u2");
      expect(await kept.store.write("account:u2", record, { expect: there?.version ?? null })).toBeDefined();
    };
    await put(value);
    const mallory = await new Jar(target).login("mallory");
    expect([mallory.status, mallory.body.code]).toEqual([503, "unavailable"]);

    await put(JSON.stringify({ ...JSON.parse(value), userId: "u2" }));
    const jar = await pending(target, "mallory");
    target.clock.advance(30_000);
    expect((await jar.verify(code())).status).not.toBe(200);
    expect((await jar.post("/2fa/backup-code", { code: alice.backupCodes[1] })).status).not.toBe(200);
    expect(await jar.isIn()).toBe(false);
  });
});
