// The one line
export { secondFactor, type SecondFactor } from "./second-factor.js";
export type {
  AddressLimitOption,
  HelpDeskOption,
  LimitOption,
  LimitsOption,
  RecoveryEvidence,
  RecoveryOptions,
  SecondFactorOptions,
  TrustedDevicesOption,
  UserReaders,
} from "./options/options.js";
export type { ContentSecurityPolicy } from "./http/content-policy.js";
export type { AppUser, Layout, PagesOptions } from "./http/settings.js";
export type { RequireOptions } from "./http/require.js";
export type { StrategyOptions } from "./http/strategy.js";
export type { Json } from "./core/json.js";
export type { Duration } from "./policy/durations.js";
export type { InlineLogIn, SecondFactorState } from "./http/request-state.js";
export type { Carry, CompletedLogin, OnLogin } from "./http/completion.js";

// Methods
export { totp, type TotpOptions } from "./methods/totp/totp.js";
export type { TotpAlgorithm, TotpDigits, TotpState } from "./methods/totp/state.js";
export { backupCodes, type BackupCodesOptions } from "./methods/backup-codes/backup-codes.js";
export type { BackupCodesState } from "./methods/backup-codes/method.js";
export { type KnownPasskeys, passkeys, type PasskeysOptions } from "./methods/passkeys/passkeys.js";
export type { PasskeyState, PresentedPasskey } from "./methods/passkeys/types.js";
export { emailCode, type EmailCodeMessage, type EmailCodeOptions } from "./methods/email-code/email-code.js";
export { smsCode, type SmsCeilings, type SmsCodeMessage, type SmsCodeOptions } from "./methods/sms-code/sms-code.js";
export { push, type PushOptions } from "./methods/push/push.js";
export type { PushChannel, PushMessage, PushSubscriptionJson } from "./methods/push/channel.js";
export type { PresentedPush } from "./methods/push/proofs.js";
export type { PushState } from "./methods/push/state.js";
export type { CodeMessage, SendCode } from "./engine/message-code-method.js";
export type { MessageCodeState, OpenCode } from "./engine/message-codes.js";

// How codes are sent
export { consoleSender } from "./senders/console-sender.js";
export type { DeliveryError } from "./core/delivery-error.js";
export type { MailDestination, MailMessage, TextMessage } from "./senders/message.js";

// A method of your own
export type { UnusableFactor } from "./engine/choices.js";
export type { Method } from "./http/method.js";
export type {
  Deliver,
  Enroll,
  EnrollmentBegun,
  EnrollmentContext,
  EnrollmentResumed,
  Evidence,
  FactorMethod,
  Imported,
  ImportTerms,
  Message,
  MethodContext,
  Minted,
  Mismatch,
  Prepared,
  PresentContext,
  ProofContext,
  Proved,
  Rejection,
  SealContext,
  Send,
  SendBudget,
  SendContext,
  Site,
  Verdict,
  Waiting,
  Writing,
} from "./engine/method.js";
export { enrollmentRoutes, proofRoute, resyncRoute, sendRoute } from "./http/method-routes.js";
export { type Body, type Reply, type RequestContext, type Route, route, type RouteContext } from "./http/route.js";

// Where it is kept
export { memoryStore, type MemoryStore, type MemoryStoreOptions } from "./stores/memory.js";
export type {
  BringsRateLimitStore,
  Entry,
  RateLimitStore,
  Store,
  StoreWithRateLimits,
  WriteOptions,
} from "./stores/contract.js";
export type { KeyContext, KeyProvider, Keys } from "./crypto/key-provider.js";

// Policy
export type { Hours, Weekday } from "./policy/hours.js";
export type { Evaluate, LoginFacts, Policy, PolicyRules, RiskFacts, RiskVerdict } from "./policy/policy.js";

// Operations without a request
export type { ApproveOptions } from "./http/approve.js";
export type { AssertLoginOptions } from "./http/assert-login.js";
export type { Approval } from "./engine/approval.js";
export type {
  Accounts,
  AccountStatus,
  PasswordChangedOptions,
  VerifyOptions,
  VerifyResult,
} from "./engine/accounts.js";
export type { AccountExport } from "./engine/account-export.js";
export type { KeptView } from "./engine/kept-members.js";
export type { ApprovalOptions, ApprovedOperation, CallerCheckOptions, StaffOptions } from "./engine/account-desk.js";
export type { CallerCheckOperations, TemporaryPass, TemporaryPassOptions } from "./engine/account-desk.js";
export type {
  ActorOptions,
  EnrollEmailOptions,
  EnrollPhoneOptions,
  ImportedFactorView,
  ImportTotpOptions,
} from "./engine/account-imports.js";
export type { RotateKeysOptions, RotationReport } from "./engine/key-rotation.js";
export type {
  ActivityView,
  BackupCodesView,
  ClosedView,
  DeviceView,
  FactorView,
  SessionView,
  SettingsView,
} from "./engine/views.js";

// What happened
export { type AuditAction, type AuditEvent, type KnownAction, type OwaspLevel, toOwasp } from "./events/audit.js";
export { type CaepOptions, type SecurityEvent, toCaep } from "./audit/caep.js";
export type { EventMap, Events } from "./events/emitter.js";
export type { ErrorEvent, ErrorPlace, KnownPlace } from "./events/failures.js";
export type { Notice, NoticeDetails, NoticeKind, NoticeLinks, Notify } from "./events/notices.js";
export type { Compromise, OnCompromise } from "./engine/reports.js";
export type { RecoveryRequest } from "./engine/recovery-due.js";

// What went wrong
export {
  ConfigurationError,
  type ErrorCode,
  ERRORS,
  NotAskedError,
  NotDoneError,
  type Outcome,
  type Problem,
  UnavailableError,
} from "./core/errors.js";

// Nouns
export type { Factor } from "./core/account.js";
export type {
  Client,
  Clock,
  FactorId,
  Limit,
  LimitKind,
  Limits,
  MethodType,
  PolicyDecision,
  Status,
  UserId,
} from "./core/nouns.js";

// Pages
export type { NewPhoneView } from "./engine/new-phone.js";
export type { LayoutParts, Page, PageContext, PageProblem } from "./pages/views.js";
export { english, type MessageOverrides, type Messages, type MethodWords, type WordsByType } from "./pages/messages.js";
export type {
  ActivityMessages,
  ActivityName,
  ChallengeMessages,
  CommonMessages,
  DeviceMessages,
  DisableMessages,
  DoneMessages,
  FactorMessages,
  OthersMessages,
  CallerCheckMessages,
  PassMessages,
  ReopenMessages,
  SessionMessages,
  SettingsMessages,
  SetUpMessages,
} from "./pages/messages.js";
export type { TotpWords } from "./methods/totp/words.js";
export type { BackupCodesWords } from "./methods/backup-codes/words.js";
export type { PasskeysWords } from "./methods/passkeys/words.js";
export type { PushWords } from "./methods/push/words.js";

// Pages of a method of your own
export type {
  AddForm,
  ChallengeForm,
  CodesView,
  EnrollmentForm,
  FactorRow,
  MethodPage,
  PagePart,
  ReplaceForm,
  SettingsPart,
  UnusablePart,
} from "./pages/method-page.js";
export { codePage, type CodePageOptions, type CodeWords } from "./pages/code-page.js";
export { codeField, type CodeField, postButton, type PostButton } from "./pages/forms.js";
export { problemText } from "./pages/fragments.js";
export { dangerouslyTrustedHtml, html, type Html, type HtmlValue } from "./pages/html.js";
export { icon, type Icon, type IconName } from "./pages/icons.js";
