export { webPush, type WebPushOptions } from "../channels/web-push.js";
export type { VapidDetails } from "../channels/vapid.js";
export type { PushChannel, PushMessage, PushSubscriptionJson } from "../core/push-channel.js";
