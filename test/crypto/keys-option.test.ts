import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import {
  ConfigurationError,
  type KeyProvider,
  memoryStore,
  secondFactor,
  type SecondFactorOptions,
} from "express-second-factor";
import { testApp } from "../support/app.js";
import { enrolled, full, pending } from "../support/browser.js";
import { faultyKeys, faultyStore, REJECTS } from "../support/faults.js";

const [OLD, NEXT] = ["2025-01", "2026-11"].map((id) => `${id}:${randomBytes(32).toString("base64")}`) as [
  string,
  string,
];

/** The problems that a configuration is refused with. */
function problems(options: Partial<SecondFactorOptions>): readonly string[] {
  try {
    secondFactor({ issuer: "Acme", origin: "https://acme.example", ...options });
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

describe("the keys option", () => {
  test("is rotated: what the old key wrote is read, what is written is written with the new one", async () => {
    const store = memoryStore();
    const before = testApp({ store, options: { keys: OLD } });
    const { phone, backupCodes } = await enrolled(before, "alice");
    const after = testApp({ store, clock: before.clock, options: { keys: `${NEXT},${OLD}` } });
    const jar = await full(after, "alice", phone);
    const other = await pending(after, "alice");
    expect((await other.post("/2fa/backup-code", { code: backupCodes[0]! })).status).toBe(200);
    const fresh = (await jar.post("/2fa/backup-codes")).body.backupCodes as string[];
    await jar.enroll();
    const stored = (await store.read("account:u1"))!.value;
    expect(stored).toContain("2026-11.");
    const last = await pending(after, "alice");
    expect((await last.post("/2fa/backup-code", { code: fresh[0]! })).status).toBe(200);
  });

  test("that no longer holds a key refuses what it wrote: 503, nothing lost", async () => {
    const store = memoryStore();
    const before = testApp({ store, options: { keys: OLD } });
    const { phone } = await enrolled(before, "alice");
    const without = testApp({ store, clock: before.clock, options: { keys: NEXT } });
    const jar = await pending(without, "alice");
    expect((await jar.verify(phone.code(before.clock()))).status).toBe(503);
    expect(await (await full(before, "alice", phone)).isIn()).toBe(true);
  });

  test("may be a vault, whose three functions are all that is asked of it", async () => {
    const { encrypt, decrypt, mac } = faultyKeys();
    const keys: KeyProvider = { encrypt, decrypt, mac };
    const target = testApp({ options: { keys } });
    const { phone, backupCodes } = await enrolled(target, "alice");
    await full(target, "alice", phone);
    const jar = await pending(target, "alice");
    expect((await jar.post("/2fa/backup-code", { code: backupCodes[0]! })).status).toBe(200);
  });

  test("that is a vault and does not answer refuses, and the code stays good", async () => {
    const keys = faultyKeys();
    const target = testApp({ options: { keys } });
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    keys.fail("decrypt", REJECTS);
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(503);
    keys.heal();
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
  });

  test("gives two users with one secret different bytes", async () => {
    const target = testApp({ options: { keys: NEXT } });
    const secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXA";
    for (const id of ["u1", "u2"]) await target.mfa.accounts.importTotp(id, { secret });
    const sealed = await Promise.all(
      ["u1", "u2"].map(async (id) => {
        const { value } = (await target.store.read(`account:${id}`))!;
        expect(value).not.toContain(secret);
        return (JSON.parse(value) as { factors: [{ state: { secret: string } }] }).factors[0].state.secret;
      }),
    );
    expect(sealed[0]).not.toBe(sealed[1]);
  });

  test("refuses a malformed ring with every problem of it", () => {
    expect(problems({ keys: `a b:${OLD.split(":")[1]!},k:AAAA` })).toEqual([
      expect.stringContaining("entry 1 has no valid id"),
      expect.stringContaining("has 3 bytes"),
    ]);
  });

  test("refuses a vault that lacks a function", () => {
    const keys = { encrypt: async () => "", decrypt: undefined } as unknown as KeyProvider;
    expect(problems({ keys })).toEqual([
      "keys: the key provider has no decrypt() function",
      "keys: the key provider has no mac() function",
    ]);
  });

  test("is required with a store that outlives the process", () => {
    expect(problems({ store: faultyStore() })).toEqual([
      expect.stringMatching(/^keys: required with a store that outlives/),
    ]);
    expect(problems({ store: faultyStore(), keys: NEXT })).toEqual([]);
  });
});

describe("in production", () => {
  const { NODE_ENV } = process.env;

  afterEach(() => {
    if (NODE_ENV === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = NODE_ENV;
    jest.restoreAllMocks();
  });

  test.each<[string, Partial<SecondFactorOptions>, RegExp[]]>([
    ["no keys and no store", {}, [/^keys: required in production.*new-key/, /^store: the memory store forgets/]],
    ["empty keys", { keys: "", store: memoryStore({ production: true }) }, [/^keys: required in production/]],
    [
      "an example for a key",
      { keys: `k:${Buffer.alloc(32, "ab").toString("base64")}`, store: memoryStore({ production: true }) },
      [/example/],
    ],
    ["the memory store by mistake", { keys: NEXT, store: memoryStore() }, [/^store: the memory store forgets/]],
    [
      "an http origin",
      { keys: NEXT, store: memoryStore({ production: true }), origin: "http://localhost:3000" },
      [/for development/],
    ],
  ])("the start is refused with %s", (_name, options, expected) => {
    process.env.NODE_ENV = "production";
    const found = problems(options);
    expect(found).toHaveLength(expected.length);
    expected.forEach((problem, index) => expect(found[index]).toMatch(problem));
  });

  test("a right configuration starts, and nobody being told of changes is warned of", () => {
    process.env.NODE_ENV = "production";
    const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    expect(problems({ keys: NEXT, store: memoryStore({ production: true }) })).toEqual([]);
    expect(warn).toHaveBeenCalledWith(
      expect.stringContaining("notify"),
      expect.objectContaining({ code: "SECOND_FACTOR_NO_NOTICES" }),
    );
    warn.mockClear();
    expect(problems({ keys: NEXT, store: memoryStore({ production: true }), notify: async () => undefined })).toEqual(
      [],
    );
    expect(warn).not.toHaveBeenCalled();
  });
});

describe("no secret depends on Math.random", () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test("they all differ where it always answers the same", async () => {
    jest.spyOn(Math, "random").mockReturnValue(0.5);
    const target = testApp();
    const [alice, mallory] = [await enrolled(target, "alice"), await enrolled(target, "mallory")];
    expect(alice.phone.secret).not.toBe(mallory.phone.secret);
    expect(new Set([...alice.backupCodes, ...mallory.backupCodes]).size).toBe(20);
  });
});
