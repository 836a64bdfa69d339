import { describe, expect, test } from "@jest/globals";
import { CHANGES, desk, DESK, give, passed, type, typed } from "../help-desk/stage.js";
import { HOUR, MINUTE, storedAccount, storedFactors } from "../support/attack.js";
import { full, Jar, pending } from "../support/browser.js";

const WRONG = "0000-0000-0000-0000";

describe("B16 guessing what the help desk gave out", () => {
  test("B16 twenty wrong passes, then the right one: refused with 429 from the eleventh on, taken after the wait", async () => {
    const { target } = await desk();
    const { code } = await give(target);
    const jar = await pending(target, "alice");
    const statuses: number[] = [];
    for (let guess = 0; guess < 20; guess += 1) statuses.push((await type(jar, WRONG)).status);
    expect(statuses).toEqual([...Array<number>(10).fill(401), ...Array<number>(10).fill(429)]);
    const refused = await type(jar, code);
    expect([refused.status, Number(refused.headers["retry-after"]) > 0]).toEqual([429, true]);
    target.clock.advance(15 * MINUTE);
    expect((await typed(target, code)).answer.status).toBe(200);
  });

  test("B16 whether there is a pass to guess at all is not to be told from the answers", async () => {
    const answers = [];
    for (const isGiven of [true, false]) {
      const { target } = await desk();
      if (isGiven) await give(target);
      const { answer } = await typed(target, WRONG);
      answers.push([answer.status, answer.body]);
    }
    expect(answers[0]).toEqual(answers[1]);
  });

  test("B16 a caller's number is guessed at three times", async () => {
    const { phone, target } = await desk();
    const { callerCheck } = target.mfa.accounts;
    await callerCheck.begin("u1", DESK);
    const { number } = (await (await full(target, "alice", phone)).post("/2fa/caller-check")).body as {
      number: string;
    };
    const guesses = Array.from({ length: 20 }, (_none, index) => String((Number(number) + index + 1) % 1e6));
    const verdicts = [];
    for (const guess of [...guesses, number])
      verdicts.push(await callerCheck.verify("u1", guess.padStart(6, "0"), DESK));
    expect(verdicts).toEqual(Array(21).fill(false));
  });
});

describe("B22 a pass of another type", () => {
  test.each([
    ["missing", {}],
    ["null", { code: null }],
    ["true", { code: true }],
    ["an empty text", { code: "" }],
    ["a number", { code: 1234567890123456 }],
    ["an empty list", { code: [] }],
    ["a list with the right one", "list"],
    ["an object", { code: { $ne: null } }],
    ["an object with a length", { code: { length: 16 } }],
    ["a text that is too long", { code: "0".repeat(2_000) }],
  ])("B22 %s is 400, counts nothing and uses nothing up", async (_what, given) => {
    const { target } = await desk();
    const { code } = await give(target);
    const jar = await pending(target, "alice");
    const before = await storedAccount(target, "alice");
    const body = given === "list" ? { code: [code, "x"] } : (given as object);
    const answer = await jar.post("/2fa/temporary-pass", body);
    expect([answer.status, answer.body.code]).toEqual([400, "invalid-request"]);
    expect(await storedAccount(target, "alice")).toBe(before);
    expect((await typed(target, code)).answer.status).toBe(200);
  });

  test.each([[undefined], [null], [["000000"]], [{ length: 6 }], [0]])(
    "B22 a caller's number that is %j is wrong, and no try",
    async (given) => {
      const { phone, target } = await desk();
      const { callerCheck } = target.mfa.accounts;
      await callerCheck.begin("u1", DESK);
      const jar = await full(target, "alice", phone);
      const { number } = (await jar.post("/2fa/caller-check")).body as { number: string };
      for (let time = 0; time < 5; time += 1) expect(await callerCheck.verify("u1", given as never, DESK)).toBe(false);
      expect(await callerCheck.verify("u1", number, DESK)).toBe(true);
    },
  );
});

describe("B25 changing what protects an account without a fresh proof", () => {
  test("B25 a login by a pass changes nothing but that something is added", async () => {
    const { factorId, target } = await desk();
    const jar = await passed(target);
    const before = await storedFactors(target, "alice");
    const ids = [`/2fa/factors/${factorId}/remove`, `/2fa/factors/${factorId}/rename`];
    for (const path of [...CHANGES, ...ids]) {
      const refused = await jar.post(path, { label: "renamed" });
      expect([path, refused.status, refused.body.code]).toEqual([path, 401, "step-up-required"]);
    }
    expect(await storedFactors(target, "alice")).toEqual(before);
  });

  test("B25 an hour later it adds nothing, either, and the caller's number is not shown", async () => {
    const { phone, target } = await desk();
    const [byPass, byPhone] = [await passed(target), await full(target, "alice", phone)];
    target.clock.advance(HOUR);
    expect((await byPass.post("/2fa/totp/enroll")).body.code).toBe("step-up-required");
    await target.mfa.accounts.callerCheck.begin("u1", DESK);
    for (const jar of [byPass, byPhone])
      expect((await jar.post("/2fa/caller-check")).body.code).toBe("step-up-required");
  });
});

describe("B28 a pass read after it was given out", () => {
  test("B28 no answer below /2fa, no event, no export and no row holds it, its digest or its key", async () => {
    const { phone, target } = await desk();
    const { code } = await give(target, { uses: 2 });
    const record = JSON.parse((await storedAccount(target, "alice"))!) as {
      passes: { secret: { key: string; digest: string } }[];
    };
    const { digest, key } = record.passes[0]!.secret;
    const bare = code.replaceAll("-", "");
    const jar = (await typed(target, code)).jar;
    const shown = [JSON.stringify([target.events, await target.mfa.accounts.export("u1")])];
    for (const asked of [jar, await full(target, "alice", phone), await pending(target, "alice"), new Jar(target)]) {
      for (const path of ["/2fa", "/2fa/settings", "/2fa/temporary-pass"])
        shown.push((await asked.get(path)).text, (await asked.page(path)).text);
    }
    for (const needle of [code, bare, digest, key]) expect(shown.filter((text) => text.includes(needle))).toEqual([]);
    expect(await storedAccount(target, "alice")).not.toContain(bare);
  });
});
