import type { Kysely } from "kysely";
import { type Clock, MINUTE } from "../core/nouns.js";
import { type Place, placeOf, type SqlStoreOptions } from "./sql-tables.js";

/** What has expired stays this much longer, because another process's clock may be behind. */
const LINGER = 60 * MINUTE;
const BATCH = 500;
const PAUSE = MINUTE;

export interface RemoveExpiredOptions extends SqlStoreOptions {
  /** Default: `Date.now`. */
  readonly clock?: Clock;
}

async function removeBatch({ db, entries, attempts }: Place, before: number): Promise<number> {
  // The condition is repeated outside: a row that somebody renewed after it was chosen is not removed.
  const gone = await db
    .deleteFrom(entries)
    .where("expires_at", "<=", before)
    .where("key", "in", (from) =>
      from.selectFrom(entries).select("key").where("expires_at", "<=", before).orderBy("expires_at").limit(BATCH),
    )
    .executeTakeFirst();
  const ended = await db
    .deleteFrom(attempts)
    .where("reset_at", "<=", before)
    .where((eb) =>
      eb(
        eb.refTuple("name", "key"),
        "in",
        eb
          .selectFrom(attempts)
          .select(["name", "key"])
          .where("reset_at", "<=", before)
          .orderBy("reset_at")
          .limit(BATCH)
          .$asTuple("name", "key"),
      ),
    )
    .executeTakeFirst();
  return Number(gone.numDeletedRows) + Number(ended.numDeletedRows);
}

/**
 * Removes entries and attempt counters that expired more than an hour ago, and answers how many. The store does so by itself
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
  const { clock = Date.now } = options;
  const place = placeOf(db, options);
  let removed = 0;
  for (;;) {
    const batch = await removeBatch(place, Math.floor(clock()) - LINGER);
    removed += batch;
    if (batch < BATCH) return removed;
  }
}

/** Tidies up at most once a minute, beside whatever is being written and never in its way. */
export class Cleanup {
  private next = -Infinity;

  constructor(private readonly place: Place) {}

  due(now: number): void {
    // A clock that was set back does not stop the cleanup.
    if (now < this.next && this.next - now <= PAUSE) return;
    this.next = now + PAUSE;
    removeBatch(this.place, Math.floor(now) - LINGER).then(
      (removed) => {
        if (removed >= BATCH) this.next = -Infinity;
      },
      // The next one will do it; nothing depends on it.
      () => undefined,
    );
  }
}
