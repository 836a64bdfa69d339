import { randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { authenticatorApp, softwareAuthenticator } from "express-second-factor/testing";
import { CANARY, testApp, type TestAppOptions } from "../support/app.js";
import { cookies, copyOf, expectDenied, HOUR, MINUTE, SESSION_COOKIE, told, trusted } from "../support/attack.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { faultyStore, REJECTS } from "../support/faults.js";
import { actions } from "../support/observe.js";
import { answerWith, enrollWith } from "../passkeys/stage.js";
import { field, guardedApp, opens, prove, ROWS } from "./stage.js";

describe("how old a proof may be", () => {
  test("five minutes, to the millisecond, whatever is done meanwhile", async () => {
    const here = await field();
    const { jar, target } = here;
    await prove(here);
    for (let minute = 0; minute < 5; minute += 1) {
      expect(await opens(jar, "/fresh")).toBe(true);
      target.clock.advance(MINUTE);
      for (const path of ["/account", "/2fa", "/2fa/settings", "/proved"]) await jar.get(path);
    }
    expect(await opens(jar, "/fresh")).toBe(true);
    target.clock.advance(1);
    expect(await opens(jar, "/fresh")).toBe(false);
    expect(await opens(jar, "/proved")).toBe(true);
    await prove(here);
    expect(await opens(jar, "/fresh")).toBe(true);
  });

  test("a wrong code makes no proof younger", async () => {
    const here = await field();
    here.target.clock.advance(HOUR);
    await here.jar.verify("000000");
    expect(await opens(here.jar, "/fresh")).toBe(false);
  });

  test("a proof in another login of the same user does not count here", async () => {
    const here = await field();
    here.target.clock.advance(HOUR);
    const there = await full(here.target, "alice", here.phone);
    expect([await opens(there, "/fresh"), await opens(here.jar, "/fresh")]).toEqual([true, false]);
  });
});

describe("what a login must have shown", () => {
  test("a trusted browser has shown nothing: no kind of requirement opens", async () => {
    const { target, phone } = await field();
    const jar = await trusted(target, "alice", phone);
    await jar.post("/logout");
    await jar.login("alice");
    expect(await jar.isIn()).toBe(true);
    for (const path of Object.keys(ROWS)) expect([path, await opens(jar, path)]).toEqual([path, false]);
  });

  test("by TOTP: what asks for a level or for TOTP opens, what asks for a passkey does not", async () => {
    const { jar } = await field();
    const opened = [];
    for (const path of Object.keys(ROWS)) if (await opens(jar, path)) opened.push(path);
    expect(opened).toEqual(["/fresh", "/proved", "/aal2", "/by-totp"]);
  });

  test("by backup code: nothing that a look-alike site could not take", async () => {
    const { target, backupCodes: codes } = await field();
    const jar = await pending(target, "alice");
    expect((await jar.post("/2fa/backup-code", { code: codes[0] })).status).toBe(200);
    const opened = [];
    for (const path of Object.keys(ROWS)) if (await opens(jar, path)) opened.push(path);
    expect(opened).toEqual(["/fresh", "/proved", "/aal2"]);
  });

  test("a passkey opens what asks for one, and a TOTP code given later takes nothing away", async () => {
    const here = await field();
    const device = softwareAuthenticator();
    expect((await enrollWith(here.jar, device)).status).toBe(201);
    const jar = await pending(here.target, "alice");
    expect((await jar.verify(here.phone.code(here.target.clock()))).status).toBe(200);
    expect([await opens(jar, "/strong"), await opens(jar, "/by-passkey")]).toEqual([false, false]);
    expect((await answerWith(jar, device)).status).toBe(200);
    expect([await opens(jar, "/strong"), await opens(jar, "/by-passkey")]).toEqual([true, true]);
    await prove({ ...here, jar });
    expect([await opens(jar, "/strong"), await opens(jar, "/by-totp")]).toEqual([true, true]);
  });

  test("one proof must satisfy all of it: a fresh code and a stale passkey are not a fresh passkey", async () => {
    const here = await field();
    const device = softwareAuthenticator();
    await enrollWith(here.jar, device);
    await answerWith(here.jar, device);
    here.target.clock.advance(HOUR);
    await prove(here);
    expect([await opens(here.jar, "/fresh"), await opens(here.jar, "/strong")]).toEqual([true, true]);
    expect(await opens(here.jar, "/strong-and-fresh")).toBe(false);
    await answerWith(here.jar, device);
    expect(await opens(here.jar, "/strong-and-fresh")).toBe(true);
  });
});

describe("a proof whose factor is gone", () => {
  const routes: TestAppOptions["routes"] = (app) => {
    app.get("/shown", (req, res) => {
      const { status, aal, amr, phishingResistant, verifiedAt = null } = req.secondFactor;
      res.json({ status, aal, amr, phishingResistant, verifiedAt });
    });
  };

  test("counts for nothing any more, and those of the others do", async () => {
    const here = await field({ routes });
    const { jar } = here;
    const device = softwareAuthenticator();
    const { body } = await enrollWith(jar, device);
    expect((await answerWith(jar, device)).status).toBe(200);
    await prove(here);
    const asking = Object.keys(ROWS).filter((path) => !path.includes("transfer") && path !== "/payout");
    for (const path of asking) expect([path, await opens(jar, path)]).toEqual([path, true]);
    expect((await jar.post(`/2fa/factors/${body.factor.id}/remove`)).status).toBe(204);
    const open = ["/fresh", "/proved", "/aal2", "/by-totp"];
    for (const path of asking) expect([path, await opens(jar, path)]).toEqual([path, open.includes(path)]);
    expect((await jar.get("/shown")).body).toMatchObject({
      status: "verified",
      amr: ["otp", "mfa"],
      phishingResistant: false,
    });
  });

  test("does not sign its owner out where it was the only one: what asks for a proof asks the factor that is left", async () => {
    const here = await field({ routes });
    const { factorId, jar, target } = here;
    const { phone } = await jar.enroll();
    await prove(here);
    const removed = await jar.post(`/2fa/factors/${factorId}/remove`);
    expect([removed.status, await jar.isIn(), await opens(jar, "/proved"), await opens(jar, "/fresh")]).toEqual([
      204,
      true,
      false,
      false,
    ]);
    const nothing = { aal: 1, amr: [], phishingResistant: false, verifiedAt: null };
    expect((await jar.get("/shown")).body).toEqual({ status: "verified", ...nothing });
    const { sessions } = (await jar.get("/2fa/settings")).body;
    expect(sessions).toMatchObject([{ current: true, verifiedAt: null }]);
    expect((await jar.post("/2fa/totp/enroll")).body.code).toBe("step-up-required");
    target.clock.advance(HOUR);
    expect([await jar.isIn(), (await jar.get("/proved")).body.methods]).toMatchObject([true, [{ type: "totp" }, {}]]);
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
    expect([await opens(jar, "/proved"), await opens(jar, "/fresh")]).toEqual([true, true]);
  });

  test("does not count for a set of backup codes that another has replaced", async () => {
    const { backupCodes, target } = await field();
    const jar = await pending(target, "alice");
    expect((await jar.post("/2fa/backup-code", { code: backupCodes[0]! })).status).toBe(200);
    const { body: begun } = await jar.post("/2fa/totp/enroll");
    expect(await opens(jar, "/proved")).toBe(true);
    await target.mfa.accounts.regenerateBackupCodes("u1");
    expect([await jar.isIn(), await opens(jar, "/proved")]).toEqual([true, false]);
    const code = authenticatorApp(begun.uri).code(target.clock());
    const confirmed = await jar.post("/2fa/totp/enroll/confirm", { factorId: begun.factorId, code });
    expect([confirmed.status, confirmed.body.code]).toEqual([401, "step-up-required"]);
  });
});

describe("what is answered", () => {
  test("to a client: 401 with what would do, and the header of RFC 9470", async () => {
    const { jar, target } = await field();
    target.clock.advance(HOUR);
    const { body, headers, status, type } = await jar.get("/fresh");
    expect([status, type]).toEqual([401, "application/problem+json"]);
    expect(body).toMatchObject({ code: "step-up-required", maxAge: 300, location: "/2fa" });
    expect(body.methods.map((method: { type: string }) => method.type)).toEqual(["totp", "backup-code"]);
    expect(headers["www-authenticate"]).toMatch(
      /^[A-Za-z]+ error="insufficient_user_authentication"(, [a-z_]+="[^"]*")*$/,
    );
    expect(headers["www-authenticate"]).toContain('max_age="300"');
  });

  test.each([
    ["/strong", "phr"],
    ["/aal2", "aal2"],
  ])("to a client at %s: the header names the class asked for (RFC 9470 section 3)", async (path, acr) => {
    const { target, phone } = await field();
    const jar = await trusted(target, "alice", phone);
    await jar.post("/logout");
    await jar.login("alice");
    const { headers } = await jar.get(path);
    expect(headers["www-authenticate"]).toContain(`acr_values="${acr}"`);
  });

  test("to a client at a route for passkeys: only passkeys are named", async () => {
    const { jar, target } = await field();
    await enrollWith(jar, softwareAuthenticator());
    target.clock.advance(HOUR);
    const { body } = await jar.get("/strong-and-fresh");
    expect(body.methods.map((method: { type: string }) => method.type)).toEqual(["passkey"]);
  });

  test("to nobody: 401 login-required; to a pending login: 401 second-factor-required", async () => {
    const { target } = await field();
    const answers = [await new Jar(target).get("/fresh"), await (await pending(target, "alice")).get("/fresh")];
    expect(answers.map(({ status, body }) => [status, body.code])).toEqual([
      [401, "login-required"],
      [401, "second-factor-required"],
    ]);
  });

  test("to a user without factors: 403 enrollment-required, and a browser goes to set one up", async () => {
    const target = guardedApp(ROWS);
    const jar = await pending(target, "alice");
    const answer = await jar.get("/fresh");
    expect([answer.status, answer.body.code, answer.body.location]).toEqual([
      403,
      "enrollment-required",
      "/2fa/settings",
    ]);
    const page = await jar.page("/fresh");
    expect([page.status, page.headers.location]).toEqual([303, "/2fa/settings"]);
  });

  test("to a browser: a GET is taken up again where it was", async () => {
    const { jar, phone, target } = await field();
    target.clock.advance(HOUR);
    const asked = await jar.page("/fresh?page=2");
    expect([asked.status, asked.headers.location]).toEqual([303, "/2fa"]);
    const proved = await jar.form("/2fa/totp", { code: phone.code(target.clock()) });
    expect([proved.status, proved.headers.location]).toEqual([303, "/fresh?page=2"]);
    expect((await jar.page("/fresh?page=2")).text).toContain(CANARY);
  });

  test("to a browser: a form that was sent is never sent again, and its page is gone back to", async () => {
    const received: unknown[] = [];
    const target = testApp({
      routes(app, mfa) {
        app.post("/transfer", mfa.require({ maxAge: "5m" }), (req, res) => {
          received.push(req.body);
          res.json({ canary: CANARY });
        });
      },
    });
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    target.clock.advance(HOUR);
    const asked = await jar.form("/transfer", { amount: "5" }).set("Referer", "http://localhost:3000/pay?to=bob");
    expect([asked.status, asked.headers.location]).toEqual([303, "/2fa"]);
    const proved = await jar.form("/2fa/totp", { code: phone.code(target.clock()) });
    expect([proved.status, proved.headers.location]).toEqual([303, "/pay?to=bob"]);
    expect(received).toEqual([]);
  });

  test("to a browser that comes from elsewhere: it does not go back there", async () => {
    const { jar, phone, target } = await field();
    target.clock.advance(HOUR);
    await jar.form("/fresh", {}).set("Referer", "https://evil.test/pay");
    const proved = await jar.form("/2fa/totp", { code: phone.code(target.clock()) });
    expect([proved.status, proved.headers.location]).toEqual([303, "/"]);
  });

  test("when the store does not answer: 503, and open again when it does", async () => {
    const store = faultyStore();
    const { jar } = await field({ store, options: { keys: `test:${randomBytes(32).toString("base64")}` } });
    store.fail("read", REJECTS);
    const answer = await jar.get("/fresh");
    expect([answer.status, answer.body.code]).toEqual([503, "unavailable"]);
    store.heal();
    expect(await opens(jar, "/fresh")).toBe(true);
  });

  test("with enforce: report: let through, and told", async () => {
    const { jar, target } = await field({ options: { enforce: "report" } });
    target.clock.advance(HOUR);
    actions(target);
    expect(await opens(jar, "/fresh")).toBe(true);
    expect(actions(target)).toContain("would-block");
  });
});

describe("a proof on the way", () => {
  test("gives the session a new id, and the old one is dead at once", async () => {
    const here = await field();
    const old = copyOf(here.jar);
    const before = cookies(here.jar)[SESSION_COOKIE];
    await prove(here);
    expect(cookies(here.jar)[SESSION_COOKIE]).not.toBe(before);
    await expectDenied(old);
    expect(await opens(here.jar, "/fresh")).toBe(true);
  });

  test("is an event, and the same login goes on: no second one is listed", async () => {
    const here = await field();
    const listed = async () => (await here.jar.get("/2fa/settings")).body.sessions as readonly { createdAt: string }[];
    const before = await listed();
    here.target.clock.advance(MINUTE);
    await prove(here);
    const after = await listed();
    expect(after.map(({ createdAt }) => createdAt)).toEqual(before.map(({ createdAt }) => createdAt));
    expect(told("step-up", here.target)).toBe(1);
  });
});
