import { describe, expect, test } from "@jest/globals";
import type { SecondFactorOptions } from "express-second-factor";
import {
  copyOf,
  countIn,
  distantStore,
  expectDenied,
  HOUR,
  MINUTE,
  MODES,
  send,
  told,
  twoServers,
} from "../support/attack.js";
import { Jar, pending } from "../support/browser.js";
import {
  answered,
  CODE_TYPES,
  codeApp,
  type CodeApp,
  codeMethods,
  CodeOutbox,
  type CodeType,
  guesses,
  inOutbox,
  KINDS,
  sentTo,
  withCodes,
} from "../support/sent-codes.js";

const WIDTH = 30;

/** Two servers over one distant store, and a user whose codes arrive in one place. */
async function servers(type: CodeType, limits: SecondFactorOptions["limits"] = {}) {
  const outbox = new CodeOutbox();
  const { store, lost } = distantStore();
  const pair = twoServers({ store, options: { methods: codeMethods(outbox), limits } });
  const [one, two] = [inOutbox(outbox, pair[0]), inOutbox(outbox, pair[1])];
  await withCodes(one, type, "alice");
  return { one, two, lost };
}

const UNLIMITED = {
  allCodes: { limit: 10_000, window: "15m" },
  address: { limit: 10_000, window: "15m" },
} as const;

/** The same login at the other server. */
function at(target: CodeApp, jar: Jar<CodeApp>): Jar<CodeApp> {
  return copyOf(jar, undefined, target) as Jar<CodeApp>;
}

describe.each(CODE_TYPES)("a code of %s used twice", (type) => {
  const { base } = KINDS[type];

  test.each(MODES)("B10 a code is refused to the next login, at the other server too (%s)", async (mode) => {
    const { one, two } = await servers(type);
    const first = await pending(one, "alice");
    const code = await sentTo(first, type);
    expect([200, 303]).toContain((await send(first, mode, base, { code })).status);
    expect(await first.isIn()).toBe(true);
    for (const server of [one, two]) {
      const second = await pending(server, "alice");
      expect((await send(second as Jar, mode, base, { code })).status).toBe(401);
      await expectDenied(second);
    }
    expect(await first.isIn()).toBe(true);
  });

  test("B10 a code that logged in does not step up in the same login, and does nothing at the other server", async () => {
    const { one, two } = await servers(type);
    const jar = await pending(one, "alice");
    const code = await sentTo(jar, type);
    expect(await answered(jar, type, code)).toBe(200);
    expect(await answered(jar, type, code)).toBe(401);
    expect(await answered(at(two, jar), type, code)).toBe(401);
    expect(told("step-up", one, two)).toBe(0);
  });

  test("B10, B12 a code is the same code however it is written, used once and for all", async () => {
    const target = codeApp();
    await withCodes(target, type, "alice");
    const jar = await pending(target, "alice");
    const code = await sentTo(jar, type);
    expect(await answered(jar, type, ` ${code.slice(0, 3)}\u00a0${code.slice(3)}\n`)).toBe(200);
    for (const written of [code, Array.from(code).join("-"), `${code.slice(0, 2)} – ${code.slice(2)}`]) {
      expect(await answered(jar, type, written)).toBe(401);
      const other = await pending(target, "alice");
      expect(await answered(other, type, written)).toBe(401);
      await expectDenied(other);
    }
  });

  test("B10 the code the application itself checks is none of a login's", async () => {
    const target = codeApp();
    await withCodes(target, type, "alice");
    const jar = await pending(target, "alice");
    const code = await sentTo(jar, type);
    expect((await target.mfa.accounts.verify("u1", { method: type, code })).ok).toBe(false);
    expect(await answered(jar, type, code)).toBe(200);
    expect((await target.mfa.accounts.verify("u1", { method: type, code })).ok).toBe(false);
  });

  test("B11 a used code lives no second time: not later in its life, not after the next one, nor when a clock is set back", async () => {
    const target = codeApp({ options: { limits: UNLIMITED } });
    await withCodes(target, type, "alice");
    const jar = await pending(target, "alice");
    const used = await sentTo(jar, type);
    expect(await answered(jar, type, used)).toBe(200);
    for (const seconds of [31, 28, 2, 29, 150, 60, 1]) {
      target.clock.advance(seconds * 1_000);
      expect([seconds, await answered(jar, type, used)]).toEqual([seconds, 401]);
    }
    const next = await sentTo(jar, type);
    expect(next).not.toBe(used);
    expect(await answered(jar, type, used)).toBe(401);
    target.clock.advance(-4 * MINUTE);
    const other = await pending(target, "alice");
    expect(await answered(other, type, used)).toBe(401);
    await expectDenied(other);
  });

  test("B12 a code that was locked, or ran out, is refused in any spelling as a wrong one is: no word tells them apart", async () => {
    const target = codeApp({ options: { limits: UNLIMITED } });
    await withCodes(target, type, "alice");
    const bodies: string[] = [];
    const jar = await pending(target, "alice");
    const code = await sentTo(jar, type);
    const refused = async (given: string) => {
      const answer = await jar.post(base, { code: given });
      expect([answer.status, answer.headers["retry-after"]]).toEqual([401, undefined]);
      bodies.push(answer.text);
    };
    for (const wrong of guesses(5, [code])) await refused(wrong);
    await refused(code);
    await refused(`${code.slice(0, 3)} ${code.slice(3)}`);
    target.clock.advance(5 * MINUTE);
    await refused(code);
    expect(new Set(bodies).size).toBe(1);
    await expectDenied(jar);
  });
});

describe.each(CODE_TYPES)("thirty simultaneous uses of one code of %s", (type) => {
  const { base, destinationOf, member } = KINDS[type];

  test.each(MODES)("B13 thirty copies of its login, half at each of two servers: one gets in (%s)", async (mode) => {
    const { one, two, lost } = await servers(type, UNLIMITED);
    const jar = await pending(one, "alice");
    const code = await sentTo(jar, type);
    const copies = Array.from({ length: WIDTH }, (_none, index) => at(index % 2 === 0 ? one : two, jar));
    const answers = await Promise.all(copies.map((copy) => send(copy as Jar, mode, base, { code })));
    expect(answers.filter(({ status }) => status === 200 || status === 303)).toHaveLength(1);
    expect(await countIn(copies as Jar[])).toBe(1);
    expect(told("factor-verified", one, two)).toBe(1);
    expect(lost()).toBeGreaterThan(0);
  });

  test("B13 thirty logins send the code of one: that one gets in, and no other's code is burnt", async () => {
    const { one, two } = await servers(type, UNLIMITED);
    const owner = await pending(one, "alice");
    const code = await sentTo(owner, type);
    const logins = Array.from({ length: WIDTH - 1 }, (_none, index) => pending(index % 2 === 0 ? two : one, "alice"));
    const others = await Promise.all(logins);
    const answers = await Promise.all([owner, ...others].map((jar) => jar.post(base, { code })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array<number>(WIDTH - 1).fill(401)]);
    expect(await countIn(others as Jar[])).toBe(0);
    expect(await owner.isIn()).toBe(true);
  });

  test("B13 the right code among twenty-nine wrong ones in one tick is compared within its five tries, or not at all", async () => {
    const { one, two } = await servers(type, UNLIMITED);
    const jar = await pending(one, "alice");
    const code = await sentTo(jar, type);
    const guessed = guesses(WIDTH - 1, [code]);
    const all = [...guessed.slice(0, 15), code, ...guessed.slice(15)];
    const copies = all.map((_code, index) => at(index % 2 === 0 ? one : two, jar));
    const answers = await Promise.all(copies.map((copy, index) => copy.post(base, { code: all[index] })));
    const right = answers.filter(({ status }) => status === 200).length;
    expect(right).toBeLessThanOrEqual(1);
    expect(await countIn(copies as Jar[])).toBe(right);
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
  });

  test("B13 thirty confirmations of one enrollment make one factor and show one set of backup codes", async () => {
    const outbox = new CodeOutbox();
    const target = codeApp(
      { store: distantStore().store, options: { methods: codeMethods(outbox), limits: UNLIMITED } },
      outbox,
    );
    const jar = new Jar(target);
    await jar.login("carol");
    const { factorId } = (await jar.post(`${base}/enroll`, { [member]: destinationOf("carol") })).body as {
      factorId: string;
    };
    const { code } = outbox.last;
    const copies = Array.from({ length: WIDTH }, () => at(target, jar));
    const path = `${base}/enroll/confirm`;
    const answers = await Promise.all(copies.map((copy) => copy.post(path, { factorId, code })));
    const done = answers.filter(({ status }) => status === 201);
    expect(done.map(({ body }) => (body as { backupCodes: string[] }).backupCodes.length)).toEqual([10]);
    expect(await target.mfa.accounts.factors("u3")).toHaveLength(1);
  });

  test("B13 thirty logins that ask for a code in thirty minutes have thirty codes, each of its own", async () => {
    const limit = { limit: 1_000, window: "1h" } as const;
    const name = type === "sms-code" ? "sms" : "email";
    const { one } = await servers(type, {
      ...UNLIMITED,
      [`${name}Send`]: limit,
      [`${name}Destination`]: limit,
      [`${name}Cooldown`]: { limit: 1_000, window: "1s" },
    });
    one.clock.advance(HOUR);
    const jars = await Promise.all(Array.from({ length: WIDTH }, () => pending(one, "alice")));
    const asked = await Promise.all(jars.map((jar) => jar.post(`${base}/send`)));
    expect(asked.filter(({ status }) => status === 202)).toHaveLength(WIDTH);
    const codes = new Set(one.outbox.messages.map(({ code }) => code));
    expect(codes.size).toBeGreaterThan(WIDTH - 3);
  });
});
