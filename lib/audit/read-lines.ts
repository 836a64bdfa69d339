import { createReadStream } from "node:fs";
import type { AuditPlace } from "./verdict.js";
import { HEAD } from "./record.js";

/** A piece of a line: all of it, but where a record was written behind the torn end of another. */
export interface Piece extends AuditPlace {
  readonly text: string;
  /** Bytes before it in the file. */
  readonly offset: number;
}

function* piecesOf(line: string, place: AuditPlace, offset: number): Generator<Piece> {
  let from = 0;
  while (from < line.length) {
    const next = line.indexOf(HEAD, from + 1);
    const to = next < 0 ? line.length : next;
    yield { ...place, offset: offset + from, text: line.slice(from, to) };
    from = to;
  }
}

/** Everything in a file, in its order. A byte is a character: what is beyond ASCII is nothing that was written. */
export async function* piecesIn(file: string): AsyncGenerator<Piece> {
  let [line, offset, rest] = [0, 0, ""];
  for await (const chunk of createReadStream(file, "latin1")) {
    const lines = `${rest}${String(chunk)}`.split("\n");
    rest = lines.pop() ?? "";
    for (const text of lines) {
      line += 1;
      yield* piecesOf(text, { file, line }, offset);
      offset += text.length + 1;
    }
  }
  yield* piecesOf(rest, { file, line: line + 1 }, offset);
}
