import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { type Kysely, sql } from "kysely";
import { memoryStore, type Store } from "express-second-factor";
import { redisStore } from "express-second-factor/redis";
import { createTables, sqlStore } from "express-second-factor/sql";
import { testApp, type TestApp } from "../support/app.js";
import { checks, MINUTE, wrongCodes } from "../support/attack.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { failing, type Fault, HANGS, named, REJECTS, THROWS } from "../support/faults.js";
import { closed, KEYS, TIMEOUT } from "../support/outages.js";
import { startPostgres } from "../support/postgres.js";
import { openPostgres } from "../support/postgres-client.js";
import { until } from "../support/programs.js";
import { durable, startRedis } from "../support/redis.js";
import { ioRedis, nodeRedis } from "../support/redis-clients.js";
import { openSqlite } from "../support/sqlite.js";

interface Outage {
  begin(): unknown;
  end(): unknown;
  /** What was sent meanwhile is done when it ends: refused, and counted all the same. */
  readonly keepsWhatIsSent?: boolean;
}

/** A real place whose attempt counters can be taken away while accounts can still be read. */
interface Place {
  emptyStore(): Promise<Store>;
  outage(name: string): Outage;
  close(): Promise<void>;
}

let places = 0;

async function emptyTables(db: Kysely<unknown>): Promise<string> {
  const table = `test_${(places += 1)}`;
  await createTables(db, { table });
  return table;
}

/** The table of counters is called otherwise for a while. */
function renamed(db: Kysely<unknown>, table: () => string): Outage {
  const rename = (from: string, to: string) =>
    sql`alter table ${sql.table(from)} rename to ${sql.table(to)}`.execute(db);
  return {
    begin: () => rename(`${table()}_attempts`, `${table()}_away`),
    end: () => rename(`${table()}_away`, `${table()}_attempts`),
  };
}

/** Accounts in SQLite, attempts in a Redis of their own. */
async function apart(): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), "redis-"));
  const [server, db] = [await startRedis(durable(folder)), openSqlite()];
  const client = await ioRedis(server.url);
  const outages: Readonly<Record<string, Outage>> = {
    killed: { begin: () => server.kill(), end: () => server.start() },
    hung: { begin: () => server.freeze(), end: () => server.resume(), keepsWhatIsSent: true },
  };
  return {
    async emptyStore() {
      const table = await emptyTables(db);
      const [accounts, counters] = [sqlStore(db, { table }), redisStore(client, { prefix: `${table}:` })];
      return {
        read: (key) => accounts.read(key),
        write: (...given) => accounts.write(...given),
        remove: (...given) => accounts.remove(...given),
        attempts: (...given) => counters.attempts(...given),
        useClock: (clock) => accounts.useClock?.(clock),
      };
    },
    outage: (name) => outages[name]!,
    async close() {
      client.disconnect();
      await Promise.all([server.kill(), db.destroy()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function redis(): Promise<Place> {
  const server = await startRedis(["--maxmemory-policy", "noeviction"]);
  const client = await nodeRedis(server.url);
  const full: Outage = {
    begin: () => client.configSet("maxmemory", "1"),
    end: () => client.configSet("maxmemory", "0"),
  };
  return {
    emptyStore: async () => redisStore(client, { prefix: `test-${(places += 1)}:` }),
    outage: () => full,
    async close() {
      client.destroy();
      await server.kill();
    },
  };
}

async function postgres(): Promise<Place> {
  const server = await startPostgres();
  const [db, other] = [openPostgres(server.url), openPostgres(server.url, 1)];
  let table = "";
  const outages: Readonly<Record<string, Outage>> = {
    renamed: renamed(db, () => table),
    locked: {
      async begin() {
        await sql`begin`.execute(other);
        await sql`lock table ${sql.table(`${table}_attempts`)} in access exclusive mode`.execute(other);
      },
      end: () => sql`commit`.execute(other),
      keepsWhatIsSent: true,
    },
  };
  return {
    async emptyStore() {
      table = await emptyTables(db);
      return sqlStore(db, { table });
    },
    outage: (name) => outages[name]!,
    async close() {
      await Promise.all([db.destroy(), other.destroy()]);
      await server.remove();
    },
  };
}

async function sqlite(): Promise<Place> {
  const db = openSqlite();
  let table = "";
  return {
    async emptyStore() {
      table = await emptyTables(db);
      return sqlStore(db, { table });
    },
    outage: () => renamed(db, () => table),
    close: () => db.destroy(),
  };
}

const PLACES: readonly [string, () => Promise<Place>, readonly string[]][] = [
  ["a Redis of their own", apart, ["killed", "hung"]],
  ["the accounts' Redis", redis, ["full"]],
  ["PostgreSQL", postgres, ["renamed", "locked"]],
  ["SQLite", sqlite, ["renamed"]],
];

async function counting({ store, clock }: TestApp): Promise<void> {
  const probe = store.attempts("probe", MINUTE, clock);
  await until("attempts are counted again", async () => {
    try {
      await probe.increment("somebody");
      return true;
    } catch {
      return false;
    }
  });
}

describe.each(PLACES)("attempts counted in %s", (_place, start, outages) => {
  let place: Place;
  let outage: Outage | undefined;

  beforeAll(async () => {
    place = await start();
  }, 120_000);
  afterEach(async () => {
    await outage?.end();
    outage = undefined;
  });
  afterAll(() => place.close());

  test.each(outages)(
    "which is %s: no code is checked, who is in stays in, and afterwards the limit is what it was",
    async (name) => {
      const target = testApp({
        store: await place.emptyStore(),
        options: { keys: KEYS, storeTimeout: `${TIMEOUT}ms` },
      });
      const { phone, backupCodes } = await enrolled(target, "alice");
      const [inside, waiting] = [await full(target, "alice", phone), await pending(target, "alice")];
      const [right, [wrong = ""]] = [phone.code(target.clock()), wrongCodes(1, phone, target.clock())];
      const statuses = [];
      for (let tries = 0; tries < 2; tries += 1) statuses.push((await waiting.verify(wrong)).status);
      const checked = checks(target);

      outage = place.outage(name);
      await outage.begin();
      await closed(waiting.verify(right));
      await closed(waiting.verify(wrong));
      await closed(waiting.post("/2fa/backup-code", { code: backupCodes[0] }));
      expect(checks(target)).toBe(checked);
      expect([await waiting.isIn(), await inside.isIn()]).toEqual([false, true]);
      expect((await new Jar(target).get("/account")).body.code).toBe("app-says-log-in");
      await outage.end();
      const { keepsWhatIsSent = false } = outage;
      outage = undefined;
      await counting(target);

      for (let tries = 0; tries < 4; tries += 1) statuses.push((await waiting.verify(wrong)).status);
      const late = keepsWhatIsSent ? 2 : 0;
      expect(statuses).toEqual([...Array(5 - late).fill(401), ...Array(1 + late).fill(429)]);
      target.clock.advance(15 * MINUTE);
      const again = await pending(target, "alice");
      expect((await again.verify(phone.code(target.clock()))).status).toBe(200);
      expect((await target.mfa.accounts.status("u1")).backupCodesRemaining).toBe(10);
    },
  );
});

/** A memory store in which one counter fails while the others count. */
function failingCounter(name: string, fault: () => Fault | undefined): Store {
  const inner = memoryStore();
  return {
    read: (key) => inner.read(key),
    write: (...given) => inner.write(...given),
    remove: (...given) => inner.remove(...given),
    useClock: (clock) => inner.useClock?.(clock),
    attempts(counted, windowMs, clock) {
      const counters = inner.attempts(counted, windowMs, clock);
      if (counted !== name) return counters;
      return { ...counters, increment: (key) => failing(fault(), () => counters.increment(key)) };
    },
  };
}

describe.each(["totp", "allCodes", "address"])("the counter %s alone", (name) => {
  test.each([THROWS, REJECTS, HANGS].map((fault) => [named(fault), fault] as const))(
    "%s: what the others counted meanwhile is given back",
    async (_name, fault) => {
      let broken: Fault | undefined;
      const store = failingCounter(name, () => broken);
      const target = testApp({ store, options: { storeTimeout: "20ms" } });
      const { phone } = await enrolled(target, "alice");
      const jar = await pending(target, "alice");
      const right = phone.code(target.clock());
      broken = fault;
      const during = await Promise.all(Array.from({ length: 12 }, () => jar.verify(right)));
      expect(during.map(({ status }) => status)).toEqual(Array(12).fill(503));
      broken = undefined;
      expect((await jar.verify(right)).status).toBe(200);
    },
  );
});
