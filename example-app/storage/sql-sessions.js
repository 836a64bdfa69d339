// Sessions of express-session in a table, small enough to read. For your own application there are packages.
import { callbackify } from "node:util";
import session from "express-session";

const DAY = 24 * 60 * 60 * 1000;

/** The cookie's end, or a day from the last request where the cookie lasts as long as the browser is open. */
function expiryOf({ cookie }) {
  return cookie.expires ? new Date(cookie.expires).getTime() : Date.now() + DAY;
}

export function createSessionTable(db) {
  return db.schema
    .createTable("demo_sessions")
    .ifNotExists()
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("content", "text", (column) => column.notNull())
    .addColumn("expires_at", "bigint", (column) => column.notNull())
    .execute();
}

export class SqlSessions extends session.Store {
  #db;

  constructor(db) {
    super();
    this.#db = db;
  }

  get = callbackify(async (id) => {
    const row = await this.#db
      .selectFrom("demo_sessions")
      .select("content")
      .where("id", "=", id)
      .where("expires_at", ">", Date.now())
      .executeTakeFirst();
    return row && JSON.parse(row.content);
  });

  set = callbackify(async (id, content) => {
    const row = { content: JSON.stringify(content), expires_at: expiryOf(content) };
    await this.#db
      .insertInto("demo_sessions")
      .values({ id, ...row })
      .onConflict((conflict) => conflict.column("id").doUpdateSet(row))
      .execute();
  });

  touch = callbackify(async (id, content) => {
    await this.#db
      .updateTable("demo_sessions")
      .set({ expires_at: expiryOf(content) })
      .where("id", "=", id)
      .execute();
  });

  destroy = callbackify(async (id) => {
    await this.#db.deleteFrom("demo_sessions").where("id", "=", id).execute();
  });

  /** The application does this at start; one that never restarts does it now and then. */
  async removeExpired() {
    await this.#db.deleteFrom("demo_sessions").where("expires_at", "<=", Date.now()).execute();
  }
}
