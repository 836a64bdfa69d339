// The one account as both see it: somebody with the owner's password and a copied session, and the owner with a mail.
import { expect, test } from "@jest/globals";
import type { Notice } from "express-second-factor";
import { ORIGIN, testApp } from "../support/app.js";
import { copyOf, DAY, expectDenied, STEP } from "../support/attack.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { fieldOn } from "../support/pages.js";
import { loginIdOf, REPORT, reportToken } from "../support/reports.js";

test("whoever set up an authenticator in a copied session gets nowhere, and its owner gets back in and removes it", async () => {
  const notices: Notice[] = [];
  const target = testApp({ options: { notify: (notice) => void notices.push(notice) } });
  const { phone } = await enrolled(target, "alice");
  target.clock.advance(1);
  const owner = await full(target, "alice", phone);

  // In the copy they set up their own phone, which signs the owner out, and make backup codes of their own.
  const thief = copyOf(owner);
  const strange = await thief.enroll();
  const { backupCodes } = (await thief.post("/2fa/backup-codes")).body as { backupCodes: string[] };
  const link = await linkIn(notices, ({ details, kind }) => {
    return kind === "factor-enrolled" && details.factorId === strange.factorId;
  });
  expect([await owner.isIn(), await thief.isIn()]).toEqual([false, true]);

  // The owner, logged in nowhere, opens the link of the mail and presses the button.
  const reporter = new Jar(target);
  const page = await reporter.page(link);
  expect([page.status, page.text.includes("Authenticator added")]).toEqual([200, true]);
  const done = await reporter.form(REPORT, { token: fieldOn(page, "token") });
  expect([done.status, done.text.includes("1 session ended")]).toEqual([200, true]);
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

/** The path of the link in the newest notice like this. */
async function linkIn(notices: readonly Notice[], isIt: (notice: Notice) => boolean): Promise<string> {
  for (let turn = 0; turn < 50 && !notices.some(isIt); turn += 1) await new Promise((resolve) => setImmediate(resolve));
  const { report } = notices.findLast(isIt)!.links;
  expect(report).toMatch(/^http:\/\/localhost:3000\/2fa\/report\?token=[\w-]+$/);
  return report!.replace(ORIGIN, "");
}

test.each([
  ["signed in on a new browser", "new-browser"],
  ["set up an authenticator", "factor-enrolled"],
  ["made backup codes", "backup-codes-regenerated"],
])("whatever the owner is told of, its link ends the session that did it: %s", async (_what, kind) => {
  const notices: Notice[] = [];
  const target = testApp({ options: { notify: (notice) => void notices.push(notice) } });
  const { phone, backupCodes } = await enrolled(target, "alice");
  const owner = await full(target, "alice", phone);
  await owner.post("/logout");
  // They have the password and one backup code, and prefer their own phone from then on.
  const thief = await pending(target, "alice");
  await thief.post("/2fa/backup-code", { code: backupCodes[0] });
  target.clock.advance(1);
  const strange = await thief.enroll();
  await thief.post("/logout");
  const again = await full(target, "alice", strange.phone);
  await again.post("/2fa/backup-codes");
  target.clock.advance(1);
  const link = await linkIn(notices, (notice) => notice.kind === kind && notice.at > new Date(0).toISOString());
  const token = new URL(link, ORIGIN).searchParams.get("token");
  expect((await new Jar(target).post(REPORT, { token })).status).toBe(200);
  await expectDenied(again);
  expect(await (await full(target, "alice", phone)).isIn()).toBe(true);
});

test("what was reported is itself told without a link, and any sign-in after it as one on a new browser, the first too", async () => {
  const notices: Notice[] = [];
  const target = testApp({ options: { notify: (notice) => void notices.push(notice) } });
  const { phone } = await enrolled(target, "alice");
  const owner = await full(target, "alice", phone);
  await new Jar(target).post(REPORT, { token: await reportToken(target) });
  await new Promise((resolve) => setImmediate(resolve));
  expect(notices.splice(0).find(({ kind }) => kind === "reported")?.links).toEqual({});
  await full(target, "alice", phone);
  await linkIn(notices, ({ kind }) => kind === "new-browser");
  notices.length = 0;
  await owner.login("alice");
  await owner.verify(phone.code(target.clock()));
  await linkIn(notices, ({ kind }) => kind === "new-browser");
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
