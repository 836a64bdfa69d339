import { describe, expect, test } from "@jest/globals";
import { authenticatorApp } from "express-second-factor/testing";
import { MINUTE } from "../support/attack.js";
import { passwordOf, testApp, type TestApp } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { codesOn, submit } from "../support/pages.js";

const ACCOUNT = { username: "carol", password: passwordOf("carol") };

function required(): TestApp {
  return testApp({ options: { policy: "required" } });
}

describe('policy "required": a user without a second factor', () => {
  test("is told so at the login: 403 for a client of the API, 303 for a browser", async () => {
    const target = required();
    const api = await new Jar(target).login("carol");
    expect([api.status, api.body.code, api.body.location]).toEqual([403, "enrollment-required", "/2fa"]);
    const browser = await new Jar(target).form("/login", ACCOUNT);
    expect([browser.status, browser.headers.location]).toEqual([303, "/2fa"]);
  });

  test("reaches nothing of the application, and is hidden from it", async () => {
    const jar = await pending(required(), "carol");
    for (const path of ["/account", "/api/data", "/"]) {
      const answer = await jar.get(path);
      expect([answer.status, answer.body.code]).toEqual([403, "enrollment-required"]);
      expect((await jar.page(path)).headers.location).toBe("/2fa");
    }
    expect(await jar.isIn()).toBe(false);
  });

  test("sees only that one is to be set up", async () => {
    const jar = await pending(required(), "carol");
    expect((await jar.get("/2fa")).body).toMatchObject({ status: "must-enroll", methods: [], preferred: null });
    expect((await jar.get("/2fa")).body.enrollable).toEqual(["passkey", "totp"]);
    const page = await jar.page("/2fa");
    expect([page.status, page.text.includes('action="/2fa/totp/enroll"')]).toEqual([200, true]);
    const settings = await jar.get("/2fa/settings");
    expect([settings.status, settings.body.code]).toEqual([403, "enrollment-required"]);
  });

  test("is in once it is set up, inside the same login, and lands where they were going", async () => {
    const target = required();
    const jar = new Jar(target);
    await jar.form("/login", ACCOUNT);
    await jar.page("/api/data");
    const { backupCodes } = await jar.enroll();
    expect(backupCodes).toHaveLength(10);
    expect(await jar.isIn()).toBe(true);
    expect((await jar.get("/")).body.status).toBe("verified");
  });

  test("is led on by the page that shows the backup codes", async () => {
    const target = required();
    const jar = new Jar(target);
    await jar.form("/login", ACCOUNT);
    await jar.page("/api/data?x=1");
    const begun = (await jar.post("/2fa/totp/enroll")).body as { factorId: string; uri: string };
    const code = authenticatorApp(begun.uri).code(target.clock());
    const { page } = await submit(jar, "/2fa/totp/enroll/confirm", { factorId: begun.factorId, code });
    expect(codesOn(page)).toHaveLength(10);
    expect((await jar.form("/2fa/backup-codes/saved")).headers.location).toBe("/api/data?x=1");
  });

  test("changes the session's id by it, and ends other logins", async () => {
    const target = required();
    const [jar, other] = [await pending(target, "carol"), await pending(target, "carol")];
    await jar.enroll();
    expect([await jar.isIn(), await other.isIn()]).toEqual([true, false]);
    expect((await other.get("/2fa")).body.code).toBe("login-required");
  });

  test("has ten minutes", async () => {
    const target = required();
    const jar = await pending(target, "carol");
    target.clock.advance(10 * MINUTE - 1);
    expect((await jar.get("/2fa")).body.status).toBe("must-enroll");
    target.clock.advance(1);
    expect((await jar.get("/2fa")).status).toBe(410);
    expect((await jar.post("/2fa/totp/enroll")).status).toBe(401);
  });

  test("cannot prove what they do not have", async () => {
    const jar = await pending(required(), "carol");
    for (const [path, code] of [
      ["/2fa/totp", "000000"],
      ["/2fa/backup-code", "0000-0000-0000-0000"],
    ] as const) {
      const answer = await jar.post(path, { code });
      expect([answer.status, answer.body.code]).toEqual([401, "invalid-code"]);
    }
  });

  test("may turn away", async () => {
    const jar = await pending(required(), "carol");
    expect((await jar.post("/2fa/cancel")).status).toBe(204);
    expect((await jar.get("/")).body.status).toBe("anonymous");
  });
});

describe('policy "required": a user with a second factor', () => {
  test("is asked for it as ever", async () => {
    const target = required();
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    expect((await jar.get("/2fa")).body.status).toBe("pending");
    await full(target, "alice", phone);
  });

  test("keeps the last one: 409, and switching off is refused as well", async () => {
    const target = required();
    const { phone, factorId } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    for (const path of [`/2fa/factors/${factorId}/remove`, "/2fa/disable"]) {
      const answer = await jar.post(path);
      expect([answer.status, answer.body.code]).toEqual([409, "last-factor"]);
    }
    expect(await target.mfa.accounts.factors("u1")).toHaveLength(1);
  });

  test("may remove one of two", async () => {
    const target = required();
    const { phone, factorId } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    const second = await jar.enroll();
    expect((await jar.post(`/2fa/factors/${factorId}/remove`)).status).toBe(204);
    expect((await jar.post(`/2fa/factors/${second.factorId}/remove`)).body.code).toBe("last-factor");
  });

  test("who loses it to the application has to set one up again, in a login of their own", async () => {
    const target = required();
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    await target.mfa.accounts.reset("u1");
    expect(await jar.isIn()).toBe(false);
    expect((await jar.login("alice")).body.code).toBe("enrollment-required");
  });
});

describe("a login from before a second factor was required", () => {
  test("has to set one up on its next request", async () => {
    let policy: "optional" | "required" = "optional";
    const target = testApp({ options: { policy: () => policy } });
    const jar = await pending(target, "carol");
    expect(await jar.isIn()).toBe(true);
    policy = "required";
    expect((await jar.get("/account")).body.code).toBe("enrollment-required");
    await jar.enroll();
    expect(await jar.isIn()).toBe(true);
  });

  test("owes it where the demand ends while it is being met: it never becomes a full one by waiting", async () => {
    let policy: "optional" | "required" = "required";
    const target = testApp({ options: { policy: () => policy } });
    const jar = await pending(target, "carol");
    policy = "optional";
    expect((await jar.get("/2fa")).body.status).toBe("must-enroll");
    expect(await jar.isIn()).toBe(false);
    expect(await (await pending(target, "carol")).isIn()).toBe(true);
  });
});
