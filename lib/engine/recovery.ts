import type { Account } from "../core/account.js";
import { countAttempt, limitReached } from "../core/attempts.js";
import { failure, type Outcome, type Problem, success } from "../core/errors.js";
import type { Client } from "../core/nouns.js";
import {
  CONFIRM_LIFE,
  RECOVERY_LIMIT,
  type Evidence,
  type Recovery,
  recoveryOf,
  type RecoveryState,
  stateOf,
  withCompleted,
  withConfirmed,
  withoutRecovery,
  withRequested,
} from "../core/recovery.js";
import { randomId } from "../crypto/random.js";
import { type AccountEvent, recoveryEnding } from "../events/audit.js";
import { freezeProblem } from "../policy/access.js";
import type { SessionRecord } from "../policy/assess.js";
import type { Change } from "./account-records.js";
import type { EngineDependencies } from "./dependencies.js";
import type { Due } from "./due.js";
import type { LinkTokens } from "./link-tokens.js";
import { type LoginContext, subjectOf, weighed } from "./login-context.js";
import { type ApproveRecovery, readied } from "./recovery-due.js";
import { recoveryView, type RecoveryView } from "./recovery-view.js";
import { nextStep, type RecoveryLink, type RecoveryPurpose, sealReach } from "./recovery-links.js";

/** How owners come back who have lost every factor. */
export interface RecoverySettings {
  /** Milliseconds. */
  readonly wait: number;
  /** The last word, when the wait is over. Undefined: there is none. */
  readonly approve: ApproveRecovery | undefined;
  /** How long to wait where this was shown, milliseconds. */
  readonly evidence: Partial<Record<Evidence, number>>;
}

/** Who uses a link. Nothing of it is proved. */
export interface Clicker {
  readonly client: Client;
  readonly browser: string;
}

type Login = LoginContext & { readonly session: SessionRecord };

const OVER: Problem = { code: "expired" };

function refused<T>(problem: Problem): Change<Outcome<T>> {
  return { result: { ok: false, problem } };
}

/** Why this login asks for no recovery; undefined where it may. */
function askingProblem({ session, status }: LoginContext): Problem | undefined {
  if (status.status === "ended") return OVER;
  const hasLost = status.status === "pending" || status.status === "trusted-device";
  return hasLost && session !== undefined ? undefined : { code: "conflict" };
}

/** The recovery that the link is of, where it is good for what it says. */
function meant(account: Account, { id, link, purpose }: RecoveryLink, now: number): Recovery | undefined {
  const recovery = recoveryOf(account, now);
  if (recovery?.id !== id) return undefined;
  if (purpose === "cancel") return recovery;
  return nextStep(recovery) === purpose && recovery.link === link ? recovery : undefined;
}

/**
 * The first factor was given again for it, in a browser that has nothing else to show. Of a login that was found in its session nobody
 * knows when that was.
 */
function hasSignedInAgain({ session, status }: Login, { by, requestedAt }: Recovery): boolean {
  const isWaiting = status.status === "pending" || status.status === "trusted-device";
  return isWaiting && session.adopted !== true && session.id !== by && session.at >= requestedAt;
}

/** The way back: asked for at a login, confirmed and completed by links in mails, with a wait in between that its owner can end. */
export class Recoveries {
  constructor(
    private readonly dependencies: EngineDependencies,
    private readonly settings: RecoverySettings,
    private readonly tokens: LinkTokens<RecoveryLink>,
    private readonly due: Due,
  ) {}

  /**
   * Counts the request and has a link mailed that begins the wait; of one that is ready already, another that completes it. The answer,
   * when such a link is over, is the same where none is sent: no address is known, the owner wants no recovery, or one waits already.
   */
  async request(login: LoginContext): Promise<Outcome<{ readonly expiresAt: number }>> {
    const { record, result } = await this.dependencies.records.change<Outcome<{ readonly expiresAt: number }>>(
      subjectOf(login),
      (current, now) => this.ask(weighed(login, current, now), now),
      login.record,
    );
    // Also where nothing waits, of which the time it takes must say nothing: an entry without anything to do goes by itself.
    if (result.ok) await this.due.enter(record.account);
    return result;
  }

  /** What a link is for, while it is good for it. Changes nothing, whoever looks, however often. */
  async look(token: string, purpose: RecoveryPurpose): Promise<Outcome<RecoveryView>> {
    const link = await this.opened(token, purpose);
    if (!link.ok) return link;
    const { clock, records } = this.dependencies;
    const { account } = await records.read(link.value.userId);
    return meant(account, link.value, clock()) === undefined
      ? failure("expired")
      : success(recoveryView(account, clock()));
  }

  /** Begins the wait. */
  async confirm(token: string, clicker: Clicker): Promise<Outcome<{ readonly completesAt: number }>> {
    const { evidence, wait } = this.settings;
    const done = await this.use(token, "confirm", clicker, (account, recovery, now) => {
      const shown = recovery.evidence && evidence[recovery.evidence];
      const next = withConfirmed(account, recovery, Math.min(wait, shown ?? wait), randomId(), now);
      const completesAt = next.recovery?.completesAt ?? now;
      const until = new Date(completesAt).toISOString();
      const events: AccountEvent[] = [{ action: "recovery-confirmed", facts: { until } }];
      return { account: next, events, result: success({ completesAt }) };
    });
    if (!done.ok) return done;
    // Its request was entered, and is looked at for a day more: what cannot be written now is not lost for that.
    await this.due.enter(done.value.account).catch((error: unknown) => {
      this.dependencies.emitError("store", error, { userId: done.value.account.userId });
    });
    return success(done.value.result);
  }

  /** Ends it, as long as there is something to end. */
  async cancel(token: string, clicker: Clicker): Promise<Outcome<undefined>> {
    const done = await this.use(token, "cancel", clicker, (account, _recovery, now) => ({
      account: withoutRecovery(account),
      events: recoveryEnding(account, now, "link"),
      result: success(undefined),
    }));
    return done.ok ? success(undefined) : done;
  }

  /**
   * Has this login set up a factor, and do nothing else: answers its session's record from then on. `login`: the one of the browser that
   * opens the link; undefined: none.
   */
  async complete(token: string, clicker: Clicker, login: LoginContext | undefined): Promise<Outcome<SessionRecord>> {
    const done = await this.use<SessionRecord>(token, "complete", clicker, (account, recovery, now, version) => {
      const known = login?.session === undefined || login.userId !== account.userId ? undefined : login;
      const current = known && weighed(known, { account, version }, now);
      if (current?.session === undefined || !hasSignedInAgain({ ...current, session: current.session }, recovery))
        return refused({ code: "login-required" });
      const frozen = freezeProblem(account, now);
      if (frozen !== undefined) return refused(frozen);
      const { session } = current;
      const next = withCompleted(account, recovery, { link: randomId(), loginId: session.id }, now);
      const result = success<SessionRecord>({ ...session, recovers: recovery.id });
      return { account: next, events: [{ action: "recovery-started" }], result };
    });
    return done.ok ? success(done.value.result) : done;
  }

  /** Where a link is used: the account, if it is still good there. Of any number of simultaneous uses one is. */
  private async use<T>(
    token: string,
    purpose: RecoveryPurpose,
    { browser, client }: Clicker,
    act: (account: Account, recovery: Recovery, now: number, version: string | null) => Change<Outcome<T>>,
  ): Promise<Outcome<{ readonly account: Account; readonly result: T }>> {
    const link = await this.opened(token, purpose);
    if (!link.ok) return link;
    const subject = { userId: link.value.userId, client, browser };
    const { record, result } = await this.dependencies.records.change<Outcome<T>>(
      subject,
      ({ account, version }, now) => {
        const recovery = meant(account, link.value, now);
        return recovery === undefined ? refused(OVER) : act(account, recovery, now, version);
      },
    );
    return result.ok ? success({ account: record.account, result: result.value }) : result;
  }

  /** Whoever tries what was never sealed here is guessing. */
  private async opened(token: string, purpose: RecoveryPurpose): Promise<Outcome<RecoveryLink>> {
    const link = await this.tokens.open(token);
    return link?.purpose === purpose ? success(link) : failure("expired", { isFailedAttempt: true });
  }

  private async ask(login: LoginContext, now: number): Promise<Change<Outcome<{ readonly expiresAt: number }>>> {
    const problem = askingProblem(login);
    if (problem !== undefined) return refused(problem);
    const { limits } = this.dependencies;
    const { account } = login.record;
    const reached = limitReached(account, [RECOVERY_LIMIT], "login", limits, now);
    if (reached !== undefined) {
      const event: AccountEvent = { action: "attempt-refused", reason: RECOVERY_LIMIT, outcome: "failure" };
      const { retryAfter } = reached;
      return { result: failure("too-many-attempts", { retryAfter }), events: [event] };
    }
    const { account: counted } = countAttempt(account, [RECOVERY_LIMIT], "login", limits, now);
    return { ...(await this.asked(login, counted, now)), result: success({ expiresAt: now + CONFIRM_LIFE }) };
  }

  /** What becomes of a request that was counted. */
  private async asked(
    login: LoginContext,
    account: Account,
    now: number,
  ): Promise<Pick<Change<never>, "account" | "events">> {
    const recovery = recoveryOf(account, now);
    const state = stateOf(recovery);
    // After its last minute there is no other link, and whoever has used one in time goes on.
    if (recovery?.linkUntil !== undefined && recovery.linkUntil > now)
      return readied(account, withoutLogin(recovery), now);
    const { label: browser } = login.source;
    const { ip } = login.source.client;
    const asked = {
      by: login.session?.id ?? "",
      link: randomId(),
      reach: await sealReach(this.dependencies.keys, login.userId, login.source),
      browser,
      ...(ip !== undefined && { ip }),
      ...(login.status.status === "trusted-device" && { evidence: "trusted-browser" as const }),
    };
    const reason = this.refusal(login, state);
    // Refused only now: how long it takes must not say that nothing came of it.
    if (reason !== undefined) return { account, events: [{ action: "recovery-refused", reason }] };
    return { account: withRequested(account, asked, randomId(), now), events: [{ action: "recovery-requested" }] };
  }

  /** Why no link is sent; undefined where one is. */
  private refusal({ record, source }: LoginContext, state: RecoveryState): string | undefined {
    if (record.account.refusesRecovery === true) return "opted-out";
    const { email, emailVerified } = source.contact;
    // A link must not go to whoever typed an address that nobody has proved.
    if (email === undefined || emailVerified === false) return "no-address";
    return state === "waiting" || state === "ready" ? "waiting" : undefined;
  }
}

/** Whoever was setting up a factor with it is not any more: another link is asked for. */
function withoutLogin({ completed: _before, ...recovery }: Recovery): Recovery {
  return recovery;
}
