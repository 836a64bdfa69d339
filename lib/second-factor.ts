import type { RequestHandler } from "express";
import type { Strategy } from "passport";
import { ConfigurationError } from "./core/errors.js";
import type { MethodType, UserId } from "./core/nouns.js";
import type { Accounts } from "./engine/accounts.js";
import type { Approval } from "./engine/approval.js";
import { createEngine } from "./engine/engine.js";
import type { RotateKeysOptions, RotationReport } from "./engine/key-rotation.js";
import type { Events } from "./events/emitter.js";
import { type ApproveOptions, createApprove } from "./http/approve.js";
import { Middleware } from "./http/middleware.js";
import type { Method } from "./http/method.js";
import { createRequire, type RequireOptions } from "./http/require.js";
import { createStrategy, type StrategyOptions } from "./http/strategy.js";
import { backupCodes } from "./methods/backup-codes/backup-codes.js";
import { passkeys } from "./methods/passkeys/passkeys.js";
import { totp } from "./methods/totp/totp.js";
import type { SecondFactorOptions } from "./options/options.js";
import { resolveOptions } from "./options/settings.js";

// Here, because only what the entry point leads to is in the published types.
declare module "passport" {
  interface AuthenticateOptions {
    /**
     * `"inline"`: a login that needs a second factor is not answered by the middleware; a strategy of `mfa.strategy()` further
     * down the same chain verifies it.
     */
    secondFactor?: "inline" | undefined;
  }
}

/** The middleware, and everything else an application does with second factors. */
export interface SecondFactor extends RequestHandler {
  /**
   * A guard for one route: asks for a proof that is fresh, strong or tied to this one operation. A browser is sent to the
   * challenge and comes back; a client gets 401 `step-up-required` (RFC 9470), proves and retries.
   *
   * This does NOT sign anyone in and does NOT replay a form that was posted.
   * @throws ConfigurationError for options no request could satisfy
   *
   * @example
   * ```ts
   * app.post("/settings/email", mfa.require({ maxAge: "5m" }), changeEmail);
   * app.get("/admin", mfa.require({ phishingResistant: true }), admin);
   * app.post("/transfer", mfa.require({ bind: (req) => `Pay ${req.body.amount} to ${req.body.to}` }), transfer);
   * ```
   */
  require(options?: RequireOptions): RequestHandler;
  /**
   * A Passport strategy of that name, which verifies the user whose second factor is due and completes the login, under the
   * limits of the built-in routes. Its routes are named in `exempt`. It fails with 401, or with 429 and `Retry-After`. Where no second
   * factor is due (none is set up, the browser is trusted, the login is complete) it succeeds, even with a wrong code; with
   * `{ always: true }` it asks for a right one there too, and whoever has no such factor fails.
   *
   * This does NOT check passwords, and only `"passkey"` begins a login by itself.
   * @throws ConfigurationError for a method not configured, and for options it does not have
   *
   * @example
   * ```ts
   * passport.use(mfa.strategy("totp"));
   *
   * // One form asks for password and code.
   * app.post(
   *   "/login-with-code",
   *   passport.authenticate("local", { secondFactor: "inline" }),
   *   passport.authenticate("totp", { successRedirect: "/" }),
   * );
   * ```
   */
  strategy(type: MethodType, options?: StrategyOptions): Strategy;
  /**
   * Asks a user on their device (`push()`), without a session: for a job, an agent, the help desk. The owner reads `operation` and
   * `actor` there, and approves with the number that `onNumber` was given and somebody has shown them by another way. Resolves with what
   * they decided, once: `"expired"` where they did not in time, or a sign-in of theirs has taken its place. It is asked as often as
   * sign-ins may ask, and counted with them. While it waits it keeps the process alive.
   *
   * Does NOT sign anybody in, and does NOT do what was approved. What it answers is for this call alone: nobody can ask for it again.
   * @throws NotAskedError where it cannot be asked: `code` says why, `retryAfter` in whole seconds how long to wait
   * @throws UnavailableError where store or keys do not answer, or `onNumber` does not; what `onNumber` throws itself is thrown on
   * @throws ConfigurationError without `push()` among the methods, or without an `actor` who is not the user; TypeError for other
   * arguments
   *
   * @example
   * ```ts
   * app.post("/support/users/:id/change-address", async (req, res) => {
   *   const onNumber = (number: string) => log.info(`Tell the caller: type ${number} on your device.`);
   *   const approval = await mfa.approve(req.params.id, { operation: "Change my address", actor: "support:7", onNumber });
   *   res.sendStatus(approval === "approved" ? 204 : 403);
   * });
   * ```
   */
  approve(userId: UserId, options: ApproveOptions): Promise<Approval>;
  /** Operations on a user's account from the application's own code: no request needed. */
  readonly accounts: Accounts;
  /**
   * Everything that happens, as it happens, without any secret in it. The same events are published on the
   * `node:diagnostics_channel` called `express-second-factor`. A listener that throws is reported as a process warning.
   *
   * `"error"` tells what failed (a function of the application's that threw, or answered what is no answer; store, limits, keys,
   * session, sender) with its place and what was thrown, as it was thrown: what secrets your own errors hold is yours. Every 503 has
   * one. Where nobody listens, each place is printed once, as the process warning `SECOND_FACTOR_ERROR`; it never ends the process.
   *
   * @example
   * ```ts
   * mfa.events.on("audit", (event) => {
   *   log.info(event);
   *   if (event.action === "device-replayed") log.error(`A trusted browser of user ${event.userId} was copied`);
   * });
   * mfa.events.on("error", ({ error, place }) => log.error({ place, error }));
   * ```
   */
  readonly events: Events;
  /**
   * Resolves when the store answers and the keys open what is stored in it; rejects with the reason in its message otherwise. For
   * start-up and health checks. Accounts whose only methods are no longer among `methods` are counted once in a process (of the first
   * 10,000, for 5 s at most, where the store can list) and told as the process warning `SECOND_FACTOR_METHODS` and an error event:
   * they do NOT make it reject.
   * @throws ConfigurationError that names each key that something is sealed with and that is not in the ring
   * @throws UnavailableError where store or keys do not answer
   *
   * @example
   * ```ts
   * app.get("/health", (_req, res) => {
   *   mfa.ready().then(
   *     () => res.sendStatus(204),
   *     (error: unknown) => {
   *       log.error(error);
   *       res.sendStatus(503);
   *     },
   *   );
   * });
   * ```
   */
  ready(): Promise<void>;
  /**
   * Seals everything stored with the newest key, so that older keys can leave the ring: run it when every process has the new
   * key in front. Idempotent, so an interrupted rotation is simply run again. A key may go when the report leaves nothing on it.
   *
   * This does NOT help where an old key and an old copy of the store are in one hand: then users must enroll anew.
   * @throws ConfigurationError where the store cannot list, or the key provider cannot tell its keys apart
   * @throws UnavailableError where store or keys stop answering; what is done stays done
   *
   * @example
   * ```ts
   * const { left, unreadable } = await mfa.rotateKeys({
   *   onProgress: ({ accounts, rotated }) => log.info(`${rotated} of ${accounts} accounts sealed anew`),
   * });
   * const mayDropOldKeys = unreadable === 0 && Object.keys(left).length === 0;
   * ```
   */
  rotateKeys(options?: RotateKeysOptions): Promise<RotationReport>;
  /**
   * Does what has fallen due, and answers how many things: telling owners (`notify`) of logins whose password was right and
   * whose second factor never came, and the half time and the end of recoveries. Have a job call it every few minutes, in one process or in all: each thing is done once. A timer
   * of the process that saw the login hastens it, and is lost with the process. Without `notify` nothing falls due.
   *
   * Of a store that cannot `list` it knows only what this process began. It does NOT wait until owners are told.
   * @throws UnavailableError where the store does not answer; what is done stays done
   *
   * @example
   * ```ts
   * setInterval(() => {
   *   mfa.runDue().then(
   *     (done) => log.info({ done }),
   *     (error: unknown) => log.error(error),
   *   );
   * }, 5 * 60_000).unref();
   * ```
   */
  runDue(): Promise<number>;
}

function defaultMethods(): readonly Method[] {
  return [totp(), backupCodes(), passkeys()];
}

/**
 * Makes an Express application that logs users in with Passport ask for their second factor. Mount it after
 * `passport.session()`; login routes stay as they are.
 *
 * While a second factor is due, `req.user` is undefined, `req.isAuthenticated()` is false, and every request but those to
 * `path` and `exempt` is answered here. If the store, the limits, the keys or the policy cannot answer, requests with a login
 * are refused (503), never let through.
 *
 * This does NOT check passwords, does NOT protect what is mounted above it, and does NOT protect a session that is stolen
 * after its sign-in. Errors from above reach error handlers without passing it: the line in the README closes that side.
 *
 * @throws ConfigurationError that lists every problem of the options, each with its mend
 *
 * @example
 * ```ts
 * import { backupCodes, secondFactor, totp } from "express-second-factor";
 *
 * app.use(session({ secret, resave: false, saveUninitialized: false }));
 * app.use(passport.session());
 * app.use(secondFactor({ issuer: "Acme", origin: "http://localhost:3000", methods: [totp(), backupCodes()] }));
 * ```
 */
export function secondFactor<User = Express.User>(options: SecondFactorOptions<User>): SecondFactor {
  // Inside, the user is whatever the application put into the request; only the given readers know its shape.
  const given = options as unknown as SecondFactorOptions;
  const { engine: engineSettings, settings } = resolveOptions(given, defaultMethods);
  const engine = createEngine(engineSettings);
  const middleware = new Middleware(settings, engine);
  const secondFactorMiddleware: RequestHandler = (req, res, next) => {
    middleware.handle(req, res, next);
  };
  return Object.assign(secondFactorMiddleware, {
    require: createRequire(middleware),
    accounts: engine.accounts,
    approve: createApprove(engine, settings),
    events: engine.events,
    strategy(type: MethodType, strategyOptions?: StrategyOptions): Strategy {
      const method = settings.methods.get(type);
      if (method !== undefined) return createStrategy(method, engine, settings, strategyOptions);
      throw new ConfigurationError([`mfa.strategy("${type}"): the method is not among the configured methods`]);
    },
    rotateKeys: (rotation?: RotateKeysOptions) => engine.rotation.run(rotation),
    runDue: () => engine.due.run(),
    ready: () => engine.ready(),
  });
}
