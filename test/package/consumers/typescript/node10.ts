// Applications that resolve as Node did before packages had exports: they find the types by `typesVersions`, and nothing else.
import type { Kysely } from "kysely";
import { secondFactor, totp, type Store } from "express-second-factor";
import { signInWithPasskey } from "express-second-factor/browser";
import { redisStore, type NodeRedisClient } from "express-second-factor/redis";
import { createTables, sqlStore } from "express-second-factor/sql";
import { authenticatorApp } from "express-second-factor/testing";

export function stores(redis: NodeRedisClient, db: Kysely<unknown>): readonly Store[] {
  return [redisStore(redis), sqlStore(db)];
}

export const mfa = secondFactor({ issuer: "Acme", origin: "http://localhost:3000", methods: [totp()] });
export const phone = (uri: string): string => authenticatorApp(uri).code();
export const tables = (db: Kysely<unknown>): Promise<void> => createTables(db);
export const signIn = async (): Promise<string> => (await signInWithPasskey({ base: "/2fa" })).status;
