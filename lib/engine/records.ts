import { setTimeout } from "node:timers/promises";
import { type Account, emptyAccount, isBlank, parseAccount, serializeAccount } from "../core/account.js";
import { UnavailableError } from "../core/errors.js";
import type { UserId } from "../core/nouns.js";
import { Recent } from "../core/recent.js";
import type { Entry, Store, WriteOptions } from "../stores/contract.js";

/** An account and the version of its record; null where there is no record yet. */
export interface Versioned {
  readonly account: Account;
  readonly version: string | null;
}

/** What a change makes of the account it was shown; without `account` nothing is written. */
export interface Change<T> {
  readonly account?: Account;
  readonly result: T;
}

const MOST_ATTEMPTS = 100;
const FREE_ATTEMPTS = 4;
const MOST_PARSED = 1_000;

function keyOf(userId: UserId): string {
  return `account:${userId}`;
}

/** Writers that lost make room: the more often, the longer and the less alike they wait, up to 10 ms. */
async function stepBack(attempt: number): Promise<void> {
  if (attempt < FREE_ATTEMPTS) return;
  await setTimeout(Math.random() * Math.min(attempt, 10));
}

/** Accounts by the version of their record: an unchanged one is not parsed twice, and one written here not at all. */
class ParsedAccounts {
  private readonly parsed = new Recent<Entry & { readonly account: Account }>(MOST_PARSED);

  of(userId: UserId, { value, version }: Entry): Account {
    const known = this.parsed.get(userId);
    if (known?.version === version && known.value === value) return known.account;
    const account = parseAccount(userId, value);
    this.keep(account, { value, version });
    return account;
  }

  keep(account: Account, { value, version }: Entry): void {
    this.parsed.put(account.userId, { value, version, account });
  }
}

/** Everybody's account, over the store. */
export class AccountRecords {
  /**
   * As it was a moment ago, where the store can say so without asking: to let a login go on, never to end or refuse one.
   * Undefined where the store cannot.
   */
  readonly glance: ((userId: UserId) => Promise<Versioned>) | undefined;
  private readonly parsed = new ParsedAccounts();

  constructor(private readonly store: Store) {
    const glance = store.glance?.bind(store);
    this.glance = glance && (async (userId) => this.versioned(userId, await glance(keyOf(userId))));
  }

  async read(userId: UserId): Promise<Versioned> {
    return this.versioned(userId, await this.store.read(keyOf(userId)));
  }

  /**
   * Shows the account to `change` and writes what it makes of it, if nobody wrote in between; otherwise again, with the
   * account as it is then. So whatever `change` accepts and uses up is accepted once, in whatever process.
   * `known` spares the first read. Gives up as unavailable after a bounded number of lost writes.
   */
  async update<T>(userId: UserId, change: (account: Account) => Promise<Change<T>>, known?: Versioned): Promise<T> {
    let current = known ?? (await this.read(userId));
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const { account, result } = await change(current.account);
      if (account === undefined || (await this.write(account, { expect: current.version }))) return result;
      await stepBack(attempt);
      current = await this.read(userId);
    }
    throw new UnavailableError(`An account record changed ${MOST_ATTEMPTS} times under one write`);
  }

  /** Puts another account, which expires, in the place of the one that is there; answers that one, undefined for none. */
  async replace(userId: UserId, account: Account, expiresAt: number): Promise<Account | undefined> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const current = await this.read(userId);
      if (current.version === null || isBlank(current.account)) return undefined;
      if (await this.write(account, { expect: current.version, expiresAt })) return current.account;
    }
    throw new UnavailableError(`An account record changed ${MOST_ATTEMPTS} times under its removal`);
  }

  /** Answers whether nobody wrote in between. */
  private async write(account: Account, options: WriteOptions): Promise<boolean> {
    const value = serializeAccount(account);
    const version = await this.store.write(keyOf(account.userId), value, options);
    if (version !== undefined) this.parsed.keep(account, { value, version });
    return version !== undefined;
  }

  private versioned(userId: UserId, entry: Entry | undefined): Versioned {
    if (entry === undefined) return { account: emptyAccount(userId), version: null };
    try {
      return { account: this.parsed.of(userId, entry), version: entry.version };
    } catch (error) {
      throw new UnavailableError("An account record cannot be read", error);
    }
  }
}
