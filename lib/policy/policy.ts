import { BlockList, isIP } from "node:net";
import type { PolicyDecision } from "../core/nouns.js";

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

function addRange(networks: BlockList, range: string): boolean {
  const [address = "", bits = ""] = range.split("/");
  const version = isIP(address);
  const prefix = /^[0-9]{1,3}$/.test(bits) ? Number(bits) : NaN;
  if (version === 0 || !(prefix >= 0 && prefix <= (version === 4 ? 32 : 128))) return false;
  networks.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
  return true;
}

/** What is wrong with the rules, each with its mend. */
export function policyProblems(policy: unknown): string[] {
  if (policy === undefined || typeof policy === "function" || isDecision(policy)) return [];
  if (typeof policy !== "object" || policy === null) {
    return ['policy: give "required", "optional", "exempt", a function, or an object of rules'];
  }
  const { graceUntil, trustedNetworks = [] } = policy as PolicyRules<unknown, unknown>;
  const problems = [...trustedNetworks]
    .filter((range) => !addRange(new BlockList(), range))
    .map((range) => `policy.trustedNetworks: "${range}" is not a CIDR range such as 10.0.0.0/8`);
  if (graceUntil !== undefined && Number.isNaN(new Date(graceUntil).getTime())) {
    problems.push('policy.graceUntil: not a date; write one as "2027-01-31" or pass a Date');
  }
  return problems;
}

/** One function for whatever the `policy` option holds. `now` in milliseconds since the epoch. */
export type Decide<Req, User> = (user: User, req: Req, now: number) => Promise<PolicyDecision>;

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

export function createPolicy<Req extends { readonly ip?: string | undefined }, User>(
  policy: Policy<Req, User>,
): Decide<Req, User> {
  if (isDecision(policy)) return async () => policy;
  const decide = typeof policy === "function" ? policy : fromRules(policy);
  return async function decideStrictly(user, req, now) {
    const decision: unknown = await decide(user, req, now);
    // A policy that forgets an answer must not read as "exempt".
    if (!isDecision(decision)) throw new TypeError(`policy answered ${String(decision)}`);
    return decision;
  };
}
