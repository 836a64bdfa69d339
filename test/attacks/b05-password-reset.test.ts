import { describe, expect, test } from "@jest/globals";
import type { Response } from "express";
import type { SecondFactor } from "express-second-factor";
import { CANARY, testApp, type TestApp, userNamed } from "../support/app.js";
import { copyOf, deviceCookie, expectDenied, harmless, MODES, passworded, send, trusted } from "../support/attack.js";
import { enrolled, Jar } from "../support/browser.js";

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

  test("B05 a pending login that waited through a reset stays pending, and with signOut ends", async () => {
    const target = resettable();
    const { phone } = await enrolled(target, "alice");
    const waiting = await passworded(target, "JSON", "alice");
    await target.mfa.accounts.passwordChanged("u1");
    await expectDenied(waiting);
    await target.mfa.accounts.passwordChanged("u1", { signOut: true });
    harmless(await waiting.verify(phone.code(target.clock())));
    await expectDenied(waiting);
  });
});
