import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { type Clock, type LimitKind, SECOND, type UserId } from "../core/nouns.js";
import type { Count, Counter, Store } from "../stores/contract.js";
import { createCounters } from "./counters.js";

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

const SUBNET_BITS = 56;

/** The key of a network address: an IPv6 client owns a whole subnet, so the subnet is counted (RFC 6177). */
function addressKey(ip: string | undefined): string | undefined {
  if (ip === undefined || isIP(ip) === 0) return undefined;
  // An IPv4 address written as IPv6 is that IPv4 address; a zone (fe80::1%eth0) is ours and not the client's.
  const address = ipaddr.process(ip.replace(/%.*$/, ""));
  if (address.kind() === "ipv4") return address.toString();
  const subnet = `${address.toString()}/${SUBNET_BITS}`;
  return `${ipaddr.IPv6.networkAddressFromCIDR(subnet).toString()}/${SUBNET_BITS}`;
}

interface Counted extends Count {
  readonly kind: LimitKind;
  readonly counter: Counter;
}

export function createAttemptLimits(store: Store, limits: Limits, clock: Clock): AttemptLimits {
  const counters = createCounters(store, clock);

  const counterOf = (name: LimitKind, { address, userId }: Attempter): readonly Counter[] => {
    const key = name === "address" ? addressKey(address) : userId;
    return key === undefined ? [] : [{ name, key, windowMs: limits[name].window }];
  };
  /** Attempts beyond the limit; 1 is the first to be refused. */
  const excess = ({ kind, totalHits }: Counted): number => totalHits - limits[kind].limit;
  const retryAfter = ({ resetTime }: Counted): number =>
    Math.max(1, Math.ceil((resetTime.getTime() - clock()) / SECOND));

  return {
    async take(kinds, attempter) {
      const wanted = kinds.flatMap((kind) => counterOf(kind, attempter).map((counter) => ({ kind, counter })));
      const all = wanted.map(({ counter }) => counter);
      const counts = await counters.increment(all);
      const counted = wanted.flatMap((each, index): Counted[] => {
        const count = counts[index];
        return count === undefined ? [] : [{ ...each, ...count }];
      });
      const refused = counted.filter((each) => excess(each) > 0);
      const [longest] = refused.toSorted((a, b) => retryAfter(b) - retryAfter(a));
      if (longest === undefined) return { allowed: true, giveBack: () => counters.decrement(all) };
      await counters.decrement(counted.filter((each) => excess(each) <= 0).map(({ counter }) => counter));
      const isFirst = refused.some((each) => excess(each) === 1);
      return { allowed: false, kind: longest.kind, retryAfter: retryAfter(longest), isFirst };
    },
  };
}
