export const MAX_LABEL = 64;
export const MAX_USER_AGENT = 255;

/** Enough of an account's name to recognize one's own: `a•••@acme.test`, `a•••`. */
export function maskName(name: string): string {
  const at = name.lastIndexOf("@");
  const [first = ""] = name;
  return `${first}•••${at > 0 ? name.slice(at) : ""}`;
}

/** Text from outside, fit for a log line or a list: no control or invisible formatting characters, cut at `max`. */
export function cleanText(text: string, max: number): string {
  const visible = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return Array.from(visible).slice(0, max).join("");
}

/**
 * What shows nothing, or shows the rest otherwise than it is: controls, bidirectional and other format characters, what has no
 * appearance of its own, lone surrogates, the blank Braille pattern, and marks that pile up on one letter.
 */
const UNSEEN =
  /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u2800]|(?<=\p{M}{4})\p{M}/gu;

/** A text as somebody must be able to read it who confirms it: what cannot be seen in it stands there by its number, `[U+202E]`. */
export function visibleText(text: string): string {
  return text.replace(UNSEEN, (unseen) => {
    const number = (unseen.codePointAt(0) ?? 0).toString(16).toUpperCase();
    return `[U+${number.padStart(4, "0")}]`;
  });
}
