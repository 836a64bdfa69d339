import { describe, expect, test } from "@jest/globals";
import type { Response } from "express";
import type { Response as Answer } from "supertest";
import type { SecondFactor } from "express-second-factor";
import { CANARY, testApp, type TestApp, userNamed } from "../support/app.js";
import { copyOf, deviceCookie, expectDenied, MODES, passworded, send, STEP, trusted } from "../support/attack.js";
import { enrolled, full, Jar } from "../support/browser.js";

/** Reset links whose token was already found to be right: what follows is what every framework does next. */
function resettable({ loginFirst = false } = {}): TestApp {
  const change = (mfa: SecondFactor): Promise<void> => mfa.accounts.passwordChanged(userNamed("alice").id);
  const welcome = (res: Response): void => {
    res.json({ canary: CANARY });
  };
  return testApp({
    routes: (app, mfa) => {
      app.post("/reset", async (req, res, next) => {
        if (!loginFirst) await change(mfa);
        req.login(userNamed("alice"), (error) => {
          if (error) next(error);
          else if (loginFirst) change(mfa).then(() => welcome(res), next);
          else welcome(res);
        });
      });
    },
  });
}

describe("a password reset that ends in a login", () => {
  test.each(MODES)("B05 the login after a reset is asked for the second factor (%s)", async (mode) => {
    const target = resettable();
    const { phone } = await enrolled(target, "alice");
    const jar = new Jar(target);
    expect((await send(jar, mode, "/reset")).status).toBe(mode === "JSON" ? 401 : 303);
    await expectDenied(jar);
    await send(jar, mode, "/2fa/totp", { code: phone.code(target.clock()) });
    expect(await jar.isIn()).toBe(true);
  });

  test.each(MODES)("B05 a trusted browser is no longer trusted after the reset (%s)", async (mode) => {
    const target = resettable();
    const { phone } = await enrolled(target, "alice");
    const owner = await trusted(target, "alice", phone);
    const [name] = deviceCookie(owner);
    const attacker = copyOf(owner, [name]);
    expect((await send(attacker, mode, "/reset")).status).toBe(mode === "JSON" ? 401 : 303);
    await expectDenied(attacker);
    const later = copyOf(owner, [name]);
    await send(later, mode, "/login", { username: "alice", password: "alice-password" });
    await expectDenied(later);
  });

  test("B05 a login that rests on a trusted browser ends with the password that granted it, whichever came first", async () => {
    const target = resettable({ loginFirst: true });
    const { phone } = await enrolled(target, "alice");
    const owner = await trusted(target, "alice", phone);
    const attacker = copyOf(owner, [deviceCookie(owner)[0]]);
    expect((await attacker.post("/reset")).status).toBeLessThan(500);
    await expectDenied(attacker);
  });

  test.each(MODES)(
    "B05 a login that has waited since before the reset is over, whatever is proved (%s)",
    async (mode) => {
      const target = resettable();
      const { phone } = await enrolled(target, "alice");
      const signedIn = await full(target, "alice", phone);
      target.clock.advance(STEP);
      const attacker = await passworded(target, mode, "alice");
      await target.mfa.accounts.passwordChanged("u1");
      const code = phone.code(target.clock());
      expect((await send(attacker, mode, "/2fa/totp", { code })).status).toBe(410);
      await expectDenied(attacker);
      // The proof is left to its owner, whose complete login is none of those.
      const owner = await passworded(target, mode, "alice");
      await send(owner, mode, "/2fa/totp", { code });
      expect([await owner.isIn(), await signedIn.isIn()]).toEqual([true, true]);
    },
  );

  test("B05 one that waits to set up what is demanded sets nothing up any more", async () => {
    const target = testApp({ options: { policy: "required" } });
    const attacker = await passworded(target, "JSON", "carol");
    expect((await attacker.post("/2fa/totp/enroll")).status).toBe(201);
    await target.mfa.accounts.passwordChanged("u3");
    expect((await attacker.post("/2fa/totp/enroll")).status).toBe(410);
    const owner = await passworded(target, "JSON", "carol");
    expect((await owner.post("/2fa/totp/enroll")).status).toBe(201);
  });

  test("B05 nor does one that has come to wait because a factor was set up elsewhere", async () => {
    const target = testApp({ options: { endOtherSessions: "never" } });
    const [attacker, other] = [await passworded(target, "JSON", "alice"), await passworded(target, "JSON", "alice")];
    const { phone } = await enrolled(target, "alice");
    target.clock.advance(STEP);
    await expectDenied(attacker);
    await target.mfa.accounts.passwordChanged("u1");
    expect((await attacker.verify(phone.code(target.clock()))).status).toBe(410);
    // What was complete when the password changed, and comes to wait only now, has its ten minutes.
    await expectDenied(other);
    expect((await other.verify(phone.code(target.clock()))).status).toBe(200);
  });

  test("B05 of 30 that wait while the password changes at most one is in, by a proof from before, and none is later", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    target.clock.advance(STEP);
    const waiting = await Promise.all(Array.from({ length: 30 }, () => passworded(target, "JSON", "alice")));
    const code = phone.code(target.clock());
    const change = new Promise((resolve) => setTimeout(resolve, 5)).then(() =>
      target.mfa.accounts.passwordChanged("u1"),
    );
    const answers = await Promise.all([...waiting.map((jar) => jar.verify(code)), change]);
    const won = waiting.filter((_jar, index) => (answers[index] as Answer).status === 200);
    expect(won.length).toBeLessThanOrEqual(1);
    for (const jar of waiting) {
      if (won.includes(jar)) expect(await jar.isIn()).toBe(true);
      else expect([401, 410]).toContain((await jar.get("/2fa")).status);
    }
  });
});
