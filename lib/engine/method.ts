import type { Account, Factor } from "../core/account.js";
import type { Contact } from "../core/contact.js";
import type { Problem } from "../core/errors.js";
import type { FactorId, LimitKind, Limits, MethodType, UserId } from "../core/nouns.js";
import type { Keys } from "../crypto/key-provider.js";
import type { AuditAction } from "../events/audit.js";
import type { ChallengeStore } from "./challenges.js";
import type { CredentialIndex } from "./credential-index.js";
import type { LoginContext } from "./login-context.js";

/** What it takes to seal something for one user. */
export interface SealContext {
  readonly userId: UserId;
  readonly keys: Keys;
}

/** What a method may know when it works for one user. */
export interface MethodContext extends SealContext {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /**
   * The login that asks, and in it the operation that is to be confirmed, where there is one: codes that are sent belong to one of
   * these, and prove nothing for another. Undefined for operations of the application's own.
   */
  readonly loginId?: string | undefined;
  /** The factor that is being set up, by the id it will have. Undefined for those in force: they say it themselves. */
  readonly factorId?: FactorId | undefined;
  /** What passkeys call the user; undefined before the first. */
  readonly userHandle?: string | undefined;
}

/** What a method may know when it looks at a proof. */
export interface ProofContext extends MethodContext {
  /** As it is now. */
  readonly account: Account;
}

/** What a message says whose it is with, and in which words. Nothing of it comes from a request's headers. */
export interface Writing {
  readonly issuer: string;
  /** Of the site, as configured; undefined where no browser opens it. */
  readonly origin: string | undefined;
  /** The reader's language (BCP 47): what the application knows of its user, else that of the pages. */
  readonly locale: string;
  /** The method's words in force for this request. */
  readonly words: unknown;
}

/** What a method may know when it sends something to one user. */
export interface SendContext extends MethodContext, Writing {}

/** What an enrollment may tell about its owner. */
export interface EnrollmentContext extends SendContext {
  readonly accountName: string;
  /** How the application says its user can be reached. None of it is proved. */
  readonly contact: Contact;
  /** The factors of this kind that the account has. */
  readonly factors: readonly Factor[];
}

/** The site as it is configured: nothing of it comes from a request's headers. */
export interface Site {
  readonly origins: readonly string[];
  /** Empty where nobody is logged in and the name depends on who is. */
  readonly issuer: string;
}

/** What is at hand when a proof is read, once for each attempt, before the account is looked at. */
export interface PresentContext {
  readonly site: Site;
  readonly challenges: ChallengeStore;
  /** Undefined before anybody is logged in, and for operations of the application's own. */
  readonly login: LoginContext | undefined;
  /** Whose proof it is to be, as last seen, to tell what can be none of theirs; undefined before anybody is known. */
  readonly account?: Account | undefined;
  /** Id of the one operation the proof is given for. Undefined: for the login as a whole. */
  readonly operation?: string | undefined;
  /** The browser's own id, where nobody is logged in yet and it has one. */
  readonly browserId?: string | undefined;
}

/** The factor that was proved, as it must be stored so that the same proof never counts again. */
export interface Evidence<State = unknown> {
  readonly factor: Factor<State>;
  /** RFC 8176 values of this proof, where they are not the method's own. */
  readonly amr?: readonly string[];
  /** What the answer to the visitor adds, such as the number of codes left. */
  readonly answer?: Readonly<Record<string, unknown>>;
  /** Accepted, and all the same something its owner should hear of. */
  readonly concern?: AuditAction;
  /** The account with what else changes by it. Default: as it was shown. */
  readonly account?: Account;
}

/** A proof that is wrong, where more follows from it than that. */
export interface Rejection<State = unknown> {
  readonly rejected: true;
  /** Factors as they must be stored after it, such as with one try fewer. */
  readonly factors?: readonly Factor<State>[];
  /** Something its owner should hear of, and about which factor. */
  readonly concern?: AuditAction;
  readonly factorId?: FactorId;
  /** Factors of which this was one more wrong answer in a row. Default: all of the kind that are open. */
  readonly failing?: readonly FactorId[];
}

/** Nothing was tried yet: the answer is still awaited, from another device. Nothing is counted; the client asks again. */
export interface Waiting {
  /** What the client is told, beside `status: "waiting"`. */
  readonly waiting: Readonly<Record<string, unknown>>;
}

/** Why nothing is asked of a method's factors now. */
export interface Pause {
  /** The method's own word, in kebab case. */
  readonly reason: string;
  /** Whole seconds; absent where waiting does not help. */
  readonly retryAfter?: number;
}

export type Verdict<State = unknown> = Evidence<State> | Rejection<State> | Waiting | undefined;

/** Why an enrollment proof was not accepted. */
export interface Mismatch<State = unknown> {
  /** Minutes the visitor's clock seems to be ahead (positive) or behind (negative), where the code says so. */
  readonly clockOffMinutes?: number;
  /** The state as it must be stored after it, such as with one try fewer. */
  readonly state?: State;
}

export type Proved<State = unknown> = { readonly state: State } | { readonly mismatch: Mismatch<State> };

/**
 * What is to be delivered once the change that belongs to it is written. Rejects where the message was not taken. `signal` is aborted
 * once nobody waits for it any more.
 */
export type Deliver = (signal: AbortSignal) => Promise<void>;

/** What the messages of all accounts together are counted against, such as one destination. */
export interface SendBudget {
  /** One of the method's limits. */
  readonly kind: LimitKind;
  /** Which of that kind it is: a destination, a country. Only a keyed digest of it is stored. */
  readonly of: string;
  /** What is told, once in a window, when four fifths of it are used. Default: nothing. */
  readonly near?: { readonly action: AuditAction; readonly reason: string };
}

/** A message, and what it counts against. */
export interface Message {
  readonly deliver: Deliver;
  /** Who hands it over, as errors call them where they do not answer. Default: `"The sender"`. */
  readonly by?: string;
  /** Beside the account's own limits. All of them must have room, or nothing is sent. Default: none. */
  readonly budgets?: readonly SendBudget[];
}

/** An enrollment that was begun, with what its owner is shown once. */
export interface EnrollmentBegun<State = unknown> extends Partial<Message> {
  readonly state: State;
  readonly answer: Readonly<Record<string, unknown>>;
  /** What is left of the state where the message was not taken, because another one was. Default: nothing, and it was not begun. */
  undo?(state: State): State | undefined;
}

/** An enrollment that is open, begun or asked for once more. */
export interface EnrollmentResumed<State = unknown> extends Message {
  readonly state: State;
  readonly answer: Readonly<Record<string, unknown>>;
  /** What it brings has not been sent yet: where there is a cool-down it is refused, for there is nothing to be waited for. */
  readonly isFirst?: boolean;
  /** The state as if it had not been asked for, where the message was not taken. Default: as it is. */
  undo?(state: State): State;
}

/** How a factor of this kind is set up: begun, then finished with a proof of having it. */
export interface Enroll<State = unknown> {
  /** What a factor of this kind is called until its owner names it. */
  readonly label: string;
  /** The budgets that beginning counts against, beside those of a message. Default: none. */
  readonly limits?: readonly LimitKind[];
  /** `body` is what was sent, unread: an address, a number. A problem refuses, and nothing is begun. */
  begin(context: EnrollmentContext, body: Readonly<Record<string, unknown>>): Promise<EnrollmentBegun<State> | Problem>;
  /**
   * For methods that send: the open enrollment asked for once more, by its id (no `body`) or begun again with this body; undefined where
   * that asks for another one. In a cool-down its message is not sent. Default: it is begun anew.
   */
  resume?(
    state: State,
    context: EnrollmentContext,
    body?: Readonly<Record<string, unknown>>,
  ): Promise<EnrollmentResumed<State> | Problem | undefined>;
  /** Begun with `replaces`, the id of a factor of this kind, the new one takes its place. Default: it cannot. */
  readonly replaces?: true;
  /**
   * What an open enrollment showed when it was begun, once more: its page is loaded again, or it is begun again. Default: what `begin`
   * answered is kept beside it, sealed, and shown again; begun again with another body, or where a message was sent, it is begun anew.
   */
  again?(state: State, context: EnrollmentContext): Promise<EnrollmentBegun<State>["answer"]>;
  /**
   * The proof in the one form it is compared in; undefined where it cannot be one: then nothing is counted. `state`: of the factor
   * whose clock is to be found again; absent for a new one.
   */
  normalize(code: string, state?: State): string | undefined;
  confirm(code: string, state: State, context: MethodContext): Promise<Proved<State>>;
  /** Finds a drifted clock again from two consecutive codes (RFC 6238 section 6). */
  resync?(codes: readonly [string, string], state: State, context: MethodContext): Promise<Proved<State>>;
}

/** A factor ready to be asked for, and the message that asks. */
export interface Prepared<State = unknown> extends Message {
  readonly factor: Factor<State>;
  readonly answer: Readonly<Record<string, unknown>>;
  /**
   * The factor as if it had not been asked for, where the message was not taken: what was replaced comes back. `factor` is the one
   * stored by then. Default: as it is.
   */
  undo?(factor: Factor<State>): Factor<State>;
}

/** What messages count against, and how they are told of. */
export interface SendTerms {
  /**
   * The budgets a message counts against, those of enrollments among them. A limit of one in a short window is a cool-down between
   * two messages.
   */
  readonly limits: readonly LimitKind[];
  /**
   * A cool-down between two messages of its own: answers say when it is over (`resendAt`), and a message nobody answered for does not
   * begin it. Default: none but those among `limits`.
   */
  readonly coolDown?: LimitKind;
  /** What messages that were not taken count against, and these alone. Default: they can be tried again for ever. */
  readonly rejected?: LimitKind;
  /** Milliseconds a delivery may take; then nobody knows whether it was taken, and it stays counted. Default, and most: 30 s. */
  readonly timeout?: number;
  /** What a message that was taken is told as. Default: `"code-sent"`. */
  readonly sentAs?: AuditAction;
}

/** A step before the proof: something is sent to the user, who answers with what they got. */
export interface Send<State = unknown> extends SendTerms {
  /** A problem refuses, and nothing is counted. */
  prepare(factor: Factor<State>, context: SendContext): Promise<Prepared<State> | Problem>;
  /** Until when what was sent to this login (`loginId`) can be answered, milliseconds since the epoch. Default: nobody is told. */
  openUntil?(factor: Factor<State>, context: Pick<MethodContext, "loginId" | "now">): number | undefined;
}

/** New look-up secrets in clear, for the one answer that shows them, and the factor to store. */
export interface Minted {
  readonly codes: readonly string[];
  readonly factor: Factor;
}

/** A factor taken over from another system. */
export interface Imported<State = unknown> {
  readonly state: State;
  readonly label: string;
  /** What was accepted only because it had to be: told with the event, and to whoever asked. In kebab case. */
  readonly warning?: string;
}

/** What whoever takes a factor over puts up with. */
export interface ImportTerms {
  /** Secrets of 80 to 127 bits, which nobody would make today. Default: false. */
  readonly allowShortSecret?: boolean | undefined;
}

/**
 * One kind of second factor. A method proves and enrolls; it has never heard of HTTP, of sessions or of another method.
 * `State` is what is stored of a factor (JSON, secrets sealed), `Presented` what a request's body gives as a proof.
 */
export interface FactorMethod<State = unknown, Presented = unknown> {
  /** In kebab case; names its routes, its Passport strategy and its words. */
  readonly type: MethodType;
  /** RFC 8176 values this kind of proof adds to a first factor. */
  readonly amr: readonly string[];
  /** NIST SP 800-63B-4 level a login with this proof can claim. */
  readonly aal: 1 | 2;
  readonly phishingResistant: boolean;
  /**
   * `false`: a proof of this kind shows too little for `mfa.require`, whatever a route asks for, and none is taken for an operation; it
   * finishes logins. Default: what the route asks for decides.
   */
  readonly stepsUp?: false;
  /**
   * Restricted in the sense of NIST SP 800-63B-4 section 3.2.9: who has taken over the line or the mailbox has it too. Its proof opens
   * the settings only of an account without a factor of another kind, backup codes aside. Default: it opens them.
   */
  readonly isRestricted?: true;
  /** The budgets a guess counts against. Empty: it cannot be guessed, and is never locked. */
  readonly limits: readonly LimitKind[];
  /** Budgets this method brings, with their defaults; the `limits` option replaces them by name. */
  readonly limitDefaults?: Limits;
  /** The answer to everything that is not a proof: one, whatever was wrong. */
  readonly refusal: "invalid-code" | "invalid-passkey";
  /** What a right proof is told as. Default: `"factor-verified"`. */
  readonly verifiedAs?: AuditAction;
  /**
   * What the body presents as a proof, read once for each attempt; undefined where it cannot be one: then nothing is checked and
   * nothing counted. What is used up whatever comes of it (a challenge) is used up here.
   */
  present(
    body: Readonly<Record<string, unknown>>,
    context: PresentContext,
  ): Presented | undefined | Promise<Presented | undefined>;
  /** The factor this proves and its next state. Changes nothing by itself, and may be asked again on a newer account. */
  verify(presented: Presented, factors: readonly Factor<State>[], context: ProofContext): Promise<Verdict<State>>;
  readonly enroll?: Enroll<State>;
  /** Routes of its own that set one up take `replaces`, the id of a factor whose place it takes. Default: what `enroll` says. */
  readonly replaces?: true;
  readonly send?: Send<State>;
  /**
   * Why this factor can prove nothing at the site as it is configured now, in kebab case; undefined where it can. It is not asked for
   * then, and clients are told the word. Its page says it (`unusable`).
   */
  obstacle?(factor: Factor<State>, site: Pick<Site, "origins">): string | undefined;
  /**
   * Why no factor of this kind is asked for now, whatever was counted; undefined where one is. Others are asked for first then, clients
   * are told, and its page says it. Default: nothing but what is counted.
   */
  paused?(account: Account, now: number): Pause | undefined;
  /** A masked or technical word about the factor for its owner, where there is something to say. */
  hint?(factor: Factor<State>): string | undefined;
  /** Where messages for a factor go, in clear: an address, a number. For telling its owner that it was replaced. */
  destination?(factor: Factor<State>, context: SealContext): Promise<{ readonly address: string } | string>;
  /** The state with everything sealed in it under the newest key. Default: nothing is sealed. */
  reseal?(state: State, context: SealContext): Promise<State>;
  /** The method as the strict preset wants it, or undefined where it has no place there. Default: unchanged. */
  strict?(): FactorMethod | undefined;
  /** A new set of look-up secrets; they come with the first factor and go with the last. */
  mint?(context: MethodContext): Promise<Minted>;
  /** Secrets left in a set. */
  remaining?(factor: Factor<State>): number;
  /** Takes a factor over from another system. @throws TypeError with the reason where it cannot */
  import?(source: string, account: Account, context: MethodContext, terms?: ImportTerms): Promise<Imported<State>>;
  /** Ids by which a factor is the only one of its kind over all users: claimed with it, released with it. */
  credentialIds?(state: State): readonly string[];
  /**
   * Whose proof this claims to be, where a proof says so by itself; nothing is proved by it. Such a method can be the first step of
   * a login; with `"mfa"` among the proof's `amr` it is the whole of one.
   */
  claimant?(presented: Presented, credentials: CredentialIndex): Promise<UserId | undefined>;
  /** Resolves when what the method needs is loaded. */
  ready?(): Promise<void>;
}

/** A method of any state, as the engine keeps them. */
export type AnyMethod = FactorMethod;
