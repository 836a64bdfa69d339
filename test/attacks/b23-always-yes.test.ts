import { describe, expect, test } from "@jest/globals";
import { NotDoneError } from "express-second-factor";
import { authenticatorApp } from "express-second-factor/testing";
import { desk, DESK, give, OTHER, type } from "../help-desk/stage.js";
import { testApp, type TestApp } from "../support/app.js";
import { enrolled, Jar, pending } from "../support/browser.js";
import { harmless, MODES, NO_LIMITS, passworded, send, told, wrongCode } from "../support/attack.js";

const FAVOURITES = [
  "000000",
  "123456",
  "123124",
  "111111",
  "999999",
  "undefined",
  "NaN",
  "null",
  "true",
  "[object Object]",
];

function randomCodes(count: number, excluded: readonly string[]): string[] {
  const codes = new Set<string>();
  while (codes.size < count) {
    const code = String(Math.floor(Math.random() * 1_000_000)).padStart(6, "0");
    if (!excluded.includes(code)) codes.add(code);
  }
  return [...codes];
}

async function enrollmentOf(target: TestApp, jar: Jar): Promise<boolean> {
  const { body } = await jar.get("/2fa/settings");
  return (body.factors as unknown[]).length > 0 || (await target.mfa.accounts.status("u3")).enrolled;
}

describe("B23 a check that always says yes", () => {
  test.each(MODES)("B23 neither favourites nor fifty random codes open anything (%s)", async (mode) => {
    const target = testApp({ options: { limits: NO_LIMITS } });
    const { phone } = await enrolled(target, "alice");
    const right = [-2, -1, 0, 1, 2].map((step) => phone.code(target.clock() + step * 30_000));
    const guesses = [...FAVOURITES.filter((each) => !right.includes(each)), ...randomCodes(50, right)];
    let jar = await passworded(target, mode, "alice");
    for (const [index, code] of guesses.entries()) {
      const { status } = await send(jar, mode, "/2fa/totp", { code });
      expect([code, status]).toEqual([code, /^\d{6}$/.test(code) ? 401 : 400]);
      expect([code, await jar.isIn()]).toEqual([code, false]);
      if (index !== 30) continue;
      // Fifty failures in a row would disable the factor, and what is locked says nothing about its check.
      const owner = await pending(target, "alice");
      expect((await owner.verify(phone.code(target.clock()))).status).toBe(200);
      target.clock.advance(30_000);
      right.push(phone.code(target.clock() + 60_000));
      jar = await passworded(target, mode, "alice");
    }
    // Every one of them was really looked at: this is no lock that keeps them out.
    expect(told("factor-failed", target)).toBe(guesses.filter((each) => /^\d{6}$/.test(each)).length);
  });

  test.each(MODES)("B23 a wrong code enrolls nothing (%s)", async (mode) => {
    const target = testApp({ options: { limits: NO_LIMITS } });
    const jar = await passworded(target, mode, "carol");
    const { body } = await jar.post("/2fa/totp/enroll");
    const phone = authenticatorApp(body.uri);
    for (const code of [wrongCode(phone, target.clock()), ...FAVOURITES.slice(5)]) {
      const answer = await send(jar, mode, "/2fa/totp/enroll/confirm", { factorId: body.factorId, code });
      expect([400, 401]).toContain(answer.status);
      expect([code, await enrollmentOf(target, jar)]).toEqual([code, false]);
    }
    const done = await jar.post("/2fa/totp/enroll/confirm", {
      factorId: body.factorId,
      code: phone.code(target.clock()),
    });
    expect(harmless(done).status).toBe(201);
    expect(await enrollmentOf(target, jar)).toBe(true);
  });

  test("B23 a wrong code proves nothing to the application's own call either", async () => {
    const target = testApp({ options: { limits: NO_LIMITS } });
    const { phone } = await enrolled(target, "alice");
    const { accounts } = target.mfa;
    for (const code of FAVOURITES.filter((each) => each !== phone.code(target.clock()))) {
      expect((await accounts.verify("u1", { method: "totp", code })).ok).toBe(false);
    }
    expect((await accounts.verify("u1", { method: "totp", code: phone.code(target.clock()) })).ok).toBe(true);
  });

  test("B23 nor does anything but itself stand for a pass, for a caller's number or for what another operator approves", async () => {
    const { target } = await desk({ limits: NO_LIMITS });
    const { accounts } = target.mfa;
    const [open, without] = [await pending(target, "alice"), await pending(target, "alice")];
    for (const code of [...FAVOURITES, "0000-0000-0000-0000", "OOOO-IIII-LLLL-0000"])
      expect([400, 401]).toContain((await type(without, code)).status);
    await give(target);
    await accounts.callerCheck.begin("u1", DESK);
    for (const code of [...FAVOURITES, "0000-0000-0000-0000", "OOOO-IIII-LLLL-0000"]) {
      expect([400, 401]).toContain((await type(open, code)).status);
      // Nobody was shown one, so that none is right.
      expect([code, await accounts.callerCheck.verify("u1", code, DESK)]).toEqual([code, false]);
      await expect(accounts.approve(code, OTHER)).rejects.toThrow(NotDoneError);
    }
    expect([await open.isIn(), await without.isIn()]).toEqual([false, false]);
  });
});
