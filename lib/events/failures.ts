import type { UserId } from "../core/nouns.js";

/** Where something failed, by the name of the option, of the member of one, or of what was asked; the list grows. */
export type KnownPlace =
  | "policy"
  | "user.id"
  | "user.name"
  | "user.email"
  | "user.emailVerified"
  | "user.phone"
  | "user.locale"
  | "user.load"
  | "issuer"
  | "origin"
  | "exempt"
  | "layout"
  | "messages"
  | "lang"
  | "verifyPassword"
  | "notify"
  | "onLogin"
  | "onCompromise"
  | "recovery.approve"
  | "carry"
  | "clock"
  | "bind"
  | "store"
  | "limits"
  | "keys"
  | "session"
  | "sender"
  | "methods"
  | "request";

/** One of those known, or a name that a method of the application's own brings. */
export type ErrorPlace = KnownPlace | (string & NonNullable<unknown>);

/**
 * Something that failed on the way to an answer: code or configuration of the application's, or what the package asks. No word of
 * ours in it holds a secret, a code or a token; `error` is what was thrown, as it was thrown.
 */
export interface ErrorEvent {
  /** ISO 8601, UTC, by the configured clock. */
  readonly time: string;
  readonly place: ErrorPlace;
  /** What was thrown or rejected with; where something else is wrong (silence, an answer of another shape), an error that says it. */
  readonly error: unknown;
  /** Absent where nobody is known. */
  readonly userId?: UserId;
  readonly requestId?: string;
}
