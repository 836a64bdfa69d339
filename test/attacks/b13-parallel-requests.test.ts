import { describe, expect, test } from "@jest/globals";
import { authenticatorApp } from "express-second-factor/testing";
import type { TestApp } from "../support/app.js";
import {
  checks,
  copyOf,
  countIn,
  deviceCookie,
  distantStore,
  harmless,
  logIn,
  MODES,
  NO_LIMITS,
  pendingJars,
  passworded,
  send,
  STEP,
  storedAccount,
  told,
  trusted,
  twoServers,
} from "../support/attack.js";
import { enrolled, full, Jar } from "../support/browser.js";

const WIDTH = 30;

/** Whether an answer gives the browser a cookie of that name. */
function sets(answer: { readonly headers: Record<string, unknown> }, name: string): boolean {
  return JSON.stringify(answer.headers["set-cookie"] ?? []).includes(`${name}=`);
}

interface StoredLogin {
  readonly id: string;
}

async function listedLogins(target: TestApp): Promise<StoredLogin[]> {
  return (JSON.parse((await storedAccount(target, "alice")) ?? "{}") as { logins: StoredLogin[] }).logins;
}

describe("thirty simultaneous uses of one thing that is good once", () => {
  describe.each(MODES)("as clients of %s", (mode) => {
    test("B13 thirty jars send one TOTP code in one tick, half at each of two servers: one gets in", async () => {
      const { store, lost } = distantStore();
      const servers = twoServers({ store, options: { limits: NO_LIMITS } });
      const { phone } = await enrolled(servers[0], "alice");
      const jars = await pendingJars(WIDTH, servers, "alice");
      const code = phone.code(servers[0].clock());
      const answers = await Promise.all(jars.map((jar) => send(jar, mode, "/2fa/totp", { code })));
      expect(await countIn(jars)).toBe(1);
      expect(answers.filter(({ status }) => status === 401)).toHaveLength(WIDTH - 1);
      expect(checks(...servers)).toBe(WIDTH);
      expect(lost()).toBeGreaterThan(0);
      expect(told("factor-verified", ...servers)).toBe(1);
      expect(await listedLogins(servers[0])).toHaveLength(1);
    });

    test("B13 thirty jars send one backup code in one tick, half at each of two servers: one gets in", async () => {
      const { store, lost } = distantStore();
      const servers = twoServers({ store, options: { limits: NO_LIMITS } });
      const { backupCodes } = await enrolled(servers[0], "alice");
      const jars = await pendingJars(WIDTH, servers, "alice");
      await Promise.all(jars.map((jar) => send(jar, mode, "/2fa/backup-code", { code: backupCodes[3] })));
      expect(await countIn(jars)).toBe(1);
      expect(checks(...servers)).toBe(WIDTH);
      expect(lost()).toBeGreaterThan(0);
      expect(told("backup-code-used", ...servers)).toBe(1);
      expect((await servers[0].mfa.accounts.status("u1")).backupCodesRemaining).toBe(9);
    });

    test("B13 under the default limits one of thirty gets in too, and the others are refused or limited", async () => {
      const servers = twoServers();
      const { phone, backupCodes } = await enrolled(servers[0], "alice");
      const jars = await pendingJars(WIDTH, servers, "alice");
      const code = phone.code(servers[0].clock());
      const answers = await Promise.all(jars.map((jar) => send(jar, mode, "/2fa/totp", { code })));
      expect(await countIn(jars)).toBe(1);
      expect(told("factor-verified", ...servers)).toBe(1);
      const refusals = answers.map(({ status }) => status).filter((status) => status === 401 || status === 429);
      expect(refusals.toSorted()).toEqual([...Array<number>(5).fill(401), ...Array<number>(WIDTH - 6).fill(429)]);
      const others = await pendingJars(WIDTH, servers, "alice");
      await Promise.all(others.map((jar) => send(jar, mode, "/2fa/backup-code", { code: backupCodes[0] })));
      expect(await countIn(others)).toBe(1);
      expect(told("backup-code-used", ...servers)).toBe(1);
    });

    test("B13 ten different backup codes in one tick let ten in and are all used up", async () => {
      const servers = twoServers({ options: { limits: NO_LIMITS } });
      const { backupCodes } = await enrolled(servers[0], "alice");
      const jars = await pendingJars(WIDTH, servers, "alice");
      await Promise.all(
        jars.map((jar, index) =>
          send(jar, mode, "/2fa/backup-code", { code: backupCodes[index % backupCodes.length] }),
        ),
      );
      expect(await countIn(jars)).toBe(10);
      expect((await servers[0].mfa.accounts.status("u1")).backupCodesRemaining).toBe(0);
    });
  });

  test("B13 one code posted thirty times by one jar rises once, and the step-up with it is one too", async () => {
    const servers = twoServers({ options: { limits: NO_LIMITS } });
    const { phone } = await enrolled(servers[0], "alice");
    const jar = await passworded(servers[0], "JSON", "alice");
    const copies = Array.from({ length: WIDTH }, () => copyOf(jar));
    const code = phone.code(servers[0].clock());
    const answers = await Promise.all(copies.map((copy) => send(copy, "JSON", "/2fa/totp", { code })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await countIn(copies)).toBe(1);

    servers[0].clock.advance(STEP);
    const owner = await full(servers[0], "alice", phone);
    const renewed = phone.code(servers[0].clock());
    const risers = Array.from({ length: WIDTH }, () => copyOf(owner));
    const stepUps = await Promise.all(risers.map((copy) => send(copy, "JSON", "/2fa/totp", { code: renewed })));
    expect(stepUps.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(told("step-up", ...servers)).toBe(1);
    // The step-up gave the session a new id: the thirty copies of the old one are over, but for the one that rose.
    expect(await countIn(risers)).toBe(1);
  });

  test("B13 thirty confirmations of one enrollment make one factor and show one set of backup codes", async () => {
    const servers = twoServers({ options: { limits: NO_LIMITS } });
    const jar = await passworded(servers[0], "JSON", "carol");
    const { factorId, uri } = (await jar.post("/2fa/totp/enroll")).body as { factorId: string; uri: string };
    const code = authenticatorApp(uri).code(servers[0].clock());
    const copies = Array.from({ length: WIDTH }, () => copyOf(jar));
    const path = "/2fa/totp/enroll/confirm";
    const answers = await Promise.all(copies.map((copy) => send(copy, "JSON", path, { factorId, code })));
    const done = answers.filter(({ status }) => status === 201);
    expect(done.map(({ body }) => (body as { backupCodes: string[] }).backupCodes.length)).toEqual([10]);
    expect(await servers[0].mfa.accounts.factors("u3")).toHaveLength(1);
    expect(told("factor-enrolled", ...servers)).toBe(1);
  });
});

describe("thirty simultaneous uses of one trusted browser", () => {
  async function thirty(): Promise<{
    servers: readonly [TestApp, TestApp];
    jars: Jar[];
    rotated: Jar;
    old: Jar;
    name: string;
  }> {
    const servers = twoServers();
    const { phone } = await enrolled(servers[0], "alice");
    const owner = await trusted(servers[0], "alice", phone);
    const [name] = deviceCookie(owner);
    const old = copyOf(owner, [name]);
    const jars = Array.from({ length: WIDTH }, (_none, index) => {
      const copy = copyOf(owner, [name]);
      return index % 2 === 0 ? copy : moved(copy, servers[1], name);
    });
    const answers = await Promise.all(jars.map((jar) => jar.login("alice")));
    answers.forEach(harmless);
    const renewed = jars.filter((_jar, index) => sets(answers[index]!, name));
    expect(renewed).toHaveLength(1);
    return { servers, jars, rotated: renewed[0]!, old, name };
  }

  function moved(jar: Jar, target: TestApp, name: string): Jar {
    const other = new Jar(target);
    const [, value] = deviceCookie(jar);
    other.agent.jar.setCookie(`${name}=${value}; path=/`, "127.0.0.1", "/");
    return other;
  }

  test("B13 of thirty logins in one tick one is given the next token, and the others get in beside it", async () => {
    const { servers, jars } = await thirty();
    expect(await countIn(jars)).toBe(WIDTH);
    expect(told("device-used", ...servers)).toBe(WIDTH);
    expect(told("device-replayed", ...servers)).toBe(0);
    expect((await servers[0].mfa.accounts.export("u1")).devices).toHaveLength(1);
  });

  test.each(MODES)("B13 the old token is good for thirty seconds more and not for longer (%s)", async (mode) => {
    const { servers, old, name } = await thirty();
    servers[0].clock.advance(STEP);
    const inTime = copyOf(old, [name]);
    await logIn(inTime, mode, "alice");
    expect(await inTime.isIn()).toBe(true);
    servers[0].clock.advance(1);
    const late = copyOf(old, [name]);
    await logIn(late, mode, "alice");
    expect(await late.isIn()).toBe(false);
    expect(told("device-replayed", ...servers)).toBe(1);
  });

  test.each(MODES)(
    "B13 reuse of the old token after that revokes the browser and everything resting on it (%s)",
    async (mode) => {
      const { servers, jars, rotated, old, name } = await thirty();
      servers[0].clock.advance(STEP + 1);
      const thief = copyOf(old, [name]);
      await logIn(thief, mode, "alice");
      expect(await thief.isIn()).toBe(false);
      expect(told("device-replayed", ...servers)).toBe(1);
      expect((await servers[0].mfa.accounts.export("u1")).devices).toEqual([]);
      expect(await countIn(jars)).toBe(0);
      const owner = copyOf(rotated, [name]);
      await logIn(owner, mode, "alice");
      expect(await owner.isIn()).toBe(false);
    },
  );

  test("B13 thirty late replays in one tick are one event of one revocation, and nobody gets in", async () => {
    const { servers, old, name } = await thirty();
    servers[0].clock.advance(STEP + 1);
    const thieves = Array.from({ length: WIDTH }, () => copyOf(old, [name]));
    await Promise.all(thieves.map((thief) => logIn(thief, "JSON", "alice")));
    expect(await countIn(thieves)).toBe(0);
    expect(told("device-replayed", ...servers)).toBe(1);
  });
});
