import { createReadStream } from "node:fs";
import { reasonIn } from "../core/reasons.js";
import type { AuditPlace } from "./verdict.js";
import { HEAD } from "./record.js";

/** A piece of a line: all of it, but where a record was written behind the torn end of another. */
export interface Piece extends AuditPlace {
  /** Of an empty line: empty. */
  readonly text: string;
  /** Bytes before it in the file. */
  readonly offset: number;
}

/** Longer than any record, in bytes: long texts are cut before they are written. */
const LONGEST_LINE = 1_048_576;
/** In the place of what is beyond that. No record has one, so that the line is none. */
const REST = "\0";

function* piecesOf(line: string, place: AuditPlace, offset: number): Generator<Piece> {
  if (line === "") yield { ...place, offset, text: line };
  let from = 0;
  while (from < line.length) {
    const next = line.indexOf(HEAD, from + 1);
    const to = next < 0 ? line.length : next;
    yield { ...place, offset: offset + from, text: line.slice(from, to) };
    from = to;
  }
}

/** What is in a file, a piece at a time. Of a folder, or a disk that fails, the system does not say which file it was. */
async function* textIn(file: string): AsyncGenerator<string> {
  try {
    for await (const chunk of createReadStream(file, "latin1")) yield String(chunk);
  } catch (error) {
    throw new Error(`${file} cannot be read: ${reasonIn(error)}`, { cause: error });
  }
}

/** Everything in a file, in its order. A byte is a character: what is beyond ASCII is nothing that was written. */
export async function* piecesIn(file: string): AsyncGenerator<Piece> {
  let [line, offset, length, kept] = [1, 0, 0, ""];
  const pieces = (): Generator<Piece> =>
    piecesOf(length > LONGEST_LINE ? `${kept}${REST}` : kept, { file, line }, offset);
  for await (const chunk of textIn(file)) {
    for (const [index, part] of chunk.split("\n").entries()) {
      if (index > 0) {
        yield* pieces();
        [line, offset, length, kept] = [line + 1, offset + length + 1, 0, ""];
      }
      length += part.length;
      kept += part.slice(0, LONGEST_LINE - kept.length);
    }
  }
  if (length > 0) yield* pieces();
}
