import { describe, expect, test } from "@jest/globals";
import { MINUTE, STEP } from "../support/attack.js";
import { testApp, type TestApp } from "../support/app.js";
import { type Enrolled, enrolled, full, type Jar, pending } from "../support/browser.js";
import { hotp } from "../support/hotp.js";
import { base32 } from "../support/routes.js";

interface Drifted extends Enrolled {
  readonly target: TestApp;
  readonly jar: Jar;
}

/** Alice in a fresh full login, her phone's clock about to go wrong. */
async function ready(): Promise<Drifted> {
  const target = testApp();
  const factor = await enrolled(target, "alice");
  const jar = await full(target, "alice", factor.phone);
  target.clock.advance(MINUTE);
  return { ...factor, target, jar };
}

/** Two codes in a row, as a phone shows them whose clock is off by `drift`. */
function pairAt({ phone, target }: Drifted, drift: number): [string, string] {
  return [phone.code(target.clock() + drift), phone.code(target.clock() + drift + STEP)];
}

function resync({ factorId, jar }: Drifted, codes: unknown) {
  return jar.post("/2fa/totp/resync", { factorId, codes });
}

async function login({ target }: Drifted, code: string): Promise<number> {
  return (await (await pending(target, "alice")).verify(code)).status;
}

describe("two codes in a row of a phone whose clock is off", () => {
  test.each([10, -10, 100, -100])("by %i min make its codes good again", async (minutes) => {
    const drifted = await ready();
    const { phone, target } = drifted;
    const drift = minutes * MINUTE;
    expect(await login(drifted, phone.code(target.clock() + drift))).toBe(401);
    target.clock.advance(2 * STEP);
    const answer = await resync(drifted, pairAt(drifted, drift));
    if (minutes < 0) {
      // Older codes than the last accepted one stay refused, however they come.
      expect(answer.status).toBe(401);
      return;
    }
    expect([answer.status, answer.body.factor.id]).toEqual([200, drifted.factorId]);
    target.clock.advance(2 * STEP);
    expect(await login(drifted, phone.code(target.clock() + drift))).toBe(200);
    target.clock.advance(STEP);
    expect(await login(drifted, phone.code(target.clock()))).toBe(401);
  });

  test("that is behind are taken once its time has passed the last accepted code", async () => {
    const drifted = await ready();
    const { phone, target } = drifted;
    const drift = -10 * MINUTE;
    target.clock.advance(12 * MINUTE);
    expect((await resync(drifted, pairAt(drifted, drift))).status).toBe(200);
    target.clock.advance(2 * STEP);
    expect(await login(drifted, phone.code(target.clock() + drift))).toBe(200);
  });

  test("are worth nothing the second time, nor is an older pair", async () => {
    const drifted = await ready();
    const older = pairAt(drifted, 10 * MINUTE);
    drifted.target.clock.advance(2 * STEP);
    const newer = pairAt(drifted, 10 * MINUTE);
    expect((await resync(drifted, newer)).status).toBe(200);
    for (const pair of [newer, older]) {
      const answer = await resync(drifted, pair);
      expect([answer.status, answer.body.code]).toEqual([401, "invalid-code"]);
    }
  });

  test("are both used up: neither opens a login", async () => {
    const drifted = await ready();
    const pair = pairAt(drifted, 10 * MINUTE);
    expect((await resync(drifted, pair)).status).toBe(200);
    for (const code of pair) expect(await login(drifted, code)).toBe(401);
  });

  test("may be of the right time too", async () => {
    const drifted = await ready();
    expect((await resync(drifted, pairAt(drifted, 0))).status).toBe(200);
    drifted.target.clock.advance(3 * STEP);
    expect(await login(drifted, drifted.phone.code(drifted.target.clock()))).toBe(200);
  });
});

describe("an authenticator of another system, whose clock is off", () => {
  const SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXA";

  /** Alice in a fresh full login, with an authenticator of that shape. */
  async function imported(algorithm: string, period: number) {
    const target = testApp();
    const secret = `otpauth://totp/Old:alice?secret=${SECRET}&algorithm=${algorithm}&period=${period}`;
    const { id: factorId } = await target.mfa.accounts.importTotp("u1", { secret });
    const shown = (drift: number): string =>
      hotp(base32(SECRET), Math.floor((target.clock() + drift) / 1000 / period), 6, algorithm.toLowerCase());
    const jar = await pending(target, "alice");
    expect((await jar.verify(shown(0))).status).toBe(200);
    return { target, jar, factorId, shown, step: period * 1000 };
  }

  test.each([
    ["SHA1", 60],
    ["SHA256", 60],
    ["SHA512", 60],
    ["SHA512", 30],
  ])("is found again in its own steps: %s, %i s", async (algorithm, period) => {
    const { factorId, jar, shown, step, target } = await imported(algorithm, period);
    const drift = 10 * MINUTE;
    expect((await jar.verify(shown(drift))).status).toBe(401);
    const first = shown(drift);
    target.clock.advance(step);
    const answer = await jar.post("/2fa/totp/resync", { factorId, codes: [first, shown(drift)] });
    expect([answer.status, answer.body.factor?.id]).toEqual([200, factorId]);
    target.clock.advance(2 * step);
    expect(await login({ target } as Drifted, shown(drift))).toBe(200);
    target.clock.advance(2 * step);
    expect(await login({ target } as Drifted, shown(0))).toBe(401);
    expect(await login({ target } as Drifted, shown(drift - step))).toBe(200);
    target.clock.advance(4 * step);
    expect(await login({ target } as Drifted, shown(drift + 2 * step))).toBe(401);
    expect(await login({ target } as Drifted, shown(drift + step))).toBe(200);
  });

  test.each([30, 60])("is not, by two codes half a step apart or two steps: %i s", async (period) => {
    const { factorId, jar, shown, step } = await imported("SHA1", period);
    const drift = 10 * MINUTE;
    for (const apart of [step / 2, 2 * step, 0]) {
      const codes = [shown(drift), shown(drift + apart)];
      if (codes[0] === codes[1] && apart > 0) continue;
      expect((await jar.post("/2fa/totp/resync", { factorId, codes })).status).toBe(401);
    }
  });
});

describe("a resync is refused", () => {
  test.each([
    ["where the codes are not in a row", 2],
    ["where it is one code twice", 0],
    ["where they come in the wrong order", -1],
  ])("%s", async (_name, apart) => {
    const drifted = await ready();
    const { phone, target } = drifted;
    const from = target.clock() + 10 * MINUTE;
    const answer = await resync(drifted, [phone.code(from), phone.code(from + apart * STEP)]);
    expect([answer.status, answer.body.code]).toEqual([401, "invalid-code"]);
    target.clock.advance(STEP);
    expect(await login(drifted, phone.code(target.clock()))).toBe(200);
  });

  test("beyond two hours", async () => {
    const drifted = await ready();
    expect((await resync(drifted, pairAt(drifted, 200 * MINUTE))).status).toBe(401);
  });

  test.each([
    ["one code", ["123456"]],
    ["three codes", ["123456", "123457", "123458"]],
    ["no list", "123456"],
    ["no codes", ["", ""]],
    ["numbers", [123456, 123457]],
  ])("as a request of another shape: %s", async (_name, codes) => {
    const answer = await resync(await ready(), codes);
    expect([answer.status, answer.body.code]).toEqual([400, "invalid-request"]);
  });

  test("for another user's factor, as for none", async () => {
    const drifted = await ready();
    const { factorId } = await enrolled(drifted.target, "mallory");
    for (const id of [factorId, "nobody"]) {
      const answer = await resync({ ...drifted, factorId: id }, pairAt(drifted, 0));
      expect([answer.status, answer.body.code]).toEqual([404, "not-found"]);
    }
  });

  test("where the proof of the login is older than fifteen minutes", async () => {
    const drifted = await ready();
    drifted.target.clock.advance(15 * MINUTE);
    const answer = await resync(drifted, pairAt(drifted, 0));
    expect([answer.status, answer.body.code]).toEqual([401, "step-up-required"]);
  });

  test("while a second factor is due", async () => {
    const drifted = await ready();
    const jar = await pending(drifted.target, "alice");
    const answer = await resync({ ...drifted, jar }, pairAt(drifted, 0));
    expect([answer.status, answer.body.code]).toEqual([401, "second-factor-required"]);
  });

  test("after five wrong pairs, the right one too", async () => {
    const drifted = await ready();
    const wrong = ["000000", "000001"];
    for (let count = 0; count < 5; count += 1) expect((await resync(drifted, wrong)).status).toBe(401);
    const answer = await resync(drifted, pairAt(drifted, 0));
    expect([answer.status, answer.body.code]).toEqual([429, "too-many-attempts"]);
  });
});
