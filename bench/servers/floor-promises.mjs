// @ts-check
// The least code behind Passport that keeps what the product promises: a session's worth comes from the store at every request,
// a login that is revoked ends at once, the session's id changes with the proof, the code is used up by one conditional write,
// the secret is sealed, wrong codes are counted per account before anything is told, and an address that gave many is looked
// up first. JSON and TOTP only: no pages, no time-outs, no activity, no backup codes.
import { randomBytes } from "node:crypto";
import express from "express";
import { createAddressLimit } from "./address-limit.mjs";
import { account, createPassport, loggedIn, sessionMiddleware } from "./application.mjs";
import { placeInMemory, placeInRedis } from "./floor-places.mjs";
import { matchingStep, open, seal } from "./sealing.mjs";
import { secretOf } from "./secrets.mjs";

const MOST_LOGINS = 50;
const MOST_TRIES = 9;
/** Reachable while the second factor is due. */
const EXEMPT = new Set(["/login", "/verify"]);

/** @typedef {import("./floor-places.mjs").FloorAccount} FloorAccount */
/** @typedef {import("./floor-places.mjs").Place} Place */
/** @typedef {import("express-session").Session & { login?: string, passport?: unknown }} FloorSession */
/** @typedef {import("express").Request & { known?: FloorAccount }} FloorRequest */

function newId() {
  return randomBytes(16).toString("base64url");
}

/** @param {import("express").Response} res @param {number} status @param {string} code */
function refuse(res, status, code) {
  res.status(status).json({ code });
}

/** @param {FloorRequest} req */
function nameOf({ user }) {
  return /** @type {import("./application.mjs").User | undefined} */ (user)?.id;
}

/** @param {Place} place @returns {import("express").RequestHandler} */
function createGate({ readNow, read }) {
  /** @param {FloorRequest} req @param {import("express").Response} res @param {import("express").NextFunction} next @param {FloorAccount | undefined} found */
  const judge = (req, res, next, found) => {
    if (found === undefined) return next();
    const { login } = /** @type {FloorSession} */ (req.session);
    if (login !== undefined && found.logins.includes(login)) return next();
    req.known = found;
    if (EXEMPT.has(req.path)) return next();
    delete req.user;
    return refuse(res, 401, "second-factor-required");
  };
  return (req, res, next) => {
    const name = nameOf(req);
    if (name === undefined) return next();
    if (readNow !== undefined) return judge(req, res, next, readNow(name));
    return void read(name).then(
      (found) => judge(req, res, next, found),
      () => refuse(res, 503, "unavailable"),
    );
  };
}

/**
 * Checks a code and uses it up; undefined where another write came in between.
 * @param {Place} place @param {string} name @param {FloorAccount} known @param {string} code @param {number} now
 */
async function tryOnce(place, name, known, code, now) {
  const step = matchingStep(open(name, known.sealed), code, now);
  const isRight = step > known.step;
  const login = newId();
  const logins = [...known.logins, login].slice(-MOST_LOGINS);
  const next = isRight ? { ...known, version: newId(), step, logins } : undefined;
  const settled = await place.settle({ name, now, version: known.version, next });
  if (settled === "stale") return undefined;
  if (settled === "limited") return { refusal: "too-many-attempts" };
  return isRight ? { login } : { refusal: "invalid-code" };
}

/** @param {Place} place @param {() => number} clock */
function createCheck(place, clock) {
  /** @param {FloorRequest} req @returns {Promise<{ login?: string, refusal?: string }>} */
  return async (req) => {
    const [name, code] = [nameOf(req), req.body.code];
    if (name === undefined || typeof code !== "string" || !/^[0-9]{6}$/.test(code)) return { refusal: "invalid-code" };
    let { known } = req;
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      known ??= await place.read(name);
      if (known === undefined) return { refusal: "invalid-code" };
      const tried = await tryOnce(place, name, known, code, clock());
      if (tried !== undefined) return tried;
      known = undefined;
    }
    return { refusal: "unavailable" };
  };
}

/** @type {Record<string, number>} */
const STATUSES = { "invalid-code": 401, "too-many-attempts": 429, unavailable: 503 };

/** The code's route, behind the limit. @param {ReturnType<typeof createCheck>} check @param {ReturnType<typeof createAddressLimit>} limit @returns {import("express").RequestHandler} */
function verifyRoute(check, limit) {
  return async (req, res, next) => {
    const { login, refusal } = await check(req).catch(() => ({ login: undefined, refusal: "unavailable" }));
    if (login === undefined) {
      if (refusal === "invalid-code") await limit.count(req);
      return refuse(res, STATUSES[refusal ?? ""] ?? 503, refusal ?? "");
    }
    const { passport } = /** @type {FloorSession} */ (req.session);
    req.session.regenerate((error) => {
      if (error) return next(error);
      Object.assign(req.session, { passport, login });
      return loggedIn(req, res, next);
    });
  };
}

/** @type {import("./main.mjs").BuildStack} */
export async function floorPromises({ sessions, store, clock, stack }) {
  const inRedis = store?.kind === "redis" ? await placeInRedis(store.url ?? "", stack) : undefined;
  const place = inRedis ?? placeInMemory();
  const limit = createAddressLimit(inRedis?.client, `${stack}:rl:`);
  const authenticator = createPassport();
  const app = express();
  app.use(express.json(), await sessionMiddleware(sessions), authenticator.session(), createGate(place));
  app.get("/account", account);
  app.post("/login", authenticator.authenticate("local"), async (req, res, next) => {
    const known = await place.read(nameOf(req) ?? "");
    if (known !== undefined) return refuse(res, 401, "second-factor-required");
    return loggedIn(req, res, next);
  });
  app.post("/verify", limit.look, verifyRoute(createCheck(place, clock), limit));
  return {
    app,
    async enroll(name) {
      const secret = secretOf(name);
      await place.put(name, { version: newId(), sealed: seal(name, secret), step: 0, logins: [] });
      return secret;
    },
  };
}
