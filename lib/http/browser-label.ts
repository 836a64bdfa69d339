import Bowser from "bowser";
import { LruMap } from "../core/lru-map.js";
import { cleanText, MAX_LABEL, MAX_USER_AGENT } from "../core/text.js";

const UNKNOWN = "Unknown browser";

/** What the library can tell apart. Of anything else it takes all that stands before a slash, which whoever writes the header chose. */
const NAMES: ReadonlySet<string> = new Set([...Object.values(Bowser.BROWSER_MAP), "Miui", "Opera Touch", "SlimerJS"]);

/** What an application calls itself: one word, no address and no number to call. */
const WORD = /^(?!.*\d{4})[A-Za-z][\w-]{0,31}$/;

/** Taking one apart costs more than everything else of a login's first step. */
const known = new LruMap<string, string>(500);

/**
 * A short name for a list of devices and for messages: "Firefox on Linux". The header is the client's own word and proves nothing; no
 * sentence of theirs is passed on.
 */
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
  const name = NAMES.has(browser.name ?? "") ? browser.name : wordIn(text);
  if (name === undefined) return UNKNOWN;
  return cleanText(os.name === undefined ? name : `${name} on ${os.name}`, MAX_LABEL);
}

function wordIn(text: string): string | undefined {
  const [word = ""] = text.split(/[\s/]/, 1);
  return WORD.test(word) ? word : undefined;
}
