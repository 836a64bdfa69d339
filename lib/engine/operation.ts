import { canonicalJson, type Json, jsonFlaw } from "../core/json.js";
import { visibleText } from "../core/text.js";

/** One operation that a proof can be given for (`mfa.require({ bind })`). */
export interface Operation {
  /** Method, path and value in one text, which no other operation has. */
  readonly identity: string;
  /** What is confirmed, as it is shown: all of it. */
  readonly text: string;
}

/** Why nothing can be confirmed: nothing says what, a page could not show all of it, or it is nothing that JSON has. */
export type OperationFlaw = "missing" | "too-long" | "foreign";

/** Characters. So much stands on a small phone in one piece, without anything that is left to be found. */
export const MOST_SHOWN = 500;

function isTooLong(text: string): boolean {
  // What is far too long is not looked at more closely.
  return text.length > 2 * MOST_SHOWN || Array.from(text).length > MOST_SHOWN;
}

/** The operation of a request: what it does (`route`) to what (`value`, as `bind` answered it), or why it is none. */
export function operationOf(route: string, value: unknown): Operation | { readonly flaw: OperationFlaw } {
  const flaw = jsonFlaw(value);
  if (flaw !== undefined) return { flaw: flaw === "too-deep" ? "too-long" : flaw };
  const plain = typeof value === "string" ? value : canonicalJson(value as Json);
  if (value === null || plain.trim() === "") return { flaw: "missing" };
  if (isTooLong(plain)) return { flaw: "too-long" };
  const text = visibleText(plain);
  // Compared as it was given: what looks alike is not the same.
  return isTooLong(text) ? { flaw: "too-long" } : { identity: canonicalJson([route, value as Json]), text };
}
