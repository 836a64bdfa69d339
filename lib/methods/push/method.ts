import type { Factor } from "../../core/account.js";
import { type Limits, MINUTE } from "../../core/nouns.js";
import type { FactorMethod, PresentContext, ProofContext, SendTerms, Verdict } from "../../engine/method.js";
import type { PushChannel } from "./channel.js";
import { approvedBy, presentedApproval, type PresentedPush } from "./proofs.js";
import type { PushState } from "./state.js";

/** What was configured, defaults filled in. */
export interface PushSettings {
  readonly channels: readonly PushChannel[];
  /** Milliseconds. */
  readonly timeout: number;
}

/** How devices approve for their owner. */
export class Push implements FactorMethod<PushState, PresentedPush> {
  readonly type = "push";
  readonly amr = ["swk", "pop"];
  readonly aal = 2;
  readonly phishingResistant = false;
  /** Nothing to guess: whoever asked has only to wait, and numbers are typed where the key is. */
  readonly limits = [];
  readonly limitDefaults: Limits = { push: { limit: 5, window: 15 * MINUTE } };
  readonly refusal = "invalid-code";
  /** What asking a device counts against. */
  readonly terms: SendTerms;
  private readonly channels: ReadonlyMap<string, PushChannel>;

  constructor({ channels, timeout }: PushSettings) {
    this.channels = new Map(channels.map((channel) => [channel.name, channel]));
    this.terms = { limits: ["push"], timeout, sentAs: "push-requested" };
  }

  /** Undefined where none is configured by that name (any more). */
  channel(name: string): PushChannel | undefined {
    return this.channels.get(name);
  }

  present(body: Readonly<Record<string, unknown>>, context: PresentContext): PresentedPush | undefined {
    return presentedApproval(body, context);
  }

  verify(
    presented: PresentedPush,
    factors: readonly Factor<PushState>[],
    context: ProofContext,
  ): Promise<Verdict<PushState>> {
    return approvedBy(presented, factors, context);
  }
}
