export { oneSignal, type OneSignalClient, type OneSignalOptions, type OneSignalText } from "../channels/one-signal.js";
export type { PushChannel, PushMessage, PushSubscriptionJson } from "../core/push-channel.js";
