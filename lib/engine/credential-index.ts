import type { Factor } from "../core/account.js";
import type { MethodType, UserId } from "../core/nouns.js";
import { sha256 } from "../crypto/fingerprint.js";
import type { Store } from "../stores/contract.js";
import type { AnyMethod } from "./method.js";

const MOST_ATTEMPTS = 10;

/**
 * Who owns a credential id or a user handle: one entry each, so that ids are unique over all users (WebAuthn Level 3
 * section 7.1 step 26) and a discoverable credential finds its account. What an account really has, only the account says.
 */
export class CredentialIndex {
  constructor(
    private readonly store: Store,
    private readonly methods: ReadonlyMap<MethodType, AnyMethod>,
  ) {}

  /** Answers whether the credential is this user's now: nobody's before, or theirs already. */
  claimCredential(credentialId: string, userId: UserId): Promise<boolean> {
    return this.claim(`credential:${sha256(credentialId)}`, userId);
  }

  claimHandle(userHandle: string, userId: UserId): Promise<boolean> {
    return this.claim(`handle:${sha256(userHandle)}`, userId);
  }

  async ownerOfHandle(userHandle: string): Promise<UserId | undefined> {
    return (await this.store.read(`handle:${sha256(userHandle)}`))?.value;
  }

  /**
   * Gives up what removed factors held. The account has been written by then and is what counts: a claim that cannot be
   * released is left behind, still this user's, and must not undo what was done.
   */
  async releaseFactors(factors: readonly Factor[], userId: UserId): Promise<void> {
    const ids = factors.flatMap(({ state, type }) => this.methods.get(type)?.credentialIds?.(state) ?? []);
    await Promise.allSettled(ids.map((id) => this.releaseCredential(id, userId)));
  }

  async releaseCredential(credentialId: string, userId: UserId): Promise<void> {
    await this.release(`credential:${sha256(credentialId)}`, userId);
  }

  async releaseHandle(userHandle: string, userId: UserId): Promise<void> {
    await this.release(`handle:${sha256(userHandle)}`, userId);
  }

  private async claim(key: string, userId: UserId): Promise<boolean> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      if ((await this.store.write(key, userId, { expect: null })) !== undefined) return true;
      const entry = await this.store.read(key);
      if (entry !== undefined) return entry.value === userId;
    }
    return false;
  }

  private async release(key: string, userId: UserId): Promise<void> {
    const entry = await this.store.read(key);
    if (entry?.value === userId) await this.store.remove(key, { expect: entry.version });
  }
}
