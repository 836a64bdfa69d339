import type { Account } from "../core/account.js";
import type { Client, PolicyDecision, UserId } from "../core/nouns.js";
import type { Subject } from "../events/emitter.js";
import type { Attempter } from "../limits/attempts.js";
import { type Asker, changeProblem, type Freshness } from "../policy/access.js";
import { assess, type Mark, type Standing } from "../policy/assess.js";
import type { Problem } from "../core/errors.js";
import type { Versioned } from "./records.js";

/** Where somebody comes from. Read from the request when it is asked for: most requests need none of it. */
export interface Arrival {
  readonly client: Client;
  /** Presented token of a trusted device. */
  readonly deviceToken: string | undefined;
  /** A short name of their browser, such as "Firefox on Linux". */
  readonly label: string;
}

/** A logged-in somebody as the engine sees them: no request, only what was read from one. */
export interface Visitor {
  readonly userId: UserId;
  /** What their session remembers; undefined where nobody marked the login. */
  readonly mark: Mark | undefined;
  readonly decision: PolicyDecision;
  readonly arrival: Arrival;
  /** The first factor was given again with this very request. */
  readonly reconfirmed?: boolean;
  /** The account as already read for this request. */
  readonly known?: Versioned;
}

export function standingOf(visitor: Visitor, account: Account, now: number): Standing {
  return assess({ account, mark: visitor.mark, decision: visitor.decision, now });
}

/** Why the visitor may not change this account now; undefined where they may. */
export function changeRefusal(
  visitor: Visitor,
  account: Account,
  now: number,
  freshness: Freshness,
): Problem | undefined {
  const { mark, reconfirmed = false } = visitor;
  const asker: Asker = { standing: standingOf(visitor, account, now), mark, now, reconfirmed };
  return changeProblem(asker, freshness);
}

/** Id of the trusted device the visitor's token names; nothing is proved by it. */
export function deviceIdOf({ arrival }: Visitor): string | undefined {
  return arrival.deviceToken?.split(".")[0];
}

export function subjectOf({ arrival, userId }: Pick<Visitor, "arrival" | "userId">): Subject {
  return { userId, client: arrival.client };
}

/** Who tries, for the limits and for the audit trail. */
export function trierOf(visitor: Pick<Visitor, "arrival" | "userId">): {
  readonly attempter: Attempter;
  readonly subject: Subject;
} {
  const subject = subjectOf(visitor);
  return { subject, attempter: { userId: visitor.userId, address: subject.client?.ip } };
}
