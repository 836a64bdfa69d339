import type { IncomingMessage } from "node:http";
import { LruMap } from "../core/lru-map.js";

/** Weight the header gives to `type/subtype` (RFC 9110 section 12.5.1); the most specific range that covers it decides. */
function weight(accept: string, type: string, subtype: string): number {
  let best = { specificity: -1, quality: 0 };
  for (const range of accept.toLowerCase().split(",")) {
    const [name = "", ...parameters] = range.split(";").map((part) => part.trim());
    const specificity = [`*/*`, `${type}/*`, `${type}/${subtype}`].indexOf(name);
    if (specificity <= best.specificity) continue;
    const given = parameters.find((parameter) => parameter.startsWith("q="));
    const quality = given === undefined ? 1 : Number(given.slice(2));
    best = { specificity, quality: Number.isFinite(quality) ? quality : 0 };
  }
  return best.quality;
}

/** Browsers send the same few headers again and again. */
const known = new LruMap<string, boolean>(200);

/** A browser showing pages says that it prefers HTML; everything else is a client of the API and gets JSON. */
export function prefersHtml(req: IncomingMessage): boolean {
  const { accept } = req.headers;
  if (accept === undefined) return false;
  let prefers = known.get(accept);
  if (prefers === undefined) {
    prefers = weight(accept, "text", "html") > weight(accept, "application", "json");
    known.set(accept, prefers);
  }
  return prefers;
}
