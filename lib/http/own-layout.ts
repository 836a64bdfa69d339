import { UnavailableError } from "../core/errors.js";
import { SECOND } from "../core/nouns.js";
import { within } from "../core/within.js";

/** What a layout that fails is called. */
const LAYOUT = "layout";
/** Milliseconds. */
const LONGEST = 5 * SECOND;

function isDocument(answer: unknown): answer is string {
  return typeof answer === "string" && answer.trim() !== "";
}

/** What the application's layout makes of a page. @throws UnavailableError that names the layout where it does not */
export function laidOut(layout: () => unknown): Promise<string> {
  return within(LAYOUT, LONGEST, layout, isDocument);
}

/** The application's layout has failed: it need not be asked again for the page that says so. */
export function isOfLayout(error: unknown): boolean {
  return error instanceof UnavailableError && error.message.startsWith(LAYOUT);
}
