/** What a sealed value or digest belongs to. Moved to another owner or purpose it does not open. */
export interface KeyContext {
  readonly owner: string;
  readonly purpose: string;
}

/**
 * What the product asks of a key, so that a vault or KMS can stand in for keys in the environment.
 *
 * Implementations reject when they cannot answer; a rejection refuses the request at hand (503) and loses nothing.
 */
export interface KeyProvider {
  /** Seals with the newest key. The context is authenticated, not stored. */
  encrypt(plaintext: Uint8Array, context: KeyContext): Promise<string>;
  /** Opens what any known key sealed; rejects when the value was changed, moved, or its key is unknown. */
  decrypt(sealed: string, context: KeyContext): Promise<Uint8Array>;
  /** A keyed digest of `text`: the same as long as key, text and context are. What it makes is kept for minutes, never longer. */
  mac(text: string, context: KeyContext): Promise<string>;
  /**
   * The id of the key that sealed a value; without a value, of the key that seals now. Where they differ the value is sealed
   * anew when it is next used, or by `rotateKeys`. Optional: without it nothing is ever sealed anew.
   */
  keyId?(sealed?: string): string | Promise<string>;
}

/** A key provider as the product works with it. */
export interface Keys extends KeyProvider {
  /** The same value under the newest key; the value itself where that key sealed it, or where the provider cannot tell. */
  reseal(sealed: string, context: KeyContext): Promise<string>;
}
