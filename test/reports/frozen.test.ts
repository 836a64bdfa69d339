// After "this wasn't me": what is frozen, what suspended factors are worth, and how both are lifted.
import { describe, expect, test } from "@jest/globals";
import { backupCodes, passkeys, totp } from "express-second-factor";
import { softwareAuthenticator } from "express-second-factor/testing";
import { addColours, BASE as COLOURS, coloursIn, Outbox } from "../methods/colours/stage.js";
import { answerWith, enrollWith, passwordless, passwordlessApp } from "../passkeys/stage.js";
import { strategyRoute, testApp, type TestApp, type TestAppOptions } from "../support/app.js";
import { copyOf, DAY, HOUR, MINUTE, passworded, STEP, storedAccount, trusted } from "../support/attack.js";
import { type Enrolled, enrolled, full, Jar, pending } from "../support/browser.js";
import { ADDRESS, type CodeApp, codeFor, type CodeJar, emailApp } from "../support/message-codes.js";
import { submit, toldOn } from "../support/pages.js";
import { expectProblem } from "../support/problems.js";
import { addThenReport, reported, reportToken, REPORT } from "../support/reports.js";

interface Here extends Enrolled {
  readonly target: TestApp;
  /** Set up by somebody else in the owner's session. */
  readonly strange: Enrolled;
}

/** Alice's account once she has reported the authenticator that was added in her session. */
async function alice(given: TestAppOptions = {}): Promise<Here> {
  const target = testApp(given);
  const own = await enrolled(target, "alice");
  const strange = await addThenReport(copyOf(await full(target, "alice", own.phone)));
  target.clock.advance(STEP);
  return { target, ...own, strange };
}

describe("while changes are frozen", () => {
  test("no factor is set up, changed or removed, whatever was proved: 403 that says until when", async () => {
    const { factorId, phone, strange, target } = await alice();
    const until = new Date(target.clock() - STEP + DAY).toISOString();
    const jar = await full(target, "alice", phone);
    const before = JSON.parse((await storedAccount(target, "alice"))!) as { factors: unknown; preferred: unknown };
    for (const [path, body] of [
      ["/2fa/totp/enroll", {}],
      ["/2fa/totp/enroll/confirm", { factorId, code: "000000" }],
      ["/2fa/totp/resync", { factorId, codes: ["000000", "000001"] }],
      ["/2fa/passkey/enroll/options", {}],
      ["/2fa/passkey/enroll", { credential: softwareAuthenticator().create(await optionsElsewhere()) }],
      [`/2fa/factors/${factorId}/rename`, { label: "Mine" }],
      [`/2fa/factors/${strange.factorId}/remove`, {}],
      [`/2fa/factors/${strange.factorId}/resume`, {}],
      ["/2fa/backup-codes", {}],
      ["/2fa/preferred", { type: "totp" }],
      ["/2fa/disable", {}],
    ] as const) {
      const answer = await jar.post(path, body);
      expect([path, answer.status, answer.body.code, answer.body.frozenUntil]).toEqual([path, 403, "frozen", until]);
      expectProblem(answer, "frozen");
    }
    const after = JSON.parse((await storedAccount(target, "alice"))!) as { factors: unknown; preferred: unknown };
    expect([after.factors, after.preferred]).toEqual([before.factors, before.preferred]);
  });

  test("sessions and browsers are ended as ever", async () => {
    const { phone, target } = await alice();
    const jar = await trusted(target, "alice", phone);
    const other = await full(target, "alice", phone);
    expect((await jar.post("/2fa/devices/revoke-all")).status).toBe(204);
    expect((await jar.post("/2fa/sessions/revoke-others")).status).toBe(204);
    expect([await jar.isIn(), await other.isIn()]).toEqual([true, false]);
  });

  test("a stale proof is not asked for in vain, and whoever has only the password is told nothing", async () => {
    const { factorId, phone, target } = await alice();
    const jar = await full(target, "alice", phone);
    target.clock.advance(HOUR);
    expectProblem(await jar.post(`/2fa/factors/${factorId}/rename`, { label: "Mine" }), "frozen");
    const waiting = await pending(target, "alice");
    expectProblem(await waiting.post(`/2fa/factors/${factorId}/rename`, { label: "Mine" }), "second-factor-required");
  });

  test("nobody without a factor sets one up, and the page that asks them to says until when", async () => {
    const target = testApp({ options: { policy: "required" } });
    const jar = await passworded(target, "JSON", "alice");
    await jar.enroll();
    await target.mfa.accounts.reset("u1");
    await reported(target);
    const again = await passworded(target, "JSON", "alice");
    expectProblem(await again.post("/2fa/totp/enroll"), "frozen");
    const page = await again.page("/2fa");
    expect([page.status, page.text.includes("/2fa/totp/enroll")]).toEqual([200, false]);
    expect(page.text).toContain(`datetime="${new Date(target.clock() + DAY).toISOString()}"`);
    target.clock.advance(DAY);
    expect((await (await passworded(target, "JSON", "alice")).post("/2fa/totp/enroll")).status).toBe(201);
  });

  test("no passkey is offered after a sign-in by code", async () => {
    const methods = [totp(), backupCodes(), passkeys({ offer: true })];
    const { phone, target } = await alice({ options: { methods } });
    const jar = await pending(target, "alice");
    const answer = await jar.form("/2fa/totp", { code: phone.code(target.clock()) });
    expect([answer.status, answer.headers.location]).toEqual([303, "/account"]);
  });

  test("the settings say so, in JSON and on the page, which offers nothing that would be refused", async () => {
    const { phone, target } = await alice();
    const until = new Date(target.clock() - STEP + DAY).toISOString();
    const jar = await full(target, "alice", phone);
    expect((await jar.get("/2fa/settings")).body.frozenUntil).toBe(until);
    const { text } = await jar.page("/2fa/settings");
    expect(text).toContain(`datetime="${until}"`);
    for (const path of ["/enroll", "/rename", "/remove", "/resume", "/disable", 'action="/2fa/backup-codes"'])
      expect([path, text.includes(path)]).toEqual([path, false]);
    const refused = await jar.form("/2fa/disable");
    expect([refused.status, refused.text.includes("reported")]).toEqual([403, true]);
  });

  test("the application may do everything still", async () => {
    const { strange, target } = await alice();
    expect(await target.mfa.accounts.regenerateBackupCodes("u1")).toHaveLength(10);
    expect(await target.mfa.accounts.removeFactor("u1", strange.factorId)).toBe(true);
  });

  test("for a day, and not a millisecond more", async () => {
    const { factorId, phone, target } = await alice();
    target.clock.advance(DAY - 3 * STEP);
    const jar = await full(target, "alice", phone);
    target.clock.advance(STEP - 1);
    expectProblem(await jar.post(`/2fa/factors/${factorId}/rename`, { label: "Mine" }), "frozen");
    target.clock.advance(1);
    expect((await jar.post(`/2fa/factors/${factorId}/rename`, { label: "Mine" })).status).toBe(200);
    expect((await jar.get("/2fa/settings")).body).not.toHaveProperty("frozenUntil");
  });
});

describe("a suspended factor", () => {
  test("is not asked for, and proves nothing at a login, a step-up or to a strategy", async () => {
    const { phone, strange, target } = await alice(strategyRoute);
    const login = await pending(target, "alice");
    const { methods } = (await login.get("/2fa")).body as { methods: { type: string; factors: { id: string }[] }[] };
    expect(methods.flatMap(({ factors }) => factors.map(({ id }) => id))).not.toContain(strange.factorId);
    const code = (): string => strange.phone.code(target.clock());
    expectProblem(await login.verify(code()), "invalid-code");
    expect((await login.post("/otp", { code: code() })).status).toBe(401);
    const jar = await full(target, "alice", phone);
    expectProblem(await jar.verify(code()), "invalid-code");
    expect(await target.mfa.accounts.verify("u1", { method: "totp", code: code() })).toMatchObject({ ok: false });
  });

  test("is adjusted to no clock, and not the kind that is asked for first", async () => {
    const { phone, strange, target } = await alice();
    target.clock.advance(DAY);
    const jar = await full(target, "alice", phone);
    const at = target.clock() + 10 * MINUTE;
    const codes = [strange.phone.code(at), strange.phone.code(at + STEP)];
    expectProblem(await jar.post("/2fa/totp/resync", { factorId: strange.factorId, codes }), "not-found");
  });

  test("has nothing sent to it", async () => {
    const outbox = new Outbox();
    const target = Object.assign(testApp({ options: { methods: coloursIn(outbox) } }), { outbox });
    const { phone } = await enrolled(target, "alice");
    target.clock.advance(1);
    const jar = await full(target, "alice", phone);
    const factorId = await addColours(jar);
    await reported(target, { kind: "factor-enrolled", factorId });
    const login = await pending(target, "alice");
    for (const body of [{}, { factorId }]) expectProblem(await login.post(`${COLOURS}/send`, body), "not-found");
    target.clock.advance(DAY);
    const owner = await full(target, "alice", phone);
    expectProblem(await owner.post("/2fa/preferred", { type: "colour-sequence" }), "not-found");
  });

  test("that is a passkey opens nothing, as a second step or as a whole login", async () => {
    const target = passwordlessApp();
    const { phone } = await enrolled(target, "alice");
    target.clock.advance(1);
    const device = softwareAuthenticator({ userVerification: true });
    const { body } = await enrollWith(await full(target, "alice", phone), device);
    await reported(target, { kind: "factor-enrolled", factorId: (body as { factor: { id: string } }).factor.id });
    const nobody = new Jar(target);
    expect((await passwordless(nobody, device)).status).toBe(401);
    expect(await nobody.isIn()).toBe(false);
    const login = await pending(target, "alice");
    expectProblem(await login.post("/2fa/passkey/options"), "not-found");
    const owner = await full(target, "alice", phone);
    await expect(answerWith(owner, device)).rejects.toThrow("404");
  });

  test("keeps its account enrolled, and goes with the last one that can be asked for", async () => {
    const { factorId, phone, target } = await alice();
    expect(await target.mfa.accounts.status("u1")).toMatchObject({ enrolled: true });
    target.clock.advance(DAY);
    const jar = await full(target, "alice", phone);
    expect((await jar.page("/2fa/settings")).text).toContain("is the last one");
    expect((await jar.post(`/2fa/factors/${factorId}/remove`)).status).toBe(204);
    expect(await target.mfa.accounts.factors("u1")).toEqual([]);
    expect(await (await pending(target, "alice")).isIn()).toBe(true);
  });

  test("does not make up for the last one where the policy demands a factor", async () => {
    const { factorId, phone, target } = await alice({ options: { policy: "required" } });
    target.clock.advance(DAY);
    const jar = await full(target, "alice", phone);
    expectProblem(await jar.post(`/2fa/factors/${factorId}/remove`), "last-factor");
  });

  test("is shown as that to its owner and to the application", async () => {
    const { phone, strange, target } = await alice();
    const jar = await full(target, "alice", phone);
    const { body } = await jar.get("/2fa/settings");
    expect(body.factors.find(({ id }: { id: string }) => id === strange.factorId)).toMatchObject({ suspended: true });
    const { text } = await jar.page("/2fa/settings");
    expect(text).toContain('<span class="sf-badge">Suspended</span>');
    expect((await target.mfa.accounts.export("u1")).factors[1]).toMatchObject({ suspended: true });
    expect(await target.mfa.accounts.status("u1")).toMatchObject({
      suspended: [strange.factorId],
      frozenUntil: expect.stringMatching(/Z$/),
    });
  });
});

describe("what a report has done is lifted", () => {
  test("for one factor by its owner, with a proof of another, once nothing is frozen any more", async () => {
    const { phone, strange, target } = await alice();
    target.clock.advance(DAY);
    const jar = await full(target, "alice", phone);
    expect((await jar.page("/2fa/settings")).text).toContain(`action="/2fa/factors/${strange.factorId}/resume"`);
    const { page } = await submit(jar, `/2fa/factors/${strange.factorId}/resume`);
    const { label } = (await target.mfa.accounts.factors("u1"))[1]!;
    expect(toldOn(page)).toBe(`${label} can be used again.`);
    expect(target.events.at(-1)).toMatchObject({
      action: "factor-resumed",
      factorId: strange.factorId,
      method: "totp",
    });
    const login = await pending(target, "alice");
    expect((await login.verify(strange.phone.code(target.clock()))).status).toBe(200);
  });

  test("not with a proof that is old, nor with a backup code, nor for what is not there", async () => {
    const { backupCodes: codes, phone, strange, target } = await alice();
    target.clock.advance(DAY);
    const jar = await full(target, "alice", phone);
    expectProblem(await jar.post("/2fa/factors/nobodys/resume"), "not-found");
    target.clock.advance(16 * MINUTE);
    const path = `/2fa/factors/${strange.factorId}/resume`;
    expectProblem(await jar.post(path), "step-up-required");
    const byCode = await pending(target, "alice");
    await byCode.post("/2fa/backup-code", { code: codes[0] });
    const answer = await byCode.post(path);
    expectProblem(answer, "step-up-required");
    expect(answer.body.except).toBe("backup-code");
    expectProblem(await (await pending(target, "alice")).post(path), "second-factor-required");
    expectProblem(await new Jar(target).post(path), "login-required");
  });

  test("not from another user's session, nor from another site", async () => {
    const { phone, strange, target } = await alice();
    const mallory = await enrolled(target, "mallory");
    target.clock.advance(DAY);
    const path = `/2fa/factors/${strange.factorId}/resume`;
    expectProblem(await (await full(target, "mallory", mallory.phone)).post(path), "not-found");
    const jar = await full(target, "alice", phone);
    expectProblem(await jar.post(path).set("Origin", "https://evil.test"), "cross-site-request");
    expect((await target.mfa.accounts.status("u1")).suspended).toEqual([strange.factorId]);
  });

  test("once, whatever comes at the same time; asked for again it does no harm", async () => {
    const { phone, strange, target } = await alice();
    target.clock.advance(DAY);
    const jar = await full(target, "alice", phone);
    const path = `/2fa/factors/${strange.factorId}/resume`;
    const answers = await Promise.all(Array.from({ length: 30 }, () => jar.post(path)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204]));
    expect(target.events.filter(({ action }) => action === "factor-resumed")).toHaveLength(1);
  });

  test("with new backup codes in the place of suspended ones", async () => {
    const { phone, target } = await alice();
    await target.mfa.accounts.reopenFactors("u1");
    const jar = await full(target, "alice", phone);
    const token = await reportToken(target);
    target.clock.advance(1000);
    await jar.post("/2fa/backup-codes");
    await new Jar(target).post(REPORT, { token });
    target.clock.advance(DAY);
    const later = await full(target, "alice", phone);
    expect((await later.page("/2fa/settings")).text).toContain("These codes no longer open anything");
    const made = (await later.post("/2fa/backup-codes")).body as { backupCodes: string[] };
    const login = await pending(target, "alice");
    expect((await login.post("/2fa/backup-code", { code: made.backupCodes[0] })).status).toBe(200);
    expect((await target.mfa.accounts.export("u1")).backupCodes).not.toHaveProperty("suspended");
  });

  test("all of it by the application, which answers whether there was anything", async () => {
    const { phone, strange, target } = await alice();
    expect(await target.mfa.accounts.reopenFactors("u1", { actor: "support:7" })).toBe(true);
    expect(target.events.slice(-2)).toMatchObject([
      { action: "factor-resumed", factorId: strange.factorId, actor: "support:7" },
      { action: "freeze-lifted", actor: "support:7" },
    ]);
    const { frozenUntil, suspended } = await target.mfa.accounts.status("u1");
    expect([frozenUntil, suspended]).toEqual([undefined, undefined]);
    expect(await target.mfa.accounts.reopenFactors("u1")).toBe(false);
    expect((await (await full(target, "alice", phone)).post("/2fa/totp/enroll")).status).toBe(201);
  });

  test("by nothing else: not by a new password, a sign-out or a reset", async () => {
    const { target } = await alice();
    await target.mfa.accounts.passwordChanged("u1", { signOut: true, reopen: true });
    await target.mfa.accounts.signOutEverywhere("u1");
    expect((await target.mfa.accounts.status("u1")).suspended).toHaveLength(1);
    await target.mfa.accounts.reset("u1");
    expect(await target.mfa.accounts.status("u1")).toHaveProperty("frozenUntil");
  });
});

/** Options of somebody else's, so that a passkey of the right shape can be shown. */
async function optionsElsewhere() {
  const jar = await passworded(testApp(), "JSON", "carol");
  return (await jar.post("/2fa/passkey/enroll/options")).body;
}

/** Alice, who has codes by e-mail alone. */
async function byMail(target: CodeApp): Promise<CodeJar> {
  const jar = new Jar(target);
  await jar.login("alice");
  const answer = await jar.post("/2fa/email-code", { code: await codeFor(jar) });
  expect(answer.status).toBe(200);
  return jar;
}

test("whoever has codes by mail and nothing else is told whom to ask, and is not sent to sign in again and again", async () => {
  const target = emailApp();
  await target.mfa.accounts.enrollEmail("u1", { address: ADDRESS, verifiedAt: 0 });
  target.clock.advance(1);
  await addThenReport(await byMail(target));
  target.clock.advance(DAY);
  const jar = await byMail(target);
  const [strange] = (await target.mfa.accounts.status("u1")).suspended!;
  const answer = await jar.post(`/2fa/factors/${strange}/remove`);
  expectProblem(answer, "step-up-required");
  expect(answer.body).toMatchObject({ methods: [], reason: "suspended" });
  const page = await jar.page("/2fa?confirm=settings");
  expect([page.status, page.text.includes("is suspended"), page.text.includes("sign in once more")]).toEqual([
    200,
    true,
    false,
  ]);
  expect(await target.mfa.accounts.removeFactor("u1", strange!, { actor: "support:7" })).toBe(true);
  target.clock.advance(HOUR);
  expect((await (await byMail(target)).post("/2fa/totp/enroll")).status).toBe(201);
});
