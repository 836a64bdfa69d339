import type { Request, Response } from "express";
import { DAY } from "../core/nouns.js";
import { type OwnCookie, readCookie, setCookie } from "./cookies.js";
import type { Settings } from "./settings.js";

const KNOWN: OwnCookie = { name: "2fa-known" };

/** Browsers keep no cookie longer. */
const LIFE = 400 * DAY;

/** As it is made: 256 bits, base64url. */
const TOKEN = /^[\w-]{43}$/;

/** What this browser carries from a sign-in before, whoever's that was; it opens nothing. */
export function readBrowserToken(req: Request, settings: Settings): string | undefined {
  const carried = readCookie(req, settings, KNOWN);
  return carried !== undefined && TOKEN.test(carried) ? carried : undefined;
}

export function setBrowserToken(req: Request, res: Response, settings: Settings, token: string): void {
  // The answer is on its way already where an application answered before its login was made.
  if (res.headersSent) return;
  setCookie({ req, res, settings }, KNOWN, { value: token, maxAge: LIFE });
}
