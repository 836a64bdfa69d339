/**
 * What was used most recently, up to so many. Two generations: what is used moves to the young one, and when that is full the old
 * one is forgotten whole. So a hit costs one look-up; the newest half of `most` is always there, and never more than all of it.
 * What it holds is never undefined.
 */
export class LruMap<K, V> {
  private young = new Map<K, V>();
  private old = new Map<K, V>();

  constructor(private readonly most: number) {}

  get(key: K): V | undefined {
    const value = this.young.get(key);
    if (value !== undefined) return value;
    const older = this.old.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  /** Looking does not count as using. */
  has(key: K): boolean {
    return this.young.has(key) || this.old.has(key);
  }

  set(key: K, value: V): this {
    this.young.set(key, value);
    if (this.young.size >= this.most / 2) {
      this.old = this.young;
      this.young = new Map();
    }
    return this;
  }

  delete(key: K): boolean {
    const wasOld = this.old.delete(key);
    return this.young.delete(key) || wasOld;
  }
}
