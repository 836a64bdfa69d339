import type { Request } from "express";
import { MINUTE, type UserId } from "../core/nouns.js";
import { isFresh } from "../core/time.js";
import { isDue } from "../policy/assess.js";
import { sendRedirect } from "./answers.js";
import { goingOf } from "./going.js";
import type { RequestState } from "./request-state.js";
import { saveSession, sessionOf } from "./session.js";
import type { Settings } from "./settings.js";

/** Whoever turns away and signs in later begins something else. */
const LIFE = 60 * MINUTE;

/** Where somebody comes back to who went to sign in again. Kept in the session while nobody is logged in there, and no longer. */
interface Mark {
  readonly user: UserId;
  /** A local path, of ours or kept from before. */
  readonly to: string;
  readonly at: number;
}

function isMark(value: unknown): value is Mark {
  const { at, to, user } = (value ?? {}) as Partial<Record<keyof Mark, unknown>>;
  return typeof user === "string" && typeof to === "string" && typeof at === "number";
}

/** The session's mark, which is taken off it. */
function takeMark(req: Request): Mark | undefined {
  const session = sessionOf(req);
  const mark = session?.secondFactorBack;
  if (session === undefined || mark === undefined) return undefined;
  delete session.secondFactorBack;
  return isMark(mark) ? mark : undefined;
}

/** Read before a login renews the session: the mark of this very user, where it is not too old. */
export function takeBack(req: Request, { clock }: Pick<Settings, "clock">, userId: UserId): Mark | undefined {
  const mark = takeMark(req);
  return mark?.user === userId && isFresh(mark.at, LIFE, clock()) ? mark : undefined;
}

/** Put into the renewed session of a login that is complete at once: the application answers it, and knows nothing of the mark. */
export function keepBack(req: Request, mark: Mark | undefined): void {
  const session = sessionOf(req);
  if (session !== undefined && mark !== undefined) session.secondFactorBack = mark;
}

/** The first page after such a login is where its user was. False where the request goes on. */
export async function bringBack({ login, req, res }: RequestState, settings: Settings): Promise<boolean> {
  if (login === undefined || sessionOf(req)?.secondFactorBack === undefined) return false;
  if (isDue(login.status) || goingOf(req) !== "page") return false;
  const mark = takeBack(req, settings, login.userId);
  await saveSession(req);
  if (mark === undefined || mark.to === req.originalUrl) return false;
  sendRedirect(res, mark.to);
  return true;
}
