import { BlockList, isIP } from "node:net";
import { UnavailableError } from "../core/errors.js";
import type { PolicyDecision } from "../core/nouns.js";
import { unknownNames } from "../core/option-names.js";
import { within } from "../core/within.js";

/** How a login was made. No client chooses any of it. */
export interface LoginFacts {
  /**
   * False for a login of one request (`session: false`: Basic, bearer tokens), which has no second step to come. True where the
   * session keeps it, and for users who are on the request already when they come to the middleware.
   */
  readonly session: boolean;
}

/** Decides for one user on one request. May be async; a rejection, or any other answer, refuses the request. */
export type Evaluate<Req, User> = (user: User, req: Req, login: LoginFacts) => PolicyDecision | Promise<PolicyDecision>;

export interface PolicyRules<Req, User> {
  /** Who must have a second factor: everyone, or those the function names. Default: nobody. */
  readonly require?: boolean | ((user: User, req: Req, login: LoginFacts) => boolean | Promise<boolean>);
  /** Until then, required users without a factor are only invited. A date, or its ISO text. */
  readonly graceUntil?: Date | string;
  /**
   * CIDR ranges from which nobody is challenged (`10.0.0.0/8`). Needs a correct `trust proxy`: a request whose forwarded headers do
   * not agree with it is from none of them. Default: none.
   */
  readonly trustedNetworks?: readonly string[];
  /** Decides alone, after `trustedNetworks`; `require` is then not asked. */
  readonly evaluate?: Evaluate<Req, User>;
}

export type Policy<Req, User> = PolicyDecision | Evaluate<Req, User> | PolicyRules<Req, User>;

/** From the one that asks least. */
const DECISIONS: readonly unknown[] = ["exempt", "optional", "required"] satisfies PolicyDecision[];

export function isDecision(value: unknown): value is PolicyDecision {
  return DECISIONS.includes(value);
}

/** Of two decisions the one that asks more. */
export function stricter(one: PolicyDecision, other: PolicyDecision): PolicyDecision {
  return DECISIONS.indexOf(one) > DECISIONS.indexOf(other) ? one : other;
}

function addRange(networks: BlockList, range: unknown): boolean {
  if (typeof range !== "string") return false;
  const [address = "", bits = ""] = range.split("/");
  const version = isIP(address);
  const prefix = /^[0-9]{1,3}$/.test(bits) ? Number(bits) : NaN;
  if (version === 0 || !(prefix >= 0 && prefix <= (version === 4 ? 32 : 128))) return false;
  networks.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
  return true;
}

const RULES: Readonly<Record<keyof PolicyRules<unknown, unknown>, string>> = {
  require: "true, false, or a function",
  graceUntil: 'a date such as "2027-01-31"',
  trustedNetworks: 'a list of CIDR ranges such as ["10.0.0.0/8"]',
  evaluate: "a function",
};

function isRule(name: keyof PolicyRules<unknown, unknown>, value: unknown): boolean {
  if (value === undefined) return true;
  if (name === "trustedNetworks") return Array.isArray(value);
  if (name === "graceUntil") return typeof value === "string" || value instanceof Date;
  return typeof value === "function" || (name === "require" && typeof value === "boolean");
}

function ruleProblems(rules: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(rules).flatMap(([name, value]) => {
    if (!Object.hasOwn(RULES, name)) return unknownNames({ [name]: value }, Object.keys(RULES), "policy.");
    const rule = name as keyof typeof RULES;
    return isRule(rule, value) ? [] : [`policy.${name}: must be ${RULES[rule]}`];
  });
}

/** What is wrong with the rules, each with its mend. */
export function policyProblems(policy: unknown): string[] {
  if (policy === undefined || typeof policy === "function" || isDecision(policy)) return [];
  if (typeof policy !== "object" || policy === null) {
    return ['policy: give "required", "optional", "exempt", a function, or an object of rules'];
  }
  const problems = ruleProblems(policy as Readonly<Record<string, unknown>>);
  if (problems.length > 0) return problems;
  const { graceUntil, trustedNetworks = [] } = policy as PolicyRules<unknown, unknown>;
  problems.push(
    ...trustedNetworks
      .filter((range) => !addRange(new BlockList(), range))
      .map((range) => `policy.trustedNetworks: "${range}" is not a CIDR range such as 10.0.0.0/8`),
  );
  if (graceUntil !== undefined && Number.isNaN(new Date(graceUntil).getTime())) {
    problems.push('policy.graceUntil: not a date; write one as "2027-01-31" or pass a Date');
  }
  return problems;
}

/** One function for whatever the `policy` option holds. `now` in milliseconds since the epoch. */
export type Decide<Req, User> = (
  user: User,
  req: Req,
  login: LoginFacts,
  now: number,
) => PolicyDecision | Promise<PolicyDecision>;

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

function fromRules<Req extends Addressed, User>(
  rules: PolicyRules<Req, User>,
  { isAddressCertain }: PolicySettings<Req>,
): Decide<Req, User> {
  const { evaluate, graceUntil, require = false, trustedNetworks = [] } = rules;
  const networks = new BlockList();
  for (const range of trustedNetworks) addRange(networks, range);
  const deadline = graceUntil === undefined ? -Infinity : new Date(graceUntil).getTime();
  const isTrusted = (req: Req): boolean => {
    if (trustedNetworks.length === 0 || !isAddressCertain(req)) return false;
    const { ip = "" } = req;
    const version = isIP(ip);
    return version !== 0 && networks.check(ip, version === 4 ? "ipv4" : "ipv6");
  };
  return async function decideByRules(user, req, login, now) {
    if (isTrusted(req)) return "exempt";
    if (evaluate !== undefined) return evaluate(user, req, login);
    const required: unknown = typeof require === "function" ? await require(user, req, login) : require;
    // A rule that forgets to answer must not read as "nobody must".
    if (typeof required !== "boolean") throw new UnavailableError("policy.require answered neither true nor false");
    return required && now >= deadline ? "required" : "optional";
  };
}

export function createPolicy<Req extends Addressed, User>(
  policy: Policy<Req, User>,
  settings: PolicySettings<Req>,
): Decide<Req, User> {
  if (isDecision(policy)) return () => policy;
  const decide: Decide<Req, User> = typeof policy === "function" ? policy : fromRules(policy, settings);
  return async function decideStrictly(user, req, login, now) {
    // A policy that forgets to answer must not read as "exempt", and one that hangs must not hold the request.
    return within("The policy", settings.timeout, () => decide(user, req, login, now), isDecision);
  };
}
