import type { Request } from "express";
import { isForm } from "./body.js";
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

/** As {@link isCrossSite}, where the application's own route decides about requests that say nothing. */
export function saysCrossSite(req: Request, settings: Settings): boolean {
  const isSilent = req.get("sec-fetch-site") === undefined && req.get("origin") === undefined;
  return !isSilent && isCrossSite(req, settings);
}

/**
 * Whether a write comes from elsewhere: by Fetch Metadata, and where a browser does not send it, by `Origin`. With neither
 * header it is no current browser: JSON is believed, because a foreign page cannot send it without asking first (CORS); a
 * form is not.
 */
export function isCrossSite(req: Request, settings: Settings): boolean {
  const site = req.get("sec-fetch-site");
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  const origin = req.get("origin");
  if (origin === undefined) return isForm(req);
  const origins = settings.origins(req);
  const isForeign = !origins.includes(origin);
  if (isForeign) hintAtOrigin(settings, origin, origins);
  return isForeign;
}
