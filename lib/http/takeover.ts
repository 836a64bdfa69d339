import { IncomingMessage } from "node:http";
import type { Request } from "express";
import { ConfigurationError } from "../core/errors.js";
import { awaitable } from "./awaited.js";
import { actingOn } from "./go-on-acting.js";
import { type Done, override, type Session } from "./session.js";
import { carriedState, type RequestState, stateOf } from "./request-state.js";
import { callBackAfter } from "./refusals.js";
import { hideUser } from "./user-visibility.js";

/**
 * Takes `logIn`, `logOut` and `session.destroy` over, request by request: what an application has put on a request is that
 * request's own, and may close over it.
 */

type Method = (this: unknown, ...given: unknown[]) => unknown;
type Names = readonly ["logIn" | "logOut", "login" | "logout"];

const LOG_IN: Names = ["logIn", "login"];
const LOG_OUT: Names = ["logOut", "logout"];

/** Our methods, by what lies under each. */
const originals = new WeakMap<object, Method>();

function originalOf(method: unknown): Method | undefined {
  if (typeof method !== "function") return undefined;
  return originals.get(method) ?? (method as Method);
}

type Run = (state: RequestState, original: Method, given: unknown[]) => void;

/**
 * A way to make our method above another one. Passport gives every request the same two methods, so each is made once. On a copy of
 * a request (`Object.create(req)`, a proxy) it is the request itself that is logged in.
 */
function gatedBy(run: Run): (original: Method) => Method {
  const made = new WeakMap<Method, Method>();
  return (original) => {
    const known = made.get(original);
    if (known !== undefined) return known;
    const gated: Method = function gated(...given) {
      const state = carriedState(this as Request);
      if (state === undefined) return original.apply(this, given);
      run(state, original, given);
      return undefined;
    };
    made.set(original, awaitable(gated));
    originals.set(gated, original);
    return gated;
  };
}

const gatedLogIn = gatedBy((state, original, [user, options, done]) => {
  state.keeper.passportLogin.logIn(state, original, user as Express.User, options, done);
});

const gatedLogOut = gatedBy((state, original, [options, done]) => {
  state.keeper.passportLogin.logOut(state, original, options, done);
});

const LATE = [
  "Passport came to this request after app.use(mfa), which could ask nobody for a second factor there: app.use(mfa) must come after app.use(passport.session()), or after app.use(passport.initialize()) where no session is kept",
];

/** A login by a Passport that comes too late is none: what it would let in has never been looked at. */
const lateLogIn = gatedBy((_state, _original, [, options, done]) => {
  const tell = typeof options === "function" ? options : done;
  const error = new ConfigurationError(LATE);
  if (typeof tell !== "function") throw error;
  (tell as Done)(error);
});

/**
 * A Passport that comes further down brings its methods then: they are taken over as they are put. What is put over ours later is
 * the application's own. `tellOf`: whoever Passport restores from the session on its way has not been looked at.
 */
function awaitMethod(req: Request, names: Names, gate: (original: Method) => Method, tellOf?: () => void): void {
  let current: Method | undefined;
  const put = (method: Method): void => {
    const isPassports = current === undefined || originals.get(current) === method;
    current = isPassports && !originals.has(method) ? gate(method) : method;
  };
  for (const name of names) {
    Object.defineProperty(req, name, {
      configurable: true,
      enumerable: true,
      get: () => current,
      set: (method: unknown) => {
        if (typeof method !== "function") return;
        put(method as Method);
        tellOf?.();
      },
    });
  }
}

function takeOverMethod(req: Request, names: Names, method: unknown, gate: (original: Method) => Method): void {
  if (typeof method !== "function" || originals.has(method)) return;
  const gated = gate(method as Method);
  for (const name of names) (req as unknown as Record<string, unknown>)[name] = gated;
}

let hasTold = false;

/** No user is there yet, so there is nobody to hide; who comes from now on comes too late. */
function closeToLate(req: Request): void {
  hideUser(req);
  if (hasTold) return;
  hasTold = true;
  process.emitWarning(LATE.join(), { code: "SECOND_FACTOR_ORDER" });
}

/** What all requests of one Express share; the request itself where it is no message of Node's HTTP/1 server. */
function sharedBy(req: Request): object {
  let shared: object = req;
  for (;;) {
    const next = Object.getPrototypeOf(shared) as object | null;
    if (next === IncomingMessage.prototype) return shared;
    if (next === null) return req;
    shared = next;
  }
}

const SECOND_FACTOR: PropertyDescriptor & ThisType<Request> = {
  configurable: true,
  enumerable: false,
  get() {
    return stateOf(this)?.secondFactor;
  },
  set(value: unknown) {
    Object.defineProperty(this, "secondFactor", { configurable: true, enumerable: true, writable: true, value });
  },
};

/** Takes over `logIn` and `logOut` of a request, and gives it `secondFactor`. */
export function takeOver(req: Request): void {
  const { logIn, logOut } = req as { logIn?: unknown; logOut?: unknown };
  if (typeof logIn === "function") takeOverMethod(req, LOG_IN, logIn, gatedLogIn);
  else
    awaitMethod(req, LOG_IN, lateLogIn, () => {
      closeToLate(req);
    });
  if (typeof logOut === "function") takeOverMethod(req, LOG_OUT, logOut, gatedLogOut);
  else awaitMethod(req, LOG_OUT, gatedLogOut);
  if (!("secondFactor" in req)) Object.defineProperty(sharedBy(req), "secondFactor", SECOND_FACTOR);
}

/** Passport's own `logOut` of a request. */
export function ownLogOut(req: Request): Method | undefined {
  return originalOf((req as { logOut?: unknown }).logOut);
}

type OwnSession = Session & { readonly req?: Request };
type SessionMethod = (this: Session, done: Done) => unknown;

const watched = new WeakSet<object>();

/** A callback may be left out, or be anything that is none. */
function callbackOf(given: unknown): Done {
  return typeof given === "function" ? (given as Done) : () => undefined;
}

function destroyAndEnd(state: RequestState, destroy: (done: Done) => unknown, done: Done): void {
  const ending = state.keeper.passportLogin.end(state.req);
  destroy((error) => {
    callBackAfter(ending, done, error);
  });
}

/**
 * `session.destroy` is a logout too. The session goes in any case; a record that could not be written is an error. Sessions of
 * express-session know their request, and share what they are made of; others are watched one by one.
 */
export function watchSession(req: Request, session: Session): void {
  const shared = (session as OwnSession).req === req ? (Object.getPrototypeOf(session) as Session) : session;
  if (watched.has(shared)) return;
  watched.add(shared);
  // Called on whatever session they are reached through.
  const { destroy, regenerate, reload } = shared as Partial<Record<"destroy" | "regenerate" | "reload", SessionMethod>>;
  if (typeof destroy !== "function") return;
  override(shared, "destroy", function destroySession(this: OwnSession, given?: unknown) {
    const state = stateOf(this.req ?? req);
    const done = callbackOf(given);
    if (state === undefined) return destroy.call(this, done);
    destroyAndEnd(state, (settle) => destroy.call(this, settle), done);
    return this;
  });
  if (typeof regenerate === "function") {
    override(shared, "regenerate", function regenerateSession(this: OwnSession, given?: unknown) {
      const goOn = actingOn(this.req ?? req);
      regenerate.call(this, (error) => {
        if (error === undefined || error === null) goOn();
        callbackOf(given)(error);
      });
      return this;
    });
  }
  if (shared !== session || reload === undefined) return;
  override(session, "reload", function reloadSession(this: Session, given?: unknown) {
    reload.call(this, (error) => {
      const { session: current } = req as { session?: Session };
      if (current !== undefined) watchSession(req, current);
      callbackOf(given)(error);
    });
    return this;
  });
}
