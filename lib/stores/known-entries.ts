const MOST = 1_000;

/**
 * Values as they were last seen, the least recently used forgotten first. A version names one value for ever, so a server that
 * confirms the version need not send the value again. Nothing in here is believed without that confirmation.
 */
export class KnownEntries<T extends { readonly version: string }> {
  private readonly entries = new Map<string, T>();

  get(key: string): T | undefined {
    const entry = this.entries.get(key);
    if (entry !== undefined) this.put(key, entry);
    return entry;
  }

  put(key: string, entry: T): void {
    this.entries.delete(key);
    this.entries.set(key, entry);
    const oldest = this.entries.keys().next();
    if (this.entries.size > MOST && oldest.done !== true) this.entries.delete(oldest.value);
  }

  /** What this process wrote itself is known too, where it was read before. */
  replace(key: string, entry: T): void {
    if (this.entries.has(key)) this.put(key, entry);
  }
}
