import { type AuditKey, chainDigest } from "../crypto/audit-digests.js";

/** What a record is: an event, or what its writer says of its chain. */
export type RecordKind = "start" | "event" | "anchor" | "audit-lost" | "end";

/** How far a chain has come: whose it is, how many records it has, and the digest of the last, which is over all before it. */
export interface ChainState {
  readonly writer: string;
  readonly number: number;
  readonly digest: string;
}

/** A line of a file that has the form of a record, whatever it is worth. */
export interface ParsedRecord extends ChainState {
  readonly kind: RecordKind;
  /** What its digest is over, beside the digest of the one before. */
  readonly text: string;
  readonly members: Readonly<Record<string, unknown>>;
}

/**
 * How every record begins, and nothing else in a file does: within a JSON text a quote stands behind a backslash. A record that was
 * written behind the torn end of another is found by it.
 */
export const HEAD = '{"writer":"';
const ID = "[A-Za-z0-9_-]{22}";
const DIGEST = "[A-Za-z0-9_-]{43}";
const RECORD = new RegExp(
  `^(\\{"writer":"(${ID})","number":([1-9]\\d{0,14}),"kind":"(start|event|anchor|audit-lost|end)",.*),"digest":"(${DIGEST})"\\}$`,
);
const BEGINNING = new RegExp(`^\\{"writer":"(${ID})"(?:,"number":([1-9]\\d{0,14}),)?`);
/** Lengths that a torn record cannot exceed: before it says whose it is and which; and as the first of a chain, whose members are all bounded. */
const MOST_UNNAMED = HEAD.length + 22 + '","number":'.length + 15;
const MOST_OF_START = 512;
const ANCHOR = new RegExp(`^(${ID})\\.([1-9]\\d{0,14})\\.(${DIGEST})$`);
const BEYOND_ASCII = /[^\x20-\x7e]/g;

/**
 * JSON of printable ASCII alone: no value can end a line, in whatever takes a character for a line's end (U+0085, U+2028), and none can
 * move the cursor of who reads it or turn its direction.
 */
function asciiJson(members: object): string {
  return JSON.stringify(members).replace(BEYOND_ASCII, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** The line of a record, without its end, and how far the chain has come with it. */
export function recordAfter(
  { digest, number, writer }: ChainState,
  key: AuditKey,
  kind: RecordKind,
  members: object,
): { readonly line: string; readonly state: ChainState } {
  const next = number + 1;
  const text = asciiJson({ writer, number: next, kind, ...members }).slice(0, -1);
  const own = chainDigest(key, digest, text);
  return { line: `${text},"digest":"${own}"}`, state: { writer, number: next, digest: own } };
}

/** Undefined where the text has not the form of a record. */
export function parsedRecord(line: string): ParsedRecord | undefined {
  const [, text, writer, number, kind, digest] = RECORD.exec(line) ?? [];
  if (text === undefined || writer === undefined || digest === undefined) return undefined;
  try {
    const members = JSON.parse(line) as Record<string, unknown>;
    return { writer, number: Number(number), kind: kind as RecordKind, digest, text, members };
  } catch {
    return undefined;
  }
}

const STRING = String.raw`"[^"\\]*(?:\\.[^"\\]*)*"`;
const PLAIN = String.raw`(?:${STRING}|[-+.\w]+)`;
const FLAT = String.raw`\{(?:${STRING}:${PLAIN}(?:,${STRING}:${PLAIN})*)?\}`;
const CUT_STRING = String.raw`"[^"\\]*(?:\\.[^"\\]*)*\\?`;
const CUT_MEMBER = `(?:${CUT_STRING}|${STRING}:?|${STRING}:(?:${CUT_STRING}|${PLAIN}))?`;
/** JSON that stops anywhere within its object, which is nested no deeper than a record is. */
const BEGUN = new RegExp(
  String.raw`^\{(?:${STRING}:(?:${PLAIN}|${FLAT}),)*(?:${CUT_MEMBER}|${STRING}:(?:${FLAT}|\{(?:${STRING}:${PLAIN},)*${CUT_MEMBER}))$`,
);
const OVERLONG_DIGEST = new RegExp(`,"digest":"${DIGEST}(?:[^"]|".)`);

/** More of it would have made a record. */
function isBegun(line: string): boolean {
  return BEGUN.test(line) && !OVERLONG_DIGEST.test(line);
}

/** What can still be read of a line that is no record: whose it was, and which. */
export interface Remains {
  readonly writer?: string;
  readonly number?: number;
  /** It is the beginning of a record, and its end was never written; otherwise something was done to it. */
  readonly isTorn: boolean;
}

export function remainsOf(line: string): Remains {
  const [, writer, number] = BEGINNING.exec(line) ?? [];
  const most = number === undefined ? MOST_UNNAMED : number === "1" ? MOST_OF_START : Infinity;
  const isBeginning = HEAD.startsWith(line) || (line.startsWith(HEAD) && isBegun(line));
  const isTorn = isBeginning && line.length <= most && line.search(BEYOND_ASCII) < 0;
  return { isTorn, ...(writer !== undefined && { writer }), ...(number !== undefined && { number: Number(number) }) };
}

/** One line of text that can be kept elsewhere. It holds nothing of what was recorded, and cannot be made without the key. */
export function anchorText({ digest, number, writer }: ChainState): string {
  return `${writer}.${number}.${digest}`;
}

/** Undefined where the text is no anchor. */
export function parsedAnchor(text: string): ChainState | undefined {
  const [, writer, number, digest] = ANCHOR.exec(text.trim()) ?? [];
  return writer === undefined || digest === undefined ? undefined : { writer, number: Number(number), digest };
}
