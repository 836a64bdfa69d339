import { IncomingMessage } from "node:http";
import type { Request } from "express";
import { type Done, override, type Session } from "./session.js";
import { type RequestState, stateOf } from "./request-state.js";

/**
 * What all requests and all sessions of a process share is taken over once, instead of each one of them at every request.
 * Passport leaves a `logIn` that it finds, on the prototype too; a request that passes no middleware of ours finds there what
 * it would have found without.
 */

type Method = (this: unknown, ...given: unknown[]) => unknown;

interface PassportRequest {
  logIn?: unknown;
  login?: unknown;
  logOut?: unknown;
  logout?: unknown;
}

/** Our methods, by what lies under each. */
const originals = new WeakMap<object, Method>();

function originalOf(method: unknown): Method | undefined {
  if (typeof method !== "function") return undefined;
  return originals.get(method) ?? (method as Method);
}

function isTakenOver(method: unknown): boolean {
  return typeof method !== "function" || originals.has(method);
}

function gatedLogIn(original: Method): Method {
  const gated: Method = function logIn(user, given, then) {
    const state = stateOf(this as Request);
    if (state === undefined) return original.call(this, user, given, then);
    state.keeper.passportLogin.logIn(state, original, user as Express.User, given, then);
    return undefined;
  };
  originals.set(gated, original);
  return gated;
}

function gatedLogOut(original: Method): Method {
  const gated: Method = function logOut(given, then) {
    const state = stateOf(this as Request);
    if (state === undefined) return original.call(this, given, then);
    state.keeper.passportLogin.logOut(state, original, given, then);
    return undefined;
  };
  originals.set(gated, original);
  return gated;
}

/** The outermost prototype that is not Node's own: what all requests of one Express share. */
function sharedBy(req: Request): object {
  let shared: object = req;
  for (;;) {
    const next = Object.getPrototypeOf(shared) as object | null;
    if (next === null || next === IncomingMessage.prototype) return shared;
    shared = next;
  }
}

/** Puts a method under both of Passport's names: on this request, and where all requests of its kind find it. */
function put(req: Request, names: readonly [string, string], method: Method): void {
  const shared = sharedBy(req);
  for (const name of names) {
    if (shared !== req && !Object.hasOwn(shared, name)) override(shared, name, method);
    (req as unknown as Record<string, unknown>)[name] = method;
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

/** Takes over `logIn` and `logOut` of a request, and with them of all to come. */
export function takeOver(req: Request): void {
  const passport = req as PassportRequest;
  if (!isTakenOver(passport.logIn)) put(req, ["logIn", "login"], gatedLogIn(passport.logIn as Method));
  if (!isTakenOver(passport.logOut)) put(req, ["logOut", "logout"], gatedLogOut(passport.logOut as Method));
  if (!("secondFactor" in req)) Object.defineProperty(sharedBy(req), "secondFactor", SECOND_FACTOR);
}

/** Passport's own `logOut` of a request. */
export function ownLogOut(req: Request): Method | undefined {
  return originalOf((req as PassportRequest).logOut);
}

type OwnSession = Session & { readonly req?: Request };
type SessionMethod = (this: Session, done: Done) => unknown;

const watched = new WeakSet<object>();

function destroyAndEnd(state: RequestState, destroy: (done: Done) => unknown, done: Done): void {
  const ending = state.keeper.passportLogin.end(state.req);
  destroy((error) => {
    ending.then(() => {
      done(error);
    }, done);
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
  const { destroy, reload } = shared as { destroy?: SessionMethod; reload?: SessionMethod };
  if (typeof destroy !== "function") return;
  override(shared, "destroy", function destroySession(this: OwnSession, done: Done = () => undefined) {
    const state = stateOf(this.req ?? req);
    if (state === undefined) return destroy.call(this, done);
    destroyAndEnd(state, (settle) => destroy.call(this, settle), done);
    return this;
  });
  if (shared !== session || reload === undefined) return;
  override(session, "reload", function reloadSession(this: Session, done: Done = () => undefined) {
    reload.call(this, (error) => {
      const { session: current } = req as { session?: Session };
      if (current !== undefined) watchSession(req, current);
      done(error);
    });
    return this;
  });
}
