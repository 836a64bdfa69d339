// A server may be unable to hold NUL (PostgreSQL) or half a surrogate pair (UTF-8 has none: two different ids would become
// one). JSON contains neither, so account records are kept as they are, but for a percent sign in a label.
const UNSTORABLE = /[%\p{Cc}\p{Cs}]/gu;
const ESCAPED = /%([0-9a-f]{4})/g;

function escape(character: string): string {
  return `%${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Text as any server can hold it; different texts stay different. */
export function storedText(text: string): string {
  return text.replace(UNSTORABLE, escape);
}

/** The text {@link storedText} was given. */
export function givenText(stored: string): string {
  return stored.replace(ESCAPED, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** As {@link storedText}, and free of braces, so that it can be the hash tag of a Redis key. */
export function hashTag(text: string): string {
  return storedText(text).replace(/[{}]/g, escape);
}
