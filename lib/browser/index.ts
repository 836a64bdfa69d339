export { enrollPasskey, upgradeToPasskey } from "./enrollment.js";
export type { EnrolledPasskey, EnrollOptions, EnrollResult, UpgradeOptions } from "./enrollment.js";
export { passkeySupport, signInWithPasskey } from "./passkeys.js";
export type { PasskeySupport, Redirected, SignedIn, SignInOptions, SignInResult } from "./passkeys.js";
export type { Asking, Cancelled, Refused, Submitted, Unsupported } from "./ceremony.js";
export type { PasskeyProblem, Reaching } from "./requests.js";
export type { ErrorCode } from "../core/errors.js";
export { signalAccepted, signalRemoved, signalUserDetails } from "./signals.js";
export type { AcceptedPasskeys, RemovedPasskey, UserDetails } from "./signals.js";
