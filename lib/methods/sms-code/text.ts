import { inGsm, SEGMENT, septets } from "./gsm.js";

/** What a text is made of. */
export interface TextParts {
  readonly code: string;
  /** Whose code it is. */
  readonly issuer: string;
  /** Of the site as it is configured; undefined where no browser opens it. */
  readonly host: string | undefined;
  /** The sentences; without an issuer they have to do without. */
  readonly words: (code: string, issuer: string) => string;
}

/**
 * The last line, by which phones fill the code in at this site and at no other (WICG "Origin-bound one-time codes"). Nothing may
 * stand behind it.
 */
function boundLine({ code, host }: TextParts): string {
  return host === undefined ? "" : `\n@${host} #${code}`;
}

function isOne(text: string): boolean {
  return septets(text) <= SEGMENT;
}

/**
 * The text that carries a code: one message in the alphabet of GSM. The issuer is left out where it does not fit or cannot be written
 * there; the line for the phone where the host alone fills the message. Words of the application's own in another alphabet go as they
 * are, in as many messages as they take.
 */
export function smsText(parts: TextParts): string {
  const { code, issuer, words } = parts;
  const line = boundLine(parts);
  const named = inGsm(issuer);
  const sentences = (named === undefined || named === "" ? [""] : [named, ""]).map((each) => inGsm(words(code, each)));
  const written = sentences.filter((each) => each !== undefined);
  const [text] = [...written.map((each) => each + line), ...written].filter(isOne);
  return text ?? words(code, issuer) + line;
}

/** The host of a site's address, without the port: what a code is bound to. */
export function hostOf(place: string | undefined): string | undefined {
  return place === undefined ? undefined : new URL(place).hostname;
}
