import type { Request } from "express";
import { isDue, PENDING_LIFE } from "../policy/assess.js";
import type { LoginContext } from "../engine/login-context.js";
import { isBoosted, isHtmx, isTurboVisit } from "./libraries.js";
import { prefersHtml } from "./negotiation.js";
import type { RequestState } from "./request-state.js";
import { localPlace } from "./return-to.js";
import type { Settings } from "./settings.js";

/**
 * Where the user was going. What a browser fetches by itself, ahead of time or into a frame is nowhere anybody went; nor is what
 * another site sends the browser to while something waits to be confirmed, which would put its own page behind the proof.
 */

/**
 * What a request is to whoever sits before the browser: the page they open, the form they send, something a script of the page does,
 * or nothing that they know of.
 */
export type Going = "page" | "form" | "script" | "unseen";

/** As browsers, and libraries that may not send `Sec-` headers, say that a page is fetched before anybody asks for it. */
const AHEAD_OF_TIME = ["sec-purpose", "x-sec-purpose", "purpose", "x-purpose", "x-moz"];

function isAheadOfTime(req: Request): boolean {
  return AHEAD_OF_TIME.some((name) => /prefetch|prerender|preview/i.test(String(req.headers[name] ?? "")));
}

/** Fetch Metadata says so, or says nothing: browsers before 2023 do not send it. */
function isNavigating(req: Request): boolean {
  const mode = req.get("sec-fetch-mode") ?? "navigate";
  const destination = req.get("sec-fetch-dest") ?? "document";
  const isByScript = isHtmx(req) || req.get("x-requested-with") !== undefined;
  return mode === "navigate" && destination === "document" && !isByScript;
}

const KINDS: Readonly<Record<string, Going>> = { GET: "page", POST: "form" };

export function goingOf(req: Request): Going {
  const destination = req.get("sec-fetch-dest") ?? "document";
  if (isAheadOfTime(req) || !["document", "empty"].includes(destination)) return "unseen";
  // Libraries that open pages by fetch say that they do.
  const isPage = isBoosted(req) || (prefersHtml(req) && (isNavigating(req) || isTurboVisit(req)));
  if (!isPage) return "script";
  return KINDS[req.method] ?? "script";
}

export function isFromAnotherSite(req: Request): boolean {
  return req.get("sec-fetch-site") === "cross-site";
}

/** Something was to be confirmed before this request came: the login, or what a route asked for not long ago. */
function isWaiting({ isNewlyDue }: RequestState, { session, status }: LoginContext, now: number): boolean {
  if (session === undefined || isNewlyDue) return false;
  if (isDue(status)) return session.pending === true || session.returnTo !== undefined;
  return session.stepUp !== undefined && Math.abs(now - session.stepUp.at) < PENDING_LIFE;
}

/** The place that a request asks for, as the browser sees it; undefined for what is none of this site. */
export function placeAsked({ places, req }: RequestState, settings: Settings): string | undefined {
  const { originalUrl } = req;
  const asked = originalUrl.startsWith("/") ? places.stripped + originalUrl : originalUrl;
  return localPlace(asked, settings.origins(req));
}

/** The page of a login that waits for its second factor, where its user asked for one. */
export function pageAsked(state: RequestState, login: LoginContext, settings: Settings): string | undefined {
  const { req } = state;
  if (goingOf(req) !== "page") return undefined;
  if (isFromAnotherSite(req) && isWaiting(state, login, settings.clock())) return undefined;
  return placeAsked(state, settings);
}

/**
 * The page on the way to which a login was made by what all requests pass, such as a remember-me strategy below the middleware. A
 * route that makes logins (an OAuth callback) is no place to come back to.
 */
export function pagePassed(state: RequestState, settings: Settings): string | undefined {
  const { mountPath, req } = state;
  const isOnTheWay = (req.route as unknown) === undefined && (req.baseUrl === mountPath || req.path !== "/");
  return isOnTheWay && goingOf(req) === "page" && !settings.isExempt(req) ? placeAsked(state, settings) : undefined;
}

/** The page from which a request came, where it was one of the application's. */
function pageBefore({ places, req }: RequestState, settings: Settings): string | undefined {
  // htmx says where the browser is, whatever the page's referrer policy.
  const from = (isHtmx(req) ? req.get("hx-current-url") : undefined) ?? req.get("referer");
  const place = localPlace(from, settings.origins(req));
  if (place === undefined) return undefined;
  const isOurs = place === places.base || ["/", "?", "#"].some((next) => place.startsWith(places.base + next));
  return isOurs ? undefined : place;
}

/** Where a browser goes from a confirmation that a route asks for. */
export interface Way {
  /** Once the proof is given; nothing that was sent is sent again. */
  readonly returnTo: string | undefined;
  /** From where it was turned back: "Not now". */
  readonly backTo: string | undefined;
}

/** The page before what was asked for: the one that the request came from, else the one the login opened last. */
function pageLeft(state: RequestState, login: LoginContext, settings: Settings, asked: string | undefined) {
  const before = pageBefore(state, settings);
  return before === undefined || before === asked ? state.keeper.lastPages.before(login.session?.id, asked) : before;
}

/**
 * To what it was reading, or to the page whose form it sent, or where the route says. Undefined where what waits already is to stay
 * as it is.
 */
export function wayOf(
  state: RequestState,
  login: LoginContext,
  settings: Settings,
  wanted: string | undefined,
): Way | undefined {
  const going = goingOf(state.req);
  const waits = isWaiting(state, login, settings.clock());
  if (going === "unseen" || (waits && isFromAnotherSite(state.req))) return undefined;
  if (going === "page") return wayFromPage(state, login, settings, wanted);
  const left = pageLeft(state, login, settings, undefined);
  const kept = going === "script" && waits ? login.session?.returnTo : undefined;
  return wayFromPart(wanted, kept, left);
}

/** `kept`: where somebody was going when a script did something in the background, which does not lead away from there. */
function wayFromPart(wanted: string | undefined, kept: string | undefined, left: string | undefined): Way {
  return { returnTo: wanted ?? kept ?? left, backTo: left ?? wanted };
}

function wayFromPage(state: RequestState, login: LoginContext, settings: Settings, wanted: string | undefined): Way {
  const asked = placeAsked(state, settings);
  const left = pageLeft(state, login, settings, asked);
  return { returnTo: wanted ?? asked ?? left, backTo: left };
}
