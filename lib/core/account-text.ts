import type { Account } from "./account.js";
import type { UserId } from "./nouns.js";

const FORMAT = 2;
const LISTS = {
  factors: "object",
  enrollments: "object",
  devices: "object",
  logins: "object",
  endedLogins: "object",
  activity: "object",
} as const;

function isListOf(kind: "object" | "string", list: unknown): boolean {
  return Array.isArray(list) && list.every((each) => typeof each === kind && each !== null);
}

function hasLists(record: Record<string, unknown>): boolean {
  const isWhole = Object.entries(LISTS).every(([name, kind]) => isListOf(kind, record[name]));
  return isWhole && isListOf("string", record.looseClaims ?? []);
}

/** Records of the first format called two things otherwise, and counted attempts elsewhere. */
function ofFirstFormat({ generation, ended, ...record }: Record<string, unknown>): Record<string, unknown> {
  return { ...record, sessionEpoch: generation, revokedLogins: ended, attempts: {} };
}

/** Logins that ended were kept without a time: they stay until newer ones take their place. */
function withTimes({ revokedLogins, ...record }: Record<string, unknown>): Record<string, unknown> {
  if (!isListOf("string", revokedLogins)) return record;
  const ends = (revokedLogins as readonly string[]).map((id) => ({
    id,
    until: Number.MAX_SAFE_INTEGER,
    isFirstStep: true,
  }));
  return { ...record, endedLogins: ends };
}

/** An id that was once written as the number it is. */
function withTextId(record: Record<string, unknown>): Record<string, unknown> {
  const { userId } = record;
  return typeof userId === "number" ? { ...record, userId: String(userId) } : record;
}

/** @throws when the text is not an account record, or not this user's */
export function parseAccount(userId: UserId, text: string): Account {
  const { format, ...stored } = (JSON.parse(text) ?? {}) as Record<string, unknown>;
  const record = withTextId(withTimes(format === 1 ? ofFirstFormat(stored) : stored));
  const isWhole =
    (format === FORMAT || format === 1) &&
    record.userId === userId &&
    typeof record.sessionEpoch === "string" &&
    typeof record.attempts === "object" &&
    record.attempts !== null &&
    hasLists(record);
  if (!isWhole) throw new Error("The stored account record is damaged, of another format, or another user's");
  return record as unknown as Account;
}

/** Of every part of an account, the text it was written as: parts never change, so none need be written out twice. */
export type PartTexts = ReadonlyMap<object, string>;

/** An account as it is stored, in JSON, and the texts of its parts, for the next time. */
export interface AccountText {
  readonly text: string;
  readonly parts: PartTexts;
}

/** What is left out of an account is left out of its text. `known`: of the account this one was made from. */
export function serializeAccount(account: Account, known?: PartTexts): AccountText {
  const { activity, devices, enrollments, factors, logins, ...head } = account;
  const parts = new Map<object, string>();
  const listText = (list: readonly object[]): string => {
    const texts = list.map((part) => {
      const text = known?.get(part) ?? JSON.stringify(part);
      parts.set(part, text);
      return text;
    });
    return `[${texts.join(",")}]`;
  };
  const members = Object.entries({ activity, devices, enrollments, factors, logins }).map(
    ([name, list]) => `"${name}":${listText(list)}`,
  );
  const text = [JSON.stringify({ format: FORMAT, ...head }).slice(0, -1), ...members].join(",");
  return { text: `${text}}`, parts };
}
