import type { Request, RequestHandler, Response } from "express";
import { type Asset, PAGE_SCRIPT, STYLE_SHEET } from "../pages/asset-names.js";
import { sendAsset } from "./answers.js";
import type { Method } from "./method.js";

const ASSETS: readonly Asset[] = [STYLE_SHEET, PAGE_SCRIPT];
const PATH = /^\/assets\/([a-z]+)(?:\.([0-9a-f]{16}))?\.(css|js)$/;

export type Scripts = ReadonlyMap<string, string>;

export function scriptsOf(methods: Iterable<Pick<Method, "scripts">>): Scripts {
  return new Map([...methods].flatMap(({ scripts = {} }) => Object.entries(scripts)));
}

/** The file at an address below `path`. `isOfThisVersion`: its hash stands in the address. */
function assetAt(below: string): { readonly asset: Asset; readonly isOfThisVersion: boolean } | undefined {
  const [, name, hash, kind] = PATH.exec(below) ?? [];
  const asset = ASSETS.find((each) => each.name === name && each.kind === kind);
  return asset && { asset, isOfThisVersion: hash === asset.hash };
}

function isRead({ method }: Request): boolean {
  return method === "GET" || method === "HEAD";
}

/**
 * Answers a request for what the pages load, at the address of its content: whoever asks, nothing of a login is read for it, or
 * changed. False where it is for something else. `path`: where the routes live; `scripts`: the methods' own, by address below it.
 */
export function answerAsset(req: Request, res: Response, path: string, scripts: Scripts): boolean {
  if (!isRead(req) || req.path.slice(0, path.length).toLowerCase() !== path.toLowerCase()) return false;
  const below = req.path.slice(path.length);
  const script = scripts.get(below);
  if (script !== undefined) {
    sendAsset(res, { kind: "js", text: script }, false);
    return true;
  }
  const found = assetAt(below);
  if (found?.isOfThisVersion !== true) return false;
  sendAsset(res, found.asset, true);
  return true;
}

/**
 * At another address it is what this server has: while a new version is rolled out, pages of both are open. Nobody keeps that.
 */
export const otherAssets: RequestHandler = function otherAssets(req, res, next) {
  const found = isRead(req) ? assetAt(req.path) : undefined;
  if (found === undefined) next();
  else sendAsset(res, found.asset, false);
};
