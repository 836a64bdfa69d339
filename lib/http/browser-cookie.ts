import type { Request, Response } from "express";
import type { Engine } from "../engine/engine.js";
import { SEAL_LIFE } from "../engine/brief-seals.js";
import { type OwnCookie, readCookie, setCookie } from "./cookies.js";
import type { Settings } from "./settings.js";

const BROWSER: OwnCookie = { name: "2fa-browser" };

/** The id that ties challenges to this browser before anybody is logged in; undefined where it has none. */
export function browserIdOf(req: Request, settings: Settings, { browserIds }: Engine): Promise<string | undefined> {
  return browserIds.open(readCookie(req, settings, BROWSER));
}

/** As {@link browserIdOf}; the browser is given one, or its own for five minutes more. */
export async function keepBrowserId(
  req: Request,
  res: Response,
  settings: Settings,
  { browserIds }: Engine,
): Promise<string> {
  const { id, sealed } = await browserIds.renew(readCookie(req, settings, BROWSER));
  setCookie({ req, res, settings }, BROWSER, { value: sealed, maxAge: SEAL_LIFE });
  return id;
}
