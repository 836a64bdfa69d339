import type { Request } from "express";
import { isJson } from "./body.js";
import type { Settings } from "./settings.js";

const hinted = new WeakSet<Settings>();

/** While developing, a foreign origin is most often the application's own under another port: said once. */
function hintAtOrigin(settings: Settings, origin: string, origins: readonly string[]): void {
  if (process.env.NODE_ENV === "production" || hinted.has(settings)) return;
  hinted.add(settings);
  const [found, wanted] = [origin, origins.join(", ")].map((each) => JSON.stringify(each));
  const message = `A request from the origin ${found} was refused: the origin option is ${wanted}. Set it to where the application's pages are opened.`;
  process.emitWarning(message, { code: "SECOND_FACTOR_ORIGIN" });
}

const silent = new WeakSet<Settings>();

/** While developing, it is most often a test that posts a form as no browser does: said once. */
function hintAtSilence(settings: Settings, { baseUrl, path }: Request): void {
  if (process.env.NODE_ENV === "production" || silent.has(settings)) return;
  silent.add(settings);
  const message = `A POST to ${JSON.stringify(baseUrl + path)} with neither Origin nor Sec-Fetch-Site was refused: every browser sends one of them. In tests and other clients, .set("Sec-Fetch-Site", "same-origin") or send JSON.`;
  process.emitWarning(message, { code: "SECOND_FACTOR_SILENT_FORM" });
}

/** `null` hides an origin: forms under `no-referrer` send it. It says as little as none. */
function originOf(req: Request): string | undefined {
  const origin = req.get("origin");
  return origin === "null" ? undefined : origin;
}

/** No browser of these days sends a write without a word of where it comes from; `null` is one. */
export function isSilent(req: Request): boolean {
  return req.get("sec-fetch-site") === undefined && req.get("origin") === undefined;
}

/**
 * As {@link isCrossSite}, for a route of the application's own that reads the first factor too (`isFirstStep`): a login by name and
 * password needs no session, so what it is to accept from clients that say nothing is the application's to decide.
 */
export function isForeign(req: Request, settings: Settings, isFirstStep: boolean): boolean {
  return !(isFirstStep && isSilent(req)) && isCrossSite(req, settings);
}

/**
 * Whether a write comes from elsewhere. An origin decides by itself; where a browser sends none, Fetch Metadata does. With neither
 * header it is no current browser: JSON with a body is believed, because a foreign page cannot send it without asking first (CORS);
 * everything else a page can send, also with nothing in it. `null` without Fetch Metadata is a page that hides where it comes from.
 */
export function isCrossSite(req: Request, settings: Settings): boolean {
  const origin = originOf(req);
  if (origin === undefined) {
    const site = req.get("sec-fetch-site");
    if (site !== undefined) return site !== "same-origin" && site !== "none";
    const isRefused = !isSilent(req) || !isJson(req);
    if (isRefused) hintAtSilence(settings, req);
    return isRefused;
  }
  const origins = settings.origins(req);
  const isListed = origins.includes(origin);
  if (!isListed) hintAtOrigin(settings, origin, origins);
  return !isListed;
}
