import type { Login } from "../core/account.js";
import type { AttemptScope } from "../core/attempts.js";
import type { Client, PolicyDecision, UserId } from "../core/nouns.js";
import { randomId } from "../crypto/random.js";
import type { Subject } from "../events/emitter.js";
import { assess, type LoginStatus, type SessionRecord, withDecision } from "../policy/assess.js";
import type { AccountRecord } from "./account-records.js";

/** Where a login comes from. Read from the request when it is asked for: most requests need none of it. */
export interface LoginSource {
  readonly client: Client;
  /** Presented token of a trusted device. */
  readonly deviceToken: string | undefined;
  /** A short name of the browser, such as "Firefox on Linux". */
  readonly label: string;
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
  readonly decision: PolicyDecision;
  /** Milliseconds a browser is trusted; undefined: never. */
  readonly trustMaxAge: number | undefined;
  readonly status: LoginStatus;
  readonly source: LoginSource;
  /** The first factor was given again with this very request. */
  readonly reconfirmed?: true;
}

/** What is known of a login before the account is looked at. */
export type Unweighed = Omit<LoginContext, "record" | "status">;

/** The login beside a record of its account: everything it is worth follows from the two. */
export function weighed(login: Unweighed, record: AccountRecord, now: number): LoginContext {
  const { decision, reconfirmed, session, source, trustMaxAge, user, userId } = login;
  const status = assess({ account: record.account, session, decision, trustMaxAge, now });
  // Written out: every request makes one, and a spread costs several times as much.
  const context = { user, userId, session, record, decision, trustMaxAge, status, source };
  return reconfirmed === true ? { ...context, reconfirmed } : context;
}

export function subjectOf({ source, userId }: Pick<LoginContext, "source" | "userId">): Subject {
  return { userId, client: source.client };
}

/** Id of the trusted device the presented token names; nothing is proved by it. */
export function deviceIdOf({ source }: LoginContext): string | undefined {
  return source.deviceToken?.split(".")[0];
}

/** The login as the account lists it, where it is a whole one. */
export function listedLogin({ status }: Pick<LoginContext, "status">): Login | undefined {
  return "login" in status ? status.login : undefined;
}

/** Which attempts its attempts are counted with. */
export function scopeOf({ status }: Pick<LoginContext, "status">): AttemptScope {
  return status.status === "verified" ? "verified" : "login";
}

/** The session's record of a login that was listed. Where the user was going is kept. */
export function recordOfListed(
  { decision, session, userId }: LoginContext,
  login: Login,
  epoch: string,
): SessionRecord {
  const returnTo = session?.returnTo === undefined ? {} : { returnTo: session.returnTo };
  return withDecision({ user: userId, step: "second", id: login.id, at: login.at, epoch, ...returnTo }, decision);
}

/** The next stage of a login that has shown nothing new. */
export function renewed(login: Login): Login {
  return { ...login, id: randomId() };
}
