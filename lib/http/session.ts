import type { Request } from "express";
import { ConfigurationError } from "../core/errors.js";
import type { UserId } from "../core/nouns.js";
import { fingerprint } from "../crypto/fingerprint.js";
import type { Mark } from "../policy/assess.js";
import { keptText, markIn } from "./mark-text.js";

/** A callback as Passport and express-session call one. */
export type Done = (error?: unknown) => void;

/** What is used of express-session. Its own types are not needed, so that its types need not be installed. */
export interface Session {
  secondFactor?: unknown;
  /** Ties a passkey challenge to this browser before anybody is logged in. */
  secondFactorBrowser?: unknown;
  returnTo?: unknown;
  readonly passport?: { readonly user?: unknown };
  readonly cookie?: { originalMaxAge?: number | null; maxAge?: number | null };
  regenerate(callback: Done): unknown;
  save(callback: Done): unknown;
  destroy(callback: Done): unknown;
  reload?(callback: Done): unknown;
}

export function sessionOf(req: Request): Session | undefined {
  return (req as { session?: Session | null }).session ?? undefined;
}

/** @throws ConfigurationError where there is no session, or one whose id cannot be changed */
export function requireSession(req: Request): Session {
  const session = sessionOf(req);
  if (session === undefined) {
    throw new ConfigurationError([
      "there is no session: add app.use(session({ ... })) from express-session before app.use(mfa)",
    ]);
  }
  if (typeof session.regenerate !== "function" || typeof session.save !== "function") {
    throw new ConfigurationError([
      "the session cannot change its id (cookie-session cannot): use express-session, which keeps sessions on the server",
    ]);
  }
  return session;
}

function sessionName(req: Request): string {
  return fingerprint((req as { sessionID?: string }).sessionID ?? "");
}

/** The mark of the session, whoever's it is. */
export function anyMark(req: Request): Mark | undefined {
  const text = sessionOf(req)?.secondFactor;
  return text === undefined ? undefined : markIn(text, sessionName(req));
}

/** The session's mark if it is this user's; another's counts as none. */
export function readMark(req: Request, userId: UserId): Mark | undefined {
  const mark = anyMark(req);
  return mark?.user === userId ? mark : undefined;
}

/** Puts a mark into the session as it is now; saving is the caller's. */
export function putMark(req: Request, mark: Mark): void {
  requireSession(req).secondFactor = keptText({ mark, session: sessionName(req) });
}

/** Waits for such a callback. */
export function settled(act: (done: Done) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    act((error) => {
      if (error === undefined || error === null) resolve();
      else reject(error instanceof Error ? error : new Error("Passport or the session store failed", { cause: error }));
    });
  });
}

export function saveSession(req: Request): Promise<void> {
  return settled((callback) => requireSession(req).save(callback));
}

/** Stores a mark, and waits: the next request may come before this one's answer has been read. */
export async function saveMark(req: Request, mark: Mark): Promise<void> {
  putMark(req, mark);
  await saveSession(req);
}

/**
 * After the next proof the browser goes to `place`; whatever a route had asked to have confirmed before is abandoned. Answers
 * the mark as it is from now on.
 */
export async function saveReturnTo(req: Request, mark: Mark, place: string): Promise<Mark> {
  const { stepUp: _abandoned, ...plain } = mark;
  const next = { ...plain, returnTo: place };
  await saveMark(req, next);
  return next;
}

/**
 * Gives the session a new id and the new mark, and keeps everything else the application has put there. The old id is
 * destroyed before this resolves.
 */
export async function renewSession(req: Request, mark: Mark): Promise<void> {
  const { cookie, ...kept } = requireSession(req);
  await settled((callback) => requireSession(req).regenerate(callback));
  const renewed = requireSession(req);
  Object.assign(renewed, kept);
  putMark(req, mark);
  // "Remember me", chosen or not at the first step, is the life of the cookie, and it must survive the second.
  if (cookie?.originalMaxAge !== undefined && renewed.cookie !== undefined) {
    renewed.cookie.maxAge = cookie.originalMaxAge;
  }
  await saveSession(req);
}
