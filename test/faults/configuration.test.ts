import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import express, { type ErrorRequestHandler, type RequestHandler } from "express";
import session from "express-session";
import passport from "passport";
import { Strategy as LocalStrategy } from "passport-local";
import supertest from "supertest";
import {
  backupCodes,
  ConfigurationError,
  memoryStore,
  passkeys,
  secondFactor,
  type SecondFactorOptions,
  totp,
} from "express-second-factor";
import { CANARY, ORIGIN, testApp, type TestUser, USERS } from "../support/app.js";
import { enrolled, pending } from "../support/browser.js";
import { createTables, removeExpired, sqlStore } from "express-second-factor/sql";
import { redisStore } from "express-second-factor/redis";
import { Kysely, SqliteDialect } from "kysely";
import { faultyKeys, faultyStore } from "../support/faults.js";

const KEY = randomBytes(32).toString("base64");
const OTHER_KEY = randomBytes(32).toString("base64");
const RIGHT = { issuer: "Acme", origin: ORIGIN, keys: `2026-11:${KEY}` };
const PRODUCTION = {
  ...RIGHT,
  origin: "https://acme.test",
  store: memoryStore({ production: true }),
  notify: async () => undefined,
};

let environment: string | undefined;
/** Their codes. */
let warnings: string[];
let messages: string[];

beforeEach(() => {
  environment = process.env["NODE_ENV"];
  [warnings, messages] = [[], []];
  jest.spyOn(process, "emitWarning").mockImplementation(((warning: string | Error, options?: { code?: string }) => {
    warnings.push(options?.code ?? String(warning));
    messages.push(String(warning));
  }) as typeof process.emitWarning);
});

afterEach(() => {
  process.env["NODE_ENV"] = environment;
  jest.restoreAllMocks();
});

/** What is wrong with these options, as the one error says it; an empty list where they are accepted. */
function problemsOf(options: unknown): readonly string[] {
  try {
    secondFactor(options as SecondFactorOptions);
    return [];
  } catch (error) {
    // Anything but the one error names no option and no mend.
    if (!(error instanceof ConfigurationError)) return [`${(error as Error).name}, which names nothing`];
    for (const problem of error.problems) expect(error.message).toContain(problem);
    return error.problems;
  }
}

/** Option values nobody can mean, and what the one error must say of each. */
const BAD: readonly (readonly [options: Record<string, unknown>, says: RegExp])[] = [
  [{ issuer: undefined }, /^issuer: required.*"Acme"/],
  [{ issuer: " " }, /^issuer: required/],
  [{ issuer: 7 }, /^issuer: required/],
  [{ issuer: "Acme: Shop" }, /^issuer: .*colon/],
  [{ origin: undefined }, /^origin: required.*https:\/\//],
  [{ origin: [] }, /^origin: required/],
  [{ origin: "acme.test" }, /^origin: "acme.test" is not an origin such as/],
  [{ origin: "https://acme.test/" }, /^origin: write "https:\/\/acme.test\/" as "https:\/\/acme.test"/],
  [{ origin: "https://acme.test/app" }, /^origin: write/],
  [{ origin: "https://*.acme.test" }, /^origin: /],
  [{ origin: "https://ACME.test" }, /^origin: write/],
  [{ origin: "http://acme.test" }, /^origin: "http:\/\/acme.test" must begin with https:\/\//],
  [{ origin: "http://localhost.evil.test:3000" }, /^origin: .* must begin with https/],
  [{ origin: "ftp://acme.test" }, /^origin: /],
  [{ origin: "null" }, /^origin: /],
  [{ origin: 7 }, /^origin: 7 is not an origin/],
  [{ origin: null }, /^origin: null is not an origin/],
  [{ origin: ["https://acme.test", "acme.test"] }, /^origin: "acme.test"/],
  [{ keys: "2026-11" }, /^keys: .*base64/],
  [{ keys: `:${KEY}` }, /^keys: .*id/],
  [{ keys: `a b:${KEY}` }, /^keys: .*id/],
  [{ keys: "2026-11:not base64!" }, /^keys: the key "2026-11" is not base64/],
  [
    { keys: `2026-11:${randomBytes(16).toString("base64")}` },
    /^keys: .* has 16 bytes; it needs 32.*npx express-second-factor new-key/,
  ],
  [{ keys: `2026-11:${Buffer.alloc(32).toString("base64")}` }, /^keys: .*example/],
  [{ keys: `2026-11:${Buffer.alloc(32, "change me").toString("base64")}` }, /^keys: .*example/],
  [{ keys: `2026-11:${Buffer.from([...Array(32).keys()]).toString("base64")}` }, /^keys: .*example/],
  [{ keys: `a:${KEY},a:${OTHER_KEY}` }, /^keys: a key id appears twice/],
  [{ keys: `a:${KEY},b:${KEY}` }, /^keys: the same key appears twice/],
  [{ keys: { ...faultyKeys(), mac: undefined } }, /^keys: the key provider has no mac\(\) function/],
  [{ keys: undefined, store: faultyStore() }, /^keys: required with a store that outlives the process.*new-key/],
  [{ keys: 7 }, /^keys: /],
  [{ keys: null }, /^keys: /],
  [{ keys: [`2026-11:${KEY}`] }, /^keys: /],
  [{ store: "memory" }, /^store: not a store; pass memoryStore\(\)/],
  [{ store: null }, /^store: /],
  [{ store: memoryStore }, /^store: /],
  [{ store: { read: async () => undefined } }, /^store: has no write\(\), remove\(\);/],
  [{ methods: [] }, /^methods: give at least one, for example/],
  [{ methods: "totp" }, /^methods: /],
  [{ methods: [totp(), "totp"] }, /^methods: "totp" is not a method; give what totp\(\)/],
  [{ methods: [totp(), { ...totp(), page: undefined }] }, /^methods: the method "totp" has no page$/],
  [
    { methods: [{ ...totp(), verify: undefined, present: 1 }] },
    /^methods: the method "totp" has no present\(\), no verify\(\)$/,
  ],
  [{ methods: [{ ...totp(), type: undefined }] }, /^methods: one of them has no type$/],
  [{ methods: [totp] }, /^methods: call each one: totp\(\), not totp/],
  [{ methods: [totp(), totp()] }, /^methods: "totp" appears twice; each type is one row$/],
  [{ methods: [backupCodes()] }, /^methods: backup codes need another/],
  [{ methods: [totp(), undefined] }, /^methods: undefined is not a method/],
  [
    { methods: [{ type: "totp" }] },
    /^methods: the method "totp" has no limits, no present\(\), no verify\(\), no page$/,
  ],
  [{ policy: "mandatory" }, /^policy: give "required"/],
  [{ policy: null }, /^policy: /],
  [{ policy: true }, /^policy: /],
  [{ policy: { trustedNetworks: ["10.0.0.0/33"] } }, /^policy.trustedNetworks: "10.0.0.0\/33" is not a CIDR range/],
  [{ policy: { trustedNetworks: ["10.0.0.1"] } }, /^policy.trustedNetworks: /],
  [{ policy: { trustedNetworks: 7 } }, /^policy.trustedNetworks: /],
  [{ policy: { require: true, graceUntil: "soon" } }, /^policy.graceUntil: not a date/],
  [{ policy: { required: true } }, /^policy.required: .*require/],
  [{ policy: { require: "everyone" } }, /^policy.require: /],
  [{ policy: { evaluate: "required" } }, /^policy.evaluate: /],
  [{ trustedDevices: { maxAge: "a month" } }, /^trustedDevices.maxAge: "a month" is not a duration such as "15m"/],
  [{ trustedDevices: { maxAge: 30 } }, /^trustedDevices.maxAge: 30 is not a duration/],
  [{ trustedDevices: { maxAge: "500d" } }, /^trustedDevices.maxAge: /],
  [{ trustedDevices: { maxPerUser: 0 } }, /^trustedDevices.maxPerUser: must be a whole number from 1/],
  [{ trustedDevices: { maxPerUser: 1.5 } }, /^trustedDevices.maxPerUser: /],
  [{ trustedDevices: { maxage: "7d" } }, /^trustedDevices.maxage: .*maxAge/],
  [{ trustedDevices: "7d" }, /^trustedDevices: /],
  [{ trustedDevices: true }, /^trustedDevices: /],
  [{ storeTimeout: "2" }, /^storeTimeout: /],
  [{ storeTimeout: "0s" }, /^storeTimeout: "0s" is not a duration/],
  [{ storeTimeout: "-5s" }, /^storeTimeout: /],
  [{ storeTimeout: "" }, /^storeTimeout: /],
  [{ storeTimeout: 2000 }, /^storeTimeout: 2000 is not a duration/],
  [{ storeTimeout: null }, /^storeTimeout: /],
  [{ limits: { totpp: { limit: 5, window: "15m" } } }, /^limits.totpp: there is no such option; did you mean "totp"/],
  [{ limits: { totp: 5 } }, /^limits.totp: write \{ limit: 5, window: "15m" \}/],
  [{ limits: { totp: { limit: 0, window: "15m" } } }, /^limits.totp.limit: must be a whole number from 1/],
  [{ limits: { totp: { limit: Infinity, window: "15m" } } }, /^limits.totp.limit: /],
  [{ limits: { totp: { limit: "5", window: "15m" } } }, /^limits.totp.limit: /],
  [{ limits: { totp: { limit: 5 } } }, /^limits.totp.window: required, for example "15m"$/],
  [{ limits: { totp: { window: "15m" } } }, /^limits.totp.limit: required, a whole number from 1$/],
  [{ limits: { totp: { limit: 5, window: null } } }, /^limits.totp.window: null is not a duration/],
  [
    { limits: { y: { limit: 5, window: "15m" } } },
    /^limits.y: there is no such option; there are allCodes, recovery, address, totp/,
  ],
  [
    { methods: [totp()], limits: { backupCode: { limit: 5, window: "15m" } } },
    /^limits.backupCode: comes with the method "backup-code", which is not among the methods$/,
  ],
  [{ limits: { totp: { limit: 5, window: "ever" } } }, /^limits.totp.window: "ever" is not a duration/],
  [{ limits: 5 }, /^limits: /],
  [{ user: { id: "uuid" } }, /^user.id: /],
  [{ user: "email" }, /^user: /],
  [{ user: { uid: () => "1" } }, /^user.uid: /],
  [{ notify: "mail" }, /^notify: must be a function/],
  [{ verifyPassword: true }, /^verifyPassword: must be a function/],
  [{ clock: 7 }, /^clock: must be a function/],
  [{ path: "2fa" }, /^path: must begin with one slash, for example "\/2fa"/],
  [{ path: "/" }, /^path: /],
  [{ path: "//evil.test" }, /^path: /],
  [{ path: "/2fa?x" }, /^path: /],
  [{ path: "/2fa/:id" }, /^path: /],
  [{ path: "/2fa/*" }, /^path: /],
  [{ path: "/{2fa}" }, /^path: /],
  [{ path: "/(2fa)" }, /^path: /],
  [{ path: "/\\evil.test" }, /^path: /],
  [{ path: 7 }, /^path: /],
  [{ loginPath: "login" }, /^loginPath: must begin with one slash/],
  [{ loginPath: "https://evil.test" }, /^loginPath: /],
  [{ loginPath: "//evil.test" }, /^loginPath: /],
  [{ loginPath: "/\\evil.test" }, /^loginPath: /],
  [{ publicPath: "crm" }, /^publicPath: must begin with one slash/],
  [{ publicPath: "https://acme.example/crm" }, /^publicPath: /],
  [{ publicPath: "//evil.test" }, /^publicPath: /],
  [{ publicPath: "/:tenant" }, /^publicPath: /],
  [{ publicPath: () => "/crm" }, /^publicPath: /],
  [{ homePath: "home" }, /^homePath: must begin with one slash/],
  [{ homePath: "https://evil.test/" }, /^homePath: .*listed origins/],
  [{ homePath: "//evil.test" }, /^homePath: /],
  [{ homePath: "/..//evil.test" }, /^homePath: /],
  [{ homePath: 5 }, /^homePath: /],
  [{ publicpath: "/crm" }, /^publicpath: .*did you mean "publicPath"/],
  [
    { pages: { contentSecurityPolicy: { "font-source": "x" } } },
    /^pages.contentSecurityPolicy.*did you mean "font-src"/,
  ],
  [{ exempt: "/login" }, /^exempt: a list of exact paths/],
  [{ exempt: ["login"] }, /^exempt: /],
  [{ exempt: ["/public/*"] }, /^exempt: /],
  [{ exempt: [/login/] }, /^exempt: /],
  [{ preset: "strictest" }, /^preset: only "strict" is known/],
  [{ enforce: false }, /^enforce: true or "report"/],
  [{ enforce: "Report" }, /^enforce: /],
  [{ pages: "off" }, /^pages: /],
  [{ pages: null }, /^pages: /],
  [{ pages: { layout: "<html>" } }, /^pages.layout: /],
  [{ pages: { layouts: () => "" } }, /^pages.layouts: .*layout/],
  [{ trustedDevice: false }, /^trustedDevice: there is no such option; did you mean "trustedDevices"/],
  [{ Issuer: "Acme" }, /^Issuer: .*"issuer"/],
  [{ polcy: "required" }, /^polcy: .*"policy"/],
  [{ onLogin: true }, /^onLogin: must be a function/],
  [{ carry: { remember: true } }, /^carry: must be a function/],
  [{ policy: { requir: true } }, /^policy.requir: there is no such option; did you mean "require"\?/],
  [{ policy: { everyone: true } }, /^policy.everyone: there is no such option; there are require, graceUntil, /],
  [{ pages: { lang: 7 } }, /^pages.lang: a language such as "de"/],
  [{ pages: { lang: "" } }, /^pages.lang: /],
  [{ pages: { messages: "german" } }, /^pages.messages: an object of messages/],
  [{ pages: { messages: null } }, /^pages.messages: /],
  [{ pages: { mesages: {} } }, /^pages.mesages: .*did you mean "messages"\?/],
  [{ pages: { messages: { comon: {} } } }, /^pages.messages.comon is not a message; did you mean "common"\?/],
  [{ pages: { messages: { common: { cancle: "x" } } } }, /^pages.messages.common.cancle .*did you mean "cancel"\?/],
  [{ user: { nmae: () => "a" } }, /^user.nmae: there is no such option; did you mean "name"\?/],
  [{ limits: { address: { stor: {} } } }, /^limits.address.stor: .*did you mean "store"\?/],
  [{ limits: { totp: { limit: 5, window: "1m", windw: 1 } } }, /^limits.totp.windw: .*did you mean "window"\?/],
  [{ foo: 1 }, /^foo: there is no such option; there are issuer, origin, /],
];

describe("options nobody can mean", () => {
  test.each(BAD.map(([options, says]) => [print(options), options, says] as const))(
    "%s is named with its mend",
    (_name, options, says) => {
      const problems = problemsOf({ ...RIGHT, ...options });
      expect(problems).toEqual([expect.stringMatching(says)]);
    },
  );

  test.each([undefined, null, 7, "Acme", [], () => RIGHT])("%p instead of options is named", (options) => {
    expect(problemsOf(options)).toEqual([expect.stringMatching(/secondFactor\(\{ issuer, origin/)]);
  });

  test("all of them are in one error, each on a line of its own", () => {
    const bad = {
      issuer: "A:B",
      origin: ["acme.test", "http://acme.test"],
      keys: "x:y",
      store: {},
      methods: [],
      policy: "always",
      trustedDevices: { maxAge: "long" },
      storeTimeout: "never",
      limits: { totp: 5, codes: { limit: 1, window: "1m" } },
      path: "x",
      exempt: "x",
      notify: 1,
      preset: "x",
      enforce: 0,
      surprise: true,
    };
    const problems = problemsOf(bad);
    const names = [
      "issuer",
      "origin",
      "keys",
      "store",
      "methods",
      "policy",
      "trustedDevices.maxAge",
      "storeTimeout",
      "limits.totp",
      "limits.codes",
      "path",
      "exempt",
      "notify",
      "preset",
      "enforce",
      "surprise",
    ];
    for (const name of names)
      expect([name, problems.some((problem) => problem.startsWith(`${name}:`))]).toEqual([name, true]);
    expect(problems.length).toBe(names.length + 1);
  });

  test("no problem repeats a key", () => {
    const short = randomBytes(20).toString("base64");
    const all = [`a:${KEY},a:${OTHER_KEY}`, `a:${KEY},b:${KEY}`, `a b:${KEY}`, `a:${short}`, KEY].flatMap((keys) => [
      ...problemsOf({ ...RIGHT, keys }),
    ]);
    expect(all.length).toBeGreaterThanOrEqual(5);
    for (const secret of [KEY, OTHER_KEY, short]) expect(all.join("\n")).not.toContain(secret);
  });

  test.each([20, 3, -1, 0.5, NaN, "1", Infinity])(
    "a TOTP window of %p is refused before any code is checked with it",
    (window) => {
      expect(() => secondFactor({ ...RIGHT, methods: [totp({ window: window as never })] })).toThrow();
    },
  );

  test.each([0, 1, 7, 21, 1_000, 8.5, "10", NaN])("a set of %p backup codes is refused", (count) => {
    expect(() => secondFactor({ ...RIGHT, methods: [totp(), backupCodes({ count: count as never })] })).toThrow();
  });

  test.each([
    ["totp", () => totp({ digit: 8 } as never), "totp: digit: there is no such option; there are window"],
    [
      "backupCodes",
      () => backupCodes({ cont: 9 } as never),
      'backupCodes: cont: there is no such option; did you mean "count"?',
    ],
    [
      "passkeys",
      () => passkeys({ rpID: "a.test" } as never),
      'passkeys: rpID: there is no such option; did you mean "rpId"?',
    ],
  ])("an option that %s() does not have is named", (_name, make, says) => {
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(says);
  });

  const client = { sendCommand: async () => undefined, isOpen: true } as never;
  const db = new Kysely({ dialect: new SqliteDialect({ database: {} as never }) });
  const MAKERS: Readonly<Record<string, (options: never) => unknown>> = {
    totp,
    passkeys,
    backupCodes,
    memoryStore,
    redisStore: (options) => redisStore(client, options),
    sqlStore: (options) => sqlStore(db, options),
  };

  test.each(Object.entries(MAKERS))("options that are none are named by %s()", (name, make) => {
    for (const options of [null, [], "x", 7, () => ({})]) {
      expect(() => make(options as never)).toThrow(ConfigurationError);
      expect(() => make(options as never)).toThrow(`${name}: options are an object with any of`);
    }
  });

  test.each([
    [
      "memoryStore",
      { produktion: true },
      'memoryStore: produktion: there is no such option; did you mean "production"?',
    ],
    ["redisStore", { prefixx: "a" }, 'redisStore: prefixx: there is no such option; did you mean "prefix"?'],
    ["sqlStore", { tabel: "a" }, 'sqlStore: tabel: there is no such option; did you mean "table"?'],
    ["passkeys", { residentKey: "always" }, 'passkeys: residentKey must be "discouraged" or "preferred" or "required"'],
    ["passkeys", { userVerification: "discouraged" }, 'passkeys: userVerification must be "preferred" or "required"'],
    ["passkeys", { counterRegression: "ignore" }, 'passkeys: counterRegression must be "refuse" or "report"'],
    ["passkeys", { offer: "yes" }, "passkeys: offer must be true or false"],
    ["passkeys", { names: ["Acme"] }, "passkeys: names must be an object of names by AAGUID"],
  ])("%s(%p) is refused with its mend", (name, options, says) => {
    expect(() => MAKERS[name]!(options as never)).toThrow(ConfigurationError);
    expect(() => MAKERS[name]!(options as never)).toThrow(says);
  });

  test("tables are not created, and not tidied, under options that are none", async () => {
    await expect(createTables(db, { tabel: "a" } as never)).rejects.toThrow('did you mean "table"?');
    await expect(removeExpired(db, { clok: Date.now } as never)).rejects.toThrow('did you mean "clock"?');
    await expect(secondFactor(RIGHT).rotateKeys({ onprogress: 1 } as never)).rejects.toThrow(
      'did you mean "onProgress"?',
    );
  });

  test("every problem of keys says how one is made", () => {
    const short = randomBytes(20).toString("base64");
    for (const keys of [
      KEY,
      `a:${KEY},a:${OTHER_KEY}`,
      `a:${KEY},b:${KEY}`,
      `a b:${KEY}`,
      `a:${short}`,
      "a:?",
      7,
      [KEY],
    ]) {
      const problems = problemsOf({ ...RIGHT, keys });
      expect(problems.length).toBeGreaterThan(0);
      for (const problem of problems) expect(problem).toContain("npx express-second-factor new-key");
    }
  });

  test("limits are told of beside a method that is none", () => {
    const problems = problemsOf({ ...RIGHT, methods: [undefined], limits: { totp: 5 } });
    expect(problems).toEqual([expect.stringMatching(/^methods: /), expect.stringMatching(/^limits.totp: /)]);
  });

  test("a strategy of a method that is not configured is named", () => {
    const mfa = secondFactor({ ...RIGHT, methods: [totp()] });
    expect(() => mfa.strategy("backup-code")).toThrow(ConfigurationError);
    expect(() => mfa.strategy("passkey")).toThrow(/passkey/);
    expect(mfa.strategy("totp").name).toBe("totp");
  });

  test("what can be meant is accepted", () => {
    const good: Record<string, unknown>[] = [
      {},
      { origin: ["https://acme.test", "http://localhost:3000", "http://127.0.0.1"] },
      { origin: () => ["https://acme.test"] },
      { issuer: () => "Acme" },
      { keys: `b:${OTHER_KEY},a:${KEY}` },
      { keys: ` b:${OTHER_KEY} , a:${KEY} ` },
      { keys: faultyKeys() },
      { store: faultyStore() },
      { policy: { require: true, graceUntil: "2027-01-31", trustedNetworks: ["10.0.0.0/8", "fd00::/8"] } },
      { policy: () => "required" },
      { trustedDevices: false },
      { trustedDevices: { maxAge: "7d", maxPerUser: 1 } },
      { limits: { totp: { limit: 3, window: "1 h" } } },
      { path: "/account/2fa/" },
      { exempt: [] },
      { exempt: () => true },
      { pages: false },
      { preset: "strict", enforce: "report" },
      { methods: [totp({ window: 0 }), backupCodes({ count: 20 })] },
    ];
    for (const options of good)
      expect([print(options), problemsOf({ ...RIGHT, ...options })]).toEqual([print(options), []]);
  });
});

function print(options: Record<string, unknown>): string {
  return Object.entries(options)
    .map(
      ([name, value]) =>
        `${name}: ${value === undefined || typeof value === "function" ? typeof value : JSON.stringify(value)}`,
    )
    .join(", ")
    .replaceAll(KEY, "KEY")
    .replaceAll(OTHER_KEY, "OTHER-KEY")
    .slice(0, 80);
}

describe("production", () => {
  beforeEach(() => {
    process.env["NODE_ENV"] = "production";
  });

  test("starts with everything right, and has nothing to warn of", () => {
    expect(problemsOf(PRODUCTION)).toEqual([]);
    expect(problemsOf({ ...PRODUCTION, store: faultyStore() })).toEqual([]);
    expect(problemsOf({ ...PRODUCTION, keys: faultyKeys() })).toEqual([]);
    expect(warnings).toEqual([]);
  });

  test("demands keys, a store that remembers, and https, all in one error", () => {
    const problems = problemsOf({ issuer: "Acme", origin: ORIGIN });
    expect(problems).toEqual([
      expect.stringMatching(/^origin: .*production needs https/),
      expect.stringMatching(/^keys: required in production.*npx express-second-factor new-key/),
      expect.stringMatching(/^store: the memory store forgets everything/),
    ]);
  });

  test.each([
    ["an empty keys variable", { keys: "" }, /^keys: required in production/],
    ["a memory store nobody meant", { store: memoryStore() }, /^store: .*memoryStore\(\{ production: true \}\)/],
    ["no store", { store: undefined }, /^store: /],
    [
      "a development origin beside the right one",
      { origin: ["https://acme.test", "http://localhost:3000"] },
      /^origin: "http:\/\/localhost:3000" is for development/,
    ],
    ["an example key", { keys: `a:${Buffer.alloc(32, 1).toString("base64")}` }, /^keys: .*example/],
  ])("refuses %s", (_name, options, says) => {
    expect(problemsOf({ ...PRODUCTION, ...options })).toEqual([expect.stringMatching(says)]);
  });

  test("warns where nobody is told of changes, and starts", () => {
    expect(problemsOf({ ...PRODUCTION, notify: undefined })).toEqual([]);
    expect(warnings).toEqual(["SECOND_FACTOR_NO_NOTICES"]);
  });
});

test("development starts without keys and says what that means", () => {
  process.env["NODE_ENV"] = "development";
  expect(problemsOf({ issuer: "Acme", origin: ORIGIN })).toEqual([]);
  expect(warnings).toEqual(["SECOND_FACTOR_TEMPORARY_KEYS"]);
});

describe("a request from another origin than the configured one is refused, and", () => {
  test("while developing a warning names both origins, once", async () => {
    process.env["NODE_ENV"] = "development";
    const target = testApp();
    const jar = await pending(target, "alice");
    for (let count = 0; count < 2; count += 1) {
      const answer = await jar.post("/2fa/totp", { code: "000000" }).set("Origin", "http://localhost:3999");
      expect(answer.body.code).toBe("cross-site-request");
    }
    expect(warnings).toEqual(["SECOND_FACTOR_ORIGIN"]);
    expect(messages[0]).toContain(`"http://localhost:3999" was refused: the origin option is "${ORIGIN}"`);
  });

  test("production, where strangers decide what they send, says nothing", async () => {
    const target = testApp();
    const jar = await pending(target, "alice");
    process.env["NODE_ENV"] = "production";
    const answer = await jar.post("/2fa/totp", { code: "000000" }).set("Origin", "http://localhost:3999");
    expect([answer.body.code, warnings]).toEqual(["cross-site-request", []]);
  });
});

/** An application put together as `mount` says, with the error its handler is told. */
function application(
  mount: (parts: Record<"session" | "passport" | "mfa", RequestHandler>) => readonly RequestHandler[],
  users: readonly object[] = USERS,
) {
  const authenticator = new passport.Passport();
  const byName = (name: unknown): object | false => users.find((user) => (user as TestUser).name === name) ?? false;
  authenticator.serializeUser((user, done) => done(null, (user as TestUser).name));
  authenticator.deserializeUser((name, done) => done(null, byName(name)));
  authenticator.use(new LocalStrategy((name, _password, done) => done(null, byName(name))));
  const parts = {
    session: session({ secret: "test", resave: false, saveUninitialized: false }),
    passport: authenticator.session() as RequestHandler,
    mfa: secondFactor(RIGHT),
  };
  const errors: unknown[] = [];
  const app = express();
  app.use(express.json(), ...mount(parts));
  app.get(
    "/account",
    (req, res) => void res.status(req.isAuthenticated() ? 200 : 401).send(req.isAuthenticated() ? CANARY : ""),
  );
  app.post("/login", authenticator.authenticate("local") as RequestHandler, (_req, res) => void res.send("in"));
  app.use(((error, _req, res, _next) => {
    errors.push(error);
    res.status(500).end();
  }) as ErrorRequestHandler);
  const agent = supertest.agent(app);
  return { agent, errors, login: () => agent.post("/login").send({ username: "alice", password: "x" }) };
}

/** A session kept in a cookie, as cookie-session has it: an object without an id. */
const cookieSession: RequestHandler = (req, _res, next) => {
  Object.assign(req, { session: { isNew: true } });
  next();
};

/** What is written beside cookie-session so that Passport 0.6 and later go on: nothing is renewed. */
const shim: RequestHandler = (req, _res, next) => {
  const done = (callback: () => void): void => {
    callback();
  };
  Object.assign(req.session, { regenerate: done, save: done });
  next();
};

describe("a session whose regenerate() leaves its id as it is", () => {
  test.each([
    ["of a cookie", [cookieSession, shim]],
    ["of express-session", [session({ secret: "test", resave: false, saveUninitialized: true }), shim]],
  ])("%s: nobody is logged in, and the error says what to use", async (_name, sessions) => {
    const { agent, errors, login } = application(({ mfa, passport: own }) => [...sessions, own, mfa]);
    expect((await login()).status).toBe(500);
    expect((await agent.get("/account")).text).not.toContain(CANARY);
    expect(errors).toEqual([expect.any(ConfigurationError)]);
    expect((errors[0] as Error).message).toMatch(/same id after regenerate\(\).*express-session/);
  });

  test("opens nothing at the second step of a login that it brought along, and says why", async () => {
    const failures: unknown[] = [];
    let isShimmed = false;
    const target = testApp({
      before: (app) => {
        app.use((req, res, next) => {
          if (isShimmed) shim(req, res, next);
          else next();
        });
      },
    });
    target.mfa.events.on("error", ({ error }) => failures.push(error));
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    isShimmed = true;
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(503);
    expect(failures).toEqual([expect.any(ConfigurationError)]);
    isShimmed = false;
    expect(await jar.isIn()).toBe(false);
  });
});

describe("an application put together wrongly is told so at its first request", () => {
  test.each([
    [
      "no session",
      /app\.use\(session\(.*express-session before app\.use\(mfa\)/,
      ({ mfa }: Record<string, RequestHandler>) => [mfa!],
    ],
    [
      "a session that lives in a cookie",
      /cookie-session cannot.*express-session/,
      ({ mfa }: Record<string, RequestHandler>) => [cookieSession, mfa!],
    ],
    [
      "the middleware above the session",
      /express-session before app\.use\(mfa\)/,
      ({ mfa, passport: own, session: sessions }: Record<string, RequestHandler>) => [mfa!, sessions!, own!],
    ],
  ] as const)("%s", async (_name, says, mount) => {
    const { agent, errors } = application(mount);
    const answer = await agent.get("/account");
    expect([answer.status, answer.text]).toEqual([500, ""]);
    expect(errors).toEqual([expect.any(ConfigurationError)]);
    expect((errors[0] as Error).message).toMatch(says);
  });

  test("the middleware above passport.session(): no login gets past it, and the first one says why", async () => {
    const { agent, errors, login } = application(({ mfa, passport: own, session: sessions }) => [sessions, mfa, own]);
    expect((await agent.get("/account")).status).toBe(401);
    expect((await login()).status).toBe(500);
    const answer = await agent.get("/account");
    expect([answer.status, answer.text.includes(CANARY)]).toEqual([401, false]);
    expect(errors).toEqual([expect.any(ConfigurationError)]);
    expect((errors.at(-1) as Error).message).toMatch(
      /app\.use\(mfa\) must come after app\.use\(passport\.session\(\)\)/,
    );
  });

  test("a user without an id: the login fails, and the application hears which reader to pass", async () => {
    const { agent, errors, login } = application(
      ({ mfa, passport: own, session: sessions }) => [sessions, own, mfa],
      [{ name: "alice", uuid: "1" }],
    );
    expect((await login()).status).toBeGreaterThanOrEqual(500);
    expect((await agent.get("/account")).text).not.toContain(CANARY);
    expect(errors).toEqual([expect.any(ConfigurationError)]);
    expect((errors[0] as Error).message).toMatch(/user\.id: .*pass a reader/);
  });

  test("put together rightly, it lets in as ever", async () => {
    const { agent, errors, login } = application(({ mfa, passport: own, session: sessions }) => [sessions, own, mfa]);
    expect((await login()).text).toBe("in");
    expect((await agent.get("/account")).text).toBe(CANARY);
    expect(errors).toEqual([]);
  });
});
