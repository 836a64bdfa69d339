import type { Request } from "express";

interface PassportRequest {
  _userProperty?: string;
}

const USER = "user";

/** Where Passport puts the user; `user` unless its `userProperty` option says otherwise. */
function userProperty(req: Request): string {
  return (req as PassportRequest)._userProperty ?? USER;
}

export function currentUser(req: Request): Express.User | undefined {
  return (req as unknown as Record<string, Express.User | null | undefined>)[userProperty(req)] ?? undefined;
}

/** Where `passport.initialize({ userProperty })` names another place, but a login was put into the usual one. */
export function hasUserElsewhere(req: Request): boolean {
  const user: unknown = userProperty(req) === USER ? undefined : req.user;
  return user !== undefined && user !== null;
}

const HIDDEN: PropertyDescriptor = { configurable: true, enumerable: true, get: () => undefined, set: () => undefined };

/** Requests whose user is hidden now. */
const hidden = new WeakSet<Request>();
const watched = new WeakSet<Request>();

function ownValue(req: Request, name: string): unknown {
  // Without asking a getter: it may be what failed.
  return Object.getOwnPropertyDescriptor(req, name)?.value as unknown;
}

/** The places that Passport uses on this request, and every other one that holds what is in them. */
function placesOf(req: Request): Set<string> {
  const places = new Set([USER, userProperty(req)]);
  const users = [...places].map((name) => ownValue(req, name));
  const isUser = (value: unknown): boolean => typeof value === "object" && value !== null && users.includes(value);
  if (!users.some(isUser)) return places;
  for (const name of Object.keys(req)) if (isUser(ownValue(req, name))) places.add(name);
  return places;
}

/** A `passport.initialize({ userProperty })` further down names a new place: it is hidden as well. */
function watchPlaces(req: Request): void {
  if (watched.has(req)) return;
  watched.add(req);
  let place = (req as PassportRequest)._userProperty;
  Object.defineProperty(req, "_userProperty", {
    configurable: true,
    enumerable: true,
    get: () => place,
    set: (next: unknown) => {
      place = typeof next === "string" ? next : undefined;
      if (place !== undefined && hidden.has(req)) Object.defineProperty(req, place, HIDDEN);
    },
  });
}

/**
 * Hides the user from everything after the middleware, and keeps them hidden: a `passport.session()` mounted once more
 * further down, or code that restores the user from the session, changes nothing. A new login opens it again.
 * @throws where a place on the request cannot be changed: then nothing may go on with it
 */
export function hideUser(req: Request): void {
  for (const name of placesOf(req)) Object.defineProperty(req, name, HIDDEN);
  hidden.add(req);
  watchPlaces(req);
}

/** As {@link hideUser}, on the way to a refusal, which nothing may stop. Answers whether the user is hidden. */
export function tryToHideUser(req: Request): boolean {
  try {
    hideUser(req);
    return true;
  } catch {
    return false;
  }
}

export function showUser(req: Request, user: Express.User | undefined): void {
  hidden.delete(req);
  Object.defineProperty(req, userProperty(req), { configurable: true, enumerable: true, writable: true, value: user });
}
