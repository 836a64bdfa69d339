import { parseCookie } from "cookie";
import type { Request, Response } from "express";
import { DAY } from "../core/nouns.js";
import { cookieAttributes, isSecure } from "./device-cookie.js";
import type { Settings } from "./settings.js";

/** Browsers keep no cookie longer. */
const LIFE = 400 * DAY;

/** As it is made: 256 bits, base64url. */
const TOKEN = /^[\w-]{43}$/;

function nameOf(secure: boolean): string {
  return `${secure ? "__Host-" : ""}2fa-known`;
}

/** What this browser carries from a sign-in before, whoever's that was; it opens nothing. */
export function readBrowserToken(req: Request, settings: Settings): string | undefined {
  const { cookie } = req.headers;
  if (cookie === undefined) return undefined;
  const carried = parseCookie(cookie)[nameOf(isSecure(req, settings))];
  return carried !== undefined && TOKEN.test(carried) ? carried : undefined;
}

export function setBrowserToken(req: Request, res: Response, settings: Settings, token: string): void {
  // The answer is on its way already where an application answered before its login was made.
  if (res.headersSent) return;
  res.cookie(nameOf(isSecure(req, settings)), token, { ...cookieAttributes(req, settings), maxAge: LIFE });
}
