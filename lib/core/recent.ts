/** What was used most recently, up to so many; the least recently used is forgotten first. */
export class Recent<T> {
  private readonly entries = new Map<string, T>();

  constructor(private readonly most: number) {}

  get(key: string): T | undefined {
    const entry = this.entries.get(key);
    if (entry !== undefined) this.put(key, entry);
    return entry;
  }

  has(key: string): boolean {
    return this.entries.has(key);
  }

  put(key: string, entry: T): void {
    this.entries.delete(key);
    this.entries.set(key, entry);
    const oldest = this.entries.keys().next();
    if (this.entries.size > this.most && oldest.done !== true) this.entries.delete(oldest.value);
  }
}
