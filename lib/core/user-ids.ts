import type { UserId } from "./nouns.js";

/** Half a pair: in UTF-8, and so in every store, all of these are one and the same character. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * The one reader of user ids, whoever gives them: what two users could share is none. Undefined for anything but text that is not
 * empty, a bigint, and a whole number that is exact.
 */
export function userIdOf(given: unknown): UserId | undefined {
  if (typeof given === "string") return given === "" || LONE_SURROGATE.test(given) ? undefined : given;
  return typeof given === "bigint" || Number.isSafeInteger(given) ? String(given) : undefined;
}

/** What a user id may be, for messages. */
export const USER_ID_KINDS = "text that is not empty, a whole number that is exact (up to 2^53 - 1), or a bigint";

function kindOfObject(value: object): string {
  if (Array.isArray(value)) return "a list";
  const { name = "" } = (value.constructor as { readonly name?: string } | undefined) ?? {};
  return name === "" || name === "Object" ? "an object" : `an object (${name})`;
}

function kindOfNumber(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  return Number.isInteger(value) ? "a number too large to be exact" : `a number that is not whole`;
}

function kindOfText(value: string): string {
  if (value === "") return "empty text";
  return LONE_SURROGATE.test(value) ? "text with half a surrogate pair" : "text";
}

/** What something is, without a word of what it holds: it may be somebody's. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "object") return kindOfObject(value);
  if (typeof value === "number") return Number.isSafeInteger(value) ? "a number" : kindOfNumber(value);
  return typeof value === "string" ? kindOfText(value) : `a ${typeof value}`;
}
