import type { KeyContext, KeyProvider } from "../../crypto/key-provider.js";
import { openIfOurs } from "../../crypto/own-seals.js";
import type { SealContext } from "../../engine/method.js";
import type { PushSubscriptionJson } from "./channel.js";
import type { PushState } from "./state.js";

/** How a device is to be reached, as it says. */
export interface Reach {
  /** Name of the channel. */
  readonly channel: string;
  readonly subscription: PushSubscriptionJson;
}

/** What it takes to open something of one user's. */
interface OpenContext extends Pick<SealContext, "userId"> {
  readonly keys: KeyProvider;
}

function contextOf({ deviceId }: Pick<PushState, "deviceId">, { userId }: Pick<SealContext, "userId">): KeyContext {
  return { owner: userId, purpose: `push/subscription/${deviceId}` };
}

/** The device as it is reached from now on. */
export async function withReach(state: PushState, reach: Reach, context: SealContext): Promise<PushState> {
  const { channel, subscription } = reach;
  const text = Buffer.from(JSON.stringify(subscription));
  const sealed = await context.keys.encrypt(text, contextOf(state, context));
  return { ...state, reached: { channel, subscription: sealed } };
}

/** Where nobody is reached any more: it has to ask by itself. */
export function withoutReach({ reached: _gone, ...state }: PushState): PushState {
  return state;
}

/** How it is reached, in clear; undefined where it asks by itself, as also where the key has left the ring that this was sealed by. */
export async function reachOf(state: PushState, context: OpenContext): Promise<Reach | undefined> {
  const { reached } = state;
  if (reached === undefined) return undefined;
  const opened = await openIfOurs(context.keys, reached.subscription, contextOf(state, context));
  if (opened === undefined) return undefined;
  return {
    channel: reached.channel,
    subscription: JSON.parse(Buffer.from(opened).toString()) as PushSubscriptionJson,
  };
}

/** Under the newest key. */
export async function resealedReach(state: PushState, context: SealContext): Promise<PushState> {
  const { reached } = state;
  if (reached === undefined) return state;
  const subscription = await context.keys.reseal(reached.subscription, contextOf(state, context));
  return { ...state, reached: { ...reached, subscription } };
}
