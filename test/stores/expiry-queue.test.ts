import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { ExpiryQueue } from "../../lib/stores/expiry-queue.js";

/** All it gives out by then, in its order. */
function taken(queue: ExpiryQueue, now: number): number[] {
  const ends: number[] = [];
  for (let next = queue.takeExpired(now); next !== undefined; next = queue.takeExpired(now)) ends.push(next.expiresAt);
  return ends;
}

test("what expires first comes first, in whatever order it was added, and nothing before its time", () => {
  const times = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 60 });
  fc.assert(
    fc.property(times, times, fc.integer({ min: 0, max: 50 }), (first, second, now) => {
      const queue = new ExpiryQueue();
      const add = (all: readonly number[]): void => {
        for (const expiresAt of all) queue.add({ key: "key", version: "1", expiresAt });
      };
      const sorted = (all: readonly number[]): number[] => all.toSorted((a, b) => a - b);
      add(first);
      expect(taken(queue, now)).toEqual(sorted(first.filter((end) => end <= now)));
      add(second);
      expect(taken(queue, 50)).toEqual(sorted([...first.filter((end) => end > now), ...second]));
      expect(queue.size).toBe(0);
    }),
  );
});
