import { describe, expect, test } from "@jest/globals";
import { authenticatorApp } from "express-second-factor/testing";
import { testApp, type TestApp } from "../support/app.js";
import { type Enrolled, enrolled, full, type Jar } from "../support/browser.js";
import { MINUTE, MODES, passworded, send, storedFactors } from "../support/attack.js";

interface Begun {
  readonly factorId: string;
  readonly uri: string;
}

async function begin(jar: Jar): Promise<Begun> {
  const { body, status } = await jar.post("/2fa/totp/enroll");
  expect(status).toBe(201);
  return body as Begun;
}

/** The old authenticator and the old backup codes still open the account, each in a new jar. */
async function expectOldFactorsWork(target: TestApp, { phone, backupCodes }: Enrolled): Promise<void> {
  const byCode = await passworded(target, "JSON", "alice");
  expect((await byCode.verify(phone.code(target.clock()))).status).toBe(200);
  expect(await byCode.isIn()).toBe(true);
  const byPaper = await passworded(target, "JSON", "alice");
  expect((await byPaper.post("/2fa/backup-code", { code: backupCodes[0] })).status).toBe(200);
  expect(await byPaper.isIn()).toBe(true);
}

async function settings(target: TestApp) {
  const { factors } = (await storedFactors(target, "alice")) as { factors: unknown };
  return factors;
}

describe("B26 an enrollment overwrites the active factor", () => {
  test.each(MODES)("B26 an enrollment begun and abandoned touches no factor (%s)", async (mode) => {
    const target = testApp();
    const factor = await enrolled(target, "alice");
    const jar = await full(target, "alice", factor.phone);
    const before = await settings(target);
    expect([201, 303]).toContain((await send(jar, mode, "/2fa/totp/enroll")).status);
    expect(await settings(target)).toEqual(before);
    await expectOldFactorsWork(target, factor);
  });

  test("B26 a wrong code for the new factor touches no factor either", async () => {
    const target = testApp();
    const factor = await enrolled(target, "alice");
    const jar = await full(target, "alice", factor.phone);
    const { factorId } = await begin(jar);
    const code = factor.phone.code(target.clock());
    expect((await jar.post("/2fa/totp/enroll/confirm", { factorId, code })).status).toBe(401);
    await expectOldFactorsWork(target, factor);
  });

  test("B26 cancelled and begun anew, the first secret proves nothing", async () => {
    const target = testApp();
    const factor = await enrolled(target, "alice");
    const jar = await full(target, "alice", factor.phone);
    const first = await begin(jar);
    await jar.post("/2fa/totp/enroll/cancel");
    const second = await begin(jar);
    const code = authenticatorApp(first.uri).code(target.clock());
    for (const factorId of [first.factorId, second.factorId]) {
      const answer = await jar.post("/2fa/totp/enroll/confirm", { factorId, code });
      expect([401, 404]).toContain(answer.status);
    }
    expect((await target.mfa.accounts.factors("u1")).map(({ id }) => id)).toEqual([factor.factorId]);
    await expectOldFactorsWork(target, factor);
  });

  test("B26 an unproved factor opens nothing: its code is wrong at the next login", async () => {
    const target = testApp();
    const factor = await enrolled(target, "alice");
    const begun = await begin(await full(target, "alice", factor.phone));
    const jar = await passworded(target, "JSON", "alice");
    expect((await jar.verify(authenticatorApp(begun.uri).code(target.clock()))).status).toBe(401);
    expect(await jar.isIn()).toBe(false);
  });

  test("B26 an enrollment belongs to the login that began it", async () => {
    const target = testApp();
    const factor = await enrolled(target, "alice");
    const begun = await begin(await full(target, "alice", factor.phone));
    const code = authenticatorApp(begun.uri).code(target.clock());
    const other = await full(target, "alice", factor.phone);
    const own = await other.post("/2fa/totp/enroll/confirm", { factorId: begun.factorId, code });
    expect([own.status, own.body.code]).toEqual([404, "not-found"]);
    const mallory = await passworded(target, "JSON", "mallory");
    const foreign = await mallory.post("/2fa/totp/enroll/confirm", { factorId: begun.factorId, code });
    expect([foreign.status, foreign.body]).toEqual([404, own.body]);
    expect((await target.mfa.accounts.status("u2")).enrolled).toBe(false);
  });

  test("B26 an enrollment ends ten minutes after it was begun", async () => {
    const target = testApp();
    const factor = await enrolled(target, "alice");
    const jar = await full(target, "alice", factor.phone);
    const begun = await begin(jar);
    target.clock.advance(10 * MINUTE);
    const code = authenticatorApp(begun.uri).code(target.clock());
    const answer = await jar.post("/2fa/totp/enroll/confirm", { factorId: begun.factorId, code });
    expect([answer.status, answer.body.code]).toEqual([410, "expired"]);
    expect((await target.mfa.accounts.factors("u1")).length).toBe(1);
  });

  test("B26 thirty enrollments begun at once leave one that can be confirmed, once", async () => {
    const target = testApp();
    const jar = await passworded(target, "JSON", "carol");
    const begun = await Promise.all(Array.from({ length: 30 }, () => begin(jar)));
    const open = await Promise.all(
      begun.map(async ({ factorId, uri }) => {
        const code = authenticatorApp(uri).code(target.clock());
        return jar.post("/2fa/totp/enroll/confirm", { factorId, code });
      }),
    );
    expect(open.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(open.filter(({ status }) => status >= 500)).toEqual([]);
    expect((await target.mfa.accounts.factors("u3")).length).toBe(1);
  });
});
