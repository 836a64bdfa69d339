// The one account as both see it: somebody with the owner's password and a copied session, and the owner with a mail.
import { expect, test } from "@jest/globals";
import { testApp } from "../support/app.js";
import { copyOf, DAY, expectDenied, STEP } from "../support/attack.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { loginIdOf, REPORT, reportToken } from "../support/reports.js";

test("whoever set up an authenticator in a copied session gets nowhere, and its owner gets back in and removes it", async () => {
  const target = testApp();
  const { phone } = await enrolled(target, "alice");
  target.clock.advance(1);
  const owner = await full(target, "alice", phone);

  // In the copy they set up their own phone, which signs the owner out, and make backup codes of their own.
  const thief = copyOf(owner);
  const strange = await thief.enroll();
  const { backupCodes } = (await thief.post("/2fa/backup-codes")).body as { backupCodes: string[] };
  const about = { kind: "factor-enrolled", factorId: strange.factorId, loginId: await loginIdOf(thief) };
  const token = await reportToken(target, about);
  expect([await owner.isIn(), await thief.isIn()]).toEqual([false, true]);

  const answer = await new Jar(target).post(REPORT, { token });
  expect([answer.status, answer.body.ended]).toEqual([200, 1]);
  target.clock.advance(STEP);

  // They have the password, their phone and their codes.
  await expectDenied(thief);
  const again = await pending(target, "alice");
  expect((await again.verify(strange.phone.code(target.clock()))).status).toBe(401);
  for (const code of backupCodes.slice(0, 3)) expect((await again.post("/2fa/backup-code", { code })).status).toBe(401);
  for (const path of [`/2fa/factors/${strange.factorId}/resume`, "/2fa/totp/enroll", "/2fa/disable"])
    expect([path, (await again.post(path)).status]).toEqual([path, 401]);
  await expectDenied(again);

  // A day later nothing has changed for them; the owner's own phone opens the account.
  target.clock.advance(DAY);
  const later = await pending(target, "alice");
  expect((await later.verify(strange.phone.code(target.clock()))).status).toBe(401);
  await expectDenied(later);
  const back = await full(target, "alice", phone);
  expect(await back.isIn()).toBe(true);
  expect((await back.post(`/2fa/factors/${strange.factorId}/remove`)).status).toBe(204);
  const { factors } = (await back.get("/2fa/settings")).body as { factors: { id: string }[] };
  expect(factors.map(({ id }) => id)).not.toContain(strange.factorId);
});

test("whoever was the first to protect an account with an authenticator of theirs is not let in by their backup codes", async () => {
  const target = testApp();
  const thief = new Jar(target);
  await thief.login("alice");
  const { backupCodes, factorId } = await thief.enroll();
  const about = { kind: "factor-enrolled", factorId, loginId: await loginIdOf(thief) };
  await new Jar(target).post(REPORT, { token: await reportToken(target, about) });
  const again = await pending(target, "alice");
  expect((await again.post("/2fa/backup-code", { code: backupCodes[0] })).status).toBe(401);
  await expectDenied(thief);
  // The only authenticator stays; for the owner to begin anew is for support to see to.
  expect(await target.mfa.accounts.reset("u1", { actor: "support:7" })).toBe(true);
  expect(await target.mfa.accounts.reopenFactors("u1", { actor: "support:7" })).toBe(true);
  const owner = new Jar(target);
  await owner.login("alice");
  await owner.enroll();
  expect(await owner.isIn()).toBe(true);
});
