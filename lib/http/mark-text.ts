import { Recent } from "../core/recent.js";
import type { Mark } from "../policy/assess.js";

/**
 * What is kept in the session: the mark, and which session it was made for. Passport's `keepSessionInfo`, or anything else
 * that copies a session's content into another session, copies a mark that is worth nothing there.
 */
export interface Kept {
  readonly mark: Mark;
  readonly session: string;
}

const SHAPE = /^(first|second)\|([\w-]+)\|([\w-]*)\|([\w-]+)\|(\{.*\})$/s;

/**
 * One line of text. express-session parses, hashes and writes every session several times at every request, and members that
 * are objects make up most of what that costs.
 */
export function keptText({ mark, session }: Kept): string {
  const { generation, id, step, ...others } = mark;
  return [step, id, generation, session, JSON.stringify(others)].join("|");
}

/** Undefined for anything that {@link keptText} did not write, and for what was made for another session. */
export function markIn(text: unknown, ownSession: string): Mark | undefined {
  if (typeof text !== "string") return undefined;
  let kept = known.get(text);
  if (kept === undefined) {
    kept = read(text);
    if (kept !== undefined) known.put(text, kept);
  }
  return kept?.session === ownSession ? kept.mark : undefined;
}

/** Texts that were read before: a session's changes only when its login does. */
const known = new Recent<Kept>(1_000);

function read(text: string): Kept | undefined {
  const [, step, id, generation, session = "", others = "{}"] = SHAPE.exec(text) ?? [];
  try {
    const mark = { ...(JSON.parse(others) as object), step, id, generation };
    return isMark(mark) ? { mark, session } : undefined;
  } catch {
    return undefined;
  }
}

function isMark(mark: object): mark is Mark {
  return "user" in mark && typeof mark.user === "string" && "at" in mark && typeof mark.at === "number";
}
