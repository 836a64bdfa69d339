import type { Account, Factor } from "../../core/account.js";
import type { Problem } from "../../core/errors.js";
import { type Limits, MINUTE } from "../../core/nouns.js";
import { placed } from "../../core/places.js";
import { within } from "../../core/within.js";
import type {
  FactorMethod,
  Pause,
  PresentContext,
  ProofContext,
  SealContext,
  SendTerms,
  Verdict,
} from "../../engine/method.js";
import type { PushChannel } from "./channel.js";
import { pauseOf } from "./pauses.js";
import { approvedBy, presentedApproval, type PresentedPush } from "./proofs.js";
import { amrOf, NO_NOTIFICATIONS, type PushState } from "./state.js";
import { type Reach, resealedReach } from "./subscriptions.js";

function isReason(answer: unknown): answer is string | undefined {
  return answer === undefined || typeof answer === "string";
}

/** What was configured, defaults filled in. */
export interface PushSettings {
  readonly channels: readonly PushChannel[];
  /** Milliseconds. */
  readonly timeout: number;
}

/** How devices approve for their owner. */
export class Push implements FactorMethod<PushState, PresentedPush> {
  readonly type = "push";
  readonly amr = amrOf({});
  readonly aal = 2;
  readonly phishingResistant = false;
  /** Nothing to guess: whoever asked has only to wait, and numbers are typed where the key is. */
  readonly limits = [];
  readonly limitDefaults: Limits = {
    push: { limit: 5, window: 15 * MINUTE },
    pushRejected: { limit: 10, window: 15 * MINUTE },
  };
  readonly refusal = "invalid-code";
  readonly replaces = true;
  /** What asking a device counts against. */
  readonly terms: SendTerms;
  private readonly channels: ReadonlyMap<string, PushChannel>;

  constructor(private readonly given: PushSettings) {
    const { channels, timeout } = given;
    this.channels = new Map(channels.map((channel) => [channel.name, channel]));
    this.terms = { limits: ["push"], rejected: "pushRejected", timeout, sentAs: "push-requested" };
  }

  /** Undefined where none is configured by that name (any more). */
  channel(name: string): PushChannel | undefined {
    return this.channels.get(name);
  }

  paused(account: Account, now: number): Pause | undefined {
    return pauseOf(account, this.type, now);
  }

  /** Why nothing would be sent there; undefined where it would. What keeps a channel from saying it refuses. */
  async reachProblem({ channel: name, subscription }: Reach): Promise<Problem | undefined> {
    const channel = this.channels.get(name);
    if (channel === undefined) return { code: "invalid-request", members: { reason: "unknown-channel" } };
    const ask = (): unknown => channel.problem?.(subscription);
    const reason = await within(`problem() of the channel "${name}"`, this.given.timeout, ask, isReason).catch(
      (error: unknown) => {
        throw placed(error, "sender");
      },
    );
    return reason === undefined ? undefined : { code: "invalid-request", members: { reason } };
  }

  credentialIds({ deviceId }: PushState): readonly string[] {
    return [deviceId];
  }

  /** The channel that it is reached by, or that none does. */
  hint({ state: { reached } }: Factor<PushState>): string {
    return reached !== undefined && this.channels.has(reached.channel) ? reached.channel : NO_NOTIFICATIONS;
  }

  reseal(state: PushState, context: SealContext): Promise<PushState> {
    return resealedReach(state, context);
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
