export { firebase, type FirebaseOptions } from "../channels/firebase.js";
export type { FirebaseServiceAccount } from "../channels/access-tokens.js";
export type { FirebaseAlert } from "../channels/firebase-messages.js";
export type { FetchLike } from "../channels/requests.js";
export type { PushChannel, PushMessage, PushSubscriptionJson } from "../core/push-channel.js";
