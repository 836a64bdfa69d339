import { randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { memoryStore } from "express-second-factor";
import {
  cookies,
  copyOf,
  deviceCookie,
  HOUR,
  MINUTE,
  putCookie,
  SESSION_COOKIE,
  STEP,
  trusted,
} from "../support/attack.js";
import { testApp, type TestApp } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { deviceLine, setCookies } from "../support/cookies.js";
import { actions } from "../support/observe.js";

const DAY = 24 * HOUR;

/** Logs out and in again on the same browser; the answer is the login's. */
async function logInAgain(jar: Jar, name = "alice") {
  await jar.post("/logout");
  return jar.login(name);
}

async function statusOf(jar: Jar): Promise<string> {
  return (await jar.get("/")).body.status as string;
}

describe("a browser is trusted", () => {
  test("where its user asked for it with a right code, and is not challenged there again", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    const answer = await logInAgain(jar);
    expect([answer.status, answer.headers.location]).toEqual([302, "/account"]);
    expect([await jar.isIn(), await statusOf(jar)]).toEqual([true, "trusted-device"]);
    expect(await (await pending(target, "alice")).isIn()).toBe(false);
  });

  test("with a backup code too", async () => {
    const target = testApp();
    const { backupCodes } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    await jar.post("/2fa/backup-code", { code: backupCodes[0]!, trustDevice: true });
    await logInAgain(jar);
    expect(await statusOf(jar)).toBe("trusted-device");
  });

  test.each(["true", "on"])("by the page's checkbox, which sends %j", async (trustDevice) => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    const answer = await jar.form("/2fa/totp", { code: phone.code(target.clock()), trustDevice });
    expect(deviceLine(answer)).toBeDefined();
  });

  test("for its own user only: two of them on one browser, each with a trust of their own", async () => {
    const target = testApp();
    const [alice, mallory] = [await enrolled(target, "alice"), await enrolled(target, "mallory")];
    const jar = await trusted(target, "alice", alice.phone);
    expect((await logInAgain(jar, "mallory")).status).toBe(401);
    await jar.verify(mallory.phone.code(target.clock()), { trustDevice: true });
    for (const name of ["alice", "mallory", "alice"]) {
      expect((await logInAgain(jar, name)).status).toBe(302);
      expect(await statusOf(jar)).toBe("trusted-device");
    }
  });

  test("says nothing of it in what the login is worth: no proof, no mfa", async () => {
    const target = testApp({
      routes: (app) => app.get("/worth", (req, res) => void res.json(req.secondFactor)),
    });
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    await logInAgain(jar);
    const { body } = await jar.get("/worth");
    expect(body).toMatchObject({ status: "trusted-device", amr: [], aal: 1, phishingResistant: false, enrolled: true });
    expect(body).not.toHaveProperty("verifiedAt");
  });
});

describe("a browser is not trusted", () => {
  test("where nobody asked", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    for (const body of [{}, { trustDevice: false }, { trustDevice: "" }, { trustDevice: "false" }]) {
      const answer = await jar.verify(phone.code(target.clock()), body);
      expect([answer.status, deviceLine(answer)]).toEqual([200, undefined]);
      target.clock.advance(STEP);
    }
    expect((await logInAgain(jar)).status).toBe(401);
  });

  test("with a wrong code", async () => {
    const target = testApp();
    await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    const answer = await jar.verify("000000", { trustDevice: true });
    expect([answer.status, deviceLine(answer)]).toEqual([401, undefined]);
    expect((await logInAgain(jar)).status).toBe(401);
  });

  test("by a login that asks for it before its second factor", async () => {
    const target = testApp();
    await enrolled(target, "alice");
    const jar = new Jar(target);
    const answer = await jar.post("/login", { username: "alice", password: "alice-password", trustDevice: true });
    expect([answer.status, deviceLine(answer)]).toEqual([401, undefined]);
  });

  test.each([
    ["an application without trusted devices", { trustedDevices: false }],
    ["the strict preset", { preset: "strict" }],
  ] as const)("under %s", async (_name, options) => {
    const target = testApp({ options });
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    const page = await jar.page("/2fa");
    expect(page.text).not.toContain("trustDevice");
    const answer = await jar.verify(phone.code(target.clock()), { trustDevice: true });
    expect([answer.status, deviceLine(answer)]).toEqual([200, undefined]);
    expect((await logInAgain(jar)).status).toBe(401);
    expect(actions(target)).not.toContain("device-trusted");
  });

  test("any more once the application switches it off", async () => {
    const store = memoryStore();
    const keys = `k:${randomBytes(32).toString("base64")}`;
    const before = testApp({ store, options: { keys } });
    const { phone } = await enrolled(before, "alice");
    const jar = await trusted(before, "alice", phone);
    const [name, value] = deviceCookie(jar);
    const after = testApp({ store, clock: before.clock, options: { keys, trustedDevices: false } });
    const later = new Jar(after);
    putCookie(later, name, value);
    expect((await later.login("alice")).status).toBe(401);
  });

  test.each([
    ["made up", () => "AAAAAAAAAAAAAAAAAAAAAA.BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"],
    ["cut", (value: string) => value.slice(0, -1)],
    ["without its id", (value: string) => value.split(".")[1]!],
    ["without its secret", (value: string) => `${value.split(".")[0]!}.`],
    ["empty", () => ""],
  ])("by a token that is %s, and the true one stays good", async (_name, change) => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    const [name, value] = deviceCookie(jar);
    const thief = new Jar(target);
    putCookie(thief, name, change(value));
    expect((await thief.login("alice")).status).toBe(401);
    expect((await logInAgain(jar)).status).toBe(302);
  });
});

describe("the trust", () => {
  test("ends thirty days after the grant, by the clock, with the cookie still there", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const granted = target.clock();
    const jar = await trusted(target, "alice", phone);
    target.clock.set(granted + 30 * DAY - 1);
    expect((await logInAgain(jar)).status).toBe(302);
    target.clock.set(granted + 30 * DAY);
    expect(deviceCookie(jar)[1]).not.toBe("");
    expect(await jar.isIn()).toBe(false);
    expect((await logInAgain(jar)).status).toBe(401);
  });

  test("is not prolonged by use", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    for (let days = 0; days < 29; days += 1) {
      target.clock.advance(DAY);
      expect((await logInAgain(jar)).status).toBe(302);
    }
    target.clock.advance(DAY);
    expect((await logInAgain(jar)).status).toBe(401);
  });

  test("lasts as long as the application says", async () => {
    const target = testApp({ options: { trustedDevices: { maxAge: "2h" } } });
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    const answer = await jar.verify(phone.code(target.clock()), { trustDevice: true });
    expect(deviceLine(answer)).toContain(`Max-Age=${2 * 60 * 60};`);
    target.clock.advance(2 * HOUR - 1);
    expect((await logInAgain(jar)).status).toBe(302);
    target.clock.advance(1);
    expect((await logInAgain(jar)).status).toBe(401);
  });

  test("in one browser more than the application allows ends in the one least recently used", async () => {
    const target = testApp({ options: { trustedDevices: { maxPerUser: 2 } } });
    const { phone } = await enrolled(target, "alice");
    const [first, second] = [await trusted(target, "alice", phone), await trusted(target, "alice", phone)];
    target.clock.advance(MINUTE);
    expect((await logInAgain(first)).status).toBe(302);
    const third = await trusted(target, "alice", phone);
    expect((await third.get("/2fa/settings")).body.devices).toHaveLength(2);
    expect((await logInAgain(first)).status).toBe(302);
    expect((await logInAgain(third)).status).toBe(302);
    expect((await logInAgain(second)).status).toBe(401);
  });

  test("given again on the same browser replaces the one it had", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    await jar.verify(phone.code(target.clock()), { trustDevice: true });
    expect((await jar.get("/2fa/settings")).body.devices).toHaveLength(1);
  });
});

describe("the token", () => {
  test("is another one after each use", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    const seen = new Set([deviceCookie(jar)[1]]);
    for (let count = 0; count < 5; count += 1) {
      target.clock.advance(HOUR);
      await logInAgain(jar);
      seen.add(deviceCookie(jar)[1]);
    }
    expect(seen.size).toBe(6);
    for (const value of seen) expect(value.split(".")[1]).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  test("serves requests that ran beside the one that rotated it", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    const [name] = deviceCookie(jar);
    const tabs = Array.from({ length: 5 }, () => copyOf(jar, [name]));
    actions(target);
    const answers = await Promise.all(tabs.map((tab) => tab.login("alice")));
    expect(answers.map(({ status }) => status)).toEqual([302, 302, 302, 302, 302]);
    expect(actions(target)).not.toContain("device-replayed");
    for (const tab of tabs) expect(await statusOf(tab)).toBe("trusted-device");
    target.clock.advance(MINUTE);
    const kept = tabs.filter((tab) => deviceCookie(tab)[1] !== deviceCookie(jar)[1]);
    expect(kept).toHaveLength(1);
    expect((await logInAgain(kept[0]!)).status).toBe(302);
  });

  test.each([
    ["30 s after it was used up is still good", 30_000, 302, []],
    ["later gives the copy away", 30_001, 401, ["device-replayed"]],
  ])("%s", async (_name, wait, status, replayed) => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    const copy = copyOf(jar, [deviceCookie(jar)[0]]);
    await logInAgain(jar);
    target.clock.advance(wait);
    actions(target);
    expect((await copy.login("alice")).status).toBe(status);
    expect(actions(target).filter((action) => action === "device-replayed")).toEqual(replayed);
  });

  test("used again later ends the trust for both, with the login that rests on it", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    const copy = copyOf(jar, [deviceCookie(jar)[0]]);
    await logInAgain(jar);
    expect(await jar.isIn()).toBe(true);
    target.clock.advance(MINUTE);
    const answer = await copy.login("alice");
    expect(deviceLine(answer)).toMatch(/Expires=Thu, 01 Jan 1970/);
    expect([await jar.isIn(), await copy.isIn()]).toEqual([false, false]);
    expect((await logInAgain(jar)).status).toBe(401);
    const [event] = target.events.filter(({ action }) => action === "device-replayed");
    expect(event).toMatchObject({ outcome: "failure", userId: "u1" });
  });

  test("several uses old gives itself away as well", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    const copy = copyOf(jar, [deviceCookie(jar)[0]]);
    for (let count = 0; count < 4; count += 1) await logInAgain(jar);
    expect((await copy.login("alice")).status).toBe(401);
    expect((await logInAgain(jar)).status).toBe(401);
  });
});

describe("its cookie", () => {
  async function granted(origin: string | string[]) {
    const target = testApp({ options: { origin } });
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    return deviceLine(await jar.verify(phone.code(target.clock()), { trustDevice: true }))!;
  }

  test("under https is __Host-, Secure, HttpOnly, SameSite=Lax, for the whole site and no other", async () => {
    const attributes = (await granted("https://acme.example")).split("; ");
    expect(attributes[0]).toMatch(/^__Host-2fa-device-[A-Za-z0-9_-]+=[A-Za-z0-9_.-]+$/);
    expect(
      attributes
        .slice(1)
        .filter((each) => !each.startsWith("Expires="))
        .sort(),
    ).toEqual(["HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=Lax", "Secure"]);
  });

  test("under http, in development, has a plain name and is HttpOnly all the same", async () => {
    const attributes = (await granted("http://localhost:3000")).split("; ");
    expect(attributes[0]).toMatch(/^2fa-device-/);
    expect(attributes).toEqual(expect.arrayContaining(["HttpOnly", "SameSite=Lax", "Path=/"]));
    expect(attributes).not.toContain("Secure");
  });

  test("says nothing of its user", async () => {
    const line = await granted("https://acme.example");
    for (const word of ["alice", "u1", "acme.test"]) expect(line).not.toContain(word);
  });

  test("is kept from the store, which has only digests", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    const stored = (await target.store.read("account:u1"))!.value;
    expect(stored).not.toContain(deviceCookie(jar)[1].split(".")[1]!);
  });

  test("stays at a logout, which ends the session only", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    const [, before] = deviceCookie(jar);
    const answer = await jar.post("/logout");
    expect(setCookies(answer).filter((line) => line.includes("2fa-device"))).toEqual([]);
    expect(deviceCookie(jar)[1]).toBe(before);
    expect(Object.keys(cookies(jar))).toContain(SESSION_COOKIE);
  });
});

describe("a login on a trusted browser", () => {
  async function resting() {
    const target = testApp();
    const factor = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", factor.phone);
    await logInAgain(jar);
    return { target, jar, ...factor };
  }

  test("reads the settings and changes nothing there", async () => {
    const { jar, factorId } = await resting();
    expect((await jar.get("/2fa/settings")).status).toBe(200);
    const { devices } = (await jar.get("/2fa/settings")).body as { devices: { id: string }[] };
    for (const path of [
      "totp/enroll",
      "backup-codes",
      `factors/${factorId}/remove`,
      `devices/${devices[0]!.id}/revoke`,
      "devices/revoke-all",
      "sessions/revoke-others",
      "disable",
    ]) {
      const answer = await jar.post(`/2fa/${path}`);
      expect([path, answer.status, answer.body.code]).toEqual([path, 401, "step-up-required"]);
    }
    const renamed = await jar.post(`/2fa/factors/${factorId}/rename`, { label: "Mine" });
    expect([renamed.status, renamed.body.code]).toEqual([401, "step-up-required"]);
  });

  test("becomes a full one with a code, and may then", async () => {
    const { target, jar, phone } = await resting();
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
    expect(await statusOf(jar)).toBe("verified");
    expect((await jar.post("/2fa/backup-codes")).status).toBe(201);
  });

  test("then rests on the code, whatever becomes of the trust", async () => {
    const { target, jar, phone } = await resting();
    await jar.verify(phone.code(target.clock()));
    await target.mfa.accounts.revokeDevices("u1");
    expect(await statusOf(jar)).toBe("verified");
  });

  test("ends on the next request when the trust is revoked: anonymous there, 410 on the routes", async () => {
    const { target, jar } = await resting();
    const second = copyOf(jar);
    await target.mfa.accounts.revokeDevices("u1");
    const answer = await jar.get("/2fa/settings");
    expect([answer.status, answer.body.code]).toEqual([410, "expired"]);
    expect([await second.isIn(), await statusOf(second)]).toEqual([false, "anonymous"]);
  });
});

describe("the list of trusted browsers", () => {
  const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

  async function two(): Promise<{
    target: TestApp;
    here: Jar;
    there: Jar;
    devices: { id: string; current: boolean }[];
  }> {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const [there, here] = [await trusted(target, "alice", phone), await trusted(target, "alice", phone)];
    const { devices } = (await here.get("/2fa/settings")).body;
    return { target, here, there, devices };
  }

  test("names each, says when it was trusted and last used, and which one asks", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    const granted = target.clock();
    await jar.verify(phone.code(granted), { trustDevice: true }).set("User-Agent", FIREFOX);
    target.clock.advance(HOUR);
    await logInAgain(jar);
    const { devices } = (await jar.get("/2fa/settings")).body;
    expect(devices).toEqual([
      {
        id: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
        label: "Firefox on Linux",
        createdAt: new Date(granted).toISOString(),
        lastUsedAt: new Date(granted + HOUR).toISOString(),
        expiresAt: new Date(granted + 30 * DAY).toISOString(),
        current: true,
      },
    ]);
  });

  test("lets its owner revoke one of them, and the other stays", async () => {
    const { here, there, devices } = await two();
    expect(devices.map(({ current }) => current).sort()).toEqual([false, true]);
    const other = devices.find(({ current }) => !current)!;
    expect((await here.post(`/2fa/devices/${other.id}/revoke`)).status).toBe(204);
    expect((await here.get("/2fa/settings")).body.devices).toHaveLength(1);
    expect((await logInAgain(there)).status).toBe(401);
    expect((await logInAgain(here)).status).toBe(302);
  });

  test("lets its owner revoke all of them", async () => {
    const { here, there } = await two();
    expect((await here.post("/2fa/devices/revoke-all")).status).toBe(204);
    expect((await here.get("/2fa/settings")).body.devices).toEqual([]);
    for (const jar of [here, there]) expect((await logInAgain(jar)).status).toBe(401);
  });

  test("has nothing to revoke of another user's, nor twice", async () => {
    const { target, here, devices } = await two();
    const { phone } = await enrolled(target, "mallory");
    const mallory = await full(target, "mallory", phone);
    const id = devices[0]!.id;
    const foreign = await mallory.post(`/2fa/devices/${id}/revoke`);
    expect([foreign.status, foreign.body.code]).toEqual([404, "not-found"]);
    expect((await here.post(`/2fa/devices/${id}/revoke`)).status).toBe(204);
    expect((await here.post(`/2fa/devices/${id}/revoke`)).status).toBe(404);
  });
});
