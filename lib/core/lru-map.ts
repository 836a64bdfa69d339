/**
 * What was used most recently, up to so much. Two generations: what is used moves to the young one, and when that is full the old
 * one is forgotten whole. So a hit costs one look-up; the newest half of `most` is always there, and never more than all of it.
 * What it holds is never undefined.
 */
export class LruMap<K, V> {
  private young = new Map<K, V>();
  private old = new Map<K, V>();
  /** Of what the young one holds. */
  private weight = 0;

  /** `most`: how many, or, where `weigh` says what one weighs, how much in all. */
  constructor(
    private readonly most: number,
    private readonly weigh: (value: V) => number = () => 1,
  ) {}

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
    const replaced = this.young.get(key);
    this.young.set(key, value);
    this.weight += this.weigh(value) - (replaced === undefined ? 0 : this.weigh(replaced));
    if (this.weight >= this.most / 2) {
      this.old = this.young;
      this.young = new Map();
      this.weight = 0;
    }
    return this;
  }

  delete(key: K): boolean {
    const wasOld = this.old.delete(key);
    const young = this.young.get(key);
    if (young === undefined) return wasOld;
    this.weight -= this.weigh(young);
    return this.young.delete(key);
  }
}
