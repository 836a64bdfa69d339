import type { Account } from "./account.js";
import type { UserId } from "./nouns.js";

const FORMAT = 2;
const LISTS = {
  factors: "object",
  enrollments: "object",
  devices: "object",
  logins: "object",
  revokedLogins: "string",
  activity: "object",
} as const;

function isListOf(kind: "object" | "string", list: unknown): boolean {
  return Array.isArray(list) && list.every((each) => typeof each === kind && each !== null);
}

/** Records of the first format called two things otherwise, and counted attempts elsewhere. */
function ofFirstFormat({ generation, ended, ...record }: Record<string, unknown>): Record<string, unknown> {
  return { ...record, sessionEpoch: generation, revokedLogins: ended, attempts: {} };
}

/** @throws when the text is not an account record, or not this user's */
export function parseAccount(userId: UserId, text: string): Account {
  const { format, ...stored } = (JSON.parse(text) ?? {}) as Record<string, unknown>;
  const record = format === 1 ? ofFirstFormat(stored) : stored;
  const isWhole =
    (format === FORMAT || format === 1) &&
    record.userId === userId &&
    typeof record.sessionEpoch === "string" &&
    typeof record.attempts === "object" &&
    record.attempts !== null &&
    Object.entries(LISTS).every(([name, kind]) => isListOf(kind, record[name]));
  if (!isWhole) throw new Error("The stored account record is damaged, of another format, or another user's");
  return record as unknown as Account;
}

/** Parts of an account never change, so each is written out once, however often the record around it is. */
const texts = new WeakMap<object, string>();

function textOf(part: object): string {
  let text = texts.get(part);
  if (text === undefined) {
    text = JSON.stringify(part);
    texts.set(part, text);
  }
  return text;
}

function listText(parts: readonly object[]): string {
  return `[${parts.map(textOf).join(",")}]`;
}

/** JSON. What is left out of an account is left out of its text. */
export function serializeAccount(account: Account): string {
  const { activity, devices, enrollments, factors, logins, ...head } = account;
  const lists = { activity, devices, enrollments, factors, logins };
  const members = Object.entries(lists).map(([name, parts]) => `"${name}":${listText(parts)}`);
  return `${JSON.stringify({ format: FORMAT, ...head }).slice(0, -1)},${members.join(",")}}`;
}
