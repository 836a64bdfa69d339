export { firebase, type FirebaseOptions, type FirebaseServiceAccount } from "../channels/firebase.js";
export type { FirebaseAlert } from "../channels/firebase-messages.js";
export type { FetchAnswer, FetchLike, FetchTerms } from "../channels/requests.js";
export type { PushChannel, PushMessage, PushSubscriptionJson } from "../core/push-channel.js";
