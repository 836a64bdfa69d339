import { describe, expect, test } from "@jest/globals";
import { HOUR, MINUTE, STEP, trusted, twoServers, wrongCodes } from "../support/attack.js";
import { testApp, type TestAppOptions } from "../support/app.js";
import { type Enrolled, enrolled, full, type Jar, pending } from "../support/browser.js";
import { actions } from "../support/observe.js";

const WRONG_BACKUP = "0000-0000-0000-0000";

interface Ready extends Enrolled {
  readonly jar: Jar;
  /** Wrong codes of the app, so many, each answered 401. */
  readonly miss: (count: number) => Promise<void>;
  /** Wrong backup codes, so many, each answered 401. */
  readonly missBackup: (count: number) => Promise<void>;
}

async function ready(given: TestAppOptions = {}): Promise<Ready> {
  const target = testApp(given);
  const factor = await enrolled(target, "alice");
  // The window that the enrollment's own proof began is over.
  target.clock.advance(HOUR);
  const jar = await pending(target, "alice");
  const give = async (path: string, code: string): Promise<void> => {
    const answer = await jar.post(path, { code });
    expect([answer.status, answer.body.code]).toEqual([401, "invalid-code"]);
  };
  return {
    ...factor,
    jar,
    async miss(count) {
      for (const code of wrongCodes(count, factor.phone, target.clock())) await give("/2fa/totp", code);
    },
    async missBackup(count) {
      for (let left = count; left > 0; left -= 1) await give("/2fa/backup-code", WRONG_BACKUP);
    },
  };
}

describe("codes of an app", () => {
  test("may be wrong five times in fifteen minutes; then the right one is refused too", async () => {
    const { jar, miss, phone } = await ready();
    await miss(5);
    const answer = await jar.verify(phone.code(jar.target.clock()));
    expect([answer.status, answer.body.code, answer.headers["retry-after"]]).toEqual([429, "too-many-attempts", "900"]);
    expect(answer.body).toMatchObject({ status: 429, retryAfter: 900 });
    expect(await jar.isIn()).toBe(false);
  });

  test("say how long to wait, which shrinks as the clock goes, to a whole second", async () => {
    const { jar, miss } = await ready();
    await miss(5);
    const waits: string[] = [];
    for (const wait of [0, 1, 59_999, 60_000, 120_000]) {
      jar.target.clock.advance(wait);
      waits.push((await jar.verify("000000")).headers["retry-after"]!);
    }
    expect(waits).toEqual(["900", "900", "840", "780", "660"]);
  });

  test("are taken again when the fifteen minutes are over, and not a millisecond earlier", async () => {
    const { jar, miss, phone } = await ready();
    await miss(5);
    jar.target.clock.advance(15 * MINUTE - 1);
    const early = await (await pending(jar.target, "alice")).verify(phone.code(jar.target.clock()));
    expect([early.status, early.headers["retry-after"]]).toEqual([429, "1"]);
    jar.target.clock.advance(1);
    expect((await (await pending(jar.target, "alice")).verify(phone.code(jar.target.clock()))).status).toBe(200);
  });

  test("are counted over all logins of the account", async () => {
    const { jar, phone } = await ready();
    for (let count = 0; count < 5; count += 1) {
      expect((await (await pending(jar.target, "alice")).verify("000000")).status).toBe(401);
    }
    expect((await (await pending(jar.target, "alice")).verify(phone.code(jar.target.clock()))).status).toBe(429);
  });

  test("that are refused are not counted again: a stubborn guesser does not prolong the wait", async () => {
    const { jar, miss, phone } = await ready();
    await miss(5);
    for (let count = 0; count < 30; count += 1) expect((await jar.verify("000000")).status).toBe(429);
    jar.target.clock.advance(15 * MINUTE);
    expect((await (await pending(jar.target, "alice")).verify(phone.code(jar.target.clock()))).status).toBe(200);
  });

  test("that are right count nothing, and clear nothing", async () => {
    const { jar, miss, phone } = await ready();
    const { target } = jar;
    await miss(4);
    for (let count = 0; count < 3; count += 1) {
      await full(target, "alice", phone);
      target.clock.advance(STEP);
    }
    const login = await pending(target, "alice");
    expect((await login.verify("000000")).status).toBe(401);
    expect((await login.verify(phone.code(target.clock()))).status).toBe(429);
  });

  test("in a login that is verified are counted apart: neither count keeps anybody from the other", async () => {
    const { jar, miss, phone } = await ready();
    const { target } = jar;
    const signedIn = await full(target, "alice", phone);
    target.clock.advance(STEP);
    await miss(5);
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(429);
    expect((await signedIn.verify(phone.code(target.clock()))).status).toBe(200);
    for (const code of wrongCodes(5, phone, target.clock())) expect((await signedIn.verify(code)).status).toBe(401);
    expect((await signedIn.verify("000000")).status).toBe(429);
    target.clock.advance(15 * MINUTE);
    const later = await pending(target, "alice");
    expect((await later.verify(phone.code(target.clock()))).status).toBe(200);
  });

  test("and of all kinds together, kept full by whoever has the password, keep no verified login from its step-up", async () => {
    const { jar, miss, missBackup, phone } = await ready();
    const { target } = jar;
    const signedIn = await full(target, "alice", phone);
    for (let quarter = 0; quarter < 3; quarter += 1) {
      await miss(5);
      await missBackup(quarter === 0 ? 5 : 2);
      target.clock.advance(STEP);
      expect((await signedIn.verify(phone.code(target.clock()))).status).toBe(200);
      target.clock.advance(15 * MINUTE);
      await jar.login("alice");
    }
  });

  test("on a trusted browser are counted with those of logins that wait for their proof", async () => {
    const { jar, miss, phone } = await ready();
    const { target } = jar;
    const known = await trusted(target, "alice", phone);
    await known.post("/logout");
    await known.login("alice");
    expect((await known.get("/2fa")).body.status).toBe("trusted-device");
    await miss(5);
    expect((await known.verify(phone.code(target.clock()))).status).toBe(429);
  });

  test("of another user are counted apart", async () => {
    const { jar, miss } = await ready();
    const mallory = await enrolled(jar.target, "mallory");
    await miss(5);
    const other = await pending(jar.target, "mallory");
    expect((await other.verify(mallory.phone.code(jar.target.clock()))).status).toBe(200);
  });

  test("of an enrollment and of a resync count too", async () => {
    const { jar, phone, factorId } = await ready();
    const { target } = jar;
    await jar.verify(phone.code(target.clock()));
    const begun = await jar.post("/2fa/totp/enroll");
    const confirm = (): Promise<number> =>
      jar
        .post("/2fa/totp/enroll/confirm", { factorId: begun.body.factorId, code: "000000" })
        .then(({ status }) => status);
    const resync = (): Promise<number> =>
      jar.post("/2fa/totp/resync", { factorId, codes: ["000000", "000001"] }).then(({ status }) => status);
    const statuses = [await confirm(), await resync(), await confirm(), await resync(), await confirm()];
    expect(statuses).toEqual([401, 401, 401, 401, 401]);
    expect([await confirm(), await resync(), (await jar.verify("000000")).status]).toEqual([429, 429, 429]);
  });

  test("leave backup codes usable", async () => {
    const { jar, miss, backupCodes } = await ready();
    await miss(5);
    expect((await jar.verify("000000")).status).toBe(429);
    expect((await jar.post("/2fa/backup-code", { code: backupCodes[0]! })).status).toBe(200);
  });

  test("may be limited otherwise", async () => {
    const { jar, miss } = await ready({ options: { limits: { totp: { limit: 2, window: "1m" } } } });
    await miss(2);
    expect((await jar.verify("000000")).headers["retry-after"]).toBe("60");
  });

  test("are told of once their limit is reached, with its name, and refused ones each", async () => {
    const { jar, miss } = await ready();
    await miss(4);
    actions(jar.target);
    await miss(1);
    await jar.verify("000000");
    const told = { outcome: "failure", userId: "u1", method: "totp" };
    expect(jar.target.events).toMatchObject([
      { action: "factor-failed", ...told },
      { action: "locked", ...told, reason: "totp" },
      { action: "attempt-refused", ...told, reason: "totp" },
    ]);
  });
});

describe("backup codes", () => {
  test("may be wrong ten times in an hour", async () => {
    const { jar, missBackup, backupCodes } = await ready();
    await missBackup(5);
    jar.target.clock.advance(14 * MINUTE);
    const later = await pending(jar.target, "alice");
    for (let count = 0; count < 5; count += 1) {
      expect((await later.post("/2fa/backup-code", { code: WRONG_BACKUP })).status).toBe(401);
    }
    jar.target.clock.advance(6 * MINUTE);
    const answer = await (await pending(jar.target, "alice")).post("/2fa/backup-code", { code: backupCodes[0]! });
    expect([answer.status, answer.headers["retry-after"]]).toEqual([429, String(40 * 60)]);
    jar.target.clock.advance(40 * MINUTE);
    const last = await (await pending(jar.target, "alice")).post("/2fa/backup-code", { code: backupCodes[0]! });
    expect(last.status).toBe(200);
  });
});

describe("codes of all kinds together", () => {
  test("may be wrong ten times in fifteen minutes", async () => {
    const { jar, miss, missBackup, backupCodes } = await ready();
    await miss(5);
    await missBackup(5);
    const answer = await jar.post("/2fa/backup-code", { code: backupCodes[0]! });
    expect([answer.status, answer.headers["retry-after"]]).toEqual([429, "900"]);
    const locked = jar.target.events.filter(({ action }) => action === "locked");
    expect(locked.at(-1)).toMatchObject({ method: "backup-code", reason: "allCodes" });
  });

  test("are refused for as long as the limit that lasts longest, be it the one of a kind", async () => {
    const { jar, miss, missBackup } = await ready();
    await missBackup(5);
    jar.target.clock.advance(9 * MINUTE);
    await miss(5);
    expect((await jar.verify("000000")).headers["retry-after"]).toBe("900");
    expect((await jar.post("/2fa/backup-code", { code: WRONG_BACKUP })).headers["retry-after"]).toBe("360");
  });

  test("refused by all of them together do not use up the budget of one", async () => {
    const { jar, miss, missBackup, phone } = await ready({
      options: { limits: { allCodes: { limit: 3, window: "1m" } } },
    });
    await missBackup(1);
    await miss(2);
    for (let count = 0; count < 10; count += 1) expect((await jar.verify("000000")).status).toBe(429);
    jar.target.clock.advance(MINUTE);
    await miss(2);
    expect((await jar.verify(phone.code(jar.target.clock()))).status).toBe(200);
  });
});

describe("nothing is counted", () => {
  test.each([
    ["of no shape", "/2fa/totp", { code: 123456 }, 400],
    ["that is none of its kind", "/2fa/totp", { code: "12345" }, 400],
    ["of the other kind", "/2fa/backup-code", { code: "123456" }, 400],
    ["of a resync before the second factor", "/2fa/totp/resync", { factorId: "x", codes: ["000000", "000001"] }, 401],
  ])("for a code %s", async (_name, path, body, status) => {
    const { jar, phone } = await ready();
    for (let count = 0; count < 20; count += 1) expect((await jar.post(path, body)).status).toBe(status);
    expect((await jar.verify(phone.code(jar.target.clock()))).status).toBe(200);
  });

  test("for a login that is over", async () => {
    const { jar, phone } = await ready();
    jar.target.clock.advance(10 * MINUTE);
    for (let count = 0; count < 12; count += 1) await jar.verify("000000");
    expect((await (await pending(jar.target, "alice")).verify(phone.code(jar.target.clock()))).status).toBe(200);
  });
});

describe("fifty wrong answers in a row", () => {
  /** As many wrong codes as a patient guesser gives within the limits. */
  async function guess(jar: Jar, count: number): Promise<void> {
    const { accounts } = jar.target.mfa;
    for (let given = 0; given < count; given += 1) {
      if (given % 5 === 0) jar.target.clock.advance(15 * MINUTE);
      const answer = await accounts.verify("u1", { method: "totp", code: "000000" });
      expect(answer).toEqual({ ok: false, code: "invalid-code" });
    }
    jar.target.clock.advance(15 * MINUTE);
  }

  test("disable the app: its right code is answered 429 without an end, whatever time passes", async () => {
    const { jar, phone } = await ready();
    await guess(jar, 50);
    for (const wait of [0, HOUR, 24 * 365 * HOUR]) {
      jar.target.clock.advance(wait);
      const login = await pending(jar.target, "alice");
      const answer = await login.verify(phone.code(jar.target.clock()));
      expect([answer.status, answer.body.code]).toEqual([429, "too-many-attempts"]);
      expect(answer.headers).not.toHaveProperty("retry-after");
      expect(answer.body).not.toHaveProperty("retryAfter");
      expect(await login.isIn()).toBe(false);
    }
    expect(jar.target.events.filter(({ action }) => action === "factor-disabled")).toHaveLength(1);
  });

  test("of which one was right are not fifty in a row", async () => {
    const { jar, phone } = await ready();
    await guess(jar, 49);
    const login = await pending(jar.target, "alice");
    expect((await login.verify(phone.code(jar.target.clock()))).status).toBe(200);
    jar.target.clock.advance(STEP);
    await guess(jar, 49);
    expect((await (await pending(jar.target, "alice")).verify(phone.code(jar.target.clock()))).status).toBe(200);
  });

  test("leave backup codes, of which a right one re-opens the app", async () => {
    const { jar, phone, factorId, backupCodes } = await ready();
    await guess(jar, 50);
    expect((await jar.target.mfa.accounts.status("u1")).disabled).toEqual([factorId]);
    const login = await pending(jar.target, "alice");
    actions(jar.target);
    expect((await login.post("/2fa/backup-code", { code: backupCodes[0]! })).status).toBe(200);
    expect(actions(jar.target)).toEqual(["factor-reopened", "backup-code-used"]);
    expect((await jar.target.mfa.accounts.status("u1")).disabled).toEqual([]);
    expect((await (await pending(jar.target, "alice")).verify(phone.code(jar.target.clock()))).status).toBe(200);
  });

  test("disable no app of another user", async () => {
    const { jar } = await ready();
    const mallory = await enrolled(jar.target, "mallory");
    await guess(jar, 50);
    await full(jar.target, "mallory", mallory.phone);
  });
});

describe("a limit of two servers over one store", () => {
  test("is one limit", async () => {
    const servers = twoServers();
    const { phone } = await enrolled(servers[0], "alice");
    for (let count = 0; count < 5; count += 1) {
      expect((await (await pending(servers[count % 2]!, "alice")).verify("000000")).status).toBe(401);
    }
    for (const server of servers) {
      expect((await (await pending(server, "alice")).verify(phone.code(server.clock()))).status).toBe(429);
    }
  });
});

test("a clock that was a year ahead locks nobody once it is set right", async () => {
  const target = testApp();
  const guess = () => target.mfa.accounts.verify("u3", { method: "totp", code: "000000" });
  const year = 365 * 24 * HOUR;
  target.clock.advance(year);
  for (let wrong = 0; wrong < 5; wrong += 1) await guess();
  expect(await guess()).toMatchObject({ code: "too-many-attempts" });
  target.clock.advance(-year);
  for (let wrong = 0; wrong < 5; wrong += 1) expect(await guess()).toMatchObject({ code: "invalid-code" });
  expect(await guess()).toMatchObject({ code: "too-many-attempts", retryAfter: 900 });
});
