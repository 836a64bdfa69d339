import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { type Kysely, sql } from "kysely";
import { base32nopad } from "@scure/base";
import type { RateLimitStore, Store } from "express-second-factor";
import { memoryStore, UnavailableError } from "express-second-factor";
import { redisStore } from "express-second-factor/redis";
import { createTables, sqlStore } from "express-second-factor/sql";
import { authenticatorApp, type AuthenticatorApp } from "express-second-factor/testing";
import { strategyRoute, testApp, type TestApp, type TestUser } from "../support/app.js";
import { checks, copyOf, distantStore, HOUR, STEP, storedAccount, wrongCodes } from "../support/attack.js";
import { type Enrolled, enrolled, full, Jar, pending } from "../support/browser.js";
import {
  answers,
  type Fault,
  type FaultyRateLimits,
  faultyRateLimits,
  HANGS,
  named,
  REJECTS,
  THROWS,
} from "../support/faults.js";
import { closed, KEYS, TIMEOUT } from "../support/outages.js";
import { startPostgres } from "../support/postgres.js";
import { openPostgres } from "../support/postgres-client.js";
import { expectProblem } from "../support/problems.js";
import { until } from "../support/programs.js";
import { startRedis } from "../support/redis.js";
import { ioRedis } from "../support/redis-clients.js";
import { openSqlite } from "../support/sqlite.js";

const IP = "192.0.2.1";

interface AppOptions {
  readonly rateLimits: RateLimitStore;
  readonly limit?: number;
  readonly store?: Store;
}

/** An application with a limit per address in this store, and a route with a strategy of the library's own. */
function limited({ limit = 100, rateLimits, store }: AppOptions): TestApp {
  return testApp({
    ...(store && { store }),
    options: {
      ...strategyRoute.options,
      limits: { address: { limit, window: "15m", store: rateLimits } },
      storeTimeout: "50ms",
    },
    routes: strategyRoute.routes,
  });
}

interface Prepared extends Enrolled {
  readonly target: TestApp;
  readonly rateLimits: FaultyRateLimits;
  /** Alice's login that waits for a code. */
  readonly waiting: Jar;
  /** Alice, signed in, with a second authenticator begun. */
  readonly owner: Jar;
  readonly begun: { readonly factorId: string; readonly uri: string };
}

async function prepared(): Promise<Prepared> {
  const rateLimits = faultyRateLimits();
  const target = limited({ rateLimits });
  const alice = await enrolled(target, "alice");
  const owner = await full(target, "alice", alice.phone);
  const waiting = await pending(target, "alice");
  const { body } = await owner.post("/2fa/totp/enroll");
  return { ...alice, target, rateLimits, owner, waiting, begun: body as Prepared["begun"] };
}

function list(faults: readonly Fault[]): [string, Fault][] {
  return faults.map((fault) => [named(fault), fault]);
}

const SILENT = [THROWS, REJECTS, HANGS];
const NO_COUNTS = [
  answers(7),
  answers("1"),
  answers(true),
  answers([]),
  answers({}),
  answers({ totalHits: "1" }),
  answers({ totalHits: null, resetTime: new Date() }),
];

const LOOK_FAULTS = list([...SILENT, ...NO_COUNTS]);
const COUNT_FAULTS = list([
  ...SILENT,
  ...NO_COUNTS,
  answers(undefined),
  answers(null),
  answers({ totalHits: NaN }),
  answers({ totalHits: 0 }),
  answers({ totalHits: -1 }),
]);

describe.each(LOOK_FAULTS)("a store of rate limits whose get %s", (_name, fault) => {
  test("lets nothing be verified, enrolled or found again, and nothing is counted anywhere", async () => {
    const { backupCodes, begun, factorId, owner, phone, rateLimits, target, waiting } = await prepared();
    const [right, [wrong = ""]] = [phone.code(target.clock()), wrongCodes(1, phone, target.clock())];
    const [before, checked] = [await storedAccount(target, "alice"), checks(target)];
    rateLimits.fail("get", fault);
    const confirmation = { factorId: begun.factorId, code: authenticatorApp(begun.uri).code(target.clock()) };
    const drifted = target.clock() + HOUR;
    for (const answer of await Promise.all([
      waiting.verify(wrong),
      waiting.verify(right),
      waiting.post("/2fa/backup-code", { code: backupCodes[0] }),
      owner.verify(right),
      owner.post("/2fa/totp/enroll"),
      owner.post("/2fa/totp/enroll/confirm", confirmation),
      owner.post("/2fa/totp/resync", { factorId, codes: [phone.code(drifted), phone.code(drifted + STEP)] }),
    ])) {
      expectProblem(answer, "unavailable");
    }
    const page = await waiting.form("/2fa/totp", { code: right });
    expect([page.status, page.type]).toEqual([503, "text/html"]);
    expect(await storedAccount(target, "alice")).toBe(before);
    expect(checks(target)).toBe(checked);
    expect([await waiting.isIn(), await owner.isIn()]).toEqual([false, true]);

    rateLimits.heal();
    expect((await waiting.verify(right)).status).toBe(200);
    expect(await waiting.isIn()).toBe(true);
    expect((await owner.post("/2fa/totp/enroll/confirm", confirmation)).status).toBe(201);
    expect((await target.mfa.accounts.status("u1")).backupCodesRemaining).toBe(10);
  });

  test("is an error for who uses a strategy, and the code stays good", async () => {
    const { phone, rateLimits, target, waiting } = await prepared();
    const code = phone.code(target.clock());
    rateLimits.fail("get", fault);
    expect(await waiting.post("/otp", { code })).toMatchObject({ status: 500, body: { code: "app-error" } });
    expect(await waiting.isIn()).toBe(false);
    rateLimits.heal();
    expect((await waiting.post("/otp", { code })).status).toBe(200);
  });

  test("is an error for an application that verifies with an address, and nothing to one without", async () => {
    const { phone, rateLimits, target } = await prepared();
    const code = phone.code(target.clock());
    const before = await storedAccount(target, "alice");
    rateLimits.fail("get", fault);
    const { accounts } = target.mfa;
    const verifying = accounts.verify("u1", { method: "totp", code, client: { ip: IP } });
    await expect(verifying).rejects.toThrow(UnavailableError);
    expect(await storedAccount(target, "alice")).toBe(before);
    expect(await accounts.verify("u1", { method: "totp", code })).toMatchObject({ ok: true });
    rateLimits.heal();
    target.clock.advance(STEP);
    const next = phone.code(target.clock());
    const verified = await accounts.verify("u1", { method: "totp", code: next, client: { ip: IP } });
    expect(verified).toMatchObject({ ok: true });
  });

  test("stops nothing that is not limited", async () => {
    const { factorId, owner, rateLimits, target, waiting } = await prepared();
    rateLimits.fail("get", fault);
    expect((await new Jar(target).login("alice")).body.code).toBe("second-factor-required");
    expect((await waiting.get("/2fa")).body.status).toBe("pending");
    expect((await owner.get("/2fa/settings")).status).toBe(200);
    expect((await owner.post(`/2fa/factors/${factorId}/rename`, { label: "Phone" })).status).toBe(200);
    expect((await owner.post("/2fa/backup-codes")).status).toBe(201);
    expect((await owner.post("/logout")).status).toBe(204);
    expect((await waiting.post("/2fa/cancel")).status).toBe(204);
  });
});

describe.each(COUNT_FAULTS)("a store of rate limits whose increment %s", (_name, fault) => {
  test("keeps a wrong answer back, which its account has counted, and disturbs no right one", async () => {
    const { phone, rateLimits, target, waiting } = await prepared();
    const wrong = wrongCodes(6, phone, target.clock());
    rateLimits.fail("increment", fault);
    for (const code of wrong.slice(0, 2)) expectProblem(await waiting.verify(code), "unavailable");
    const other = await pending(target, "alice");
    expect((await other.verify(phone.code(target.clock()))).status).toBe(200);
    expect([await waiting.isIn(), await other.isIn()]).toEqual([false, true]);
    rateLimits.heal();
    const statuses: number[] = [];
    for (const code of wrong.slice(2)) statuses.push((await waiting.verify(code)).status);
    expect(statuses).toEqual([401, 401, 401, 429]);
  });

  test("keeps a wrong answer back on every way to one", async () => {
    const { backupCodes, begun, factorId, owner, phone, rateLimits, target, waiting } = await prepared();
    const [first = "", second = ""] = wrongCodes(2, phone, target.clock());
    const wrongBackup = backupCodes[0]!.replaceAll(/\w/g, "0");
    rateLimits.fail("increment", fault);
    for (const answer of [
      await waiting.post("/2fa/backup-code", { code: wrongBackup }),
      await owner.post("/2fa/totp/enroll/confirm", { factorId: begun.factorId, code: first }),
      await owner.post("/2fa/totp/resync", { factorId, codes: [first, second] }),
      await owner.verify(first),
    ]) {
      expectProblem(answer, "unavailable");
    }
    expect(await waiting.post("/otp", { code: first })).toMatchObject({ status: 500, body: { code: "app-error" } });
    const verifying = target.mfa.accounts.verify("u1", { method: "totp", code: first, client: { ip: IP } });
    await expect(verifying).rejects.toThrow(UnavailableError);
    rateLimits.heal();
    expect((await waiting.verify(phone.code(target.clock()))).status).toBe(200);
  });
});

test.each(["get", "increment"] as const)(
  "an answer to %s that comes after the time is up changes nothing and breaks nothing",
  async (verb) => {
    const { phone, rateLimits, target, waiting } = await prepared();
    const late: ((reason: Error) => void)[] = [];
    const promise = new Promise((_resolve, reject) => late.push(reject));
    rateLimits.fail(verb, answers(promise));
    expectProblem(await waiting.verify(wrongCodes(1, phone, target.clock())[0]!), "unavailable");
    late[0]!(new Error("too late"));
    await promise.catch(() => undefined);
    rateLimits.heal();
    expect((await waiting.verify(phone.code(target.clock()))).status).toBe(200);
  },
);

test.each(list([answers(undefined), answers(null), answers({ totalHits: NaN }), answers({ totalHits: 0 })]))(
  "a store of rate limits whose get %s has seen nobody",
  async (_name, nothing) => {
    const rateLimits = faultyRateLimits();
    const target = limited({ rateLimits, limit: 1 });
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    rateLimits.fail("get", nothing);
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
  },
);

test.each([["tomorrow"], [new Date(NaN)], [new Date(0)], [new Date(Date.now() + 24 * HOUR)], [undefined]])(
  "nobody waits longer than the window, nor for nothing, where their window is said to end at %p",
  async (resetTime) => {
    const hits = { totalHits: 2, resetTime: resetTime as Date };
    const rateLimits: RateLimitStore = {
      get: () => hits,
      increment: () => hits,
      decrement: () => undefined,
      resetKey: () => undefined,
    };
    const target = limited({ rateLimits, limit: 1 });
    const answer = await target.mfa.accounts.verify("u1", { method: "totp", code: "000000", client: { ip: IP } });
    expect(answer).toEqual({ ok: false, code: "too-many-attempts", retryAfter: 900 });
  },
);

test("an outage of the rate limits is an event, with its reason and without the error's own words", async () => {
  const { rateLimits, target, waiting } = await prepared();
  rateLimits.fail("get", REJECTS);
  await waiting.verify("000000");
  const [event] = target.events.filter(({ action }) => action === "unavailable");
  expect(event).toMatchObject({ outcome: "failure", userId: "u1", reason: "The rate limiter failed" });
  expect(JSON.stringify(event)).not.toContain("cable");
});

describe("over a store of accounts that answers one turn later", () => {
  test("an address beyond its limit is refused what is right, too, by a process that has not seen the account", async () => {
    const { store } = distantStore();
    const rateLimits = faultyRateLimits();
    const target = limited({ rateLimits, limit: 1, store });
    const [alice, dave] = [await enrolled(target, "alice"), await enrolled(target, "dave")];
    const owner = await full(target, "alice", alice.phone);
    const begun = (await owner.post("/2fa/totp/enroll")).body as { factorId: string; uri: string };
    const waiting = await pending(target, "alice");
    const stranger = await pending(target, "dave");
    expect((await stranger.verify(wrongCodes(1, dave.phone, target.clock())[0]!)).status).toBe(401);

    const { clock, sessionStore } = target;
    const limits = { address: { limit: 1, window: "15m", store: rateLimits } } as const;
    const fresh = testApp({ clock, sessionStore, store, options: { limits } });
    const code = authenticatorApp(begun.uri).code(clock());
    const statuses = [
      (await copyOf(waiting, undefined, fresh).verify(alice.phone.code(clock()))).status,
      (await owner.verify(alice.phone.code(clock()))).status,
      (await owner.post("/2fa/totp/enroll/confirm", { factorId: begun.factorId, code })).status,
      (await owner.post("/2fa/totp/enroll")).status,
    ];
    expect(statuses).toEqual([429, 429, 429, 429]);
  });
});

interface Outage {
  begin(): unknown;
  end(): unknown;
}

/** A real place of rate limits that can be taken away while accounts can still be read and written. */
interface Place {
  emptyStores(): Promise<{ readonly store: Store; readonly rateLimits: RateLimitStore }>;
  outage(name: string): Outage;
  close(): Promise<void>;
}

let places = 0;

async function emptyTables(db: Kysely<unknown>): Promise<string> {
  const table = `test_${(places += 1)}`;
  await createTables(db, { table });
  return table;
}

/** The table of counts is called otherwise for a while. */
function renamed(db: Kysely<unknown>, table: () => string): Outage {
  const rename = (from: string, to: string) =>
    sql`alter table ${sql.table(from)} rename to ${sql.table(to)}`.execute(db);
  return {
    begin: () => rename(`${table()}_rate`, `${table()}_away`),
    end: () => rename(`${table()}_away`, `${table()}_rate`),
  };
}

/** Accounts in SQLite, rate limits in a Redis of their own. */
async function apart(): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), "redis-"));
  const [server, db] = [await startRedis(), openSqlite()];
  const client = await ioRedis(server.url);
  const outages: Readonly<Record<string, Outage>> = {
    killed: { begin: () => server.kill(), end: () => server.start() },
    hung: { begin: () => server.freeze(), end: () => server.resume() },
  };
  return {
    async emptyStores() {
      const table = await emptyTables(db);
      const { rateLimitStore } = redisStore(client, { prefix: `${table}:` });
      return { store: sqlStore(db, { table }), rateLimits: rateLimitStore };
    },
    outage: (name) => outages[name]!,
    async close() {
      client.disconnect();
      await Promise.all([server.kill(), db.destroy()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function postgres(): Promise<Place> {
  const server = await startPostgres();
  // A crowd waits for its connections longer than an application would: what is refused here is refused by the limit.
  const [db, other] = [openPostgres(server.url, 10, 20_000), openPostgres(server.url, 1)];
  let table = "";
  const outages: Readonly<Record<string, Outage>> = {
    renamed: renamed(db, () => table),
    locked: {
      async begin() {
        await sql`begin`.execute(other);
        await sql`lock table ${sql.table(`${table}_rate`)} in access exclusive mode`.execute(other);
      },
      end: () => sql`commit`.execute(other),
    },
  };
  return {
    async emptyStores() {
      table = await emptyTables(db);
      const store = sqlStore(db, { table });
      return { store, rateLimits: store.rateLimitStore };
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
    async emptyStores() {
      table = await emptyTables(db);
      const store = sqlStore(db, { table });
      return { store, rateLimits: store.rateLimitStore };
    },
    outage: () => renamed(db, () => table),
    close: () => db.destroy(),
  };
}

const PLACES: readonly [string, () => Promise<Place>, readonly string[]][] = [
  ["a Redis of their own", apart, ["killed", "hung"]],
  ["PostgreSQL, beside the accounts", postgres, ["renamed", "locked"]],
  ["SQLite, beside the accounts", sqlite, ["renamed"]],
];

describe.each(PLACES)("rate limits in %s", (_place, start, outages) => {
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

  test("two hundred right codes at once, from an address with eighty failures, are all taken", async () => {
    await allAtOnce(await place.emptyStores());
  }, 60_000);

  test.each(outages)(
    "which is %s: no code is checked, who is in stays in, and afterwards both limits are what they were",
    async (name) => {
      const { rateLimits, store } = await place.emptyStores();
      const limits = { address: { limit: 2, window: "15m", store: rateLimits } } as const;
      const target = testApp({ store, options: { keys: KEYS, storeTimeout: `${TIMEOUT}ms`, limits } });
      const [alice, dave] = [await enrolled(target, "alice"), await enrolled(target, "dave")];
      const { phone } = alice;
      const [inside, waiting] = [await full(target, "alice", phone), await pending(target, "alice")];
      const [right, [wrong = ""]] = [phone.code(target.clock()), wrongCodes(1, phone, target.clock())];
      const statuses: number[] = [];
      for (let tries = 0; tries < 2; tries += 1) statuses.push((await waiting.verify(wrong)).status);
      const checked = checks(target);

      outage = place.outage(name);
      await outage.begin();
      await closed(waiting.verify(right));
      await closed(waiting.verify(wrong));
      await closed(waiting.post("/2fa/backup-code", { code: alice.backupCodes[0] }));
      await closed(inside.post("/2fa/totp/enroll"));
      expect(checks(target)).toBe(checked);
      expect([await waiting.isIn(), await inside.isIn()]).toEqual([false, true]);
      expect((await new Jar(target).get("/account")).body.code).toBe("app-says-log-in");
      await outage.end();
      outage = undefined;
      await until("rate limits are looked at again", async () => {
        const { status } = await inside.post("/2fa/totp/enroll");
        return status === 201;
      });

      for (let tries = 0; tries < 4; tries += 1) statuses.push((await waiting.verify(wrong)).status);
      expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
      // Two accounts have failed at this address by now, and a right code comes too late.
      const stranger = await pending(target, "dave");
      expect((await stranger.verify(wrongCodes(1, dave.phone, target.clock())[0]!)).status).toBe(401);
      expect((await stranger.verify(dave.phone.code(target.clock()))).status).toBe(429);
      expect((await target.mfa.accounts.status("u1")).backupCodesRemaining).toBe(10);
    },
  );
});

interface Person {
  readonly user: TestUser;
  readonly phone: AuthenticatorApp;
  readonly jar: Jar;
}

/** So many people of one office, each with an app of their own and a login that waits for its code. */
async function office(size: number, options: Pick<AppOptions, "store"> & { readonly rateLimits?: RateLimitStore }) {
  const users = Array.from({ length: size }, (_none, index) => {
    return { id: `o${index}`, name: `person${index}`, email: `person${index}@acme.test` };
  });
  const address = { limit: 100, window: "15m", ...(options.rateLimits && { store: options.rateLimits }) } as const;
  const { store = memoryStore() } = options;
  const target = testApp({ users, store, options: { keys: KEYS, storeTimeout: "20s", limits: { address } } });
  const people: Person[] = [];
  for (const user of users) {
    const uri = `otpauth://totp/Acme:${user.name}?secret=${base32nopad.encode(randomBytes(20))}&issuer=Acme`;
    await target.mfa.accounts.importTotp(user.id, { secret: uri });
    people.push({ user, phone: authenticatorApp(uri), jar: await pending(target, user.name) });
  }
  return { target, people };
}

async function allAtOnce(options: Parameters<typeof office>[1]): Promise<void> {
  const { people, target } = await office(200, options);
  for (let user = 0; user < 80; user += 1) {
    const guess = { method: "totp", code: "000000", client: { ip: "127.0.0.1" } } as const;
    expect(await target.mfa.accounts.verify(`x${user}`, guess)).toMatchObject({ code: "invalid-code" });
  }
  const answered = await Promise.all(people.map(({ jar, phone }) => jar.verify(phone.code(target.clock()))));
  const statuses = new Map<number, number>();
  for (const { status } of answered) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  expect([...statuses]).toEqual([[200, 200]]);
  // The eighty are counted all the same: twenty more, and the address waits.
  for (let user = 80; user < 100; user += 1) {
    await target.mfa.accounts.verify(`x${user}`, { method: "totp", code: "000000", client: { ip: "127.0.0.1" } });
  }
  expect((await people[0]!.jar.post("/2fa/totp/enroll")).status).toBe(429);
}

test("two hundred right codes at once, from an address with eighty failures, are all taken: limits in memory", async () => {
  await allAtOnce({});
}, 60_000);

test("a store of rate limits that cannot be prepared at start closes what it counts for, until it can be", async () => {
  const inner = faultyRateLimits();
  let isReady = false;
  const target = limited({
    rateLimits: {
      ...inner,
      // As rate-limit-redis does, which loads its scripts first; the type knows nothing of it.
      init: async () => {
        if (!isReady) throw new Error("the server of the limits is not there");
      },
    },
  });
  const jar = await pending(target, "carol");
  expectProblem(await jar.post("/2fa/totp/enroll"), "unavailable");
  isReady = true;
  expect((await jar.post("/2fa/totp/enroll")).status).toBe(201);
});
