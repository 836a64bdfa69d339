import type { FactorId, UserId } from "../core/nouns.js";

/** What came of asking an owner. */
export type Approval = "approved" | "denied" | "expired";

/** An owner is to be asked by the application itself: no login asks, and none rises by the answer. */
export interface AskedApproval {
  readonly userId: UserId;
  /** Who asks, as events are told. */
  readonly actor: string;
  /** The same, as the owner is. */
  readonly shownActor: string;
  /** What is approved, as it is shown. */
  readonly text: string;
  /** The site, as configured; undefined where no browser opens it, or none is known without a request. */
  readonly origin: string | undefined;
  /** Milliseconds. */
  readonly life: number;
  /** Undefined: the one used last. */
  readonly factorId: FactorId | undefined;
  /** Told the number, and waited for, before the device hears of anything. */
  readonly onNumber: (number: string) => unknown;
  readonly signal: AbortSignal | undefined;
}
