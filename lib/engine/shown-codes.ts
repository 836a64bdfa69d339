import type { Account } from "../core/account.js";
import { isSilence } from "../core/errors.js";
import { BACKUP_CODE, MINUTE } from "../core/nouns.js";
import type { KeyContext } from "../crypto/key-provider.js";
import type { Others } from "../core/notes.js";
import type { Entry, Store } from "../stores/contract.js";
import type { EngineDependencies } from "./dependencies.js";
import type { LoginContext } from "./login-context.js";

/** A new set of backup codes on its way to its owner, and what its page says beside it. */
export interface CodesToShow {
  readonly codes: readonly string[];
  /** Where the owner goes once they saved them: a local path. */
  readonly continueTo: string;
  /** They came with the first factor. */
  readonly isFirst: boolean;
  readonly others?: Others | undefined;
}

interface Sealed extends CodesToShow {
  readonly expiresAt: number;
}

type Owner = Pick<LoginContext, "record" | "session" | "userId">;

const LIFE = 5 * MINUTE;

function keyOf(setId: string): string {
  return `codes:${setId}`;
}

function setIn({ factors }: Account): string | undefined {
  return factors.find(({ type }) => type === BACKUP_CODE)?.id;
}

function contextOf({ session, userId }: Owner): KeyContext {
  return { owner: userId, purpose: `new-codes/${session?.id ?? ""}` };
}

/**
 * New backup codes, for as long as the page that shows them may be loaded again: in the login that made them, until their owner says
 * that they are saved, for five minutes at most. Kept beside the account under the name of their set, sealed; what a session holds
 * would be read by whoever reads sessions, and would last as long as they do.
 */
export class ShownCodes {
  constructor(
    private readonly dependencies: Pick<EngineDependencies, "clock" | "keys">,
    private readonly store: Store,
  ) {}

  async keep(owner: Owner, setId: string, codes: CodesToShow): Promise<void> {
    const { clock, keys } = this.dependencies;
    const expiresAt = clock() + LIFE;
    const plain = Buffer.from(JSON.stringify({ ...codes, expiresAt } satisfies Sealed));
    const sealed = await keys.encrypt(plain, contextOf(owner));
    await this.store.write(keyOf(setId), sealed, { expect: null, expiresAt });
  }

  /** The codes of the set in force, where this login made it just now. Those of a set that was replaced since are never shown. */
  async find(owner: Owner): Promise<CodesToShow | undefined> {
    const entry = await this.entryOf(owner);
    const found = entry && (await this.opened(owner, entry));
    return found !== undefined && found.expiresAt > this.dependencies.clock() ? found : undefined;
  }

  /** Their owner has saved them. Answers what was shown, if it was this login that made it. */
  async confirm(owner: Owner): Promise<CodesToShow | undefined> {
    const entry = await this.entryOf(owner);
    const found = entry && (await this.opened(owner, entry));
    const setId = setIn(owner.record.account);
    if (found === undefined || entry === undefined || setId === undefined) return undefined;
    await this.store.remove(keyOf(setId), { expect: entry.version });
    return found;
  }

  private async entryOf({ record }: Owner): Promise<Entry | undefined> {
    const setId = setIn(record.account);
    return setId === undefined ? undefined : this.store.read(keyOf(setId));
  }

  private async opened(owner: Owner, { value }: Entry): Promise<Sealed | undefined> {
    try {
      const bytes = await this.dependencies.keys.decrypt(value, contextOf(owner));
      return JSON.parse(Buffer.from(bytes).toString("utf8")) as Sealed;
    } catch (error) {
      // Another login made them, or the key has left the ring. Silence is no answer.
      if (isSilence(error)) throw error;
      return undefined;
    }
  }
}
