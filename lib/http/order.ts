import type { Request, Response } from "express";
import { ConfigurationError } from "../core/errors.js";
import { requireSession, type Session } from "./session.js";
import { watchSession } from "./takeover.js";
import { currentUser, hasUserElsewhere } from "./user-visibility.js";

/**
 * What an application put together wrongly shows at its requests: named there, because only there it can be seen, and refused
 * wherever a login would pass without being asked.
 */

const PASSPORT_KEY = "passport";
const AFTER_PASSPORT = "app.use(mfa) must come after app.use(passport.session())";

interface PassportRequest {
  readonly _sessionManager?: { readonly _key?: string };
  readonly logIn?: unknown;
}

/** Members of the session that hold a login, as Passport keeps one. */
function loginsIn(session: Session): string[] {
  const isLogin = (value: unknown): boolean =>
    typeof value === "object" && value !== null && "user" in value && value.user !== undefined;
  return Object.entries(session)
    .filter(([name, value]) => name !== "cookie" && isLogin(value))
    .map(([name]) => name);
}

function keyOf(req: Request): string {
  return (req as PassportRequest)._sessionManager?._key ?? PASSPORT_KEY;
}

/**
 * A user would come out of the session later than this middleware looks, and everything would be open. Passport takes users
 * it cannot restore out of the session, so one who is there and not on the request has yet to be restored.
 */
function problemOf(req: Request, session: Session): string | undefined {
  const { logIn } = req as PassportRequest;
  const user = currentUser(req);
  const key = keyOf(req);
  if (user !== undefined && typeof logIn !== "function")
    return `${AFTER_PASSPORT}: Passport has not seen this request yet`;
  const logins = user === undefined || hasUserElsewhere(req) ? loginsIn(session) : [];
  if (user === undefined && (logins.includes(key) || logins.includes(PASSPORT_KEY))) return AFTER_PASSPORT;
  if (hasUserElsewhere(req) && logins.some((name) => name !== key)) {
    return "two Passports keep a login each on one request, and only the last one's would be asked for a second factor: use one userProperty";
  }
  return undefined;
}

/** @throws ConfigurationError where there is no session, or a login would come to the request after this middleware */
export function requireOrder(req: Request): void {
  const session = requireSession(req);
  const problem = problemOf(req, session);
  if (problem !== undefined) throw new ConfigurationError([problem]);
  watchSession(req, session);
}

/** Where the middleware protects part of the application only; undefined where it cannot be told, or is meant. */
function partOf(req: Request): string | undefined {
  if (req.baseUrl === "") return undefined;
  // An application within another one knows where it was mounted, unless that is a pattern.
  const mounted = req.app.path();
  if (/[^\w./~-]/.test(mounted)) return undefined;
  const comparable = (path: string): string => path.toLowerCase().replace(/\/+$/, "");
  return comparable(mounted) === comparable(req.baseUrl) ? undefined : req.baseUrl;
}

/** Names, once, a middleware that was mounted below a path: everything else would be open without a word. */
export class MountCheck {
  private hasLooked = false;

  look(req: Request): void {
    if (this.hasLooked) return;
    this.hasLooked = true;
    const part = partOf(req);
    if (part === undefined) return;
    process.emitWarning(
      `app.use(${JSON.stringify(part)}, mfa) asks for second factors below ${JSON.stringify(part)} only; every other path is open after the first. Write app.use(mfa).`,
      { code: "SECOND_FACTOR_MOUNT" },
    );
  }
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  return (
    typeof value === "object" && value !== null && names.every((name) => typeof Reflect.get(value, name) === "function")
  );
}

/** What is missing for a request to be one of Express's; undefined where it is one. */
export function strangeness(req: Request | undefined, res: Response | undefined, next: unknown): string | undefined {
  if (typeof next !== "function") return "mfa is the middleware itself: write app.use(mfa), not app.use(mfa())";
  try {
    if (hasMethods(req, ["get", "is"]) && hasMethods(res, ["set", "redirect"])) return undefined;
  } catch {
    // It has them, and they fail: that is answered like any other failure.
    return undefined;
  }
  return "mfa takes requests of Express only, and this is none (the handshake of a WebSocket or of socket.io is not): let a route of Express decide who may connect";
}
