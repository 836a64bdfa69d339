import type { Clock } from "../core/nouns.js";
import type { AuditKey } from "../crypto/audit-digests.js";
import { randomId } from "../crypto/random.js";
import { AppendedFile } from "./appended-file.js";
import { anchorText, type ChainState, recordAfter, type RecordKind } from "./record.js";
import type { Subjects, WrittenEvent } from "./subjects.js";
import { type Waiting, WaitingEvents } from "./waiting-events.js";

/** What a writer needs; milliseconds. */
export interface WriterSettings {
  readonly path: string;
  readonly key: AuditKey;
  readonly keyId: string;
  /** Records, and milliseconds, after which there is an anchor at the latest. */
  readonly anchorEvery: number;
  readonly anchorAfter: number;
  readonly mostWaiting: number;
  readonly subjects: Subjects | undefined;
  readonly clock: Clock;
  readonly onAnchor: (anchor: string) => void;
  /** Told once when writing fails, and again only after it has worked meanwhile. */
  readonly onFailure: (error: unknown) => void;
}

/** So many records are put into one write at most. */
const MOST_AT_ONCE = 256;
const RETRY = 1_000;

/** A line, and what the chain has come to by it. */
interface Made {
  readonly kind: RecordKind;
  readonly line: string;
  readonly state: ChainState;
}

/** Those that say how far a chain has come. Each has the size of the file, below which nothing may be missing. */
const ANCHORS: readonly RecordKind[] = ["start", "anchor", "end"];

function after(milliseconds: number, act: () => void): NodeJS.Timeout {
  // Whoever ends the process waits for `close()`, not for this.
  return setTimeout(act, milliseconds).unref();
}

/** One writing process: its chains, one in each file that it comes to, and what waits for the disk. */
export class ChainWriter {
  private readonly waiting: WaitingEvents;
  private file: AppendedFile | undefined;
  private chain: ChainState = { writer: "", number: 0, digest: "" };
  /** The last of the chain in the file before. */
  private before: ChainState | undefined;
  private isTorn = false;
  private sinceAnchor = 0;
  private isAnchorDue = false;
  private isEnding = false;
  private isEnded = false;
  private isFailing = false;
  private working: Promise<void> | undefined;
  private retry: NodeJS.Timeout | undefined;
  private anchorTimer: NodeJS.Timeout | undefined;

  constructor(private readonly settings: WriterSettings) {
    this.waiting = new WaitingEvents(settings.mostWaiting);
    this.begin();
  }

  /** Never waits and never throws. */
  add(event: WrittenEvent): void {
    if (this.isEnding) {
      this.failed(new Error("An event came after the audit file was closed, and is lost"));
      return;
    }
    this.waiting.add(event);
    if (this.retry === undefined) this.begin();
  }

  /** Until everything that waits now is on the disk. Rejects where that cannot be, and goes on trying all the same. */
  async flush(): Promise<void> {
    await this.working?.catch(() => undefined);
    if (this.isEnded) return;
    await this.work();
    await this.file?.sync();
  }

  /** As `flush`, and the chain has its end. What comes later is lost, and told to be. */
  async close(): Promise<void> {
    this.isEnding = true;
    clearTimeout(this.anchorTimer);
    await this.flush();
    const { file } = this;
    this.file = undefined;
    await file?.close();
  }

  private begin(): void {
    this.work().catch(() => undefined);
  }

  private work(): Promise<void> {
    this.working ??= this.writeAll().finally(() => {
      this.working = undefined;
    });
    return this.working;
  }

  private async writeAll(): Promise<void> {
    clearTimeout(this.retry);
    this.retry = undefined;
    try {
      do await this.writeSome();
      while (this.waiting.count > 0);
      this.isFailing = false;
    } catch (error) {
      this.waiting.settle(0);
      this.retry = after(RETRY, () => this.begin());
      this.failed(error);
      throw error;
    }
  }

  private failed(error: unknown): void {
    if (this.isFailing) return;
    this.isFailing = true;
    this.settings.onFailure(error);
  }

  private async writeSome(): Promise<void> {
    const file = await this.place();
    const { anchorEvery, onAnchor } = this.settings;
    const taken = this.waiting.take(Math.min(MOST_AT_ONCE, Math.max(1, anchorEvery - this.sinceAnchor)));
    await this.hide(taken);
    const batch = this.batchOf(taken, file);
    if (batch.length === 0) return;
    const anchors = await this.append(file, batch);
    if (anchors.length === 0) return;
    // An anchor that ran ahead of the disk would call a loss of power a cut.
    await file.sync();
    for (const anchor of anchors) onAnchor(anchor);
  }

  /** The file to write to: another than before where that was moved away, and then with a chain of its own. */
  private async place(): Promise<AppendedFile> {
    if (this.file !== undefined) {
      const found = await this.file.look();
      if (found === "same") return this.file;
      await this.leave(this.file, found);
    }
    const file = await AppendedFile.open(this.settings.path);
    this.file = file;
    this.isTorn = file.isTorn;
    // A text that begins with a dash is an option to a command line.
    this.chain = { writer: randomId().replace(/^-/, "_"), number: 0, digest: "" };
    return file;
  }

  /** What is moved away ends properly, where it can. */
  private async leave(file: AppendedFile, found: "moved" | "emptied"): Promise<void> {
    this.file = undefined;
    if (this.chain.number > 0) this.before = this.chain;
    try {
      if (found === "emptied" || this.chain.number === 0) return;
      const end = this.made("end", this.chain, { bytes: file.size });
      const text = `${this.isTorn ? "\n" : ""}${end.line}\n`;
      if ((await file.append(text)) < text.length - 1) return;
      this.before = end.state;
      await file.sync();
      this.settings.onAnchor(anchorText(end.state));
    } catch {
      // The chain ends without its end, which its verifier tells.
    } finally {
      await file.close().catch(() => undefined);
    }
  }

  /** Once, whatever becomes of the disk: who is forgotten meanwhile would be met anew. */
  private async hide(taken: readonly Waiting[]): Promise<void> {
    const { subjects } = this.settings;
    if (subjects === undefined) return;
    for (const each of taken) {
      if ("lost" in each || each.isHidden) continue;
      each.event = await subjects.hide(each.event);
      each.isHidden = true;
    }
  }

  private batchOf(taken: readonly Waiting[], file: AppendedFile): readonly Made[] {
    const made: Made[] = [];
    let state = this.chain;
    const put = (kind: RecordKind, members: object): void => {
      made.push(this.made(kind, state, members));
      state = made.at(-1)?.state ?? state;
    };
    if (state.number === 0) put("start", this.startOf(file));
    for (const each of taken) {
      if ("lost" in each) put("audit-lost", each.lost);
      else put("event", { event: each.event });
    }
    const isFull = this.sinceAnchor + taken.length >= this.settings.anchorEvery;
    if (this.isEnding && taken.length === this.waiting.count) put("end", { bytes: file.size });
    else if (this.isAnchorDue || isFull) put("anchor", { bytes: file.size });
    return made;
  }

  private startOf(file: AppendedFile): object {
    const { before } = this;
    const follows = before === undefined ? {} : { follows: anchorText(before) };
    return { key: this.settings.keyId, bytes: file.size, ...follows };
  }

  private made(kind: RecordKind, state: ChainState, members: object): Made {
    const time = new Date(this.settings.clock()).toISOString();
    return { kind, ...recordAfter(state, this.settings.key, kind, { time, ...members }) };
  }

  /** Whatever of it is whole in the file is written; answers the anchors among that. */
  private async append(file: AppendedFile, batch: readonly Made[]): Promise<string[]> {
    const gap = this.isTorn ? "\n" : "";
    const text = `${gap}${batch.map(({ line }) => `${line}\n`).join("")}`;
    const written = await file.append(text);
    // Without the end of its line a record is whole: it must not be written again.
    let end = gap.length - 1;
    const whole = batch.filter(({ line }) => (end += line.length + 1) <= written);
    this.come(whole);
    if (written < text.length) {
      // All that was written may have been what ends a line.
      this.isTorn = written === 0 ? this.isTorn : written !== gap.length;
      this.isAnchorDue = true;
      throw new Error("Only a part of what was to be written was taken: the disk is full");
    }
    this.isTorn = false;
    return whole.filter(({ kind }) => ANCHORS.includes(kind)).map(({ state }) => anchorText(state));
  }

  /** The chain has come as far as these. */
  private come(whole: readonly Made[]): void {
    this.chain = whole.at(-1)?.state ?? this.chain;
    this.waiting.settle(whole.filter(({ kind }) => kind === "event" || kind === "audit-lost").length);
    for (const { kind } of whole) {
      const isAnchor = ANCHORS.includes(kind);
      this.sinceAnchor = isAnchor ? 0 : this.sinceAnchor + 1;
      if (isAnchor) this.isAnchorDue = false;
    }
    this.isEnded = whole.at(-1)?.kind === "end";
    this.anchorLater();
  }

  private anchorLater(): void {
    if (this.sinceAnchor === 0 || this.anchorTimer !== undefined || this.isEnding) return;
    this.anchorTimer = after(this.settings.anchorAfter, () => {
      this.anchorTimer = undefined;
      this.isAnchorDue = this.sinceAnchor > 0;
      if (this.isAnchorDue) this.begin();
    });
  }
}
