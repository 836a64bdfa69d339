import { type Statement, statement } from "./sql-statement.js";
import type { Place } from "./sql-tables.js";

interface Named {
  readonly key: string;
}

interface Row extends Named {
  readonly version: string;
  readonly value: string;
  readonly expires_at: number | null;
  readonly now: number;
}

interface Version {
  readonly version: string;
}

export interface ReadRow extends Version {
  /** Null where it is the one that is known. */
  readonly value: string | null;
  readonly expires_at: number | string | null;
}

/** What is done to entries, each one statement. `now` is in whole milliseconds, as the columns are. */
export interface EntryStatements {
  readonly read: Statement<Named & { readonly known: string }, ReadRow>;
  /** Inserts where nothing is, or where what is has expired. */
  readonly create: Statement<Row, Version>;
  readonly replace: Statement<Row & { readonly expect: string }, Version>;
  readonly remove: Statement<Named & { readonly expect: string; readonly now: number }, Version>;
}

const ROW = ["key", "version", "value", "expires_at", "now"] as const;

export function entryStatements(place: Place): EntryStatements {
  const { db, entries } = place;
  return {
    read: statement(db, ["key", "known"], ({ key, known }) =>
      db
        .selectFrom(entries)
        .select((eb) => [
          "version",
          "expires_at",
          eb.case().when("version", "=", known).then(null).else(eb.ref("value")).end().as("value"),
        ])
        .where("key", "=", key),
    ),
    create: statement(db, ROW, ({ now, ...row }) =>
      db
        .insertInto(entries)
        .values(row)
        .onConflict((conflict) =>
          conflict
            .column("key")
            .doUpdateSet((eb) => ({
              version: eb.ref("excluded.version"),
              value: eb.ref("excluded.value"),
              expires_at: eb.ref("excluded.expires_at"),
            }))
            .where(`${entries}.expires_at`, "<=", now),
        )
        .returning("version"),
    ),
    ...changes(place),
  };
}

function changes({ db, entries }: Place): Pick<EntryStatements, "replace" | "remove"> {
  return {
    replace: statement(db, [...ROW, "expect"], ({ expect, expires_at, key, now, value, version }) =>
      db
        .updateTable(entries)
        .set({ version, value, expires_at })
        .where("key", "=", key)
        .where("version", "=", expect)
        .where((eb) => eb.or([eb("expires_at", "is", null), eb("expires_at", ">", now)]))
        .returning("version"),
    ),
    remove: statement(db, ["key", "expect", "now"], ({ expect, key, now }) =>
      db
        .deleteFrom(entries)
        .where("key", "=", key)
        .where("version", "=", expect)
        .where((eb) => eb.or([eb("expires_at", "is", null), eb("expires_at", ">", now)]))
        .returning("version"),
    ),
  };
}
