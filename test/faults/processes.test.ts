import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { sql } from "kysely";
import {
  backupCodes,
  type Notice,
  passkeys,
  push,
  smsCode,
  type SmsCodeMessage,
  type Store,
  totp,
} from "express-second-factor";
import { redisStore } from "express-second-factor/redis";
import { createTables, sqlStore } from "express-second-factor/sql";
import { softwareAuthenticator } from "express-second-factor/testing";
import { enrollWith, requestOptions } from "../passkeys/stage.js";
import { testApp, type TestApp } from "../support/app.js";
import { ask } from "../support/asked-owner.js";
import { cookies, deviceCookie, HOUR, MINUTE, SESSION_COOKIE, STEP, trusted, wrongCodes } from "../support/attack.js";
import { enrolled, type Enrolled, full, type Jar, pending } from "../support/browser.js";
import { phone } from "../support/phone.js";
import { startPostgres } from "../support/postgres.js";
import { openPostgres } from "../support/postgres-client.js";
import { startRedis } from "../support/redis.js";
import { nodeRedis } from "../support/redis-clients.js";
import { tokenOf } from "../support/recovery.js";
import { reportToken } from "../support/reports.js";
import { openSqlite } from "../support/sqlite.js";
import type { Job, Sessions, Tally } from "../support/worker.js";
import { startWorkers, type Workers } from "../support/workers.js";

const PROCESSES = 8;
const TIMES = 64;
const KEYS = `test:${randomBytes(32).toString("base64")}`;
/** More attempts than by default get as far as being checked, and fewer than disable a factor. */
const LIMIT = 40;
const LIMITS = {
  ...Object.fromEntries(["totp", "backupCode", "allCodes"].map((kind) => [kind, { limit: LIMIT, window: "15m" }])),
  address: { limit: 10_000, window: "15m" },
} as const;

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
  async SQLite() {
    const folder = mkdtempSync(join(tmpdir(), "sqlite-"));
    const url = join(folder, "second-factor.db");
    const db = openSqlite(url);
    // Readers do not wait for the one who writes.
    await sql`pragma journal_mode = wal`.execute(db);
    await createTables(db);
    return {
      url,
      store: sqlStore(db),
      async end() {
        await db.destroy();
        rmSync(folder, { recursive: true, force: true });
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

/** How often each race is run: once in a run of all tests, 200 times and more where somebody has the hours. */
const RACES = Number(process.env["SECOND_FACTOR_RACES"] ?? 0);
const ROUNDS = RACES || 1;
/** Whole requests are slow to make. */
const REQUESTS = RACES > 0 ? TIMES : TIMES / PROCESSES;
const PATIENCE = 120_000 + RACES * 120_000;

/** One is right, and all others were refused for one of these reasons. */
function expectOneWinner({ ok, ...refused }: Tally, times: number, refusals: readonly string[]): void {
  const all = Object.values(refused).reduce((sum, count) => sum + count, 1);
  const others = Object.keys(refused).filter((code) => !refusals.includes(code));
  expect({ ok, all, others }).toEqual({ ok: 1, all: PROCESSES * times, others: [] });
}

/** The others come too late, and so many of them are answered as wrong as the limit allows. */
function expectOneCode(tally: Tally): void {
  expectOneWinner(tally, TIMES, ["invalid-code", "too-many-attempts"]);
  expect(tally["invalid-code"]).toBe(LIMIT);
}

/** The cookie of a login that waits for a proof, and the sessions that it is one of. */
function presented(jar: Jar): { readonly cookie: string; readonly sessions: Sessions } {
  const { sessions } = jar.target.sessionStore as unknown as { readonly sessions: Sessions };
  return { cookie: `${SESSION_COOKIE}=${cookies(jar)[SESSION_COOKIE]}`, sessions };
}

let workers: Workers;

beforeAll(async () => {
  workers = await startWorkers(PROCESSES);
}, 120_000);
afterAll(() => workers.end());

describe.each(Object.keys(SERVERS))("eight processes over one %s", (name) => {
  let shared: Shared;
  let target: TestApp;
  let alice: Enrolled;
  const texts: SmsCodeMessage[] = [];

  beforeAll(async () => {
    shared = await SERVERS[name]!();
    const methods = [
      totp(),
      backupCodes(),
      passkeys(),
      smsCode({ send: async (text) => void texts.push(text), countries: ["DE"] }),
      push({ channels: [] }),
    ];
    target = testApp({ store: shared.store, options: { keys: KEYS, limits: LIMITS, methods, storeTimeout: "30s" } });
    alice = await enrolled(target, "alice");
    await workers.begin({ url: shared.url, keys: KEYS, limits: LIMITS });
  }, 120_000);

  afterAll(async () => {
    await workers.stop();
    await shared.end();
  });

  test(
    "512 uses of one TOTP code at once: one is right",
    async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        target.clock.advance(HOUR);
        const now = target.clock();
        const code = alice.phone.code(now);
        expectOneCode(await workers.all({ job: "verify", method: "totp", code, now, times: TIMES }));
      }
    },
    PATIENCE,
  );

  test(
    "512 uses of one backup code at once: one is right",
    async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        target.clock.advance(HOUR);
        const [code = ""] = (await target.mfa.accounts.regenerateBackupCodes("u1")) ?? [];
        const now = target.clock();
        expectOneCode(await workers.all({ job: "verify", method: "backup-code", code, now, times: TIMES }));
        expect((await target.mfa.accounts.status("u1")).backupCodesRemaining).toBe(9);
      }
    },
    PATIENCE,
  );

  test(
    `${PROCESSES * REQUESTS} answers to one passkey challenge at once: one is right`,
    async () => {
      target.clock.advance(HOUR);
      const device = softwareAuthenticator();
      expect((await enrollWith(await full(target, "alice", alice.phone), device)).status).toBe(201);
      for (let round = 0; round < ROUNDS; round += 1) {
        target.clock.advance(STEP);
        const jar = await pending(target, "alice");
        const credential = device.get(await requestOptions(jar));
        const now = target.clock();
        const tally = await workers.all({ job: "passkey", ...presented(jar), credential, now, times: REQUESTS });
        // Where one was right the session has another id, and who comes later with the old one is nobody.
        expectOneWinner(tally, REQUESTS, ["invalid-passkey", "login-required"]);
      }
    },
    PATIENCE,
  );

  // All of these logins are written, one after another, into one record: of 512, some lose every write and are closed.
  const outcomes = RACES > 0 ? ["302", "503"] : ["302"];
  test(
    `${PROCESSES * REQUESTS} logins with one trusted-device token at once: one is given the next token`,
    async () => {
      target.clock.advance(HOUR);
      let cookie = deviceCookie(await trusted(target, "alice", alice.phone)).join("=");
      for (let round = 0; round < ROUNDS; round += 1) {
        target.clock.advance(STEP);
        const tally = await workers.all({ job: "device", cookie, now: target.clock(), times: REQUESTS });
        const others = Object.keys(tally).filter((outcome) => !outcomes.includes(outcome));
        expect(others).toEqual([expect.stringMatching(/^renewed /)]);
        expect(tally[others[0]!]).toBe(1);
        cookie = others[0]!.slice("renewed ".length);
      }
    },
    PATIENCE,
  );

  /** A login that waits for its second factor, of a user whose codes are texted. */
  async function waitingForText(): Promise<Jar> {
    target.clock.advance(2 * HOUR);
    const factors = await target.mfa.accounts.factors("u1");
    if (!factors.some(({ type }) => type === "sms-code")) {
      const phone = { phone: "+4915123456017", verifiedAt: target.clock() - HOUR, actor: "import" };
      await target.mfa.accounts.enrollPhone("u1", phone);
    }
    return pending(target, "alice");
  }

  /** The same job for two of the processes, half of the times each. */
  function inTwo(job: Job): Promise<Tally> {
    return workers.each([job, job]);
  }

  test("30 requests for a text at once, at two processes: one is sent", async () => {
    const jar = await waitingForText();
    const tally = await inTwo({ job: "text", ...presented(jar), now: target.clock(), times: 15 });
    expect(tally).toEqual({ ok: 1, delivered: 1, "too-many-attempts": 29 });
  });

  test("30 answers with one texted code at once, at two processes: one is right", async () => {
    const jar = await waitingForText();
    expect((await jar.post("/2fa/sms-code/send")).status).toBe(202);
    const { code } = texts.at(-1)!;
    const { ok, ...refused } = await inTwo({ job: "texted", ...presented(jar), code, now: target.clock(), times: 15 });
    expect(ok).toBe(1);
    expect(Object.keys(refused).filter((each) => !["invalid-code", "login-required"].includes(each))).toEqual([]);
  });

  test("30 uses of one temporary pass at once, at two processes: one is right", async () => {
    target.clock.advance(2 * HOUR);
    const terms = { actor: "support:7", reason: "Lost phone" };
    const { code } = await target.mfa.accounts.issueTemporaryPass("u1", terms);
    const jar = await pending(target, "alice");
    const tally = await inTwo({ job: "pass", ...presented(jar), code, now: target.clock(), times: 15 });
    const { ok, ...refused } = tally;
    expect(ok).toBe(1);
    expect(Object.keys(refused).filter((each) => !["invalid-code", "login-required"].includes(each))).toEqual([]);
  });

  test("30 operators who are told the caller's number at once, at two processes: one is told that it is right", async () => {
    target.clock.advance(2 * HOUR);
    await target.mfa.accounts.callerCheck.begin("u1", { actor: "support:7" });
    const jar = await full(target, "alice", alice.phone);
    const { number } = (await jar.post("/2fa/caller-check")).body as { number: string };
    const tally = await inTwo({ job: "caller", number, now: target.clock(), times: 15 });
    expect(tally).toEqual({ true: 1, false: 29 });
  });

  test("200 different wrong guesses at a login over two processes, under the default limits: five are answered", async () => {
    await workers.stop();
    await workers.begin({ url: shared.url, keys: KEYS, limits: {} });
    target.clock.advance(HOUR);
    const [now, jar] = [target.clock(), await pending(target, "alice")];
    const codes = wrongCodes(200, alice.phone, now);
    const half = { job: "guess", ...presented(jar), now, times: 100 } as const;
    const tally = await workers.each([
      { ...half, codes: codes.slice(0, 100) },
      { ...half, codes: codes.slice(100) },
    ]);
    expect(tally).toEqual({ "invalid-code": 5, "too-many-attempts": 195 });
    const right = { job: "verify", method: "totp", code: alice.phone.code(now), now, times: 1 } as const;
    expect(await workers.all(right)).toEqual({ "too-many-attempts": PROCESSES });
  });

  test("30 texts to one number at once, at two processes that limit nothing else: five are sent", async () => {
    const wide = { limit: 1_000, window: "1h" } as const;
    await workers.stop();
    await workers.begin({
      url: shared.url,
      keys: KEYS,
      limits: { address: wide, smsSend: wide, smsCooldown: { limit: 1_000, window: "1s" } },
    });
    const jar = await waitingForText();
    const tally = await inTwo({ job: "text", ...presented(jar), now: target.clock(), times: 15 });
    expect(tally).toEqual({ ok: 5, delivered: 5, "too-many-attempts": 25 });
  });

  test("30 decisions at once, at two processes that have asked nothing: one is taken, which is what whoever asked is told", async () => {
    target.clock.advance(HOUR);
    const device = await phone(target);
    await device.enroll(await full(target, "alice", alice.phone));
    const { number, outcome } = ask(target);
    const typed = await number;
    const request = await device.request();
    const bodies = [await device.decideBody(request, "approve", typed), await device.decideBody(request, "deny")];
    const now = target.clock();
    const tally = await workers.each(bodies.map((body) => ({ job: "decide", body, now, times: 15 })));
    const taken = (await outcome) === "approved" ? "taken: approve" : "taken: deny";
    expect(tally).toEqual({ [taken]: 1, expired: 29 });
  });

  test("30 polls of a login whose device has approved at once, at two processes: one goes on by it", async () => {
    target.clock.advance(HOUR);
    const device = await phone(target);
    await device.enroll(await full(target, "alice", alice.phone));
    const jar = await pending(target, "alice");
    const { number, requestId } = (await jar.post("/2fa/push/send")).body as { number: string; requestId: string };
    await device.approve(number);
    const now = target.clock();
    const { ok, ...others } = await inTwo({ job: "poll", ...presented(jar), requestId, now, times: 15 });
    expect(ok).toBe(1);
    // Whoever comes later comes with a login that has risen, or with the id of a session that is another by then.
    expect(Object.keys(others).filter((each) => !["expired", "login-required"].includes(each))).toEqual([]);
  });

  test("30 runs of what is due at once, at two processes: its owner is told once", async () => {
    await workers.stop();
    await workers.begin({ url: shared.url, keys: KEYS, limits: {}, tells: true });
    target.clock.advance(2 * HOUR);
    const { clock, store } = target;
    const telling = testApp({ clock, store, options: { keys: KEYS, notify: () => undefined } });
    await pending(telling, "alice");
    clock.advance(11 * MINUTE);
    const tally = await inTwo({ job: "due", now: clock(), times: 15 });
    expect(tally).toEqual({ "1 done": 1, "0 done": 29, "told login-unfinished": 1 });
  });

  test("30 reports by one link at once, at two processes: one is taken, and told once", async () => {
    await target.mfa.accounts.passwordChanged("u1");
    const token = await reportToken(target, { keys: KEYS, kind: "password-changed" });
    const tally = await inTwo({ job: "report", token, now: target.clock(), times: 15 });
    expect(tally).toEqual({ ok: 1, expired: 29, "told reported": 1, "told the application": 1 });
  });

  test("30 of each step of a recovery at once, at two processes: one outcome each, and the factors stay", async () => {
    const { clock, store } = target;
    const notices: Notice[] = [];
    const notify = (notice: Notice): void => void notices.push(notice);
    const telling = testApp({ clock, store, options: { keys: KEYS, notify } });
    const factors = await telling.mfa.accounts.factors("u1");
    const at = async (job: object): Promise<Tally> =>
      inTwo({ job: "recovery", step: "", ...job, now: clock(), times: 15 });
    clock.advance(25 * HOUR);
    const asking = await at(presented(await pending(telling, "alice")));
    expect(asking).toMatchObject({ ok: 3, "too-many-attempts": 27 });
    clock.advance(25 * HOUR);
    await (await pending(telling, "alice")).post("/2fa/recovery");
    const one = { ok: 1, expired: 29 };
    expect(await at({ step: "/confirm", token: await tokenOf({ notices }, "confirm") })).toMatchObject(one);
    clock.advance(24 * HOUR);
    await telling.mfa.runDue();
    const token = await tokenOf({ notices }, "complete");
    const again = presented(await pending(telling, "alice"));
    expect(await at({ step: "/complete", ...again, token })).toMatchObject(one);
    expect(await at({ step: "/cancel", token: await tokenOf({ notices }, "cancel") })).toMatchObject(one);
    expect(await telling.mfa.accounts.factors("u1")).toEqual(factors);
  });
});
