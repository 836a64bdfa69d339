import type { Request, Response } from "express";
import type { MethodType, Status, UserId } from "../core/nouns.js";
import type { ActingFor } from "../engine/acting.js";
import type { LoginContext } from "../engine/login-context.js";
import type { SessionRecord } from "../policy/assess.js";
import type { Completion } from "./completion.js";
import { NEW_PHONE } from "../pages/new-phone-way.js";
import type { LastPages } from "./last-pages.js";
import type { PassportLogin } from "./passport-login.js";
import type { Places } from "./places.js";

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
  /** Policy demands a second factor of this user, who has none: until then they are only invited to set one up. Absent otherwise. */
  readonly graceUntil?: Date;
  /** The account was recovered not long ago: no `mfa.require` is satisfied before. Absent: it was not. */
  readonly probation?: { readonly until: Date };
  /** Who of the staff is signed in in the place of the user (`mfa.assertLogin`). Absent: nobody, it is the user's own login. */
  readonly actor?: string;
}

/** Options of a `req.logIn` whose caller answers for itself while a second factor is due. */
export interface InlineLogIn {
  readonly secondFactor: "inline";
  /** Default: true. */
  readonly session?: boolean;
  /** Default: false. */
  readonly keepSessionInfo?: boolean;
}

declare global {
  // Express's own way of extending its types.
  namespace Express {
    interface Request {
      /** Set by the `secondFactor` middleware on every request that passes it. */
      secondFactor: SecondFactorState;
      /**
       * For code that waits for the login: where a second factor is due the request is not answered, `done()` comes without an error,
       * the user is hidden, and `req.secondFactor.status` says so.
       */
      logIn(user: User, options: InlineLogIn, done: (error: unknown) => void): void;
      login(user: User, options: InlineLogIn, done: (error: unknown) => void): void;
    }
  }
}

/** What one middleware does with the logins of its requests. */
export interface LoginKeeper {
  readonly passportLogin: PassportLogin;
  readonly completion: Completion;
  readonly lastPages: LastPages;
  describe(login: LoginContext | undefined): SecondFactorState;
  /** Answers a request with which nobody goes on. */
  refuse(state: RequestState, error: unknown): void;
}

/** A login that a strategy has verified, or found nothing due for: the `logIn` that follows goes on with it. */
export type ReadyLogin = LoginContext & {
  readonly session: SessionRecord;
  /** Of the browser that came to be trusted with it, for its cookie once the login is open. */
  readonly deviceToken?: string | undefined;
};

/** What the middleware knows of one request. */
export class RequestState {
  /** A login was presented that is over. */
  hasEnded = false;
  /** The login at hand was made by this very request. */
  hasBegun = false;
  /** Nothing of the login at hand was due before this very request. */
  isNewlyDue = false;
  ready: ReadyLogin | undefined = undefined;
  /** The strategy that gave the first factor of the login at hand, where it is one of ours. */
  firstMethod: MethodType | undefined = undefined;
  /** The login that is made next is one of staff who act for its user. */
  actingFor: ActingFor | undefined = undefined;
  /** Whom staff acted for in the login that this very request has signed out. */
  actedFor: UserId | undefined = undefined;
  /** Where the middleware is mounted; further down the request's own changes. */
  readonly mountPath: string;
  private current: LoginContext | undefined = undefined;
  private described: SecondFactorState | undefined = undefined;

  constructor(
    readonly req: Request,
    readonly res: Response,
    readonly keeper: LoginKeeper,
    /** Where everything is, as the browser sees it. */
    readonly places: Places,
  ) {
    this.mountPath = req.baseUrl;
  }

  /** Where the routes live, as the browser sees them. */
  get base(): string {
    return this.places.base;
  }

  /** The login of this request; undefined where there is none, or it is over. */
  get login(): LoginContext | undefined {
    return this.current;
  }

  set login(login: LoginContext | undefined) {
    this.current = login;
    this.described = undefined;
  }

  /** Made when somebody asks: most requests never do. */
  get secondFactor(): SecondFactorState {
    this.described ??= this.keeper.describe(this.current);
    return this.described;
  }
}

/** No name that other code could come by. */
const STATE = Symbol("express-second-factor");

interface Carrier {
  [STATE]?: RequestState;
}

/**
 * What carries a request's state. Not the request: Express changes its prototype, and up to Node 22 every member that is added
 * after that makes a hidden class of its own, which the garbage collector pays for. The list of raw headers is a request's own as
 * well, and nobody copies or replaces it.
 */
function carrierOf(req: Request): Carrier {
  return ((req.rawHeaders as string[] | undefined) ?? req) as Carrier;
}

export function beginState(req: Request, res: Response, keeper: LoginKeeper, places: Places): RequestState {
  const state = new RequestState(req, res, keeper, places);
  carrierOf(req)[STATE] = state;
  return state;
}

/** Undefined on a request that did not pass the middleware, whatever was copied onto it. */
export function stateOf(req: Request): RequestState | undefined {
  const state = carriedState(req);
  return state?.req === req ? state : undefined;
}

/** The state of the request that this is, or is a copy of. */
export function carriedState(req: Request): RequestState | undefined {
  return carrierOf(req)[STATE];
}

/** Where a proof is asked for, as the browser sees it: by one method, for one operation, where these are given. */
export function challengePath(
  { base }: Pick<RequestState, "base">,
  { method, operation }: { readonly method?: MethodType; readonly operation?: string | undefined },
): string {
  const query = new URLSearchParams();
  if (method !== undefined) query.set("method", method);
  if (operation !== undefined) query.set("operation", operation);
  return query.size === 0 ? base : `${base}?${query.toString()}`;
}

/** Where whoever turns away from a confirmation goes: to where they came from, as far as that is known. */
export function wayBack(
  state: Pick<RequestState, "base" | "places">,
  { session }: Pick<LoginContext, "session">,
  operation?: { readonly backTo?: string },
): string {
  const backTo = operation === undefined ? session?.stepUp?.backTo : operation.backTo;
  const own = [settingsPath(state), newPhonePath(state)];
  const wanted = operation === undefined ? own.find((path) => path === session?.returnTo) : undefined;
  return backTo ?? wanted ?? state.places.home;
}

/** Where a new phone takes the place of an old one, as the browser sees it. */
export function newPhonePath({ base }: Pick<RequestState, "base">): string {
  return `${base}/${NEW_PHONE}`;
}

/** Where owners manage their factors, as the browser sees it. */
export function settingsPath({ base }: Pick<RequestState, "base">): string {
  return `${base}/settings`;
}
