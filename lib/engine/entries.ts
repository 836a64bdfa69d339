import { setTimeout } from "node:timers/promises";
import { UnavailableError } from "../core/errors.js";
import type { Entry, Store } from "../stores/contract.js";

const MOST_ATTEMPTS = 100;
const FREE_ATTEMPTS = 4;

/**
 * Writers that lost make room: the more often, the longer and the less alike they wait, up to 40 ms.
 * @throws UnavailableError after a bounded number of lost writes
 */
export async function retreat(what: string, attempt: number): Promise<void> {
  if (attempt >= MOST_ATTEMPTS) throw new UnavailableError(`${what} changed ${MOST_ATTEMPTS} times under one write`);
  if (attempt < FREE_ATTEMPTS) return;
  await setTimeout(Math.random() * Math.min(attempt, 40));
}

/** An entry beside the accounts: whose it is in the store, and what it is called where it cannot be written. */
export interface Beside {
  readonly key: string;
  readonly what: string;
}

/** What is made of an entry. Without `next` nothing is written; `"none"`: it goes. */
export interface EntryChange<T> {
  readonly next?: { readonly value: string; readonly expiresAt: number } | "none";
  readonly result: T;
}

/**
 * Shows the entry to `make` and writes what it makes of it, if nobody wrote in between; otherwise again, with the entry as it is then.
 * @throws UnavailableError after a bounded number of lost writes
 */
export async function changeEntry<T>(
  store: Store,
  { key, what }: Beside,
  make: (entry: Entry | undefined) => EntryChange<T> | Promise<EntryChange<T>>,
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    const entry = await store.read(key);
    const { next, result } = await make(entry);
    if (next === undefined || (await isWritten(store, key, entry, next))) return result;
    await retreat(what, attempt);
  }
}

async function isWritten(
  store: Store,
  key: string,
  entry: Entry | undefined,
  next: NonNullable<EntryChange<unknown>["next"]>,
): Promise<boolean> {
  if (next === "none") return entry === undefined || store.remove(key, { expect: entry.version });
  const { expiresAt, value } = next;
  return (await store.write(key, value, { expect: entry?.version ?? null, expiresAt })) !== undefined;
}
