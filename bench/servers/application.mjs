// @ts-check
// The application every stack is measured in: sessions, Passport, a password form, one guarded page.
import { RedisStore } from "connect-redis";
import express from "express";
import session from "express-session";
import passport from "passport";
import { Strategy as LocalStrategy } from "passport-local";
import { createClient } from "redis";
import { PASSWORD } from "./password.mjs";

/** @typedef {{ id: string, username: string }} User */

/** A client as an application has one. @param {string} url @param {import("redis").RedisClientOptions} [options] */
export async function connectRedis(url, options = {}) {
  const client = createClient({ ...options, RESP: 3, url, disableOfflineQueue: true });
  client.on("error", () => undefined);
  return client.connect();
}

/** @param {string} [url] of a Redis server; without one the sessions live in this process */
export async function sessionMiddleware(url) {
  const store = url === undefined ? new session.MemoryStore() : new RedisStore({ client: await connectRedis(url) });
  return session({ secret: "bench", resave: false, saveUninitialized: false, store });
}

/** Users are whoever asks: the name is the id. @returns {import("passport").Authenticator} */
export function createPassport() {
  const authenticator = new passport.Passport();
  authenticator.serializeUser((user, done) => done(null, /** @type {User} */ (user).id));
  authenticator.deserializeUser((id, done) => done(null, { id: String(id), username: String(id) }));
  authenticator.use(
    new LocalStrategy((username, password, done) => {
      done(null, password === PASSWORD ? { id: username, username } : false);
    }),
  );
  return authenticator;
}

/** The page an application has behind its guard, which remembers where a visitor was going. @type {import("express").RequestHandler} */
export const account = (req, res) => {
  if (req.isAuthenticated()) {
    res.json({ hello: /** @type {User} */ (req.user).username });
    return;
  }
  /** @type {import("express-session").Session & { returnTo?: string }} */ (req.session).returnTo = req.originalUrl;
  res.status(401).json({ code: "log-in" });
};

/** @type {import("express").RequestHandler} */
export const loggedIn = (_req, res) => {
  res.json({ ok: true });
};

/**
 * @typedef {object} Parts
 * @property {string | undefined} sessions
 * @property {import("passport").Authenticator} [authenticator]
 * @property {import("express").RequestHandler} [middleware] the line that is added, after `passport.session()`
 */

/** @param {Parts} parts */
export async function createApplication({ sessions, authenticator = createPassport(), middleware }) {
  const app = express();
  app.use(express.json());
  app.use(await sessionMiddleware(sessions));
  app.use(authenticator.session());
  if (middleware !== undefined) app.use(middleware);
  app.get("/account", account);
  app.post("/login", authenticator.authenticate("local"), loggedIn);
  return app;
}
