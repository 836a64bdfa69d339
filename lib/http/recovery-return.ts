import { parseCookie } from "cookie";
import type { Request } from "express";
import { MINUTE } from "../core/nouns.js";
import { wantsPage } from "./answers.js";
import { cookieAttributes, isSecure } from "./device-cookie.js";
import type { RequestContext, RouteContext } from "./route.js";
import { saveRecord } from "./session.js";
import type { Settings } from "./settings.js";

// Whoever opens the link that completes a recovery signs in first, and comes back to it by themselves. The way back is kept in the browser,
// because nobody is signed in yet whose session could keep it, and logins give the session another id: the link's token, for our pages
// alone. It is in no address, no session and no page of the application's.

/** Below `path`: the page of the link. */
const COMPLETE_PATH = "/recovery/complete";

/** Signing in takes no longer; the link in the mail is good for a day. */
const LIFE = 30 * MINUTE;

function nameOf(secure: boolean): string {
  return `${secure ? "__Secure-" : ""}2fa-recovery`;
}

/**
 * Not `__Host-`, which is sent with every request: our routes alone are to see it. Where the application is mounted at a pattern a semicolon
 * may be in the way, which ends a cookie's path: there the browser does not send it, and the link is opened once more.
 */
function attributesOf({ req, settings, state }: RequestContext) {
  return { ...cookieAttributes(req, settings), path: state.base.replaceAll(";", "%3B") };
}

/** The token of the link that this browser was sent away from to sign in; undefined where there was none. */
export function readReturn(req: Request, settings: Settings): string | undefined {
  const { cookie } = req.headers;
  return cookie === undefined ? undefined : parseCookie(cookie)[nameOf(isSecure(req, settings))];
}

export function setReturn(context: RequestContext, token: string): void {
  const { req, res, settings } = context;
  res.cookie(nameOf(isSecure(req, settings)), token, { ...attributesOf(context), maxAge: LIFE });
}

export function clearReturn(context: RequestContext): void {
  const { req, res, settings } = context;
  if (readReturn(req, settings) === undefined) return;
  res.clearCookie(nameOf(isSecure(req, settings)), attributesOf(context));
}

/**
 * Where a browser goes from the challenge that has signed in to complete a recovery: once in each login, so that its owner can turn back
 * and use an authenticator all the same. Undefined: it stays.
 */
export async function returnOf(context: RouteContext): Promise<string | undefined> {
  const { engine, login, pages, req, settings, state } = context;
  const token = readReturn(req, settings);
  if (token === undefined || login.session === undefined || !wantsPage(req, pages)) return undefined;
  const looked = await engine.recoveries?.look(token, ["complete"], login);
  if (looked?.ok !== true) {
    clearReturn(context);
    return undefined;
  }
  if (!looked.value.isSignedIn || login.session.broughtBack === true) return undefined;
  await saveRecord(req, { ...login.session, broughtBack: true });
  return `${state.base}${COMPLETE_PATH}`;
}
