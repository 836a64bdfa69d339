import { tried } from "./tried.js";

/**
 * The address that a text says, beside `base` where it says only a part; undefined where it says none. Not by `URL.canParse`: in Node 20
 * that refuses letters such as "ü" once it has been called some thousand times, and its compiled form is used.
 */
export function urlIn(text: string, base?: string): URL | undefined {
  return tried(() => new URL(text, base));
}
