import { type Clock, DAY, type FactorId, type UserId } from "../core/nouns.js";
import { isFresh } from "../core/time.js";
import { tried } from "../core/tried.js";
import type { KeyContext, KeyProvider } from "../crypto/key-provider.js";
import { openIfOurs } from "../crypto/own-seals.js";

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

/** No key provider makes as much of the few members above; what is longer is not shown to one. */
const LONGEST = 4_096;
const CONTEXT: KeyContext = { owner: "", purpose: "report" };

function isReportedEvent(value: unknown): value is ReportedEvent {
  if (typeof value !== "object" || value === null) return false;
  const { at, kind, number, userId } = value as Partial<Record<keyof ReportedEvent, unknown>>;
  return typeof userId === "string" && typeof kind === "string" && [at, number].every(Number.isFinite);
}

/** What a key provider opened is ours only if it reads so. */
function reportedEvent(bytes: Uint8Array): ReportedEvent | undefined {
  const value = tried((): unknown => JSON.parse(Buffer.from(bytes).toString("utf8")));
  return isReportedEvent(value) ? value : undefined;
}

/**
 * What the link "this wasn't me" carries: the event it is about, sealed, so that nobody can read or change it. Nothing is stored for
 * one that is mailed. Does NOT know whether it was used: that is written down with the account.
 */
export class ReportTokens {
  constructor(
    private readonly keys: KeyProvider,
    private readonly clock: Clock,
  ) {}

  async seal(event: ReportedEvent): Promise<string> {
    const sealed = await this.keys.encrypt(Buffer.from(JSON.stringify(event)), CONTEXT);
    return Buffer.from(sealed).toString("base64url");
  }

  /** The event; undefined for what is no token of ours, and when its seven days are over. */
  async open(token: string): Promise<ReportedEvent | undefined> {
    if (token === "" || token.length > LONGEST) return undefined;
    const bytes = await openIfOurs(this.keys, Buffer.from(token, "base64url").toString(), CONTEXT);
    const event = bytes && reportedEvent(bytes);
    return event !== undefined && isFresh(event.at, REPORT_LIFE - 1, this.clock()) ? event : undefined;
  }
}
