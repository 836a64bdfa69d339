import { isIP } from "node:net";
import { ipKeyGenerator } from "express-rate-limit";
import type { Clock, LimitKind, UserId } from "../core/nouns.js";
import type { RateLimitStore, Store } from "../stores/contract.js";

export interface Limit {
  /** Attempts per window. */
  readonly limit: number;
  /** Length of the window, in milliseconds; it begins with its first attempt. */
  readonly window: number;
}

export type Limits = Readonly<Record<LimitKind, Limit>>;

/** Whose attempt it is. Without an address (a console, a worker) only the account's own limits apply. */
export interface Attempter {
  readonly userId: UserId;
  readonly address?: string | undefined;
}

export type Taken =
  | {
      readonly allowed: true;
      /** For an attempt that succeeded: it alone is uncounted. */ readonly giveBack: () => Promise<void>;
    }
  | {
      readonly allowed: false;
      readonly kind: LimitKind;
      /** Whole seconds, at least 1. */ readonly retryAfter: number;
      /** No attempt was refused in this window before. */
      readonly isFirst: boolean;
    };

export interface AttemptLimits {
  /**
   * Counts one attempt against every kind named, before anything is checked: N simultaneous attempts see N different
   * counts. An attempt refused by one limit is given back to the others, because nothing was tried; so is one that a counter
   * did not answer.
   *
   * @throws UnavailableError where a counter does not answer
   */
  take(kinds: readonly LimitKind[], attempter: Attempter): Promise<Taken>;
}

/** The key of a network address: an IPv6 client owns a whole subnet, so the subnet is counted. */
function addressKey(ip: string | undefined): string | undefined {
  return ip !== undefined && isIP(ip) !== 0 ? ipKeyGenerator(ip) : undefined;
}

interface Counted {
  readonly kind: LimitKind;
  readonly key: string;
  /** Attempts beyond the limit; 1 is the first to be refused. */
  readonly excess: number;
  readonly retryAfter: number;
}

export function createAttemptLimits(store: Store, limits: Limits, clock: Clock): AttemptLimits {
  const counters = Object.fromEntries(
    Object.entries(limits).map(([kind, { window }]) => [kind, store.attempts(kind, window, clock)]),
  ) as Record<LimitKind, RateLimitStore>;

  const count = async (kind: LimitKind, key: string): Promise<Counted> => {
    const { totalHits, resetTime } = await counters[kind].increment(key);
    const wait = (resetTime?.getTime() ?? clock() + limits[kind].window) - clock();
    return { kind, key, excess: totalHits - limits[kind].limit, retryAfter: Math.max(1, Math.ceil(wait / 1000)) };
  };
  // A counter that cannot take an attempt back counts one too many until its window ends: closed, and nobody's login is lost.
  const giveBack = async (counted: readonly Counted[]): Promise<void> => {
    await Promise.allSettled(counted.map(async ({ kind, key }) => counters[kind].decrement(key)));
  };

  return {
    async take(kinds, { userId, address }) {
      const keyed = kinds.map((kind) => ({ kind, key: kind === "address" ? addressKey(address) : userId }));
      const answers = await Promise.allSettled(
        keyed.flatMap(({ kind, key }) => (key === undefined ? [] : [count(kind, key)])),
      );
      const counted = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
      const failed = answers.find((answer) => answer.status === "rejected");
      if (failed !== undefined) {
        await giveBack(counted);
        throw failed.reason;
      }
      const refused = counted.filter(({ excess }) => excess > 0);
      const [longest] = refused.toSorted((a, b) => b.retryAfter - a.retryAfter);
      if (longest === undefined) return { allowed: true, giveBack: () => giveBack(counted) };
      await giveBack(counted.filter(({ excess }) => excess <= 0));
      const isFirst = refused.some(({ excess }) => excess === 1);
      return { allowed: false, kind: longest.kind, retryAfter: longest.retryAfter, isFirst };
    },
  };
}
