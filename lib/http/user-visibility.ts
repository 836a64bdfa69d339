import type { Request } from "express";

interface PassportRequest {
  readonly _userProperty?: string;
}

/** Where Passport puts the user; `user` unless its `userProperty` option says otherwise. */
function userProperty(req: Request): string {
  return (req as PassportRequest)._userProperty ?? "user";
}

export function currentUser(req: Request): Express.User | undefined {
  return (req as unknown as Record<string, Express.User | null | undefined>)[userProperty(req)] ?? undefined;
}

const HIDDEN: PropertyDescriptor = { configurable: true, enumerable: true, get: () => undefined, set: () => undefined };

/**
 * Hides the user from everything after the middleware, and keeps them hidden: a `passport.session()` mounted once more
 * further down, or code that restores the user from the session, changes nothing. A new login opens it again.
 */
export function hideUser(req: Request): void {
  Object.defineProperty(req, userProperty(req), HIDDEN);
}

export function showUser(req: Request, user: Express.User | undefined): void {
  Object.defineProperty(req, userProperty(req), { configurable: true, enumerable: true, writable: true, value: user });
}
