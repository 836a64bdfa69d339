import type { UserId } from "../core/nouns.js";
import { sha256 } from "../crypto/fingerprint.js";
import { randomToken } from "../crypto/random.js";
import type { Store } from "../stores/contract.js";
import { type BriefSeals, SEAL_LIFE } from "./brief-seals.js";
import type { LoginContext } from "./login-context.js";

/** Whom and what a challenge was made for. An answer to one purpose is worth nothing for another. */
export interface ChallengeBinding {
  readonly purpose: string;
  /** Undefined where nobody is logged in yet. */
  readonly userId?: UserId | undefined;
  /** The stage of the login, or the id of the browser before one. */
  readonly loginId: string;
}

/** A challenge for this stage of a login, and no other. */
export function stageBinding({ session, userId }: LoginContext, purpose: string): ChallengeBinding {
  return { purpose, userId, loginId: session?.stage ?? session?.id ?? "" };
}

const PURPOSE = "challenge";

function digestOf({ purpose, userId, loginId }: ChallengeBinding): string {
  return sha256(JSON.stringify([purpose, userId ?? null, loginId]));
}

/**
 * Challenges to be answered once: 256 random bits and what they were made for, sealed, good for five minutes. Nobody's asking is
 * written down. A use is, whatever comes of it, until the challenge would have been over.
 */
export class ChallengeStore {
  constructor(
    private readonly store: Store,
    private readonly seals: BriefSeals,
  ) {}

  async begin(binding: ChallengeBinding): Promise<string> {
    const sealed = await this.seals.seal(PURPOSE, `${randomToken()}.${digestOf(binding)}`);
    return Buffer.from(sealed).toString("base64url");
  }

  /** Uses a challenge up, and answers which of these bindings it was made for. Of simultaneous uses one is answered. */
  async redeem(challenge: string, bindings: readonly ChallengeBinding[]): Promise<ChallengeBinding | undefined> {
    const made = await this.seals.open(PURPOSE, Buffer.from(challenge, "base64url").toString());
    if (made === undefined) return undefined;
    const [name = "", digest] = made.text.split(".");
    // By the name within, not by the text: base64 can write the same bytes in several ways.
    const use = { expect: null, expiresAt: made.at + SEAL_LIFE };
    const used = await this.store.write(`challenge:${name}`, "used", use);
    return used === undefined ? undefined : bindings.find((binding) => digestOf(binding) === digest);
  }
}
