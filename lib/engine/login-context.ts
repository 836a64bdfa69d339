import type { Factor, Login } from "../core/account.js";
import type { AttemptScope } from "../core/attempts.js";
import type { Contact } from "../core/contact.js";
import type { Sight } from "../core/logins.js";
import type { Client, MethodType, UserId } from "../core/nouns.js";
import { randomId } from "../crypto/random.js";
import type { Subject } from "../events/emitter.js";
import { isRecovering } from "../policy/access.js";
import { assess, type LoginStatus, type SessionRecord, type UnmarkedSession, withDecision } from "../policy/assess.js";
import type { LoginDecision } from "../policy/decisions.js";
import type { Grace } from "../policy/grace.js";
import type { MethodFacts } from "../policy/requirement.js";
import type { AccountRecord } from "./account-records.js";

/** Where a login comes from. Read from the request when it is asked for: most requests need none of it. */
export interface LoginSource {
  readonly client: Client;
  /** Presented token of a trusted device. */
  readonly deviceToken: string | undefined;
  /** A short name of the browser, such as "Firefox on Linux". */
  readonly label: string;
  /** How long the session lasts without being seen, milliseconds; undefined where it is as long as the browser is open. */
  readonly life: number | undefined;
  /** Of the site it asks at, as they are configured. */
  readonly origins: readonly string[];
  /** What the list of logins keeps of it. */
  readonly sight: Sight;
  /** How the application says its user can be reached. */
  readonly contact: Contact;
  /** Where the routes live, with the site's origin in front, for links in messages; undefined where no browser opens the site. */
  readonly place: string | undefined;
  /** The application's name, as messages say it. */
  readonly issuer: string;
  /** What this browser carries by which an account knows it again; undefined where it carries nothing yet. */
  readonly browserToken: string | undefined;
  /** Has the browser carry this from now on. */
  keepBrowser(token: string): void;
}

/**
 * A request's login, from the gate to the store: whose it is, what the session says of it, the account record it was weighed
 * by, and what it is worth by these. Made once and replaced as a whole; nothing keeps any of it a second time.
 */
export interface LoginContext {
  /** The application's own user object. The engine only hands it on. */
  readonly user: unknown;
  readonly userId: UserId;
  /** Undefined where the session has no record of this login. */
  readonly session: SessionRecord | undefined;
  readonly record: AccountRecord;
  /** What the policy asks of this login: now, or before if that was more. */
  readonly decision: LoginDecision;
  /** For how long what is demanded of users without a factor is not due; undefined: it is. */
  readonly grace: Grace | undefined;
  /** Milliseconds a browser is trusted; undefined: never. */
  readonly trustMaxAge: number | undefined;
  /** The methods as they are configured: what a proof of each is worth. */
  readonly kinds: ReadonlyMap<MethodType, MethodFacts>;
  readonly status: LoginStatus;
  readonly source: LoginSource;
  /** The first factor was given again with this very request. */
  readonly reconfirmed?: true;
  /** The session holds the login, and no record of it yet. */
  readonly unmarked?: UnmarkedSession;
  /** Complete but for what the application does with new logins, which is for this very request to have done. */
  readonly opens?: true;
  /** The policy refuses it: nothing rises from it. */
  readonly denied?: true;
  /** When this process saw it last, before this request; undefined where it did not. */
  readonly usedAt?: number | undefined;
}

/** What is known of a login before the account is looked at. */
export type Unweighed = Omit<LoginContext, "record" | "status">;

/** Somebody who gave a first factor just now, of whom the session knows nothing yet. */
export type Newcomer = Omit<Unweighed, "session">;

/** The login beside a record of its account: everything it is worth follows from the two. */
export function weighed(login: Unweighed, record: AccountRecord, now: number): LoginContext {
  const { decision, grace, kinds, reconfirmed, session, source, trustMaxAge, unmarked, usedAt, user, userId } = login;
  const status = assess({ account: record.account, session, unmarked, usedAt, decision, grace, trustMaxAge, now });
  // Written out: every request makes one, and a spread costs several times as much.
  const context = { user, userId, session, record, decision, grace, trustMaxAge, kinds, status, source, usedAt };
  if (unmarked !== undefined) return { ...context, unmarked };
  return reconfirmed === true ? { ...context, reconfirmed } : context;
}

export function subjectOf({
  session,
  source,
  status,
  userId,
}: Pick<LoginContext, "source" | "userId"> &
  Partial<Pick<LoginContext, "status">> & { readonly session?: SessionRecord | undefined }): Subject {
  const actor = status === undefined ? undefined : listedLogin({ status })?.acting?.actor;
  return { userId, actor, client: source.client, browser: source.label, loginId: session?.id, reach: source };
}

/** Id of the trusted device the presented token names; nothing is proved by it. */
export function deviceIdOf({ source }: LoginContext): string | undefined {
  return source.deviceToken?.split(".")[0];
}

/** The login as the account lists it, where it is a whole one. */
export function listedLogin({ status }: Pick<LoginContext, "status">): Login | undefined {
  return "login" in status ? status.login : undefined;
}

/** Somebody of the staff is signed in in the place of the user: none of what the user could show is asked of them, or taken. */
export function isActing(login: Pick<LoginContext, "status">): boolean {
  return listedLogin(login)?.acting !== undefined;
}

/** Which attempts its attempts are counted with: those of whoever has the password alone keep nobody out who has shown more. */
export function scopeOf(login: Pick<LoginContext, "status">): AttemptScope {
  return login.status.status === "verified" || isRecovering(login) ? "verified" : "login";
}

/**
 * Whose messages a login may answer: its own, and within it those that were sent for the operation it confirms. One that was sent
 * for another operation, or for none, is another's. Ids hold no slash.
 */
export function recipientOf({ session }: LoginContext, operation?: { readonly id: string }): string | undefined {
  if (session === undefined || operation === undefined) return session?.id;
  return `${session.id}/${operation.id}`;
}

/** The session's record of a login that was listed. Where the user was going is kept, and what they had typed. */
export function recordOfListed(
  { decision, session, userId }: LoginContext,
  login: Login,
  epoch: string,
): SessionRecord {
  const returnTo = session?.returnTo === undefined ? {} : { returnTo: session.returnTo };
  const draft = session?.draft === undefined ? {} : { draft: session.draft };
  const { at, id, stage } = login;
  return withDecision({ user: userId, step: "second", id, stage, at, epoch, ...returnTo, ...draft }, decision);
}

/** Whether this login began after the factor was set up: one that waits for a proof has, because setting up ends all others. */
function isLaterThan({ session, status }: LoginContext, { createdAt }: Factor): boolean {
  return status.status !== "verified" || (session !== undefined && session.at > createdAt);
}

/** Whether a proof by the factor would show more at this login than the backup code did that it was set up on. */
export function isOnItsOwn(login: LoginContext, factor: Factor): boolean {
  return factor.onBackupCode !== true || isLaterThan(login, factor);
}

/** The next stage of a login that has shown nothing new. */
export function renewed(login: Login): Login {
  return { ...login, stage: randomId() };
}
