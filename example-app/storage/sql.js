// Everything in one database, through Kysely. postgres.js and file.js open it.
import { createTables, sqlStore } from "express-second-factor/sql";
import { createSessionTable, SqlSessions } from "./sql-sessions.js";

class SqlUsers {
  #db;

  constructor(db) {
    this.#db = db;
  }

  async add(user) {
    const added = await this.#db
      .insertInto("demo_users")
      .values(user)
      .onConflict((conflict) => conflict.doNothing())
      .returning("id")
      .executeTakeFirst();
    return added !== undefined;
  }

  withEmail(email) {
    return this.#db.selectFrom("demo_users").selectAll().where("email", "=", email).executeTakeFirst();
  }

  withId(id) {
    return this.#db.selectFrom("demo_users").selectAll().where("id", "=", id).executeTakeFirst();
  }
}

function createUserTable(db) {
  return db.schema
    .createTable("demo_users")
    .ifNotExists()
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("email", "text", (column) => column.notNull().unique())
    .addColumn("salt", "text", (column) => column.notNull())
    .addColumn("key", "text", (column) => column.notNull())
    .execute();
}

/** Where another process creates the same table at this moment, PostgreSQL answers an error; then it is there. */
async function createMissing(create, db) {
  await create(db).catch(() => create(db));
}

/** @returns {Promise<import("../storage.js").Storage>} */
export async function storageIn(db, name) {
  await createTables(db);
  await createMissing(createUserTable, db);
  await createMissing(createSessionTable, db);
  const sessions = new SqlSessions(db);
  await sessions.removeExpired();
  return { name, store: sqlStore(db), sessions, users: new SqlUsers(db), close: () => db.destroy() };
}
