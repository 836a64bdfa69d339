interface Waiting {
  /** By the process's own steady clock, which no application moves. */
  readonly until: number;
  readonly onLate: () => void;
}

/**
 * What waits for at most so many milliseconds. All that wait equally long end in the order they began, so one timer serves them
 * all: a timer each, made and cleared at every request, costs more than what it guards.
 */
class Deadlines {
  private readonly waiting = new Set<Waiting>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly timeout: number) {}

  /** Calls `onLate` once the time is over, unless the function it answers was called before. */
  begin(onLate: () => void): () => void {
    const each: Waiting = { until: performance.now() + this.timeout, onLate };
    this.waiting.add(each);
    if (this.timer === undefined) this.arm(this.timeout);
    else if (this.waiting.size === 1) this.timer.ref();
    return () => {
      // While nothing waits, the timer must not keep a process that is otherwise done.
      if (this.waiting.delete(each) && this.waiting.size === 0) this.timer?.unref();
    };
  }

  private arm(delay: number): void {
    this.timer = setTimeout(() => {
      this.sweep();
    }, delay);
  }

  private sweep(): void {
    this.timer = undefined;
    const now = performance.now();
    for (const each of this.waiting) {
      if (each.until > now) {
        this.arm(each.until - now);
        return;
      }
      this.waiting.delete(each);
      each.onLate();
    }
  }
}

const byTimeout = new Map<number, Deadlines>();

/** Calls `onLate` after `timeout` ms, unless the function it answers was called before. */
export function deadline(timeout: number, onLate: () => void): () => void {
  const deadlines = byTimeout.get(timeout) ?? new Deadlines(timeout);
  byTimeout.set(timeout, deadlines);
  return deadlines.begin(onLate);
}
