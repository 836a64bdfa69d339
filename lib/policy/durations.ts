import ms, { type StringValue } from "ms";

type Unit = "ms" | "s" | "m" | "h" | "d" | "w";

/** A length of time in one unit: `"30s"`, `"5m"`, `"24h"`, `"30d"`. */
export type Duration = `${number}${Unit}` | `${number} ${Unit}`;

const LONGEST = 400 * 24 * 60 * 60 * 1000;

/** What is said of a value that is none. `example`: what to write. */
export function notADuration(said: string, example: string): string {
  return `${said} is not a duration such as ${example}, 400 days at most`;
}

/** Milliseconds of a duration; undefined where it is none, not positive, or beyond 400 days. */
export function milliseconds(duration: unknown): number | undefined {
  // A bare number would be milliseconds to the library and seconds to most readers.
  if (typeof duration !== "string" || !/[a-z]$/i.test(duration)) return undefined;
  // The library answers undefined for text it does not know, which its types do not say.
  const length = ms(duration as StringValue) as number | undefined;
  return length !== undefined && Number.isFinite(length) && length > 0 && length <= LONGEST ? length : undefined;
}
