import { expect } from "@jest/globals";
import type { Options, Store as RateLimitStore } from "express-rate-limit";

/** What every store of express-rate-limit that a store brings keeps to. Windows end by real time, so they are short here. */
export const WINDOW = 400;

export function begin<T extends RateLimitStore>(store: T, windowMs = 60_000): T {
  void store.init?.({ windowMs } as Options);
  return store;
}

export function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export const RATE_LIMIT_CLAIMS: Readonly<Record<string, (store: RateLimitStore) => Promise<void>>> = {
  async "simultaneous hits see different counts of one window"(store) {
    begin(store);
    const from = Date.now();
    const counts = await Promise.all(Array.from({ length: 32 }, async () => store.increment("192.0.2.1")));
    expect(counts.map(({ totalHits }) => totalHits).toSorted((a, b) => a - b)).toEqual(
      counts.map((_count, index) => index + 1),
    );
    for (const { resetTime } of counts) {
      expect(resetTime!.getTime()).toBeGreaterThan(from + 50_000);
      expect(resetTime!.getTime()).toBeLessThanOrEqual(Date.now() + 60_000);
    }
  },
  async "a look counts nothing, and sees nothing where nothing was counted"(store) {
    begin(store);
    expect(await store.get!("192.0.2.1")).toBeUndefined();
    await store.increment("192.0.2.1");
    for (let look = 0; look < 3; look += 1) expect((await store.get!("192.0.2.1"))?.totalHits).toBe(1);
    expect(await store.get!("192.0.2.2")).toBeUndefined();
    expect((await store.increment("192.0.2.1")).totalHits).toBe(2);
  },
  async "a window ends, and the next begins with one, among simultaneous hits too"(store) {
    begin(store, WINDOW);
    await Promise.all(Array.from({ length: 8 }, async () => store.increment("192.0.2.1")));
    await passed(WINDOW + 50);
    expect(await store.get!("192.0.2.1")).toBeUndefined();
    const counts = await Promise.all(Array.from({ length: 8 }, async () => store.increment("192.0.2.1")));
    expect(counts.map(({ totalHits }) => totalHits).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  },
  async "a hit is taken back, never below nothing, and where nothing is counted it leaves nothing"(store) {
    begin(store);
    await store.decrement("192.0.2.1");
    expect(await store.get!("192.0.2.1")).toBeUndefined();
    await store.increment("192.0.2.1");
    for (let each = 0; each < 3; each += 1) await store.decrement("192.0.2.1");
    expect(await store.get!("192.0.2.1")).toBeUndefined();
    expect((await store.increment("192.0.2.1")).totalHits).toBe(1);
  },
  async "a key is forgotten when it is reset"(store) {
    begin(store);
    await store.increment("192.0.2.1");
    await store.increment("2001:db8::/56");
    await store.resetKey("192.0.2.1");
    expect(await store.get!("192.0.2.1")).toBeUndefined();
    expect((await store.increment("2001:db8::/56")).totalHits).toBe(2);
  },
  async "it says that its keys are everybody's"(store) {
    expect(store.localKeys).toBe(false);
  },
};
