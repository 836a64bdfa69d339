import type { Request, Response } from "express";
import type { UserId } from "../core/nouns.js";
import { fingerprint } from "../crypto/fingerprint.js";
import { clearCookie, type OwnCookie, readCookie, setCookie } from "./cookies.js";
import type { Settings } from "./settings.js";

// One cookie per user, so that two people on one browser do not overwrite each other's trust.
function cookieOf(userId: UserId): OwnCookie {
  return { name: `2fa-device-${fingerprint(userId)}` };
}

/** The token this browser presents for this user, if any. */
export function readDeviceToken(req: Request, settings: Settings, userId: UserId): string | undefined {
  return readCookie(req, settings, cookieOf(userId));
}

export function setDeviceToken(req: Request, res: Response, settings: Settings, userId: UserId, token: string): void {
  setCookie({ req, res, settings }, cookieOf(userId), { value: token, maxAge: settings.trustMaxAge ?? 0 });
}

export function clearDeviceToken(req: Request, res: Response, settings: Settings, userId: UserId): void {
  clearCookie({ req, res, settings }, cookieOf(userId));
}
