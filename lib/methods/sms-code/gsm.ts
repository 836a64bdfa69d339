/** 3GPP TS 23.038, section 6.2.1: one septet each. */
const BASIC = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
);
/** Section 6.2.1.1: these are written with an escape before them. */
const EXTENSION = new Set("\f^{}\\[~]|€");

/** Of one message; longer ones are cut into several, and each is paid for. */
export const SEGMENT = 160;

/** What is typeset, or has a stroke through it, by what it is taken for. */
const ALIKE: Readonly<Record<string, string>> = {
  "\u00a0": " ",
  "\u202f": " ",
  "‐": "-",
  "‑": "-",
  "–": "-",
  "—": "-",
  "…": "...",
  "‘": "'",
  "’": "'",
  "‚": ",",
  "“": '"',
  "”": '"',
  "„": '"',
  "«": '"',
  "»": '"',
  "•": "-",
  đ: "d",
  Đ: "D",
  ł: "l",
  Ł: "L",
  ı: "i",
  œ: "oe",
  Œ: "OE",
};

function isIn(character: string): boolean {
  return BASIC.has(character) || EXTENSION.has(character);
}

function gsmOf(character: string): string | undefined {
  if (isIn(character)) return character;
  const alike = Object.hasOwn(ALIKE, character) ? ALIKE[character] : undefined;
  if (alike !== undefined) return alike;
  // A letter that the alphabet has, with a mark that it has not.
  const plain = character.normalize("NFD").replace(/\p{M}/gu, "");
  return plain !== "" && Array.from(plain).every(isIn) ? plain : undefined;
}

/** The text in the alphabet of GSM, as near as it can be written there; undefined where it cannot. */
export function inGsm(text: string): string | undefined {
  const characters = Array.from(text.normalize("NFC"), gsmOf);
  return characters.every((each) => each !== undefined) ? characters.join("") : undefined;
}

/** Septets of a text in the alphabet of GSM. */
export function septets(text: string): number {
  return Array.from(text).reduce((sum, character) => sum + (EXTENSION.has(character) ? 2 : 1), 0);
}
