import { describe, expect, test } from "@jest/globals";
import { authenticatorApp } from "express-second-factor/testing";
import { testApp } from "../support/app.js";
import { expectDenied, MODES, NO_LIMITS, passworded, send, STEP, twoServers } from "../support/attack.js";
import { enrolled, Jar } from "../support/browser.js";

function opened(status: number): boolean {
  return status === 200 || status === 303;
}

describe("a code used twice", () => {
  test.each(MODES)(
    "B10 a code is refused to the next login in its window, at the other server too (%s)",
    async (mode) => {
      const [one, two] = twoServers();
      const { phone } = await enrolled(one, "alice");
      const code = phone.code(one.clock());
      const first = await passworded(one, mode, "alice");
      expect(opened((await send(first, mode, "/2fa/totp", { code })).status)).toBe(true);
      expect(await first.isIn()).toBe(true);
      one.clock.advance(5_000);
      for (const server of [one, two]) {
        const second = await passworded(server, mode, "alice");
        expect((await send(second, mode, "/2fa/totp", { code })).status).toBe(401);
        await expectDenied(second);
      }
      expect(await first.isIn()).toBe(true);
    },
  );

  test.each(MODES)("B10 the code that confirmed the enrollment neither logs in nor steps up (%s)", async (mode) => {
    const target = testApp();
    const enrolling = await passworded(target, "JSON", "carol");
    const { factorId, uri } = (await enrolling.post("/2fa/totp/enroll")).body as { factorId: string; uri: string };
    const code = authenticatorApp(uri).code(target.clock());
    expect((await enrolling.post("/2fa/totp/enroll/confirm", { factorId, code })).status).toBe(201);

    expect((await send(enrolling, mode, "/2fa/totp", { code })).status).toBe(401);
    const jar = await passworded(target, mode, "carol");
    expect((await send(jar, mode, "/2fa/totp", { code })).status).toBe(401);
    await expectDenied(jar);
  });

  test("B10 a code that logged in does not step up in the same login", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await passworded(target, "JSON", "alice");
    const code = phone.code(target.clock());
    expect((await jar.verify(code)).status).toBe(200);
    expect((await jar.verify(code)).status).toBe(401);
  });

  test("B10 a code the application itself verified does not log in", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const code = phone.code(target.clock());
    expect((await target.mfa.accounts.verify("u1", { method: "totp", code })).ok).toBe(true);
    const jar = await passworded(target, "JSON", "alice");
    expect((await jar.verify(code)).status).toBe(401);
    await expectDenied(jar);
  });

  test("B10 a code is the same code with spaces and hyphens between its digits", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const code = phone.code(target.clock());
    const jar = await passworded(target, "JSON", "alice");
    expect((await jar.verify(`${code.slice(0, 3)} ${code.slice(3)}`)).status).toBe(200);
    for (const written of [code, Array.from(code).join("-"), ` ${code} `, `${code.slice(0, 2)} - ${code.slice(2)}`]) {
      const other = await passworded(target, "JSON", "alice");
      expect((await other.verify(written)).status).toBe(401);
      await expectDenied(other);
    }
  });
});

describe("a used code that lives again in the drift window", () => {
  test.each(MODES)("B11 a code accepted early is refused for as long as its window lasts (%s)", async (mode) => {
    const target = testApp({ options: { limits: NO_LIMITS } });
    const { phone } = await enrolled(target, "alice");
    const { clock } = target;
    clock.set(Math.ceil(clock() / STEP) * STEP);
    const start = clock();
    const code = phone.code(start + STEP);
    const jar = await passworded(target, mode, "alice");
    expect(opened((await send(jar, mode, "/2fa/totp", { code })).status)).toBe(true);
    for (const seconds of [1, 31, 59, 61, 89, 119]) {
      clock.set(start + seconds * 1_000);
      const other = await passworded(target, mode, "alice");
      expect([seconds, (await send(other, mode, "/2fa/totp", { code })).status]).toEqual([seconds, 401]);
      await expectDenied(other);
    }
  });

  test.each(MODES)("B11 after a code only later ones are accepted, never an earlier one unused (%s)", async (mode) => {
    const target = testApp({ options: { limits: NO_LIMITS } });
    const { phone } = await enrolled(target, "alice");
    const { clock } = target;
    clock.set(Math.ceil(clock() / STEP) * STEP);
    const now = clock();
    const attempt = async (code: string): Promise<boolean> => {
      const jar = await passworded(target, mode, "alice");
      await send(jar, mode, "/2fa/totp", { code });
      return jar.isIn();
    };
    expect(await attempt(phone.code(now + STEP))).toBe(true);
    expect(await attempt(phone.code(now))).toBe(false);
    expect(await attempt(phone.code(now - STEP))).toBe(false);
    clock.advance(STEP);
    expect(await attempt(phone.code(now))).toBe(false);
    expect(await attempt(phone.code(now + 2 * STEP))).toBe(true);
  });

  test("B11 a server whose clock is a step behind does not take a used code", async () => {
    const [one] = twoServers();
    const { phone } = await enrolled(one, "alice");
    const code = phone.code(one.clock());
    const first = await passworded(one, "JSON", "alice");
    expect((await first.verify(code)).status).toBe(200);
    one.clock.advance(-STEP);
    const second = await passworded(one, "JSON", "alice");
    expect((await second.verify(code)).status).toBe(401);
    await expectDenied(second);
  });

  test("B11 neither a new enrollment, a removal nor a resync brings a used code back", async () => {
    const target = testApp({ options: { limits: NO_LIMITS } });
    const { phone, factorId } = await enrolled(target, "alice");
    const { clock } = target;
    const jar = await passworded(target, "JSON", "alice");
    const used = phone.code(clock());
    expect((await jar.verify(used)).status).toBe(200);
    const earlier = [phone.code(clock() - STEP), used];
    expect((await send(jar, "JSON", "/2fa/totp/resync", { factorId, codes: earlier })).status).toBe(401);
    await jar.enroll();
    clock.advance(-STEP);
    const later = await passworded(target, "JSON", "alice");
    expect((await later.verify(used)).status).toBe(401);
    await expectDenied(later);
  });
});

describe("the window", () => {
  test.each(MODES)(
    "B14 of the codes around the present only the one before, this and the next are taken (%s)",
    async (mode) => {
      const taken: number[] = [];
      for (const step of [-20, -3, -2, -1, 0, 1, 2, 3, 20]) {
        const target = testApp();
        const { phone } = await enrolled(target, "alice");
        // Far from the step the enrollment used up, so that only the window decides.
        target.clock.advance(40 * STEP);
        const jar = await passworded(target, mode, "alice");
        await send(jar, mode, "/2fa/totp", { code: phone.code(target.clock() + step * STEP) });
        if (await jar.isIn()) taken.push(step);
      }
      expect(taken).toEqual([-1, 0, 1]);
    },
  );

  test("B14 the edges of a step are where they should be, to the millisecond", async () => {
    const verdicts: boolean[] = [];
    for (const [offset, step] of [
      [0, -1],
      [0, -2],
      [STEP - 1, 1],
      [STEP - 1, 2],
    ] as const) {
      const target = testApp();
      const { phone } = await enrolled(target, "alice");
      const { clock } = target;
      const edge = Math.ceil(clock() / STEP) * STEP + 40 * STEP;
      clock.set(edge + offset);
      const jar = new Jar(target);
      await jar.login("alice");
      await jar.verify(phone.code(edge + step * STEP));
      verdicts.push(await jar.isIn());
    }
    expect(verdicts).toEqual([true, false, true, false]);
  });

  test("B14 the strict preset takes the present code alone", async () => {
    const taken: number[] = [];
    for (const step of [-1, 0, 1]) {
      const target = testApp({ options: { preset: "strict" } });
      const { phone } = await enrolled(target, "alice");
      target.clock.advance(40 * STEP);
      const jar = await passworded(target, "JSON", "alice");
      await send(jar, "JSON", "/2fa/totp", { code: phone.code(target.clock() + step * STEP) });
      if (await jar.isIn()) taken.push(step);
    }
    expect(taken).toEqual([0]);
  });
});
