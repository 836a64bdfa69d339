// @ts-check
// What checking a code cannot cost less than: the session read and written, the sealed secret opened, the digests of three
// steps, one counter and the used step in one place. It makes no promise beyond that: compare floor-promises.mjs.
import { createHash } from "node:crypto";
import express from "express";
import { account, connectRedis, createPassport, loggedIn, sessionMiddleware } from "./application.mjs";
import { matchingStep, open, seal } from "./sealing.mjs";
import { secretOf } from "./secrets.mjs";

const [LIMIT, WINDOW_MS] = [5, 15 * 60_000];

/** Counts the attempt and uses up the step; answers whether the code counts. @typedef {(name: string, step: number, now: number) => Promise<boolean>} Take */

/** @returns {Take} */
function takeInMemory() {
  /** @type {Map<string, { hits: number, until: number, step: number }>} */
  const rows = new Map();
  return async (name, step, now) => {
    const row = rows.get(name) ?? { hits: 0, until: 0, step: 0 };
    rows.set(name, row);
    if (row.until <= now) Object.assign(row, { hits: 0, until: now + WINDOW_MS });
    row.hits += 1;
    if (row.hits > LIMIT || step <= row.step) return false;
    Object.assign(row, { step, hits: row.hits - 1 });
    return true;
  };
}

const TAKE = [
  "local row = redis.call('HMGET', KEYS[1], 'hits', 'until', 'step')",
  "local hits, ends, used = tonumber(row[1] or '0'), tonumber(row[2] or '0'), tonumber(row[3] or '0')",
  "local now, step = tonumber(ARGV[1]), tonumber(ARGV[2])",
  "if ends <= now then hits, ends = 0, now + tonumber(ARGV[4]) end",
  "if hits >= tonumber(ARGV[3]) or step <= used then",
  "  redis.call('HSET', KEYS[1], 'hits', hits + 1, 'until', ends)",
  "  return 0",
  "end",
  "redis.call('HSET', KEYS[1], 'hits', hits, 'until', ends, 'step', step)",
  "return 1",
].join("\n");

/** One script, one round trip. @param {string} url @param {string} prefix @returns {Promise<Take>} */
async function takeInRedis(url, prefix) {
  const client = await connectRedis(url);
  await client.scriptLoad(TAKE);
  const digest = createHash("sha1").update(TAKE).digest("hex");
  return async (name, step, now) => {
    const args = [String(now), String(step), String(LIMIT), String(WINDOW_MS)];
    return Number(await client.evalSha(digest, { keys: [`${prefix}:${name}`], arguments: args })) === 1;
  };
}

/** @param {import("./main.mjs").StackSetting} setting */
async function createCheck({ stack, store, clock }) {
  const take = store?.kind === "redis" ? await takeInRedis(store.url ?? "", stack) : takeInMemory();
  // The sealed secret travels in the session, so that one round trip is enough.
  return async (/** @type {{ name: string, sealed: string }} */ { name, sealed }, /** @type {unknown} */ code) => {
    const now = clock();
    if (typeof code !== "string" || !/^[0-9]{6}$/.test(code)) return false;
    return take(name, matchingStep(open(name, sealed), code, now), now);
  };
}

/** @typedef {import("express-session").Session & { pending?: { name: string, sealed: string }, verified?: string, passport?: unknown }} FloorSession */

/** @type {import("./main.mjs").BuildStack} */
export async function floor(setting) {
  const check = await createCheck(setting);
  const app = express();
  app.use(express.json(), await sessionMiddleware(setting.sessions));
  app.post("/login", (req, res) => {
    const name = String(req.body.username);
    /** @type {FloorSession} */ (req.session).pending = { name, sealed: seal(name, secretOf(name)) };
    res.json({ ok: true });
  });
  app.post("/verify", async (req, res) => {
    const session = /** @type {FloorSession} */ (req.session);
    if (session.pending === undefined || !(await check(session.pending, req.body.code))) {
      res.status(401).json({ code: "invalid-code" });
      return;
    }
    session.verified = session.pending.name;
    delete session.pending;
    res.json({ ok: true });
  });
  return { app, enroll: async (name) => secretOf(name) };
}

/**
 * The same check where it has to live: behind Passport's session and login, and with a new session id after the proof, as
 * OWASP ASVS 7.2.4 asks. What remains between this and a product is the product's own.
 * @type {import("./main.mjs").BuildStack}
 */
export async function floorWithPassport(setting) {
  const check = await createCheck(setting);
  const authenticator = createPassport();
  const app = express();
  app.use(express.json(), await sessionMiddleware(setting.sessions), authenticator.session());
  app.get("/account", account);
  app.post("/login", authenticator.authenticate("local"), (req, res, next) => {
    const name = String(req.body.username);
    /** @type {FloorSession} */ (req.session).pending = { name, sealed: seal(name, secretOf(name)) };
    loggedIn(req, res, next);
  });
  app.post("/verify", async (req, res, next) => {
    const { pending } = /** @type {FloorSession} */ (req.session);
    if (pending === undefined || !(await check(pending, req.body.code))) {
      res.status(401).json({ code: "invalid-code" });
      return;
    }
    const { passport: login } = /** @type {FloorSession} */ (req.session);
    req.session.regenerate((error) => {
      if (error) return next(error);
      Object.assign(req.session, { passport: login, verified: pending.name });
      return loggedIn(req, res, next);
    });
  });
  return { app, enroll: async (name) => secretOf(name) };
}
