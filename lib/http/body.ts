import express, { type NextFunction, type Request, type RequestHandler, type Response } from "express";
import type { ErrorCode } from "../core/errors.js";
import type { Body } from "./route.js";

const LARGEST = "64kb";
const JSON_TYPE = "application/json";
const FORM_TYPE = "application/x-www-form-urlencoded";

const parsers: readonly RequestHandler[] = [
  express.json({ limit: LARGEST, type: JSON_TYPE }),
  express.urlencoded({ limit: LARGEST, type: FORM_TYPE, extended: false }),
];

const STATUS_CODES: Readonly<Record<number, ErrorCode>> = { 413: "too-large", 415: "unsupported-media-type" };

/** What went wrong while reading a body, as a coded answer. */
function codeOf(error: unknown): ErrorCode {
  const { status } = error as { readonly status?: unknown };
  return (typeof status === "number" && STATUS_CODES[status]) || "invalid-request";
}

function run(parser: RequestHandler, req: Request, res: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    const next: NextFunction = (error?: unknown) => {
      if (error === undefined) resolve();
      else reject(error instanceof Error ? error : new Error("The body could not be read", { cause: error }));
    };
    void parser(req, res, next);
  });
}

function hasBody(req: Request): boolean {
  return req.headers["transfer-encoding"] !== undefined || Number(req.headers["content-length"] ?? 0) > 0;
}

/** What a page's form sends. */
export function isForm(req: Request): boolean {
  return req.is(FORM_TYPE) === FORM_TYPE;
}

/** JSON that says so, with something in it. */
export function isJson(req: Request): boolean {
  return hasBody(req) && req.is(JSON_TYPE) === JSON_TYPE;
}

/** A body of a kind that no route takes. */
export function isOfOtherKind(req: Request): boolean {
  return hasBody(req) && !isJson(req) && !isForm(req);
}

function isObject(value: unknown): value is Body {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A parser of the application was here. Express 4's leave an empty object even where they read nothing, and say so. */
function isParsed(req: Request): boolean {
  const body: unknown = req.body;
  return "_body" in req || (body !== undefined && !(isObject(body) && Object.keys(body).length === 0));
}

/** The body's members, read here or by a parser of the application before; or why it is not accepted. */
export async function readBody(
  req: Request,
  res: Response,
): Promise<{ readonly body: Body } | { readonly code: ErrorCode }> {
  if (!hasBody(req)) return { body: {} };
  if (isOfOtherKind(req)) return { code: "unsupported-media-type" };
  try {
    if (!isParsed(req)) for (const parser of parsers) await run(parser, req, res);
  } catch (error) {
    return { code: codeOf(error) };
  }
  const body: unknown = req.body;
  return isObject(body) ? { body } : { code: "invalid-request" };
}
