import { MINUTE } from "../core/nouns.js";
import { recoveryPath } from "../core/recovery-paths.js";
import { wantsPage } from "./answers.js";
import { clearCookie, type OwnCookie, readCookie, setCookie } from "./cookies.js";
import type { RequestContext, RouteContext } from "./route.js";
import { saveRecord } from "./session.js";

// Whoever opens the link that completes a recovery signs in first, and comes back to it by themselves. The way back is kept in the browser,
// because nobody is signed in yet whose session could keep it, and logins give the session another id: the link's token, for our pages
// alone. It is in no address, no session and no page of the application's.

/** Signing in takes no longer; the link in the mail is good for a day. */
const LIFE = 30 * MINUTE;

/**
 * Our routes alone are to see it. Where the application is mounted at a pattern a semicolon may be in the way, which ends a cookie's path:
 * there the browser does not send it, and the link is opened once more.
 */
function cookieOf({ state }: RequestContext): OwnCookie {
  return { name: "2fa-recovery", path: state.base.replaceAll(";", "%3B") };
}

/** The token of the link that this browser was sent away from to sign in; undefined where there was none. */
export function readReturn(context: RequestContext): string | undefined {
  return readCookie(context.req, context.settings, cookieOf(context));
}

export function setReturn(context: RequestContext, token: string): void {
  setCookie(context, cookieOf(context), { value: token, maxAge: LIFE });
}

export function clearReturn(context: RequestContext): void {
  if (readReturn(context) !== undefined) clearCookie(context, cookieOf(context));
}

/**
 * Where a browser goes from the challenge that has signed in to complete a recovery: once in each login, so that its owner can turn back
 * and use an authenticator all the same. Undefined: it stays.
 */
export async function returnOf(context: RouteContext): Promise<string | undefined> {
  const { engine, login, pages, req, state } = context;
  const token = readReturn(context);
  if (token === undefined || login.session === undefined || !wantsPage(req, pages)) return undefined;
  const looked = await engine.recoveries?.look(token, ["complete"], login);
  if (looked?.ok !== true) {
    clearReturn(context);
    return undefined;
  }
  if (!looked.value.isSignedIn || login.session.broughtBack === true) return undefined;
  await saveRecord(req, { ...login.session, broughtBack: true });
  return `${state.base}${recoveryPath("complete")}`;
}
