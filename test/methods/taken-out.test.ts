import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { backupCodes, memoryStore, passkeys, totp } from "express-second-factor";
import { testApp, type TestApp } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { expectProblem } from "../support/problems.js";

let warned: string[];

beforeEach(() => {
  warned = [];
  jest.spyOn(process, "emitWarning").mockImplementation(((message: string, options?: { code?: string }) => {
    if (options?.code === "SECOND_FACTOR_METHODS") warned.push(message);
  }) as typeof process.emitWarning);
});

afterEach(() => {
  jest.restoreAllMocks();
});

/** Enrolled by authenticator app alone; the application is started anew without that method. */
async function without(names: readonly string[]): Promise<TestApp> {
  const store = memoryStore();
  const before = testApp({ store, options: { methods: [totp()] } });
  for (const name of names) await enrolled(before, name);
  return testApp({ store, clock: before.clock, options: { methods: [passkeys()] } });
}

describe("a method that is taken out while accounts have no other", () => {
  test("is named by ready(), with how many accounts, once and without keeping anybody from starting", async () => {
    const target = await without(["alice", "mallory"]);
    await new Jar(target).login("carol");
    for (let count = 0; count < 2; count += 1) await target.mfa.ready();
    expect(warned).toEqual([
      expect.stringMatching(
        /^methods: 2 of 3 accounts have factors of "totp" alone, which is not among the methods: .*reset/,
      ),
    ]);
    expect(target.errors).toMatchObject([{ place: "methods", error: { message: warned[0] } }]);
  });

  test("is not named where every account can get in, nor where the store cannot list", async () => {
    await (await without([])).mfa.ready();
    const target = await without(["alice"]);
    Object.defineProperty(target.store, "list", { value: undefined });
    await target.mfa.ready();
    expect(warned).toEqual([]);
  });

  test("leaves the login closed, and the JSON says why: there is no method, and no other login will have one", async () => {
    const target = await without(["alice"]);
    const jar = new Jar(target);
    const login = await jar.login("alice");
    expectProblem(login, "second-factor-required");
    for (const { body } of [login, await jar.get("/account"), await jar.get("/2fa/settings")]) {
      expect(body).toMatchObject({ code: "second-factor-required", methods: [], reason: "no-method-left" });
      expect(body.detail).toMatch(/can no longer be used here/);
    }
    expect((await jar.get("/2fa")).body).toMatchObject({
      status: "pending",
      methods: [],
      preferred: null,
      reason: "no-method-left",
    });
    expect(await jar.isIn()).toBe(false);
  });

  test("has a page that says so, and leads to no sign-in that would end there again", async () => {
    const jar = await pending(await without(["alice"]), "alice");
    const { status, text } = await jar.page("/2fa");
    expect([status, text.includes("You cannot sign in here right now")]).toEqual([200, true]);
    expect(text).not.toMatch(/Sign in again|href="\/login"/);
    expect(text).toContain("Use another account");
  });

  test("is told of at each login: an audit event, and an error event with the mend", async () => {
    const target = await without(["alice"]);
    await pending(target, "alice");
    expect(target.events).toMatchObject([
      { action: "challenge-issued", userId: "u1" },
      { action: "no-method-left", outcome: "failure", userId: "u1" },
    ]);
    expect(target.errors).toMatchObject([{ place: "methods", userId: "u1" }]);
    expect(String(target.errors[0]?.error)).toMatch(/"totp" alone.*Put the method back/);
  });

  test("opens the login again when it is put back", async () => {
    const store = memoryStore();
    const before = testApp({ store, options: { methods: [totp()] } });
    const { phone } = await enrolled(before, "alice");
    await pending(testApp({ store, clock: before.clock, options: { methods: [passkeys()] } }), "alice");
    const jar = await full(testApp({ store, clock: before.clock }), "alice", phone);
    expect(await jar.isIn()).toBe(true);
  });
});

test("an account with backup codes beside what was taken out still has a way in", async () => {
  const store = memoryStore();
  const before = testApp({ store });
  const { backupCodes: codes } = await enrolled(before, "alice");
  const target = testApp({ store, clock: before.clock, options: { methods: [passkeys(), backupCodes()] } });
  await target.mfa.ready();
  const jar = await pending(target, "alice");
  expect((await jar.get("/2fa")).body).toMatchObject({ methods: [{ type: "backup-code" }] });
  expect((await jar.get("/2fa")).body).not.toHaveProperty("reason");
  expect((await jar.post("/2fa/backup-code", { code: codes[0]! })).status).toBe(200);
  expect([warned, target.errors]).toEqual([[], []]);
});
