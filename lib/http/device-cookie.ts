import { parseCookie } from "cookie";
import type { CookieOptions, Request, Response } from "express";
import type { UserId } from "../core/nouns.js";
import { fingerprint } from "../crypto/fingerprint.js";
import type { Settings } from "./settings.js";

// One cookie per user, so that two people on one browser do not overwrite each other's trust.
function cookieName(userId: UserId, secure: boolean): string {
  return `${secure ? "__Host-" : ""}2fa-device-${fingerprint(userId)}`;
}

/** `__Host-` cookies need https; plain names are left for the development origins, which alone may be http. */
export function isSecure(req: Request, settings: Settings): boolean {
  return settings.origins(req).every((origin) => origin.startsWith("https:"));
}

export function cookieAttributes(secure: boolean): CookieOptions {
  return { httpOnly: true, secure, sameSite: "lax", path: "/" };
}

/** The token this browser presents for this user, if any. */
export function readDeviceToken(req: Request, settings: Settings, userId: UserId): string | undefined {
  const { cookie } = req.headers;
  if (cookie === undefined) return undefined;
  return parseCookie(cookie)[cookieName(userId, isSecure(req, settings))];
}

export function setDeviceToken(req: Request, res: Response, settings: Settings, userId: UserId, token: string): void {
  const secure = isSecure(req, settings);
  res.cookie(cookieName(userId, secure), token, { ...cookieAttributes(secure), maxAge: settings.trustMaxAge ?? 0 });
}

export function clearDeviceToken(req: Request, res: Response, settings: Settings, userId: UserId): void {
  const secure = isSecure(req, settings);
  res.clearCookie(cookieName(userId, secure), cookieAttributes(secure));
}
