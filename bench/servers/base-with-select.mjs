// @ts-check
import { Pool } from "pg";
import { createApplication } from "./application.mjs";
import { secretOf } from "./secrets.mjs";

const TABLE = "create table if not exists bench_users (id text primary key, version text not null)";
const ADD = "insert into bench_users (id, version) values ($1, $2) on conflict do nothing";
/** By name, so that the server plans it once for each connection. */
const SELECT = { name: "bench-user", text: "select version from bench_users where id = $1" };

/**
 * The application without the line that asks PostgreSQL one thing at every request of a user: what no status that comes from the
 * database can cost less than.
 * @type {import("./main.mjs").BuildStack}
 */
export async function baseWithSelect({ sessions, store }) {
  const pool = new Pool({ connectionString: store?.url });
  await pool.query(TABLE);
  /** @type {import("express").RequestHandler} */
  const middleware = (req, _res, next) => {
    if (req.user === undefined) return next();
    const { id } = /** @type {import("./application.mjs").User} */ (req.user);
    return void pool.query({ ...SELECT, values: [id] }).then(() => next(), next);
  };
  return {
    app: await createApplication({ sessions, middleware }),
    async enroll(name) {
      await pool.query(ADD, [name, "1"]);
      return secretOf(name);
    },
  };
}
