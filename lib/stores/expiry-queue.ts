/** What expires, and when: milliseconds since the epoch. */
export interface Expiring {
  readonly key: string;
  readonly version: string;
  readonly expiresAt: number;
}

/** A binary heap: what expires first is first, in whatever order it came. */
export class ExpiryQueue {
  private readonly heap: Expiring[] = [];

  get size(): number {
    return this.heap.length;
  }

  add(added: Expiring): void {
    const { heap } = this;
    let at = heap.push(added) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.expiresAt <= added.expiresAt) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = added;
  }

  /** Takes out what expired first, or undefined where nothing has by `now`. */
  takeExpired(now: number): Expiring | undefined {
    const [first] = this.heap;
    if (first === undefined || first.expiresAt > now) return undefined;
    const last = this.heap.pop();
    if (last !== undefined && last !== first) this.sink(last);
    return first;
  }

  /** Puts what was last where the first was, and lets it down to its place. */
  private sink(last: Expiring): void {
    const { heap } = this;
    let at = 0;
    for (;;) {
      const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]];
      const isRight = left !== undefined && right !== undefined && right.expiresAt < left.expiresAt;
      const below = isRight ? right : left;
      if (below === undefined || below.expiresAt >= last.expiresAt) break;
      heap[at] = below;
      at = 2 * at + (isRight ? 2 : 1);
    }
    heap[at] = last;
  }
}
