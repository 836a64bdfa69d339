import { unknownNames } from "../core/option-names.js";
import { milliseconds, notADuration } from "./durations.js";
import { hoursProblems } from "./hours.js";
import { networkProblems } from "./networks.js";
import { isDecision, type PolicyRules } from "./policy.js";

type Rule = keyof PolicyRules<unknown, unknown>;
type Given = { readonly [Name in Rule]?: unknown };

function isDate(value: unknown): boolean {
  const isGiven = typeof value === "string" || value instanceof Date;
  return isGiven && !Number.isNaN(new Date(value).getTime());
}

function mustBe(what: string, accepts: (value: unknown) => boolean): (value: unknown, name: Rule) => string[] {
  return (value, name) => (accepts(value) ? [] : [`policy.${name}: must be ${what}`]);
}

const PROBLEMS: Readonly<Record<Rule, (value: unknown, name: Rule) => string[]>> = {
  require: mustBe("true, false, or a function", (value) => typeof value === "boolean" || typeof value === "function"),
  graceUntil: (value) =>
    isDate(value) ? [] : ['policy.graceUntil: not a date; write one as "2027-01-31" or pass a Date'],
  grace: (value) =>
    milliseconds(value) === undefined ? [`policy.grace: ${notADuration(JSON.stringify(value), '"14d"')}`] : [],
  trustedNetworks: (value) =>
    Array.isArray(value)
      ? networkProblems(value)
      : ['policy.trustedNetworks: must be a list of CIDR ranges such as ["10.0.0.0/8"]'],
  hours: hoursProblems,
  evaluate: mustBe("a function", (value) => typeof value === "function"),
};

function hoursFit({ hours, trustedNetworks }: Given): string[] {
  const hasNetworks = !Array.isArray(trustedNetworks) || trustedNetworks.length > 0;
  if (hours === undefined || (trustedNetworks !== undefined && hasNetworks)) return [];
  return [
    "policy.hours: these are the hours of trustedNetworks, and there are none; name the networks, or leave it out",
  ];
}

/** A time of grace alone reads as if everybody had to have a factor after it, and nobody would. */
function graceFit({ evaluate, require = false, ...given }: Given): string[] {
  if (evaluate !== undefined || require !== false) return [];
  const times = (["graceUntil", "grace"] as const).filter((name) => given[name] !== undefined);
  return times.map(
    (name) => `policy.${name}: nobody has to have a factor, so nobody is in grace; write require: true beside it`,
  );
}

/** What is wrong with the rules, each with its mend. */
export function policyProblems(policy: unknown): string[] {
  if (policy === undefined || typeof policy === "function" || isDecision(policy)) return [];
  if (typeof policy !== "object" || policy === null) {
    return ['policy: give "required", "optional", "exempt", a function, or an object of rules'];
  }
  const given = Object.entries(policy).filter(([name, value]) => Object.hasOwn(PROBLEMS, name) && value !== undefined);
  return [
    ...unknownNames(policy, Object.keys(PROBLEMS), "policy."),
    ...given.flatMap(([name, value]) => PROBLEMS[name as Rule](value, name as Rule)),
    ...hoursFit(policy),
    ...graceFit(policy),
  ];
}
