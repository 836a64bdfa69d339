import type { Clock } from "../core/nouns.js";
import type { RateLimitStore } from "./contract.js";
import type { Cleanup } from "./sql-cleanup.js";
import type { Place } from "./sql-tables.js";
import { storedText } from "./stored-text.js";

interface Counting {
  readonly name: string;
  readonly windowMs: number;
  readonly clock: Clock;
}

interface Count {
  readonly totalHits: number;
  readonly resetTime: Date;
}

function countOf(row: { readonly hits: number; readonly reset_at: number | string }): Count {
  return { totalHits: row.hits, resetTime: new Date(Number(row.reset_at)) };
}

/** Attempt counters in the table beside the entries, each operation one statement. */
export class SqlAttempts implements RateLimitStore {
  readonly localKeys = false;

  constructor(
    private readonly place: Place,
    private readonly cleanup: Cleanup,
    private readonly counting: Counting,
  ) {}

  async get(key: string): Promise<Count | undefined> {
    const { db, attempts } = this.place;
    const row = await db
      .selectFrom(attempts)
      .select(["hits", "reset_at"])
      .where("name", "=", this.counting.name)
      .where("key", "=", storedText(key))
      .where("reset_at", ">", this.now())
      .executeTakeFirst();
    return row && countOf(row);
  }

  async increment(key: string): Promise<Count> {
    const { db, attempts } = this.place;
    const { name, windowMs } = this.counting;
    const now = this.now();
    const row = await db
      .insertInto(attempts)
      .values({ name, key: storedText(key), hits: 1, reset_at: Math.ceil(now + windowMs) })
      .onConflict((conflict) =>
        conflict.columns(["name", "key"]).doUpdateSet((eb) => {
          const [hits, resetAt] = [eb.ref(`${attempts}.hits`), eb.ref(`${attempts}.reset_at`)];
          const hasEnded = eb(resetAt, "<=", now);
          return {
            hits: eb
              .case()
              .when(hasEnded)
              .then(eb.lit(1))
              .else(eb(hits, "+", eb.lit(1)))
              .end(),
            reset_at: eb.case().when(hasEnded).then(eb.ref("excluded.reset_at")).else(resetAt).end(),
          };
        }),
      )
      .returning(["hits", "reset_at"])
      .executeTakeFirstOrThrow();
    if (row.hits === 1) this.cleanup.due(now);
    return countOf(row);
  }

  async decrement(key: string): Promise<void> {
    const { db, attempts } = this.place;
    await db
      .updateTable(attempts)
      .set((eb) => ({ hits: eb("hits", "-", eb.lit(1)) }))
      .where("name", "=", this.counting.name)
      .where("key", "=", storedText(key))
      .where("reset_at", ">", this.now())
      .where("hits", ">", 0)
      .execute();
  }

  async resetKey(key: string): Promise<void> {
    const { db, attempts } = this.place;
    await db.deleteFrom(attempts).where("name", "=", this.counting.name).where("key", "=", storedText(key)).execute();
  }

  /** The columns hold whole milliseconds. */
  private now(): number {
    return Math.floor(this.counting.clock());
  }
}
