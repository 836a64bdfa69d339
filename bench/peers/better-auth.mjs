// better-auth with its two-factor plugin behind Express, as its guide for Express shows it.
import { createRequire } from "node:module";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { twoFactor } from "better-auth/plugins";
import express from "express";
import { Kysely, SqliteDialect } from "kysely";
import { ORIGIN } from "../measure/load.mjs";
import { connectRedis } from "../servers/application.mjs";
import { PASSWORD } from "../servers/password.mjs";

const Database = createRequire(import.meta.url)("libsql");

/** Sessions and verifications in Redis beside the database, as better-auth calls it. */
async function secondaryStorage(url) {
  const client = await connectRedis(url);
  return {
    get: (key) => client.get(key),
    set: (key, value, ttl) => (ttl ? client.set(key, value, { EX: ttl }) : client.set(key, value)),
    delete: (key) => client.del(key),
    getAndDelete: (key) => client.getDel(key),
  };
}

/** @type {import("../servers/main.mjs").BuildStack} */
export async function betterAuthStack({ sessions }) {
  const options = {
    baseURL: ORIGIN,
    secret: "a fixed secret for measuring, long enough",
    database: {
      db: new Kysely({ dialect: new SqliteDialect({ database: new Database(":memory:") }) }),
      type: "sqlite",
    },
    ...(sessions === undefined ? {} : { secondaryStorage: await secondaryStorage(sessions) }),
    emailAndPassword: {
      enabled: true,
      // As in the other stacks: see PASSWORD.
      password: { hash: async (password) => password, verify: async ({ password }) => password === PASSWORD },
    },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
    plugins: [twoFactor({ skipVerificationOnEnable: true })],
  };
  const { runMigrations } = await getMigrations(options);
  await runMigrations();
  const auth = betterAuth(options);
  const app = express();
  app.all("/api/auth/*splat", toNodeHandler(auth));
  return { app, enroll: (name) => enroll(auth, name) };
}

async function enroll(auth, name) {
  const signedUp = await auth.api.signUpEmail({
    body: { name, email: `${name}@bench.example`, password: PASSWORD },
    asResponse: true,
  });
  const cookie = signedUp.headers
    .getSetCookie()
    .map((line) => line.split(";")[0])
    .join("; ");
  const { totpURI } = await auth.api.enableTwoFactor({
    body: { password: PASSWORD },
    headers: { cookie },
  });
  const secret = new URL(totpURI).searchParams.get("secret");
  return decodeBase32(secret);
}

function decodeBase32(text) {
  const digits = [...text].map((character) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(character));
  const bits = digits.map((digit) => digit.toString(2).padStart(5, "0")).join("");
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}
