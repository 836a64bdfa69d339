import { describe, expect, test } from "@jest/globals";
import type { Express } from "express";
import { CANARY, passwordOf, testApp, type TestApp } from "../support/app.js";
import {
  ask,
  cookies,
  dropCookie,
  expectDenied,
  harmless,
  MODES,
  passworded,
  send,
  SESSION_COOKIE,
} from "../support/attack.js";
import { enrolled, full, Jar } from "../support/browser.js";
import { RememberMeStrategy, rememberAtStepOne } from "../support/first-factors.js";

const REMEMBERED = { username: "alice", password: "alice-password", remember: "1" };

function inside(app: Express): void {
  app.get("/inside", (req, res) => {
    if (req.isAuthenticated()) res.json({ canary: CANARY });
    else res.status(401).json({ code: "app-says-log-in" });
  });
}

/** An application whose remember-me stands above or below the one line. */
function remembering(place: "before" | "after"): TestApp {
  return testApp({
    before: (app, authenticator) => {
      authenticator.use(new RememberMeStrategy());
      app.use("/login", rememberAtStepOne);
      if (place === "before") app.use(authenticator.authenticate("remember-me"));
    },
    routes: (app, _mfa, authenticator) => {
      if (place === "after") app.use(authenticator.authenticate("remember-me"));
      inside(app);
    },
  });
}

describe("a remember-me cookie set at the first step", () => {
  test.each(MODES)("B06 the cookie alone, without a strategy that reads it, is nobody (%s)", async (mode) => {
    const target = testApp({
      before: (app) => {
        app.use("/login", rememberAtStepOne);
      },
    });
    await enrolled(target, "alice");
    const jar = new Jar(target);
    await send(jar, mode, "/login", REMEMBERED);
    expect(cookies(jar).remember_me).toBe("good-for-alice");
    dropCookie(jar, SESSION_COOKIE);
    await expectDenied(jar);
  });

  test("B06 a cookie read above the line, of a user without a factor, sets none up: it is no fresh login", async () => {
    const jar = new Jar(remembering("before"));
    await jar.post("/login", { username: "carol", password: passwordOf("carol"), remember: "1" });
    dropCookie(jar, SESSION_COOKIE);
    expect((await jar.get("/inside")).body).toEqual({ canary: CANARY });
    for (const path of ["/2fa/totp/enroll", "/2fa/passkey/enroll/options"]) {
      expect((await jar.post(path, {})).body.code).toBe("step-up-required");
    }
  });

  describe.each(["before", "after"] as const)("with the strategy mounted %s app.use(mfa)", (place) => {
    test.each(MODES)("B06 the cookie brings its user to the challenge and no further (%s)", async (mode) => {
      const target = remembering(place);
      const { phone } = await enrolled(target, "alice");
      const jar = new Jar(target);
      await send(jar, mode, "/login", REMEMBERED);
      for (let visit = 0; visit < 3; visit += 1) {
        dropCookie(jar, SESSION_COOKIE);
        const answer = harmless(await ask(jar, mode, "/inside"));
        expect(answer.status).toBe(mode === "JSON" ? 401 : 303);
        await expectDenied(jar, ["/inside", "/account", "/api/data"]);
      }
      expect((await jar.get("/2fa")).body).toMatchObject({ status: "pending" });
      await send(jar, mode, "/2fa/totp", { code: phone.code(target.clock()) });
      expect(await jar.isIn("/inside")).toBe(true);
    });

    test("B06 the cookie of a full login does not carry the second factor over a lost session", async () => {
      const target = remembering(place);
      const { phone } = await enrolled(target, "alice");
      const jar = await full(target, "alice", phone);
      await jar.agent.post("/login").send(REMEMBERED);
      await jar.verify(phone.code(target.clock()));
      expect(await jar.isIn("/inside")).toBe(true);
      dropCookie(jar, SESSION_COOKIE);
      await expectDenied(jar, ["/inside", "/account"]);
    });

    test("B06 logging out and being remembered again starts over at the challenge", async () => {
      const target = remembering(place);
      const { phone } = await enrolled(target, "alice");
      const jar = new Jar(target);
      await send(jar, "JSON", "/login", REMEMBERED);
      await jar.verify(phone.code(target.clock()));
      expect(await jar.isIn("/inside")).toBe(true);
      await jar.post("/logout");
      await expectDenied(jar, ["/inside", "/account"]);
    });
  });

  test("B06 a long session cookie asked for at the first step is a pending session all the while", async () => {
    const target = testApp({
      before: (app) => {
        app.use("/login", (req, _res, next) => {
          req.session.cookie.maxAge = 30 * 24 * 3_600_000;
          next();
        });
      },
    });
    await enrolled(target, "alice");
    const jar = await passworded(target, "JSON", "alice");
    target.clock.advance(24 * 3_600_000);
    await expectDenied(jar);
  });
});
