import { parseCookie } from "cookie";
import type { Request, Response } from "express";
import type { Engine } from "../engine/engine.js";
import { SEAL_LIFE } from "../engine/brief-seals.js";
import { cookieAttributes, isSecure } from "./device-cookie.js";
import type { Settings } from "./settings.js";

function nameOf(secure: boolean): string {
  return `${secure ? "__Host-" : ""}2fa-browser`;
}

function carriedBy({ headers: { cookie } }: Request, secure: boolean): string | undefined {
  return cookie === undefined ? undefined : parseCookie(cookie)[nameOf(secure)];
}

/** The id that ties challenges to this browser before anybody is logged in; undefined where it has none. */
export function browserIdOf(req: Request, settings: Settings, { browserIds }: Engine): Promise<string | undefined> {
  return browserIds.open(carriedBy(req, isSecure(req, settings)));
}

/** As {@link browserIdOf}; the browser is given one, or its own for five minutes more. */
export async function keepBrowserId(
  req: Request,
  res: Response,
  settings: Settings,
  { browserIds }: Engine,
): Promise<string> {
  const secure = isSecure(req, settings);
  const { id, sealed } = await browserIds.renew(carriedBy(req, secure));
  res.cookie(nameOf(secure), sealed, { ...cookieAttributes(req, settings), maxAge: SEAL_LIFE });
  return id;
}
