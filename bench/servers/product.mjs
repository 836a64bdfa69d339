// @ts-check
import { base32nopad } from "@scure/base";
import { Kysely, PostgresDialect } from "kysely";
import { Pool } from "pg";
import { memoryStore, secondFactor } from "express-second-factor";
import { redisStore } from "express-second-factor/redis";
import { createTables, sqlStore } from "express-second-factor/sql";
import { ORIGIN } from "../measure/load.mjs";
import { connectRedis, createApplication } from "./application.mjs";
import { growthCommands } from "./growth.mjs";
import { copyInMemory, copyInRedis, copyInSql, MODEL } from "./population.mjs";
import { secretOf } from "./secrets.mjs";

/**
 * @typedef {object} Place where the accounts live
 * @property {import("express-second-factor").Store} accounts
 * @property {(count: number) => Promise<void>} copyModel
 */

/** @typedef {import("../measure/server-process.mjs").StoreKind} StoreKind */

/** @type {Record<StoreKind, (url: string) => Promise<Place>>} */
const PLACES = {
  async memory() {
    const accounts = memoryStore({ production: true });
    return { accounts, copyModel: (count) => copyInMemory(accounts, count) };
  },
  async redis(url) {
    const client = await connectRedis(url);
    return { accounts: redisStore(client), copyModel: (count) => copyInRedis(client, count) };
  },
  async sql(url) {
    const pool = new Pool({ connectionString: url });
    const db = new Kysely({ dialect: new PostgresDialect({ pool }) });
    await createTables(db);
    return { accounts: sqlStore(db), copyModel: (count) => copyInSql(pool, count) };
  },
};

/**
 * The application with the one line in it, every option at its default.
 * @type {import("./main.mjs").BuildStack}
 */
export async function product({ sessions, store, keys, clock }) {
  const { accounts, copyModel } = await PLACES[store?.kind ?? "memory"](store?.url ?? "");
  const mfa = secondFactor({
    issuer: "Bench",
    origin: ORIGIN,
    keys,
    store: accounts,
    clock,
  });
  await mfa.ready();
  /** @param {string} name */
  const enroll = async (name) => {
    await mfa.accounts.erase(name);
    const secret = secretOf(name);
    await mfa.accounts.importTotp(name, { secret: base32nopad.encode(secret) });
    await mfa.accounts.regenerateBackupCodes(name);
    return secret;
  };
  return {
    app: await createApplication({ sessions, middleware: mfa }),
    enroll,
    commands: {
      ...growthCommands(mfa.accounts),
      /** Adds so many accounts. */
      async populate({ count }) {
        await enroll(MODEL);
        await copyModel(count);
      },
    },
  };
}
