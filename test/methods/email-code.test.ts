import { randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { ConfigurationError, emailCode, memoryStore, type SecondFactorOptions, totp } from "express-second-factor";
import { copyOf, MINUTE } from "../support/attack.js";
import { guarded, ORIGIN, TEST_KEYS, testApp, type TestUser } from "../support/app.js";
import { Jar } from "../support/browser.js";
import { HANGS, REJECTS } from "../support/faults.js";
import {
  ADDRESS,
  addDestination,
  type CodeApp,
  type CodeJar,
  codeFor,
  emailApp,
  MASKED,
  otherThan,
  Outbox,
  waitingForCode,
  withDestination,
} from "../support/message-codes.js";

const PATH = "/2fa/email-code";

async function waitingAgain(target: CodeApp, name = "alice"): Promise<CodeJar> {
  const jar = new Jar(target);
  await jar.login(name);
  return jar;
}

/** Of the account's e-mail factor, as the settings tell of it. */
async function wrongAnswers(target: CodeApp): Promise<unknown> {
  const entry = await target.store.read("account:u1");
  const { factors } = JSON.parse(entry?.value ?? "{}") as { factors: { type: string; failures: number }[] };
  return factors.find(({ type }) => type === "email-code")?.failures;
}

describe("an e-mail address as a second factor", () => {
  test("is one once the code that went there was given, and not before", async () => {
    const target = emailApp();
    const jar = new Jar(target);
    await jar.login("alice");
    const begun = await jar.post(`${PATH}/enroll`, { address: ADDRESS });
    const now = target.clock();
    expect([begun.status, begun.body]).toEqual([
      202,
      {
        factorId: expect.any(String),
        hint: MASKED,
        expiresAt: new Date(now + 5 * MINUTE).toISOString(),
        resendAt: new Date(now + MINUTE).toISOString(),
      },
    ]);
    const { factorId } = begun.body as { factorId: string };
    const wrong = await jar.post(`${PATH}/enroll/confirm`, { factorId, code: otherThan(target.outbox.code) });
    expect([wrong.status, wrong.body.code]).toEqual([401, "invalid-code"]);
    expect((await target.mfa.accounts.status("u1")).enrolled).toBe(false);
    const done = await jar.post(`${PATH}/enroll/confirm`, { factorId, code: target.outbox.code });
    expect(done.status).toBe(201);
    expect(done.body.factor).toMatchObject({ id: factorId, type: "email-code", label: "E-mail", hint: MASKED });
    expect(done.body.backupCodes).toHaveLength(10);
  });

  test("is the one that the application knows, where none is typed", async () => {
    const target = emailApp();
    const jar = new Jar(target);
    await jar.login("alice");
    expect((await jar.post(`${PATH}/enroll`)).body.hint).toBe("a•••@acme.test");
    expect(target.outbox.last.to).toEqual({ address: "alice@acme.test" });
  });

  test("begun again for the same address is the same enrollment: nothing for a minute, then the same code, then another", async () => {
    const target = emailApp();
    const jar = new Jar(target);
    await jar.login("alice");
    const first = await jar.post(`${PATH}/enroll`, { address: ADDRESS });
    const { code } = target.outbox;
    target.clock.advance(30_000);
    const cooling = await jar.post(`${PATH}/enroll`, { address: ADDRESS });
    expect([cooling.status, cooling.body]).toEqual([202, first.body]);
    expect(target.outbox.messages).toHaveLength(1);
    target.clock.advance(30_000);
    const again = await jar.post(`${PATH}/enroll`, { address: ADDRESS });
    expect(again.body).toMatchObject({ factorId: first.body.factorId, expiresAt: first.body.expiresAt });
    expect(target.outbox.messages.map((each) => each.code)).toEqual([code, code]);
    target.clock.advance(4 * MINUTE);
    const later = await jar.post(`${PATH}/enroll`, { address: ADDRESS });
    const { factorId } = later.body as { factorId: string };
    expect(factorId).toBe(first.body.factorId);
    expect((await jar.post(`${PATH}/enroll/confirm`, { factorId, code: target.outbox.code })).status).toBe(201);
  });

  test("begun for another address replaces the one that was open, whose code is worth nothing then", async () => {
    const target = emailApp();
    const jar = new Jar(target);
    await jar.login("alice");
    const first = await jar.post(`${PATH}/enroll`, { address: ADDRESS });
    const { code } = target.outbox;
    const tooSoon = await jar.post(`${PATH}/enroll`, { address: "alice@work.test" });
    expect(tooSoon.status).toBe(429);
    target.clock.advance(MINUTE);
    const second = await jar.post(`${PATH}/enroll`, { address: "alice@work.test" });
    expect(second.body).toMatchObject({ hint: "a•••@work.test" });
    const over = await jar.post(`${PATH}/enroll/confirm`, { factorId: first.body.factorId, code });
    expect(over.status).toBe(404);
    await jar.post(`${PATH}/enroll/confirm`, { factorId: second.body.factorId, code: target.outbox.code });
    expect(await target.mfa.accounts.factors("u1")).toMatchObject([{ hint: "a•••@work.test" }]);
  });

  test("whose other address the sender refuses goes on with the one that was open", async () => {
    const target = emailApp();
    const jar = new Jar(target);
    await jar.login("alice");
    const first = await jar.post(`${PATH}/enroll`, { address: ADDRESS });
    const { code } = target.outbox;
    target.clock.advance(MINUTE);
    target.outbox.fault = REJECTS;
    expect((await jar.post(`${PATH}/enroll`, { address: "alice@work.test" })).status).toBe(503);
    const done = await jar.post(`${PATH}/enroll/confirm`, { factorId: first.body.factorId, code });
    expect(done.body.factor).toMatchObject({ hint: MASKED });
  });

  test("that the sender refused at once can be begun at once, and is nobody's factor meanwhile", async () => {
    const target = emailApp();
    const jar = new Jar(target);
    await jar.login("alice");
    target.outbox.fault = REJECTS;
    expect((await jar.post(`${PATH}/enroll`, { address: ADDRESS })).status).toBe(503);
    target.outbox.fault = undefined;
    expect(await addDestination(jar)).toEqual(expect.any(String));
  });

  test("has its code sent again by the id of the enrollment, until that is over", async () => {
    const target = emailApp();
    const jar = new Jar(target);
    await jar.login("alice");
    const begun = await jar.post(`${PATH}/enroll`, { address: ADDRESS });
    const { factorId } = begun.body as { factorId: string };
    expect((await jar.post(`${PATH}/send`, { factorId })).status).toBe(429);
    target.clock.advance(MINUTE);
    const again = await jar.post(`${PATH}/send`, { factorId });
    expect([again.status, again.body]).toMatchObject([202, { hint: MASKED, expiresAt: begun.body.expiresAt }]);
    expect(target.outbox.messages.map(({ code, purpose }) => ({ code, purpose }))).toEqual(
      Array.from({ length: 2 }, () => ({ code: target.outbox.code, purpose: "enroll" })),
    );
    const other = new Jar(target);
    await other.login("alice");
    expect((await other.post(`${PATH}/send`, { factorId })).status).toBe(404);
    expect((await other.post(`${PATH}/enroll/confirm`, { factorId, code: target.outbox.code })).status).toBe(404);
    target.clock.advance(9 * MINUTE);
    expect((await jar.post(`${PATH}/send`, { factorId })).body).toMatchObject({ code: "expired" });
    expect((await jar.post(`${PATH}/enroll/confirm`, { factorId, code: target.outbox.code })).status).toBe(410);
  });

  test("stands five wrong codes while it is set up, and no sixth that is right", async () => {
    const target = emailApp();
    const jar = new Jar(target);
    await jar.login("alice");
    const { factorId } = (await jar.post(`${PATH}/enroll`, { address: ADDRESS })).body as { factorId: string };
    const { code } = target.outbox;
    for (let tries = 0; tries < 5; tries += 1) {
      expect((await jar.post(`${PATH}/enroll/confirm`, { factorId, code: otherThan(code) })).status).toBe(401);
    }
    expect((await jar.post(`${PATH}/enroll/confirm`, { factorId, code })).status).toBe(401);
    target.clock.advance(MINUTE);
    const dead = await jar.post(`${PATH}/send`, { factorId });
    expect([dead.status, dead.headers["retry-after"]]).toEqual([429, "240"]);
    expect((await jar.post(`${PATH}/enroll`, { address: ADDRESS })).status).toBe(429);
    target.clock.advance(4 * MINUTE);
    expect((await jar.post(`${PATH}/send`, { factorId })).status).toBe(202);
    expect((await jar.post(`${PATH}/enroll/confirm`, { factorId, code: target.outbox.code })).status).toBe(201);
  });

  test("begun thirty times at once is one enrollment and one mail; proved thirty times at once it is one factor", async () => {
    const target = emailApp();
    const jar = new Jar(target);
    await jar.login("alice");
    const begun = await Promise.all(Array.from({ length: 30 }, () => jar.post(`${PATH}/enroll`, { address: ADDRESS })));
    expect(begun.map(({ status }) => status)).toEqual(begun.map(() => 202));
    expect(new Set(begun.map(({ body }) => (body as { factorId: string }).factorId)).size).toBe(1);
    expect(target.outbox.messages).toHaveLength(1);
    const { factorId } = begun[0]?.body as { factorId: string };
    const proof = { factorId, code: target.outbox.code };
    const proved = await Promise.all(Array.from({ length: 30 }, () => jar.post(`${PATH}/enroll/confirm`, proof)));
    expect(proved.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(await target.mfa.accounts.factors("u1")).toHaveLength(1);
  });

  test("that is being set up is so under new keys too", async () => {
    const [outbox, store] = [new Outbox(), memoryStore()];
    const before = emailApp(outbox, { store });
    const jar = new Jar(before);
    await jar.login("alice");
    const { factorId } = (await jar.post(`${PATH}/enroll`, { address: ADDRESS })).body as { factorId: string };
    const key = `new:${randomBytes(32).toString("base64")}`;
    const { clock, sessionStore } = before;
    const rotating = emailApp(outbox, { clock, sessionStore, store, options: { keys: `${key},${TEST_KEYS}` } });
    await rotating.mfa.rotateKeys();
    const after = emailApp(outbox, { clock, sessionStore, store, options: { keys: key } });
    const moved = copyOf(jar, undefined, after);
    expect((await moved.post(`${PATH}/enroll/confirm`, { factorId, code: outbox.code })).status).toBe(201);
  });

  test("can be the same for two accounts, and once for one", async () => {
    const target = emailApp();
    const { jar } = await withDestination(target);
    await withDestination(target, { address: ADDRESS }, "mallory");
    target.clock.advance(MINUTE);
    const again = await jar.post(`${PATH}/enroll`, { address: "alice@HOME.test" });
    expect([again.status, again.body.code]).toEqual([409, "conflict"]);
    await addDestination(jar, { address: "alice@work.test" });
    expect(await target.mfa.accounts.factors("u1")).toHaveLength(2);
  });

  test.each<[string, unknown]>([
    ["a line break", "ann@acme.test\nbcc:eve@evil.test"],
    ["a line break at its end", "ann@acme.test\r\n"],
    ["a line break in its domain", "ann@ac\nme.test"],
    ["a comma", "ann@acme.test,eve@evil.test"],
    ["a semicolon", "ann@acme.test;eve@evil.test"],
    ["a display name", "Ann <ann@acme.test>"],
    ["brackets", "<ann@acme.test>"],
    ["a quoted local part", '"ann smith"@acme.test'],
    ["a comment", "ann(comment)@acme.test"],
    ["spaces around it", " ann@acme.test "],
    ["400 characters", `${"a".repeat(390)}@acme.test`],
    ["255 characters", `ann12@${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(60)}.${"d".repeat(60)}.test1`],
    ["a local part of 65 characters", `${"a".repeat(65)}@acme.test`],
    ["two dots", "ann..lee@acme.test"],
    ["two of them", "ann@acme.test@evil.test"],
    ["an address of the network", "ann@[127.0.0.1]"],
    ["a number for a domain", "ann@127.0.0.1"],
    ["a host without a domain", "ann@localhost"],
    ["a percent sign in its domain", "ann@acme%2etest"],
    ["a null character", "ann\u0000@acme.test"],
    ["letters before the @ that not every server takes", "änn@acme.test"],
    ["nothing before the @", "@acme.test"],
    ["a list", ["ann@acme.test"]],
    ["an object", { address: "ann@acme.test" }],
    ["a number", 7],
  ])("is no address with %s: nothing is sent", async (_what, address) => {
    const target = emailApp();
    const jar = new Jar(target);
    await jar.login("alice");
    const refused = await jar.post(`${PATH}/enroll`, { address });
    expect([refused.status, refused.body]).toMatchObject([400, { code: "invalid-request", reason: "not-an-address" }]);
    expect(target.outbox.messages).toEqual([]);
  });

  test.each([
    ["ann+shop@acme.test", "ann+shop@acme.test"],
    ["O'Neil@Acme.TEST", "O'Neil@acme.test"],
    ["ann@bücher.test", "ann@xn--bcher-kva.test"],
    // Its first letter is a Cyrillic one: another domain, which its owner reads.
    ["ann@аcme.test", "ann@xn--cme-5cd.test"],
  ])("%s is one, and goes to the sender as %s", async (address, written) => {
    const target = emailApp();
    const jar = new Jar(target);
    await jar.login("alice");
    expect((await jar.post(`${PATH}/enroll`, { address })).status).toBe(202);
    expect(target.outbox.last.to).toEqual({ address: written });
  });

  test("of a user whose address is none, and who types none, is asked for", async () => {
    const target = emailApp(new Outbox(), { options: { user: { email: () => "Ann <ann@acme.test>" } } });
    const jar = new Jar(target);
    await jar.login("alice");
    expect((await jar.post(`${PATH}/enroll`)).status).toBe(400);
  });
});

describe("another address in the place of one", () => {
  test("counts once it is proved; until then the old one does", async () => {
    const target = emailApp();
    const { jar, factorId: old } = await withDestination(target, { address: ADDRESS, label: "Home" });
    target.clock.advance(MINUTE);
    const body = { address: "new@acme.test", replaces: old };
    const { factorId } = (await jar.post(`${PATH}/enroll`, body)).body as { factorId: string };
    expect(await target.mfa.accounts.factors("u1")).toMatchObject([{ id: old, hint: MASKED }]);
    await jar.post(`${PATH}/enroll/confirm`, { factorId, code: target.outbox.code });
    expect(await target.mfa.accounts.factors("u1")).toMatchObject([
      { id: factorId, hint: "n•••@acme.test", label: "Home" },
    ]);
    const replaced = target.events.filter(({ action }) => action === "factor-replaced");
    expect(replaced).toMatchObject([{ factorId: old, method: "email-code", userId: "u1" }]);
    expect(Object.keys(replaced[0] ?? {})).not.toContain("replaced");
  });

  test("finds room in an account that has none left", async () => {
    const target = emailApp();
    const verifiedAt = target.clock();
    for (let index = 0; index < 18; index += 1)
      await target.mfa.accounts.enrollEmail("u1", { address: `a${index}@home.test`, verifiedAt });
    const jar = await waitingAgain(target);
    await jar.post(PATH, { code: await codeFor(jar) });
    target.clock.advance(MINUTE);
    const replaces = await addDestination(jar, { address: "a18@home.test" });
    await target.mfa.accounts.enrollEmail("u1", { address: "a19@home.test", verifiedAt });
    target.clock.advance(MINUTE);
    expect((await jar.post(`${PATH}/enroll`, { address: "new@home.test" })).status).toBe(409);
    await addDestination(jar, { address: "new@home.test", replaces });
    expect(await target.mfa.accounts.factors("u1")).toHaveLength(20);
  });

  test("is refused for what is none of one's own of that kind", async () => {
    const target = emailApp();
    const { jar } = await withDestination(target);
    const { id } = await target.mfa.accounts.enrollEmail("u2", { address: ADDRESS, verifiedAt: target.clock() });
    const { factorId: app } = await jar.enroll();
    target.clock.advance(MINUTE);
    expect((await jar.post(`${PATH}/enroll`, { address: "new@acme.test", replaces: [id] })).status).toBe(400);
    for (const replaces of [id, app, "none"]) {
      const refused = await jar.post(`${PATH}/enroll`, { address: "new@acme.test", replaces });
      expect([refused.status, refused.body.code]).toEqual([404, "not-found"]);
    }
  });
});

describe("a code by e-mail", () => {
  test("finishes the login that asked for it", async () => {
    const target = emailApp();
    const jar = await waitingForCode(target);
    const sent = await jar.post(`${PATH}/send`);
    const now = target.clock();
    expect([sent.status, sent.body]).toEqual([
      202,
      {
        hint: MASKED,
        expiresAt: new Date(now + 5 * MINUTE).toISOString(),
        resendAt: new Date(now + MINUTE).toISOString(),
      },
    ]);
    const { code } = target.outbox;
    expect(code).toMatch(/^[0-9]{6}$/);
    const proved = await jar.post(PATH, { code: ` ${code.slice(0, 3)} ${code.slice(3)}` });
    expect([proved.status, proved.body]).toMatchObject([200, { status: "verified", amr: ["email"] }]);
    expect(await jar.isIn()).toBe(true);
    expect((await jar.post(PATH, { code })).status).toBe(401);
  });

  test.each([
    [5 * MINUTE - 1, 200],
    [5 * MINUTE, 401],
  ])("%i ms after it was made is answered with %i", async (age, status) => {
    const target = emailApp();
    const jar = await waitingForCode(target);
    const code = await codeFor(jar);
    target.clock.advance(age);
    const answer = await jar.post(PATH, { code });
    expect(answer.status).toBe(status);
    if (status === 401) expect(answer.body.code).toBe("invalid-code");
  });

  test("has five tries; then it is as wrong as any, and none goes out until its life is over", async () => {
    const target = emailApp();
    const jar = await waitingForCode(target);
    const code = await codeFor(jar);
    for (let tries = 0; tries < 5; tries += 1) await jar.post(PATH, { code: otherThan(code) });
    const right = await jar.post(PATH, { code });
    expect([right.status, right.body.code]).toEqual([401, "invalid-code"]);
    target.clock.advance(2 * MINUTE);
    const before = target.outbox.messages.length;
    const dead = await jar.post(`${PATH}/send`);
    expect([dead.status, dead.headers["retry-after"]]).toEqual([429, "180"]);
    expect(target.outbox.messages).toHaveLength(before);
    target.clock.advance(3 * MINUTE);
    expect((await jar.post(PATH, { code: await codeFor(jar) })).status).toBe(200);
  });

  test("is one login's own: another neither answers it, nor burns it, nor replaces it", async () => {
    const target = emailApp();
    const mine = await waitingForCode(target);
    const code = await codeFor(mine);
    target.clock.advance(MINUTE);
    const theirs = await waitingAgain(target);
    expect((await theirs.post(PATH, { code })).status).toBe(401);
    const other = await codeFor(theirs);
    for (let tries = 0; tries < 5; tries += 1) await theirs.post(PATH, { code: otherThan(other) });
    expect((await theirs.post(PATH, { code: other })).status).toBe(401);
    if (code !== other) expect((await mine.post(PATH, { code: other })).status).toBe(401);
    expect((await mine.post(PATH, { code })).status).toBe(200);
  });

  test("of setting up proves nothing at a login", async () => {
    const target = emailApp();
    const { jar } = await withDestination(target);
    target.clock.advance(MINUTE);
    await jar.post(`${PATH}/enroll`, { address: "alice@work.test" });
    expect((await jar.post(PATH, { code: target.outbox.code })).status).toBe(401);
  });

  test("guessed at counts for all codes together: ten in a quarter of an hour", async () => {
    const target = emailApp();
    const jar = await waitingForCode(target);
    const start = target.clock();
    const first = await codeFor(jar);
    for (let tries = 0; tries < 5; tries += 1) await jar.post(PATH, { code: otherThan(first) });
    target.clock.advance(5 * MINUTE);
    const second = await codeFor(jar);
    for (let tries = 0; tries < 4; tries += 1) await jar.post(PATH, { code: otherThan(second) });
    expect((await jar.post(PATH, { code: otherThan(second) })).status).toBe(401);
    target.clock.advance(5 * MINUTE - 1);
    const again = await waitingAgain(target);
    const third = await codeFor(again);
    const refused = await again.post(PATH, { code: third });
    expect([refused.status, refused.headers["retry-after"]]).toEqual([
      429,
      String(Math.ceil((start + 15 * MINUTE - target.clock()) / 1_000)),
    ]);
  });

  test("guessed at where none is open counts there alone, and closes no factor", async () => {
    const target = emailApp();
    const jar = await waitingForCode(target);
    for (let tries = 0; tries < 10; tries += 1) expect((await jar.post(PATH, { code: "123456" })).status).toBe(401);
    expect((await jar.post(PATH, { code: "123456" })).status).toBe(429);
    expect(await wrongAnswers(target)).toBe(0);
    target.clock.advance(15 * MINUTE);
    const again = await waitingAgain(target);
    await again.post(PATH, { code: otherThan(await codeFor(again)) });
    expect(await wrongAnswers(target)).toBe(1);
  });

  test.each([[["123456"]], [123456], ["12345"], ["1234567"], ["１２３４５６"], [null], [{}]])(
    "cannot be %j: that counts nothing",
    async (code) => {
      const target = emailApp();
      const jar = await waitingForCode(target);
      const right = await codeFor(jar);
      for (let tries = 0; tries < 12; tries += 1) expect((await jar.post(PATH, { code })).status).toBe(400);
      expect((await jar.post(PATH, { code: right })).status).toBe(200);
    },
  );

  test("given thirty times at once opens one login step, once", async () => {
    const target = emailApp();
    const jar = await waitingForCode(target);
    const code = await codeFor(jar);
    const answers = await Promise.all(Array.from({ length: 30 }, () => jar.post(PATH, { code })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const proofs = target.events.filter(
      ({ action, method }) => action === "factor-verified" && method === "email-code",
    );
    expect(proofs).toHaveLength(1);
  });

  test("guessed at thirty times at once gets five answers, and the right one is dead then", async () => {
    const target = emailApp(new Outbox(), { options: { limits: { allCodes: { limit: 1_000, window: "15m" } } } });
    const jar = await waitingForCode(target);
    const code = await codeFor(jar);
    await Promise.all(Array.from({ length: 30 }, () => jar.post(PATH, { code: otherThan(code) })));
    expect(await wrongAnswers(target)).toBe(5);
    expect((await jar.post(PATH, { code })).status).toBe(401);
  });

  test("is none of the application's own to verify: it belongs to the login that asked", async () => {
    const target = emailApp();
    const jar = await waitingForCode(target);
    const code = await codeFor(jar);
    const given = await target.mfa.accounts.verify("u1", { method: "email-code", code });
    expect(given).toEqual({ ok: false, code: "invalid-code" });
    expect((await jar.post(PATH, { code })).status).toBe(200);
  });

  test("goes to the address that was used last, and to the one that is named", async () => {
    const target = emailApp();
    const { jar, factorId } = await withDestination(target);
    target.clock.advance(MINUTE);
    await addDestination(jar, { address: "alice@work.test" });
    target.clock.advance(60 * MINUTE);
    const again = await waitingAgain(target);
    await codeFor(again);
    expect(target.outbox.last.to).toEqual({ address: "alice@work.test" });
    target.clock.advance(MINUTE);
    expect((await again.post(`${PATH}/send`, { factorId })).status).toBe(202);
    expect(target.outbox.last.to).toEqual({ address: ADDRESS });
    expect((await again.post(PATH, { code: target.outbox.code })).status).toBe(200);
  });

  test("is taken by the strategy of its name", async () => {
    const outbox = new Outbox();
    const target = emailApp(outbox, {
      options: { exempt: ["/login", "/logout", "/otp"] },
      routes(app, mfa, authenticator) {
        authenticator.use(mfa.strategy("email-code"));
        app.post("/otp", authenticator.authenticate("email-code"), guarded);
      },
    });
    const jar = await waitingForCode(target);
    const code = await codeFor(jar);
    expect((await jar.post("/otp", { code: otherThan(code) })).status).toBe(401);
    expect((await jar.post("/otp", { code })).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
  });

  test("that was sent works on while the keys rotate, and nothing stays under the old key", async () => {
    const [outbox, store] = [new Outbox(), memoryStore()];
    const before = emailApp(outbox, { store });
    const jar = await waitingForCode(before);
    const code = await codeFor(jar);
    const keys = `new:${randomBytes(32).toString("base64")},${TEST_KEYS}`;
    const { clock, sessionStore } = before;
    const after = emailApp(outbox, { clock, sessionStore, store, options: { keys } });
    const report = await after.mfa.rotateKeys();
    expect([report.left, report.unreadable]).toEqual([{}, 0]);
    const moved = copyOf(jar, undefined, after);
    expect((await moved.post(PATH, { code })).status).toBe(200);
  });

  test("and its address stand in no row of the store, no event, no error and no answer", async () => {
    const target = emailApp(new Outbox(), {}, undefined);
    const answers: string[] = [];
    const jar = new Jar(target);
    await jar.login("alice");
    const begun = await jar.post(`${PATH}/enroll`, { address: ADDRESS });
    const { factorId } = begun.body as { factorId: string };
    answers.push(begun.text);
    answers.push((await jar.post(`${PATH}/enroll/confirm`, { factorId, code: "000000" })).text);
    answers.push((await jar.post(`${PATH}/enroll/confirm`, { factorId, code: target.outbox.code })).text);
    target.clock.advance(61 * MINUTE);
    const again = await waitingAgain(target);
    answers.push((await again.post(`${PATH}/send`)).text, (await again.page("/2fa")).text);
    target.clock.advance(MINUTE);
    target.outbox.fault = REJECTS;
    answers.push((await again.post(`${PATH}/send`)).text);
    const rows: string[] = [];
    for await (const key of target.store.list?.("account") ?? [])
      rows.push(key, (await target.store.read(key))?.value ?? "");
    for await (const key of target.store.list?.("sent") ?? [])
      rows.push(key, (await target.store.read(key))?.value ?? "");
    target.outbox.fault = undefined;
    answers.push((await again.post(PATH, { code: target.outbox.code })).text, (await again.get("/2fa/settings")).text);
    const kept = [...rows, ...answers, JSON.stringify(target.events), JSON.stringify(target.errors)].join("\n");
    expect(rows).toHaveLength(4);
    for (const secret of [ADDRESS, "alice@", ...target.outbox.messages.map(({ code }) => code)])
      expect(kept.includes(secret)).toBe(false);
    expect(kept).toContain(MASKED);
  });
});

describe("the mail", () => {
  test("says the code, whose it is, how long it works and that nobody may have it; its subject says no code", async () => {
    const target = emailApp();
    const jar = await waitingForCode(target);
    await codeFor(jar);
    const { code, expiresAt, html, locale, purpose, subject, text, to } = target.outbox.last;
    expect({ expiresAt, locale, purpose, to }).toEqual({
      expiresAt: new Date(target.clock() + 5 * MINUTE).toISOString(),
      locale: "en",
      purpose: "login",
      to: { address: ADDRESS },
    });
    for (const body of [text, html]) {
      expect(body).toContain(code);
      expect(body).toContain("Acme");
      expect(body).toContain("5 minutes");
      expect(body).toContain("Never pass it on");
    }
    expect(subject).toBe("Your code for Acme");
    expect(html).not.toMatch(/<(a|img|script|link)\b|https?:/i);
  });

  test("to confirm an address says that, and not that somebody signs in", async () => {
    const target = emailApp();
    await withDestination(target);
    expect(target.outbox.last).toMatchObject({ purpose: "enroll", subject: "Confirm your address for Acme" });
    expect(target.outbox.last.text).not.toContain("sign in to Acme");
  });

  test("is in the words and the language of its reader", async () => {
    const german = {
      methods: { "email-code": { message: { subject: (issuer: string) => `Ihr Code für ${issuer}` } } },
    };
    const options: Partial<SecondFactorOptions<TestUser>> = {
      user: { locale: () => "de-CH" },
      pages: { messages: () => german },
    };
    const target = emailApp(new Outbox(), { options });
    await codeFor(await waitingForCode(target));
    expect(target.outbox.last).toMatchObject({ locale: "de-CH", subject: "Ihr Code für Acme" });
  });

  test.each([
    ["de_AT", "de-AT"],
    ["zh-Hant-TW", "zh-Hant-TW"],
    ["de\r\nBcc: mallory@evil.test", "en"],
    ['de"><script>', "en"],
    ["d".repeat(5_000), "en"],
    ["", "en"],
  ])("names a language, whatever a profile says: %j", async (written, locale) => {
    const target = emailApp(new Outbox(), { options: { user: { locale: () => written } } });
    await withDestination(target);
    expect(target.outbox.last.locale).toBe(locale);
    expect(target.outbox.last.html).toContain(`<html lang="${locale}">`);
  });

  test("is HTML in which names stay names", async () => {
    const target = emailApp(new Outbox(), { options: { issuer: "A<b>cme & Co" } });
    await withDestination(target);
    expect(target.outbox.last.html).toContain("A&lt;b&gt;cme &amp; Co");
  });
});

describe("an address that the application has verified", () => {
  test("is a factor without a code from there", async () => {
    const target = emailApp();
    const verifiedAt = new Date(target.clock() - MINUTE);
    const factor = await target.mfa.accounts.enrollEmail("u1", { address: ADDRESS, verifiedAt, actor: "migration" });
    expect(factor).toMatchObject({ type: "email-code", hint: MASKED, label: "E-mail" });
    expect(target.outbox.messages).toEqual([]);
    expect(target.events).toMatchObject([{ action: "factor-imported", method: "email-code", actor: "migration" }]);
    const jar = await waitingAgain(target);
    expect((await jar.post(PATH, { code: await codeFor(jar) })).status).toBe(200);
  });

  test.each([0, "2020-02-01T00:00:00Z", "2020-02-01", new Date(0)])("at %p is taken", async (verifiedAt) => {
    const { mfa } = emailApp();
    expect(await mfa.accounts.enrollEmail("u1", { address: ADDRESS, verifiedAt })).toMatchObject({ hint: MASKED });
  });

  test.each([undefined, null, true, "", "yesterday", "7", Number.NaN, new Date("x"), [0]])(
    "at %p is not: it was never verified",
    async (verifiedAt) => {
      const { mfa } = emailApp();
      const given = { address: ADDRESS, verifiedAt } as unknown as { address: string; verifiedAt: number };
      await expect(mfa.accounts.enrollEmail("u1", given)).rejects.toThrow(TypeError);
      expect(await mfa.accounts.factors("u1")).toEqual([]);
    },
  );

  test("in time to come, that is none, or that is there already is not taken", async () => {
    const { clock, mfa } = emailApp();
    const enroll = (address: string, verifiedAt: number) => mfa.accounts.enrollEmail("u1", { address, verifiedAt });
    await expect(enroll(ADDRESS, clock() + 2 * MINUTE)).rejects.toThrow("lies ahead");
    await expect(enroll("Ann <ann@acme.test>", clock())).rejects.toThrow("not one e-mail address");
    await enroll(ADDRESS, clock());
    await expect(enroll(ADDRESS.toUpperCase(), clock())).rejects.toThrow("already");
    await expect(mfa.accounts.enrollPhone("u1", { phone: "+491512345678", verifiedAt: clock() })).rejects.toThrow(
      "not among the configured methods",
    );
  });
});

describe("emailCode()", () => {
  test("names everything that is wrong with its options", () => {
    const wrong = { sned: 1, timeout: "40s" } as unknown as Parameters<typeof emailCode>[0];
    try {
      emailCode(wrong);
      throw new Error("It was taken");
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigurationError);
      expect((error as ConfigurationError).problems).toEqual([
        'emailCode: sned: there is no such option; did you mean "send"?',
        "emailCode: send: required: a function that takes mails with codes over, such as mailSender({ transport, from }) of express-second-factor/mail; while developing: consoleSender()",
        'emailCode: timeout: write a time up to 30 seconds, such as "10s"',
      ]);
    }
    expect(() => emailCode(undefined as unknown as Parameters<typeof emailCode>[0])).toThrow(ConfigurationError);
  });

  test("has no place in the strict preset", async () => {
    const outbox = new Outbox();
    const methods = [emailCode({ send: outbox.send }), totp()];
    const target = testApp({ options: { preset: "strict", methods, origin: ORIGIN } });
    const jar = new Jar(target);
    await jar.login("alice");
    expect((await jar.post(`${PATH}/enroll`, { address: ADDRESS })).status).toBe(404);
  });

  test("waits ten seconds for its sender, where nothing else is said", async () => {
    const outbox = new Outbox();
    outbox.fault = HANGS;
    expect(emailCode({ send: outbox.send }).send?.timeout).toBe(10_000);
  });

  test("is worth one level and no more", () => {
    const { aal, amr, isRestricted, phishingResistant, stepsUp } = emailCode({ send: async () => undefined });
    expect({ aal, amr, isRestricted, phishingResistant, stepsUp }).toEqual({
      aal: 1,
      amr: ["email"],
      isRestricted: true,
      phishingResistant: false,
      stepsUp: false,
    });
  });
});
