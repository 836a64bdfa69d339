import { LruMap } from "../core/lru-map.js";
import { fingerprint } from "../crypto/fingerprint.js";
import type { SessionRecord } from "../policy/assess.js";

/**
 * The record as it is kept in the session, with the session it was made for. Passport's `keepSessionInfo`, or anything else
 * that copies a session's content into another session, copies a record that is worth nothing there.
 */
interface Kept {
  readonly record: SessionRecord;
  readonly session: string;
  /** The id of a session that it was found to be made for. */
  ownId?: string;
}

const STEPS = ["first", "second"] as const;
const SHAPE = /^([01])\|([\w-]+)(?:\.([\w-]+))?\|([\w-]*)\|([\w-]+)\|([^|]+)\|([0-9]+)\|(.*)$/s;
const MOST_KEPT = 4_000;
/** Characters; a longer text carries where its user was going, for a moment. */
const LONGEST_KEPT = 1_000;

/** Texts that were read before: a session's changes only when its login does. */
const read = new LruMap<string, Kept>(MOST_KEPT);

/**
 * One short line of text, without a quotation mark where nothing but the login is kept. express-session parses, hashes and writes
 * every session several times at every request, and members that are objects make up most of what that costs.
 */
export function textOf(record: SessionRecord, sessionId: string): string {
  const { at, epoch, id, stage, step, user, ...others } = record;
  const session = fingerprint(sessionId);
  const ids = stage === undefined ? id : `${id}.${stage}`;
  const head = [STEPS.indexOf(step), ids, epoch, session, at, user.length, user].join("|");
  const text = `${head}${Object.keys(others).length === 0 ? "" : JSON.stringify(others)}`;
  keep(text, { record, session, ownId: sessionId });
  return text;
}

function keep(text: string, kept: Kept): void {
  if (text.length <= LONGEST_KEPT) read.set(text, kept);
}

function keptIn(text: unknown): Kept | undefined {
  if (typeof text !== "string") return undefined;
  const known = read.get(text);
  if (known !== undefined) return known;
  const kept = parse(text);
  if (kept !== undefined) keep(text, kept);
  return kept;
}

/** Whatever session it was made for: good for finding a login over, never for finding it good. */
export function copiedIn(text: unknown): SessionRecord | undefined {
  return keptIn(text)?.record;
}

/** Undefined for anything that {@link textOf} did not write, and for what was made for another session. */
export function recordIn(text: unknown, sessionId: string): SessionRecord | undefined {
  const kept = keptIn(text);
  if (kept === undefined) return undefined;
  if (kept.ownId === sessionId) return kept.record;
  if (kept.session !== fingerprint(sessionId)) return undefined;
  kept.ownId = sessionId;
  return kept.record;
}

/** What follows the head of a text: the user's id, as long as it says, then whatever else is kept. */
function restOf(length: number, rest: string): { user: string; others: object } | undefined {
  if (rest.length < length) return undefined;
  const others = rest.slice(length);
  return { user: rest.slice(0, length), others: others === "" ? {} : (JSON.parse(others) as object) };
}

function parse(text: string): Kept | undefined {
  const [, step, id, stage, epoch, session, at, length, rest] = SHAPE.exec(text) ?? [];
  const known = STEPS[Number(step)];
  if (known === undefined || Number.isNaN(Number(at))) return undefined;
  const ids = { id: String(id), ...(stage !== undefined && { stage }) };
  try {
    const { others, user } = restOf(Number(length), String(rest)) ?? {};
    if (user === undefined) return undefined;
    return {
      record: { ...others, ...ids, step: known, epoch: String(epoch), user, at: Number(at) },
      session: String(session),
    };
  } catch {
    return undefined;
  }
}
