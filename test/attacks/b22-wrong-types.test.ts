import { describe, expect, test } from "@jest/globals";
import express from "express";
import { parseAtLoginOnly, testApp, type TestApp } from "../support/app.js";
import { type Enrolled, enrolled, Jar, pending } from "../support/browser.js";
import { harmless, wrongCodes } from "../support/attack.js";
import { PROOF_ROUTES } from "../support/routes.js";

const READERS = {
  "the application has read the body": [express.json({ limit: "20mb" }), express.urlencoded({ extended: true })],
  "nobody has read the body": parseAtLoginOnly,
};

const EVERY_CODE = Array.from({ length: 1_000_000 }, (_none, index) => String(index).padStart(6, "0"));

function wrongTypes(right: string): unknown[] {
  return [
    undefined,
    "",
    " ",
    null,
    true,
    false,
    [],
    [right],
    [right, "x"],
    [[right]],
    {},
    { $ne: null },
    { $gt: "" },
    { length: 6 },
    { toString: right },
    Number(right),
    -1,
    1e6,
    `${right}0`,
    right.slice(1),
    `${right}\u0000`,
    right.replace(/./, "\u0661"),
    "x".repeat(2_000),
  ];
}

/** Zero attempts were counted: the limit is five, four more wrong ones are answered as wrong, and the right one opens. */
async function expectNothingCounted(target: TestApp, jar: Jar, { phone }: Enrolled): Promise<void> {
  for (const code of wrongCodes(4, phone, target.clock())) {
    expect((await jar.verify(code)).status).toBe(401);
  }
  expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
  expect(await jar.isIn()).toBe(true);
}

describe.each(Object.entries(READERS))("B22 a code of another type, where %s", (_name, parsers) => {
  test("B22 values that are no text of a code are 400, count nothing and open nothing", async () => {
    const target = testApp({ parsers });
    const factor = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    const right = factor.phone.code(target.clock());
    for (const code of wrongTypes(right)) {
      for (const path of PROOF_ROUTES) {
        const answer = harmless(await jar.post(path, { code }));
        expect([path, code, answer.status, answer.body.code]).toEqual([path, code, 400, "invalid-request"]);
      }
      expect(await jar.isIn()).toBe(false);
    }
    await expectNothingCounted(target, jar, factor);
  });

  test("B22 a form with the code repeated, or as a list or an object, is 400", async () => {
    const target = testApp({ parsers });
    const factor = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    const right = factor.phone.code(target.clock());
    for (const form of [
      `code=${right}&code=000000`,
      `code=000000&code=${right}`,
      `code[]=${right}`,
      `code[0]=${right}`,
      `code[$ne]=`,
      "code",
      "",
    ]) {
      const answer = harmless(await jar.post("/2fa/totp", form).type("form").set("Sec-Fetch-Site", "same-origin"));
      expect([form, answer.status, answer.body.code]).toEqual([form, 400, "invalid-request"]);
      expect(await jar.isIn()).toBe(false);
    }
    await expectNothingCounted(target, jar, factor);
  });

  test("B22 all million codes in one request are one refused request", async () => {
    const target = testApp({ parsers });
    const factor = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    const answer = harmless(await jar.post("/2fa/totp", { code: EVERY_CODE }));
    expect([400, 413]).toContain(answer.status);
    expect(["invalid-request", "too-large"]).toContain(answer.body.code);
    expect(await jar.isIn()).toBe(false);
    await expectNothingCounted(target, jar, factor);
  });

  test("B22 a code of ten megabytes is refused", async () => {
    const target = testApp({ parsers });
    const factor = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    for (const path of PROOF_ROUTES) {
      const answer = harmless(await jar.post(path, { code: "1".repeat(10_000_000) }));
      expect([400, 413]).toContain(answer.status);
      expect(answer.type).toBe("application/problem+json");
    }
    expect(await jar.isIn()).toBe(false);
    await expectNothingCounted(target, jar, factor);
  });
});
