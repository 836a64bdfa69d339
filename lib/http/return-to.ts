import { urlIn } from "../core/urls.js";

/**
 * The path, query and fragment of a place on this site, or undefined for everything else.
 *
 * The URL parser decides, as the browser will: it drops tabs and line breaks, turns backslashes into slashes and resolves
 * dots, so `/\evil.test`, `/<tab>/evil.test` and `https:evil.test` show themselves as another origin. What remains must not
 * begin with two slashes, which a dot segment before them can hide (`/..//evil.test`).
 */
export function localPath(value: unknown, origin: string, from = "/"): string | undefined {
  const url = typeof value === "string" && value !== "" ? resolved(value, origin, from) : undefined;
  if (url === undefined || !isOf(url, new URL(origin))) return undefined;
  const local = url.pathname + url.search + url.hash;
  return local.startsWith("//") || local.startsWith("/\\") ? undefined : local;
}

/** As a browser reads it on the page `from`. */
function resolved(value: string, origin: string, from: string): URL | undefined {
  return urlIn(value, urlIn(from, origin)?.href ?? origin);
}

function isOf({ origin, password, protocol, username }: URL, own: URL): boolean {
  // A blob: URL has the origin of what it wraps, and is no place of it.
  return origin === own.origin && protocol === own.protocol && username === "" && password === "";
}

/** A place on this site, whichever of the configured origins it is written with; relative ones are seen from `from`. */
export function localPlace(value: unknown, origins: readonly string[], from?: string): string | undefined {
  for (const origin of origins) {
    // Those of apps (`capacitor://localhost`) are nothing that pages of ours lie on.
    if (!/^https?:/.test(origin)) continue;
    const place = localPath(value, origin, from);
    if (place !== undefined) return place;
  }
  return undefined;
}
