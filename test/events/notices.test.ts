import { randomBytes } from "node:crypto";
import { describe, expect, jest, test } from "@jest/globals";
import type { Notice, Notify, SecondFactorOptions, SettingsView } from "express-second-factor";
import { cookies, copyOf, deviceCookie, MINUTE, trusted } from "../support/attack.js";
import { testApp, type TestApp, type TestAppOptions, type TestUser, USERS } from "../support/app.js";
import type { AuthenticatorApp } from "express-second-factor/testing";
import { faultyKeys, HANGS, REJECTS } from "../support/faults.js";
import { ADDRESS, addDestination, emailApp, withDestination } from "../support/message-codes.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { actions } from "../support/observe.js";

interface Noticing {
  readonly target: TestApp;
  /** What came since it was asked last; that each jar is a new browser is told of below. */
  readonly kinds: () => string[];
  readonly notices: Notice[];
}

/** An application whose notices are kept. */
function noticing(options: Partial<SecondFactorOptions<TestUser>> = {}, parts: TestAppOptions = {}): Noticing {
  const notices: Notice[] = [];
  const notify: Notify = async (notice) => void notices.push(notice);
  const target = testApp({ ...parts, options: { notify, ...options } });
  const kinds = (): string[] => notices.splice(0).map(({ kind }) => kind);
  return { target, notices, kinds: () => kinds().filter((kind) => kind !== "new-browser") };
}

/** The owner's own list, as the settings page has it. */
async function activityOf({ mfa }: TestApp): Promise<SettingsView["activity"]> {
  return (await mfa.accounts.export("u1")).activity;
}

/** Lets what runs beside a request run. */
function aside(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe("owners are told", () => {
  test("of every change of what their account is protected by", async () => {
    const { target, kinds } = noticing();
    const { phone, factorId, backupCodes } = await enrolled(target, "alice");
    expect(kinds()).toEqual(["factor-enrolled"]);
    const jar = await pending(target, "alice");
    await jar.verify(phone.code(target.clock()), { trustDevice: true });
    expect(kinds()).toEqual(["device-trusted"]);
    await jar.post("/2fa/backup-codes");
    expect(kinds()).toEqual(["backup-codes-regenerated"]);
    const other = await pending(target, "alice");
    await other.post("/2fa/backup-code", { code: backupCodes[0]! });
    expect(kinds()).toEqual([]);
    await jar.post(`/2fa/factors/${factorId}/remove`);
    expect(kinds()).toEqual(["factor-removed"]);
  });

  test("of a backup code used, of a lock, and of what the application did", async () => {
    const { target, kinds } = noticing();
    const { backupCodes } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    for (let count = 0; count < 6; count += 1) await jar.verify("000000");
    await jar.post("/2fa/backup-code", { code: backupCodes[0]! });
    await target.mfa.accounts.signOutEverywhere("u1");
    await target.mfa.accounts.reset("u1");
    await aside();
    expect(kinds()).toEqual(["factor-enrolled", "locked", "backup-code-used", "signed-out-everywhere", "admin-reset"]);
  });

  test("by a function that answers nothing, too", async () => {
    const told: string[] = [];
    const target = testApp({
      options: {
        notify: ({ kind }) => {
          told.push(kind);
        },
      },
    });
    await enrolled(target, "alice");
    await aside();
    expect([told, actions(target).includes("notice-failed")]).toEqual([["factor-enrolled"], false]);
  });

  test("with whose account it is and the event behind it", async () => {
    const { target, notices } = noticing();
    await enrolled(target, "alice");
    const [event] = target.events;
    expect(notices).toEqual([
      {
        kind: "factor-enrolled",
        userId: "u1",
        to: { address: "alice@acme.test" },
        at: event!.time,
        number: 1,
        browser: "Unknown browser",
        ip: expect.any(String),
        details: { method: "totp", factorId: event!.factorId, label: "Authenticator app" },
        links: { report: expect.stringMatching(/^http:\/\/localhost:3000\/2fa\/report\?token=[\w-]+$/) },
        issuer: "Acme",
        locale: "en",
        event,
      },
    ]);
  });

  test("by a number that the activity list has too, whatever is told and however often", async () => {
    const { target, notices } = noticing();
    const { factorId, phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    for (const label of ["One", "Two", "Two"]) await jar.post(`/2fa/factors/${factorId}/rename`, { label });
    await jar.post("/2fa/backup-codes");
    await target.mfa.accounts.passwordChanged("u1");
    await aside();
    const lines = await activityOf(target);
    expect(notices.map(({ kind }) => kind)).toEqual([
      "factor-enrolled",
      "new-browser",
      ...Array.from({ length: 3 }, () => "factor-renamed"),
      "backup-codes-regenerated",
      "password-changed",
    ]);
    for (const { kind, number } of notices) {
      const line = lines.find((each) => each.number === number || each.earlier?.includes(number) === true);
      expect(line?.action).toBe(kind);
    }
    const page = await jar.page("/2fa/settings");
    for (const { number } of notices) expect(page.text).toMatch(new RegExp(`No\\.\\s(\\d+, )*${number}\\b`));
  });

  test("what a factor was called before, how many codes are left, who did it and what it ended", async () => {
    const { target, notices } = noticing();
    const { backupCodes, factorId, phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    await jar.post(`/2fa/factors/${factorId}/rename`, { label: "Work" });
    await (await pending(target, "alice")).post("/2fa/backup-code", { code: backupCodes[0]! });
    await target.mfa.accounts.removeFactor("u1", factorId, { actor: "support:7" });
    await aside();
    expect(notices.find(({ kind }) => kind === "factor-renamed")?.details).toMatchObject({
      label: "Work",
      before: "Authenticator app",
    });
    expect(notices.find(({ kind }) => kind === "backup-code-used")?.details).toMatchObject({ remaining: 9 });
    expect(notices.at(-1)).toMatchObject({
      kind: "factor-removed",
      to: { address: "alice@acme.test" },
      details: { actor: "support:7", label: "Work", ended: { sessions: 2, browsers: 0 } },
    });
    expect(notices.at(-1)).not.toHaveProperty("browser");
  });

  test("when backup codes run low, and when there are none", async () => {
    const { target, notices } = noticing();
    const { backupCodes } = await enrolled(target, "alice");
    for (const code of backupCodes) {
      await (await pending(target, "alice")).post("/2fa/backup-code", { code });
      target.clock.advance(60 * MINUTE);
    }
    const low = notices.filter(({ kind }) => kind === "backup-codes-low");
    expect(low.map(({ details }) => details.remaining)).toEqual([2, 0]);
  });

  test("in the language that the application says, and to the address that it says", async () => {
    const user = { email: () => "mail@acme.test", locale: () => "de-CH", load: async () => USERS[0] };
    const { target, notices } = noticing({ user });
    await enrolled(target, "alice");
    await target.mfa.accounts.reset("u1");
    await aside();
    const reached = { to: { address: "mail@acme.test" }, locale: "de-CH" };
    expect(notices).toMatchObject([reached, reached]);
  });

  test.each<[string, object]>([
    ["there is no way to find a user", { load: undefined }],
    ["the user is not found", { load: async () => undefined }],
    ["finding the user fails", { load: () => Promise.reject(new Error("no database")) }],
    ["the user has no address", { email: () => undefined }],
  ])("all the same where %s: without an address", async (_name, user) => {
    const { target, notices } = noticing({ user });
    await target.mfa.accounts.signOutEverywhere("u1");
    await aside();
    expect(notices).toMatchObject([{ kind: "signed-out-everywhere", issuer: "Acme" }]);
    expect(notices[0]).not.toHaveProperty("to");
  });

  test("without a link where the keys do not answer: better than not at all", async () => {
    const keys = faultyKeys();
    const { target, notices } = noticing({ keys });
    keys.fail("encrypt", REJECTS);
    await target.mfa.accounts.signOutEverywhere("u1");
    await aside();
    expect(notices).toMatchObject([{ kind: "signed-out-everywhere", links: {}, to: { address: "alice@acme.test" } }]);
  });

  test("with a link to no place where the origin depends on a request and there is none", async () => {
    const { target, notices } = noticing({ origin: () => ["http://localhost:3000"] });
    await target.mfa.accounts.signOutEverywhere("u1");
    await aside();
    expect(notices[0]?.links).toEqual({});
  });

  test("of an address that another took the place of, at both, by one number and with neither in the words", async () => {
    const notices: Notice[] = [];
    const target = emailApp(undefined, { options: { notify: (notice) => void notices.push(notice) } });
    const { factorId, jar } = await withDestination(target);
    target.clock.advance(MINUTE);
    await addDestination(jar, { address: "new@home.test", replaces: factorId });
    await aside();
    const replaced = notices.filter(({ kind }) => kind === "factor-replaced");
    expect(replaced.map(({ to }) => to)).toEqual([{ address: ADDRESS }, { address: "alice@acme.test" }]);
    expect(new Set(replaced.map(({ number }) => number)).size).toBe(1);
    for (const { to: _where, ...notice } of notices) expect(JSON.stringify(notice)).not.toMatch(/(alice|new)@/);
    expect(JSON.stringify(target.events)).not.toMatch(/(alice|new)@/);
  });

  test("once of what thirty requests try at the same time", async () => {
    const { target, notices } = noticing();
    const { factorId, phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    await Promise.all(Array.from({ length: 30 }, () => jar.post(`/2fa/factors/${factorId}/remove`)));
    await aside();
    expect(notices.filter(({ kind }) => kind === "factor-removed")).toHaveLength(1);
  });

  test("of a lock once, however often the stranger goes on", async () => {
    const { target, kinds } = noticing();
    await enrolled(target, "alice");
    target.clock.advance(60 * MINUTE);
    const jar = await pending(target, "alice");
    for (let count = 0; count < 25; count += 1) await jar.verify("000000");
    await aside();
    expect(kinds().filter((kind) => kind === "locked")).toEqual(["locked"]);
  });

  test("of one kind twenty times in an hour and no more: nobody buries what they did among a thousand mails", async () => {
    const { target, notices } = noticing();
    const { phone, factorId } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    for (let count = 0; count < 30; count += 1) {
      await jar.post(`/2fa/factors/${factorId}/rename`, { label: `Name ${count % 2}` });
    }
    await jar.post("/2fa/backup-codes");
    await aside();
    const told = notices.filter(({ kind }) => kind === "factor-renamed");
    expect([told.length, notices.at(-1)?.kind]).toEqual([20, "backup-codes-regenerated"]);
    const lines = (await activityOf(target)).filter(({ action }) => action === "factor-renamed");
    expect(lines.reduce((sum, { count }) => sum + count, 0)).toBe(30);
    // What was mailed can be told from what was forged, whatever came after it.
    expect(lines.flatMap(({ earlier = [] }) => earlier).sort((a, b) => a - b)).toEqual(
      told.map(({ number }) => number),
    );
    target.clock.advance(60 * MINUTE);
    await (await full(target, "alice", phone)).post(`/2fa/factors/${factorId}/rename`, { label: "Mine" });
    await aside();
    expect(notices.filter(({ kind }) => kind === "factor-renamed")).toHaveLength(21);
  });

  test("of nothing that happens every day", async () => {
    const { target, kinds } = noticing();
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    kinds();
    await (await pending(target, "alice")).verify("000000");
    await jar.post("/logout");
    await jar.login("alice");
    await full(target, "alice", phone);
    await aside();
    expect(kinds()).toEqual([]);
  });
});

describe("a browser that somebody signs in on for the first time", () => {
  /** Logs in and out of an application that tells of it, again and again. */
  async function signIn(jar: Jar, phone: AuthenticatorApp): Promise<void> {
    await jar.login("alice");
    expect((await jar.verify(phone.code(jar.target.clock()))).status).toBe(200);
    jar.target.clock.advance(30_000);
    await jar.post("/logout");
  }

  function news({ notices }: Noticing): number {
    return notices.filter(({ kind }) => kind === "new-browser").length;
  }

  test("is told of once: not the first of all, and not one that was known", async () => {
    const here = noticing();
    const first = new Jar(here.target);
    await first.login("alice");
    const { phone } = await first.enroll();
    await first.post("/logout");
    expect(news(here)).toBe(0);
    await signIn(first, phone);
    expect(news(here)).toBe(0);
    const other = new Jar(here.target);
    await signIn(other, phone);
    expect(news(here)).toBe(1);
    await signIn(other, phone);
    await signIn(first, phone);
    expect(news(here)).toBe(1);
  });

  test("is told of with its own line and where it was", async () => {
    const { target, notices } = noticing();
    const { phone } = await enrolled(target, "alice");
    await full(target, "alice", phone);
    const notice = notices.find(({ kind }) => kind === "new-browser");
    expect(notice).toMatchObject({ browser: "Unknown browser", ip: expect.any(String) });
    const [line] = (await activityOf(target)).filter(({ action }) => action === "new-browser");
    expect(line?.number).toBe(notice?.number);
  });

  test("keeps nobody out where the keys do not open what is kept of browsers, or do not answer", async () => {
    const keys = faultyKeys();
    const here = noticing({ keys, storeTimeout: "50ms" });
    await new Jar(here.target).login("carol");
    for (const fault of [REJECTS, HANGS]) {
      keys.fail("decrypt", fault);
      const jar = new Jar(here.target);
      await jar.login("carol");
      expect(await jar.isIn()).toBe(true);
    }
  });

  test("is told of for users without a second factor, too", async () => {
    const here = noticing();
    await new Jar(here.target).login("carol");
    expect(news(here)).toBe(0);
    await new Jar(here.target).login("carol");
    expect(news(here)).toBe(1);
  });

  test("is told of where the copied cookie of a trusted one was enough, and not on that one itself", async () => {
    const here = noticing();
    const { phone } = await enrolled(here.target, "alice");
    const own = await trusted(here.target, "alice", phone);
    await own.post("/logout");
    const before = news(here);
    await own.login("alice");
    expect([await own.isIn(), news(here)]).toEqual([true, before]);
    const copy = copyOf(own, [deviceCookie(own)[0]]);
    await copy.login("alice");
    expect([await copy.isIn(), news(here)]).toEqual([true, before + 1]);
    expect(cookies(copy)).toHaveProperty("2fa-known");
  });

  test("is not told of where the password was all there was to it", async () => {
    const here = noticing();
    await enrolled(here.target, "alice");
    await pending(here.target, "alice");
    expect(news(here)).toBe(0);
  });

  test("is known by a cookie that opens nothing and tells two users apart", async () => {
    const here = noticing();
    const jar = new Jar(here.target);
    await jar.login("carol");
    const cookies = (await jar.login("carol")).headers["set-cookie"] as unknown as string[];
    const known = cookies.find((cookie) => cookie.startsWith("2fa-known="));
    expect(known).toMatch(/HttpOnly.*SameSite=Lax/);
    await jar.login("dave");
    await new Jar(here.target).login("dave");
    expect(news(here)).toBe(1);
    expect(JSON.stringify(await here.target.mfa.accounts.export("u3"))).not.toContain(/=([^;]+)/.exec(known!)![1]);
  });

  test("carries nothing where nobody is told", async () => {
    const jar = new Jar(testApp());
    const answer = await jar.login("carol");
    expect(String(answer.headers["set-cookie"])).not.toContain("2fa-known");
  });

  test("is known under a key that the others were sealed anew with", async () => {
    const [old, fresh] = ["old", "new"].map((id) => `${id}:${randomBytes(32).toString("base64")}`);
    const here = noticing({ keys: old });
    const jar = new Jar(here.target);
    await jar.login("carol");
    const { clock, store, sessionStore } = here.target;
    const rotating = noticing({ keys: `${fresh},${old}` }, { clock, store, sessionStore });
    expect(await rotating.target.mfa.rotateKeys()).toMatchObject({ left: {}, unreadable: 0 });
    const after = noticing({ keys: fresh }, { clock, store, sessionStore });
    await copyOf(jar, ["2fa-known"], after.target).login("carol");
    expect(news(after)).toBe(0);
  });
});

describe("a notice that cannot be delivered", () => {
  test.each<[string, Notify]>([
    ["rejects", () => Promise.reject(new Error("the mail server is away"))],
    [
      "throws",
      () => {
        throw new Error("no such template");
      },
    ],
  ])("because notify %s is told of, and the answer is as ever", async (_name, notify) => {
    const target = testApp({ options: { notify } });
    const { phone } = await enrolled(target, "alice");
    await aside();
    expect(target.events.slice(0, 2)).toMatchObject([
      { action: "factor-enrolled", outcome: "success" },
      { action: "notice-failed", outcome: "failure", userId: "u1", reason: "factor-enrolled" },
    ]);
    expect(JSON.stringify(target.events)).not.toMatch(/mail server|template/);
    expect(await (await full(target, "alice", phone)).isIn()).toBe(true);
  });

  test("because notify hangs delays no answer", async () => {
    const target = testApp({ options: { notify: () => new Promise(() => undefined) } });
    const { phone } = await enrolled(target, "alice");
    expect(await (await full(target, "alice", phone)).isIn()).toBe(true);
    expect(actions(target)).not.toContain("notice-failed");
  });

  test("because notify hangs is told of in the end", async () => {
    jest.useFakeTimers({ doNotFake: ["nextTick", "setImmediate", "queueMicrotask", "Date"] });
    try {
      const target = testApp({ options: { notify: () => new Promise(() => undefined) } });
      await target.mfa.accounts.signOutEverywhere("u1");
      expect(actions(target)).toEqual(["signed-out-everywhere"]);
      await jest.advanceTimersByTimeAsync(60_000);
      expect(target.events).toMatchObject([{ action: "notice-failed", reason: "signed-out-everywhere" }]);
    } finally {
      jest.useRealTimers();
    }
  });
});
