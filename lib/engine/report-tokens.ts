import { type Clock, DAY, type FactorId, type UserId } from "../core/nouns.js";
import { isFresh } from "../core/time.js";
import type { KeyProvider } from "../crypto/key-provider.js";
import { LinkTokens } from "./link-tokens.js";

/** What somebody may say they had nothing to do with: a line of the activity list, and what it was about. */
export interface ReportedEvent {
  readonly userId: UserId;
  /** Of the line, as the settings page shows it. */
  readonly number: number;
  readonly kind: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly factorId?: FactorId;
  /** The login that did it, as it is listed. */
  readonly loginId?: string;
}

/** A link in a mail is good that long, in milliseconds. */
export const REPORT_LIFE = 7 * DAY;

function isReportedEvent(value: unknown): value is ReportedEvent {
  if (typeof value !== "object" || value === null) return false;
  const { at, kind, number, userId } = value as Partial<Record<keyof ReportedEvent, unknown>>;
  return typeof userId === "string" && typeof kind === "string" && [at, number].every(Number.isFinite);
}

/**
 * What the link "this wasn't me" carries: the event it is about. Does NOT know whether it was used: that is written down with the
 * account.
 */
export class ReportTokens {
  private readonly tokens: LinkTokens<ReportedEvent>;

  constructor(
    keys: KeyProvider,
    private readonly clock: Clock,
  ) {
    this.tokens = new LinkTokens(keys, "report", isReportedEvent);
  }

  seal(event: ReportedEvent): Promise<string> {
    return this.tokens.seal(event);
  }

  /** The event; undefined for what is no token of ours, and when its seven days are over. */
  async open(token: string): Promise<ReportedEvent | undefined> {
    const event = await this.tokens.open(token);
    return event !== undefined && isFresh(event.at, REPORT_LIFE - 1, this.clock()) ? event : undefined;
  }
}
