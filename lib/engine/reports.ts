import { type Account, erasedAt, type Factor, isBlank, isTombstone } from "../core/account.js";
import { endedBetween } from "../core/account-changes.js";
import { failure, type Outcome, type Problem, success } from "../core/errors.js";
import { type Client, type FactorId, type MethodType, SECOND, type UserId } from "../core/nouns.js";
import { FREEZE, suspectsOf, withReport } from "../core/reports.js";
import { iso } from "../core/time.js";
import { isAnything, within } from "../core/within.js";
import { randomId } from "../crypto/random.js";
import { type AccountEvent, suspension } from "../events/audit.js";
import type { Subject } from "../events/emitter.js";
import type { Change } from "./account-records.js";
import { isUsable } from "./choices.js";
import type { EngineDependencies } from "./dependencies.js";
import type { Site } from "./method.js";
import { recoveryGone } from "./recovery-ends.js";
import { REPORT_LIFE, type ReportedEvent, type ReportTokens } from "./report-tokens.js";

/** What an account's owner had nothing to do with, and what was done about it. Times are ISO 8601, UTC. */
export interface Compromise {
  /** What was reported, by the name of its audit action. */
  readonly kind: string;
  /** When that happened. */
  readonly at: string;
  /** Its number in the owner's activity list. */
  readonly number: number;
  /** The factor it was about. Absent: none. */
  readonly factorId?: FactorId;
  /** Factors that prove nothing from now on, the set of backup codes among them. */
  readonly suspended: readonly FactorId[];
  /** Until then no factor is set up, changed or removed. */
  readonly frozenUntil: string;
}

/**
 * Told once of each report, when it has taken effect: the place to demand a new password. Waited for, 10 s at most; what it throws, and
 * silence, is an `error` event and undoes nothing. It is NOT called again.
 */
export type OnCompromise = (userId: UserId, event: Compromise) => unknown;

/** Milliseconds. */
const LONGEST = 10 * SECOND;

/** A link was used already: what it does is done. */
export const USED = "used";

/** Who reports, and at which site. Nothing of it is proved. */
export interface Reporter {
  readonly client: Client;
  readonly browser: string;
  readonly place: Pick<Site, "origins">;
}

/** What a report did. Times are in milliseconds since the epoch. */
export interface Reported {
  readonly event: ReportedEvent;
  /** Logins that are over. */
  readonly ended: number;
  readonly frozenUntil: number;
  readonly suspended: readonly { readonly id: FactorId; readonly type: MethodType; readonly label: string }[];
}

/** Why it cannot be reported, any more or of this account; undefined where it can. */
function reportProblem(account: Account, event: ReportedEvent): Problem | undefined {
  if (account.reports?.some(({ number }) => number === event.number) === true)
    return { code: "expired", members: { reason: USED } };
  // Of an account that was erased nothing is left to protect, and what has come in its place is not what it was about.
  const isOfAnother = isBlank(account) || isTombstone(account) || event.at <= (erasedAt(account) ?? -Infinity);
  return isOfAnother ? { code: "expired" } : undefined;
}

/** "This wasn't me": what a link in a message is good for, without a login, once. */
export class Reports {
  constructor(
    private readonly dependencies: EngineDependencies,
    private readonly tokens: ReportTokens,
    private readonly onCompromise: OnCompromise | undefined,
  ) {}

  /** What a link is about. Changes nothing, whoever looks, however often. */
  async look(token: string): Promise<Outcome<ReportedEvent>> {
    const event = await this.tokens.open(token);
    if (event === undefined) return this.unknown();
    const { account } = await this.dependencies.records.read(event.userId);
    const problem = reportProblem(account, event);
    return problem === undefined ? success(event) : { ok: false, problem };
  }

  /**
   * Ends every login and all trust in browsers, freezes changes of factors and suspends what is suspect, in one write: of any number of
   * simultaneous reports by one link, one succeeds.
   */
  async report(token: string, reporter: Reporter): Promise<Outcome<Reported>> {
    const event = await this.tokens.open(token);
    if (event === undefined) return this.unknown();
    const { browser, client, place } = reporter;
    const subject: Subject = { userId: event.userId, client, browser };
    const { result } = await this.dependencies.records.change(subject, ({ account }, now) =>
      this.accept(account, event, place, now),
    );
    if (result.ok) await this.tell(subject, result.value);
    return result;
  }

  /** Whoever tries what was never sealed here is guessing. */
  private unknown(): Outcome<never> {
    return failure("expired", { isFailedAttempt: true });
  }

  private accept(
    account: Account,
    event: ReportedEvent,
    place: Reporter["place"],
    now: number,
  ): Change<Outcome<Reported>> {
    const problem = reportProblem(account, event);
    if (problem !== undefined) return { result: { ok: false, problem } };
    const suspects = suspectsOf(account, event, (factor) => this.isUsable(factor, place));
    const report = { number: event.number, keptUntil: event.at + REPORT_LIFE };
    const next = withReport(account, { epoch: randomId(), report, suspects }, now);
    const ended = endedBetween(account, next, now)?.sessions ?? 0;
    const suspended = suspects.map(({ id, label, type }) => ({ id, label, type }));
    const about = event.factorId === undefined ? {} : { factorId: event.factorId };
    const events: AccountEvent[] = [
      ...suspects.map((factor) => suspension("factor-suspended", factor)),
      ...recoveryGone({ before: account, after: next }, now, "report"),
      { action: "reported", reason: event.kind, ...about },
    ];
    return { account: next, result: success({ event, ended, frozenUntil: now + FREEZE, suspended }), events };
  }

  private isUsable(factor: Factor, place: Reporter["place"]): boolean {
    const method = this.dependencies.methods.get(factor.type);
    return method !== undefined && isUsable(method, factor, place);
  }

  private async tell({ client, userId }: Subject, { event, frozenUntil, suspended }: Reported): Promise<void> {
    const { onCompromise } = this;
    if (onCompromise === undefined) return;
    const { at, factorId, kind, number } = event;
    const told: Compromise = {
      kind,
      at: iso(at),
      number,
      ...(factorId !== undefined && { factorId }),
      suspended: suspended.map(({ id }) => id),
      frozenUntil: iso(frozenUntil),
    };
    try {
      await within("onCompromise", LONGEST, () => onCompromise(userId, told), isAnything);
    } catch (error) {
      this.dependencies.emitError("onCompromise", error, { userId, client });
    }
  }
}
