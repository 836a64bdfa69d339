import { describe, expect, test } from "@jest/globals";
import { copyOf, distantStore, expectDenied, HOUR, MINUTE, MODES, send, told, twoServers } from "../support/attack.js";
import { Jar, pending } from "../support/browser.js";
import {
  answered,
  CODE_TYPES,
  codeApp,
  codeMethods,
  CodeOutbox,
  guesses,
  inOutbox,
  KINDS,
  sentTo,
  withCodes,
} from "../support/sent-codes.js";

/** Wrong answers of an account that are answered as such: `allCodes`. */
const BUDGET = 10;

const FORGED = ["X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP", "True-Client-IP"];

describe.each(CODE_TYPES)("guessing codes of %s", (type) => {
  const { base, destinationOf, member } = KINDS[type];

  test.each(MODES)(
    "B16 twenty wrong codes of one login: locked by the tenth, and the right one is refused then (%s)",
    async (mode) => {
      const target = codeApp();
      await withCodes(target, type, "alice");
      const jar = await pending(target, "alice");
      const code = await sentTo(jar, type);
      const statuses: number[] = [];
      for (const wrong of guesses(20, [code])) {
        const answer = await send(jar, mode, base, { code: wrong });
        statuses.push(answer.status);
        if (answer.status === 429) expect(answer.headers["retry-after"]).toMatch(/^[1-9][0-9]*$/);
      }
      expect(statuses).toEqual([...Array<number>(BUDGET).fill(401), ...Array<number>(20 - BUDGET).fill(429)]);
      expect((await send(jar as Jar, mode, base, { code })).status).toBe(429);
      await expectDenied(jar);
      target.clock.advance(15 * MINUTE);
      const later = await pending(target, "alice");
      expect(await answered(later, type, await sentTo(later, type))).toBe(200);
    },
  );

  test("B16 of one code five guesses are compared; what comes after is in no try of another login's", async () => {
    const target = codeApp();
    await withCodes(target, type, "alice");
    const jar = await pending(target, "alice");
    const code = await sentTo(jar, type);
    for (const wrong of guesses(6, [code])) expect(await answered(jar, type, wrong)).toBe(401);
    target.clock.advance(MINUTE);
    const other = await pending(target, "alice");
    expect(await answered(other, type, await sentTo(other, type))).toBe(200);
  });

  test("B17 two hundred different guesses in one tick over two servers, the right one among them: none gets in beyond the tries", async () => {
    const outbox = new CodeOutbox();
    const pair = twoServers({ store: distantStore().store, options: { methods: codeMethods(outbox) } });
    const [one, two] = [inOutbox(outbox, pair[0]), inOutbox(outbox, pair[1])];
    await withCodes(one, type, "alice");
    const jar = await pending(one, "alice");
    const code = await sentTo(jar, type);
    const wrong = guesses(199, [code]);
    const all = [...wrong.slice(0, 149), code, ...wrong.slice(149)];
    const copies = all.map((_guess, index) => copyOf(jar as Jar, undefined, index % 2 === 0 ? one : two));
    const answers = await Promise.all(copies.map((copy, index) => copy.post(base, { code: all[index] })));
    const compared = answers.filter(({ status }) => status === 401 || status === 200);
    expect(compared.length).toBeLessThanOrEqual(BUDGET + 1);
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
    expect(told("factor-failed", one, two)).toBeLessThanOrEqual(BUDGET);
    const right = answers.filter(({ status }) => status === 200).length;
    // In one of five tries it may be right, as it would be one after another; in none of the others.
    expect(answers[149]!.status === 200).toBe(right === 1);
  });

  test("B18 four wrong codes, a new login, four more: the account's budget is the same whatever the browser, the login and the code", async () => {
    const target = codeApp();
    await withCodes(target, type, "alice");
    const statuses: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      const jar = await pending(target, "alice");
      const sent = await jar.post(`${base}/send`);
      const known = sent.status === 202 ? [target.outbox.last.code] : [];
      for (const wrong of guesses(4, known)) statuses.push(await answered(jar, type, wrong));
      target.clock.advance(61_000);
    }
    expect(statuses.filter((status) => status === 401)).toHaveLength(BUDGET);
    expect(statuses.slice(BUDGET)).toEqual(Array<number>(40 - BUDGET).fill(429));
  });

  test("B18 neither a new code, a new enrollment nor another kind of code brings guesses back", async () => {
    const target = codeApp();
    await withCodes(target, type, "alice");
    const jar = await pending(target, "alice");
    const code = await sentTo(jar, type);
    for (const wrong of guesses(BUDGET, [code])) await answered(jar, type, wrong);
    target.clock.advance(5 * MINUTE);
    const next = await sentTo(jar, type);
    expect(await answered(jar, type, next)).toBe(429);
    expect((await jar.post("/2fa/backup-code", { code: "CCCC-CCCC-CCCC-CCCC" })).status).toBe(429);
    for (const other of CODE_TYPES) expect(await answered(jar, other, next)).not.toBe(200);
    await expectDenied(jar);
  });

  test.each([false, 1, true])(
    "B19 a hundred guesses, each from another invented address, with trust proxy %s: locked as ever",
    async (trust) => {
      const target = codeApp({
        before: (app) => void app.set("trust proxy", trust),
        options: { limits: { address: { limit: 1_000, window: "15m" } } },
      });
      await withCodes(target, type, "alice");
      const jar = await pending(target, "alice");
      const code = await sentTo(jar, type);
      const statuses: number[] = [];
      for (const [index, wrong] of guesses(100, [code]).entries()) {
        const forged = Object.fromEntries(FORGED.map((name) => [name, `203.0.${index}.${index + 1}`]));
        statuses.push((await jar.post(base, { code: wrong }).set(forged)).status);
      }
      expect(statuses).toEqual([...Array<number>(BUDGET).fill(401), ...Array<number>(100 - BUDGET).fill(429)]);
      expect((await jar.post(base, { code }).set("X-Forwarded-For", "203.0.113.77")).status).toBe(429);
      await expectDenied(jar);
    },
  );

  test("B19 an invented address sends no more messages either", async () => {
    const target = codeApp({ before: (app) => void app.set("trust proxy", true) });
    await withCodes(target, type, "alice");
    const jar = await pending(target, "alice");
    for (let index = 0; index < 50; index += 1) {
      await jar.post(`${base}/send`).set("X-Forwarded-For", `203.0.113.${index}`);
    }
    expect(target.outbox.messages).toHaveLength(1);
  });

  test("B20 twenty wrong codes where a full login has to prove something again: 429, nothing rises, nothing changes", async () => {
    const target = codeApp();
    await withCodes(target, type, "alice");
    const jar = await pending(target, "alice");
    expect(await answered(jar, type, await sentTo(jar, type))).toBe(200);
    target.clock.advance(HOUR);
    const code = await sentTo(jar, type);
    const statuses: number[] = [];
    for (const wrong of guesses(20, [code])) statuses.push(await answered(jar, type, wrong));
    expect(statuses).toEqual([...Array<number>(BUDGET).fill(401), ...Array<number>(20 - BUDGET).fill(429)]);
    expect(await answered(jar, type, code)).toBe(429);
    expect((await jar.post("/2fa/disable")).status).toBe(401);
    expect(await target.mfa.accounts.factors("u1")).toHaveLength(1);
    expect(told("step-up", target)).toBe(0);
  });

  test("B20 twenty wrong codes at the proof of an enrollment: 429, none is enrolled, and a new enrollment brings no guesses", async () => {
    const target = codeApp();
    const jar = new Jar(target);
    await jar.login("carol");
    const begin = async (destination: string): Promise<string> =>
      ((await jar.post(`${base}/enroll`, { [member]: destination })).body as { factorId: string }).factorId;
    const factorId = await begin(destinationOf("carol"));
    const { code } = target.outbox.last;
    const statuses: number[] = [];
    for (const wrong of guesses(20, [code])) {
      statuses.push((await jar.post(`${base}/enroll/confirm`, { factorId, code: wrong })).status);
    }
    expect(statuses).toEqual([...Array<number>(BUDGET).fill(401), ...Array<number>(20 - BUDGET).fill(429)]);
    expect((await jar.post(`${base}/enroll/confirm`, { factorId, code })).status).toBe(429);
    target.clock.advance(MINUTE);
    const next = await begin(destinationOf("dave"));
    const answer = await jar.post(`${base}/enroll/confirm`, { factorId: next, code: target.outbox.last.code });
    expect(answer.status).toBe(429);
    expect(await target.mfa.accounts.factors("u3")).toEqual([]);
  });

  test("B20 an enrollment that is not this login's cannot be guessed at, nor have its code sent", async () => {
    const target = codeApp();
    await withCodes(target, type, "alice");
    const owner = await pending(target, "alice");
    await answered(owner, type, await sentTo(owner, type));
    target.clock.advance(2 * MINUTE);
    const begun = await owner.post(`${base}/enroll`, { [member]: destinationOf("dave") });
    expect(begun.status).toBe(202);
    const { factorId } = begun.body as { factorId: string };
    const { code } = target.outbox.last;
    const foreign = [await pending(target, "alice"), new Jar(target)];
    await foreign[1]!.login("mallory");
    target.outbox.taken();
    target.clock.advance(2 * MINUTE);
    for (const jar of foreign) {
      const guess = await jar.post(`${base}/enroll/confirm`, { factorId, code });
      expect([401, 403, 404]).toContain(guess.status);
      expect([401, 404]).toContain((await jar.post(`${base}/send`, { factorId })).status);
    }
    expect(target.outbox.messages).toEqual([]);
    expect(await target.mfa.accounts.factors("u1")).toHaveLength(1);
  });

  test("B20 a factor that was guessed at fifty times in a row is closed, and nothing is sent for it", async () => {
    const target = codeApp({ options: { limits: { allCodes: { limit: 1_000, window: "15m" } } } });
    await withCodes(target, type, "alice");
    await addTotp(target);
    for (let round = 0; round < 10; round += 1) {
      target.clock.advance(31 * MINUTE);
      const jar = await pending(target, "alice");
      const code = await sentTo(jar, type);
      for (const wrong of guesses(5, [code])) await answered(jar, type, wrong);
    }
    target.outbox.taken();
    target.clock.advance(HOUR);
    const closed = await (await pending(target, "alice")).post(`${base}/send`);
    expect([closed.status, closed.headers["retry-after"]]).toEqual([429, undefined]);
    expect(target.outbox.messages).toEqual([]);
  });

  async function addTotp(target: ReturnType<typeof codeApp>): Promise<void> {
    const jar = await pending(target, "alice");
    await answered(jar, type, await sentTo(jar, type));
    await jar.enroll();
    await jar.post("/logout");
  }
});
