import { describe, expect, test } from "@jest/globals";
import { backupCodes, ConfigurationError, memoryStore, passkeys, secondFactor, totp } from "express-second-factor";
import { movableClock, softwareAuthenticator } from "express-second-factor/testing";
import type { Request } from "express";
import { ORIGIN, testApp, type TestAppOptions, TEST_KEYS } from "../support/app.js";
import { Jar, pending } from "../support/browser.js";
import { answerWith, creationOptions, enrollWith, passwordGiven, requestOptions } from "./stage.js";

function problemsOf(rpId: unknown, origin: unknown): readonly string[] {
  try {
    const methods = [totp(), passkeys({ rpId: rpId as string })];
    secondFactor({ issuer: "Acme", origin: origin as string, keys: TEST_KEYS, methods });
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

describe("an rpId that no browser would take is named at start, with what it can be:", () => {
  test.each<readonly [unknown, unknown, RegExp]>([
    ["com", "https://acme.com", /public suffix.*"acme\.com"/],
    ["co.uk", "https://acme.co.uk", /public suffix.*"acme\.co\.uk"/],
    ["github.io", "https://acme.github.io", /public suffix/],
    ["com", () => ["https://acme.com"], /public suffix/],
    ["test", "https://acme.test", /public suffix/],
    ["other.test", "https://acme.test", /no host.*"acme\.test"/],
    ["cme.test", "https://acme.test", /no host/],
    ["www.acme.test", "https://acme.test", /no host/],
    ["other.test", ["https://acme.test", ORIGIN], /"acme\.test", "localhost"/],
    ["https://acme.com", "https://acme.com", /write "acme\.com"/],
    ["acme.com:8443", "https://acme.com:8443", /write "acme\.com"/],
    ["acme.com/", "https://acme.com", /write "acme\.com"/],
    ["ACME.com", "https://acme.com", /write "acme\.com"/],
    ["acme.com.", "https://acme.com", /write "acme\.com"/],
    [".acme.com", "https://acme.com", /write "acme\.com"/],
    ["*.acme.com", "https://acme.com", /without scheme/],
    ["münchen.example", "https://xn--mnchen-3ya.example", /write "xn--mnchen-3ya\.example"/],
    ["127.0.0.1", "http://127.0.0.1:3000", /without scheme/],
    ["", "https://acme.com", /without scheme/],
    [" acme.com", "https://acme.com", /write "acme\.com"/],
    [42, "https://acme.com", /number 42/],
    [null, "https://acme.com", /null/],
    [["acme.com"], "https://acme.com", /acme\.com/],
    ["acme.com", "http://127.0.0.1:3000", /https, or http:\/\/localhost/],
  ])("%p at %p", (rpId, origin, says) => {
    expect(problemsOf(rpId, origin)).toEqual([expect.stringMatching(says)]);
  });

  test.each<readonly [unknown, unknown]>([
    [undefined, "https://acme.com"],
    [undefined, "http://127.0.0.1:3000"],
    ["acme.com", "https://acme.com"],
    ["acme.com", "https://app.eu.acme.com:8443"],
    ["acme.co.uk", "https://www.acme.co.uk"],
    ["localhost", ORIGIN],
    ["intranet", "https://intranet"],
    ["acme.com", ["capacitor://localhost", "android:apk-key-hash:abc-_9", "https://localhost", "https://acme.com"]],
    ["acme.com", [ORIGIN, "https://acme.com"]],
    ["acme.com", () => ["https://acme.com"]],
    ["localhost", () => [ORIGIN]],
  ])("and %p at %p is accepted", (rpId, origin) => {
    expect(problemsOf(rpId, origin)).toEqual([]);
  });

  test("beside everything else that is wrong", () => {
    const methods = [passkeys({ rpId: "other.test" })];
    const given = { issuer: "", origin: "https://acme.test", keys: TEST_KEYS, methods };
    expect(() => secondFactor(given)).toThrow(/issuer.*\n.*rpId/);
  });

  test.each<readonly [object, RegExp]>([
    [{ userVerification: "always" }, /userVerification must be "preferred" or "required"/],
    [{ residentKey: true }, /residentKey must be/],
    [{ counterRegression: "ignore" }, /counterRegression must be "refuse" or "report"/],
    [{ offer: "yes" }, /offer must be true or false/],
  ])("as is any other value that passkeys() cannot take: %p", (options, says) => {
    expect(() => passkeys(options)).toThrow(says);
  });
});

describe("origins of apps", () => {
  test.each([
    "null",
    "javascript:alert(1)",
    "file:///index.html",
    "data:text/html,x",
    "capacitor://localhost/path",
    "android:apk-key-hash:",
    "android:other",
    "capacitor:",
  ])("are none: %s", (origin) => {
    expect(problemsOf(undefined, ["https://acme.test", origin])).toEqual([expect.stringMatching(/^origin: /)]);
  });

  test("do not make a site by themselves", () => {
    expect(problemsOf(undefined, ["capacitor://localhost"])).toEqual([expect.stringMatching(/site itself/)]);
  });

  test("may come first: passkeys are made for the site, and an app's answer is taken", async () => {
    const app = "android:apk-key-hash:abc-_9";
    const origin = ["capacitor://localhost", app, "https://localhost", "https://acme.test"];
    const target = testApp({ options: { origin } });
    const jar = await passwordGiven(target, "alice");
    expect((await creationOptions(jar)).rp.id).toBe("acme.test");
    const device = softwareAuthenticator({ origin: app });
    expect((await enrollWith(jar, device)).status).toBe(201);
    expect((await answerWith(await pending(target, "alice"), device)).status).toBe(200);
    const stranger = softwareAuthenticator({ origin: "android:apk-key-hash:other" });
    expect((await enrollWith(jar, stranger)).status).toBe(401);
  });
});

type Tenant = "a.test" | "b.test";

/** One store, an application per tenant as its requests see it: which one it is comes from a header of the test's own. */
function tenants(rest: TestAppOptions = {}, options: Parameters<typeof passkeys>[0] = {}) {
  const [clock, store] = [movableClock(), memoryStore()];
  const at = (tenant: Tenant) =>
    testApp({
      clock,
      store,
      ...rest,
      options: {
        origin: (_req: Request) => [`https://${tenant}`],
        methods: [totp(), backupCodes(), passkeys(options)],
        ...rest.options,
      },
    });
  return { a: at("a.test"), b: at("b.test") };
}

/** Posts as a page of the tenant does. */
function on(jar: Jar, tenant: Tenant, path: string, body: object = {}) {
  return jar.post(path, body).set("Origin", `https://${tenant}`);
}

describe("a passkey of one tenant", () => {
  async function enrolledAtA(options: Parameters<typeof passkeys>[0] = {}) {
    const { a, b } = tenants({}, options);
    const device = softwareAuthenticator({ origin: "https://a.test" });
    const jar = new Jar(a);
    await jar.login("alice");
    const asked = await on(jar, "a.test", "/2fa/passkey/enroll/options");
    expect(asked.body.rp.id).toBe("a.test");
    const done = await on(jar, "a.test", "/2fa/passkey/enroll", { credential: device.create(asked.body) });
    expect(done.status).toBe(201);
    const { backupCodes: codes, factor } = done.body as { backupCodes: [string, string]; factor: { id: string } };
    return { a, b, codes, device, factor, inA: jar };
  }

  test("is asked for there, and at another is not: page and JSON say that all were made for another address", async () => {
    const { a, b, factor } = await enrolledAtA();
    const [atA, atB] = [await pending(a, "alice"), await pending(b, "alice")];
    expect((await on(atA, "a.test", "/2fa/passkey/options")).body).toMatchObject({ rpId: "a.test" });
    const { body } = await atB.get("/2fa");
    expect(body.methods.map(({ type }: { type: string }) => type)).toEqual(["backup-code"]);
    const unusable = [{ id: factor.id, type: "passkey", label: "Passkey", reason: "other-address" }];
    expect([body.preferred, body.unusable]).toEqual(["backup-code", unusable]);
    const gate = await atB.get("/account");
    expect([gate.status, gate.body.unusable]).toEqual([401, unusable]);
    expect((await atB.page("/2fa")).text).toContain("All your passkeys were made for another address");
    expect((await atA.page("/2fa")).text).not.toContain("another address");
    expect((await atA.get("/2fa")).body).not.toHaveProperty("unusable");
    const refused = await on(atB, "b.test", "/2fa/passkey/options");
    expect([refused.status, refused.body.code, refused.body.reason]).toEqual([404, "not-found", "other-address"]);
    expect(await atB.isIn()).toBe(false);
  });

  test("proves nothing at another, whatever the browser there says", async () => {
    const { a, b, device } = await enrolledAtA();
    const atB = await pending(b, "alice");
    const { body } = await on(await pending(a, "alice"), "a.test", "/2fa/passkey/options");
    for (const lie of [{}, { clientData: { origin: "https://b.test" } }, { rpId: "b.test" }]) {
      const answer = await on(atB, "b.test", "/2fa/passkey", { credential: device.get(body, lie) });
      expect([answer.status, answer.body.code]).toEqual([401, "invalid-passkey"]);
    }
    expect(await atB.isIn()).toBe(false);
  });

  test("is shown in the settings of another with the reason, which tells password managers of its own passkeys alone", async () => {
    const { b, codes, factor } = await enrolledAtA();
    const jar = await pending(b, "alice");
    expect((await on(jar, "b.test", "/2fa/backup-code", { code: codes[0] })).status).toBe(200);
    const { body } = await jar.get("/2fa/settings");
    expect(body.factors).toMatchObject([{ id: factor.id, unusable: "other-address" }]);
    expect(body.passkeys).toMatchObject({ rpId: "b.test", credentialIds: [] });
    expect((await jar.page("/2fa/settings")).text).toContain("Made for another address");
    // A second one, made here, is asked for here.
    const device = softwareAuthenticator({ origin: "https://b.test" });
    const asked = await on(jar, "b.test", "/2fa/passkey/enroll/options");
    expect([asked.body.rp.id, asked.body.excludeCredentials]).toEqual(["b.test", []]);
    const made = await on(jar, "b.test", "/2fa/passkey/enroll", { credential: device.create(asked.body) });
    expect(made.status).toBe(201);
    const waiting = await pending(b, "alice");
    const options = await on(waiting, "b.test", "/2fa/passkey/options");
    expect(options.body.allowCredentials).toHaveLength(1);
    expect((await on(waiting, "b.test", "/2fa/passkey", { credential: device.get(options.body) })).status).toBe(200);
    expect((await (await pending(b, "alice")).page("/2fa")).text).not.toContain("another address");
  });

  test("does not make a route's demand one that can be met elsewhere", async () => {
    const { a, b } = tenants({
      routes: (app, mfa) =>
        app.get("/safe", mfa.require({ phishingResistant: true }), (_req, res) => void res.json({})),
    });
    const device = softwareAuthenticator({ origin: "https://a.test" });
    const jar = new Jar(a);
    await jar.login("alice");
    const asked = await on(jar, "a.test", "/2fa/passkey/enroll/options");
    const done = await on(jar, "a.test", "/2fa/passkey/enroll", { credential: device.create(asked.body) });
    const atB = await pending(b, "alice");
    await on(atB, "b.test", "/2fa/backup-code", { code: done.body.backupCodes[0] });
    const { body, status } = await atB.get("/safe");
    expect([status, body.methods, body.unusable]).toMatchObject([401, [], [{ reason: "other-address" }]]);
  });
});

describe("where the rpId is one, and fits no origin of a request", () => {
  test("no passkey is offered, set up or taken, not on pages either; with user.load not to nobody", async () => {
    const { a, b } = tenants({}, { rpId: "a.test" });
    const jar = new Jar(b);
    await jar.login("alice");
    expect((await on(jar, "b.test", "/2fa/passkey/enroll/options")).status).toBe(404);
    expect((await on(new Jar(b), "b.test", "/2fa/passkey/options")).status).toBe(404);
    expect((await on(new Jar(a), "a.test", "/2fa/passkey/options")).status).toBe(200);
    expect((await jar.page("/2fa/settings")).text).not.toContain("data-passkey");
    expect((await jar.get("/2fa/settings")).body).not.toHaveProperty("passkeys");
    const there = new Jar(a);
    await there.login("alice");
    expect((await there.page("/2fa/settings")).text).toContain("data-passkey");
  });

  test("and an address instead of a name has none either, and works with everything else", async () => {
    const target = testApp({ options: { origin: "http://127.0.0.1:3000" } });
    const jar = new Jar(target);
    await jar.login("alice");
    expect((await jar.post("/2fa/passkey/enroll/options")).status).toBe(404);
    expect((await jar.page("/2fa/settings")).text).not.toContain("data-passkey");
    expect((await jar.enroll()).backupCodes).toHaveLength(10);
  });
});

test("a passkey made before its rpId was changed is still asked for, where its own still fits", async () => {
  const [clock, store] = [movableClock(), memoryStore()];
  const origin = "https://app.acme.test";
  const before = testApp({ clock, store, options: { origin } });
  const device = softwareAuthenticator({ origin });
  const jar = await passwordGiven(before, "alice");
  expect((await enrollWith(jar, device)).status).toBe(201);
  const methods = [totp(), passkeys({ rpId: "acme.test" })];
  const after = testApp({ clock, store, options: { origin, methods } });
  const waiting = await pending(after, "alice");
  expect((await requestOptions(waiting)).rpId).toBe("app.acme.test");
  expect((await answerWith(waiting, device)).status).toBe(200);
  const newer = softwareAuthenticator({ origin });
  expect((await enrollWith(waiting, newer)).status).toBe(201);
  const next = await pending(after, "alice");
  expect(await requestOptions(next)).toMatchObject({ rpId: "acme.test", allowCredentials: [expect.anything()] });
});
