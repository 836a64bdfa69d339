import Bowser from "bowser";
import { LruMap } from "../core/lru-map.js";
import { cleanText, MAX_LABEL, MAX_USER_AGENT } from "../core/text.js";

const UNKNOWN = "Unknown browser";

/** Taking one apart costs more than everything else of a login's first step. */
const known = new LruMap<string, string>(500);

/** A short name for a list of devices: "Firefox on Linux". The header is the client's own word and proves nothing. */
export function browserLabel(userAgent: string | undefined): string {
  if (userAgent === undefined) return UNKNOWN;
  let label = known.get(userAgent);
  if (label === undefined) {
    label = labelOf(userAgent);
    known.set(userAgent, label);
  }
  return label;
}

function labelOf(userAgent: string): string {
  const text = cleanText(userAgent, MAX_USER_AGENT);
  if (text === "") return UNKNOWN;
  const { browser, os } = Bowser.parse(text);
  if (browser.name === undefined || browser.name === "")
    return cleanText(text.split(/[\s/]/)[0] ?? "", MAX_LABEL) || UNKNOWN;
  return cleanText(os.name === undefined ? browser.name : `${browser.name} on ${os.name}`, MAX_LABEL);
}
