import type { ClientRateLimitInfo, Options } from "express-rate-limit";
import type { RateLimitStore } from "./contract.js";
import type { Cleanup } from "./sql-cleanup.js";
import { type Statement, statement } from "./sql-statement.js";
import type { Place } from "./sql-tables.js";
import { storedText } from "./stored-text.js";

interface Named {
  readonly key: string;
}

interface AtTime extends Named {
  readonly now: number;
}

interface Row {
  readonly hits: number;
  readonly reset_at: number | string;
}

function countOf({ hits, reset_at }: Row): ClientRateLimitInfo {
  return { totalHits: hits, resetTime: new Date(Number(reset_at)) };
}

/** Begins a window where none is open, else counts in the one that is. */
function incrementIn({ db, rate }: Place): Statement<AtTime & { readonly end: number }, Row> {
  return statement(db, ["key", "now", "end"], ({ end, key, now }) =>
    db
      .insertInto(rate)
      .values((eb) => ({ key, hits: eb.lit(1), reset_at: end }))
      .onConflict((conflict) =>
        conflict.column("key").doUpdateSet((eb) => {
          const [hits, resetAt] = [eb.ref(`${rate}.hits`), eb.ref(`${rate}.reset_at`)];
          const [hasEnded, one] = [eb(resetAt, "<=", now), eb.lit(1)];
          return {
            hits: eb
              .case()
              .when(hasEnded)
              .then(one)
              .else(eb(hits, "+", one))
              .end(),
            reset_at: eb.case().when(hasEnded).then(eb.ref("excluded.reset_at")).else(resetAt).end(),
          };
        }),
      )
      .returning(["hits", "reset_at"]),
  );
}

function getIn({ db, rate }: Place): Statement<AtTime, Row> {
  return statement(db, ["key", "now"], ({ key, now }) =>
    db.selectFrom(rate).select(["hits", "reset_at"]).where("key", "=", key).where("reset_at", ">", now),
  );
}

function decrementIn({ db, rate }: Place): Statement<AtTime, unknown> {
  return statement(db, ["key", "now"], ({ key, now }) =>
    db
      .updateTable(rate)
      .set((eb) => ({ hits: eb("hits", "-", eb.lit(1)) }))
      .where("key", "=", key)
      .where("reset_at", ">", now)
      .where("hits", ">", (eb) => eb.lit(0)),
  );
}

function resetIn({ db, rate }: Place): Statement<Named, unknown> {
  return statement(db, ["key"], ({ key }) => db.deleteFrom(rate).where("key", "=", key));
}

/** One statement for each of its operations. */
class SqlRateLimits implements RateLimitStore {
  readonly localKeys = false;
  private windowMs = 0;
  private readonly statements;

  constructor(
    place: Place,
    private readonly cleanup: Cleanup,
  ) {
    this.statements = {
      get: getIn(place),
      increment: incrementIn(place),
      decrement: decrementIn(place),
      reset: resetIn(place),
    };
  }

  init({ windowMs }: Pick<Options, "windowMs">): void {
    this.windowMs = windowMs;
  }

  async get(key: string): Promise<ClientRateLimitInfo | undefined> {
    const row = await this.statements.get({ key: storedText(key), now: Date.now() });
    return row && row.hits > 0 ? countOf(row) : undefined;
  }

  async increment(key: string): Promise<ClientRateLimitInfo> {
    const now = Date.now();
    const end = Math.ceil(now + this.windowMs);
    const row = await this.statements.increment({ key: storedText(key), now, end });
    if (row === undefined) throw new Error("The database counted an attempt and did not say so");
    this.cleanup.due();
    return countOf(row);
  }

  async decrement(key: string): Promise<void> {
    await this.statements.decrement({ key: storedText(key), now: Date.now() });
  }

  async resetKey(key: string): Promise<void> {
    await this.statements.reset({ key: storedText(key) });
  }
}

/** Counts in the table beside the entries. Windows begin and end by this process' `Date.now`. */
export function sqlRateLimits(place: Place, cleanup: Cleanup): RateLimitStore {
  return new SqlRateLimits(place, cleanup);
}
