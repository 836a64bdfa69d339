import { describe, expect, test } from "@jest/globals";
import type { SecondFactorOptions } from "express-second-factor";
import { authenticatorApp } from "express-second-factor/testing";
import { STEP } from "../support/attack.js";
import { passwordOf, TEST_KEYS, testApp, type TestApp, type TestUser } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { readQr } from "../support/qr.js";
import { base32 } from "../support/routes.js";
import { keyRing } from "../../lib/crypto/key-ring.js";

const SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXA";

const IMPORTED = authenticatorApp(`otpauth://totp/Alice?secret=${SECRET}`);

type Reader = (user: TestUser) => unknown;

function reading(id: Reader): TestApp {
  return testApp({ options: { user: { id: id as (user: TestUser) => string } } });
}

/** What two users may share, or no store tells apart. */
const NO_IDS: readonly [string, unknown, RegExp][] = [
  ["NaN, as Number() of a UUID is", NaN, /NaN/],
  ["infinity", Infinity, /not whole/],
  ["a number beyond what is exact", 2 ** 53, /too large to be exact/],
  ["a negative one", -(2 ** 53), /too large to be exact/],
  ["half a number", 1.5, /not whole/],
  ["nothing", undefined, /undefined/],
  ["null", null, /null/],
  ["empty text", "", /empty text/],
  ["half a surrogate pair", "user-\uD800", /half a surrogate pair/],
  ["true", true, /a boolean/],
  ["an object", { toString: () => "u1" }, /an object/],
  ["an id object, as databases have them", new URL("https://u1.example"), /an object \(URL\)/],
  ["a list", ["u1"], /a list/],
  ["a promise", Promise.resolve("u1"), /an object \(Promise\)/],
  ["a function", () => "u1", /a function/],
  ["a symbol", Symbol("u1"), /a symbol/],
];

describe("what is no id of a user", () => {
  test.each(NO_IDS)("%s: nobody gets in by it, and its kind is named", async (_name, id, kind) => {
    const target = reading(() => id);
    for (const name of ["alice", "carol"]) {
      const answer = await new Jar(target).login(name);
      expect([answer.status, answer.body.code]).toEqual([500, "app-error"]);
      expect(answer.body.message).toMatch(/user\.id: answered/);
      expect(answer.body.message).toMatch(kind);
    }
  });

  test.each(NO_IDS)("%s: mfa.accounts refuses it, writes nothing, and names its kind", async (_name, id, kind) => {
    const target = testApp();
    const { accounts } = target.mfa;
    const user = id as string;
    const asked = [
      accounts.status(user),
      accounts.factors(user),
      accounts.verify(user, { method: "totp", code: "000000" }),
      accounts.removeFactor(user, "x"),
      accounts.reset(user),
      accounts.regenerateBackupCodes(user),
      accounts.revokeDevices(user),
      accounts.signOutEverywhere(user),
      accounts.reopenFactors(user),
      accounts.passwordChanged(user, { signOut: true }),
      accounts.importTotp(user, { secret: SECRET }),
      accounts.export(user),
      accounts.erase(user),
    ];
    for (const settled of await Promise.allSettled(asked)) {
      expect(settled).toMatchObject({ status: "rejected", reason: expect.any(TypeError) });
      const { message } = (settled as PromiseRejectedResult).reason as Error;
      expect(message).toMatch(/^mfa\.accounts\.\w+: the user's id must be/);
      expect(message).toMatch(kind);
    }
    expect(target.events).toEqual([]);
  });
});

describe("an id that is a number", () => {
  const NUMBERS = new Map([
    ["alice", 7],
    ["carol", 17],
  ]);
  const numbered = (): TestApp => reading(({ name }) => NUMBERS.get(name));

  test.each<[string, unknown]>([
    ["number", 7],
    ["bigint", 7n],
    ["text", "7"],
  ])("is one user's, given as a %s", async (_name, id) => {
    const target = numbered();
    const { factorId } = await enrolled(target, "alice");
    const user = id as string;
    expect(await target.mfa.accounts.factors(user)).toMatchObject([{ id: factorId }]);
    await target.mfa.accounts.importTotp(user, { secret: SECRET, label: "Old phone" });
    await target.mfa.accounts.signOutEverywhere(user);
    const jar = await pending(target, "alice");
    const answer = await jar.verify(IMPORTED.code(target.clock()));
    expect([answer.status, await jar.isIn()]).toEqual([200, true]);
    expect(target.events.every(({ userId }) => userId === "7" || userId === undefined)).toBe(true);
  });

  test("is one beside others: no user has another's factors", async () => {
    const target = numbered();
    await enrolled(target, "alice");
    expect((await target.mfa.accounts.status("7")).enrolled).toBe(true);
    expect((await target.mfa.accounts.status("17")).enrolled).toBe(false);
    expect((await new Jar(target).login("carol")).status).toBe(302);
  });

  test.each([0, -1, Number.MAX_SAFE_INTEGER])("may be %p", async (id) => {
    const target = reading(() => id);
    await enrolled(target, "alice");
    expect((await target.mfa.accounts.status(id as unknown as string)).enrolled).toBe(true);
  });

  test("in a record that was written with it once is read, and healed by the next write", async () => {
    const target = numbered();
    const { phone, backupCodes } = await enrolled(target, "alice");
    const { value, version } = (await target.store.read("account:7"))!;
    const written = { ...(JSON.parse(value) as object), userId: 7 };
    await target.store.write("account:7", JSON.stringify(written), { expect: version });
    const jar = await full(target, "alice", phone);
    expect(await jar.isIn()).toBe(true);
    expect((await jar.post("/2fa/backup-code", { code: backupCodes[0] })).status).toBe(200);
    expect(JSON.parse((await target.store.read("account:7"))!.value)).toMatchObject({ userId: "7" });
  });

  test("in a secret that was sealed for it once is opened, and no other user's is", async () => {
    for (const [owner, status] of [
      [7, 200],
      [17, 503],
      ["17", 503],
    ] as const) {
      const target = numbered();
      await target.mfa.accounts.importTotp("7", { secret: SECRET });
      const context = { owner: owner as string, purpose: "totp-secret" };
      const secret = await keyRing(TEST_KEYS).encrypt(base32(SECRET), context);
      const { value, version } = (await target.store.read("account:7"))!;
      const record = JSON.parse(value) as { factors: { state: object }[] };
      const factors = record.factors.map((factor) => ({ ...factor, state: { ...factor.state, secret } }));
      await target.store.write("account:7", JSON.stringify({ ...record, userId: 7, factors }), { expect: version });
      const jar = await pending(target, "alice");
      expect([owner, (await jar.verify(IMPORTED.code(target.clock()))).status]).toEqual([owner, status]);
    }
  });

  test("is no reason to take another user's record, or one of nobody", async () => {
    for (const userId of [17, null, [7], "17"]) {
      const target = numbered();
      await enrolled(target, "alice");
      const { value, version } = (await target.store.read("account:7"))!;
      const written = JSON.stringify({ ...(JSON.parse(value) as object), userId });
      await target.store.write("account:7", written, { expect: version });
      expect((await new Jar(target).login("alice")).status).toBe(503);
    }
  });
});

/** Half of a pair, all that is not shown, and more than any code holds. */
const NAMES: readonly [string, unknown, string][] = [
  ["null, where there is no e-mail", null, "u1"],
  ["undefined", undefined, "u1"],
  ["a number", 42, "u1"],
  ["an object", { name: "alice" }, "u1"],
  ["a promise", Promise.resolve("alice"), "u1"],
  ["empty text", "", "u1"],
  ["blanks", " \t ", "u1"],
  ["control characters", "\u0000\u0007\u009F", "u1"],
  ["control characters within", "al\u0000ice\nsmith\u2028!", "al ice smith !"],
  ["half a surrogate pair", "ali\uD83D", "ali\uFFFD"],
  ["400 characters of Chinese", "\u5546".repeat(400), "\u5546".repeat(128)],
  ["a long e-mail address", `${"a".repeat(300)}@acme.test`, "a".repeat(128)],
  ["an emoji where it is cut", `${"a".repeat(127)}\u{1F600}`, "a".repeat(127)],
];

describe("what the application calls a user decides nothing: as a name,", () => {
  async function throughIt(options: Partial<SecondFactorOptions<TestUser>>, readsCode = true): Promise<string> {
    const target = testApp({ options });
    const jar = await pending(target, "alice");
    const begun = await jar.post("/2fa/totp/enroll", { label: "Phone" });
    expect(begun.status).toBe(201);
    const { factorId, qr, uri } = begun.body as { factorId: string; qr: string; uri: string };
    // Reading a large one takes this reader seconds; that it was drawn says that all of it went in.
    if (readsCode) expect(readQr(qr)).toBe(uri);
    const phone = authenticatorApp(uri);
    const code = (): string => phone.code(target.clock());
    expect((await jar.post("/2fa/totp/enroll/confirm", { factorId, code: code() })).status).toBe(201);
    expect((await jar.post("/2fa/passkey/enroll/options")).status).toBe(200);
    expect((await jar.page("/2fa/settings")).status).toBe(200);
    target.clock.advance(STEP);
    const next = new Jar(target);
    await next.form("/login", { username: "alice", password: passwordOf("alice") });
    expect((await next.page("/2fa")).status).toBe(200);
    expect((await next.verify(code())).status).toBe(200);
    return phone.account;
  }

  test.each(NAMES)("%s does", async (_name, given, account) => {
    expect(await throughIt({ user: { name: () => given as string } }, account.length < 100)).toBe(account);
  });

  test("one that cannot be read is none", async () => {
    const name = (user: TestUser): string => (user as unknown as { profile: { name: string } }).profile.name;
    expect(await throughIt({ user: { name } })).toBe("u1");
  });

  test("an id is cleaned like any other where it stands for a name", async () => {
    const user = { id: () => `u1\u0000${"x".repeat(300)}`, name: () => "" };
    expect(await throughIt({ user }, false)).toBe(`u1 ${"x".repeat(125)}`);
    expect(await throughIt({ user: { id: () => "\u0007", name: () => "" } })).toBe("user");
  });

  test("the longest issuer and the longest name fit into a QR code together", async () => {
    const wide = "\u{20000}".repeat(400);
    await throughIt({ issuer: wide, user: { name: () => wide } }, false);
    await throughIt({ issuer: () => wide, user: { name: () => wide } }, false);
  });
});

describe("other answers of the application that are not what they must be", () => {
  test.each([null, undefined, 7, {}, ["Acme"], " ", "\uD800"])(
    "an issuer of %p is the site's name, and keeps nobody out",
    async (issuer) => {
      const target = testApp({ options: { issuer: () => issuer as string } });
      const jar = await pending(target, "alice");
      const begun = await jar.post("/2fa/totp/enroll");
      expect(begun.status).toBe(201);
      const name = issuer === "\uD800" ? "\uFFFD" : "localhost";
      expect(authenticatorApp((begun.body as { uri: string }).uri).issuer).toBe(name);
      expect((await jar.page("/2fa/settings")).status).toBe(200);
    },
  );

  test.each([null, undefined, "http://localhost:3000", [], [null], {}])(
    "an origin of %j refuses every write",
    async (origin) => {
      let given: unknown = ["http://localhost:3000"];
      const target = testApp({ options: { origin: () => given as string[] } });
      const { phone } = await enrolled(target, "alice");
      const jar = await pending(target, "alice");
      given = origin;
      const code = phone.code(target.clock());
      for (const own of ["http://localhost:3000", "http://localhost", "null"]) {
        expect((await jar.verify(code).set("Origin", own)).status).toBeGreaterThanOrEqual(403);
      }
      expect(await jar.isIn().catch(() => false)).toBe(false);
    },
  );

  test("a user.load that answers null finds nobody", async () => {
    const target = testApp({ options: { user: { load: (async () => null) as unknown as () => Promise<undefined> } } });
    expect((await new Jar(target).post("/2fa/passkey/options")).status).toBe(200);
  });
});
