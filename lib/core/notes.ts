import type { FactorId, MethodType } from "./nouns.js";

// What the settings page is to say beside the settings. Nothing in it is secret.

/** What just happened, most often a change that was made, as the page that comes after it tells of it. */
export interface Done {
  readonly what: DoneName;
  /** When, milliseconds since the epoch: news of long ago is none. */
  readonly at: number;
  /** The name of what it was done to. */
  readonly label?: string;
  /** What became of the owner's other logins. */
  readonly others?: Others;
}

/** What is told of: changes, and that a route was not reached for want of a factor that would do (`needed`). */
export type DoneName =
  | "browser-forgotten"
  | "browsers-forgotten"
  | "codes-replaced"
  | "disabled"
  | "factor-added"
  | "factor-removed"
  | "factor-renamed"
  | "factor-replaced"
  | "factor-resumed"
  | "factor-resynced"
  | "needed"
  | "pass-used"
  | "preferred"
  | "recovery-cancelled"
  | "recovery-off"
  | "recovery-on"
  | "reopened"
  | "session-ended"
  | "sessions-ended";

/** Other logins of the same account, where there are any: over, or asked for the new factor. */
export type Others = "ended" | "kept";

/** A name that somebody typed, for the factor of that id or for a new one of that kind. */
export interface Draft {
  readonly factorId?: FactorId;
  readonly type?: MethodType;
  readonly label: string;
}
