export const MAX_LABEL = 64;
export const MAX_USER_AGENT = 255;

/** Text from outside, fit for a log line or a list: no control or invisible formatting characters, cut at `max`. */
export function cleanText(text: string, max: number): string {
  const visible = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return Array.from(visible).slice(0, max).join("");
}
