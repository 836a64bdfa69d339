import { UnavailableError } from "../core/errors.js";
import type { PolicyDecision } from "../core/nouns.js";
import { isAnything, within } from "../core/within.js";
import type { LoginDecision } from "./decisions.js";
import { type Duration, milliseconds } from "./durations.js";
import type { Grace } from "./grace.js";
import { type Hours, withinHours } from "./hours.js";
import { withinNetworks } from "./networks.js";

/** How a login was made. No client chooses any of it. */
export interface LoginFacts {
  /**
   * False for a login of one request (`session: false`: Basic, bearer tokens), which has no second step to come. True where the
   * session keeps it, and for users who are on the request already when they come to the middleware.
   */
  readonly session: boolean;
}

/**
 * What is known of an account beside a login that is being made, for a function that weighs its risk. Only of logins that were complete,
 * and only since such a function is configured: at first everything is new. Wrong passwords are the application's to know.
 */
export interface RiskFacts {
  /** The account has a second factor. */
  readonly hasFactor: boolean;
  /** The browser shows a token by which it would not be asked for one. */
  readonly trustedBrowser: boolean;
  /** The account was not signed in on this browser before, as far as the last 20 go. */
  readonly newBrowser: boolean;
  /**
   * Nor from this address (of IPv6 its first 64 bits), as far as the last 20 go. Also where `trust proxy` does not fit what comes: then
   * nobody can say.
   */
  readonly newAddress: boolean;
  /** Milliseconds since the last login was complete; undefined: none is known. */
  readonly sinceLastLogin: number | undefined;
  /** Wrong second factors in a row since the last right one. */
  readonly failures: number;
}

/** What a policy answers of one login: let it in, ask for a second factor whatever else would do, or refuse it. */
export type RiskVerdict = "allow" | "challenge" | "deny";

/**
 * Decides for one user on one request. May be async; a rejection, any other answer, and silence refuse the request. A function that
 * declares the fourth parameter is asked once for each login, when it is made; any other at each request.
 */
export type Evaluate<Req, User> = (
  user: User,
  req: Req,
  login: LoginFacts,
  facts: RiskFacts,
) => PolicyDecision | RiskVerdict | Promise<PolicyDecision | RiskVerdict>;

export interface PolicyRules<Req, User> {
  /** Who must have a second factor: everyone, or those the function names. Default: nobody. */
  readonly require?: boolean | ((user: User, req: Req, login: LoginFacts) => boolean | Promise<boolean>);
  /** Until then, required users without a factor are only invited. A date, or its ISO text. */
  readonly graceUntil?: Date | string;
  /**
   * For so long, from the first login at which a factor was demanded that they did not have, each of them is only invited. Written down
   * once and never renewed, whatever they set up and remove. Beside `graceUntil` the later of the two holds. Default: none.
   */
  readonly grace?: Duration;
  /**
   * CIDR ranges from which nobody is challenged (`10.0.0.0/8`). Needs a correct `trust proxy`: a request whose forwarded headers do
   * not agree with it is from none of them. Does NOT do for what `mfa.require` asks. Default: none.
   */
  readonly trustedNetworks?: readonly string[];
  /** Only then the networks are trusted. Default: always. */
  readonly hours?: readonly Hours[];
  /** Decides alone, after `trustedNetworks`; `require` is then not asked. */
  readonly evaluate?: Evaluate<Req, User>;
}

export type Policy<Req, User> = PolicyDecision | Evaluate<Req, User> | PolicyRules<Req, User>;

const DECISIONS: readonly unknown[] = ["exempt", "optional", "required"] satisfies PolicyDecision[];
const VERDICTS: readonly unknown[] = ["allow", "challenge", "deny"] satisfies RiskVerdict[];

export function isDecision(value: unknown): value is PolicyDecision {
  return DECISIONS.includes(value);
}

type Answer = PolicyDecision | RiskVerdict;

function isAnswer(value: unknown): value is Answer {
  return isDecision(value) || VERDICTS.includes(value);
}

/** What it answered is the application's, and is not repeated. @throws UnavailableError that says what it may answer */
function answerIn(value: unknown): Answer {
  if (isAnswer(value)) return value;
  const words = [...DECISIONS, ...VERDICTS].map((word) => JSON.stringify(word));
  throw new UnavailableError(`The policy answered none of ${words.join(", ")}`);
}

/** What a policy may be asked of: a request with an address. */
interface Addressed {
  readonly ip?: string | undefined;
}

/** How a policy is asked. */
export interface PolicySettings<Req> {
  /** Longest wait for a decision, in milliseconds. */
  readonly timeout: number;
  /** Whether the address of a request is the client's, as far as anybody can tell. */
  readonly isAddressCertain: (req: Req) => boolean;
}

/** Whatever the `policy` option holds, ready to be asked. */
export interface AskedPolicy<Req, User> {
  /** The one decision for everybody, where the policy is no more than that. */
  readonly fixed: PolicyDecision | undefined;
  readonly grace: Grace | undefined;
  /** Its function weighs a login by what is known of the account: it is asked once for each. */
  readonly takesFacts: boolean;
  /** Whether the request comes from a place where nobody is asked. `now` in milliseconds since the epoch. */
  readonly isTrusted: (req: Req, now: number) => boolean;
  /** `facts`: undefined where it takes none. */
  readonly ask: (
    user: User,
    req: Req,
    login: LoginFacts,
    facts: RiskFacts | undefined,
  ) => Promise<LoginDecision | "deny">;
}

/** Of a function's parameters, up to the facts. */
const WITH_FACTS = 4;

type Ask<Req, User> = AskedPolicy<Req, User>["ask"];

function asking<Req, User>(evaluate: Evaluate<Req, User>, timeout: number): Ask<Req, User> {
  const takesFacts = evaluate.length >= WITH_FACTS;
  const asked = evaluate as (...given: unknown[]) => unknown;
  return async function askOfLogin(user, req, login, facts) {
    const given = takesFacts ? [user, req, login, facts] : [user, req, login];
    // A policy that forgets to answer must not read as "exempt", and one that hangs must not hold the request.
    const answer = answerIn(await within("The policy", timeout, () => asked(...given), isAnything));
    if (answer === "allow" || answer === "exempt") return takesFacts ? "allow" : "exempt";
    return answer;
  };
}

function requiring<Req, User>({ require = false }: PolicyRules<Req, User>, timeout: number): Ask<Req, User> {
  return async function askWhoMust(user, req, login) {
    const ask = async (): Promise<LoginDecision> => {
      const required: unknown = typeof require === "function" ? await require(user, req, login) : require;
      // A rule that forgets to answer must not read as "nobody must".
      if (typeof required !== "boolean") throw new UnavailableError("policy.require answered neither true nor false");
      return required ? "required" : "optional";
    };
    return within("The policy", timeout, ask, isDecision);
  };
}

function graceOf({ grace, graceUntil }: PolicyRules<never, never>): Grace | undefined {
  if (grace === undefined && graceUntil === undefined) return undefined;
  return {
    until: graceUntil === undefined ? undefined : new Date(graceUntil).getTime(),
    period: milliseconds(grace),
  };
}

function fromRules<Req extends Addressed, User>(
  rules: PolicyRules<Req, User>,
  { isAddressCertain, timeout }: PolicySettings<Req>,
): AskedPolicy<Req, User> {
  const { evaluate, hours, trustedNetworks = [] } = rules;
  const isInside = withinNetworks(trustedNetworks);
  const isTime = hours === undefined ? () => true : withinHours(hours);
  return {
    fixed: undefined,
    grace: graceOf(rules),
    takesFacts: evaluate !== undefined && evaluate.length >= WITH_FACTS,
    isTrusted: (req, now) => trustedNetworks.length > 0 && isAddressCertain(req) && isInside(req.ip) && isTime(now),
    ask: evaluate === undefined ? requiring(rules, timeout) : asking(evaluate, timeout),
  };
}

/** @see AskedPolicy */
export function createPolicy<Req extends Addressed, User>(
  policy: Policy<Req, User>,
  settings: PolicySettings<Req>,
): AskedPolicy<Req, User> {
  if (!isDecision(policy)) return fromRules(typeof policy === "function" ? { evaluate: policy } : policy, settings);
  return {
    fixed: policy,
    grace: undefined,
    takesFacts: false,
    isTrusted: () => false,
    ask: () => Promise.resolve(policy),
  };
}
