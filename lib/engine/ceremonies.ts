import { UnavailableError } from "../core/errors.js";
import { type Clock, MINUTE, type UserId } from "../core/nouns.js";
import { sha256 } from "../crypto/fingerprint.js";
import { randomToken } from "../crypto/random.js";
import type { Store } from "../stores/contract.js";

/** What a challenge was made for. An answer to one purpose is worth nothing for another. */
export type CeremonyPurpose = "enroll" | "enroll-conditional" | "login" | "step-up" | "passwordless";

/** Whom a challenge was made for. */
export interface Bond {
  readonly purpose: CeremonyPurpose;
  /** Undefined where nobody is logged in yet. */
  readonly userId?: UserId | undefined;
  /** The stage of the login, or of the browser session before one. */
  readonly loginId: string;
}

const CHALLENGE_LIFE = 5 * MINUTE;

function keyOf(challenge: string): string {
  return `challenge:${sha256(challenge)}`;
}

function bondText({ purpose, userId, loginId }: Bond): string {
  return JSON.stringify([purpose, userId ?? null, loginId]);
}

/** Challenges of passkey ceremonies: 256 random bits, 5 minutes, gone at their first use whatever comes of it. */
export class Ceremonies {
  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
  ) {}

  async begin(bond: Bond): Promise<string> {
    const challenge = randomToken();
    const expiresAt = this.clock() + CHALLENGE_LIFE;
    const written = await this.store.write(keyOf(challenge), bondText(bond), { expect: null, expiresAt });
    if (written === undefined) throw new UnavailableError("The store refused a new challenge");
    return challenge;
  }

  /** Uses a challenge up, and answers which of these bonds it was made for. Of simultaneous uses one is answered. */
  async redeem(challenge: string, bonds: readonly Bond[]): Promise<Bond | undefined> {
    const entry = await this.store.read(keyOf(challenge));
    if (entry === undefined) return undefined;
    const removed = await this.store.remove(keyOf(challenge), { expect: entry.version });
    return removed ? bonds.find((bond) => bondText(bond) === entry.value) : undefined;
  }
}
