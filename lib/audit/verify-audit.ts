import { ConfigurationError } from "../core/errors.js";
import { optionsProblems } from "../core/option-names.js";
import { type AuditKeys, chainKeys } from "../crypto/audit-digests.js";
import { ChainCheck } from "./chain-check.js";
import { auditKeyProblems } from "./options.js";
import { type Piece, piecesIn } from "./read-lines.js";
import { type ChainState, parsedAnchor, type ParsedRecord, parsedRecord, remainsOf } from "./record.js";
import type { AuditChain, AuditNote, AuditPlace, AuditProblem, AuditVerdict } from "./verdict.js";

export interface VerifyAuditOptions {
  /** The key that the files were written with, or several by commas: `id:base64`. */
  readonly key: string | undefined;
  /** What `onAnchor` was given, as many as were kept. Without any the end of a file may be missing. Default: none. */
  readonly anchors?: readonly string[];
}

/** Of lines that belong to no chain so many are named: whoever reads of a thousand looks into the file. */
const MOST_NAMED = 1_000;

function keep<T>(list: T[], found: T): void {
  if (list.length < MOST_NAMED) list.push(found);
}

/** So many empty lines may stand in a file for no reason that is seen in it. */
const SPARE = 8;

/**
 * Empty lines of a file. A writer leaves one where it begins without seeing whether the line before is torn, or ends a torn line that
 * another has ended meanwhile. No writer leaves more: they were put in, and must not stand for bytes that were taken out.
 */
class EmptyLines {
  private reasons = SPARE;
  private count = 0;
  private first: AuditPlace | undefined = undefined;

  /** So many bytes before this piece were not written. */
  excess({ file, line, text }: Piece, record: ParsedRecord | undefined): number {
    if (text === "") {
      this.count += 1;
      if (this.count > this.reasons) this.first ??= { file, line };
    } else if (record === undefined || record.kind === "start") this.reasons += 1;
    return Math.max(0, this.count - this.reasons);
  }

  get notes(): readonly AuditNote[] {
    if (this.first === undefined) return [];
    const text = `${this.count} empty lines stand here and elsewhere in the file: nothing that writes it leaves so many`;
    return [{ ...this.first, text }];
  }
}

/** Everything that is found out, file by file. */
class Verification {
  private readonly chains = new Map<string, ChainCheck>();
  private readonly strays: AuditProblem[] = [];
  private readonly notes: AuditNote[] = [];

  constructor(
    private readonly keys: AuditKeys,
    private readonly anchors: readonly ChainState[],
  ) {}

  async read(file: string): Promise<void> {
    const empty = new EmptyLines();
    let isEmpty = true;
    for await (const piece of piecesIn(file)) {
      const record = parsedRecord(piece.text);
      const offset = piece.offset - empty.excess(piece, record);
      if (piece.text === "") continue;
      isEmpty = false;
      this.take({ ...piece, offset }, record);
    }
    if (isEmpty) this.notes.push({ file, line: 1, text: "No record is in this file" });
    this.notes.push(...empty.notes);
  }

  verdict(files: readonly string[]): AuditVerdict {
    const checks = [...this.chains.values()];
    for (const check of checks) check.settle();
    this.checkAnchors(files[0] ?? "");
    const ends = checks.map((check) => check.finish());
    const found = checks.map(({ problem }) => problem).filter((problem) => problem !== undefined);
    const byPlace = (a: AuditPlace, b: AuditPlace): number =>
      files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line;
    const problems = [...this.strays, ...found].sort(byPlace);
    const chains = ends.map(({ chain }) => chain).filter((chain): chain is AuditChain => chain !== undefined);
    const notes = [...this.notes, ...ends.flatMap((end) => end.notes)].sort(byPlace);
    return { isComplete: problems.length === 0, problems, notes, chains };
  }

  private take(piece: Piece, record: ParsedRecord | undefined): void {
    if (record !== undefined) {
      this.chainOf(record.writer).take(record, piece);
      return;
    }
    const remains = remainsOf(piece.text);
    const { file, line } = piece;
    if (remains.writer !== undefined) this.chainOf(remains.writer).takeRemains(remains, piece);
    else if (remains.isTorn) keep(this.notes, { file, line, text: "A record was begun here; nothing says whose" });
    else keep(this.strays, { file, line, damage: "forged", text: "this line is no record" });
  }

  private chainOf(writer: string): ChainCheck {
    const known = this.chains.get(writer);
    if (known !== undefined) return known;
    const numbers = this.anchors.filter((anchor) => anchor.writer === writer).map(({ number }) => number);
    const check = new ChainCheck(writer, this.keys, new Set(numbers));
    this.chains.set(writer, check);
    return check;
  }

  private checkAnchors(file: string): void {
    for (const anchor of this.anchors) {
      const { number, writer } = anchor;
      const check = this.chains.get(writer);
      check?.checkAnchor(anchor, "an anchor");
      if (check?.hasBegun === true) continue;
      const text = `all of the writer ${writer} is gone: by an anchor it had come as far as record ${number}`;
      this.strays.push({ file, line: 1, damage: "cut", text });
    }
    for (const { start } of this.chains.values()) {
      if (start?.follows === undefined) continue;
      const before = this.chains.get(start.follows.writer);
      before?.checkAnchor(start.follows, "its chain in the next file");
      if (before === undefined) this.notes.push({ ...start.place, text: "This goes on from a file that is not here" });
    }
  }
}

const WHERE = "verifyAudit: ";
const OPTIONS = ["key", "anchors"] satisfies (keyof VerifyAuditOptions)[];

/** Every problem of what it was called with, each with its mend. */
function problemsOf(files: unknown, given: unknown): string[] {
  const { anchors = [], key } = Object(given) as { readonly [Name in keyof VerifyAuditOptions]?: unknown };
  const arePaths = Array.isArray(files) && files.length > 0 && files.every((file) => typeof file === "string");
  const areTexts = Array.isArray(anchors) && anchors.every((anchor) => typeof anchor === "string");
  return [
    ...(arePaths ? [] : [`${WHERE}the first argument is a list of paths: ["audit.jsonl"]`]),
    ...optionsProblems(Object(given), OPTIONS, WHERE),
    ...auditKeyProblems(key, WHERE),
    ...(areTexts ? [] : [`${WHERE}anchors must be a list of texts, as onAnchor was given them`]),
  ];
}

function anchorsOf(texts: readonly string[]): readonly ChainState[] {
  const parsed = texts.map(parsedAnchor);
  const problems = parsed.flatMap((anchor, index) =>
    anchor === undefined ? [`${WHERE}anchor ${index + 1} is none: it must be as onAnchor was given it`] : [],
  );
  if (problems.length > 0) throw new ConfigurationError(problems);
  return parsed.filter((anchor) => anchor !== undefined);
}

/**
 * Reads what `auditFile` wrote, in as many files as it is in, and says whether it is complete: or what is missing, swapped, changed or
 * forged, and where. What processes leave that are killed, or find the disk full, is told apart from that (`notes`).
 *
 * It does NOT see that the end of a file is missing, or all of a file, but by an `anchors` entry or by what was written after. It reads
 * line by line, and never writes. Rejects where a file cannot be read.
 *
 * @throws ConfigurationError where no file is named, or the key or an anchor is malformed
 *
 * @example
 * ```ts
 * import { auditFile, verifyAudit } from "express-second-factor/audit";
 *
 * const { AUDIT_FILE = "audit.jsonl", SECOND_FACTOR_AUDIT_KEY: key } = process.env;
 * const anchors: string[] = []; // in another place than the file
 * const audit = auditFile(AUDIT_FILE, { key, onAnchor: (anchor) => anchors.push(anchor) });
 * await audit.close();
 *
 * const { chains, isComplete, notes, problems } = await verifyAudit([AUDIT_FILE], { key, anchors });
 * for (const { damage, file, line, text } of problems) log.error(`${file}:${line}: ${damage}: ${text}`);
 * for (const { file, line, text } of notes) log.warn(`${file}:${line}: ${text}`);
 * for (const { anchor, isClosed, lost, records } of chains) log.info({ anchor, isClosed, lost, records, isComplete });
 * ```
 */
export async function verifyAudit(files: readonly string[], options: VerifyAuditOptions): Promise<AuditVerdict> {
  const problems = problemsOf(files, options);
  if (problems.length > 0) throw new ConfigurationError(problems);
  const { anchors = [], key } = options;
  const verification = new Verification(chainKeys(key ?? ""), anchorsOf(anchors));
  for (const file of files) await verification.read(file);
  return verification.verdict(files);
}
