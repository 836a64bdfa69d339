import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Store } from "express-second-factor";
import { redisStore } from "express-second-factor/redis";
import { createTables, sqlStore } from "express-second-factor/sql";
import { testApp, type TestApp } from "../support/app.js";
import { deviceCookie, HOUR, STEP, trusted, wrongCodes } from "../support/attack.js";
import { enrolled, type Enrolled } from "../support/browser.js";
import { startPostgres } from "../support/postgres.js";
import { openPostgres } from "../support/postgres-client.js";
import { startRedis } from "../support/redis.js";
import { nodeRedis } from "../support/redis-clients.js";
import type { Tally } from "../support/worker.js";
import { bundleWorker, removeBundle, startWorkers, type Workers } from "../support/workers.js";

const PROCESSES = 8;
const TIMES = 64;
const KEYS = `test:${randomBytes(32).toString("base64")}`;
/** More attempts than by default get as far as being checked, and fewer than disable a factor. */
const LIMIT = 40;
const LIMITS = Object.fromEntries(
  ["totp", "backupCode", "allCodes"].map((kind) => [kind, { limit: LIMIT, window: "15m" } as const]),
);

interface Shared {
  readonly url: string;
  readonly store: Store;
  end(): Promise<void>;
}

const SERVERS: Readonly<Record<string, () => Promise<Shared>>> = {
  async Redis() {
    const server = await startRedis();
    const client = await nodeRedis(server.url);
    return {
      url: server.url,
      store: redisStore(client),
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
      url: server.url,
      store: sqlStore(db),
      async end() {
        await db.destroy();
        await server.remove();
      },
    };
  },
};

/** How often each race is run; the default is what fits into a run of all tests. */
const RACES = Number(process.env["SECOND_FACTOR_RACES"] ?? 0);
const ROUNDS: Readonly<Record<string, number>> = { Redis: RACES || 20, PostgreSQL: RACES || 8 };
const PATIENCE = 120_000 + RACES * 3_000;

/** Two limits count beside each other, so fewer than the limit may have been checked; never more, and no two were right. */
function expectOneWinner(tally: Tally): void {
  const { ok, "invalid-code": wrong = 0, "too-many-attempts": refused = 0, ...rest } = tally;
  expect({ ok, all: 1 + wrong + refused, rest }).toEqual({ ok: 1, all: PROCESSES * TIMES, rest: {} });
  expect(wrong).toBeLessThan(LIMIT);
}

beforeAll(() => bundleWorker());
afterAll(() => removeBundle());

describe.each(Object.keys(SERVERS))("eight processes over one %s", (name) => {
  let shared: Shared;
  let workers: Workers;
  let target: TestApp;
  let alice: Enrolled;

  beforeAll(async () => {
    shared = await SERVERS[name]!();
    target = testApp({ store: shared.store, options: { keys: KEYS, limits: LIMITS, storeTimeout: "30s" } });
    alice = await enrolled(target, "alice");
    workers = await startWorkers(PROCESSES, { url: shared.url, keys: KEYS, limits: LIMITS });
  }, 120_000);

  afterAll(async () => {
    await workers.end();
    await shared.end();
  });

  test(
    "512 uses of one TOTP code at once: one is right",
    async () => {
      for (let round = 0; round < ROUNDS[name]!; round += 1) {
        target.clock.advance(HOUR);
        const now = target.clock();
        expectOneWinner(
          await workers.all({ job: "verify", method: "totp", code: alice.phone.code(now), now, times: TIMES }),
        );
      }
    },
    PATIENCE,
  );

  test(
    "512 uses of one backup code at once: one is right",
    async () => {
      for (let round = 0; round < ROUNDS[name]!; round += 1) {
        target.clock.advance(HOUR);
        const [code = ""] = (await target.mfa.accounts.regenerateBackupCodes("u1")) ?? [];
        expectOneWinner(
          await workers.all({ job: "verify", method: "backup-code", code, now: target.clock(), times: TIMES }),
        );
        expect((await target.mfa.accounts.status("u1")).backupCodesRemaining).toBe(9);
      }
    },
    PATIENCE,
  );

  test(
    "64 logins with one trusted-device token at once: one is given the next token",
    async () => {
      target.clock.advance(HOUR);
      let cookie = deviceCookie(await trusted(target, "alice", alice.phone)).join("=");
      for (let round = 0; round < ROUNDS[name]!; round += 1) {
        target.clock.advance(STEP);
        const tally = await workers.all({ job: "device", cookie, now: target.clock(), times: TIMES / PROCESSES });
        const [renewed = "", ...others] = Object.keys(tally).filter((outcome) => outcome.startsWith("renewed "));
        expect([others, tally]).toEqual([[], { [renewed]: 1, "302": TIMES - 1 }]);
        cookie = renewed.slice("renewed ".length);
      }
    },
    PATIENCE,
  );

  test("200 different wrong guesses over two processes: no more are checked than the limit", async () => {
    target.clock.advance(HOUR);
    const now = target.clock();
    const codes = wrongCodes(200, alice.phone, now);
    const tally = await workers.each([
      { job: "guess", codes: codes.slice(0, 100), now, times: 100 },
      { job: "guess", codes: codes.slice(100), now, times: 100 },
    ]);
    expect(Object.keys(tally).toSorted()).toEqual(["invalid-code", "too-many-attempts"]);
    expect(tally["invalid-code"]).toBeLessThanOrEqual(LIMIT);
    expect(tally["invalid-code"]).toBeGreaterThan(0);
  });
});
