import { describe, expect, test } from "@jest/globals";
import { expectDenied, MINUTE } from "../support/attack.js";
import { Jar, pending } from "../support/browser.js";
import {
  addCodes,
  answered,
  CODE_TYPES,
  codeApp,
  type CodeApp,
  type CodeType,
  guesses,
  KINDS,
  sentTo,
  withCodes,
} from "../support/sent-codes.js";

const LIFE = 5 * MINUTE;

async function waiting(type: CodeType): Promise<{ readonly target: CodeApp; readonly jar: Jar<CodeApp> }> {
  const target = codeApp();
  await withCodes(target, type, "alice");
  return { target, jar: await pending(target, "alice") };
}

describe.each(CODE_TYPES)("codes of %s that outlive their time", (type) => {
  test("B15 a code is dead five minutes after it was made, to the millisecond", async () => {
    for (const [after, status] of [
      [LIFE - 1, 200],
      [LIFE, 401],
      [LIFE + 1_000, 401],
    ] as const) {
      const { target, jar } = await waiting(type);
      const code = await sentTo(jar, type);
      target.clock.advance(after);
      expect([after, await answered(jar, type, code), await jar.isIn()]).toEqual([after, status, status === 200]);
    }
  });

  test("B15 asked for again within its life it is the same code, and lives no longer", async () => {
    const { target, jar } = await waiting(type);
    const first = await sentTo(jar, type);
    const { expiresAt } = target.outbox.last;
    for (const after of [MINUTE, 3 * MINUTE]) {
      target.clock.advance(after);
      expect(await sentTo(jar, type)).toBe(first);
      expect(target.outbox.last.expiresAt).toBe(expiresAt);
    }
    target.clock.advance(MINUTE);
    expect(await answered(jar, type, first)).toBe(401);
    await expectDenied(jar);
  });

  test("B15 the code after it is another one: the old one is refused, the new one taken, and once only", async () => {
    const { target, jar } = await waiting(type);
    const first = await sentTo(jar, type);
    target.clock.advance(LIFE);
    const second = await sentTo(jar, type);
    expect(second).not.toBe(first);
    expect(await answered(jar, type, first)).toBe(401);
    expect(await answered(jar, type, second)).toBe(200);
    expect(await jar.isIn()).toBe(true);
    expect(await answered(jar, type, second)).toBe(401);
  });

  test("B15 five wrong answers lock a code: the right one is refused as any wrong one, and none is sent in its life", async () => {
    const { target, jar } = await waiting(type);
    const code = await sentTo(jar, type);
    for (const wrong of guesses(5, [code])) expect(await answered(jar, type, wrong)).toBe(401);
    target.outbox.taken();
    target.clock.advance(2 * MINUTE);
    const again = await jar.post(`${KINDS[type].base}/send`);
    expect([again.status, again.headers["retry-after"]]).toEqual([429, "180"]);
    expect(target.outbox.messages).toEqual([]);
    const locked = await jar.post(KINDS[type].base, { code });
    expect([locked.status, locked.body.code]).toEqual([401, "invalid-code"]);
    await expectDenied(jar);
    target.clock.advance(3 * MINUTE);
    expect(await sentTo(jar, type)).not.toBe(code);
  });

  test("B15 asking for it again brings no tries back", async () => {
    const { target, jar } = await waiting(type);
    const code = await sentTo(jar, type);
    const wrong = guesses(5, [code]);
    for (const each of wrong.slice(0, 4)) await answered(jar, type, each);
    target.clock.advance(MINUTE);
    expect(await sentTo(jar, type)).toBe(code);
    expect(await answered(jar, type, wrong[4])).toBe(401);
    expect(await answered(jar, type, code)).toBe(401);
    await expectDenied(jar);
  });

  test("B15 each login has its own code: one login's opens no other, replaces none and burns none", async () => {
    const { target, jar } = await waiting(type);
    const [own, other] = [jar, await pending(target, "alice")];
    const first = await sentTo(own, type);
    target.clock.advance(MINUTE);
    const second = await sentTo(other, type);
    expect(second).not.toBe(first);
    expect(await answered(other, type, first)).toBe(401);
    for (const wrong of guesses(4, [first, second])) await answered(other, type, wrong);
    expect(await answered(other, type, second)).toBe(401);
    await expectDenied(other);
    expect(await answered(own, type, first)).toBe(200);
  });

  test("B15 a code is none for another factor of the same owner, and none for another user", async () => {
    const target = codeApp();
    const factorId = await withCodes(target, type, "alice");
    await withCodes(target, type, "mallory");
    const jar = await pending(target, "alice");
    const code = await sentTo(jar, type, { factorId });
    const foreign = await pending(target, "mallory");
    expect(await answered(foreign, type, code)).toBe(401);
    target.clock.advance(MINUTE);
    await sentTo(foreign, type);
    expect(await answered(foreign, type, code)).toBe(401);
    await expectDenied(foreign);
    expect(await answered(jar, type, code)).toBe(200);
  });

  test("B15 the code that proved a destination neither logs in nor steps up, and a login's proves no destination", async () => {
    const target = codeApp();
    const enrolling = new Jar(target);
    await enrolling.login("alice");
    await addCodes(enrolling, type, KINDS[type].destinationOf("alice"));
    const proof = target.outbox.last.code;
    expect(await answered(enrolling, type, proof)).toBe(401);
    const jar = await pending(target, "alice");
    expect(await answered(jar, type, proof)).toBe(401);
    await expectDenied(jar);

    target.clock.advance(MINUTE);
    const login = await sentTo(enrolling, type);
    target.clock.advance(MINUTE);
    const { base, member } = KINDS[type];
    const begun = await enrolling.post(`${base}/enroll`, { [member]: KINDS[type].destinationOf("dave") });
    expect(begun.status).toBe(202);
    const { factorId } = begun.body as { factorId: string };
    if (target.outbox.last.code !== login) {
      expect((await enrolling.post(`${base}/enroll/confirm`, { factorId, code: login })).status).toBe(401);
    }
  });

  test("B15 an enrollment's code has the same life, the same tries, and is over with it", async () => {
    const target = codeApp();
    const jar = new Jar(target);
    await jar.login("alice");
    const { base, member } = KINDS[type];
    const begin = () => jar.post(`${base}/enroll`, { [member]: KINDS[type].destinationOf("alice") });
    const { factorId } = (await begin()).body as { factorId: string };
    const { code } = target.outbox.last;
    target.clock.advance(LIFE);
    const late = await jar.post(`${base}/enroll/confirm`, { factorId, code });
    expect([late.status, late.body.code]).toEqual([401, "invalid-code"]);
    expect((await begin()).body.factorId).toBe(factorId);
    const next = target.outbox.last.code;
    for (const wrong of guesses(5, [code, next])) {
      expect((await jar.post(`${base}/enroll/confirm`, { factorId, code: wrong })).status).toBe(401);
    }
    expect((await jar.post(`${base}/enroll/confirm`, { factorId, code: next })).status).toBe(401);
    target.clock.advance(LIFE);
    const over = await jar.post(`${base}/enroll/confirm`, { factorId, code: next });
    expect([401, 410]).toContain(over.status);
    expect(await target.mfa.accounts.factors("u1")).toEqual([]);
  });
});
