import type { Account } from "../core/account.js";
import { removedFactors, withLooseClaims, withoutLooseClaims } from "../core/account-changes.js";
import type { MethodType, UserId } from "../core/nouns.js";
import { sha256 } from "../crypto/fingerprint.js";
import type { Store } from "../stores/contract.js";
import type { AccountRecords } from "./account-records.js";
import type { AnyMethod } from "./method.js";

const MOST_ATTEMPTS = 10;

/** An entry of the index, by its key in the store. */
export type Claim = string;

/**
 * Who owns a credential id or a user handle: one entry each, so that ids are unique over all users (WebAuthn Level 3
 * section 7.1 step 26) and a discoverable credential finds its account. What an account really has, only the account says.
 */
export class CredentialIndex {
  constructor(
    private readonly store: Store,
    private readonly methods: ReadonlyMap<MethodType, AnyMethod>,
    private readonly records: AccountRecords,
  ) {}

  /** Answers whether the credential or handle is this user's now: nobody's before, or theirs already. */
  async claim(claim: Claim, userId: UserId): Promise<boolean> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      if ((await this.store.write(claim, userId, { expect: null })) !== undefined) return true;
      const entry = await this.store.read(claim);
      if (entry !== undefined) return entry.value === userId;
    }
    return false;
  }

  async ownerOfHandle(userHandle: string): Promise<UserId | undefined> {
    return this.ownerOf(handleClaim(userHandle));
  }

  /** Whose it is by the index, which may be behind: whether they have it still, their account says. */
  async ownerOf(claim: Claim): Promise<UserId | undefined> {
    return (await this.store.read(claim))?.value;
  }

  /** What the account lives by: the claims of its factors, and of its handle. */
  claimsOf({ factors, handle }: Pick<Account, "factors" | "handle">): Claim[] {
    const ids = factors.flatMap(({ state, type }) => this.methods.get(type)?.credentialIds?.(state) ?? []);
    return [...ids.map(credentialClaim), ...(handle === undefined ? [] : [handleClaim(handle)])];
  }

  /** The account after a change, with the claims of the factors it lost written down as loose. */
  withRemoved(before: Account, after: Account): Account {
    const lost = this.claimsOf({ factors: removedFactors(before, after) });
    return lost.length === 0 ? after : withLooseClaims(after, lost);
  }

  /**
   * Gives up those of the claims that the account as it is now does not live by; then none of them is loose any more. What it has come
   * to live by meanwhile is claimed anew; what is yet to be added finds that its claim is loose no more.
   */
  async settle(userId: UserId, claims: readonly Claim[]): Promise<void> {
    const { account } = await this.records.read(userId);
    const needed = new Set(this.claimsOf(account));
    const released = claims.filter((claim) => !needed.has(claim));
    await Promise.all(released.map((claim) => this.release(claim, userId)));
    const { record } = await this.records.change<undefined>({ userId }, (current) => {
      const isKept = current.account.looseClaims === undefined;
      return { ...(!isKept && { account: withoutLooseClaims(current.account, claims) }), result: undefined };
    });
    const living = new Set(this.claimsOf(record.account));
    await Promise.all(released.filter((claim) => living.has(claim)).map((claim) => this.claim(claim, userId)));
  }

  /**
   * Gives up what a change of the account has left. The account has been written by then and is what counts: what cannot be given
   * up now stays this user's and written down as loose, and must not undo what was done.
   */
  async tidy(userId: UserId, { looseClaims = [] }: Account): Promise<void> {
    if (looseClaims.length > 0) await this.settle(userId, looseClaims).catch(() => undefined);
  }

  private async release(claim: Claim, userId: UserId): Promise<void> {
    const entry = await this.store.read(claim);
    if (entry?.value === userId) await this.store.remove(claim, { expect: entry.version });
  }
}

export function credentialClaim(credentialId: string): Claim {
  return `credential:${sha256(credentialId)}`;
}

export function handleClaim(userHandle: string): Claim {
  return `handle:${sha256(userHandle)}`;
}
