import type { IncomingMessage } from "node:http";
import type { Request, Response } from "express";

// htmx and Turbo ask for pages by fetch, and name themselves.

/** What htmx asks for goes into the page that is there. */
export function isHtmx({ headers }: IncomingMessage): boolean {
  return headers["hx-request"] === "true";
}

/** A link or form of a page, which htmx follows in the browser's place. */
export function isBoosted(req: IncomingMessage): boolean {
  return isHtmx(req) && req.headers["hx-boosted"] === "true";
}

/** A link that Turbo follows in the browser's place; not what goes into a frame of the page. */
export function isTurboVisit({ headers }: IncomingMessage): boolean {
  return headers["x-turbo-request-id"] !== undefined && headers["turbo-frame"] === undefined;
}

/**
 * Has htmx open a page. It reads this header at every status but a redirection's, which the browser follows unseen and htmx would put
 * into the page; of a refusal it shows nothing else.
 */
export function sendHtmxTo(req: Request, res: Response, place: string | undefined): void {
  if (place !== undefined && isHtmx(req) && !res.hasHeader("HX-Redirect")) res.setHeader("HX-Redirect", place);
}
