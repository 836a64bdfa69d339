import { type Account, isBare, type Login } from "../core/account.js";
import { addLogin, displacedLogins, isNewsOf, type LastUse, seeLogin, sighted, withLife } from "../core/logins.js";
import { LruMap } from "../core/lru-map.js";
import type { AccountEvent } from "../events/audit.js";
import { listedAt, type SessionRecord } from "../policy/assess.js";
import type { EngineDependencies } from "./dependencies.js";
import { recognizedWith } from "./known-browsers.js";
import { listedLogin, type LoginContext, subjectOf, weighed } from "./login-context.js";
import { openingOf } from "./openings.js";

/** When each login was last used, as far as this process knows: it is written down only now and then. */
export type LoginUses = LruMap<string, number>;

const MOST_USES = 20_000;

export function createUses(): LoginUses {
  return new LruMap(MOST_USES);
}

export function lastUseIn(uses: LoginUses): LastUse {
  return (id) => uses.get(id);
}

/** An account with one login more, and what is told of those that had to make room. */
export function withLogin(
  account: Account,
  login: Login,
  uses: LoginUses,
  now: number,
): { readonly account: Account; readonly events: readonly AccountEvent[] } {
  const next = addLogin(account, login, now, lastUseIn(uses));
  const events = displacedLogins(account, next, now).map(({ label }) => ({ action: "session-displaced", label }));
  return { account: next, events };
}

/** A complete login that no session has marked as listed yet: what it is weighed by, and what its session is to say of it. */
export interface Unlisted {
  readonly login: LoginContext;
  readonly session: SessionRecord;
}

/** The login whose record an application moved to a session of another id. More than a first factor is not moved with it. */
function continued(account: Account, { unmarked }: LoginContext): Login | undefined {
  const login = unmarked?.copied && listedAt(unmarked.copied, account);
  return login !== undefined && isBare(login) ? login : undefined;
}

/** The list of an account's complete logins: who comes onto it, and when they were last seen. */
export class Logins {
  constructor(private readonly dependencies: EngineDependencies) {}

  /**
   * Lists a login, once however many of its requests come at the same time. The account is looked at again: where the login turns
   * out to be over, or not complete, it is answered as that and nothing is written.
   */
  async list({ login, session }: Unlisted): Promise<LoginContext> {
    const { clock, records, uses } = this.dependencies;
    const { record, result } = await records.change<{ readonly login: Login; readonly opens?: true } | undefined>(
      subjectOf(login),
      async (current, now) => {
        const { account } = current;
        if (weighed(login, current, now).status.status !== "not-enrolled") return { result: undefined };
        const known = continued(account, login) ?? account.logins.find(({ id }) => id === session.id);
        if (known !== undefined) return { result: { login: known } };
        const { opening } = openingOf(this.dependencies, session, now);
        const step = { id: session.id, at: session.at, proofs: [], ...(opening && { opening }) };
        const listed: Login = { ...step, ...sighted(login.source.sight, now) };
        const opens = opening !== undefined;
        const next = withLogin(account, listed, uses, now);
        const { events, ...seen } = await recognizedWith(this.dependencies, login, next.account);
        return { ...seen, events: [...next.events, ...events], result: { login: listed, ...(opens && { opens }) } };
      },
      login.record,
    );
    if (result === undefined) return weighed(login, record, clock());
    const { unmarked: _marked, ...marked } = login;
    const epoch = record.account.sessionEpoch;
    const { at, id, stage } = result.login;
    const { carried: _used, ...kept } = session;
    const listed: SessionRecord = { ...kept, step: "second", id, at, epoch, ...(stage !== undefined && { stage }) };
    const seen = weighed({ ...marked, session: listed }, record, clock());
    return result.opens === true ? { ...seen, opens: true } : seen;
  }

  /** When this process saw a login last; undefined where it did not. */
  lastUse(id: string): number | undefined {
    return this.dependencies.uses.get(id);
  }

  /** Writes down that the session of a login has come to live longer or shorter than when it was listed. */
  async prolong(login: LoginContext): Promise<void> {
    const own = listedLogin(login);
    const { life } = login.source;
    if (own === undefined || own.life === life) return;
    await this.dependencies.records.change<undefined>(
      subjectOf(login),
      ({ account }) => {
        const listed = listedAt(own, account);
        if (listed === undefined || listed.life === life) return { result: undefined };
        const next = withLife(listed, life);
        const logins = account.logins.map((each) => (each === listed ? next : each));
        return { account: { ...account, logins }, result: undefined };
      },
      login.record,
    );
  }

  /** Notes that a login was used, and writes it down where that is due. A store that takes no writes signs nobody out. */
  async see(login: LoginContext): Promise<LoginContext> {
    const { clock, records, uses } = this.dependencies;
    const own = listedLogin(login);
    if (own === undefined) return login;
    const now = clock();
    uses.set(own.id, now);
    const { life } = login.source;
    if (!isNewsOf(own, life, now)) return login;
    try {
      const { record } = await records.change<undefined>(
        subjectOf(login),
        ({ account }) => {
          const listed = listedAt(own, account);
          const isNews = listed !== undefined && isNewsOf(listed, life, now);
          if (!isNews) return { result: undefined };
          return { account: seeLogin(account, listed, login.source.sight, now), result: undefined };
        },
        login.record,
      );
      return weighed(login, record, clock());
    } catch {
      return login;
    }
  }
}
