import type { Kysely } from "kysely";
import { type Clock, MINUTE } from "../core/nouns.js";
import { LINGER } from "./linger.js";
import { type Place, placeOf, type SqlStoreOptions } from "./sql-tables.js";

const BATCH = 500;
const PAUSE = MINUTE;

export interface RemoveExpiredOptions extends SqlStoreOptions {
  /** Milliseconds since the epoch, by which entries expire: the application's `clock`. Default: `Date.now`. */
  readonly clock?: Clock;
}

/** Entries end by the application's clock, rate limits' windows by the process'. */
async function removeBatch({ db, entries, rate }: Place, now: number): Promise<number> {
  const [before, ended] = [Math.floor(now) - LINGER, Date.now() - LINGER];
  // The condition is repeated outside: a row that somebody renewed after it was chosen is not removed.
  const removed = await db
    .deleteFrom(entries)
    .where("expires_at", "<=", before)
    .where("key", "in", (from) =>
      from.selectFrom(entries).select("key").where("expires_at", "<=", before).orderBy("expires_at").limit(BATCH),
    )
    .executeTakeFirst();
  const windows = await db
    .deleteFrom(rate)
    .where("reset_at", "<=", ended)
    .where("key", "in", (from) =>
      from.selectFrom(rate).select("key").where("reset_at", "<=", ended).orderBy("reset_at").limit(BATCH),
    )
    .executeTakeFirst();
  return Number(removed.numDeletedRows) + Number(windows.numDeletedRows);
}

/**
 * Removes entries and rate limits' windows that ended more than five minutes ago, and answers how many. The store does so by itself
 * beside its writes; this is for a job of the application's own.
 *
 * @throws ConfigurationError as `sqlStore` does; otherwise what the database answers, and what is removed stays removed
 *
 * @example
 * ```ts
 * import { removeExpired } from "express-second-factor/sql";
 *
 * const removed = await removeExpired(db);
 * log.info({ removed });
 * ```
 */
export async function removeExpired<DB>(db: Kysely<DB>, options: RemoveExpiredOptions = {}): Promise<number> {
  const place = placeOf(db, options, ["clock"]);
  const { clock = Date.now } = options;
  let removed = 0;
  for (;;) {
    const batch = await removeBatch(place, clock());
    removed += batch;
    if (batch < BATCH) return removed;
  }
}

/** Tidies up at most once a minute, beside whatever is being written and never in its way. */
export class Cleanup {
  private next = -Infinity;

  constructor(
    private readonly place: Place,
    private readonly clock: Clock,
  ) {}

  due(): void {
    const now = this.clock();
    // A clock that was set back does not stop the cleanup.
    if (now < this.next && this.next - now <= PAUSE) return;
    this.next = now + PAUSE;
    removeBatch(this.place, now).then(
      (removed) => {
        if (removed >= BATCH) this.next = -Infinity;
      },
      // The next one will do it; nothing depends on it.
      () => undefined,
    );
  }
}
