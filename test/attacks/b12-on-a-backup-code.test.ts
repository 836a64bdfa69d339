// One slip of paper must not become ten: whatever is set up on a backup code is worth no more than that, until it is used at a later
// login.
import { describe, expect, test } from "@jest/globals";
import { type AuthenticatorApp, softwareAuthenticator } from "express-second-factor/testing";
import type { Response } from "supertest";
import { answerWith, creationOptions, enrollWith } from "../passkeys/stage.js";
import { testApp, type TestApp } from "../support/app.js";
import { MINUTE } from "../support/attack.js";
import { type Enrolled, enrolled, full, Jar, pending } from "../support/browser.js";

interface Thief extends Enrolled {
  readonly target: TestApp;
  readonly jar: Jar;
}

/** Alice, and somebody with her password and one of her backup codes. */
async function thief(): Promise<Thief> {
  const target = testApp();
  const alice = await enrolled(target, "alice");
  const jar = await pending(target, "alice");
  const { status } = await jar.post("/2fa/backup-code", { code: alice.backupCodes[0] });
  if (status !== 200) throw new Error(`The backup code answered ${status}`);
  return { ...alice, target, jar };
}

function mint(jar: Jar): Promise<Response> {
  return jar.post("/2fa/backup-codes").then((answer) => answer);
}

async function expectNone(jar: Jar): Promise<void> {
  const answer = await mint(jar);
  expect(answer.body).toMatchObject({ code: "step-up-required", except: "backup-code" });
  expect(answer.body).not.toHaveProperty("backupCodes");
}

async function expectTen(jar: Jar): Promise<void> {
  const answer = await mint(jar);
  expect([answer.status, (answer.body.backupCodes as string[]).length]).toEqual([201, 10]);
}

async function confirm(jar: Jar, phone: AuthenticatorApp): Promise<void> {
  expect((await jar.verify(phone.code(jar.target.clock()))).status).toBe(200);
  jar.target.clock.advance(30_000);
}

describe("a login by backup code makes no codes", () => {
  test("with an authenticator that it set up, nor with a confirmation by it", async () => {
    const { jar } = await thief();
    const { phone, backupCodes } = await jar.enroll();
    expect(backupCodes).toEqual([]);
    await expectNone(jar);
    await confirm(jar, phone);
    await expectNone(jar);
  });

  test("with a passkey that it set up, nor with a confirmation by it", async () => {
    const { jar } = await thief();
    const device = softwareAuthenticator();
    expect((await enrollWith(jar, device)).status).toBe(201);
    await expectNone(jar);
    expect((await answerWith(jar, device)).status).toBe(200);
    await expectNone(jar);
  });

  test("with a passkey that was made by the way", async () => {
    const { jar } = await thief();
    const device = softwareAuthenticator({ userPresence: false });
    const credential = device.create(await creationOptions(jar, { conditional: true }));
    expect((await jar.post("/2fa/passkey/enroll", { credential })).status).toBe(201);
    await expectNone(jar);
    const present = softwareAuthenticator();
    present.passkeys.push(...device.passkeys);
    expect((await answerWith(jar, present)).status).toBe(200);
    await expectNone(jar);
  });

  test("with one set up on one that it set up, long after", async () => {
    const { jar, target } = await thief();
    const { phone } = await jar.enroll();
    target.clock.advance(20 * MINUTE);
    await confirm(jar, phone);
    const device = softwareAuthenticator();
    expect((await enrollWith(jar, device)).status).toBe(201);
    target.clock.advance(20 * MINUTE);
    expect((await answerWith(jar, device)).status).toBe(200);
    await expectNone(jar);
  });

  test.each([
    ["removed one by one", ({ factorId, jar }: Thief) => jar.post(`/2fa/factors/${factorId}/remove`)],
    ["switched off", ({ jar }: Thief) => jar.post("/2fa/disable")],
  ])("with a first factor, after the others were %s", async (_says, remove) => {
    const stolen = await thief();
    const { jar, target } = stolen;
    expect((await remove(stolen)).status).toBe(204);
    const { phone, backupCodes } = await jar.enroll();
    expect(backupCodes).toEqual([]);
    await expectNone(jar);
    await confirm(jar, phone);
    await expectNone(jar);
    expect((await jar.post("/2fa/disable")).status).toBe(204);
    const second = softwareAuthenticator();
    expect((await enrollWith(jar, second)).body).not.toHaveProperty("backupCodes");
    await expectNone(jar);
    expect((await target.mfa.accounts.status("u1")).backupCodesRemaining).toBe(0);
  });

  test("with a code that was verified outside of any login", async () => {
    const { jar, target } = await thief();
    const { phone } = await jar.enroll();
    const code = phone.code(target.clock());
    expect(await target.mfa.accounts.verify("u1", { method: "totp", code })).toMatchObject({ ok: true });
    target.clock.advance(30_000);
    await confirm(jar, phone);
    await expectNone(jar);
  });

  test("once the proof by an authenticator is older than fifteen minutes", async () => {
    const target = testApp();
    const { phone, backupCodes } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    target.clock.advance(15 * MINUTE);
    await jar.post("/2fa/backup-code", { code: backupCodes[0] });
    const second = await jar.enroll();
    await expectNone(jar);
    await confirm(jar, second.phone);
    await expectNone(jar);
  });

  test("and is told on the page to sign in again, where nothing here would do", async () => {
    const { factorId, jar } = await thief();
    await jar.enroll();
    expect((await jar.form("/2fa/backup-codes")).text).toContain('action="/2fa/totp"');
    await jar.post(`/2fa/factors/${factorId}/remove`);
    const page = await jar.form("/2fa/backup-codes");
    expect([page.status, page.text.includes('action="/2fa/totp"')]).toEqual([401, false]);
    expect(page.text).toContain("Sign in again");
  });
});

describe("codes are made", () => {
  test("by a login by backup code that also shows what was there before", async () => {
    const { jar, phone } = await thief();
    await jar.enroll();
    await expectNone(jar);
    await confirm(jar, phone);
    await expectTen(jar);
  });

  test("by a later login with what was set up", async () => {
    const { jar, target } = await thief();
    const { phone } = await jar.enroll();
    await jar.post("/logout");
    const later = await full(target, "alice", phone);
    await expectTen(later);
  });

  test("by a later login with the passkey that was set up, in the very same moment", async () => {
    const { jar, target } = await thief();
    const device = softwareAuthenticator();
    await enrollWith(jar, device);
    const later = await pending(target, "alice");
    expect((await answerWith(later, device)).status).toBe(200);
    await expectTen(later);
  });

  test("by a later login that began with another backup code and goes on with what was set up", async () => {
    const { backupCodes, jar, target } = await thief();
    const { phone } = await jar.enroll();
    const later = await pending(target, "alice");
    await later.post("/2fa/backup-code", { code: backupCodes[1] });
    await expectNone(later);
    await confirm(later, phone);
    await expectTen(later);
  });

  test("by a later login after a first factor was set up without", async () => {
    const { factorId, jar, target } = await thief();
    await jar.post(`/2fa/factors/${factorId}/remove`);
    const { phone } = await jar.enroll();
    await jar.post("/logout");
    await expectTen(await full(target, "alice", phone));
  });

  test("with a first factor, by whoever removed the last with a code of it", async () => {
    const target = testApp();
    const { factorId, phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    expect((await jar.post(`/2fa/factors/${factorId}/remove`)).status).toBe(204);
    expect((await jar.enroll()).backupCodes).toHaveLength(10);
  });

  test("with a first factor, by a later login of whoever removed the last with a backup code", async () => {
    const { factorId, jar, target } = await thief();
    await jar.post(`/2fa/factors/${factorId}/remove`);
    await jar.post("/logout");
    const later = new Jar(target);
    await later.login("alice");
    expect((await later.enroll()).backupCodes).toHaveLength(10);
  });

  test("by whoever set a second authenticator up with a code of the first, a backup code beside", async () => {
    const target = testApp();
    const { phone, backupCodes } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    await jar.post("/2fa/backup-code", { code: backupCodes[0] });
    await jar.enroll();
    await expectTen(jar);
  });
});
