// The one line
export { secondFactor, type SecondFactor } from "./second-factor.js";
export type {
  LimitOption,
  PagesOptions,
  SecondFactorOptions,
  TrustedDevicesOption,
  UserReaders,
} from "./options/options.js";
export type { RequireOptions } from "./http/require.js";
export type { Json } from "./engine/step-up.js";
export type { Duration } from "./options/durations.js";
export type { SecondFactorState } from "./http/state.js";

// Methods
export { totp, type TotpAlgorithm, type TotpOptions, type TotpState } from "./methods/totp.js";
export {
  backupCodes,
  type BackupCodesMethod,
  type BackupCodesOptions,
  type BackupCodesState,
} from "./methods/backup-codes.js";
export {
  passkeys,
  type AssertionExpectation,
  type AttestationExpectation,
  type Attested,
  type CreationCeremony,
  type PasskeysMethod,
  type PasskeysOptions,
  type PasskeyState,
  type RelyingParty,
  type RequestCeremony,
} from "./methods/passkeys.js";
export type {
  CodeMethod,
  Enroll,
  EnrollmentContext,
  Evidence,
  Method,
  MethodContext,
  Mismatch,
  Proved,
  Rejection,
} from "./methods/contract.js";

// Where it is kept
export { memoryStore, type MemoryStore, type MemoryStoreOptions } from "./stores/memory.js";
export type { Entry, RateLimitStore, Store, WriteOptions } from "./stores/contract.js";
export type { KeyContext, KeyProvider } from "./crypto/key-provider.js";

// Policy
export type { Evaluate, Policy, PolicyRules } from "./policy/policy.js";

// Operations without a request
export type {
  Accounts,
  AccountStatus,
  ActorOptions,
  ImportTotpOptions,
  PasswordChangedOptions,
  VerifyOptions,
  VerifyResult,
} from "./engine/accounts.js";
export type { RotateKeysOptions, RotationReport } from "./engine/key-rotation.js";
export type {
  ActivityView,
  BackupCodesView,
  DeviceView,
  FactorView,
  SessionView,
  SettingsView,
} from "./engine/views.js";

// What happened
export { type AuditAction, type AuditEvent, type OwaspLevel, toOwasp } from "./events/audit.js";
export type { EventMap, Events } from "./events/emitter.js";
export type { Notice, NoticeKind, Notify } from "./events/notices.js";

// What went wrong
export { ConfigurationError, type ErrorCode, ERRORS, UnavailableError } from "./core/errors.js";

// Nouns
export type { Factor } from "./core/account.js";
export type { Client, Clock, FactorId, LimitKind, MethodType, PolicyDecision, Status, UserId } from "./core/nouns.js";

// Pages
export type { Layout, LayoutParts } from "./pages/views.js";
export { english, type MessageOverrides, type Messages } from "./pages/messages.js";
export type {
  ActivityMessages,
  ActivityName,
  BackupCodesMessages,
  ChallengeMessages,
  CodeMessages,
  CodesSectionMessages,
  CommonMessages,
  DeviceMessages,
  DisableMessages,
  EnrollMessages,
  FactorMessages,
  PasskeyChallengeMessages,
  PasskeyMessages,
  PasskeyOfferMessages,
  SessionMessages,
  SettingsMessages,
  SetUpMessages,
} from "./pages/messages.js";
