import type { Account, KnownBrowsers as Known } from "../core/account.js";
import { isSilence } from "../core/errors.js";
import type { Clock, UserId } from "../core/nouns.js";
import { digestOf, findDigest, newDigestKey, openDigestKey } from "../crypto/digests.js";
import type { KeyContext, Keys } from "../crypto/key-provider.js";
import { randomToken } from "../crypto/random.js";
import type { AccountEvent } from "../events/audit.js";
import type { EngineDependencies } from "./dependencies.js";
import { networkOf } from "./network-of.js";
import { listedLogin, type LoginContext, type LoginSource } from "./login-context.js";

/** More would make the record large; who uses more browsers hears of one again now and then. */
const MOST_BROWSERS = 20;

function browserContext(owner: UserId): KeyContext {
  return { owner, purpose: "known-browser" };
}

/** The same under the newest key. */
export async function resealBrowsers(
  browsers: Known,
  { keys, userId }: { readonly keys: Keys; readonly userId: UserId },
): Promise<Known> {
  return { ...browsers, key: await keys.reseal(browsers.key, browserContext(userId)) };
}

/** What is kept beside browsers. */
interface Remembering {
  readonly clock: Clock;
  /** A policy weighs logins by those before. */
  readonly remembersLogins: boolean;
}

/** Never the same text as a browser's token. */
function addressText(ip: string): string {
  return `address ${networkOf(ip)}`;
}

/** A browser beside those that the account was signed in on before. */
export interface Recognized {
  readonly account: Account;
  readonly events: readonly AccountEvent[];
  readonly written?: () => void;
}

/** What is known of browsers, to be compared with. `isBegun`: nothing was, until now. */
interface Opened {
  readonly digests: readonly string[];
  readonly isBegun: boolean;
  readonly key: Uint8Array;
  readonly sealed: string;
}

/** The account beside the browser of a login that is complete by this; of one that was complete before it is known already. */
export async function recognizedWith(
  { browsers }: Pick<EngineDependencies, "browsers">,
  { source, status }: Pick<LoginContext, "source"> & Partial<Pick<LoginContext, "status">>,
  account: Account,
): Promise<Recognized> {
  const isKnown = status !== undefined && listedLogin({ status }) !== undefined;
  return browsers === undefined || isKnown ? { account, events: [] } : browsers.recognize(account, source);
}

/** Tells a browser that somebody signs in on for the first time. It opens nothing and closes nothing: owners hear of new ones. */
export class KnownBrowsers {
  constructor(
    private readonly keys: Keys,
    private readonly remembering: Remembering,
  ) {}

  /**
   * The account as it is once a login is complete on this browser. The first of all is no news: there is nothing to compare it with.
   * Where those that were known are forgotten for a report, every one is.
   * Keys that do not answer keep nobody out for it; where they do not open what is kept, it begins anew.
   */
  async recognize(account: Account, source: LoginSource): Promise<Recognized> {
    const { browsers, userId } = account;
    const context = browserContext(userId);
    const token = source.browserToken ?? randomToken();
    const known = await this.opened(browsers, context).catch(() => undefined);
    if (known === undefined) return { account, events: [] };
    const { digests, isBegun, key, sealed } = known;
    const found = findDigest(key, token, digests, context);
    const others = digests.filter((_digest, index) => index !== found);
    const remembered = this.remembered(browsers, (address) => digestOf(key, address, context), source);
    const next = {
      key: sealed,
      digests: [digestOf(key, token, context), ...others].slice(0, MOST_BROWSERS),
      ...remembered,
    };
    const isNew = found < 0 && !isBegun;
    return {
      account: { ...account, browsers: next },
      events: isNew ? [{ action: "new-browser", label: source.label }] : [],
      written: () => {
        source.keepBrowser(token);
      },
    };
  }

  /**
   * Whether the account was signed in on this browser before, and from this address.
   * @throws UnavailableError where the keys do not answer
   */
  async knows(
    { browsers, userId }: Account,
    { browserToken, client: { ip } }: LoginSource,
  ): Promise<{ readonly browser: boolean; readonly address: boolean }> {
    if (browsers === undefined) return { browser: false, address: false };
    const context = browserContext(userId);
    const { digests, key } = await this.opened(browsers, context);
    const isIn = (text: string | undefined, list: readonly string[]): boolean =>
      text !== undefined && findDigest(key, text, list, context) >= 0;
    return {
      browser: isIn(browserToken, digests),
      address: isIn(ip && addressText(ip), browsers.addresses ?? []),
    };
  }

  /** What a policy that weighs logins is to know of this one at the next. */
  private remembered(
    { addresses = [] }: Partial<Known> = {},
    digest: (text: string) => string,
    { client: { ip } }: LoginSource,
  ): Pick<Known, "addresses" | "at"> {
    const { clock, remembersLogins } = this.remembering;
    if (!remembersLogins) return {};
    const own = ip === undefined ? [] : [digest(addressText(ip))];
    const others = addresses.filter((each) => !own.includes(each));
    return { addresses: [...own, ...others].slice(0, MOST_BROWSERS), at: clock() };
  }

  private async opened(browsers: Known | undefined, context: KeyContext): Promise<Opened> {
    const begun = async (): Promise<Opened> => {
      return { digests: [], isBegun: true, ...(await newDigestKey(this.keys, context)) };
    };
    if (browsers === undefined) return begun();
    try {
      const key = await openDigestKey(this.keys, browsers.key, context);
      return { digests: browsers.digests, isBegun: false, key, sealed: await this.keys.reseal(browsers.key, context) };
    } catch (error) {
      if (isSilence(error)) throw error;
      return begun();
    }
  }
}
