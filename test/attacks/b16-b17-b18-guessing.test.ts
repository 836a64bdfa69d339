import { describe, expect, test } from "@jest/globals";
import { testApp, type TestApp } from "../support/app.js";
import {
  checks,
  copyOf,
  countIn,
  expectDenied,
  HOUR,
  MINUTE,
  MODES,
  type Mode,
  passworded,
  send,
  told,
  twoServers,
  wrongCode,
  wrongCodes,
} from "../support/attack.js";
import { enrolled, Jar, pending } from "../support/browser.js";

const LIMIT = 5;
const ACCOUNT_LIMIT = 10;

function opened(status: number): boolean {
  return status === 200 || status === 303;
}

/** The seconds an answer asks to wait: whole, and at least one. */
function retryAfter(answer: { readonly headers: Record<string, unknown> }): number {
  const given = String(answer.headers["retry-after"]);
  expect(given).toMatch(/^[1-9][0-9]*$/);
  return Number(given);
}

describe("guessing in one jar", () => {
  test.each(MODES)(
    "B16 after five wrong codes even the right one is refused, until the wait is over (%s)",
    async (mode) => {
      const target = testApp();
      const { phone } = await enrolled(target, "alice");
      const jar = await passworded(target, mode, "alice");
      const statuses: number[] = [];
      for (const code of wrongCodes(20, phone, target.clock())) {
        statuses.push((await send(jar, mode, "/2fa/totp", { code })).status);
      }
      expect(statuses).toEqual([...Array<number>(LIMIT).fill(401), ...Array<number>(20 - LIMIT).fill(429)]);
      expect(checks(target)).toBe(LIMIT);

      const locked = await send(jar, mode, "/2fa/totp", { code: phone.code(target.clock()) });
      expect(locked.status).toBe(429);
      await expectDenied(jar);

      target.clock.advance(retryAfter(locked) * 1_000);
      const later = await passworded(target, mode, "alice");
      expect(opened((await send(later, mode, "/2fa/totp", { code: phone.code(target.clock()) })).status)).toBe(true);
      expect(await later.isIn()).toBe(true);
    },
  );

  test("B16 a moment before the wait is over the right code is still refused", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await passworded(target, "JSON", "alice");
    for (const code of wrongCodes(LIMIT, phone, target.clock())) await jar.verify(code);
    const wait = retryAfter(await send(jar, "JSON", "/2fa/totp", { code: phone.code(target.clock()) }));
    target.clock.advance((wait - 1) * 1_000);
    const later = await passworded(target, "JSON", "alice");
    expect((await later.verify(phone.code(target.clock()))).status).toBe(429);
    await expectDenied(later);
  });

  test.each(MODES)(
    "B16 backup codes have their limit too, and both kinds together one of their own (%s)",
    async (mode) => {
      const target = testApp();
      const { phone, backupCodes } = await enrolled(target, "alice");
      const jar = await passworded(target, mode, "alice");
      for (const code of wrongCodes(LIMIT, phone, target.clock())) await send(jar, mode, "/2fa/totp", { code });
      const statuses: number[] = [];
      for (let guess = 0; guess < 15; guess += 1) {
        const code = `AAAA-AAAA-AAAA-AA${String(10 + guess)}`;
        statuses.push((await send(jar, mode, "/2fa/backup-code", { code })).status);
      }
      expect(statuses.filter((status) => status === 401)).toHaveLength(ACCOUNT_LIMIT - LIMIT);
      expect(checks(target)).toBe(ACCOUNT_LIMIT);
      const locked = await send(jar, mode, "/2fa/backup-code", { code: backupCodes[0] });
      expect(locked.status).toBe(429);
      retryAfter(locked);
      await expectDenied(jar);
    },
  );

  test("B16 a right code clears nothing of the guesses before it", async () => {
    const target = testApp();
    const { phone, backupCodes } = await enrolled(target, "alice");
    const wrong = wrongCodes(20, phone, target.clock());
    const jar = await passworded(target, "JSON", "alice");
    for (const code of wrong.slice(0, 4)) await jar.verify(code);
    expect((await jar.post("/2fa/backup-code", { code: backupCodes[0] })).status).toBe(200);
    const next = await pending(target, "alice");
    expect((await next.verify(wrong[4]!)).status).toBe(401);
    expect((await next.verify(wrong[5]!)).status).toBe(429);
    expect((await next.verify(phone.code(target.clock()))).status).toBe(429);
  });

  test("B16 patience does not help: fifty wrong codes in a row switch the factor off until another opens it", async () => {
    const target = testApp();
    const { phone, backupCodes } = await enrolled(target, "alice");
    let tried = 0;
    for (let round = 0; round < 12; round += 1) {
      const jar = await passworded(target, "JSON", "alice");
      for (const code of wrongCodes(LIMIT, phone, target.clock())) {
        tried += (await send(jar, "JSON", "/2fa/totp", { code })).status === 401 ? 1 : 0;
      }
      target.clock.advance(15 * MINUTE);
    }
    expect(tried).toBe(50);
    expect(checks(target)).toBe(50);
    expect(told("factor-disabled", target)).toBe(1);

    target.clock.advance(24 * HOUR);
    const jar = await passworded(target, "JSON", "alice");
    const refused = await send(jar, "JSON", "/2fa/totp", { code: phone.code(target.clock()) });
    expect([refused.status, refused.headers["retry-after"]]).toEqual([429, undefined]);
    await expectDenied(jar);
    expect((await jar.post("/2fa/backup-code", { code: backupCodes[0] })).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
    expect(told("factor-reopened", target)).toBe(1);
  });
});

describe("guessing in parallel", () => {
  /** Ten jars at each of two servers, ten guesses each, all in one tick. */
  async function storm(servers: readonly [TestApp, TestApp], mode: Mode, codes: readonly string[]): Promise<Jar[]> {
    const jars = await Promise.all(
      Array.from({ length: 20 }, (_none, index) => passworded(servers[index % 2]!, mode, "alice")),
    );
    const copies = codes.map((_code, index) => copyOf(jars[index % jars.length]!));
    const answers = await Promise.all(
      copies.map((copy, index) => send(copy, mode, "/2fa/totp", { code: codes[index] })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 429]));
    return [...jars, ...copies];
  }

  test.each(MODES)(
    "B17 of two hundred codes in one tick over two servers five are compared, and nobody gets in (%s)",
    async (mode) => {
      const servers = twoServers();
      const { phone } = await enrolled(servers[0], "alice");
      const now = servers[0].clock();
      const codes = wrongCodes(200, phone, now).map((code, index) => (index === 149 ? phone.code(now) : code));
      const jars = await storm(servers, mode, codes);
      expect(checks(...servers)).toBe(LIMIT);
      expect(await countIn(jars)).toBe(0);
      expect(told("locked", ...servers)).toBeGreaterThan(0);
    },
  );

  test("B17 both kinds of code in one tick together are held to what the account allows", async () => {
    const servers = twoServers();
    const { phone } = await enrolled(servers[0], "alice");
    const totps = wrongCodes(50, phone, servers[0].clock());
    const jars = await Promise.all(Array.from({ length: 10 }, (_n, i) => passworded(servers[i % 2]!, "JSON", "alice")));
    await Promise.all(
      totps.flatMap((code, index) => {
        const jar = copyOf(jars[index % jars.length]!);
        const backupCode = `BBBB-BBBB-BBBB-BB${String(10 + index)}`;
        return [
          send(jar, "JSON", "/2fa/totp", { code }),
          send(copyOf(jar), "JSON", "/2fa/backup-code", { code: backupCode }),
        ];
      }),
    );
    expect(checks(...servers)).toBeLessThanOrEqual(ACCOUNT_LIMIT);
    expect(await countIn(jars)).toBe(0);
  });
});

describe("starting over", () => {
  test.each(MODES)("B18 a new login, a new jar and another server do not give new guesses (%s)", async (mode) => {
    const servers = twoServers();
    const { phone } = await enrolled(servers[0], "alice");
    const codes = wrongCodes(40, phone, servers[0].clock());
    const statuses: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      const jar = await passworded(servers[round % 2]!, mode, "alice");
      for (const code of codes.slice(round * 4, round * 4 + 4)) {
        statuses.push((await send(jar, mode, "/2fa/totp", { code })).status);
      }
      await expectDenied(jar, ["/account"]);
    }
    expect(statuses.indexOf(429)).toBe(LIMIT);
    expect(statuses.filter((status) => status === 401)).toHaveLength(LIMIT);
    expect(checks(...servers)).toBe(LIMIT);
    const owner = await passworded(servers[1], mode, "alice");
    expect((await send(owner, mode, "/2fa/totp", { code: phone.code(servers[0].clock()) })).status).toBe(429);
    await expectDenied(owner);
  });

  test("B18 cancelling, logging out, logging in over it and a browser's name do not give new guesses", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const codes = wrongCodes(40, phone, target.clock());
    const jar = new Jar(target);
    const between = [
      () => send(jar, "JSON", "/2fa/cancel"),
      () => send(jar, "JSON", "/logout"),
      () => send(jar, "JSON", "/login", { username: "alice", password: "wrong" }),
      () => send(jar, "JSON", "/login", { username: "carol", password: "carol-password" }),
    ];
    let wrong = 0;
    for (const [index, code] of codes.entries()) {
      await between[index % between.length]!();
      await jar.login("alice");
      const answer = await jar.agent
        .post("/2fa/totp")
        .set({ Accept: "application/json", "User-Agent": `browser-${index}`, "X-Request-Id": String(index) })
        .send({ code });
      wrong += answer.status === 401 ? 1 : 0;
    }
    expect([wrong, checks(target)]).toEqual([LIMIT, LIMIT]);
    await expectDenied(jar);
  });

  test("B18 the application's own verify and the routes count together", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const code = wrongCode(phone, target.clock());
    for (let guess = 0; guess < 3; guess += 1) await target.mfa.accounts.verify("u1", { method: "totp", code });
    const jar = await passworded(target, "JSON", "alice");
    expect([(await jar.verify(code)).status, (await jar.verify(code)).status]).toEqual([401, 401]);
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(429);
    const direct = await target.mfa.accounts.verify("u1", { method: "totp", code: phone.code(target.clock()) });
    expect(direct).toMatchObject({ ok: false, code: "too-many-attempts" });
  });

  test("B18 somebody who never knew the password cannot use up the guesses", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const stranger = new Jar(target);
    const mallory = await passworded(target, "JSON", "mallory");
    for (const code of wrongCodes(20, phone, target.clock())) {
      expect((await stranger.verify(code)).status).toBe(401);
      await mallory.verify(code);
    }
    const jar = await passworded(target, "JSON", "alice");
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
  });
});
