import { describe, expect, test } from "@jest/globals";
import { authenticatorApp } from "express-second-factor/testing";
import { MINUTE } from "../support/attack.js";
import { passwordOf, testApp, type TestAppOptions } from "../support/app.js";
import { enrolled, type Jar, pending } from "../support/browser.js";

async function proved(given: TestAppOptions = {}) {
  const target = testApp(given);
  const factor = await enrolled(target, "alice");
  const jar = await pending(target, "alice");
  await jar.verify(factor.phone.code(target.clock()));
  return { target, ...factor, jar };
}

type Given = Awaited<ReturnType<typeof proved>>;
type Change = (given: Given) => ReturnType<Jar["post"]>;

const FIFTEEN: readonly [string, Change][] = [
  ["rename", ({ jar, factorId }) => jar.post(`/2fa/factors/${factorId}/rename`, { label: "x" })],
  ["a new enrollment", ({ jar }) => jar.post("/2fa/totp/enroll")],
  ["new backup codes", ({ jar }) => jar.post("/2fa/backup-codes")],
  ["the end of all trust", ({ jar }) => jar.post("/2fa/devices/revoke-all")],
  ["the end of other sessions", ({ jar }) => jar.post("/2fa/sessions/revoke-others")],
];
const FIVE: readonly [string, Change][] = [
  ["removing a factor", ({ jar, factorId }) => jar.post(`/2fa/factors/${factorId}/remove`)],
  ["switching off", ({ jar }) => jar.post("/2fa/disable")],
];
const ALL = [
  ...FIFTEEN.map(([name, change]) => [name, change, 15] as const),
  ...FIVE.map(([name, change]) => [name, change, 5] as const),
];

describe("a proof is good for a change so long:", () => {
  test.each(ALL)("%s", async (_name, change, minutes) => {
    const given = await proved();
    given.target.clock.advance(minutes * MINUTE);
    expect((await change(given)).status).toBeLessThan(300);
  });

  test.each(ALL)("%s, and not a millisecond longer", async (_name, change, minutes) => {
    const given = await proved();
    given.target.clock.advance(minutes * MINUTE + 1);
    const answer = await change(given);
    expect([answer.status, answer.body]).toMatchObject([
      401,
      { code: "step-up-required", maxAge: minutes * 60, methods: [{ type: "totp" }, { type: "backup-code" }] },
    ]);
    expect(answer.headers["www-authenticate"]).toBe(
      `Bearer error="insufficient_user_authentication", max_age="${minutes * 60}"`,
    );
    expect(await given.target.mfa.accounts.factors("u1")).toMatchObject([{ label: "Authenticator app" }]);
  });

  test.each(ALL)("%s, whatever else is done meanwhile, and again after a new proof", async (_name, change, minutes) => {
    const given = await proved();
    const { jar, phone, target } = given;
    for (let passed = 0; passed <= minutes; passed += 1) {
      target.clock.advance(MINUTE);
      expect(await jar.isIn()).toBe(true);
    }
    expect((await change(given)).body.code).toBe("step-up-required");
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
    expect((await change(given)).status).toBeLessThan(300);
  });
});

describe("a proof by backup code", () => {
  test("lets its user enroll and remove", async () => {
    const { target, factorId, backupCodes } = await proved();
    const jar = await pending(target, "alice");
    await jar.post("/2fa/backup-code", { code: backupCodes[0]! });
    const second = await jar.enroll();
    expect((await jar.post(`/2fa/factors/${factorId}/remove`)).status).toBe(204);
    expect(await target.mfa.accounts.factors("u1")).toMatchObject([{ id: second.factorId }]);
  });

  test("says what other proof new codes take", async () => {
    const { target, backupCodes } = await proved();
    const jar = await pending(target, "alice");
    await jar.post("/2fa/backup-code", { code: backupCodes[0]! });
    const answer = await jar.post("/2fa/backup-codes");
    expect(answer.body).toMatchObject({ code: "step-up-required", maxAge: 900, except: "backup-code" });
    const page = await jar.form("/2fa/backup-codes");
    expect([page.status, page.text.includes('action="/2fa/totp"')]).toEqual([401, true]);
    expect(page.text).not.toContain('action="/2fa/backup-code"');
  });
});

describe("while no factor exists, the first step is good", () => {
  test.each([
    ["for fifteen minutes", 15 * MINUTE, 201, undefined],
    ["no longer", 15 * MINUTE + 1, 401, "step-up-required"],
  ])("%s", async (_name, wait, status, code) => {
    const jar = await pending(testApp(), "carol");
    jar.target.clock.advance(wait);
    const answer = await jar.post("/2fa/totp/enroll");
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  test("again after a new login", async () => {
    const jar = await pending(testApp(), "carol");
    jar.target.clock.advance(20 * MINUTE);
    expect((await jar.post("/2fa/totp/enroll")).status).toBe(401);
    await jar.login("carol");
    expect((await jar.post("/2fa/totp/enroll")).status).toBe(201);
  });
});

describe("verifyPassword", () => {
  const asking: TestAppOptions = {
    options: { verifyPassword: async (user, password) => password === passwordOf(user.name) },
  };

  async function stale(given: TestAppOptions = asking): Promise<Jar> {
    const jar = await pending(testApp(given), "carol");
    jar.target.clock.advance(20 * MINUTE);
    return jar;
  }

  test("stands in for a fresh login while no factor exists", async () => {
    const jar = await stale();
    expect((await jar.post("/2fa/totp/enroll", { password: passwordOf("carol") })).status).toBe(201);
  });

  test("carries the enrollment that it began to its end", async () => {
    const jar = await stale();
    const { factorId, uri } = (await jar.post("/2fa/totp/enroll", { password: passwordOf("carol") })).body;
    const code = authenticatorApp(uri as string).code(jar.target.clock());
    const answer = await jar.post("/2fa/totp/enroll/confirm", { factorId, code });
    expect([answer.status, answer.body.code]).toEqual([201, undefined]);
    expect((await jar.get("/")).body.status).toBe("verified");
  });

  test.each([
    ["a wrong password", { password: "wrong" }],
    ["another user's", { password: passwordOf("alice") }],
    ["none", {}],
    ["an empty one", { password: "" }],
  ])("refuses %s", async (_name, body) => {
    const jar = await stale();
    const answer = await jar.post("/2fa/totp/enroll", body);
    expect([answer.status, answer.body.code]).toEqual([401, "step-up-required"]);
  });

  test("refuses a wrong password in a fresh login too", async () => {
    const jar = await pending(testApp(asking), "carol");
    expect((await jar.post("/2fa/totp/enroll", { password: "wrong" })).status).toBe(401);
  });

  test.each([1, "yes", {}, undefined])("takes nothing but true for a yes: %j", async (verdict) => {
    const jar = await stale({ options: { verifyPassword: async () => verdict as unknown as boolean } });
    expect((await jar.post("/2fa/totp/enroll", { password: "any" })).status).toBe(401);
  });

  test("is limited like codes are", async () => {
    const jar = await stale();
    for (let count = 0; count < 10; count += 1) {
      expect((await jar.post("/2fa/totp/enroll", { password: `wrong ${count}` })).status).toBe(401);
    }
    const answer = await jar.post("/2fa/totp/enroll", { password: passwordOf("carol") });
    expect([answer.status, answer.headers["retry-after"]]).toEqual([429, "900"]);
  });

  test("gets a right password's attempt back", async () => {
    const jar = await stale();
    for (let count = 0; count < 20; count += 1) {
      expect((await jar.post("/2fa/totp/enroll", { password: passwordOf("carol") })).status).toBe(201);
    }
  });

  test("that fails refuses: 503", async () => {
    const jar = await stale({ options: { verifyPassword: () => Promise.reject(new Error("the directory is away")) } });
    const answer = await jar.post("/2fa/totp/enroll", { password: "any" });
    expect([answer.status, answer.body.code]).toEqual([503, "unavailable"]);
  });

  test("is no proof where a factor exists", async () => {
    const { jar, target } = await proved(asking);
    target.clock.advance(20 * MINUTE);
    const answer = await jar.post("/2fa/totp/enroll", { password: passwordOf("alice") });
    expect([answer.status, answer.body.code]).toEqual([401, "step-up-required"]);
  });
});
