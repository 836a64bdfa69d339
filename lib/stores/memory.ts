import type { Clock } from "../core/nouns.js";
import type { Entry, RateLimitStore, Store, WriteOptions } from "./contract.js";

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

interface Row extends Entry {
  readonly expiresAt: number;
}

interface Counter {
  hits: number;
  resetAt: number;
}

/** Expired rows removed per write, from the oldest on: the sweep's cost is spread over the writes that cause it. */
const SWEPT_PER_WRITE = 4;

function sweep<T>(queue: Map<string, T>, rows: Map<string, T>, isExpired: (row: T) => boolean): void {
  let looked = 0;
  for (const [key, row] of queue) {
    if (looked === SWEPT_PER_WRITE) return;
    looked += 1;
    if (!isExpired(row)) continue;
    queue.delete(key);
    rows.delete(key);
  }
}

// express-rate-limit ships a memory store too, but it reads the system clock and sweeps with a timer; ours must follow
// the application's clock, or a test that moves time would see limits that do not.
function countersIn(rows: Map<string, Counter>, windowMs: number, clock: Clock): RateLimitStore {
  const current = (key: string): Counter | undefined => {
    const row = rows.get(key);
    return row !== undefined && row.resetAt > clock() ? row : undefined;
  };
  return {
    localKeys: false,
    get(key) {
      const row = current(key);
      return row && { totalHits: row.hits, resetTime: new Date(row.resetAt) };
    },
    increment(key) {
      sweep(rows, rows, (row) => row.resetAt <= clock());
      const row = current(key) ?? { hits: 0, resetAt: clock() + windowMs };
      row.hits += 1;
      rows.set(key, row);
      return { totalHits: row.hits, resetTime: new Date(row.resetAt) };
    },
    decrement(key) {
      const row = current(key);
      if (row !== undefined && row.hits > 0) row.hits -= 1;
    },
    resetKey(key) {
      rows.delete(key);
    },
  };
}

class ProcessMemory implements MemoryStore {
  readonly memory: { readonly production: boolean };
  private clock: Clock;
  private version = 0;
  private readonly rows = new Map<string, Row>();
  private readonly expiring = new Map<string, Row>();
  private readonly counters = new Map<string, Map<string, Counter>>();

  constructor(private readonly options: MemoryStoreOptions) {
    this.memory = { production: options.production ?? false };
    this.clock = options.clock ?? Date.now;
  }

  useClock(clock: Clock): void {
    this.clock = this.options.clock ?? clock;
  }

  async read(key: string): Promise<Entry | undefined> {
    const row = this.current(key);
    return row && { value: row.value, version: row.version };
  }

  async write(key: string, value: string, { expect, expiresAt = Infinity }: WriteOptions): Promise<string | undefined> {
    sweep(this.expiring, this.rows, (row) => row.expiresAt <= this.clock());
    if ((this.current(key)?.version ?? null) !== expect) return undefined;
    this.version += 1;
    const row: Row = { value, version: String(this.version), expiresAt };
    this.rows.set(key, row);
    this.expiring.delete(key);
    if (expiresAt < Infinity) this.expiring.set(key, row);
    return row.version;
  }

  async remove(key: string, { expect }: { readonly expect: string }): Promise<boolean> {
    if (this.current(key)?.version !== expect) return false;
    this.expiring.delete(key);
    return this.rows.delete(key);
  }

  async *list(kind: string): AsyncGenerator<string> {
    for (const key of [...this.rows.keys()]) {
      if (key.startsWith(`${kind}:`) && this.current(key) !== undefined) yield key;
    }
  }

  attempts(name: string, windowMs: number, clock: Clock): RateLimitStore {
    const rows = this.counters.get(name) ?? new Map<string, Counter>();
    this.counters.set(name, rows);
    return countersIn(rows, windowMs, clock);
  }

  private current(key: string): Row | undefined {
    const row = this.rows.get(key);
    return row !== undefined && row.expiresAt > this.clock() ? row : undefined;
  }
}

/**
 * Keeps everything in this process: for development, tests and single-process tools.
 *
 * Does NOT survive a restart and is NOT shared between processes; production refuses it unless told otherwise.
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
  return new ProcessMemory(options);
}
