import { describe, expect, test } from "@jest/globals";
import { MINUTE } from "../support/attack.js";
import { Jar } from "../support/browser.js";
import {
  ADDRESS,
  codeFor,
  emailApp,
  MASKED,
  otherThan,
  waitingForCode,
  withDestination,
} from "../support/message-codes.js";

const SECOND = 1_000;
const PATH = "/2fa/email-code";

describe("an e-mail address as a second factor", () => {
  test("is one once the code that went there was given, and not before", async () => {
    const target = emailApp();
    const jar = new Jar(target);
    await jar.login("alice");
    const begun = await jar.post(`${PATH}/enroll`, { address: ADDRESS });
    expect(begun.status).toBe(202);
    const now = target.clock();
    expect(begun.body).toEqual({
      factorId: expect.any(String),
      hint: MASKED,
      expiresAt: new Date(now + 5 * MINUTE).toISOString(),
      resendAt: new Date(now + MINUTE).toISOString(),
    });
    expect((await target.mfa.accounts.status("u1")).enrolled).toBe(false);

    const { factorId } = begun.body as { factorId: string };
    const wrong = await jar.post(`${PATH}/enroll/confirm`, { factorId, code: otherThan(target.outbox.code) });
    expect([wrong.status, wrong.body.code]).toEqual([401, "invalid-code"]);
    const done = await jar.post(`${PATH}/enroll/confirm`, { factorId, code: target.outbox.code });
    expect(done.status).toBe(201);
    expect(done.body.factor).toMatchObject({ id: factorId, type: "email-code", label: "E-mail", hint: MASKED });
    expect(done.body.backupCodes).toHaveLength(10);
    expect((await target.mfa.accounts.status("u1")).enrolled).toBe(true);
  });

  test("finishes a login with the code that was asked for", async () => {
    const target = emailApp();
    const jar = await waitingForCode(target);
    const sent = await jar.post(`${PATH}/send`);
    const now = target.clock();
    expect(sent.status).toBe(202);
    expect(sent.body).toEqual({
      hint: MASKED,
      expiresAt: new Date(now + 5 * MINUTE).toISOString(),
      resendAt: new Date(now + 60 * SECOND).toISOString(),
    });
    const proved = await jar.post(PATH, { code: target.outbox.code });
    expect(proved.status).toBe(200);
    expect(proved.body).toMatchObject({ status: "verified", amr: expect.arrayContaining(["email"]) });
    expect(await jar.isIn()).toBe(true);
  });

  test("gets a code once, and it proves nothing a second time", async () => {
    const target = emailApp();
    const jar = await waitingForCode(target);
    const code = await codeFor(jar);
    expect((await jar.post(PATH, { code })).status).toBe(200);
    expect((await jar.post(PATH, { code })).status).toBe(401);
  });

  test("can be set up beside another, and removed", async () => {
    const target = emailApp();
    const { jar } = await withDestination(target);
    target.clock.advance(MINUTE);
    const begun = await jar.post(`${PATH}/enroll`, { address: "alice@work.test" });
    expect(begun.status).toBe(202);
  });
});
