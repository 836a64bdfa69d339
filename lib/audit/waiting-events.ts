import { ERASED, type WrittenEvent } from "./subjects.js";

/** Events that there was no room for. */
export interface Lost {
  count: number;
  /** When the first and the last of them happened, as they say themselves. */
  readonly since: unknown;
  until: unknown;
}

/** What waits to be written: an event, or that there were others in its place. */
export type Waiting = { event: WrittenEvent; isHidden: boolean } | { readonly lost: Lost };

/** What waits for the disk, in order, and never more than there is room for. */
export class WaitingEvents {
  private readonly waiting: Waiting[] = [];
  /** Of those at the front so many are being written just now, and are not to be changed any more. */
  private taken = 0;

  constructor(private readonly most: number) {}

  get count(): number {
    return this.waiting.length;
  }

  /** What has no room is counted where it would have stood; but that somebody is to be forgotten is not forgotten itself. */
  add(event: WrittenEvent): void {
    if (this.waiting.length < this.most || event["action"] === ERASED) this.waiting.push({ event, isHidden: false });
    else this.lose(event["time"]);
  }

  /** The first of them, as many as are written at once. */
  take(most: number): readonly Waiting[] {
    this.taken = Math.min(most, this.waiting.length);
    return this.waiting.slice(0, this.taken);
  }

  /** So many of those that were taken are done; the others go on waiting. */
  settle(done: number): void {
    this.waiting.splice(0, done);
    this.taken = 0;
  }

  private lose(time: unknown): void {
    const last = this.waiting.length > this.taken ? this.waiting.at(-1) : undefined;
    if (last !== undefined && "lost" in last) {
      last.lost.count += 1;
      last.lost.until = time;
    } else this.waiting.push({ lost: { count: 1, since: time, until: time } });
  }
}
