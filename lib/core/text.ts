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
