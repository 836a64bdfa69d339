import { ConfigurationError } from "../core/errors.js";
import type { Clock } from "../core/nouns.js";
import { optionsProblems } from "../core/option-names.js";
import type { Entry, Store, WriteOptions } from "./contract.js";
import { ExpiryQueue } from "./expiry-queue.js";

export interface MemoryStoreOptions {
  /** Default: the clock of the `secondFactor` that uses the store. */
  readonly clock?: Clock;
  /**
   * Accept the store in production: one process, and every enrollment is lost when it ends. Default: false.
   */
  readonly production?: boolean;
}

/** The memory store, which says what it is so that production can refuse it. */
export interface MemoryStore extends Store {
  readonly memory: { readonly production: boolean };
}

interface Row {
  readonly entry: Entry;
  readonly expiresAt: number;
}

/** Expired rows removed per write: more than one comes with it, so that they never pile up, and no write pays for all. */
const SWEPT_PER_WRITE = 4;

class ProcessMemory implements MemoryStore {
  readonly memory: { readonly production: boolean };
  private clock: Clock;
  private version = 0;
  private readonly rows = new Map<string, Row>();
  private readonly expiring = new ExpiryQueue();

  constructor(private readonly options: MemoryStoreOptions) {
    this.memory = { production: options.production ?? false };
    this.clock = options.clock ?? Date.now;
  }

  useClock(clock: Clock): void {
    this.clock = this.options.clock ?? clock;
  }

  async read(key: string): Promise<Entry | undefined> {
    return this.current(key);
  }

  async write(key: string, value: string, { expect, expiresAt = Infinity }: WriteOptions): Promise<string | undefined> {
    this.sweep();
    if ((this.current(key)?.version ?? null) !== expect) return undefined;
    this.version += 1;
    const version = String(this.version);
    this.rows.set(key, { entry: { value, version }, expiresAt });
    if (expiresAt < Infinity) this.expiring.add({ key, version, expiresAt });
    return version;
  }

  async remove(key: string, { expect }: { readonly expect: string }): Promise<boolean> {
    return this.current(key)?.version === expect && this.rows.delete(key);
  }

  async *list(kind: string): AsyncGenerator<string> {
    for (const key of [...this.rows.keys()]) {
      if (key.startsWith(`${kind}:`) && this.current(key) !== undefined) yield key;
    }
  }

  private current(key: string): Entry | undefined {
    const row = this.rows.get(key);
    return row !== undefined && row.expiresAt > this.clock() ? row.entry : undefined;
  }

  private sweep(): void {
    const now = this.clock();
    for (let swept = 0; swept < SWEPT_PER_WRITE; swept += 1) {
      const expired = this.expiring.takeExpired(now);
      if (expired === undefined) return;
      // Written again since, it stays or has another place in the queue.
      if (this.rows.get(expired.key)?.entry.version === expired.version) this.rows.delete(expired.key);
    }
  }
}

/** This package's own memory store, and no wrapper around one. */
export function isProcessMemory(store: Store): boolean {
  return store instanceof ProcessMemory;
}

/**
 * Keeps everything in this process: for development, tests and single-process tools.
 *
 * Does NOT survive a restart and is NOT shared between processes; production refuses it unless told otherwise. Brings no store for
 * `limits.address`: express-rate-limit's own keeps that in memory, too.
 *
 * @throws ConfigurationError for an option it does not have
 *
 * @example
 * ```ts
 * import { memoryStore } from "express-second-factor";
 *
 * // One process, whose users set up anew after each restart.
 * app.use(secondFactor({ ..., store: memoryStore({ production: true }) }));
 * ```
 */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const problems = optionsProblems(options, ["clock", "production"], "memoryStore: ");
  if (problems.length > 0) throw new ConfigurationError(problems);
  return new ProcessMemory(options);
}
