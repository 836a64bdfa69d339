import { type Clock, MINUTE } from "../core/nouns.js";
import { isFresh } from "../core/time.js";
import type { KeyContext, KeyProvider } from "../crypto/key-provider.js";
import { openIfOurs } from "../crypto/own-seals.js";

/** What was sealed, and when. */
export interface Unsealed {
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** A seal is good that long, in milliseconds. */
export const SEAL_LIFE = 5 * MINUTE;

/** No key provider makes as much of the few characters that are sealed here; what is longer is not shown to one. */
const LONGEST = 4_096;

function contextOf(purpose: string): KeyContext {
  return { owner: "", purpose };
}

/** What a key provider opened is ours only if it reads so. */
function unsealed(bytes: Uint8Array): Unsealed | undefined {
  const [, at, text] = /^([0-9]+)\|(.*)$/s.exec(Buffer.from(bytes).toString()) ?? [];
  return at === undefined || text === undefined ? undefined : { at: Number(at), text };
}

/**
 * Short texts that a client carries for five minutes and can neither read nor change. Nothing is stored for them: whoever asks for
 * one leaves nothing behind, not even a sample of the key.
 */
export class BriefSeals {
  constructor(
    private readonly keys: KeyProvider,
    private readonly clock: Clock,
  ) {}

  seal(purpose: string, text: string): Promise<string> {
    return this.keys.encrypt(Buffer.from(`${Math.floor(this.clock())}|${text}`), contextOf(purpose));
  }

  /** What was sealed for this purpose; undefined for everything else, and when its time is over. */
  async open(purpose: string, sealed: string): Promise<Unsealed | undefined> {
    if (sealed === "" || sealed.length > LONGEST) return undefined;
    const bytes = await openIfOurs(this.keys, sealed, contextOf(purpose));
    const found = bytes && unsealed(bytes);
    // A seal is over in its last millisecond, as everything that expires.
    return found !== undefined && isFresh(found.at, SEAL_LIFE - 1, this.clock()) ? found : undefined;
  }
}
