import { describe, expect, test } from "@jest/globals";
import { UnavailableError } from "../../lib/core/errors.js";
import { LruMap } from "../../lib/core/lru-map.js";
import { within } from "../../lib/core/within.js";

function isNumber(answer: unknown): answer is number {
  return typeof answer === "number";
}

describe("an answer within a time", () => {
  test.each<[string, () => unknown]>([
    ["there already", () => 5],
    ["promised and there", async () => 5],
    ["promised and late, in time", () => new Promise((resolve) => setTimeout(resolve, 5, 5))],
    ["of another kind of promise", () => ({ then: (take: (answer: number) => void) => take(5) })],
  ])("%s is believed", async (_name, ask) => {
    expect(await within("It", 1_000, ask, isNumber)).toBe(5);
  });

  test.each<[string, () => unknown, string]>([
    ["that is silence", () => new Promise(() => undefined), "It did not answer within 20 ms"],
    ["that is an error", () => Promise.reject(new Error("secret")), "It failed"],
    ["of another shape", async () => "5", "It gave an answer of another shape than its contract"],
    ["of another shape at once", () => "5", "It gave an answer of another shape than its contract"],
    ["that is unavailable itself", () => Promise.reject(new UnavailableError("Another is away")), "Another is away"],
  ])("%s is unavailable", async (_name, ask, message) => {
    const refusal = within("It", 20, ask, isNumber);
    await expect(refusal).rejects.toThrow(UnavailableError);
    await expect(refusal).rejects.toThrow(message);
  });

  test("keeps an error as the cause, also one that is thrown", async () => {
    const cause = new Error("The cable is cut");
    const ask = (): never => {
      throw cause;
    };
    await expect(within("It", 20, ask, isNumber)).rejects.toMatchObject({ message: "It failed", cause });
  });

  test("leaves no timer behind", async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((each) => each === "Timeout").length;
    const before = timers();
    await Promise.all(Array.from({ length: 20 }, () => within("It", 60_000, async () => 5, isNumber)));
    await within("It", 60_000, () => Promise.reject(new Error("no")), isNumber).catch(() => undefined);
    expect(timers()).toBe(before);
  });
});

describe("an LRU map", () => {
  const numbered = (most: number, count: number): LruMap<number, number> => {
    const map = new LruMap<number, number>(most);
    for (let key = 0; key < count; key += 1) map.set(key, key);
    return map;
  };

  test("never holds more than it may, and always the newest half of it", () => {
    for (const count of [1, 9, 10, 11, 57, 1_000]) {
      const map = numbered(10, count);
      const held = Array.from({ length: count }, (_, key) => map.has(key)).filter(Boolean);
      expect(held.length).toBeLessThanOrEqual(10);
      for (let key = Math.max(0, count - 5); key < count; key += 1) expect(map.get(key)).toBe(key);
    }
  });

  test("keeps what is used, by reading or writing, and forgets what was used longest ago", () => {
    const map = new LruMap<string, number>(10).set("read", 1).set("written", 2).set("left", 3);
    for (let key = 0; key < 100; key += 1) {
      map.set(String(key), key);
      expect(map.get("read")).toBe(1);
      map.set("written", key);
    }
    expect([map.get("written"), map.get("left"), map.get("0")]).toEqual([99, undefined, undefined]);
  });

  test("where its values weigh, holds no more than its weight, and what was replaced or deleted weighs nothing", () => {
    const map = new LruMap<number, string>(100, ({ length }) => length).set(0, "first");
    for (let turn = 0; turn < 100; turn += 1) map.set(1, "x".repeat(10)).set(2, "y").delete(2);
    expect(map.get(0)).toBe("first");
    for (let key = 10; key < 100; key += 1) {
      map.set(key, "x".repeat(key % 20));
      const held = Array.from({ length: 100 }, (_, each) => (map.has(each) ? (map.get(each)?.length ?? 0) : 0));
      expect(held.reduce((sum, length) => sum + length)).toBeLessThanOrEqual(100 + 20);
    }
    expect(map.get(99)).toBe("x".repeat(19));
  });

  test("looking for a key is no use of it", () => {
    const map = new LruMap<string, number>(4).set("a", 1);
    for (let key = 0; key < 10; key += 1) {
      map.has("a");
      map.set(String(key), key);
    }
    expect(map.has("a")).toBe(false);
  });

  test("forgets what it is told to, wherever it keeps it", () => {
    const map = numbered(10, 4);
    for (let key = 0; key < 4; key += 1)
      expect([map.delete(key), map.delete(key), map.get(key)]).toEqual([true, false, undefined]);
  });
});
