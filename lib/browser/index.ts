export { enrollPasskey, upgradeToPasskey } from "./enrollment.js";
export type { EnrolledPasskey, EnrollOptions, EnrollResult, UpgradeOptions } from "./enrollment.js";
export { passkeySupport, signInWithPasskey } from "./passkeys.js";
export type { PasskeySupport, Redirected, SignedIn, SignInOptions, SignInResult } from "./passkeys.js";
export type { Asking, Cancelled, Refused, Submitted, Unsupported } from "./ceremony.js";
export type { PasskeyProblem, Reaching } from "./requests.js";
export type { ErrorCode } from "../core/errors.js";
export { signalAccepted, signalRemoved, signalUserDetails } from "./signals.js";
export type { AcceptedPasskeys, RemovedPasskey, UserDetails } from "./signals.js";
export { enrollPushDevice } from "./push-enrollment.js";
export type { EnrolledPushDevice, EnrollPushOptions, EnrollPushResult } from "./push-enrollment.js";
export { pushDevices } from "./push-devices.js";
export type {
  DecidedPushRequest,
  ListedPushRequests,
  PushDevice,
  PushRequest,
  PushTerms,
  RemovedPushDevice,
  RenewedPushSubscription,
} from "./push-devices.js";
export type { PushDecision } from "../core/device-lines.js";
export { memoryPushStore } from "./push-store.js";
export type { KeptPushDevice, PushStore } from "./push-store.js";
export type { PushKey } from "./push-keys.js";
export { pushSupport, subscribeToPush } from "./push-support.js";
export type {
  PushObstacle,
  PushSubscribed,
  PushSupport,
  PushUnavailable,
  SubscribeOptions,
  SubscribeResult,
} from "./push-support.js";
