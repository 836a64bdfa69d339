import type { Account } from "../core/account.js";
import { batches } from "../core/batches.js";
import { isSilence } from "../core/errors.js";
import { DAY, SECOND, type UserId } from "../core/nouns.js";
import { isUntold, takeUnfinished, unfinishedAt, type WaitingLogin, withWaiting } from "../core/waiting.js";
import { randomId } from "../crypto/random.js";
import type { AccountEvent } from "../events/audit.js";
import type { Subject } from "../events/emitter.js";
import { PENDING_LIFE } from "../policy/assess.js";
import type { Store } from "../stores/contract.js";
import type { EngineDependencies } from "./dependencies.js";
import { retreat } from "./entries.js";
import { type LoginContext, subjectOf } from "./login-context.js";

/** What an account comes to by the clock alone. */
export interface Fallen {
  readonly account: Account;
  readonly events: readonly AccountEvent[];
  /** Where it was begun. */
  readonly by: Omit<Subject, "userId">;
}

/** Something of an account that falls due: when, and what is done then. It is done by one conditional write, so once. */
export interface DueKind {
  at(account: Account, now: number): number | undefined;
  take(account: Account, now: number): Fallen | undefined;
  /** Something has to be asked first: answers how it is taken then; undefined where another process has it in hand. */
  prepare?(userId: UserId): Promise<DueKind["take"] | undefined>;
}

/** Whether somebody gave wrong answers at it, or none: by what the activity list says of the same place since. */
function wasTried({ activity }: Account, { at, browser, ip }: WaitingLogin): boolean {
  return activity.some(
    (line) => line.action === "factor-failed" && line.at >= at && line.browser === browser && line.ip === ip,
  );
}

/** What this process does by its options, and when anything falls due that any process does. */
export interface DueKinds {
  readonly taken: readonly DueKind[];
  readonly known: readonly Pick<DueKind, "at">[];
}

/** Logins that went no further: where owners are told of them. */
export const UNFINISHED: DueKind = {
  at: unfinishedAt,
  take(account, now) {
    const taken = takeUnfinished(account, now);
    const last = taken?.unfinished.at(-1);
    if (taken === undefined || last === undefined) return undefined;
    const { unfinished } = taken;
    const reason = unfinished.some((each) => wasTried(account, each)) ? "failed" : "given-up";
    const count = unfinished.length;
    return {
      account: taken.account,
      events: [{ action: "login-unfinished", outcome: "failure", reason, at: last.at, facts: { count } }],
      by: { browser: last.browser, client: { ip: last.ip } },
    };
  },
};

const KIND = "due";
/** Where nobody runs what is due, its entry is of no use for longer. */
const ENTRY_LIFE = DAY;
/** What could not be done is tried again by then. */
const RETRY = 60 * SECOND;
/** Timers count no further. */
const LONGEST_TIMER = 2 ** 31 - 1;
/** A process looks after that many accounts by its timer; `runDue` finds them all. */
const MOST_HASTENED = 10_000;

function keyOf(userId: UserId): string {
  return `${KIND}:${userId}`;
}

/**
 * What falls due: found by an entry for each account that something waits in, so that nobody has to look through all of them.
 * The entry is written after the account and taken away only as it was before the account was read, so none is lost.
 */
export class Due {
  /** Accounts that this process has written an entry for, and when it looks at them, by the machine's clock. */
  private readonly hastened = new Map<UserId, number>();
  private timer: NodeJS.Timeout | undefined = undefined;
  /** When that ends, by the machine's clock. */
  private looksAt = Infinity;

  constructor(
    private readonly dependencies: Pick<EngineDependencies, "clock" | "emitError" | "noticing" | "records">,
    private readonly store: Store,
    private readonly kinds: DueKinds,
  ) {}

  /** When something of the account is due: that is done here, or anything. */
  private timesOf(account: Account, now: number, which: keyof DueKinds): readonly number[] {
    return this.kinds[which].map((kind) => kind.at(account, now)).filter((at) => at !== undefined);
  }

  /**
   * Writes down that a login waits for its second factor, where owners are told of those that never get it. One that keeps no session
   * was refused, and does not wait. Where that cannot be written nobody is kept out for it.
   */
  async note<Login extends LoginContext>(login: Login): Promise<Login> {
    const { noticing, records } = this.dependencies;
    const { source, status } = login;
    if (noticing === undefined || status.status !== "pending") return login;
    const { ip } = source.client;
    const place = { browser: source.label, ...(ip !== undefined && { ip }) };
    const waiting = { ...this.waitOf(login), ...place };
    try {
      const { record, result } = await records.change<boolean>(
        subjectOf(login),
        ({ account }, now) => {
          const next = withWaiting(account, waiting);
          // Where nobody looked in time the entry is gone by now, and with no place left none would be written again.
          return { ...(next && { account: next }), result: next !== undefined || isUntold(account, now) };
        },
        login.record,
      );
      if (result) await this.enter(record.account);
      return { ...login, record };
    } catch {
      return login;
    }
  }

  private waitOf({ session }: LoginContext): Pick<WaitingLogin, "id" | "at" | "until"> {
    if (session !== undefined) return { id: session.id, at: session.at, until: session.at + PENDING_LIFE };
    const now = this.dependencies.clock();
    return { id: randomId(), at: now, until: now };
  }

  /** Does what has fallen due, once in all processes; answers how many things. */
  async run(): Promise<number> {
    let done = 0;
    for await (const batch of batches(this.entered())) {
      const counts = await Promise.all(batch.map((userId) => this.runFor(userId)));
      done += counts.reduce((sum, count) => sum + count, 0);
    }
    return done;
  }

  /** Of a store that cannot list, what this process knows. */
  private async *entered(): AsyncGenerator<UserId> {
    const keys = this.store.list?.(KIND);
    if (keys === undefined) yield* [...this.hastened.keys()];
    else for await (const key of keys) yield key.slice(KIND.length + 1);
  }

  /** One account that cannot be read must not keep the others from what is due; a store that is silent ends the run. */
  private async runFor(userId: UserId): Promise<number> {
    try {
      return await this.settle(userId);
    } catch (error) {
      if (isSilence(error)) throw error;
      this.dependencies.emitError("store", error, { userId });
      return 0;
    }
  }

  private async settle(userId: UserId): Promise<number> {
    const { clock, records } = this.dependencies;
    const entry = await this.store.read(keyOf(userId));
    let account = (await records.read(userId)).account;
    let done = 0;
    for (const kind of this.kinds.taken) {
      const known = kind.at(account, clock());
      if (known === undefined || known > clock()) continue;
      const { changed, count } = await this.take(userId, kind);
      account = changed;
      done += count;
    }
    const times = this.timesOf(account, clock(), "taken");
    this.hastened.delete(userId);
    if (times.length > 0) {
      const wait = Math.min(...times) - clock();
      this.hasten(userId, wait > 0 ? wait : RETRY);
    }
    // What this process leaves alone, one with other options finds by the same entry.
    const isLast = this.timesOf(account, clock(), "known").length === 0;
    if (isLast && entry !== undefined) await this.store.remove(keyOf(userId), { expect: entry.version });
    return done;
  }

  private async take(userId: UserId, kind: DueKind): Promise<{ readonly changed: Account; readonly count: number }> {
    const { records } = this.dependencies;
    const subject: { userId: UserId } & Partial<Subject> = { userId };
    const take = kind.prepare === undefined ? kind.take.bind(kind) : await kind.prepare(userId);
    const { record, result } = await records.change<number>(subject, ({ account }, now) => {
      const fallen = take?.(account, now);
      if (fallen === undefined) return { result: 0 };
      Object.assign(subject, fallen.by);
      return { account: fallen.account, events: fallen.events, result: fallen.events.length };
    });
    return { changed: record.account, count: result };
  }

  /**
   * Names the account among those that something waits in, until a day after the last of it. An entry that is there is made anew, so that
   * nobody takes it away now.
   */
  async enter(account: Account): Promise<void> {
    const { userId } = account;
    const now = this.dependencies.clock();
    const times = this.timesOf(account, now, "taken");
    const expiresAt = Math.max(now, ...this.timesOf(account, now, "known")) + ENTRY_LIFE;
    this.hasten(userId, times.length === 0 ? PENDING_LIFE : Math.min(...times) - now);
    const key = keyOf(userId);
    for (let attempt = 0; ; attempt += 1) {
      const expect = attempt === 0 ? null : ((await this.store.read(key))?.version ?? null);
      if ((await this.store.write(key, "1", { expect, expiresAt })) !== undefined) return;
      await retreat("What is due", attempt);
    }
  }

  /** The process looks by itself, so that owners hear soon where no job asks; it is not kept alive for that. */
  private hasten(userId: UserId, wait: number): void {
    if (this.hastened.size >= MOST_HASTENED && !this.hastened.has(userId)) return;
    const at = Date.now() + Math.max(wait, 0) + SECOND;
    this.hastened.set(userId, Math.min(at, this.hastened.get(userId) ?? at));
    if (at < this.looksAt) this.stop();
    this.wind();
  }

  private wind(): void {
    if (this.timer !== undefined || this.hastened.size === 0) return;
    const wait = Math.min(Math.max(Math.min(...this.hastened.values()) - Date.now(), SECOND), LONGEST_TIMER);
    this.looksAt = Date.now() + wait;
    this.timer = setTimeout(() => {
      this.stop();
      const taken = this.takeHastened();
      this.wind();
      void this.settleAll(taken);
    }, wait).unref();
  }

  /** Before it is wound anew: it has ended, or something is due earlier (for a recovery it may wait half a day). */
  private stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.looksAt = Infinity;
  }

  private takeHastened(): readonly UserId[] {
    const now = Date.now();
    const due = [...this.hastened].filter(([, at]) => at <= now).map(([userId]) => userId);
    for (const userId of due) this.hastened.delete(userId);
    return due;
  }

  private async settleAll(userIds: readonly UserId[]): Promise<void> {
    for await (const batch of batches(userIds)) await Promise.all(batch.map((userId) => this.settleOrRetry(userId)));
  }

  private async settleOrRetry(userId: UserId): Promise<void> {
    await this.settle(userId).catch((error: unknown) => {
      this.dependencies.emitError("store", error, { userId });
      this.hasten(userId, RETRY);
    });
  }
}
