import type { Account } from "../core/account.js";
import { failure, type Outcome, type Problem, success } from "../core/errors.js";
import type { Client } from "../core/nouns.js";
import {
  countingOf,
  type Recovery,
  recoveryOf,
  vouchedEnd,
  withCompleted,
  withConfirmed,
  withVouched,
} from "../core/recovery.js";
import type { RecoveryPurpose } from "../core/recovery-paths.js";
import { iso } from "../core/time.js";
import { randomId } from "../crypto/random.js";
import type { AccountEvent } from "../events/audit.js";
import { freezeProblem } from "../policy/access.js";
import type { SessionRecord } from "../policy/assess.js";
import type { Change } from "./account-records.js";
import type { EngineDependencies } from "./dependencies.js";
import type { Due } from "./due.js";
import type { LinkTokens } from "./link-tokens.js";
import { type LoginContext, subjectOf, weighed } from "./login-context.js";
import { readOldCode } from "./old-codes.js";
import { RecoveryRequests, type RecoverySettings } from "./recovery-asking.js";
import { readied } from "./recovery-due.js";
import { endRecovery } from "./recovery-ends.js";
import { nextStep, type RecoveryLink, vouchOf } from "./recovery-links.js";
import { type LinkView, recoveryView } from "./recovery-view.js";

/** Who uses a link. Nothing of it is proved. */
export interface Clicker {
  readonly client: Client;
  readonly browser: string;
}

/** A link that is good, and what it leads to. */
export interface Looked {
  readonly purpose: RecoveryPurpose;
  readonly view: LinkView;
  /** The browser that looks has signed in again, as completing it needs. */
  readonly isSignedIn: boolean;
}

/** What a link has done, and when the wait is over by that. */
export interface Confirmed {
  readonly purpose: "confirm" | "vouch";
  /** Milliseconds since the epoch. */
  readonly completesAt: number;
}

/** Where a link is used, and it is good there. */
interface Used {
  readonly account: Account;
  readonly version: string | null;
  readonly recovery: Recovery;
  readonly purpose: RecoveryPurpose;
  readonly now: number;
}

const OVER: Problem = { code: "expired" };

function refused<T>(problem: Problem): Change<Outcome<T>> {
  return { result: { ok: false, problem } };
}

/** The recovery that the link is of, where it is good for what it says. */
function meant(account: Account, { id, link, purpose }: RecoveryLink, now: number): Recovery | undefined {
  const recovery = recoveryOf(account, now);
  if (recovery?.id !== id) return undefined;
  if (purpose === "cancel") return recovery;
  if (purpose === "vouch") return link !== undefined && vouchOf(recovery, now) === link ? recovery : undefined;
  return nextStep(recovery) === purpose && recovery.link === link ? recovery : undefined;
}

/**
 * The session's record of a login whose first factor was given again for it, and that has nothing else to show. Of a login that was found
 * in its session nobody knows when that was.
 */
function signedInAgain({ session, status }: LoginContext, { by, requestedAt }: Recovery): SessionRecord | undefined {
  const isWaiting = status.status === "pending" || status.status === "trusted-device";
  if (!isWaiting || session === undefined || session.adopted === true) return undefined;
  return session.id !== by && session.at >= requestedAt ? session : undefined;
}

/** The way back: asked for at a login, confirmed and completed by links in mails, with a wait in between that its owner can end. */
export class Recoveries {
  private readonly requests: RecoveryRequests;

  constructor(
    private readonly dependencies: EngineDependencies,
    private readonly settings: RecoverySettings,
    private readonly tokens: LinkTokens<RecoveryLink>,
    private readonly due: Due,
  ) {
    this.requests = new RecoveryRequests(dependencies, settings);
  }

  /** A code of the set of backup codes that was replaced last shortens the wait. */
  get takesOldCode(): boolean {
    return this.settings.evidence["old-backup-code"] !== undefined;
  }

  /**
   * Counts the request and has a link mailed that begins the wait; of one that is ready already, another that completes it. The answer,
   * when such a link is over, is the same where none is sent: no address is known, the owner wants no recovery, or one waits already.
   * `backupCode`: of the set that was replaced last, as it was typed, where that counts. A wrong one asks for nothing; a right one is
   * used up whatever comes of the request, so that showing it twice tells nothing of that.
   */
  async request(login: LoginContext, backupCode?: string): Promise<Outcome<{ readonly expiresAt: number }>> {
    const isShown = backupCode !== undefined && this.takesOldCode;
    const code = isShown ? await readOldCode(this.dependencies, login, backupCode) : undefined;
    if (code === "unreadable") return failure("invalid-request");
    const { record, result } = await this.dependencies.records.change<Outcome<{ readonly expiresAt: number }>>(
      subjectOf(login),
      (current, now) => this.requests.ask(weighed(login, current, now), code, now),
      login.record,
    );
    // Also where nothing waits, of which the time it takes must say nothing: an entry without anything to do goes by itself.
    if (result.ok) await this.due.enter(record.account);
    return result;
  }

  /**
   * What a link is for, while it is good for it. Changes nothing, whoever looks, however often. `login`: the one of the browser that
   * opens it; whether that is one by which a recovery can be completed.
   */
  async look(token: string, purposes: readonly RecoveryPurpose[], login?: LoginContext): Promise<Outcome<Looked>> {
    const link = await this.opened(token, purposes);
    if (!link.ok) return link;
    const { clock, records } = this.dependencies;
    const now = clock();
    const { account } = await records.read(link.value.userId);
    const recovery = meant(account, link.value, now);
    if (recovery === undefined) return failure("expired");
    const { purpose, userId } = link.value;
    const isSignedIn = login?.userId === userId && signedInAgain(login, recovery) !== undefined;
    const view = recoveryView(account, now);
    if (purpose !== "vouch") return success({ purpose, isSignedIn, view });
    const wait = this.settings.evidence["second-channel"];
    if (wait === undefined) return failure("expired");
    return success({ purpose, isSignedIn, view: { ...view, shortensTo: iso(vouchedEnd(recovery, wait, now)) } });
  }

  /** Begins the wait; by the link of another channel's, shortens it. */
  async confirm(token: string, clicker: Clicker): Promise<Outcome<Confirmed>> {
    const done = await this.use(token, ["confirm", "vouch"], clicker, ({ account, now, purpose, recovery }) =>
      purpose === "vouch" ? this.shorten(account, recovery, now) : this.begin(account, recovery, now),
    );
    if (!done.ok) return done;
    // Its request was entered, and is looked at for a day more: what cannot be written now is not lost for that.
    await this.due.enter(done.value.account).catch((error: unknown) => {
      this.dependencies.emitError("store", error, { userId: done.value.account.userId });
    });
    return success(done.value.result);
  }

  /** Ends it, as long as there is something to end. */
  async cancel(token: string, clicker: Clicker): Promise<Outcome<undefined>> {
    const done = await this.use(token, ["cancel"], clicker, ({ account, now }) => ({
      ...endRecovery(account, now, "link"),
      result: success(undefined),
    }));
    return done.ok ? success(undefined) : done;
  }

  /**
   * Has this login set up a factor, and do nothing else: answers its session's record from then on. `login`: the one of the browser that
   * opens the link; undefined: none.
   */
  async complete(token: string, clicker: Clicker, login: LoginContext | undefined): Promise<Outcome<SessionRecord>> {
    const done = await this.use<SessionRecord>(token, ["complete"], clicker, (used) => {
      const { account, now, recovery, version } = used;
      const known = login?.userId === account.userId ? weighed(login, { account, version }, now) : undefined;
      const session = known && signedInAgain(known, recovery);
      if (session === undefined) return refused({ code: "login-required" });
      const frozen = freezeProblem(account, now);
      if (frozen !== undefined) return refused(frozen);
      const next = withCompleted(account, recovery, { link: randomId(), loginId: session.id }, now);
      const result = success<SessionRecord>({ ...session, recovers: recovery.id });
      return { account: next, events: [{ action: "recovery-started" }], result };
    });
    return done.ok ? success(done.value.result) : done;
  }

  /** Where a link is used: the account, if it is still good there. Of any number of simultaneous uses one is. */
  private async use<T>(
    token: string,
    purposes: readonly RecoveryPurpose[],
    { browser, client }: Clicker,
    act: (used: Used) => Change<Outcome<T>>,
  ): Promise<Outcome<{ readonly account: Account; readonly result: T }>> {
    const link = await this.opened(token, purposes);
    if (!link.ok) return link;
    const { purpose, userId } = link.value;
    const subject = { userId, client, browser };
    const { record, result } = await this.dependencies.records.change<Outcome<T>>(
      subject,
      ({ account, version }, now) => {
        const recovery = meant(account, link.value, now);
        return recovery === undefined ? refused(OVER) : act({ account, recovery, now, version, purpose });
      },
    );
    return result.ok ? success({ account: record.account, result: result.value }) : result;
  }

  /** Whoever tries what was never sealed here is guessing. */
  private async opened(token: string, purposes: readonly RecoveryPurpose[]): Promise<Outcome<RecoveryLink>> {
    const link = await this.tokens.open(token);
    const isMeant = link !== undefined && purposes.includes(link.purpose);
    return isMeant ? success(link) : failure("expired", { isFailedAttempt: true });
  }

  private begin(account: Account, recovery: Recovery, now: number): Change<Outcome<Confirmed>> {
    const { approve, evidence, wait: longest } = this.settings;
    const reason = countingOf(recovery, evidence);
    const wait = Math.min(longest, (reason && evidence[reason]) ?? longest);
    const isShorter = (evidence["second-channel"] ?? Infinity) < wait;
    const vouch = isShorter ? randomId() : undefined;
    const waiting = { link: randomId(), vouch, wait, asksFirst: approve !== undefined };
    const next = withConfirmed(account, recovery, waiting, now);
    const completesAt = next.recovery?.completesAt ?? now;
    const facts = { until: iso(completesAt) };
    const events: AccountEvent[] = [{ action: "recovery-confirmed", ...(reason && { reason }), facts }];
    return { account: next, events, result: success({ purpose: "confirm", completesAt }) };
  }

  /** Where nothing is left to wait for, nor anybody to be asked, it is ready at once. */
  private shorten(account: Account, recovery: Recovery, now: number): Change<Outcome<Confirmed>> {
    const { approve, evidence } = this.settings;
    const wait = evidence["second-channel"];
    if (wait === undefined) return refused(OVER);
    const next = withVouched(account, recovery, wait, now);
    const { completesAt = now } = next.recovery ?? {};
    const facts = { until: iso(completesAt) };
    const event: AccountEvent = { action: "recovery-shortened", reason: "second-channel", facts };
    const isOver = completesAt <= now && approve === undefined && recovery.asksFirst !== true;
    const done = isOver && next.recovery ? readied(next, next.recovery, now) : { account: next, events: [] };
    return {
      account: done.account,
      events: [event, ...done.events],
      result: success({ purpose: "vouch", completesAt }),
    };
  }
}
