import type { BringsRateLimitStore, Store } from "express-second-factor";

export type Moment = "before read" | "before write" | "after write";

/** A real store whose next call of a kind something happens to: just before it is made, or after it was done and before it says so. */
export interface InterruptibleStore extends Store {
  /** Once. What comes `after` also takes the answer with it. */
  once(moment: Moment, happens: () => unknown): void;
}

/** What the store brings for the limit per address it brings still, uninterrupted. */
export function interruptible(store: Store & Partial<BringsRateLimitStore>): InterruptibleStore {
  const planned = new Map<Moment, () => unknown>();
  const happen = async (moment: Moment): Promise<boolean> => {
    const happens = planned.get(moment);
    planned.delete(moment);
    await happens?.();
    return happens !== undefined;
  };
  const called = async <T>(verb: "read" | "write", call: () => T | Promise<T>): Promise<T> => {
    await happen(`before ${verb}` as Moment);
    const answer = await call();
    if (await happen(`after ${verb}` as Moment)) throw new Error("The answer was lost on the way");
    return answer;
  };
  const { rateLimitStore } = store;
  return {
    ...(rateLimitStore && { rateLimitStore }),
    read: (key) => called("read", () => store.read(key)),
    write: (key, value, options) => called("write", () => store.write(key, value, options)),
    remove: (key, options) => store.remove(key, options),
    useClock: (clock) => store.useClock?.(clock),
    once: (moment, happens) => planned.set(moment, happens),
  };
}
