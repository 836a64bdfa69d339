import type { Store as RateLimitStore } from "express-rate-limit";
import type { Clock } from "../core/nouns.js";

export type { RateLimitStore };

/** A stored value and the version a conditional write must name. */
export interface Entry {
  readonly value: string;
  /** Names this one value for ever: an entry of the same key that has it again is this entry, unchanged. */
  readonly version: string;
}

export interface WriteOptions {
  /** The version the entry must still have; null: there must be none. */
  readonly expect: string | null;
  /** Milliseconds since the epoch; afterwards the entry counts as absent. Default: it stays. */
  readonly expiresAt?: number;
}

/**
 * Where accounts live: three functions, and two that a store may have. Everything that may happen only once in this product (a
 * TOTP step, a backup code, a device token), and every attempt that is counted, is one conditional write of this contract, so the
 * contract is small and its atomicity is everything.
 *
 * Any rejection, time-out, or answer of another shape is a failure: the request is refused (503) and nothing is granted.
 *
 * A store does NOT look into what it keeps, does NOT retry a write that lost, and needs no order among entries, no transaction
 * over several, and no counting.
 *
 * @example
 * ```ts
 * import { secondFactor, type Store } from "express-second-factor";
 *
 * // Keeps everything where `store` does, and tells how often a write lost to another.
 * const watched: Store = {
 *   read: (key) => store.read(key),
 *   async write(key, value, options) {
 *     const version = await store.write(key, value, options);
 *     if (version === undefined) log.info({ lost: key.split(":")[0] });
 *     return version;
 *   },
 *   remove: (key, options) => store.remove(key, options),
 * };
 * app.use(secondFactor({ ..., store: watched }));
 * ```
 */
export interface Store {
  /**
   * The entry as it is now, or undefined when absent or expired. Never an older one than a finished write left: nothing of a
   * replica or a cache that may be behind. A store may answer the same object as long as the version is the same; nobody changes it.
   */
  read(key: string): Promise<Entry | undefined>;
  /**
   * Writes if the entry still has `expect`. Atomic: of any number of simultaneous writes that expect the same version,
   * in any number of processes, exactly one answers the new version; the others answer undefined and change nothing.
   */
  write(key: string, value: string, options: WriteOptions): Promise<string | undefined>;
  /** Removes if the entry still has `expect`; answers whether it did. Atomic as `write` is. */
  remove(key: string, options: { readonly expect: string }): Promise<boolean>;
  /**
   * The keys that begin with `kind:`, in any order, some perhaps twice. What comes or goes meanwhile may be missed.
   * Optional: only the rotation of keys and the check at start walk through a store.
   */
  list?(kind: string): AsyncIterable<string>;
  /** Told once which clock the application configured, by which entries expire. Optional: without it, by the store's own. */
  useClock?(clock: Clock): void;
}

/**
 * What `redisStore` and `sqlStore` have beside a `Store`, and no store needs: a store of express-rate-limit in the same place, for
 * `limits.address`, the limit per network address. Attempts of an account are counted in its record, never here.
 *
 * Its windows end by its own clock, not the application's. It sets itself no deadline: a server that is silent lets it wait as long
 * as the client does. One limiter may use it.
 */
export interface BringsRateLimitStore {
  readonly rateLimitStore: RateLimitStore;
}

/** What `redisStore` and `sqlStore` answer. */
export interface StoreWithRateLimits extends Store, BringsRateLimitStore {}
