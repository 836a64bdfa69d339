import type { Request, Response } from "express";
import { type ErrorCode, ERRORS, type Problem } from "../core/errors.js";
import type { Asset } from "../pages/asset-names.js";
import { english } from "../pages/messages.js";
import type { Page } from "../pages/views.js";
import { isHtmx, sendHtmxTo } from "./libraries.js";
import { prefersHtml } from "./negotiation.js";
import type { PageSet } from "./page-set.js";
import { stateOf } from "./request-state.js";
import { override } from "./session.js";

/** Problem types are names, not addresses; their meaning is in the documentation's table of codes. */
const TYPE_PREFIX = "urn:express-second-factor:problem:";

const FOR_CHALLENGE: readonly ErrorCode[] = ["second-factor-required", "step-up-required", "enrollment-required"];

const withSecretAddress = new WeakSet<Response>();

/** The address that this answers holds a token: no page that it leads to, and no script on that, is told of it. */
export function keepAddressSecret(res: Response): void {
  withSecretAddress.add(res);
}

function setCommonHeaders(res: Response): void {
  res.setHeader("Cache-Control", "no-store");
  res.setHeader("X-Content-Type-Options", "nosniff");
  // Not `no-referrer`, under which a form does not say which site it is of.
  res.setHeader("Referrer-Policy", withSecretAddress.has(res) ? "strict-origin" : "same-origin");
  if (res.getHeader("Vary") === undefined) res.setHeader("Vary", "Accept");
  else res.vary("Accept");
}

/** Not by `res.send()`: what must not be stored needs no tag to be compared by, and must not be told apart by one. */
function sendText(res: Response, status: number, type: string, text: string): void {
  res.statusCode = status;
  res.setHeader("Content-Type", `${type}; charset=utf-8`);
  res.setHeader("Content-Length", Buffer.byteLength(text));
  res.end(text);
}

/** One year, the longest that caches are asked for (RFC 9111 has no longest). */
const FOR_GOOD = "public, max-age=31536000, immutable";

/** What is kept for everybody must bring nobody a session's cookie, which rolls on with every answer in some applications. */
function bringsNoCookie(res: Response): void {
  const setHeader = res.setHeader.bind(res);
  res.removeHeader("Set-Cookie");
  override(res, "setHeader", (name: string, value: string): Response => {
    return name.toLowerCase() === "set-cookie" ? res : setHeader(name, value);
  });
}

/** `isForGood`: its address names this very content, and caches may keep it. */
export function sendAsset(res: Response, { kind, text }: Pick<Asset, "kind" | "text">, isForGood: boolean): void {
  res.setHeader("Cache-Control", isForGood ? FOR_GOOD : "no-store");
  res.setHeader("X-Content-Type-Options", "nosniff");
  if (isForGood) bringsNoCookie(res);
  sendText(res, 200, kind === "css" ? "text/css" : "text/javascript", text);
}

/** `policy`: see `PageSet.policy`. */
export function sendPage(res: Response, status: number, html: string, policy: string): void {
  setCommonHeaders(res);
  res.set("Content-Security-Policy", policy);
  sendText(res, status, "text/html", html);
}

/** See other (RFC 9110 section 15.4.4): whatever was posted is done, or was not; the browser goes on with a GET. */
export function sendRedirect(res: Response, location: string): void {
  setCommonHeaders(res);
  res.redirect(303, location);
}

export function sendJson(res: Response, status: number, body?: object): void {
  setCommonHeaders(res);
  if (body === undefined) res.status(status).end();
  else sendText(res, status, "application/json", JSON.stringify(body));
}

/** JSON to be saved, not shown. `name`: ASCII, without quotes. */
export function sendFile(res: Response, { name, text }: { readonly name: string; readonly text: string }): void {
  setCommonHeaders(res);
  res.set("Content-Disposition", `attachment; filename="${name}"`);
  sendText(res, 200, "application/json", text);
}

function setProblemHeaders(res: Response, { code, retryAfter, members }: Problem): void {
  if (retryAfter !== undefined) res.set("Retry-After", String(retryAfter));
  if (code !== "step-up-required") return;
  const maxAge = members?.maxAge;
  const acr = members?.acrValues;
  const age = typeof maxAge === "number" ? `, max_age="${maxAge}"` : "";
  const classes = typeof acr === "string" ? `, acr_values="${acr}"` : "";
  // RFC 9470 section 3.
  res.set("WWW-Authenticate", `Bearer error="insufficient_user_authentication"${classes}${age}`);
}

/** `application/problem+json` (RFC 9457). */
function sendProblemJson(res: Response, problem: Problem, detail: string): void {
  const { code, members = {}, retryAfter } = problem;
  const { status, title } = ERRORS[code];
  const wait = retryAfter === undefined ? {} : { retryAfter };
  setCommonHeaders(res);
  const body = JSON.stringify({ type: TYPE_PREFIX + code, title, status, detail, code, ...wait, ...members });
  sendText(res, status, "application/problem+json", body);
}

/** As {@link sendProblem} in JSON, with no word of the application's. */
export function sendBareProblem(res: Response, problem: Problem): void {
  setProblemHeaders(res, problem);
  sendProblemJson(res, problem, english.errors[problem.code]);
}

/** Where a page would lead from a problem that only another page can mend; undefined where there is none. */
function wayFrom(req: Request, { code, members }: Problem): string | undefined {
  if (typeof members?.location === "string") return members.location;
  const { base, login, places } = stateOf(req) ?? {};
  if (code === "login-required" || (code === "expired" && login === undefined)) return places?.login;
  return FOR_CHALLENGE.includes(code) ? base : undefined;
}

/** As {@link sendProblem} for clients of the API. */
export function sendJsonProblem(req: Request, res: Response, problem: Problem, pages: PageSet): void {
  const detail = pages.detail(req, problem);
  setProblemHeaders(res, problem);
  sendHtmxTo(req, res, wayFrom(req, problem));
  sendProblemJson(res, problem, detail);
}

/** Tells a visitor what is wrong: as JSON, or as `page` (default: a page that says just that). */
export async function sendProblem(
  req: Request,
  res: Response,
  problem: Problem,
  pages: PageSet,
  page?: Page,
): Promise<void> {
  if (!wantsPage(req, pages)) {
    sendJsonProblem(req, res, problem, pages);
    return;
  }
  // Drawn first: where the application's layout fails, nothing has been said yet.
  const html = await pages.document(req, page ?? pages.problem(req, problem));
  sendProblemPage(res, problem, html, pages.policy(req, res));
}

export function sendProblemPage(res: Response, problem: Problem, html: string, policy: string): void {
  setProblemHeaders(res, problem);
  sendPage(res, ERRORS[problem.code].status, html, policy);
}

/** The visitor is to get a page: they prefer one, and there are pages. */
export function wantsPage(req: Request, pages: PageSet): boolean {
  return pages.isOn && followsPages(req);
}

/** A browser that shows what it is answered, and follows where it is sent; htmx would put either into the page it is on. */
export function followsPages(req: Request): boolean {
  return prefersHtml(req) && !isHtmx(req);
}
