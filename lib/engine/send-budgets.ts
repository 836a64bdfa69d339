import { type Clock, type Limit, type Limits, SECOND } from "../core/nouns.js";
import type { Keys } from "../crypto/key-provider.js";
import type { Store } from "../stores/contract.js";
import { changeEntry } from "./entries.js";
import type { SendBudget } from "./method.js";

/** What is kept of one budget: how much of it is used in the window that is open. */
interface Used {
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly endsAt: number;
  /** It was told that it is nearly used up. */
  readonly told?: true;
}

/** A budget that a message was counted against, in the window that was open then. */
export interface Taken {
  readonly key: string;
  readonly endsAt: number;
  /** By this message it came to be nearly used up. */
  readonly isNear: boolean;
}

/** What a message was counted against, and what of that is nearly used up by now; or which budget has no room, for how long. */
export type Reserved =
  | { readonly taken: readonly Taken[]; readonly near: readonly SendBudget[] }
  /** `retryAfter`: whole seconds, at least 1. */
  | { readonly exhausted: SendBudget; readonly retryAfter: number };

type Took = { readonly taken: Taken } | { readonly retryAfter: number };

const OWNER = "send-budgets";

function isUsed(value: unknown): value is Used {
  const { count, endsAt } = (value ?? {}) as Partial<Used>;
  return Number.isInteger(count) && Number.isFinite(endsAt);
}

function parsed(value: string): Used | undefined {
  try {
    const used: unknown = JSON.parse(value);
    return isUsed(used) ? used : undefined;
  } catch {
    return undefined;
  }
}

/** What cannot be read is used up, for one window: nothing is let through by what is missing. */
function usedIn(value: string | undefined, { limit, window }: Limit, now: number): Used {
  const fresh = { count: 0, endsAt: now + window };
  if (value === undefined) return fresh;
  const used = parsed(value) ?? { ...fresh, count: limit };
  // A window that ends later than two can was opened by a clock that was ahead.
  return used.endsAt > now && used.endsAt <= now + 2 * window ? used : fresh;
}

/**
 * What the messages of all accounts together may use up: of one destination, of one country. Kept beside the accounts, under keyed
 * digests, and counted by conditional writes: of any number of simultaneous messages exactly as many go out as there is room for.
 */
export class SendBudgets {
  constructor(
    private readonly store: Store,
    private readonly keys: Keys,
    private readonly clock: Clock,
    private readonly limits: Limits,
  ) {}

  /** Counts one message against each of them, or against none. */
  async reserve(budgets: readonly SendBudget[]): Promise<Reserved> {
    const taken: Taken[] = [];
    const near: SendBudget[] = [];
    for (const budget of budgets) {
      const took = await this.take(budget).catch(async (error: unknown) => {
        // Nothing is sent where one of them does not answer: of the others it must not stay counted, as far as they do.
        await this.release(taken, true).catch(() => undefined);
        throw error;
      });
      if ("retryAfter" in took) {
        await this.release(taken, true);
        return { exhausted: budget, retryAfter: took.retryAfter };
      }
      taken.push(took.taken);
      if (took.taken.isNear) near.push(budget);
    }
    return { taken, near };
  }

  /**
   * Gives back what was counted for a message that was not taken. Of a window that is over there is nothing to give back. `isUntold`:
   * nobody has heard yet what was nearly used up by it.
   */
  async release(taken: readonly Taken[], isUntold = false): Promise<void> {
    await Promise.all(taken.map((each) => this.giveBack(each, isUntold)));
  }

  private giveBack({ endsAt, isNear, key }: Taken, isUntold: boolean): Promise<undefined> {
    return this.change(key, (value) => {
      const used = value === undefined ? undefined : parsed(value);
      if (used?.endsAt !== endsAt || used.count < 1) return { result: undefined };
      const { told, ...others } = used;
      const isTold = told === true && !(isUntold && isNear);
      return { used: { ...others, count: used.count - 1, ...(isTold && { told }) }, result: undefined };
    });
  }

  private async take({ kind, near, of }: SendBudget): Promise<Took> {
    const limit = this.limits[kind];
    if (limit === undefined) throw new Error(`Nothing says what the limit "${kind}" is`);
    const key = `sent:${kind}:${await this.keys.mac(of, { owner: OWNER, purpose: kind })}`;
    return this.change<Took>(key, (value) => {
      const now = this.clock();
      const { told, ...used } = usedIn(value, limit, now);
      const { endsAt } = used;
      const count = used.count + 1;
      if (count > limit.limit) {
        const retryAfter = Math.max(1, Math.ceil(Math.min(endsAt - now, limit.window) / SECOND));
        return { result: { retryAfter } };
      }
      const isNearBy = near !== undefined && count >= Math.ceil((limit.limit * 4) / 5);
      return {
        used: { count, endsAt, ...((told === true || isNearBy) && { told: true }) },
        result: { taken: { key, endsAt, isNear: isNearBy && told !== true } },
      };
    });
  }

  private change<T>(
    key: string,
    make: (value: string | undefined) => { readonly used?: Used; readonly result: T },
  ): Promise<T> {
    return changeEntry<T>(this.store, { key, what: "A budget of messages" }, (entry) => {
      const { result, used } = make(entry?.value);
      return { result, ...(used && { next: { value: JSON.stringify(used), expiresAt: used.endsAt } }) };
    });
  }
}
