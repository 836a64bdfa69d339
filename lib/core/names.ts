/** Nobody reads a longer name; a longer address is known by its beginning. */
const LONGEST_NAME = 128;

/** As far as the text goes within so many characters, whole characters only. */
function cut(text: string, fits: (part: string) => boolean): string {
  if (fits(text)) return text;
  const characters = Array.from(text);
  let [fitting, beyond] = [0, characters.length];
  while (beyond - fitting > 1) {
    const middle = Math.floor((fitting + beyond) / 2);
    if (fits(characters.slice(0, middle).join(""))) fitting = middle;
    else beyond = middle;
  }
  return characters.slice(0, fitting).join("");
}

/**
 * A name from the application, fit to be shown, written into a URI and sealed into a passkey: well-formed, without control
 * characters, of a length that people read. Empty for what is no text, or nothing else.
 */
export function nameOf(given: unknown): string {
  if (typeof given !== "string") return "";
  const shown = given
    .replace(/\p{Surrogate}/gu, "\uFFFD")
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .trim();
  return cut(shown, (part) => part.length <= LONGEST_NAME).trim();
}

/** The name, cut to so many characters as a URI writes it: three for every byte that is no letter or digit. */
export function nameForUri(name: string, longest: number): string {
  return cut(name, (part) => encodeURIComponent(part).length <= longest);
}
