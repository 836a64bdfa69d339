import type { Request } from "express";
import type { Account } from "../core/account.js";
import type { MethodType, Status, UserId } from "../core/nouns.js";
import type { Risen } from "../engine/risen.js";
import type { Visitor } from "../engine/visitor.js";
import type { Standing } from "../policy/assess.js";
import type { AppUser } from "../options/settings.js";

/** `req.secondFactor`: what this request's login is worth. */
export interface SecondFactorState {
  readonly status: Status;
  /** The user, where there is one: while a second factor is due, here and not in `req.user`. */
  readonly user?: Express.User;
  /** Methods the user can be asked for. */
  readonly methods: readonly MethodType[];
  /** RFC 8176 values of the proofs given; empty for a trusted device. */
  readonly amr: readonly string[];
  /** Level in the sense of NIST SP 800-63B-4: 2 with a real second factor, else 1; 0 without a login. */
  readonly aal: 0 | 1 | 2;
  readonly phishingResistant: boolean;
  /** When a second factor was last really proved. Activity does not renew it, a trusted device does not set it. */
  readonly verifiedAt?: Date;
  /** A second factor exists. */
  readonly enrolled: boolean;
}

declare global {
  // Express's own way of extending its types.
  namespace Express {
    interface Request {
      /** Set by the `secondFactor` middleware on every request that passes it. */
      secondFactor: SecondFactorState;
    }
  }
}

/** A login that is not over: its user, and what it is worth. */
export interface Visit {
  readonly user: AppUser;
  readonly userId: UserId;
  readonly visitor: Visitor;
  readonly account: Account;
  readonly standing: Exclude<Standing, { status: "ended" }>;
}

/** What the middleware knows of one request. Kept beside it, where no other code can reach or fake it. */
export interface RequestState {
  /** Where the routes live, as the browser sees them. */
  readonly base: string;
  visit: Visit | undefined;
  /** A login was presented that is over. */
  hasEnded: boolean;
  /** A strategy proved a second factor, or found none due; the `logIn` that follows goes on with this login. */
  risen: Pick<Risen, "account" | "mark"> | undefined;
  /** The strategy that gave the first factor of the login at hand, where it is one of ours. */
  first: MethodType | undefined;
  /** Ends the login in the session; what the application keeps there goes with it, unless its user just turned away. */
  forget: (keepsData: boolean) => Promise<void>;
}

const states = new WeakMap<Request, RequestState>();

async function nothing(): Promise<void> {
  // Until the hand-over is installed there is no login to forget.
}

export function beginState(req: Request, path: string): RequestState {
  const state: RequestState = {
    // Under a pattern the mount path is the client's own words; two slashes would name another host.
    base: (req.baseUrl + path).replace(/^[/\\]+/, "/"),
    visit: undefined,
    hasEnded: false,
    risen: undefined,
    first: undefined,
    forget: nothing,
  };
  states.set(req, state);
  return state;
}

/** Where owners manage their factors, as the browser sees it. */
export function settingsPath({ base }: RequestState): string {
  return `${base}/settings`;
}

/** Undefined on a request that did not pass the middleware. */
export function stateOf(req: Request): RequestState | undefined {
  return states.get(req);
}
