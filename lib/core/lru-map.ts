/** What was used most recently, up to so many; the least recently used is forgotten first. What it holds is never undefined. */
export class LruMap<K, V> {
  private readonly entries = new Map<K, V>();

  constructor(private readonly most: number) {}

  get size(): number {
    return this.entries.size;
  }

  get(key: K): V | undefined {
    const value = this.entries.get(key);
    if (value === undefined) return undefined;
    // A Map is in the order its keys came, so what was used comes again.
    this.entries.delete(key);
    this.entries.set(key, value);
    return value;
  }

  /** Looking does not count as using. */
  has(key: K): boolean {
    return this.entries.has(key);
  }

  set(key: K, value: V): this {
    this.entries.delete(key);
    this.entries.set(key, value);
    if (this.entries.size > this.most) this.forgetOldest();
    return this;
  }

  delete(key: K): boolean {
    return this.entries.delete(key);
  }

  private forgetOldest(): void {
    const oldest = this.entries.keys().next();
    if (oldest.done !== true) this.entries.delete(oldest.value);
  }
}
