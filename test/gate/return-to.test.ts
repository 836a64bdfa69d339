import { describe, expect, test } from "@jest/globals";
import { STEP } from "../support/attack.js";
import { passwordOf, testApp, type TestAppOptions } from "../support/app.js";
import { type Enrolled, enrolled, full, Jar } from "../support/browser.js";

interface Ready extends Enrolled {
  readonly jar: Jar;
}

const ACCOUNT = { username: "alice", password: passwordOf("alice") };

async function ready(given: TestAppOptions = {}): Promise<Ready> {
  const target = testApp({
    ...given,
    before(app, authenticator) {
      app.get("/wants/{*place}", (req, res) => {
        (req.session as unknown as { returnTo: unknown }).returnTo = req.originalUrl.slice("/wants".length);
        res.json({});
      });
      given.before?.(app, authenticator);
    },
    routes(app, mfa, authenticator) {
      app.post("/plain-login", authenticator.authenticate("local"), (_req, res) => {
        res.json({});
      });
      app.post("/members/login", authenticator.authenticate("local", { successRedirect: "./home?a=1" }));
      app.post("/login-or-back", authenticator.authenticate("local", { successReturnToOrRedirect: "/or-here" }));
      given.routes?.(app, mfa, authenticator);
    },
    options: { exempt: ["/login", "/members/login", "/plain-login", "/login-or-back"], ...given.options },
  });
  return { ...(await enrolled(target, "alice")), jar: new Jar(target) };
}

/** Gives the second factor; answers where the user lands. */
async function landing({ jar, phone }: Ready): Promise<string> {
  const answer = await jar.verify(phone.code(jar.target.clock()));
  expect(answer.status).toBe(200);
  return answer.body.redirectTo as string;
}

describe("after the second factor the user lands", () => {
  test("on the page the gate answered, before everything else", async () => {
    const login = await ready();
    await login.jar.get("/wants/from-session");
    await login.jar.form("/login", ACCOUNT);
    await login.jar.page("/api/data?page=2&sort=a%20b");
    expect(await landing(login)).toBe("/api/data?page=2&sort=a%20b");
  });

  test("on the last one of several", async () => {
    const login = await ready();
    await login.jar.form("/login", ACCOUNT);
    for (const path of ["/api/data", "/account", "/nowhere"]) await login.jar.page(path);
    expect(await landing(login)).toBe("/nowhere");
  });

  test("where session.returnTo says, before the login's successRedirect", async () => {
    const login = await ready();
    await login.jar.get("/wants/from-session?x=1");
    await login.jar.form("/login", ACCOUNT);
    expect(await landing(login)).toBe("/from-session?x=1");
  });

  test("where the login's successRedirect says, else", async () => {
    const login = await ready();
    await login.jar.form("/login", ACCOUNT);
    expect(await landing(login)).toBe("/account");
  });

  test("where a browser would read it to lead, if it is relative", async () => {
    const login = await ready();
    await login.jar.form("/members/login", ACCOUNT);
    expect(await landing(login)).toBe("/members/home?a=1");
  });

  test("where successReturnToOrRedirect says, in its place", async () => {
    const login = await ready();
    await login.jar.form("/login-or-back", ACCOUNT);
    expect(await landing(login)).toBe("/or-here");
  });

  test("on the front page, else", async () => {
    const login = await ready();
    await login.jar.form("/plain-login", ACCOUNT);
    expect(await landing(login)).toBe("/");
  });

  test("the same with a form: 303 there", async () => {
    const { jar, phone } = await ready();
    await jar.form("/login", ACCOUNT);
    await jar.page("/api/data");
    const answer = await jar.form("/2fa/totp", { code: phone.code(jar.target.clock()) });
    expect([answer.status, answer.headers.location]).toEqual([303, "/api/data"]);
  });

  test("the same with a wrong code in between", async () => {
    const { jar, ...rest } = await ready();
    await jar.form("/login", ACCOUNT);
    await jar.page("/api/data");
    expect((await jar.form("/2fa/totp", { code: "000000" })).status).toBe(401);
    expect(await landing({ ...rest, jar })).toBe("/api/data");
  });
});

describe("where the user lands is not changed by", () => {
  test.each([
    ["a request of the API", (jar: Jar) => jar.get("/api/data")],
    ["a form that was refused", (jar: Jar) => jar.form("/api/data")],
    ["the second-factor pages", (jar: Jar) => jar.page("/2fa?returnTo=/evil&method=totp")],
    ["a query", (jar: Jar) => jar.page("/2fa?redirectTo=https://evil.test")],
    ["another page of them", (jar: Jar) => jar.page("/2fa/settings")],
    ["an exempt page", (jar: Jar) => jar.page("/login")],
  ])("%s", async (_name, act) => {
    const login = await ready();
    await login.jar.form("/login", ACCOUNT);
    await act(login.jar);
    expect(await landing(login)).toBe("/account");
  });

  test("what a body says", async () => {
    const { jar, phone } = await ready();
    await jar.form("/login", { ...ACCOUNT, returnTo: "/evil", redirectTo: "/evil" });
    const code = phone.code(jar.target.clock());
    const answer = await jar.verify(code, { returnTo: "/evil", redirectTo: "https://evil.test" });
    expect(answer.body.redirectTo).toBe("/account");
  });

  test("what an earlier login asked for", async () => {
    const login = await ready();
    await login.jar.form("/login", ACCOUNT);
    await login.jar.page("/api/data");
    await login.jar.form("/login", ACCOUNT);
    expect(await landing(login)).toBe("/account");
  });

  test("what it was once it has been used", async () => {
    const login = await ready();
    await login.jar.form("/login", ACCOUNT);
    await login.jar.page("/api/data");
    expect(await landing(login)).toBe("/api/data");
    login.jar.target.clock.advance(STEP);
    expect(await landing(login)).toBe("/");
  });
});

describe("a place that is not on this site is none:", () => {
  test.each([
    "https://evil.test/",
    "//evil.test",
    "/\\evil.test",
    "/..//evil.test",
    "/%2e%2e//evil.test",
    "javascript:alert(1)",
    "http://user@localhost:3000/",
  ])("session.returnTo %j", async (place) => {
    const login = await ready({
      before: (app) =>
        app.get("/wish", (req, res) => {
          (req.session as unknown as { returnTo: unknown }).returnTo = place;
          res.json({});
        }),
    });
    await login.jar.get("/wish");
    await login.jar.form("/login", ACCOUNT);
    expect(await landing(login)).toBe("/account");
  });

  test("unless it is this site, written in full", async () => {
    const login = await ready({
      options: { origin: ["https://acme.example", "https://other.example"], exempt: ["/plain-login"] },
      before: (app) =>
        app.get("/wish", (req, res) => {
          (req.session as unknown as { returnTo: unknown }).returnTo = "https://other.example/here?x#y";
          res.json({});
        }),
    });
    await login.jar.get("/wish");
    await login.jar.form("/plain-login", ACCOUNT);
    expect(await landing(login)).toBe("/here?x#y");
  });
});

describe("a confirmation asked for on the settings page", () => {
  test("leads back to it", async () => {
    const { jar: _jar, ...factor } = await ready();
    const { target } = _jar;
    const jar = await full(target, "alice", factor.phone);
    target.clock.advance(20 * 60_000);
    const asked = await jar.form("/2fa/backup-codes");
    expect([asked.status, asked.text.includes('action="/2fa/totp"')]).toEqual([401, true]);
    const answer = await jar.form("/2fa/totp", { code: factor.phone.code(target.clock()) });
    expect([answer.status, answer.headers.location]).toEqual([303, "/2fa/settings"]);
    expect((await jar.form("/2fa/backup-codes")).headers.location).toBe("/2fa/backup-codes");
  });
});
