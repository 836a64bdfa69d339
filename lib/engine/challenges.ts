import { UnavailableError } from "../core/errors.js";
import { type Clock, MINUTE, type UserId } from "../core/nouns.js";
import { sha256 } from "../crypto/fingerprint.js";
import { randomToken } from "../crypto/random.js";
import type { Store } from "../stores/contract.js";

/** Whom and what a challenge was made for. An answer to one purpose is worth nothing for another. */
export interface ChallengeBinding {
  readonly purpose: string;
  /** Undefined where nobody is logged in yet. */
  readonly userId?: UserId | undefined;
  /** The stage of the login, or of the browser session before one. */
  readonly loginId: string;
}

const CHALLENGE_LIFE = 5 * MINUTE;

function keyOf(challenge: string): string {
  return `challenge:${sha256(challenge)}`;
}

function textOf({ purpose, userId, loginId }: ChallengeBinding): string {
  return JSON.stringify([purpose, userId ?? null, loginId]);
}

/** Challenges to be answered once: 256 random bits, 5 minutes, gone at their first use whatever comes of it. */
export class ChallengeStore {
  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
  ) {}

  async begin(binding: ChallengeBinding): Promise<string> {
    const challenge = randomToken();
    const expiresAt = this.clock() + CHALLENGE_LIFE;
    const written = await this.store.write(keyOf(challenge), textOf(binding), { expect: null, expiresAt });
    if (written === undefined) throw new UnavailableError("The store refused a new challenge");
    return challenge;
  }

  /** Uses a challenge up, and answers which of these bindings it was made for. Of simultaneous uses one is answered. */
  async redeem(challenge: string, bindings: readonly ChallengeBinding[]): Promise<ChallengeBinding | undefined> {
    const entry = await this.store.read(keyOf(challenge));
    if (entry === undefined) return undefined;
    const removed = await this.store.remove(keyOf(challenge), { expect: entry.version });
    return removed ? bindings.find((binding) => textOf(binding) === entry.value) : undefined;
  }
}
