import { parseCookie } from "cookie";
import type { CookieOptions, Request, Response } from "express";
import type { UserId } from "../core/nouns.js";
import { fingerprint } from "../crypto/fingerprint.js";
import { sessionOf } from "./session.js";
import type { Settings } from "./settings.js";

// One cookie per user, so that two people on one browser do not overwrite each other's trust.
function cookieName(userId: UserId, secure: boolean): string {
  return `${secure ? "__Host-" : ""}2fa-device-${fingerprint(userId)}`;
}

/** `__Host-` cookies need https; plain names are left for the development origins, which alone may be http. */
export function isSecure(req: Request, settings: Settings): boolean {
  return !settings.origins(req).some((origin) => origin.startsWith("http:"));
}

/** Our cookies are sent where the session's is, else the login they belong to would be there without them. */
function sameSiteOf(given: unknown): "lax" | "none" | "strict" {
  if (given === true) return "strict";
  return given === "none" || given === "strict" ? given : "lax";
}

/** `__Host-` cookies are the whole site's. */
export function cookieAttributes(req: Request, settings: Settings): CookieOptions {
  const secure = isSecure(req, settings);
  const { cookie = {} } = sessionOf(req) ?? {};
  const sameSite = sameSiteOf(cookie.sameSite);
  return {
    httpOnly: true,
    // What goes to other sites' pages is taken by no browser without it, on localhost neither.
    secure: secure || sameSite === "none",
    sameSite,
    path: secure ? "/" : settings.publicPath || "/",
    ...(cookie.partitioned === true && { partitioned: true }),
  };
}

/** The token this browser presents for this user, if any. */
export function readDeviceToken(req: Request, settings: Settings, userId: UserId): string | undefined {
  const { cookie } = req.headers;
  if (cookie === undefined) return undefined;
  return parseCookie(cookie)[cookieName(userId, isSecure(req, settings))];
}

export function setDeviceToken(req: Request, res: Response, settings: Settings, userId: UserId, token: string): void {
  const secure = isSecure(req, settings);
  const attributes = { ...cookieAttributes(req, settings), maxAge: settings.trustMaxAge ?? 0 };
  res.cookie(cookieName(userId, secure), token, attributes);
}

export function clearDeviceToken(req: Request, res: Response, settings: Settings, userId: UserId): void {
  const secure = isSecure(req, settings);
  res.clearCookie(cookieName(userId, secure), cookieAttributes(req, settings));
}
