import { describe, expect, test } from "@jest/globals";
import type { PolicyDecision } from "express-second-factor";
import { authenticatorApp } from "express-second-factor/testing";
import { HOUR, MINUTE } from "../support/attack.js";
import { passwordOf, testApp, type TestApp, type TestAppOptions } from "../support/app.js";
import { Jar, pending } from "../support/browser.js";
import { visibleText } from "../support/text.js";

const AGAIN = "/2fa/sign-in-again";
const asksPassword: TestAppOptions["options"] = {
  verifyPassword: async (user, password) => password === passwordOf(user.name),
};

/** An application whose login page sends whoever is signed in home, as many do, and whose pages are its own. */
function appWith(options: TestAppOptions["options"] = {}): TestApp {
  return testApp({
    options,
    routes(app) {
      app.get("/login", (req, res) => {
        if (req.isAuthenticated()) res.redirect("/");
        else res.send("the form");
      });
      app.get("/report", (_req, res) => void res.send("a page of the application"));
    },
  });
}

/** Somebody without a factor who signed in a while ago. */
async function lateComer(options: TestAppOptions["options"] = {}): Promise<Jar> {
  const jar = await pending(appWith(options), "carol");
  jar.target.clock.advance(20 * MINUTE);
  return jar;
}

/** The place that a browser was sent to. */
const place = ({ headers, status }: { headers: Record<string, string>; status: number }) => [status, headers.location];

/** Gives name and password in the application's own form, as a browser does. */
const logInByForm = (jar: Jar, name = "carol") => jar.form("/login", { username: name, password: passwordOf(name) });

function formTo(page: string, action: string): string | undefined {
  return (page.match(/<form[^]*?<\/form>/g) ?? []).find((form) => form.includes(`action="${action}"`));
}

describe("somebody without a factor who signed in a while ago", () => {
  test("is told so on the settings page, with a button that signs them in again", async () => {
    const page = await (await lateComer()).page("/2fa/settings");
    expect(visibleText(page.text)).toContain("You signed in a while ago.");
    expect(formTo(page.text, AGAIN)).toContain("Sign in again");
    expect(page.text).not.toContain('href="/login"');
  });

  test("is led to the login page, signed out, and comes back to the settings, where the factor can be set up", async () => {
    const jar = await lateComer();
    expect(place(await jar.form(AGAIN))).toEqual([303, "/login"]);
    expect((await jar.page("/login")).text).toBe("the form");
    expect(await jar.isIn()).toBe(false);
    // The application answers as it always does, and the browser follows.
    const answer = await logInByForm(jar);
    expect(answer.status).toBe(302);
    expect(place(await jar.page(answer.headers.location!))).toEqual([303, "/2fa/settings"]);
    const settings = await jar.page("/2fa/settings");
    expect(visibleText(settings.text)).not.toContain("You signed in a while ago.");
    expect((await jar.form("/2fa/totp/enroll")).status).toBeLessThan(400);
    // Once: from then on every page is what it is.
    expect((await jar.page("/report")).text).toBe("a page of the application");
  });

  test("comes back from the page that a change was refused on, too", async () => {
    const jar = await lateComer();
    for (const path of ["/2fa/totp/enroll", "/2fa/passkey/enroll/options", "/2fa/sessions/revoke-others"]) {
      const refused = await jar.form(path);
      expect([path, refused.status]).toEqual([path, 401]);
      expect(formTo(refused.text, AGAIN)).toBeDefined();
    }
  });

  test("is told in JSON where, and what would do instead", async () => {
    const refused = await (await lateComer()).post("/2fa/totp/enroll");
    expect(refused.body).toMatchObject({ code: "step-up-required", maxAge: 900, methods: [], location: "/login" });
    expect(refused.body).not.toHaveProperty("password");
    const other = await (await lateComer(asksPassword)).post("/2fa/totp/enroll");
    expect(other.body).toMatchObject({ methods: [], location: "/login", password: true });
  });

  test("as a client of the API is told where to sign in", async () => {
    const jar = await lateComer();
    const answer = await jar.post(AGAIN);
    expect([answer.status, answer.body]).toEqual([200, { location: "/login" }]);
    expect(await jar.isIn()).toBe(false);
    expect((await jar.login("carol")).status).toBe(302);
    expect(await jar.isIn()).toBe(true);
  });

  test("with a password to give has a field for it instead", async () => {
    const jar = await lateComer(asksPassword);
    const page = await jar.page("/2fa/settings");
    expect(formTo(page.text, "/2fa/totp/enroll")).toContain('name="password"');
    expect(formTo(page.text, AGAIN)).toBeUndefined();
    const refused = await jar.form("/2fa/totp/enroll", { password: "wrong" });
    expect([refused.status, formTo(refused.text, "/2fa/totp/enroll")]).toEqual([
      401,
      expect.stringContaining('name="password"'),
    ]);
    expect((await jar.form("/2fa/totp/enroll", { password: passwordOf("carol") })).status).toBeLessThan(400);
  });

  test("whose login began before this was installed has the same way", async () => {
    const target = testApp({
      before(app, authenticator) {
        app.post("/before", authenticator.authenticate("local"), (_req, res) => void res.status(204).end());
      },
    });
    const jar = new Jar(target);
    await jar.post("/before", { username: "carol", password: passwordOf("carol") });
    const page = await jar.page("/2fa/settings");
    expect(formTo(page.text, AGAIN)).toBeDefined();
    await jar.form(AGAIN);
    await logInByForm(jar);
    expect(place(await jar.page("/account"))).toEqual([303, "/2fa/settings"]);
    expect((await jar.post("/2fa/totp/enroll")).status).toBe(201);
  });
});

describe("coming back", () => {
  test("is for pages that the browser opens, not for what they load", async () => {
    const jar = await lateComer();
    await jar.form(AGAIN);
    await logInByForm(jar);
    expect((await jar.get("/")).status).toBe(200);
    expect((await jar.page("/report").set("Sec-Fetch-Dest", "iframe")).status).toBe(200);
    expect((await jar.page("/report").set("Sec-Purpose", "prefetch")).status).toBe(200);
    expect((await jar.form("/logout")).status).toBe(204);
  });

  test("ends where the browser gets there by itself", async () => {
    const jar = await lateComer();
    await jar.form(AGAIN);
    await logInByForm(jar);
    expect((await jar.page("/2fa/settings")).status).toBe(200);
    expect((await jar.page("/report")).status).toBe(200);
  });

  test("is for the same user, and for an hour", async () => {
    const other = await lateComer();
    await other.form(AGAIN);
    await logInByForm(other, "dave");
    expect((await other.page("/report")).status).toBe(200);
    const late = await lateComer();
    await late.form(AGAIN);
    late.target.clock.advance(HOUR + 1);
    await logInByForm(late);
    expect((await late.page("/report")).status).toBe(200);
  });

  test("needs no login: pressed twice it leads to the login page as well", async () => {
    const jar = await lateComer();
    await jar.form(AGAIN);
    expect(place(await jar.form(AGAIN))).toEqual([303, "/login"]);
    await logInByForm(jar);
    expect(place(await jar.page("/report"))).toEqual([303, "/2fa/settings"]);
  });

  test("cannot be asked for by another site", async () => {
    const jar = await lateComer();
    const foreign = await jar.form(AGAIN).set("Sec-Fetch-Site", "cross-site").set("Origin", "https://evil.test");
    expect(foreign.status).toBe(403);
    expect(await jar.isIn()).toBe(true);
    const stranger = await new Jar(jar.target).form(AGAIN).set("Sec-Fetch-Site", "cross-site");
    expect(stranger.status).toBe(403);
  });

  test("ends the login in the account: a copy of its session is worth nothing", async () => {
    const jar = await lateComer();
    const before = await jar.get("/2fa/settings");
    expect(before.body.sessions).toHaveLength(1);
    await jar.form(AGAIN);
    const other = await pending(jar.target, "carol");
    expect((await other.get("/2fa/settings")).body.sessions).toHaveLength(1);
  });
});

describe("enforcement that is switched on later", () => {
  /** A login made without a factor an hour ago, when none was asked for, on its way to a page. */
  async function caught(options: TestAppOptions["options"] = {}): Promise<Jar> {
    let decision: PolicyDecision = "optional";
    const target = appWith({ ...options, policy: () => decision });
    const jar = await pending(target, "carol");
    expect(await jar.isIn()).toBe(true);
    target.clock.advance(HOUR);
    decision = "required";
    expect(place(await jar.page("/report"))).toEqual([303, "/2fa"]);
    return jar;
  }

  test("says at once that they must sign in again, and brings them to set it up and on to where they were going", async () => {
    const jar = await caught();
    const page = await jar.page("/2fa");
    expect(visibleText(page.text)).toContain("sign in again first");
    expect(formTo(page.text, AGAIN)).toBeDefined();
    // What would only be refused is not offered.
    expect(formTo(page.text, "/2fa/totp/enroll")).toBeUndefined();
    expect(place(await jar.form(AGAIN))).toEqual([303, "/login"]);
    expect(place(await logInByForm(jar))).toEqual([303, "/2fa"]);
    const setUp = await jar.page("/2fa");
    expect(formTo(setUp.text, "/2fa/totp/enroll")).toBeDefined();
    await jar.enroll();
    expect((await jar.page("/report")).text).toBe("a page of the application");
  });

  test("leads on to where they were going once the factor is set up", async () => {
    const jar = await caught();
    await jar.form(AGAIN);
    await logInByForm(jar);
    const { body } = await jar.get("/2fa");
    expect(body.status).toBe("must-enroll");
    const { factorId, uri } = (await jar.post("/2fa/totp/enroll")).body;
    const code = authenticatorApp(uri).code(jar.target.clock());
    const done = await jar.form("/2fa/totp/enroll/confirm", { factorId, code });
    expect(done.headers.location).toBe("/2fa/backup-codes");
    expect((await jar.form("/2fa/backup-codes/saved")).headers.location).toBe("/report");
  });

  test.each(["/2fa/totp/enroll", "/2fa/passkey/enroll"])(
    "never answers %s without a way out: a page with the button, JSON with a place",
    async (path) => {
      const jar = await caught();
      const refused = await jar.form(path, { credential: JSON.stringify({ id: "x" }) });
      expect(formTo(refused.text, AGAIN)).toBeDefined();
      const json = await jar.post(path, { credential: { id: "x", rawId: "x", type: "public-key", response: {} } });
      if (json.status === 401) expect(json.body).toMatchObject({ methods: [], location: "/login" });
      expect((await jar.get("/2fa/settings")).body).toMatchObject({ code: "enrollment-required", location: "/2fa" });
    },
  );

  test("takes the password instead, where the application can check it", async () => {
    const jar = await caught(asksPassword);
    const page = await jar.page("/2fa");
    for (const path of ["/2fa/totp/enroll", "/2fa/passkey/enroll"]) {
      expect(formTo(page.text, path)).toContain('name="password"');
    }
    const wrong = await jar.form("/2fa/totp/enroll", { password: "wrong" });
    expect([wrong.status, formTo(wrong.text, "/2fa/totp/enroll")]).toEqual([
      401,
      expect.stringContaining('name="password"'),
    ]);
    const told = await jar.post("/2fa/totp/enroll", { password: "wrong" });
    expect(told.body).toMatchObject({ code: "step-up-required", reason: "password-refused" });
    expect((await jar.post("/2fa/totp/enroll")).body).not.toHaveProperty("reason");
    expect((await jar.post("/2fa/totp/enroll", { password: passwordOf("carol") })).status).toBe(201);
  });

  test("asks for nothing twice of a login that is fresh", async () => {
    const target = appWith({ policy: "required", ...asksPassword });
    const jar = await pending(target, "carol");
    const page = await jar.page("/2fa");
    expect(page.text).not.toContain('name="password"');
    expect(formTo(page.text, AGAIN)).toBeUndefined();
  });
});

describe("a problem of somebody who is signed in", () => {
  test("does not send them to the login page: what is over is begun again from the settings", async () => {
    const jar = await pending(appWith(), "carol");
    const { factorId } = (await jar.post("/2fa/totp/enroll")).body;
    jar.target.clock.advance(10 * MINUTE + 1);
    const over = await jar.form("/2fa/totp/enroll/confirm", { factorId, code: "000000" });
    expect(over.status).toBe(410);
    expect(over.text).toContain('href="/2fa/settings"');
    expect(over.text).not.toContain('href="/login"');
  });

  test("of nobody still does", async () => {
    expect((await new Jar(appWith()).page("/2fa/settings")).text).toContain('href="/login"');
  });
});

test("what a waiting login is refused below path names the place and the methods", async () => {
  const target = appWith();
  await target.mfa.accounts.importTotp("u1", { secret: "JBSWY3DPEHPK3PXPGEZDGNBVGY3TQOJQ" });
  const jar = await pending(target, "alice");
  expect((await jar.get("/2fa/settings")).body).toMatchObject({
    code: "second-factor-required",
    methods: [{ type: "totp" }],
    location: "/2fa",
  });
});
