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

const SHAPE = /^(first|second)\|([\w-]+)\|([\w-]*)\|([\w-]+)\|(\{.*\})$/s;
const MOST_KEPT = 4_000;

/** Texts that were read before: a session's changes only when its login does. */
const read = new LruMap<string, Kept>(MOST_KEPT);

/**
 * One line of text. express-session parses, hashes and writes every session several times at every request, and members that
 * are objects make up most of what that costs.
 */
export function textOf({ epoch, id, step, ...others }: SessionRecord, sessionId: string): string {
  return [step, id, epoch, fingerprint(sessionId), JSON.stringify(others)].join("|");
}

/** Undefined for anything that {@link textOf} did not write, and for what was made for another session. */
export function recordIn(text: unknown, sessionId: string): SessionRecord | undefined {
  if (typeof text !== "string") return undefined;
  let kept = read.get(text);
  if (kept === undefined) {
    kept = parse(text);
    if (kept !== undefined) read.set(text, kept);
  }
  if (kept === undefined) return undefined;
  if (kept.ownId === sessionId) return kept.record;
  if (kept.session !== fingerprint(sessionId)) return undefined;
  kept.ownId = sessionId;
  return kept.record;
}

function parse(text: string): Kept | undefined {
  const [, step, id, epoch, session = "", others = "{}"] = SHAPE.exec(text) ?? [];
  try {
    const record = { ...(JSON.parse(others) as object), step, id, epoch };
    return isRecord(record) ? { record, session } : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(record: object): record is SessionRecord {
  return "user" in record && typeof record.user === "string" && "at" in record && typeof record.at === "number";
}
