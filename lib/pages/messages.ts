import type { ActivityName } from "../core/activity.js";
import type { ErrorCode } from "../core/errors.js";
import type { MethodType } from "../core/nouns.js";
import type { DoneName } from "../core/notes.js";
import { english } from "./english.js";
import type { NewPhoneMessages } from "./new-phone-words.js";
import { mergeWords, type Overrides, type WordTree } from "./words.js";

export type { ActivityName };
export { english };
export { messageProblems } from "./words.js";

/** What every method has a word for; its own groups come beside. `pages.messages.methods[type]` replaces them. */
export interface MethodWords {
  /** What a factor of this kind is called in lists. */
  readonly name: string;
  /** Heading of the challenge, and the link that leads to it from another method. */
  readonly challenge: { readonly title: string; readonly choose: string } & Readonly<Record<string, WordTree>>;
  readonly [group: string]: WordTree;
}

/** The words of the methods by type. A method declares its own here, for editors to offer. */
export interface WordsByType {
  readonly [type: MethodType]: MethodWords | undefined;
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
}

export interface ChallengeMessages {
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
  /** Stands where a kind of proof is closed: too many wrong answers in a row. `names`: what it is called. */
  readonly closed: (names: readonly string[]) => string;
  /** Stands where a kind of proof has to wait: too many attempts. */
  readonly limited: (names: readonly string[], minutes: number) => string;
  readonly lost: (issuer: string) => string;
  readonly notNow: string;
  readonly nothingTitle: string;
  readonly nothingLead: string;
  /** What is enrolled can no longer be used here, and nothing else is. */
  readonly noneLeftTitle: string;
  readonly noneLeftLead: string;
  /** What could confirm it is suspended by a report. */
  readonly suspendedLead: string;
  /** Where nothing that its owner can use here may change the settings: something better is suspended, or of another address. */
  readonly stuckTitle: string;
  readonly stuckLead: string;
  /** In the place of something that cannot be confirmed any more. */
  readonly overTitle: string;
  readonly overLead: string;
}

export interface SetUpMessages {
  readonly title: string;
  readonly lead: (issuer: string) => string;
  /** The first factor was given too long ago. */
  readonly signInAgainFirst: string;
  readonly nothing: string;
}

/** Offered where wrong codes have closed a way to sign in. `names`: of the factors. */
export interface ReopenMessages {
  readonly title: string;
  readonly lead: (names: readonly string[]) => string;
  readonly advice: string;
  /** The button that opens the question, on the settings page. */
  readonly open: string;
  readonly submit: string;
  readonly later: string;
}

/** A code that the help desk gave out in the place of a factor. */
export interface PassMessages {
  /** Leads to the page, from the challenge. */
  readonly link: string;
  readonly title: string;
  readonly lead: string;
  readonly label: string;
  readonly hint: (issuer: string) => string;
  /** For what cannot be one. */
  readonly unreadable: string;
  readonly back: string;
}

/** On the settings page, while the help desk waits for a number from whoever is on the line. */
export interface CallerCheckMessages {
  readonly title: string;
  readonly lead: (issuer: string) => string;
  readonly show: string;
  /** The number follows. */
  readonly number: string;
  /** A time follows. */
  readonly until: string;
}

/** "This wasn't me": the pages that a link in a message leads to. */
export interface ReportMessages {
  readonly title: string;
  /** Of a line of the activity list. */
  readonly number: (number: number) => string;
  /** Stands above what the button does. */
  readonly will: string;
  readonly willEnd: string;
  readonly willFreeze: string;
  readonly willSuspend: string;
  readonly submit: string;
  readonly wasMe: string;
  readonly leave: string;
  readonly usedTitle: string;
  readonly usedLead: string;
  readonly overTitle: string;
  readonly overLead: string;
  readonly done: ReportDoneMessages;
}

/** What the button has done. */
export interface ReportDoneMessages {
  readonly title: string;
  readonly ended: (sessions: number) => string;
  /** A time follows. */
  readonly frozen: string;
  readonly suspended: (names: readonly string[]) => string;
  readonly nothingSuspended: string;
  /** Stands above what is left for the owner to do. */
  readonly next: string;
  readonly nextPassword: string;
  readonly nextSignIn: string;
  readonly nextSettings: string;
  /** `issuer` may be empty. */
  readonly help: (issuer: string) => string;
}

/** A page that a link in a mail of a recovery leads to, and what is said once its button is pressed. */
export interface RecoveryLinkMessages {
  readonly title: string;
  readonly lead: string;
  readonly submit: string;
  readonly doneTitle: string;
  /** Of the confirming one a time follows. */
  readonly doneLead: string;
}

/** The way back for whoever has lost every factor. */
export interface RecoveryMessages {
  /** On the challenge page. */
  readonly offer: { readonly open: string; readonly lead: string; readonly submit: string };
  /** The field for a code of an older set of backup codes, where that shortens the wait. */
  readonly oldCode: {
    readonly label: string;
    readonly hint: string;
    readonly wrong: string;
    readonly unreadable: string;
  };
  /** Where one stands. After `waiting` a time follows. `requested` stands also where nothing came of it: it must not say so. */
  readonly states: Readonly<Record<"requested" | "waiting" | "ready", string>>;
  /** In the place of `waiting`, also in the settings, once that time is past: the link was not mailed yet. */
  readonly late: string;
  /** How long that is: beside the time that follows `waiting`. */
  readonly left: (minutes: number) => string;
  /** What ends one that is under way. */
  readonly stop: string;
  /** When a link was last asked for: a time follows. */
  readonly askedAt: string;
  /** The button for another link, where one was sent or may have been. */
  readonly again: string;
  /** On the page that sets up the first factor of a recovery; a time follows. */
  readonly setUp: string;
  readonly confirm: RecoveryLinkMessages;
  /** Of a message to another channel: the wait gets shorter. A time follows `lead`, and `doneLead`. */
  readonly vouch: RecoveryLinkMessages;
  readonly cancel: RecoveryLinkMessages;
  readonly complete: RecoveryLinkMessages;
  /** Below the button of each. */
  readonly opened: string;
  readonly overTitle: string;
  readonly overLead: string;
  readonly signInTitle: string;
  readonly signInLead: string;
  readonly signInSubmit: string;
  readonly frozenTitle: string;
  /** While changes are frozen; the time follows from which on the link works. */
  readonly frozenLead: string;
  readonly section: RecoverySectionMessages;
  /** On the settings page; a time follows. */
  readonly probation: string;
}

/** Of the settings page. */
export interface RecoverySectionMessages {
  readonly title: string;
  readonly lead: string;
  readonly off: string;
  /** Where one stands that its owner may not have asked for. After `waiting` a time follows. */
  readonly states: Readonly<Record<"requested" | "waiting" | "ready", string>>;
  /** What to do about it. */
  readonly stop: string;
  readonly cancel: string;
  readonly optOut: string;
  readonly optOutLead: string;
  readonly optOutSubmit: string;
  readonly optIn: string;
}

export interface SettingsMessages {
  readonly data: { readonly title: string; readonly lead: string; readonly download: string };
  readonly title: string;
  readonly account: string;
  readonly on: string;
  readonly off: string;
  readonly backToApplication: (issuer: string) => string;
  readonly stepUp: string;
  readonly stepUpLink: string;
  readonly signInAgainFirst: string;
  /** An authenticator is demanded, and is not due yet; a time follows. */
  readonly grace: (issuer: string) => string;
  /** Nothing about authenticators can be changed, because something was reported; a time follows. */
  readonly frozen: string;
  readonly factors: FactorMessages;
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
  /** A word beside the factors of the kind that is asked for first, and the button that makes it so. */
  readonly first: string;
  readonly askFirst: string;
  /** A word beside one that a report has suspended. */
  readonly suspended: string;
  readonly resume: string;
  readonly resumeLead: (label: string) => string;
  readonly resumeSubmit: string;
  readonly rename: string;
  readonly name: string;
  readonly save: string;
  readonly remove: string;
  readonly removeLead: (label: string) => string;
  readonly removeLastLead: (label: string) => string;
  readonly removeSubmit: string;
  readonly keepOne: string;
  /** Heading of the list of what can be added. */
  readonly add: string;
  /** What adding anything ends, where there is something to end. */
  readonly addEnds: string;
  readonly addName: string;
  readonly addNameHint: string;
  readonly password: string;
  readonly passwordHint: string;
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
  readonly lastSeen: string;
  readonly verified: string;
  readonly trusted: string;
  /** Of the staff, in the place of its user. */
  readonly acting: string;
  readonly end: string;
  /** What assistive technology reads instead, so that the buttons of a list differ. */
  readonly endNamed: (browser: string) => string;
  readonly revoke: string;
  readonly revokeLead: string;
  readonly revokeSubmit: string;
}

export interface ActivityMessages {
  readonly title: string;
  readonly lead: string;
  readonly none: string;
  readonly older: string;
  /** Beside what happened more than once. */
  readonly count: (count: number) => string;
  /** The numbers that notices of it carry, newest first. */
  readonly number: (numbers: readonly number[]) => string;
  /** What it ended; one of the two may be 0. */
  readonly ended: (ended: { readonly sessions: number; readonly browsers: number }) => string;
  readonly names: Readonly<Record<ActivityName, string>>;
  /** What a method of the application's own records, under a name of its own. */
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

/** Told once a change is made. `label`: the name of what it was made to; empty where that has none. */
export type DoneMessages = Readonly<Record<DoneName, (label: string) => string>>;

/** The other logins of somebody who sets up their first factor. */
export interface OthersMessages {
  /** The box that ends them, ticked. */
  readonly ask: string;
  readonly askAdvice: string;
  /** Where there is no choice. */
  readonly willEnd: string;
  readonly willStay: string;
  /** Afterwards. */
  readonly ended: string;
  readonly kept: string;
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
    /** Messages alone have to wait: one that has arrived can be answered. */
    readonly sending: (minutes: number) => string;
    /** Waiting does not help: the method is closed until another one was used. */
    readonly noEnd: string;
  };
  /** Minutes the phone's clock is ahead (positive) or behind (negative). */
  readonly clock: (minutes: number) => string;
  /** What each configured method says, by type. */
  readonly methods: WordsByType;
  readonly challenge: ChallengeMessages;
  readonly setUp: SetUpMessages;
  readonly reopen: ReopenMessages;
  readonly pass: PassMessages;
  readonly callerCheck: CallerCheckMessages;
  readonly report: ReportMessages;
  readonly recovery: RecoveryMessages;
  readonly newPhone: NewPhoneMessages;
  readonly done: DoneMessages;
  readonly others: OthersMessages;
  readonly settings: SettingsMessages;
}

/** Some of the messages, in the application's own words. What is left out stays as it is. */
export type MessageOverrides = Overrides<Messages>;

/** The words of the pages and of these methods. */
export function messagesFor(pages: ReadonlyMap<MethodType, { readonly words: MethodWords }>): Messages {
  const methods = Object.fromEntries([...pages].map(([type, { words }]) => [type, words]));
  return { ...english, methods };
}

/** The messages with the overrides in their places. */
export function mergeMessages(base: Messages, overrides: MessageOverrides): Messages {
  return mergeWords(base, overrides) as Messages;
}
