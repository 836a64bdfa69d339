import { describe, expect, test } from "@jest/globals";
import { MINUTE } from "../support/attack.js";
import { CANARY, passwordOf, testApp, type TestAppOptions } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { actions } from "../support/observe.js";

const ACCOUNT = { username: "alice", password: passwordOf("alice") };

describe('enforce: "report"', () => {
  /** Enrolls under a store that a reporting application then shares. */
  async function reporting(policy?: "required") {
    const target = testApp({ options: { enforce: "report", ...(policy && { policy }) } });
    if (policy === undefined)
      await target.mfa.accounts.importTotp("u1", { secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXA" });
    actions(target);
    return target;
  }

  test("lets a login through that would be asked for a second factor, and says so", async () => {
    const target = await reporting();
    const jar = new Jar(target);
    const login = await jar.form("/login", ACCOUNT);
    expect([login.status, login.headers.location]).toEqual([302, "/account"]);
    expect(target.events.filter(({ action }) => action === "would-block")).toMatchObject([
      { outcome: "failure", userId: "u1", reason: "pending" },
    ]);
    actions(target);
    expect(await jar.isIn()).toBe(true);
    expect(actions(target)).toEqual(["would-block"]);
  });

  test("leaves the user visible, and says what the login would be worth", async () => {
    const jar = await pending(await reporting(), "alice");
    expect((await jar.get("/")).body).toMatchObject({ user: { name: "alice" }, canary: CANARY, status: "pending" });
  });

  test("lets through after ten minutes as before, and goes on saying so", async () => {
    const target = await reporting();
    const jar = await pending(target, "alice");
    target.clock.advance(11 * MINUTE);
    actions(target);
    expect(await jar.isIn()).toBe(true);
    expect(actions(target)).toContain("would-block");
  });

  test("says so of users who would have to set one up", async () => {
    const target = await reporting("required");
    const jar = await pending(target, "carol");
    expect(await jar.isIn()).toBe(true);
    expect(target.events).toContainEqual(
      expect.objectContaining({ action: "would-block", userId: "u3", reason: "must-enroll" }),
    );
  });

  test("says nothing of logins that need none", async () => {
    const target = await reporting();
    const jar = await pending(target, "carol");
    expect([await jar.isIn(), actions(target)]).toEqual([true, []]);
  });

  test("takes the second factor of who gives it", async () => {
    const target = testApp({ options: { enforce: "report" } });
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    actions(target);
    expect((await jar.get("/")).body.status).toBe("verified");
    expect(actions(target)).toEqual([]);
  });
});

describe("pages: false", () => {
  const headless: TestAppOptions = {
    options: { pages: false },
    routes: (app) => {
      app.get(["/2fa", "/2fa/settings"], (req, res) => {
        res
          .type("html")
          .send(`own page, user ${req.user === undefined ? "hidden" : "shown"}, ${req.secondFactor.status}`);
      });
    },
  };

  async function waiting() {
    const target = testApp(headless);
    const factor = await enrolled(target, "alice");
    return { target, ...factor, jar: await pending(target, "alice") };
  }

  test("leaves the pages below the path to the application, the user hidden while a second factor is due", async () => {
    const { target, jar, phone } = await waiting();
    expect((await jar.page("/2fa")).text).toBe("own page, user hidden, pending");
    await jar.verify(phone.code(target.clock()));
    expect((await jar.page("/2fa/settings")).text).toBe("own page, user shown, verified");
  });

  test("still sends browsers there", async () => {
    const { target, jar } = await waiting();
    expect((await jar.page("/account")).headers.location).toBe("/2fa");
    const login = await new Jar(target).form("/login", ACCOUNT);
    expect([login.status, login.headers.location]).toEqual([303, "/2fa"]);
  });

  test("answers every POST, and every client of the API, with JSON", async () => {
    const { target, jar, phone } = await waiting();
    expect((await jar.get("/2fa")).body.status).toBe("pending");
    const wrong = await jar.form("/2fa/totp", { code: "000000" });
    expect([wrong.status, wrong.body.code]).toEqual([401, "invalid-code"]);
    const right = await jar.form("/2fa/totp", { code: phone.code(target.clock()) });
    expect([right.status, right.body.status]).toEqual([200, "verified"]);
  });

  test("opens no way around the gate: what the application serves elsewhere stays closed", async () => {
    const { jar } = await waiting();
    for (const path of ["/account", "/2fa/../account", "/2FA/../account", "/2fa/%2e%2e/account"]) {
      expect([path, (await jar.page(path)).text.includes(CANARY)]).toEqual([path, false]);
    }
  });

  test("passes a page of the application's own nothing it would not have: 404 where it has none", async () => {
    const { jar } = await waiting();
    expect((await jar.page("/2fa/nowhere")).status).toBe(404);
    expect((await jar.get("/2fa/nowhere")).body.code).toBe("not-found");
  });
});
