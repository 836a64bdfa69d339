import { isAnything, within } from "../core/within.js";
import { type AuditKey, type AuditKeys, pseudonymOf, subjectRow } from "../crypto/audit-digests.js";
import { randomToken } from "../crypto/random.js";
import type { KnownAction } from "../events/audit.js";
import type { Entry, Store } from "../stores/contract.js";

/** What of an event can be hidden beside who it is about. */
export type HiddenMember = "ip" | "userAgent" | "requestId";

/** The members of an event, as they are written. */
export type WrittenEvent = Readonly<Record<string, unknown>>;

/** Whoever it is about is to be forgotten. */
export const ERASED = "account-erased" satisfies KnownAction;

const STORE_TIMEOUT = 5_000;
/** Of two processes that meet a user for the first time one wins, and the other reads what that wrote. */
const TRIES = 5;

function isSecret(text: unknown): text is string {
  return typeof text === "string" && /^[\w-]{43}$/.test(text);
}

/** The names that stand in a file for users: each made from a random secret in the store, and lost with it. */
export class Subjects {
  private readonly keys: readonly AuditKey[];

  constructor(
    private readonly store: Store,
    keys: AuditKeys,
    private readonly members: readonly HiddenMember[],
  ) {
    this.keys = [...keys.values()];
  }

  /** The event without the ids of users. Who is erased by it is forgotten. */
  async hide(event: WrittenEvent): Promise<WrittenEvent> {
    const { actor, userId } = event;
    const owner = typeof userId === "string" ? userId : actor;
    if (typeof owner !== "string") return event;
    const secret = await this.secretOf(owner);
    const hidden: Record<string, unknown> = { ...event };
    for (const member of this.members) {
      const value = event[member];
      if (typeof value === "string") hidden[member] = `~${pseudonymOf(secret, member, value)}`;
    }
    if (typeof userId === "string") hidden["userId"] = nameUnder(secret);
    if (typeof actor === "string") {
      hidden["actor"] = nameUnder(actor === owner ? secret : await this.secretOf(actor));
    }
    if (event["action"] === ERASED) await this.forget(owner);
    return hidden;
  }

  /** How a user is called in the file; undefined where there is nothing of them, or nothing any more. */
  async nameOf(id: string): Promise<string | undefined> {
    const found = await this.find(id);
    return found === undefined ? undefined : nameUnder(found.value);
  }

  async forget(id: string): Promise<void> {
    for (const row of this.rowsOf(id)) {
      const entry = await this.read(row);
      if (entry !== undefined) await this.ask(() => this.store.remove(row, { expect: entry.version }));
    }
  }

  private async secretOf(id: string): Promise<string> {
    const [row = ""] = this.rowsOf(id);
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const found = await this.find(id);
      if (found !== undefined) return found.value;
      const secret = randomToken();
      const version = await this.ask(() => this.store.write(row, secret, { expect: null }));
      if (version !== undefined) return secret;
    }
    throw new Error("The store neither has nor takes the secret of a subject of the audit file");
  }

  private async find(id: string): Promise<Entry | undefined> {
    for (const row of this.rowsOf(id)) {
      const found = await this.read(row);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private async read(row: string): Promise<Entry | undefined> {
    const found = (await this.ask(() => this.store.read(row))) as Entry | undefined;
    if (found !== undefined && !isSecret(found.value))
      throw new Error("The secret of a subject of the audit file is none");
    return found;
  }

  /** Under every key there is, the newest first: a rotation of the key forgets nobody, and leaves nobody behind. */
  private rowsOf(id: string): readonly string[] {
    return this.keys.map((key) => `audit-subject:${subjectRow(key, id)}`);
  }

  private ask(ask: () => unknown): Promise<unknown> {
    return within("The store", STORE_TIMEOUT, ask, isAnything);
  }
}

function nameUnder(secret: string): string {
  return `~${pseudonymOf(secret, "subject", "")}`;
}
