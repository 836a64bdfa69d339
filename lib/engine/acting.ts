import type { Login } from "../core/account.js";
import { type Acting, ACTING_LIFE } from "../core/acting.js";
import { sighted } from "../core/logins.js";
import { randomId } from "../crypto/random.js";
import type { SessionRecord } from "../policy/assess.js";
import { statedBy } from "./account-imports.js";
import type { EngineDependencies } from "./dependencies.js";
import { type LoginContext, type Newcomer, recordOfListed, subjectOf, weighed } from "./login-context.js";
import { withLogin } from "./logins.js";
import { openingOf } from "./openings.js";

/** Who of the staff acts for a user, and why. */
export interface ActingFor {
  readonly actor: string;
  readonly reason: string;
}

/** Logins of staff who act for a user, without anything that is the user's. */
export class ActingLogins {
  constructor(private readonly dependencies: EngineDependencies) {}

  /** Lists one, under the id of its session. It shows nothing, and nothing is shown to it. */
  async begin(
    newcomer: Newcomer,
    id: string,
    { actor, reason }: ActingFor,
  ): Promise<LoginContext & { readonly session: SessionRecord }> {
    const { clock, records, uses } = this.dependencies;
    const subject = { ...subjectOf(newcomer), actor };
    const { record, result } = await records.change(subject, ({ account }, now) => {
      const acting: Acting = { actor, since: now };
      const opening = openingOf(this.dependencies, undefined, now);
      const sight = { ...newcomer.source.sight, life: ACTING_LIFE };
      const listed: Login = { id, stage: randomId(), at: now, proofs: [], used: true, ...sighted(sight, now) };
      const login: Login = { ...listed, ...opening, acting };
      const { account: next, events } = withLogin(account, login, uses, now);
      const told = { action: "acting-login", label: login.label, ...statedBy(reason) };
      return { account: next, events: [...events, told], result: login };
    });
    const { unmarked: _marked, ...marked } = newcomer;
    const before = weighed({ ...marked, session: undefined }, record, clock());
    const session = recordOfListed(before, result, record.account.sessionEpoch);
    const login = { ...weighed({ ...marked, session }, record, clock()), session };
    return result.opening === undefined ? login : { ...login, opens: true };
  }
}
