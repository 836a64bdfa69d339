import { describe, expect, test } from "@jest/globals";
import express from "express";
import { parseAtLoginOnly } from "../support/app.js";
import { harmless } from "../support/attack.js";
import { Jar, pending } from "../support/browser.js";
import {
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

const READERS = {
  "the application has read the body": [express.json({ limit: "20mb" }), express.urlencoded({ extended: true })],
  "nobody has read the body": parseAtLoginOnly,
};

function wrongTypes(right: string): unknown[] {
  return [
    ...[undefined, "", " ", null, true, false, [], {}, -1, 1e6, Number(right)],
    ...[[right], [right, "x"], [[right]], { $ne: null }, { $gt: "" }, { length: 6 }, { toString: right }],
    ...[`${right}0`, right.slice(1), `${right}\u0000`, right.replace(/./, "\u0661"), "x".repeat(2_000)],
    right.replace(/[0-9]/g, (digit) => String.fromCharCode(0xff10 + Number(digit))),
  ];
}

/** Zero attempts were counted: the code's five tries are left. */
async function expectNothingCounted(jar: Jar<CodeApp>, type: CodeType, code: string): Promise<void> {
  for (const wrong of guesses(4, [code])) expect(await answered(jar, type, wrong)).toBe(401);
  expect(await answered(jar, type, code)).toBe(200);
  expect(await jar.isIn()).toBe(true);
}

/** What is no destination of either kind. */
function noDestinations(right: string): unknown[] {
  return [
    ...["", " ", null, true, 7, [], {}, [right], [[right]], { [right]: right }, { $ne: null }, { address: right }],
    ...["x".repeat(2_000), `${right}\r\n${right}`, `${right},${right}`, `${right}\u0000`, `${right} ext 5`],
  ];
}

describe.each(CODE_TYPES)("what is no text, in the requests of %s", (type) => {
  const { base, destinationOf, member } = KINDS[type];

  describe.each(Object.entries(READERS))("where %s", (_name, parsers) => {
    test("B22 a code of another type is 400, counts nothing and opens nothing", async () => {
      const target = codeApp({ parsers });
      await withCodes(target, type, "alice");
      const jar = await pending(target, "alice");
      const right = await sentTo(jar, type);
      for (const code of wrongTypes(right)) {
        const answer = harmless(await jar.post(base, { code }));
        expect([code, answer.status, answer.body.code]).toEqual([code, 400, "invalid-request"]);
      }
      for (const form of [
        `code=${right}&code=000000`,
        `code[]=${right}`,
        `code[0]=${right}`,
        `code[$ne]=`,
        "code",
        "",
      ]) {
        const answer = harmless(await jar.post(base, form).type("form").set("Sec-Fetch-Site", "same-origin"));
        expect([form, answer.status]).toEqual([form, 400]);
      }
      const long = harmless(await jar.post(base, { code: "1".repeat(10_000_000) }));
      expect([400, 413]).toContain(long.status);
      await expectNothingCounted(jar, type, right);
    });

    test("B22 a destination of another type is 400, and nothing is sent or counted", async () => {
      // Where none is given the application's own is taken: here it knows none.
      const target = codeApp({ parsers, options: { user: { email: () => undefined, phone: () => undefined } } });
      const jar = new Jar(target);
      await jar.login("alice");
      for (const destination of noDestinations(destinationOf("alice"))) {
        const answer = harmless(await jar.post(`${base}/enroll`, { [member]: destination }));
        expect([destination, answer.status, answer.body.code]).toEqual([destination, 400, "invalid-request"]);
      }
      for (const form of [`${member}[]=x`, `${member}[x]=${destinationOf("alice")}`]) {
        const answer = harmless(
          await jar.post(`${base}/enroll`, form).type("form").set("Sec-Fetch-Site", "same-origin"),
        );
        expect([form, answer.status]).toEqual([form, 400]);
      }
      expect(target.outbox.messages).toEqual([]);
      expect((await jar.post(`${base}/enroll`, { [member]: destinationOf("alice") })).status).toBe(202);
      expect(target.outbox.messages).toHaveLength(1);
    });

    test("B22 all million codes in one request are one refused request", async () => {
      const target = codeApp({ parsers });
      await withCodes(target, type, "alice");
      const jar = await pending(target, "alice");
      const right = await sentTo(jar, type);
      const every = Array.from({ length: 1_000_000 }, (_none, index) => String(index).padStart(6, "0"));
      expect([400, 413]).toContain(harmless(await jar.post(base, { code: every })).status);
      await expectNothingCounted(jar, type, right);
    });
  });

  test("B22 ids of another type are 400 wherever one is taken", async () => {
    const target = codeApp();
    const factorId = await withCodes(target, type, "alice");
    const jar = await pending(target, "alice");
    const code = await sentTo(jar, type);
    await answered(jar, type, code);
    target.outbox.taken();
    for (const id of [[factorId], { id: factorId }, 7, true, "x".repeat(2_000)]) {
      const destination = { [member]: destinationOf("dave") };
      const answers = [
        await jar.post(`${base}/send`, { factorId: id }),
        await jar.post(`${base}/enroll/confirm`, { factorId: id, code }),
        await jar.post(`${base}/enroll`, { ...destination, replaces: id }),
      ];
      expect([id, answers.map(({ status }) => status === 400 || status === 404)]).toEqual([id, [true, true, true]]);
    }
    expect(target.outbox.messages).toEqual([]);
  });
});
