import { parseCookie } from "cookie";
import type { CookieOptions, Request, Response } from "express";
import { sessionOf } from "./session.js";
import type { Settings } from "./settings.js";

// How the cookies beside the session's are called, and when browsers send them.

/** A cookie of ours. */
export interface OwnCookie {
  readonly name: string;
  /** It is sent below that alone. Absent: to the whole site. */
  readonly path?: string;
}

/** Names with a prefix need https; plain ones are left for the development origins, which alone may be http. */
function isSecure(req: Request, settings: Settings): boolean {
  return !settings.origins(req).some((origin) => origin.startsWith("http:"));
}

/** Browsers take `__Host-` only of cookies that are sent to the whole site. */
function nameOf({ name, path }: OwnCookie, secure: boolean): string {
  const prefix = path === undefined ? "__Host-" : "__Secure-";
  return `${secure ? prefix : ""}${name}`;
}

/** Our cookies are sent where the session's is, else the login they belong to would be there without them. */
function sameSiteOf(given: unknown): "lax" | "none" | "strict" {
  if (given === true) return "strict";
  return given === "none" || given === "strict" ? given : "lax";
}

function attributesOf(req: Request, settings: Settings, path: string | undefined): CookieOptions {
  const secure = isSecure(req, settings);
  const { cookie = {} } = sessionOf(req) ?? {};
  const sameSite = sameSiteOf(cookie.sameSite);
  return {
    httpOnly: true,
    // What goes to other sites' pages is taken by no browser without it, on localhost neither.
    secure: secure || sameSite === "none",
    sameSite,
    path: path ?? (secure ? "/" : settings.publicPath || "/"),
    ...(cookie.partitioned === true && { partitioned: true }),
  };
}

/** Where a cookie is set. */
interface Exchange {
  readonly req: Request;
  readonly res: Response;
  readonly settings: Settings;
}

/** What this browser sends of it, if anything. */
export function readCookie(req: Request, settings: Settings, own: OwnCookie): string | undefined {
  const { cookie } = req.headers;
  return cookie === undefined ? undefined : parseCookie(cookie)[nameOf(own, isSecure(req, settings))];
}

/** `maxAge`: milliseconds. */
export function setCookie(
  { req, res, settings }: Exchange,
  own: OwnCookie,
  { maxAge, value }: { readonly maxAge: number; readonly value: string },
): void {
  res.cookie(nameOf(own, isSecure(req, settings)), value, { ...attributesOf(req, settings, own.path), maxAge });
}

export function clearCookie({ req, res, settings }: Exchange, own: OwnCookie): void {
  res.clearCookie(nameOf(own, isSecure(req, settings)), attributesOf(req, settings, own.path));
}
