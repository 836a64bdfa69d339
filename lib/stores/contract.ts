import type { Store as RateLimitStore } from "express-rate-limit";
import type { Clock } from "../core/nouns.js";

export type { RateLimitStore };

/** A stored value and the version a conditional write must name. */
export interface Entry {
  readonly value: string;
  readonly version: string;
}

/** One counter of `attempts`: its name, whose it is, and how long its windows last in milliseconds. */
export interface Counter {
  readonly name: string;
  readonly key: string;
  readonly windowMs: number;
}

export interface Count {
  readonly totalHits: number;
  readonly resetTime: Date;
}

export interface WriteOptions {
  /** The version the entry must still have; null: there must be none. */
  readonly expect: string | null;
  /** Milliseconds since the epoch; afterwards the entry counts as absent. Default: it stays. */
  readonly expiresAt?: number;
}

/**
 * Where accounts live. Everything that may happen only once in this product (a TOTP step, a backup code, a device token)
 * is one conditional write of this contract, so the contract is small and its atomicity is everything.
 *
 * Any rejection, time-out, or answer of another shape is a failure: the request is refused (503) and nothing is granted.
 */
export interface Store {
  /** The entry as it is now, or undefined when absent or expired. Never an older one than a finished write left. */
  read(key: string): Promise<Entry | undefined>;
  /**
   * As `read`, but without asking the server where a copy is at hand that the server promised to call back. It may be older
   * than a finished write, by as much as the store documents. Optional: what it says only ever lets a full login go on; anything
   * else is decided by `read`.
   */
  glance?(key: string): Promise<Entry | undefined>;
  /**
   * Writes if the entry still has `expect`. Atomic: of any number of simultaneous writes that expect the same version,
   * in any number of processes, exactly one answers the new version; the others answer undefined and change nothing.
   */
  write(key: string, value: string, options: WriteOptions): Promise<string | undefined>;
  /** Removes if the entry still has `expect`; answers whether it did. Atomic as `write` is. */
  remove(key: string, options: { readonly expect: string }): Promise<boolean>;
  /** Attempt counters in express-rate-limit's `Store` contract: same name, same counters, in every process. */
  attempts(name: string, windowMs: number, clock: Clock): RateLimitStore;
  /**
   * Increments several of those counters at once; answers their counts in order. Where it rejects none is counted, as far as the
   * store can tell. Optional, with `decrementAll`: without the two each counter is asked by itself.
   */
  incrementAll?(counters: readonly Counter[], clock: Clock): Promise<readonly Count[]>;
  /** Takes one attempt back from each, never below nothing. */
  decrementAll?(counters: readonly Counter[], clock: Clock): Promise<void>;
  /**
   * The keys that begin with `kind:`, in any order, some perhaps twice. What comes or goes meanwhile may be missed.
   * Optional: only the rotation of keys walks through a store.
   */
  list?(kind: string): AsyncIterable<string>;
  /** Told once which clock the application configured. Optional: a store whose server keeps time needs it only for cleanup. */
  useClock?(clock: Clock): void;
}
