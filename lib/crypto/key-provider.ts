/** What a sealed value or digest belongs to. Moved to another owner or purpose it does not open. */
export interface KeyContext {
  readonly owner: string;
  readonly purpose: string;
}

/**
 * The three things the product asks of a key, so that a vault or KMS can stand in for keys in the environment.
 *
 * Implementations reject when they cannot answer; a rejection refuses the request at hand (503) and loses nothing.
 */
export interface KeyProvider {
  /** Seals with the newest key. The context is authenticated, not stored. */
  encrypt(plaintext: Uint8Array, context: KeyContext): Promise<string>;
  /** Opens what any known key sealed; rejects when the value was changed, moved, or its key is unknown. */
  decrypt(sealed: string, context: KeyContext): Promise<Uint8Array>;
  /**
   * A keyed digest of `text`, as `keyId.digest`: deterministic for one key, text and context.
   * With `like`, an earlier digest, the key that made that one is used again.
   */
  mac(text: string, context: KeyContext, like?: string): Promise<string>;
}
