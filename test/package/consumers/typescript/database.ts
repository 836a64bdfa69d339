// The one part that needs Kysely, and only this one.
import type { Kysely } from "kysely";
import type { Store } from "express-second-factor";
import { createTables, removeExpired, sqlStore } from "express-second-factor/sql";

export async function prepare(db: Kysely<{ users: { id: string } }>): Promise<Store> {
  await createTables(db);
  await removeExpired(db);
  return sqlStore(db);
}
