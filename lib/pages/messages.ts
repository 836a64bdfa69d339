import type { ErrorCode } from "../core/errors.js";
import type { MethodType } from "../core/nouns.js";

export { english } from "./english.js";

/** What the owner's own activity list can tell about. Other entries are shown as `activity.other`. */
export type ActivityName =
  | "admin-reset"
  | "backup-code-used"
  | "backup-codes-regenerated"
  | "device-replayed"
  | "device-revoked"
  | "device-trusted"
  | "factor-enrolled"
  | "factor-failed"
  | "factor-imported"
  | "factor-removed"
  | "factor-renamed"
  | "factor-verified"
  | "passkey-counter-regressed"
  | "password-changed"
  | "sessions-revoked"
  | "signed-out-everywhere";

/** How one kind of code is asked for. */
export interface CodeMessages {
  readonly title: string;
  readonly label: string;
  /** `labels`: what the visitor calls their own factors of this kind. */
  readonly hint: (issuer: string, labels: readonly string[]) => string;
  /** What was sent cannot be a code of this kind. */
  readonly unreadable: string;
  /** The link that leads here from another method. */
  readonly choose: string;
}

export interface CommonMessages {
  readonly pageTitle: (title: string, issuer: string) => string;
  /** Title of a page that is shown again because something was wrong. */
  readonly titleWithProblem: (title: string) => string;
  /** Readable text of a time for browsers without scripts: name the time zone, it is UTC. */
  readonly dateTime: (time: Date) => string;
  readonly continue: string;
  readonly cancel: string;
  readonly signInAgain: string;
  readonly tryAgain: string;
  readonly toSettings: string;
  readonly useAnotherAccount: string;
  readonly copied: string;
  readonly notCopied: string;
  /** Instead of a passkey's button: without a script, or in a browser that has no passkeys. */
  readonly passkeyNeedsScript: string;
  readonly passkeyUnsupported: string;
  readonly passkeyWaiting: string;
  readonly passkeyFailed: string;
}

/** How a passkey is asked for. */
export interface PasskeyChallengeMessages {
  readonly title: string;
  readonly hint: (issuer: string, labels: readonly string[]) => string;
  readonly button: string;
  readonly choose: string;
  /** The dialog was closed or timed out. */
  readonly cancelled: string;
}

export interface ChallengeMessages {
  readonly totp: CodeMessages;
  readonly backupCode: CodeMessages;
  readonly passkey: PasskeyChallengeMessages;
  /** Instead of the method's own title where a change is confirmed. */
  readonly stepUpTitle: string;
  readonly stepUpLead: string;
  /** Stands above what exactly is confirmed, in the application's words. */
  readonly confirming: string;
  /** Stands before the name of the account. */
  readonly signingInAs: string;
  readonly signedInAs: string;
  readonly trust: (days: number) => string;
  readonly trustAdvice: string;
  readonly otherWays: string;
  readonly lost: (issuer: string) => string;
  readonly notNow: string;
  readonly nothingTitle: string;
  readonly nothingLead: string;
}

export interface SetUpMessages {
  readonly title: string;
  readonly lead: (issuer: string) => string;
  readonly needTitle: string;
  readonly needPhone: string;
  readonly needMinutes: string;
  readonly totp: string;
  readonly passkey: string;
  readonly passkeyTitle: string;
  readonly passkeyLead: string;
  readonly nothing: string;
}

/** The offer of a passkey after a login by code. */
export interface PasskeyOfferMessages {
  readonly title: string;
  readonly lead: string;
  readonly add: string;
  readonly later: string;
  readonly never: string;
}

export interface EnrollMessages {
  readonly title: string;
  readonly lead: string;
  readonly appTitle: string;
  readonly appLead: string;
  readonly scanTitle: string;
  readonly scanLead: string;
  readonly qrAlternative: string;
  readonly openApp: string;
  readonly secretTitle: string;
  readonly secretLead: string;
  readonly copySecret: string;
  readonly codeTitle: string;
  readonly codeLabel: string;
  readonly codeHint: string;
  readonly submit: string;
  readonly confirmTitle: string;
  readonly confirmLead: string;
  readonly confirmAppLead: string;
  /** The first code of a new authenticator is not right. */
  readonly codeRefused: string;
  readonly startOver: string;
}

export interface BackupCodesMessages {
  readonly titleFirst: string;
  readonly titleReplaced: string;
  readonly leadFirst: string;
  readonly leadReplaced: string;
  readonly advice: string;
  readonly list: string;
  readonly copy: string;
  readonly download: string;
  readonly print: string;
  readonly fileName: string;
  /** Heading of the downloaded file and of the printed page. */
  readonly fileHeading: (issuer: string) => string;
  readonly fileAdvice: string;
  readonly saved: string;
}

export interface SettingsMessages {
  readonly title: string;
  readonly account: string;
  readonly on: string;
  readonly off: string;
  readonly backToApplication: (issuer: string) => string;
  readonly stepUp: string;
  readonly stepUpLink: string;
  readonly signInAgainFirst: string;
  readonly factors: FactorMessages;
  readonly passkeys: PasskeyMessages;
  readonly codes: CodesSectionMessages;
  readonly devices: DeviceMessages;
  readonly sessions: SessionMessages;
  readonly activity: ActivityMessages;
  readonly disable: DisableMessages;
}

export interface FactorMessages {
  readonly title: string;
  readonly lead: string;
  readonly none: string;
  /** These end in a colon or a preposition: a time follows. */
  readonly added: string;
  readonly lastUsed: string;
  readonly neverUsed: string;
  readonly rename: string;
  readonly name: string;
  readonly save: string;
  readonly resync: string;
  readonly resyncLead: string;
  readonly resyncFirst: string;
  readonly resyncSecond: string;
  readonly resyncSubmit: string;
  readonly remove: string;
  readonly removeLead: (label: string) => string;
  readonly removeLastLead: (label: string) => string;
  readonly removeSubmit: string;
  readonly keepOne: string;
  readonly addTitle: string;
  readonly addFirstTitle: string;
  readonly addName: string;
  readonly addNameHint: string;
  readonly password: string;
  readonly passwordHint: string;
  readonly addSubmit: string;
}

export interface PasskeyMessages {
  /** What stands in the list instead of the kind of storage. */
  readonly synced: string;
  readonly deviceBound: string;
  readonly removeLead: (label: string) => string;
  readonly addTitle: string;
  readonly addLead: string;
  readonly addSubmit: string;
  /** The dialog was closed or timed out. */
  readonly cancelled: string;
  /** This device holds a passkey of the account already. */
  readonly alreadyHere: string;
  readonly passwordRefused: string;
}

export interface CodesSectionMessages {
  readonly title: string;
  readonly lead: string;
  readonly remaining: (count: number) => string;
  readonly few: (count: number) => string;
  readonly none: string;
  readonly made: string;
  readonly replace: string;
  readonly replaceLead: string;
  readonly replaceSubmit: string;
  readonly first: string;
}

export interface DeviceMessages {
  readonly title: string;
  readonly lead: string;
  readonly none: string;
  readonly current: string;
  readonly unnamed: string;
  readonly lastUsed: string;
  readonly until: string;
  readonly revoke: string;
  /** What assistive technology reads instead, so that the buttons of a list differ. */
  readonly revokeNamed: (label: string) => string;
  readonly revokeAll: string;
  readonly revokeAllLead: string;
  readonly revokeAllSubmit: string;
}

export interface SessionMessages {
  readonly title: string;
  readonly lead: string;
  readonly onlyThis: string;
  readonly current: string;
  readonly unnamed: string;
  readonly since: string;
  readonly verified: string;
  readonly trusted: string;
  readonly revoke: string;
  readonly revokeLead: string;
  readonly revokeSubmit: string;
}

export interface ActivityMessages {
  readonly title: string;
  readonly lead: string;
  readonly none: string;
  readonly older: string;
  readonly names: Readonly<Record<ActivityName, string>>;
  readonly other: string;
}

export interface DisableMessages {
  readonly title: string;
  readonly lead: string;
  readonly required: (issuer: string) => string;
  readonly open: string;
  readonly confirm: string;
  readonly submit: string;
}

/** Every word a visitor reads on the built-in pages. Plain text: it is escaped where it is shown. */
export interface Messages {
  /** The direction the language is written in. */
  readonly direction: "ltr" | "rtl";
  readonly common: CommonMessages;
  /** What happened and what to do next: one sentence or two per code. */
  readonly errors: Readonly<Record<ErrorCode, string>>;
  /** Headings of the pages that show nothing but a problem. */
  readonly problemTitles: Readonly<Record<ErrorCode, string>>;
  readonly wait: {
    readonly minutes: (minutes: number) => string;
    /** Waiting does not help: the method is closed until another one was used. */
    readonly noEnd: string;
  };
  /** Minutes the phone's clock is ahead (positive) or behind (negative). */
  readonly clock: (minutes: number) => string;
  readonly methods: Readonly<Record<MethodType, string>>;
  readonly challenge: ChallengeMessages;
  readonly setUp: SetUpMessages;
  readonly passkeyOffer: PasskeyOfferMessages;
  readonly enroll: EnrollMessages;
  readonly backupCodes: BackupCodesMessages;
  readonly settings: SettingsMessages;
}

type Overrides<T> = {
  readonly [K in keyof T]?: T[K] extends string | ((...values: never[]) => string) ? T[K] : Overrides<T[K]>;
};

/** Some of the messages, in the application's own words. What is left out stays as it is. */
export type MessageOverrides = Overrides<Messages>;

type Tree = Readonly<Record<string, unknown>>;

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null;
}

function own(tree: Tree, key: string): unknown {
  return Object.hasOwn(tree, key) ? tree[key] : undefined;
}

function mergeTree(base: Tree, overrides: Tree): Tree {
  const merged = Object.entries(base).map(([key, present]) => {
    const wanted = own(overrides, key);
    if (isTree(present)) return [key, isTree(wanted) ? mergeTree(present, wanted) : present];
    return [key, wanted ?? present];
  });
  return Object.fromEntries(merged) as Tree;
}

/** The messages with the overrides in their places. */
export function mergeMessages(base: Messages, overrides: MessageOverrides): Messages {
  return mergeTree(base as unknown as Tree, overrides) as unknown as Messages;
}

/**
 * What is wrong with overrides that did not pass a type checker: names that are no message, text where a function is
 * needed and the reverse. A sentence each; empty where they fit.
 */
export function messageProblems(base: object, overrides: object, path = "messages"): string[] {
  return Object.entries(overrides).flatMap(([key, wanted]: [string, unknown]) => {
    const name = `${path}.${key}`;
    const present = own(base as Tree, key);
    if (present === undefined) return [`${name} is not a message`];
    if (wanted === undefined) return [];
    if (isTree(present) && isTree(wanted)) return messageProblems(present, wanted, name);
    return typeof wanted === typeof present && wanted !== null ? [] : [`${name} must be ${kindOf(present)}`];
  });
}

function kindOf(value: unknown): string {
  if (typeof value === "string") return "text";
  return typeof value === "function" ? "a function that answers text" : "an object of messages";
}
