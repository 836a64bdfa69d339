import { describe, expect, test } from "@jest/globals";
import { backupCodes, ConfigurationError, passkeys, type SecondFactorOptions, totp } from "express-second-factor";
import { testApp, type TestUser } from "../support/app.js";
import { Jar } from "../support/browser.js";
import type { Requirement } from "./stage.js";

type Options = Partial<SecondFactorOptions<TestUser>>;

const noPasskeys: Options = { methods: [totp(), backupCodes()] };

function problemsOf(requirement: unknown, options: Options = {}): readonly string[] {
  const { mfa } = testApp({ options });
  try {
    mfa.require(requirement as Requirement);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}

describe("mfa.require() is refused at start", () => {
  test.each<readonly [string, unknown, Options, RegExp]>([
    ["phishing resistance without passkeys", { phishingResistant: true }, noPasskeys, /nobody could ever pass/],
    ["a method that is not configured", { methods: ["passkey"] }, noPasskeys, /"passkey" is not among/],
    ["a method that is misspelt", { methods: ["otp"] }, {}, /"otp" is not among .*; did you mean "totp"\?/],
    ["a method by another name", { methods: ["passkeys"] }, {}, /did you mean "passkey"\?/],
    ["no method at all", { methods: [] }, {}, /nobody could ever pass/],
    ["methods that are text", { methods: "totp" }, {}, /methods: "totp" is not a list such as \["totp"\]/],
    ["methods that are an object", { methods: { totp: true } }, {}, /methods: .* is not a list/],
    ["a method that is no name", { methods: [totp] }, {}, /is not the name of a method/],
    ["a method that is null", { methods: [null] }, {}, /methods: null is not the name/],
    ["TOTP that is phishing-resistant", { methods: ["totp"], phishingResistant: true }, {}, /nobody could ever pass/],
    ["a duration that is none", { maxAge: "soon" }, {}, /maxAge "soon" is not a duration/],
    ["a duration that is a number", { maxAge: 300 }, {}, /maxAge 300 is not a duration/],
    ["an age below zero", { maxAge: "-5m" }, {}, /not a duration/],
    ["an option that does not exist", { maxage: "5m" }, {}, /maxage: there is no such option; did you mean "maxAge"\?/],
    ["an option of no likeness", { colour: "red" }, {}, /there are maxAge, aal, methods, phishingResistant, bind/],
    ["a level that no method has", { aal: 3 }, { methods: [totp(), passkeys()] }, /nobody could ever pass/],
    ["a level between levels", { aal: 1.5 }, {}, /aal 1.5 is no level/],
    ["a level that is text", { aal: "2" }, {}, /aal "2" is no level/],
    ["a level that is no number", { aal: NaN }, {}, /is no level/],
    [
      "phishing resistance by text",
      { phishingResistant: "yes" },
      {},
      /phishingResistant: "yes" is neither true nor false/,
    ],
    ["a bind that is text", { bind: "amount" }, {}, /bind: "amount" is not a function such as \(req\) =>/],
    ["a bind that is nothing", { bind: null }, {}, /bind: null is not a function/],
    ["text", "5m", {}, /"5m" is not an object of options/],
    ["null", null, {}, /null is not an object/],
    ["a list", ["totp"], {}, /is not an object/],
    ["a bigint", 5n, {}, /5n is not an object/],
  ])("with %s", (_says, requirement, options, message) => {
    const problems = problemsOf(requirement, options);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(message);
    expect(problems[0]).toMatch(/^mfa\.require/);
  });

  test("with everything that is wrong, at once", () => {
    const problems = problemsOf({
      maxage: 5,
      maxAge: 5,
      aal: 1.5,
      methods: ["topt", 7],
      phishingResistant: 1,
      bind: {},
    });
    expect(problems.map((each) => /maxage|maxAge|aal|topt|7|phishing|bind/.exec(each)?.[0])).toEqual([
      "maxage",
      "maxAge",
      "aal",
      "phishing",
      "bind",
      "topt",
      "7",
    ]);
  });

  test("in the place of the middleware that it makes", async () => {
    const target = testApp({
      routes(app, { require }) {
        app.get("/guarded", require as never);
      },
    });
    const answer = await new Jar(target).get("/guarded");
    expect([answer.status, answer.body.message]).toEqual([
      500,
      expect.stringMatching(/makes a middleware and is none/),
    ]);
  });
});

test.each<readonly [string, unknown]>([
  ["nothing", undefined],
  ["no option", {}],
  ["options left undefined", { maxAge: undefined, aal: undefined, methods: undefined, bind: undefined }],
  ["all of them", { maxAge: "5m", aal: 2, methods: ["passkey"], phishingResistant: true, bind: () => "Pay" }],
  ["phishing resistance that is not asked for", { phishingResistant: false }],
])("mfa.require() is taken with %s", (_says, requirement) => {
  expect(problemsOf(requirement)).toEqual([]);
});
