import type { Account } from "../core/account.js";
import { MINUTE, SECOND, type UserId } from "../core/nouns.js";
import {
  halfDueAt,
  overDueAt,
  readyDueAt,
  type Recovery,
  recoveryOf,
  withLink,
  withoutRecovery,
} from "../core/recovery.js";
import { iso } from "../core/time.js";
import { within } from "../core/within.js";
import { randomId } from "../crypto/random.js";
import type { AccountEvent } from "../events/audit.js";
import { type DueKind, type DueKinds, type Fallen, UNFINISHED } from "./due.js";
import type { EngineDependencies } from "./dependencies.js";

/** A recovery whose wait is over, for whoever has the last word. Times are ISO 8601, UTC. */
export interface RecoveryRequest {
  readonly userId: UserId;
  /** The same each time it is asked for. */
  readonly id: string;
  readonly requestedAt: string;
  readonly confirmedAt: string;
  /** When the wait was over. */
  readonly completesAt: string;
  /** What was shown of what counts by configuration: `"trusted-browser"`, `"old-backup-code"`, `"second-channel"`. Empty: nothing. */
  readonly evidence: readonly string[];
  /** Where it was asked for. */
  readonly browser?: string;
  readonly ip?: string;
}

/**
 * Asked when the wait of a recovery is over: `true` has the completing link mailed, `false` ends it, and the owner is told. Anything
 * else (nothing, a throw, 30 s of silence) decides nothing: it is asked again when what is due is next run, for 30 days.
 */
export type ApproveRecovery = (request: RecoveryRequest) => unknown;

/** Milliseconds. */
const LONGEST = 30 * SECOND;
/** A process that asks and dies keeps no other from asking for longer. */
const ASKING = 2 * MINUTE;

/** Where it was asked for. */
export function placeOf({ browser, ip }: Recovery): Fallen["by"] {
  return { browser, client: { ip } };
}

/** The completing link, mailed. */
export function readied(account: Account, recovery: Recovery, now: number): Pick<Fallen, "account" | "events"> {
  const next = withLink(account, recovery, randomId(), now);
  const until = iso(next.recovery?.linkUntil ?? now);
  return { account: next, events: [{ action: "recovery-ready", facts: { until } }] };
}

function ended(account: Account, recovery: Recovery, reason: "refused" | "expired"): Fallen {
  const event: AccountEvent = { action: "recovery-cancelled", reason };
  return { account: withoutRecovery(account), events: [event], by: placeOf(recovery) };
}

const HALF: DueKind = {
  at: halfDueAt,
  take(account, now) {
    const recovery = recoveryOf(account, now);
    if (recovery?.halfAt === undefined || recovery.halfAt > now) return undefined;
    const { halfAt: _told, ...told } = recovery;
    const next = { ...account, recovery: told };
    const { completesAt = now } = told;
    // Nobody looked before the wait was over: that is what is told.
    const events: AccountEvent[] =
      completesAt <= now ? [] : [{ action: "recovery-half-time", facts: { until: iso(completesAt) } }];
    return { account: next, events, by: placeOf(recovery) };
  },
};

const OVER: DueKind = {
  at: overDueAt,
  take(account, now) {
    const { recovery } = account;
    if (recovery === undefined || recoveryOf(account, now) !== undefined) return undefined;
    if (recovery.confirmedAt !== undefined) return ended(account, recovery, "expired");
    return { account: withoutRecovery(account), events: [], by: placeOf(recovery) };
  },
};

/** The recovery whose wait is over, and about which nobody is asked just now. */
function waited(account: Account, now: number): Recovery | undefined {
  const at = readyDueAt(account);
  return at !== undefined && at <= now ? recoveryOf(account, now) : undefined;
}

/** Where the application has no last word; what was begun where it has one is left to those that ask. */
const READY: DueKind = {
  at: (account) => (account.recovery?.asksFirst === true ? undefined : readyDueAt(account)),
  take(account, now) {
    const recovery = waited(account, now);
    if (recovery?.asksFirst === true) return undefined;
    return recovery && { ...readied(account, recovery, now), by: placeOf(recovery) };
  },
};

function requestOf(userId: UserId, recovery: Recovery): RecoveryRequest {
  const { browser, completesAt = 0, confirmedAt = 0, evidence = [], id, ip, requestedAt } = recovery;
  return Object.freeze({
    userId,
    id,
    requestedAt: iso(requestedAt),
    confirmedAt: iso(confirmedAt),
    completesAt: iso(completesAt),
    evidence: Object.freeze([...evidence]),
    ...(browser !== undefined && { browser }),
    ...(ip !== undefined && { ip }),
  });
}

function isWord(answer: unknown): answer is boolean | undefined {
  return answer === undefined || typeof answer === "boolean";
}

/** As {@link READY}, where the application has the last word: one process asks, and what it is told is for that recovery alone. */
class AskedReady implements DueKind {
  readonly at = readyDueAt;

  constructor(
    private readonly dependencies: Pick<EngineDependencies, "emitError" | "records">,
    private readonly approve: ApproveRecovery,
  ) {}

  async prepare(userId: UserId): Promise<DueKind["take"] | undefined> {
    const claimed = await this.claim(userId);
    if (claimed === undefined) return undefined;
    const word = await this.ask(userId, claimed);
    return (account, now) => {
      const recovery = recoveryOf(account, now);
      if (recovery?.id !== claimed.id || recovery.askedUntil !== claimed.askedUntil) return undefined;
      if (word === true) return { ...readied(account, recovery, now), by: placeOf(recovery) };
      if (word === false) return ended(account, recovery, "refused");
      const { askedUntil: _unsaid, ...waiting } = recovery;
      return { account: { ...account, recovery: waiting }, events: [], by: placeOf(recovery) };
    };
  }

  /** Nothing is taken before it is asked. */
  take(): undefined {
    return undefined;
  }

  private async claim(userId: UserId): Promise<Recovery | undefined> {
    const { result } = await this.dependencies.records.change<Recovery | undefined>({ userId }, ({ account }, now) => {
      const recovery = waited(account, now);
      if (recovery === undefined) return { result: undefined };
      const asked: Recovery = { ...recovery, askedUntil: now + ASKING };
      return { account: { ...account, recovery: asked }, result: asked };
    });
    return result;
  }

  private async ask(userId: UserId, recovery: Recovery): Promise<boolean | undefined> {
    const { approve } = this;
    try {
      return await within("recovery.approve", LONGEST, () => approve(requestOf(userId, recovery)), isWord);
    } catch (error) {
      this.dependencies.emitError("recovery.approve", error, { userId });
      return undefined;
    }
  }
}

/** What falls due without a request. What this application does without, other processes of it may be configured for. */
export function dueKinds(
  { noticing, ...dependencies }: Pick<EngineDependencies, "emitError" | "noticing" | "records">,
  recovery: { readonly approve: ApproveRecovery | undefined } | undefined,
): DueKinds {
  const { approve } = recovery ?? {};
  const ready = approve === undefined ? READY : new AskedReady(dependencies, approve);
  const taken = [...(noticing ? [UNFINISHED] : []), ...(recovery ? [HALF, ready, OVER] : [])];
  return { taken, known: [UNFINISHED, HALF, { at: readyDueAt }, OVER] };
}
