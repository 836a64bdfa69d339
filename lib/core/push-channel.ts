import type { Json } from "./json.js";

/** What a device is told: that there is something to decide, and where. No name, no text, no number. */
export interface PushMessage {
  readonly requestId: string;
  /** The site, as configured: an app that serves several asks there. Absent where no browser opens it. */
  readonly origin?: string;
}

/** How a device is reached: what a browser or an app was given by its push service. JSON, at most 4 kB of text. */
export type PushSubscriptionJson = Json;

/**
 * A way to wake a device. It carries nothing that proves anything: where a message is lost, or read by somebody else, the device
 * still has to ask what it is asked, and to sign its answer.
 */
export interface PushChannel {
  /** In kebab case; a device says by it how it is reached. */
  readonly name: string;
  /**
   * Hands the message over. A rejection with `gone: true` says that nobody is reached there any more: the subscription is removed,
   * the device stays. `signal` is aborted once nobody waits any more.
   */
  send(
    subscription: PushSubscriptionJson,
    message: PushMessage,
    terms: { readonly signal: AbortSignal },
  ): Promise<unknown>;
  /**
   * Why nothing would be sent there, in kebab case (`"host-not-allowed"`); undefined where it would. A subscription is what a client
   * says: whatever names an address is looked at here, before it is stored, and again before it is sent to. Default: all will do.
   */
  problem?(subscription: PushSubscriptionJson): string | undefined;
  /** For channels of browsers: the key that `pushManager.subscribe()` is given (`applicationServerKey`, base64url). */
  readonly applicationServerKey?: string;
}
