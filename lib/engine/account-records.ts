import { setTimeout } from "node:timers/promises";
import {
  type Account,
  type Activity,
  emptyAccount,
  type Ended,
  expiryOf,
  isBlank,
  isEnrolled,
  isTombstone,
} from "../core/account.js";
import { addActivity, endedBetween } from "../core/account-changes.js";
import { parseAccount, type PartTexts, serializeAccount } from "../core/account-text.js";
import { UnavailableError } from "../core/errors.js";
import { withEnds, withTimelyEnd } from "../core/logins.js";
import { LruMap } from "../core/lru-map.js";
import type { Clock, UserId } from "../core/nouns.js";
import { placed } from "../core/places.js";
import { withTelling } from "../core/tellings.js";
import { type AccountEvent, isRecorded, tellsOfEnds } from "../events/audit.js";
import type { Details, EmitAudit, Subject } from "../events/emitter.js";
import { isNoticed } from "../events/notices.js";
import type { Entry, Store } from "../stores/contract.js";
import { retreat } from "./entries.js";
import type { Noticing } from "./noticing.js";

/** An account and the version of its record; null where there is no record yet. */
export interface AccountRecord {
  readonly account: Account;
  readonly version: string | null;
  /** As this process saw it last, confirmed by nobody: good for a write, which confirms it, and for nothing else. */
  readonly isRecalled?: true;
}

/** What a change makes of the account it was shown; without `account` nothing is written. */
export interface Change<T> {
  readonly account?: Account;
  readonly result: T;
  /** What it did, oldest first: kept in the owner's activity list, and told once it is written. */
  readonly events?: readonly AccountEvent[];
  /** What is to follow once it is written, and where it is not must not. */
  readonly written?: (() => void) | undefined;
}

/** A change that was made, and the record as it left it. */
export interface Changed<T> {
  readonly result: T;
  readonly record: AccountRecord;
}

/** A record beside its text, and the texts of its parts where it was written here. */
interface KeptRecord extends Entry, AccountRecord {
  readonly version: string;
  readonly parts?: PartTexts;
}

type MakeChange<T> = (record: AccountRecord, now: number) => Change<T> | Promise<Change<T>>;

/** Of a timer of a millisecond, until the next one has begun. */
const MOST_TURNS = 5;
/** Characters of text. What is made of it takes about four times as much, so up to some 60 MB: 5,000 usual accounts. */
const MOST_KEPT = 16_000_000;

function keyOf(userId: UserId): string {
  return `account:${userId}`;
}

/** Everybody's account, over the store. The one writer of account changes: it keeps the activity list, and tells of them. */
export class AccountRecords {
  /** Records as last read or written here: an unchanged one is not parsed again, and keeps its identity. */
  private readonly kept = new LruMap<UserId, KeptRecord>(MOST_KEPT, ({ value }) => value.length);

  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
    private readonly emitAudit: EmitAudit,
    /** Undefined where owners are told nothing. */
    private readonly noticing?: Noticing,
  ) {}

  /** The record as it is now. The same object as before where nothing changed. */
  async read(userId: UserId): Promise<AccountRecord> {
    return this.recordOf(userId, await this.store.read(keyOf(userId)));
  }

  /** The record as this process saw it last, if it did. */
  recall(userId: UserId): AccountRecord | undefined {
    const kept = this.kept.get(userId);
    return kept && { account: kept.account, version: kept.version, isRecalled: true };
  }

  /**
   * Shows the account to `make` and writes what it makes of it, if nobody wrote in between; otherwise again, with the account as
   * it is then. So whatever `make` accepts and uses up is accepted once, in whatever process. `known` spares the first read.
   */
  async change<T>(subject: Subject, make: MakeChange<T>, known?: AccountRecord): Promise<Changed<T>> {
    let current = known ?? (await this.read(subject.userId));
    for (let attempt = 0; ; attempt += 1) {
      const now = this.clock();
      const changed = await this.settle(subject, current, await make(current, now), now);
      if (changed !== undefined) return changed;
      current = await this.readAgain(subject.userId, attempt);
    }
  }

  /**
   * Writes what was made of a record, and tells of it. Undefined where nothing is settled: somebody wrote in between, or a record
   * that was only recalled is to be refused on. Then it is read again, and tried on what it is by now.
   */
  async settle<T>(
    subject: Subject,
    current: AccountRecord,
    { account, events = [], result, written }: Change<T>,
    now: number,
  ): Promise<Changed<T> | undefined> {
    let record: AccountRecord | undefined = current;
    let lines: Lines = NO_LINES;
    if (account !== undefined) {
      const next = withEnds(current.account, account, now, sessionTime());
      const told = { events, ended: endedBetween(current.account, next, now) };
      const listed = withActivity(next, subject, told, { isTelling: this.noticing !== undefined, now });
      ({ lines } = listed);
      record = await this.write(listed.account, current.version);
    } else if (current.isRecalled === true) return undefined;
    if (record === undefined) return undefined;
    written?.();
    for (const event of events) {
      const line = lines.get(event);
      const about = line && { event, line, subject, before: current.account, after: record.account };
      this.emitAudit(event.action, actingIn(event, subject), auditDetails(event), about && this.noticing?.about(about));
    }
    await endedBefore(current.account, record.account);
    return { result, record };
  }

  /**
   * The record as it is by now, after a write that lost for the `attempt`th time.
   * @throws UnavailableError after a bounded number of lost writes
   */
  async readAgain(userId: UserId, attempt: number): Promise<AccountRecord> {
    await retreat("An account record", attempt);
    return this.read(userId);
  }

  /** Puts what is made of the account in its place, whatever that is; answers it, undefined where there was nothing. */
  async replace(userId: UserId, make: (account: Account) => Account): Promise<Account | undefined> {
    for (let attempt = 0; ; attempt += 1) {
      const { account: before, version } = await this.read(userId);
      const isKnown = version !== null && !isBlank(before);
      const { looseClaims, ...made } = make(before);
      // Nobody's sessions end, too: of some nothing may be known yet. There is nothing else to be given up of them.
      const kept = isKnown ? looseClaims && { looseClaims } : { attempts: before.attempts };
      const ending: Account = { ...made, ...kept };
      const next = withEnds(before, ending, this.clock(), sessionTime());
      if ((await this.write(next, version)) !== undefined) {
        await endedBefore(before, next);
        return isKnown ? next : undefined;
      }
      await retreat("An account record", attempt);
    }
  }

  /** Undefined where somebody wrote in between. */
  private async write(account: Account, expect: string | null): Promise<AccountRecord | undefined> {
    const { parts, text: value } = serializeAccount(account, this.kept.get(account.userId)?.parts);
    const expiresAt = expiryOf(account);
    const options = { expect, ...(expiresAt === undefined ? {} : { expiresAt }) };
    const version = await this.store.write(keyOf(account.userId), value, options);
    return version === undefined ? undefined : this.keep({ value, version, account, parts });
  }

  private keep(record: KeptRecord): AccountRecord {
    this.kept.set(record.account.userId, record);
    return record;
  }

  private recordOf(userId: UserId, entry: Entry | undefined): AccountRecord {
    if (entry === undefined) return { account: emptyAccount(userId), version: null };
    const kept = this.kept.get(userId);
    const now = sessionTime();
    if (kept?.version === entry.version && kept.value === entry.value) {
      const account = withTimelyEnd(kept.account, now);
      return account === kept.account ? kept : this.keep({ ...kept, account });
    }
    try {
      return this.keep({ ...entry, account: withTimelyEnd(parseAccount(userId, entry.value), now) });
    } catch (error) {
      throw placed(new UnavailableError("An account record cannot be read", error), "store");
    }
  }
}

/** express-session dates its cookies by the machine's clock, whichever clock the application gives to us. */
export function sessionTime(): number {
  return Date.now();
}

/**
 * Waits until what was just ended is past by the sessions' clock: whole milliseconds, and a session of the same one as a sign-out is over
 * with it. So whoever logs in once this has resolved is not. A clock that stands still is not waited for.
 */
async function endedBefore(before: Account, { unmarkedOver }: Account): Promise<void> {
  if (unmarkedOver === undefined || unmarkedOver === before.unmarkedOver) return;
  for (let turn = 0; turn < MOST_TURNS && sessionTime() === unmarkedOver.touchedBy; turn += 1) await setTimeout(1);
}

/** What a change did, and what it ended. */
interface Told {
  readonly events: readonly AccountEvent[];
  readonly ended: Ended | undefined;
}

/** Most often whoever made the change has done all that it did. */
function actingIn({ actor }: AccountEvent, subject: Subject): Subject {
  return actor === undefined ? subject : { ...subject, actor };
}

/** What the audit trail has of an event. All else in it is for the account's owner. */
function auditDetails({ factorId, method, outcome, stated, ...event }: AccountEvent): Details {
  const reason = stated ?? event.reason;
  return {
    ...(method !== undefined && { method }),
    ...(factorId !== undefined && { factorId }),
    ...(reason !== undefined && { reason }),
    ...(outcome !== undefined && { outcome }),
  };
}

/** The line in the activity list of each event that the owner is told of. */
type Lines = ReadonlyMap<AccountEvent, Activity>;

const NO_LINES: Lines = new Map();

function withActivity(
  account: Account,
  subject: Subject,
  { ended, events }: Told,
  { isTelling, now }: { readonly isTelling: boolean; readonly now: number },
): { readonly account: Account; readonly lines: Lines } {
  // Of somebody who was forgotten nothing is remembered; and it would make the mark that is left stay.
  if (isTombstone(account)) return { account, lines: NO_LINES };
  // Guesses at what nobody has are no news for anybody, and must not make a record stay.
  const kept = events.filter((event) => isRecorded(event) && (event.outcome !== "failure" || isEnrolled(account)));
  // Once, with the last thing of which that can be said.
  const ending = ended && kept.findLast(tellsOfEnds);
  const lines = new Map<AccountEvent, Activity>();
  const grown = kept.reduce((before, event) => {
    const entry = activityOf(event, subject, now);
    const isEnding = ended !== undefined && event === ending;
    const isNews = isTelling && isNoticed(event.action);
    const told = isNews ? withNotice(before, event, now) : undefined;
    const untold = isNews && told === undefined ? ({ untold: true } as const) : {};
    const after = addActivity(told ?? before, { ...entry, ...(isEnding && { ended }), ...untold }, isNews);
    const [line] = after.activity;
    if (told !== undefined && line !== undefined) lines.set(event, line);
    return after;
  }, account);
  return { account: grown, lines };
}

/** The account with one more notice to its owner; undefined where there is none, or none any more. */
function withNotice(account: Account, { action, isSaidBefore }: AccountEvent, now: number): Account | undefined {
  return isSaidBefore === true ? undefined : withTelling(account, action, now);
}

function activityOf(
  { action, at, label, method, outcome }: AccountEvent,
  { browser, client }: Subject,
  now: number,
): Activity {
  return {
    at: at ?? now,
    action,
    ...(outcome !== undefined && { outcome }),
    ...(method !== undefined && { method }),
    ...(label !== undefined && label !== "" && { label }),
    ...(browser !== undefined && { browser }),
    ...(client?.ip !== undefined && { ip: client.ip }),
  };
}
