import type { Request } from "express";
import { isForm } from "./body.js";
import type { Settings } from "./settings.js";

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
  if (origin !== undefined) return !settings.origins(req).includes(origin);
  return isForm(req);
}
