import { LruMap } from "../core/lru-map.js";
import type { Entry } from "./contract.js";

const MOST = 1_000;

/** An entry, and when it expires: milliseconds since the epoch, Infinity for never. */
export interface Held {
  readonly entry: Entry;
  readonly expiresAt: number;
}

/**
 * Entries as they were last seen. A version names one value for ever, so a server that confirms the version need not send the
 * value again, and callers get the very object they got before. Nothing in here is believed without that confirmation.
 */
export class KnownEntries {
  private readonly held = new LruMap<string, Held>(MOST);

  get(place: string): Held | undefined {
    return this.held.get(place);
  }

  /** What the server has; answers what is known of it already where the version is the same. */
  seen(place: string, now: Held): Held {
    const known = this.held.get(place);
    if (known?.entry.version === now.entry.version) return known;
    this.held.set(place, now);
    return now;
  }

  /** What this process wrote itself is known too, where it was read before. */
  written(place: string, now: Held): void {
    if (this.held.has(place)) this.held.set(place, now);
  }

  forget(place: string): void {
    this.held.delete(place);
  }
}
