import { describe, expect, test } from "@jest/globals";
import type { Evaluate, PolicyRules, RiskVerdict } from "express-second-factor";
import type { Request } from "express";
import { guarded, passwordOf, testApp, type TestApp, type TestAppOptions, type TestUser } from "../support/app.js";
import { cookies, MINUTE, putCookie, SESSION_COOKIE, trusted } from "../support/attack.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { HeaderStrategy, RememberMeStrategy } from "../support/first-factors.js";
import { actions } from "../support/observe.js";
import { holder, passwordless, passwordlessApp } from "../passkeys/stage.js";

type Rules = PolicyRules<Request, TestUser>;
type Asked = Evaluate<Request, TestUser>;

/** An application whose policy answers what is said to it, from now on. */
function ruled(app: TestAppOptions = {}): TestApp & { says(verdict: RiskVerdict): void } {
  let verdict: RiskVerdict | "optional" = "optional";
  const evaluate: Asked = () => verdict;
  const target = testApp({ ...app, options: { policy: { evaluate }, ...app.options } });
  return { ...target, says: (next) => (verdict = next) };
}

describe('evaluate that answers "deny"', () => {
  test("refuses the login: 403 for a client of the API, a page for a browser, and nobody is signed in", async () => {
    const target = ruled();
    target.says("deny");
    const jar = new Jar(target);
    const answer = await jar.login("carol");
    expect([answer.status, answer.body.code]).toEqual([403, "denied"]);
    expect(await jar.isIn()).toBe(false);
    const browser = new Jar(target);
    const page = await browser.form("/login", { username: "carol", password: passwordOf("carol") });
    expect([page.status, page.type]).toEqual([403, "text/html"]);
    expect(page.text).toContain("You cannot sign in right now");
    expect((await browser.get("/account")).body.code).toBe("app-says-log-in");
  });

  test("is told as login-denied, once, as a failure of that user", async () => {
    const target = ruled();
    target.says("deny");
    actions(target);
    await new Jar(target).login("carol");
    expect(target.events).toMatchObject([{ action: "login-denied", outcome: "failure", userId: "u3" }]);
  });

  test("ends a login that is complete at its next request, whatever it had shown, and for good", async () => {
    const target = ruled();
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    const copy = new Jar(target);
    putCookie(copy, SESSION_COOKIE, cookies(jar)[SESSION_COOKIE]!);
    expect(await copy.isIn()).toBe(true);
    target.says("deny");
    expect((await jar.get("/account")).body.code).toBe("denied");
    target.says("allow");
    expect([await jar.isIn(), await copy.isIn()]).toEqual([false, false]);
    expect((await target.mfa.accounts.export("u1")).sessions).toEqual([]);
  });

  test("leaves nothing for a page either: a browser is told, and signs in again", async () => {
    const target = ruled();
    const jar = await pending(target, "carol");
    target.says("deny");
    const page = await jar.page("/account");
    expect([page.status, page.text.includes("This sign-in was refused.")]).toEqual([403, true]);
    target.says("allow");
    expect((await jar.get("/account")).body.code).toBe("app-says-log-in");
  });

  test("refuses logins that keep no session, and ends nothing of the session they come in", async () => {
    const target = ruled({
      options: { policy: { evaluate: (user) => (user.name === "mallory" ? "deny" : "optional") } },
      routes: (app, _mfa, authenticator) => {
        authenticator.use(new HeaderStrategy());
        app.get("/by-token", authenticator.authenticate("header", { session: false }), guarded);
      },
      before: (app, authenticator) => {
        authenticator.use(new HeaderStrategy());
        app.use("/early", authenticator.authenticate("header", { session: false }));
      },
    });
    const jar = await pending(target, "carol");
    for (const path of ["/by-token", "/early"]) {
      const answer = await jar.get(path).set("X-Test-User", "mallory");
      expect([path, answer.status, answer.body.code]).toEqual([path, 403, "denied"]);
    }
    expect(await jar.isIn()).toBe(true);
  });

  test("refuses a login that a remember-me cookie made", async () => {
    const target = ruled({
      before: (app, authenticator) => {
        authenticator.use(new RememberMeStrategy());
        app.use(authenticator.authenticate("remember-me"));
      },
    });
    target.says("deny");
    const jar = new Jar(target);
    const ask = () => jar.get("/account").set("Cookie", "remember_me=good-for-carol");
    expect([(await ask()).body.code, (await ask()).body.code]).toEqual(["denied", "denied"]);
    expect((await jar.get("/account")).body.code).toBe("app-says-log-in");
  });

  test("comes as an error of its own to code that waits for the login", async () => {
    const target = ruled({
      routes: (app) =>
        void app.post("/own-login", (req, res) => {
          req.logIn({ id: "u3", name: "carol", email: "" }, { secondFactor: "inline" }, (error) => {
            const { code, status } = error as { code: string; status: number };
            res.json({ code, status, user: req.user ?? null });
          });
        }),
    });
    target.says("deny");
    const jar = new Jar(target);
    expect((await jar.post("/own-login")).body).toEqual({ code: "denied", status: 403, user: null });
    expect(await jar.isIn()).toBe(false);
  });

  test("refuses a passkey that is the whole login: only the right one hears of it, and nothing is listed", async () => {
    let verdict: RiskVerdict = "allow";
    const target = passwordlessApp({ options: { policy: { evaluate: () => verdict } } });
    const { device } = await holder(target, "alice");
    await target.mfa.accounts.signOutEverywhere("u1", { actor: "admin:1" });
    verdict = "deny";
    const jar = new Jar(target);
    const answer = await passwordless(jar, device);
    expect([answer.status, answer.body.code]).toEqual([403, "denied"]);
    expect((await passwordless(new Jar(target), device, { rpId: "evil.test" })).status).toBe(401);
    expect((await target.mfa.accounts.export("u1")).sessions).toEqual([]);
    verdict = "allow";
    expect(await jar.isIn()).toBe(false);
    expect((await passwordless(new Jar(target), device)).status).toBe(200);
  });

  test('is reported and let through under enforce: "report"', async () => {
    const target = ruled({ options: { enforce: "report" } });
    target.says("deny");
    const jar = new Jar(target);
    expect((await jar.login("carol")).status).toBe(302);
    expect(target.events).toMatchObject([
      { action: "would-block", outcome: "failure", reason: "denied", userId: "u3" },
    ]);
    expect(await jar.isIn()).toBe(true);
  });

  test("is an answer of a policy that is a function alone, too", async () => {
    const target = testApp({ options: { policy: (user) => (user.name === "carol" ? "deny" : "optional") } });
    expect((await new Jar(target).login("carol")).body.code).toBe("denied");
    expect((await new Jar(target).login("dave")).status).toBe(302);
  });
});

describe('evaluate that answers "challenge"', () => {
  test("has a second factor asked for on a trusted browser as well, which stays trusted", async () => {
    const target = ruled();
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    await jar.post("/logout");
    target.says("challenge");
    const login = await jar.login("alice");
    expect([login.status, login.body.code]).toEqual([401, "second-factor-required"]);
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
    await jar.post("/logout");
    target.says("allow");
    expect((await jar.login("alice")).status).toBe(302);
  });

  test("asks a login that a trusted browser had let in, with ten minutes for it", async () => {
    const target = ruled();
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    await jar.post("/logout");
    await jar.login("alice");
    expect((await jar.get("/")).body.status).toBe("trusted-device");
    target.says("challenge");
    expect((await jar.get("/account")).body.code).toBe("second-factor-required");
    const expiresAt = new Date(target.clock() + 10 * MINUTE).toISOString();
    target.says("allow");
    expect((await jar.get("/2fa")).body).toMatchObject({ status: "pending", expiresAt });
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
  });

  test("asks nothing more of who has proved one already", async () => {
    const target = ruled();
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    target.says("challenge");
    expect(await jar.isIn()).toBe(true);
  });

  test("has those without one set one up, and keep it in this login", async () => {
    const target = ruled();
    target.says("challenge");
    const jar = new Jar(target);
    expect((await jar.login("carol")).body.code).toBe("enrollment-required");
    await jar.enroll();
    expect(await jar.isIn()).toBe(true);
    expect((await jar.post("/2fa/disable")).body.code).toBe("last-factor");
  });
});

describe('evaluate that answers "allow"', () => {
  test("lets this login in without a second factor, which changes nothing about the account", async () => {
    const target = ruled();
    await enrolled(target, "alice");
    target.says("allow");
    const jar = await pending(target, "alice");
    expect([await jar.isIn(), (await jar.get("/")).body.status]).toEqual([true, "not-enrolled"]);
    expect((await jar.post("/2fa/disable")).body.code).toBe("step-up-required");
  });
});

describe("evaluate that does not answer", () => {
  test.each<[string, () => unknown]>([
    ["hangs", () => new Promise(() => undefined)],
    ["throws", () => Promise.reject(new Error("The engine is away"))],
    ["says what is no answer", () => "maybe"],
  ])("and %s refuses: 503, at a login and later", async (_name, answer) => {
    let works = true;
    const evaluate = ((_user, _req, _login, _facts) => (works ? "allow" : answer())) as Asked;
    for (const rules of [{ evaluate }, { evaluate: (() => (works ? "allow" : answer())) as Asked }] satisfies Rules[]) {
      works = true;
      const target = testApp({ options: { policy: rules, storeTimeout: "50ms" } });
      const jar = await pending(target, "carol");
      works = false;
      expect((await new Jar(target).login("dave")).body.code).toBe("unavailable");
      const isAskedAgain = rules.evaluate.length < 4;
      expect((await jar.get("/account")).status).toBe(isAskedAgain ? 503 : 200);
    }
  });
});
