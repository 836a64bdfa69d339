import { BlockList, isIP } from "node:net";
import type { PolicyDecision } from "../core/nouns.js";
import { within } from "../core/within.js";

/** Decides for one user on one request. May be async; a rejection refuses the request. */
export type Evaluate<Req, User> = (user: User, req: Req) => PolicyDecision | Promise<PolicyDecision>;

export interface PolicyRules<Req, User> {
  /** Who must have a second factor: everyone, or those the function names. Default: nobody. */
  readonly require?: boolean | ((user: User, req: Req) => boolean | Promise<boolean>);
  /** Until then, required users without a factor are only invited. A date, or its ISO text. */
  readonly graceUntil?: Date | string;
  /** CIDR ranges from which nobody is challenged (`10.0.0.0/8`). Needs a correct `trust proxy`. Default: none. */
  readonly trustedNetworks?: readonly string[];
  /** Decides alone, after `trustedNetworks`; `require` is then not asked. */
  readonly evaluate?: Evaluate<Req, User>;
}

export type Policy<Req, User> = PolicyDecision | Evaluate<Req, User> | PolicyRules<Req, User>;

const DECISIONS: readonly unknown[] = ["required", "optional", "exempt"] satisfies PolicyDecision[];

export function isDecision(value: unknown): value is PolicyDecision {
  return DECISIONS.includes(value);
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
    if (!(name in RULES)) return [`policy.${name}: there is no such rule; there are ${Object.keys(RULES).join(", ")}`];
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
export type Decide<Req, User> = (user: User, req: Req, now: number) => PolicyDecision | Promise<PolicyDecision>;

function fromRules<Req extends { readonly ip?: string | undefined }, User>(
  rules: PolicyRules<Req, User>,
): Decide<Req, User> {
  const networks = new BlockList();
  for (const range of rules.trustedNetworks ?? []) addRange(networks, range);
  const deadline = rules.graceUntil === undefined ? -Infinity : new Date(rules.graceUntil).getTime();
  return async function decideByRules(user, req, now) {
    const version = isIP(req.ip ?? "");
    if (version !== 0 && networks.check(req.ip ?? "", version === 4 ? "ipv4" : "ipv6")) return "exempt";
    if (rules.evaluate !== undefined) return rules.evaluate(user, req);
    const required = typeof rules.require === "function" ? await rules.require(user, req) : rules.require === true;
    return required && now >= deadline ? "required" : "optional";
  };
}

/** `timeout`: longest wait for a decision, in milliseconds. */
export function createPolicy<Req extends { readonly ip?: string | undefined }, User>(
  policy: Policy<Req, User>,
  timeout: number,
): Decide<Req, User> {
  if (isDecision(policy)) return () => policy;
  const decide = typeof policy === "function" ? policy : fromRules(policy);
  return async function decideStrictly(user, req, now) {
    // A policy that forgets to answer must not read as "exempt", and one that hangs must not hold the request.
    return within("The policy", timeout, () => decide(user, req, now), isDecision);
  };
}
