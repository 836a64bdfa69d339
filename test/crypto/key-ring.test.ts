import { randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import type { KeyContext } from "express-second-factor";
import { digestOf, findDigest } from "../../lib/crypto/digests.js";
import { keyRing, keyRingProblems } from "../../lib/crypto/key-ring.js";

const newKey = (): string => randomBytes(32).toString("base64");
const CONTEXT = { owner: "u1", purpose: "totp-secret" };
const TEXT = Buffer.from("JBSWY3DPEHPK3PXP");

/** Owner and purpose that read the same when they are written one after the other, whichever comes first and whatever between. */
const SAME_BESIDE_EACH_OTHER: readonly (readonly [one: KeyContext, other: KeyContext])[] = [
  [
    { owner: "7", purpose: "trusted-device/1" },
    { owner: "17", purpose: "trusted-device/" },
  ],
  [
    { owner: "1", purpose: "7/trusted-device" },
    { owner: "17", purpose: "/trusted-device" },
  ],
  [
    { owner: "a/b", purpose: "c" },
    { owner: "a", purpose: "b/c" },
  ],
  [
    { owner: "b", purpose: "a/c" },
    { owner: "c/b", purpose: "a" },
  ],
  [
    { owner: "a:b", purpose: "c" },
    { owner: "a", purpose: "b:c" },
  ],
  [
    { owner: "a\u0000b", purpose: "c" },
    { owner: "a", purpose: "b\u0000c" },
  ],
  [
    { owner: 'a","b', purpose: "c" },
    { owner: "a", purpose: 'b","c' },
  ],
  [
    { owner: "ab", purpose: "" },
    { owner: "", purpose: "ab" },
  ],
  [
    { owner: "a", purpose: "b" },
    { owner: "b", purpose: "a" },
  ],
];

describe("a key ring seals", () => {
  const [old, next] = [`2025-01:${newKey()}`, `2026-11:${newKey()}`];

  test("and opens what it sealed", async () => {
    const ring = keyRing(old);
    for (const plain of [TEXT, Buffer.alloc(0), randomBytes(5000)]) {
      expect(Buffer.from(await ring.decrypt(await ring.encrypt(plain, CONTEXT), CONTEXT))).toEqual(plain);
    }
  });

  test("the same text differently each time, and never in clear", async () => {
    const ring = keyRing(old);
    const sealed = await Promise.all(Array.from({ length: 100 }, () => ring.encrypt(TEXT, CONTEXT)));
    expect(new Set(sealed).size).toBe(100);
    for (const each of sealed) {
      expect(each).toMatch(/^2025-01\.[A-Za-z0-9_-]+$/);
      expect(Buffer.from(each.split(".")[1]!, "base64url").includes(TEXT)).toBe(false);
    }
  });

  test("for one owner and one purpose: moved to another it does not open", async () => {
    const ring = keyRing(old);
    const sealed = await ring.encrypt(TEXT, CONTEXT);
    for (const context of [
      { ...CONTEXT, owner: "u2" },
      { ...CONTEXT, owner: "" },
      { ...CONTEXT, purpose: "backup-code" },
      { owner: CONTEXT.purpose, purpose: CONTEXT.owner },
      { owner: `u1","totp-secret`, purpose: "" },
    ]) {
      await expect(ring.decrypt(sealed, context)).rejects.toThrow();
    }
  });

  test.each(SAME_BESIDE_EACH_OTHER)("and not for $0 where it was sealed for $1", async (one, other) => {
    const ring = keyRing(old);
    const sealed = await ring.encrypt(TEXT, one);
    await expect(ring.decrypt(sealed, other)).rejects.toThrow();
    expect(await ring.mac("code", one)).not.toBe(await ring.mac("code", other));
    const key = randomBytes(32);
    expect(digestOf(key, "code", one)).not.toBe(digestOf(key, "code", other));
    expect(findDigest(key, "code", [digestOf(key, "code", one)], other)).toBe(-1);
  });

  test("and not for a text that begins where the owner or the purpose ends", async () => {
    const ring = keyRing(old);
    const key = randomBytes(32);
    for (const between of ["", "/", ":", ",", "\u0000", '","']) {
      const [owner, ownerFirst] = [
        { owner: `a${between}b`, purpose: "c" },
        { owner: "a", purpose: "c" },
      ];
      const [purpose, purposeFirst] = [
        { owner: "a", purpose: `c${between}b` },
        { owner: "a", purpose: "c" },
      ];
      for (const [one, other] of [
        [owner, ownerFirst],
        [purpose, purposeFirst],
      ] as const) {
        const texts = ["d", `b${between}d`] as const;
        expect(await ring.mac(texts[0], one)).not.toBe(await ring.mac(texts[1], other));
        expect(digestOf(key, texts[0], one)).not.toBe(digestOf(key, texts[1], other));
      }
    }
  });

  test("against every change of a byte", async () => {
    const ring = keyRing(old);
    const sealed = await ring.encrypt(TEXT, CONTEXT);
    const [id, body] = sealed.split(".") as [string, string];
    const bytes = Buffer.from(body, "base64url");
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes);
      changed[index] = changed[index]! ^ 1;
      await expect(ring.decrypt(`${id}.${changed.toString("base64url")}`, CONTEXT)).rejects.toThrow();
    }
  });

  test.each([
    ["nothing", ""],
    ["no key id", "AAAA"],
    ["an empty one", ".AAAA"],
    ["an unknown one", "1999.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"],
    ["too little", "2025-01.AAAA"],
    ["half of it", "2025-01."],
  ])("and rejects %s", async (_name, sealed) => {
    await expect(keyRing(old).decrypt(sealed, CONTEXT)).rejects.toThrow();
  });

  test("and rejects what is cut off", async () => {
    const ring = keyRing(old);
    const sealed = await ring.encrypt(TEXT, CONTEXT);
    for (const length of [sealed.length - 1, sealed.length - 4, 30, 10]) {
      await expect(ring.decrypt(sealed.slice(0, length), CONTEXT)).rejects.toThrow();
    }
  });

  test("with its first key, and opens with all of them", async () => {
    const before = await keyRing(old).encrypt(TEXT, CONTEXT);
    const rotated = keyRing(`${next},${old}`);
    expect(Buffer.from(await rotated.decrypt(before, CONTEXT))).toEqual(TEXT);
    expect(await rotated.encrypt(TEXT, CONTEXT)).toMatch(/^2026-11\./);
    await expect(keyRing(next).decrypt(before, CONTEXT)).rejects.toThrow(/No key with the id "2025-01"/);
  });

  test("not so that another key of the same id opens it", async () => {
    const sealed = await keyRing(`k:${newKey()}`).encrypt(TEXT, CONTEXT);
    await expect(keyRing(`k:${newKey()}`).decrypt(sealed, CONTEXT)).rejects.toThrow();
  });
});

describe("a key ring digests", () => {
  const [old, next] = [`2025-01:${newKey()}`, `2026-11:${newKey()}`];

  test("the same for the same key, text and context, and otherwise for any other", async () => {
    const ring = keyRing(old);
    const digest = await ring.mac("code", CONTEXT);
    expect(digest).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(await ring.mac("code", CONTEXT)).toBe(digest);
    const others = await Promise.all([
      ring.mac("Code", CONTEXT),
      ring.mac("code", { ...CONTEXT, owner: "u2" }),
      ring.mac("code", { ...CONTEXT, purpose: "other" }),
      ring.mac("", { ...CONTEXT, purpose: "totp-secretcode" }),
      keyRing(`2025-01:${newKey()}`).mac("code", CONTEXT),
    ]);
    expect(new Set([digest, ...others]).size).toBe(6);
  });

  test("with its first key", async () => {
    const before = await keyRing(old).mac("code", CONTEXT);
    expect(await keyRing(`${old},${next}`).mac("code", CONTEXT)).toBe(before);
    expect(await keyRing(`${next},${old}`).mac("code", CONTEXT)).not.toBe(before);
  });
});

describe("a key ring names", () => {
  const [old, next] = [`2025-01:${newKey()}`, `2026-11:${newKey()}`];

  test("the key that seals now, and the one that sealed a value, whether it is in the ring or not", async () => {
    const sealed = await keyRing(old).encrypt(TEXT, CONTEXT);
    const ring = keyRing(next);
    expect(ring.keyId?.()).toBe("2026-11");
    expect(ring.keyId?.(sealed)).toBe("2025-01");
    expect(ring.keyId?.(await ring.encrypt(TEXT, CONTEXT))).toBe("2026-11");
  });
});

describe("a written key ring", () => {
  const [a, b] = [newKey(), newKey()];

  test.each([
    ["one key", `2026-11:${a}`],
    ["two keys", `2026-11:${a},2025-01:${b}`],
    ["blanks", ` 2026-11 : ${a} , 2025-01 : ${b} `],
    ["base64url without padding", `k:${Buffer.from(a, "base64").toString("base64url")}`],
  ])("is right with %s", (_name, text) => {
    expect(keyRingProblems(text)).toEqual([]);
  });

  test.each<[string, string, RegExp]>([
    ["no id", a, /entry [12] has no valid id/],
    ["an empty id", `:${a}`, /entry [12] has no valid id/],
    ["an id with other characters", `a b:${a}`, /entry 1 has no valid id/],
    ["an id that is too long", `${"k".repeat(33)}:${a}`, /entry [12] has no valid id/],
    ["no key", "k:", /entry 1 has no valid id/],
    ["no base64", "k:****", /not base64/],
    ["a key of 31 bytes", `k:${randomBytes(31).toString("base64")}`, /has 31 bytes; it needs 32/],
    ["a key of 33 bytes", `k:${randomBytes(33).toString("base64")}`, /has 33 bytes; it needs 32/],
    ["a key of zeros", `k:${Buffer.alloc(32).toString("base64")}`, /example or typed by hand/],
    [
      "a key that counts",
      `k:${Buffer.from(Array.from({ length: 32 }, (_none, at) => at)).toString("base64")}`,
      /example/,
    ],
    ["a key that can be read", `k:${Buffer.from("this-is-my-very-secret-key-32-by").toString("base64")}`, /example/],
    ["a repeated pattern", `k:${Buffer.from("abcd".repeat(8)).toString("base64")}`, /example/],
    ["one id twice", `k:${a},k:${b}`, /a key id appears twice/],
    ["one key twice", `k:${a},l:${a}`, /the same key appears twice/],
    ["an empty entry", `k:${a},`, /entry [12] has no valid id/],
  ])("is refused with %s, and the problem says what to do", (_name, text, problem) => {
    expect(keyRingProblems(text)).toEqual(expect.arrayContaining([expect.stringMatching(problem)]));
  });

  test("has every problem told at once, and no key repeated in them", () => {
    const short = randomBytes(16).toString("base64");
    const problems = keyRingProblems(`bad id:${a},k:${short},k:****`);
    expect(problems).toHaveLength(4);
    for (const secret of [a, short]) expect(problems.join()).not.toContain(secret.slice(0, 12));
  });

  test("has no problem that shows a key pasted without its id", () => {
    expect(keyRingProblems(a).join()).not.toContain(a.slice(0, 12));
  });
});
