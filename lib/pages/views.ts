import type { Contact } from "../core/contact.js";
import type { ErrorCode } from "../core/errors.js";
import type { FactorId, MethodType } from "../core/nouns.js";
import type { MethodChoice, UnusableFactor } from "../engine/choices.js";
import type { EnrollmentAim } from "../engine/enrollment-pages.js";
import type { NewPhoneHints, NewPhoneView } from "../engine/new-phone.js";
import type { RecoveryView } from "../engine/recovery-view.js";
import type { SettingsView } from "../engine/views.js";
import type { Done, Draft } from "../core/notes.js";
import type { Messages } from "./messages.js";
import type { ChallengeForm, MethodPages, PagePart } from "./method-page.js";

/** What every page is told. */
export interface PageContext {
  /** Where the routes live, as the browser sees them: `/2fa`, or `/app/2fa` in a mounted application. No trailing slash. */
  readonly base: string;
  readonly messages: Messages;
  /** What the configured methods show. */
  readonly pages: MethodPages;
  /** Those of the methods that are restricted: offered after all others, and the last to be advised. */
  readonly restricted: readonly MethodType[];
  readonly issuer: string;
  /** Language of the messages, for `<html lang>`: a BCP 47 tag. */
  readonly lang: string;
  /** Where the application's own login page is, as the browser sees it. */
  readonly loginPath: string;
  /** Pages say whose they are: in their titles, and above themselves in the built-in layout. */
  readonly showsIssuer: boolean;
  /** Where "back to the application" leads, as the browser sees it. */
  readonly home: string;
  /** How the application says the visitor can be reached. Whoever has only given a password is not shown more of it than a mask. */
  readonly contact: Contact;
  /** Origin of the site as configured, for an address that is typed elsewhere; undefined where no browser opens it, and for nobody. */
  readonly origin: string | undefined;
}

/** The pieces an application's own layout puts together. All strings are finished, escaped HTML but `title` and `lang`. */
export interface LayoutParts {
  /** Plain text; escape it. */
  readonly title: string;
  /** BCP 47 tag. */
  readonly lang: string;
  /** `<link>` and `<script>` elements the page needs, for the `<head>`. */
  readonly head: string;
  /** The page itself, without `<main>`. */
  readonly body: string;
}

/** A page for the layout in force to put together, or a whole HTML document. */
export type Page = LayoutParts | string;

/** Puts a page together without asking anybody. */
export type SyncLayout = (parts: LayoutParts) => string;

/** Something went wrong and the page is shown again. */
export interface PageProblem {
  readonly code: ErrorCode;
  /** Whole seconds until another attempt can succeed. */
  readonly retryAfter?: number;
  /** The phone's clock is that many minutes ahead (positive) or behind (negative). Enrollment and resync only. */
  readonly clockOffMinutes?: number;
  /** A method's own word for what was wrong, in kebab case. */
  readonly reason?: string;
}

/** Where a recovery stands, for a page. */
export interface ShownRecovery extends RecoveryView {
  /** Until the wait is over. */
  readonly minutesLeft?: number;
  /** When this login last asked for a link, where it may have got one. ISO 8601, UTC. */
  readonly askedAt?: string;
  /** A code of the set of backup codes before the present one shortens the wait. */
  readonly takesOldCode?: boolean;
  /** A request for one was refused. */
  readonly problem?: PageProblem;
}

/** Asks for a second factor: to finish a sign-in, or to confirm a change (step-up). Also shown for `step-up-required`. */
export interface ChallengeView {
  readonly purpose: "sign-in" | "step-up";
  /** The visitor's own methods, in order of preference. Empty: they must sign in again. */
  readonly methods: readonly MethodChoice[];
  /** Why signing in again would lead here again: `no-method-left`, or `suspended` by a report. Absent: it would not. */
  readonly nothingLeft?: string | undefined;
  /** What the visitor can use here changes no settings, and signing in again would change nothing about that. */
  readonly isStuck?: boolean;
  /** What the account has and cannot be asked for at this site. Default: nothing. */
  readonly unusable?: readonly UnusableFactor[];
  /** The method whose form is shown; the others are links to `{base}?method=TYPE`. */
  readonly selected: MethodType | undefined;
  /** It is shown in the place of one that has to wait, which the problem is about. */
  readonly instead?: true;
  /** Name of the signed-in account as the application calls it, e.g. an e-mail address of the visitor's own. */
  readonly accountName: string;
  /** What exactly is confirmed ("Pay 100 EUR to Ann"), and the id that every proof of it carries. Step-up only. */
  readonly operation?: { readonly id: string; readonly text: string };
  /** Where "Not now" leads from a step-up, as the browser sees it. */
  readonly backTo: string;
  /** Days a trusted browser is not asked again; undefined: no checkbox. */
  readonly trustDays: number | undefined;
  /** What the selected method shows in the place of its form, under a title of its own: it is waited for something else than a code. */
  readonly own?: (form: ChallengeForm<never>) => PagePart;
  /** Where a recovery stands, and when its wait is over (ISO 8601, UTC). Absent: there is none to be had here. */
  readonly recovery?: ShownRecovery | undefined;
  readonly problem?: PageProblem;
  /** For which stage of the login the page is shown: its forms send it as `shown`. */
  readonly shown: string;
}

/** A form that began an enrollment in vain: of a new factor, or of one in the place of another. */
export interface Refused {
  readonly type: MethodType;
  readonly replaces?: FactorId;
}

/** What becomes of the other logins with the account's first factor. */
export interface OthersView {
  /** Who decides: the application, or its owner with a box. */
  readonly rule: "always" | "ask" | "never";
  /** The box is ticked. */
  readonly ends: boolean;
}

/** Where a new phone takes the place of an old one. */
export interface NewPhonePageView extends NewPhoneView, NewPhoneHints {
  readonly accountName: string;
  /** No proof that the visitor can give here would do. */
  readonly isStuck?: boolean;
  /** What was done just now. */
  readonly done?: Done | undefined;
  readonly problem?: PageProblem;
}

/** An enrollment that is open. */
export interface EnrollmentView extends EnrollmentAim {
  readonly type: MethodType;
  readonly factorId: string;
  /** What the method shows of it; absent once it was shown for five minutes, until it is begun again. */
  readonly answer?: Readonly<Record<string, unknown>> | undefined;
  readonly problem?: PageProblem;
  /** With the account's first factor. */
  readonly others?: OthersView | undefined;
}

/** First screen of the enrollment that policy demands before the login is complete. */
export interface SetUpView {
  readonly accountName: string;
  /** Until then nothing can be set up, because something was reported. ISO 8601, UTC; default: it can. */
  readonly frozenUntil?: string | undefined;
  /** It ends a recovery, which is over then. ISO 8601, UTC; absent: it ends none. */
  readonly recoveringUntil?: string | undefined;
  /** The first factor was given too long ago to set anything up. */
  readonly needsStepUp?: boolean;
  /** The application can check a password again: the forms then carry a `password` field when stale. */
  readonly asksPassword?: boolean;
  readonly others?: OthersView | undefined;
  readonly problem?: PageProblem;
}

export interface SettingsPageView {
  readonly settings: SettingsView;
  /** What the methods add to the settings in JSON. */
  readonly members: Readonly<Record<string, unknown>>;
  readonly accountName: string;
  /** Until the wait of a recovery is over. Absent: none is waited for. */
  readonly recoveryMinutes?: number | undefined;
  /** The kind of proof that this login gave last. */
  readonly lastProof?: MethodType | undefined;
  readonly hasTrustedDevices: boolean;
  /** Policy demands a factor: the last one cannot be removed. */
  readonly required: boolean;
  /** Changes need a fresh proof first; the page says so. Posting anyway answers the challenge page. */
  readonly needsStepUp: boolean;
  /** No proof that the visitor can give here would do. */
  readonly isStuck?: boolean;
  /** The application can check a password again: forms for a first factor then carry a `password` field when stale. */
  readonly asksPassword: boolean;
  /** Where there is no factor yet. */
  readonly others?: OthersView | undefined;
  /** What was done just now. */
  readonly done?: Done | undefined;
  /** What somebody typed as a name before they were asked for a proof, or what was wrong. */
  readonly draft?: Draft | undefined;
  /** What the caller is to read out to the help desk, once they have asked to see it. */
  readonly callerNumber?: string;
  /** The problem is that of this form, which is shown open. */
  readonly refused?: Refused | undefined;
  readonly problem?: PageProblem;
}

/** A page for what has no page of its own: 404, 410, 429 outside a form, 503. */
export interface ProblemView {
  /** Somebody is, or about to be: signing in is no way out for them. */
  readonly isSignedIn?: boolean;
  readonly problem: PageProblem;
}
