import { describe, expect, test } from "@jest/globals";
import { backupCodes, memoryStore, totp } from "express-second-factor";
import { MINUTE, NO_LIMITS, STEP, storedAccount } from "../support/attack.js";
import { testApp, type TestApp } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const SHOWN = /^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/;

async function give(target: TestApp, name: string, code: string) {
  return (await pending(target, name)).post("/2fa/backup-code", { code });
}

async function storedSet(target: TestApp, name: string): Promise<{ key: string; digests: string[] }> {
  const { factors } = JSON.parse((await storedAccount(target, name))!) as { factors: { type: string; state: never }[] };
  return factors.find(({ type }) => type === "backup-code")!.state;
}

/** A code with a given character where it can be had; undefined after many sets without one. */
async function codeWith(target: TestApp, userId: string, character: string): Promise<string> {
  for (let sets = 0; sets < 200; sets += 1) {
    const found = (await target.mfa.accounts.regenerateBackupCodes(userId))?.find((code) => code.includes(character));
    if (found !== undefined) return found;
  }
  throw new Error(`No code with ${character}`);
}

describe("a set of backup codes", () => {
  test("is ten different codes of 16 Crockford characters in groups of four", async () => {
    const { backupCodes: codes } = await enrolled(testApp(), "alice");
    expect(codes).toHaveLength(10);
    expect(new Set(codes).size).toBe(10);
    for (const code of codes) expect(code).toMatch(SHOWN);
  });

  test("has as many codes as the application asks for", async () => {
    const target = testApp({ options: { methods: [totp(), backupCodes({ count: 16 })] } });
    expect((await enrolled(target, "alice")).backupCodes).toHaveLength(16);
  });

  test("is not made where the application does without", async () => {
    const target = testApp({ options: { methods: [totp()] } });
    const { phone, backupCodes: codes } = await enrolled(target, "alice");
    expect(codes).toEqual([]);
    const jar = await full(target, "alice", phone);
    expect((await jar.post("/2fa/backup-codes")).status).toBe(404);
    expect((await jar.get("/2fa/settings")).body.backupCodes).toEqual({ remaining: 0, createdAt: null });
  });

  test("repeats no code and prefers no character, over thousands of them", async () => {
    const target = testApp();
    await enrolled(target, "alice");
    const codes: string[] = [];
    for (let sets = 0; sets < 400; sets += 1) {
      codes.push(...((await target.mfa.accounts.regenerateBackupCodes("u1")) ?? []));
    }
    expect(new Set(codes).size).toBe(4000);
    const counts = new Map(Array.from(CROCKFORD, (character) => [character, 0]));
    for (const character of codes.join("").replaceAll("-", "")) counts.set(character, counts.get(character)! + 1);
    const expected = (4000 * 16) / 32;
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 31 degrees of freedom: above 80 once in two hundred thousand runs of a fair generator, far above for a biased one.
    expect(counts.size).toBe(32);
    expect(chiSquare).toBeLessThan(80);
  });
});

describe("a backup code", () => {
  test("signs in once, and says how many are left", async () => {
    const target = testApp();
    const { backupCodes: codes } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    const answer = await jar.post("/2fa/backup-code", { code: codes[3]! });
    expect([answer.status, answer.body]).toEqual([
      200,
      { status: "verified", redirectTo: "/account", amr: ["mfa"], remaining: 9 },
    ]);
    expect(await jar.isIn()).toBe(true);
    const again = await give(target, "alice", codes[3]!);
    expect([again.status, again.body.code]).toEqual([401, "invalid-code"]);
    expect((await give(target, "alice", codes[4]!)).body.remaining).toBe(8);
  });

  test("works for each of the ten, and then there is none", async () => {
    const target = testApp({ options: { limits: NO_LIMITS } });
    const { backupCodes: codes } = await enrolled(target, "alice");
    const left: number[] = [];
    for (const code of codes) left.push((await give(target, "alice", code)).body.remaining as number);
    expect(left).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    for (const code of codes) expect((await give(target, "alice", code)).status).toBe(401);
  });

  test.each([
    ["in small letters", (code: string) => code.toLowerCase()],
    ["without hyphens", (code: string) => code.replaceAll("-", "")],
    ["with blanks for hyphens", (code: string) => code.replaceAll("-", " ")],
    ["with blanks everywhere", (code: string) => ` ${Array.from(code).join(" ")} `],
    ["with hyphens elsewhere", (code: string) => code.replaceAll("-", "").replace(/(...)/g, "$1-")],
    ["with a tab and a line break", (code: string) => `\t${code}\n`],
  ])("may be written %s", async (_name, write) => {
    const target = testApp();
    const { backupCodes: codes } = await enrolled(target, "alice");
    expect((await give(target, "alice", write(codes[0]!))).status).toBe(200);
  });

  test.each([
    ["0", "O"],
    ["0", "o"],
    ["1", "I"],
    ["1", "i"],
    ["1", "L"],
    ["1", "l"],
  ])("with %s in it may be read off paper as %s", async (right, read) => {
    const target = testApp();
    await enrolled(target, "alice");
    const code = await codeWith(target, "u1", right);
    expect((await give(target, "alice", code.replaceAll(right, read))).status).toBe(200);
  });

  test.each([
    ["too short", "ABCD-EFGH-JKMN-PQR"],
    ["too long", "ABCD-EFGH-JKMN-PQRS-T"],
    ["with a U in it", "UBCD-EFGH-JKMN-PQRS"],
    ["with other characters", "ABCD_EFGH_JKMN_PQRS"],
    ["of another script", "ＡBCD-EFGH-JKMN-PQRS"],
    ["a code of an app", "123456"],
  ])("%s is not one: 400", async (_name, code) => {
    const target = testApp();
    await enrolled(target, "alice");
    const answer = await give(target, "alice", code);
    expect([answer.status, answer.body.code]).toEqual([400, "invalid-request"]);
  });

  test("of another user is wrong, and stays good for its owner", async () => {
    const target = testApp();
    const [alice] = [await enrolled(target, "alice"), await enrolled(target, "mallory")];
    expect((await give(target, "mallory", alice.backupCodes[0]!)).status).toBe(401);
    expect((await give(target, "alice", alice.backupCodes[0]!)).status).toBe(200);
  });
});

describe("a new set", () => {
  test("kills the old one, and is shown in the answer that makes it only", async () => {
    const target = testApp();
    const { phone, backupCodes: old } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    const answer = await jar.post("/2fa/backup-codes");
    expect([answer.status, Object.keys(answer.body as object)]).toEqual([201, ["backupCodes"]]);
    const fresh = answer.body.backupCodes as string[];
    expect(fresh).toHaveLength(10);
    expect(fresh.filter((code) => old.includes(code))).toEqual([]);
    for (const path of ["/2fa/settings", "/2fa"]) expect((await jar.get(path)).text).not.toContain(fresh[0]!);
    expect((await jar.page("/2fa/settings")).text).not.toContain(fresh[0]!);
    expect((await give(target, "alice", old[0]!)).status).toBe(401);
    expect((await give(target, "alice", fresh[0]!)).status).toBe(200);
  });

  test("starts over with ten, and with its own date", async () => {
    const target = testApp();
    const { phone, backupCodes: old } = await enrolled(target, "alice");
    await give(target, "alice", old[0]!);
    target.clock.advance(MINUTE);
    const jar = await full(target, "alice", phone);
    const before = (await jar.get("/2fa/settings")).body.backupCodes;
    expect(before.remaining).toBe(9);
    await jar.post("/2fa/backup-codes");
    const now = new Date(target.clock()).toISOString();
    expect((await jar.get("/2fa/settings")).body.backupCodes).toEqual({ remaining: 10, createdAt: now });
    expect(before.createdAt).not.toBe(now);
  });

  test("is not made for a login that gave a backup code, nor are codes shown to it", async () => {
    const target = testApp();
    const { backupCodes: codes } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    await jar.post("/2fa/backup-code", { code: codes[0]! });
    const refused = await jar.post("/2fa/backup-codes");
    expect([refused.status, refused.body.code]).toEqual([401, "step-up-required"]);
    expect(refused.body).not.toHaveProperty("backupCodes");
    expect((await jar.enroll()).backupCodes).toEqual([]);
    expect((await target.mfa.accounts.status("u1")).backupCodesRemaining).toBe(9);
  });

  test("is made for that login once it has given a code of its app", async () => {
    const target = testApp();
    const { phone, backupCodes: codes } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    await jar.post("/2fa/backup-code", { code: codes[0]! });
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
    expect((await jar.post("/2fa/backup-codes")).status).toBe(201);
  });

  test("is not made where no factor is", async () => {
    const jar = new Jar(testApp());
    await jar.login("alice");
    const answer = await jar.post("/2fa/backup-codes");
    expect([answer.status, answer.body.code]).toEqual([404, "not-found"]);
  });
});

describe("backup codes", () => {
  test("go with the last factor", async () => {
    const target = testApp();
    const { phone, factorId, backupCodes: old } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    expect((await jar.post(`/2fa/factors/${factorId}/remove`)).status).toBe(204);
    expect((await jar.get("/2fa/settings")).body.backupCodes).toEqual({ remaining: 0, createdAt: null });
    const again = await jar.enroll();
    expect(again.backupCodes).toHaveLength(10);
    expect((await give(target, "alice", old[0]!)).status).toBe(401);
  });

  test("stay while another factor does", async () => {
    const target = testApp();
    const { phone, factorId, backupCodes: codes } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    await jar.enroll();
    expect((await jar.post(`/2fa/factors/${factorId}/remove`)).status).toBe(204);
    target.clock.advance(STEP);
    expect((await give(target, "alice", codes[0]!)).status).toBe(200);
  });
});

describe("the stored set", () => {
  test("of two users, or of two sets of one, has a key of its own", async () => {
    const target = testApp();
    for (const name of ["alice", "mallory"]) await enrolled(target, name);
    const before = await storedSet(target, "alice");
    await target.mfa.accounts.regenerateBackupCodes("u1");
    const sets = [before, await storedSet(target, "alice"), await storedSet(target, "mallory")];
    expect(new Set(sets.map(({ key }) => key)).size).toBe(3);
    expect(new Set(sets.flatMap(({ digests }) => digests)).size).toBe(30);
  });

  test("opens nothing when it is copied into another user's record", async () => {
    const store = memoryStore();
    const target = testApp({ store });
    const alice = await enrolled(target, "alice");
    await enrolled(target, "mallory");
    const stolen = JSON.parse((await storedAccount(target, "alice"))!) as { factors: { type: string }[] };
    const victim = JSON.parse((await storedAccount(target, "mallory"))!) as typeof stolen;
    victim.factors = [...victim.factors.slice(1), ...stolen.factors.filter(({ type }) => type === "backup-code")];
    const { version } = (await store.read("account:u2"))!;
    await store.write("account:u2", JSON.stringify(victim), { expect: version });
    expect((await give(target, "mallory", alice.backupCodes[0]!)).status).toBe(503);
  });

  test("holds no code, in whatever spelling", async () => {
    const target = testApp();
    const { backupCodes: codes } = await enrolled(target, "alice");
    const stored = (await storedAccount(target, "alice"))!;
    for (const code of codes) {
      expect(stored).not.toContain(code);
      expect(stored).not.toContain(code.replaceAll("-", ""));
    }
  });
});
