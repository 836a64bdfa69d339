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
  test("forgets what was used longest ago, by reading or writing", () => {
    const map = new LruMap<string, number>(3).set("a", 1).set("b", 2).set("c", 3);
    expect(map.get("a")).toBe(1);
    map.set("b", 4).set("d", 5);
    expect(["a", "b", "c", "d"].map((key) => map.get(key))).toEqual([1, 4, undefined, 5]);
    expect(map.size).toBe(3);
  });

  test("looking for a key is no use of it", () => {
    const map = new LruMap<string, number>(2).set("a", 1).set("b", 2);
    expect(map.has("a")).toBe(true);
    map.set("c", 3);
    expect([map.has("a"), map.has("b"), map.has("c")]).toEqual([false, true, true]);
    expect([map.delete("b"), map.delete("b"), map.size]).toEqual([true, false, 1]);
  });
});
