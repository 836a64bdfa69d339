import { setTimeout } from "node:timers/promises";
import { type Account, emptyAccount, isBlank, parseAccount, serializeAccount } from "../core/account.js";
import { UnavailableError } from "../core/errors.js";
import type { UserId } from "../core/nouns.js";
import type { Entry, Store } from "../stores/contract.js";

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

export interface AccountRecords {
  read(userId: UserId): Promise<Versioned>;
  /** As it was a moment ago, where the store can say so without asking: to let a login go on, never to end or refuse one. */
  glance(userId: UserId): Promise<Versioned | undefined>;
  /**
   * Shows the account to `change` and writes what it makes of it, if nobody wrote in between; otherwise again, with the
   * account as it is then. So whatever `change` accepts and uses up is accepted once, in whatever process.
   * `known` spares the first read. Gives up as unavailable after a bounded number of lost writes.
   */
  update<T>(userId: UserId, change: (account: Account) => Promise<Change<T>>, known?: Versioned): Promise<T>;
  /** Puts another account, which expires, in the place of the one that is there; answers that one, undefined for none. */
  replace(userId: UserId, account: Account, expiresAt: number): Promise<Account | undefined>;
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

/** Parsed accounts by the version they were parsed from: an unchanged record is not parsed twice. */
function createParser(): (userId: UserId, value: string, version: string) => Account {
  const parsed = new Map<UserId, { readonly value: string; readonly version: string; readonly account: Account }>();
  return function parse(userId, value, version) {
    const known = parsed.get(userId);
    if (known?.version === version && known.value === value) return known.account;
    const account = parseAccount(userId, value);
    parsed.delete(userId);
    parsed.set(userId, { value, version, account });
    const oldest = parsed.keys().next();
    if (parsed.size > MOST_PARSED && oldest.done !== true) parsed.delete(oldest.value);
    return account;
  };
}

export function createAccountRecords(store: Store): AccountRecords {
  const parse = createParser();

  const versioned = (userId: UserId, entry: Entry | undefined): Versioned => {
    if (entry === undefined) return { account: emptyAccount(userId), version: null };
    try {
      return { account: parse(userId, entry.value, entry.version), version: entry.version };
    } catch (error) {
      throw new UnavailableError("An account record cannot be read", error);
    }
  };
  const read = async (userId: UserId): Promise<Versioned> => versioned(userId, await store.read(keyOf(userId)));

  return {
    read,
    async glance(userId) {
      return store.glance && versioned(userId, await store.glance(keyOf(userId)));
    },
    async update(userId, change, known) {
      let current = known ?? (await read(userId));
      for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
        const { account, result } = await change(current.account);
        if (account === undefined) return result;
        const written = await store.write(keyOf(userId), serializeAccount(account), { expect: current.version });
        if (written !== undefined) return result;
        await stepBack(attempt);
        current = await read(userId);
      }
      throw new UnavailableError(`An account record changed ${MOST_ATTEMPTS} times under one write`);
    },
    async replace(userId, account, expiresAt) {
      for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
        const current = await read(userId);
        if (current.version === null || isBlank(current.account)) return undefined;
        const options = { expect: current.version, expiresAt };
        if ((await store.write(keyOf(userId), serializeAccount(account), options)) !== undefined)
          return current.account;
      }
      throw new UnavailableError(`An account record changed ${MOST_ATTEMPTS} times under its removal`);
    },
  };
}
