/** What JSON can say. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** Why a value is none: something is missing in it, it is of a kind that JSON does not have, or it is nested without end. */
export type JsonFlaw = "missing" | "foreign" | "too-deep";

const DEEPEST = 100;

function partsOf(value: unknown): readonly unknown[] | undefined {
  // Holes count: `every` and its kind pass them over.
  if (Array.isArray(value)) return Array.from(value as unknown[]);
  const isPlain = typeof value === "object" && [Object.prototype, null].includes(Object.getPrototypeOf(value) as null);
  return isPlain ? Object.values(value as object) : undefined;
}

function isLeaf(value: unknown): boolean {
  return value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}

/** What keeps a value from being JSON; undefined for JSON, whose text then says all of it. */
export function jsonFlaw(value: unknown, depth = 0): JsonFlaw | undefined {
  if (isLeaf(value)) return undefined;
  if (value === undefined || typeof value === "number") return "missing";
  if (depth === DEEPEST) return "too-deep";
  const parts = partsOf(value);
  if (parts === undefined) return "foreign";
  for (const part of parts) {
    const flaw = jsonFlaw(part, depth + 1);
    if (flaw !== undefined) return flaw;
  }
  return undefined;
}

/** The one text of a value (RFC 8785): members in the order of their names' UTF-16 code units, no white space. */
export function canonicalJson(value: Json): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(canonicalJson).join(",")}]`;
  const members = Object.entries(value as { readonly [name: string]: Json })
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}
