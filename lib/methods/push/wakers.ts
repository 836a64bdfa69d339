import type { Factor } from "../../core/account.js";
import type { SealContext } from "../../engine/method.js";
import type { PushMessage } from "./channel.js";
import type { Push } from "./method.js";
import type { PushState } from "./state.js";
import { reachOf } from "./subscriptions.js";

/** How one device is woken. */
export interface Waker {
  /** Rejects where its channel did not take the message. A device that no message reaches is woken by nobody: resolves. */
  wake(message: PushMessage, signal: AbortSignal): Promise<void>;
  /** The channel said that nobody is reached there any more. */
  isGone(): boolean;
  /** Its channel, as errors call it. */
  readonly by: string;
}

/** The device its owner used last. */
export function lastUsedDevice(devices: readonly Factor<PushState>[]): Factor<PushState> | undefined {
  return devices.toSorted((a, b) => (b.lastUsedAt ?? b.createdAt) - (a.lastUsedAt ?? a.createdAt))[0];
}

function saysGone(error: unknown): boolean {
  return typeof error === "object" && error !== null && "gone" in error && error.gone === true;
}

/** A channel that is configured no more wakes nobody, nor does one that would not send there any more: it asks by itself then. */
export async function wakerOf(push: Push, { state }: Factor<PushState>, context: SealContext): Promise<Waker> {
  const reach = await reachOf(state, context);
  const channel = reach && push.channel(reach.channel);
  let isGone = false;
  return {
    isGone: () => isGone,
    by: `The channel "${reach?.channel ?? ""}"`,
    async wake(message, signal) {
      if (reach === undefined || channel === undefined) return;
      // What a client says is where requests of ours go: looked at again before each.
      if ((await push.reachProblem(reach)) !== undefined) return;
      try {
        await channel.send(reach.subscription, message, { signal });
      } catch (error) {
        isGone = saysGone(error);
        throw error;
      }
    },
  };
}
