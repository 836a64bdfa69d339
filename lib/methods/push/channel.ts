export type { PushChannel, PushMessage, PushSubscriptionJson } from "../../core/push-channel.js";
