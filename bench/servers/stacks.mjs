// @ts-check
// Every stack that can be measured. Each is loaded in its own process only, so that none pays for another's imports.
import { PASSWORD } from "./password.mjs";

/** @type {Record<string, () => Promise<import("./main.mjs").BuildStack>>} */
export const STACKS = {
  base: async () => (await import("./base.mjs")).base,
  "base-with-select": async () => (await import("./base-with-select.mjs")).baseWithSelect,
  product: async () => (await import("./product.mjs")).product,
  floor: async () => (await import("./floor.mjs")).floor,
  "floor-with-passport": async () => (await import("./floor.mjs")).floorWithPassport,
  "floor-promises": async () => (await import("./floor-promises.mjs")).floorPromises,
  "passport-totp": async () => (await import("../peers/passport-totp.mjs")).passportTotp,
  "passport-totp-limited": async () => (await import("../peers/passport-totp.mjs")).passportTotpLimited,
  "better-auth": async () => (await import("../peers/better-auth.mjs")).betterAuthStack,
};

/**
 * @typedef {object} Dialect how a browser logs in to a stack
 * @property {(name: string) => import("../measure/load.mjs").Call} login
 * @property {number} asked the status of an answer to a right password
 * @property {(code: string) => import("../measure/load.mjs").Call} verify
 * @property {string} [page] what only a login opens, where the stack has such a page
 * @property {(answer: import("../measure/load.mjs").Answer) => boolean} opens whether the page was given
 * @property {boolean} [readsSystemClock] its codes follow the system's clock, not the one that is moved
 */

/** @param {string} username @returns {import("../measure/load.mjs").Call} */
const passwordForm = (username) => ({ method: "POST", path: "/login", body: { username, password: PASSWORD } });

/** @param {string} path @returns {Dialect["verify"]} */
const codeForm = (path) => (code) => ({ method: "POST", path, body: { code } });

/** The page of servers/application.mjs. */
const guarded = { page: "/account", opens: (/** @type {{ status: number }} */ { status }) => status === 200 };

/** @type {Dialect} */
const handMade = { login: passwordForm, asked: 200, verify: codeForm("/verify"), ...guarded };

/** @type {Record<string, Dialect>} */
export const DIALECTS = {
  base: handMade,
  "base-with-select": handMade,
  product: { ...handMade, asked: 401, verify: codeForm("/2fa/totp") },
  floor: { login: passwordForm, asked: 200, verify: codeForm("/verify"), opens: () => false },
  "floor-with-passport": handMade,
  "floor-promises": { ...handMade, asked: 401 },
  "passport-totp": { ...handMade, readsSystemClock: true },
  "passport-totp-limited": { ...handMade, readsSystemClock: true },
  "better-auth": {
    login: (name) => ({
      method: "POST",
      path: "/api/auth/sign-in/email",
      body: { email: `${name}@bench.example`, password: PASSWORD },
    }),
    asked: 200,
    verify: codeForm("/api/auth/two-factor/verify-totp"),
    page: "/api/auth/get-session",
    opens: ({ text }) => text.includes("session"),
    readsSystemClock: true,
  },
};
