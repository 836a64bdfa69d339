import type { Request } from "express";
import type { RequestContext } from "./route.js";
import { sendPage, wantsPage } from "./answers.js";
import { goingOf, isFromAnotherSite, placeAsked } from "./going.js";

/** Once is enough: whoever says it again, or sends no cookie from here either, is told what they lack. */
const BOUNCED = "sf-bounced";

/**
 * A session that was made for this request, because its own was not sent, must not take its place in the browser. One that the request
 * brought stays.
 */
function leaveSession(req: Request): void {
  const { sessionID } = req as { sessionID?: string };
  if (sessionID !== undefined && req.headers.cookie?.includes(sessionID) !== true)
    Object.assign(req, { session: undefined });
}

/**
 * A page of ours that another site sent the browser to, by a login there most often, and a request without a login: with
 * `SameSite=Strict` it may have kept its cookies to itself. Has it ask again from here, once; false where that is not it. Pages of the
 * application's are not opened so: what `Strict` keeps other sites from doing there is theirs to decide.
 */
export function bounce({ pages, req, res, settings, state }: RequestContext): boolean {
  const isSentHere = goingOf(req) === "page" && isFromAnotherSite(req) && wantsPage(req, pages);
  if (!isSentHere || state.hasEnded || req.originalUrl.includes(BOUNCED)) return false;
  const place = placeAsked(state, settings);
  if (place === undefined) return false;
  const again = `${place}${place.includes("?") ? "&" : "?"}${BOUNCED}=1`;
  leaveSession(req);
  sendPage(res, 200, pages.bounce(req, again), pages.policy(req, res));
  return true;
}
