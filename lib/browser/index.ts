export { enrollPasskey, passkeySupport, signInWithPasskey } from "./passkeys.js";
export type {
  Cancelled,
  EnrolledPasskey,
  EnrollOptions,
  EnrollResult,
  PasskeySupport,
  Redirected,
  Refused,
  SignedIn,
  SignInOptions,
  SignInResult,
  Submitted,
  Unsupported,
} from "./passkeys.js";
export type { PasskeyProblem } from "./requests.js";
export { signalRemoved, signalUserDetails } from "./signals.js";
export type { RemovedPasskey, UserDetails } from "./signals.js";
