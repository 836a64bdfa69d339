import { type AuditKey, type AuditKeys, chainDigest } from "../crypto/audit-digests.js";
import type { Piece } from "./read-lines.js";
import { anchorText, type ChainState, parsedAnchor, type ParsedRecord, type Remains } from "./record.js";
import type { AuditChain, AuditDamage, AuditNote, AuditPlace, AuditProblem } from "./verdict.js";

/** What stands in the place of a record that was expected, and what would tell what was done. */
interface Suspect {
  readonly place: AuditPlace;
  readonly expected: number;
  readonly found: ParsedRecord;
  /** What the record after it is over, if its text was changed alone, or its digest. */
  readonly digests: readonly string[];
}

/** Something torn: where, and of which record. */
interface Torn {
  readonly place: AuditPlace;
  readonly number: number | undefined;
}

const BEFORE = "has been there before";

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function countOf(value: unknown): number {
  return typeof value === "number" && value > 0 ? value : 0;
}

function missing(from: number, to: number): string {
  return to === from ? `record ${from} is missing` : `records ${from} to ${to} are missing`;
}

/** One writer's records, as they are come by. */
export class ChainCheck {
  private state: ChainState;
  private key: AuditKey | undefined;
  private suspect: Suspect | undefined;
  private found: AuditProblem | undefined;
  private last: AuditPlace | undefined;
  private readonly torn: Torn[] = [];
  private readonly notes: AuditNote[] = [];
  private readonly known = new Map<number, string>();
  private lost = 0;
  private from = "";
  private until = "";
  private isClosed = false;
  /** Where it begins, and how the chain in the file before ended by it. */
  start: { readonly place: AuditPlace; readonly follows: ChainState | undefined } | undefined;

  constructor(
    private readonly writer: string,
    private readonly keys: AuditKeys,
    /** Records that anchors are about. */
    private readonly wanted: ReadonlySet<number>,
  ) {
    this.state = { writer, number: 0, digest: "" };
  }

  /** Something of it is there, whatever it is worth. */
  get hasBegun(): boolean {
    return this.last !== undefined || this.found !== undefined;
  }

  get problem(): AuditProblem | undefined {
    return this.found;
  }

  take(record: ParsedRecord, piece: Piece): void {
    if (this.found !== undefined) return;
    if (this.suspect !== undefined) {
      this.judge(this.suspect, record);
      return;
    }
    if (record.number === 1) this.key ??= this.keys.get(textOf(record.members["key"]));
    if (record.number === this.state.number + 1) this.check(record, piece);
    else this.isElsewhere(record, piece);
  }

  /** A line of this writer's that is none any more. */
  takeRemains({ isTorn, number }: Remains, place: AuditPlace): void {
    if (isTorn) {
      this.takeTorn({ place, number });
      return;
    }
    this.settle();
    const which = number === undefined ? "" : `: it was record ${number}`;
    this.blame(place, "changed", `what stands here is no record any more${which}`);
  }

  /** Nothing more comes. */
  finish(): { readonly chain: AuditChain | undefined; readonly notes: readonly AuditNote[] } {
    for (const { number, place } of this.torn) this.notes.push({ ...place, text: this.tornText(number) });
    const { digest, number, writer } = this.state;
    if (this.last === undefined) return { chain: undefined, notes: this.notes };
    const { file } = this.last;
    const times = { from: this.from, until: this.until };
    const whole = { isClosed: this.isClosed, lost: this.lost, records: number };
    return {
      chain: { writer, file, ...whole, ...times, anchor: anchorText({ writer, number, digest }) },
      notes: this.notes,
    };
  }

  /** Whether the chain has come as far as somebody has written down. */
  checkAnchor({ digest, number }: ChainState, source: string): void {
    const { last, state } = this;
    if (last === undefined || this.found !== undefined) return;
    if (state.number < number) {
      const text = `the end is cut off: by ${source} there were ${number} records of this writer, and here are ${state.number}`;
      this.blame(last, "cut", text);
    } else if ((number === state.number ? state.digest : this.known.get(number)) !== digest) {
      this.blame(last, "forged", `record ${number} of this writer is another than by ${source}`);
    }
  }

  /** Stops where `offset` bytes are before a record that was written where there were more. */
  checkSize(record: ParsedRecord, piece: Piece): void {
    const gone = countOf(record.members["bytes"]) - piece.offset;
    if (gone > 0) this.blame(piece, "cut", `${gone} bytes that stood before this record are gone from the file`);
  }

  /** A writer begins none but its next, and as often as the disk is full. */
  private takeTorn(torn: Torn): void {
    const { number = 0, place } = torn;
    const expected = this.state.number + 1;
    const isElsewhere = number !== 0 && number !== expected && this.suspect === undefined;
    if (isElsewhere && number < expected) this.blame(place, "repeated", `record ${number} of this writer ${BEFORE}`);
    else if (isElsewhere && !this.blamesMutilated(expected)) this.blameMissing(place, expected, number);
    this.torn.push(torn);
  }

  private check(record: ParsedRecord, piece: Piece): void {
    const { key } = this;
    if (key === undefined) {
      // Nothing vouches for this text yet, and it is going to be shown in a terminal.
      const [id = "?"] = /^[\w-]{1,32}$/.exec(textOf(record.members["key"])) ?? [];
      this.blame(piece, "unknown-key", `the key "${id}" is not among those given`);
      return;
    }
    const own = chainDigest(key, this.state.digest, record.text);
    if (own === record.digest) this.accept(record, piece);
    else this.suspect = { place: piece, expected: record.number, found: record, digests: [own, record.digest] };
  }

  private accept(record: ParsedRecord, piece: Piece): void {
    const { digest, kind, members, number, writer } = record;
    this.state = { writer, number, digest };
    this.last = { file: piece.file, line: piece.line };
    if (this.wanted.has(number)) this.known.set(number, digest);
    this.from ||= textOf(members["time"]);
    this.until = textOf(members["time"]);
    if (kind === "audit-lost") this.lost += countOf(members["count"]);
    if (kind === "start") this.start = { place: this.last, follows: parsedAnchor(textOf(members["follows"])) };
    this.isClosed = kind === "end";
    this.checkSize(record, piece);
  }

  /** Not the one that is expected: the same again, or one that comes later. */
  private isElsewhere(record: ParsedRecord, piece: Piece): void {
    const expected = this.state.number + 1;
    if (record.number < expected) {
      this.blame(piece, "repeated", `record ${record.number} of this writer ${BEFORE}`);
      return;
    }
    if (this.blamesMutilated(expected)) return;
    this.suspect = { place: piece, expected, found: record, digests: [record.digest] };
  }

  private blamesMutilated(expected: number): boolean {
    const mutilated = this.torn.find(({ number }) => number === expected);
    if (mutilated === undefined) return false;
    this.blame(mutilated.place, "changed", `record ${expected} has lost its end, and its writer went on after it`);
    return true;
  }

  private blameMissing(place: AuditPlace, expected: number, found: number): void {
    if (expected > 1) this.blame(place, "gap", missing(expected, found - 1));
    else this.blame(place, "cut", `the beginning is gone: ${missing(1, found - 1)}`);
  }

  /** What comes later says what was done: the one that was expected, or one that follows it as it was. */
  private judge({ digests, expected, found, place }: Suspect, later: ParsedRecord): void {
    const isExpected = later.number === expected && this.continues([this.state.digest], later);
    if (isExpected && found.number !== expected) {
      this.blame(place, "swapped", `record ${found.number} stands before record ${expected}`);
    } else if (later.number === expected + 1 && this.continues(digests, later)) {
      this.blame(place, "changed", `record ${expected} is not as it was written`);
    }
  }

  private continues(digests: readonly string[], { digest, text }: ParsedRecord): boolean {
    const { key } = this;
    return key !== undefined && digests.some((before) => chainDigest(key, before, text) === digest);
  }

  /** Nothing tells more of what is suspect. */
  settle(): void {
    if (this.suspect === undefined || this.found !== undefined) return;
    const { expected, found, place } = this.suspect;
    if (found.number === expected) {
      const text = `record ${expected} is not what its writer wrote with this key: it is changed, or forged`;
      this.blame(place, "forged", text);
    } else this.blameMissing(place, expected, found.number);
  }

  private tornText(number: number | undefined): string {
    const which = number === undefined ? "A record" : `Record ${number}`;
    if (number !== undefined && number <= this.state.number) {
      return `${which} of ${this.writer} was begun here and written whole later: the disk was full`;
    }
    return `${which} of ${this.writer} was begun here, and its writer wrote no more: it was stopped, or its end is cut off`;
  }

  private blame({ file, line }: AuditPlace, damage: AuditDamage, text: string): void {
    this.found ??= { file, line, damage, text };
  }
}
