import { ConfigurationError } from "../core/errors.js";
import { kindOf, USER_ID_KINDS, userIdOf } from "../core/user-ids.js";
import type { Accounts } from "./accounts.js";

// The application's own code is called from JavaScript too, and what it passes is often another system's answer.

/** What an argument must be: the words say it, the test tells. */
export interface Kind {
  readonly words: string;
  accepts(given: unknown): boolean;
}

export const TEXT: Kind = {
  words: "text that is not empty",
  accepts: (given) => typeof given === "string" && given !== "",
};
const ANY_TEXT: Kind = { words: "text", accepts: (given) => typeof given === "string" };
const FLAG: Kind = { words: "true or false", accepts: (given) => typeof given === "boolean" };
const RECORD: Kind = {
  words: "an object",
  accepts: (given) => typeof given === "object" && given !== null && !Array.isArray(given),
};
const MAYBE_TEXT: Kind = {
  words: "text, or undefined",
  accepts: (given) => given === undefined || typeof given === "string",
};
const TIME: Kind = {
  words: "a time: a Date, milliseconds since the epoch, or ISO 8601 text",
  accepts: (given) =>
    (given instanceof Date || typeof given === "number" || isIsoText(given)) &&
    Number.isFinite(new Date(given).getTime()),
};
/** Typed by a user, and judged as such: whatever it is, it has an answer. */
const ANYTHING: Kind = { words: "anything", accepts: () => true };

/** Of a date at least: everything else is read differently by different engines. */
function isIsoText(given: unknown): given is string {
  return typeof given === "string" && /^[0-9]{4}-[0-9]{2}-[0-9]{2}/.test(given);
}

/** Members of an object that is an option, as `ip` in `client`. */
type Members = Readonly<Record<string, Kind>>;

export interface Rules {
  /** Arguments after the user's id and before the options. */
  readonly given?: Members;
  readonly options?: Members;
  readonly within?: Readonly<Record<string, Members>>;
  readonly required?: readonly string[];
  /** An actor who is not the user, and a reason, have to be named: a `ConfigurationError` says so. */
  readonly isForStaff?: true;
}

const ACTOR = { actor: TEXT };

/** What staff do for somebody else. */
const STAFF: Rules = { options: { ...ACTOR, reason: TEXT }, isForStaff: true };

/** Every operation, and what it takes after the user's id. */
const RULES: { readonly [Name in keyof Accounts]: Rules } = {
  status: { options: ACTOR },
  factors: { options: ACTOR },
  verify: {
    options: { ...ACTOR, method: TEXT, code: ANYTHING, client: RECORD },
    within: { client: { ip: MAYBE_TEXT, userAgent: MAYBE_TEXT, requestId: MAYBE_TEXT } },
    required: ["method"],
  },
  removeFactor: { given: { factorId: TEXT }, options: ACTOR },
  reset: { options: ACTOR },
  regenerateBackupCodes: { options: ACTOR },
  revokeDevices: { options: ACTOR },
  signOutEverywhere: { options: ACTOR },
  reopenFactors: { options: ACTOR },
  cancelRecovery: STAFF,
  passwordChanged: { options: { ...ACTOR, signOut: FLAG, reopen: FLAG } },
  importTotp: {
    options: { ...ACTOR, secret: TEXT, label: ANY_TEXT, allowShortSecret: FLAG },
    required: ["secret"],
  },
  enrollEmail: {
    options: { ...ACTOR, address: TEXT, verifiedAt: TIME, label: ANY_TEXT },
    required: ["address", "verifiedAt"],
  },
  enrollPhone: {
    options: { ...ACTOR, phone: TEXT, verifiedAt: TIME, label: ANY_TEXT },
    required: ["phone", "verifiedAt"],
  },
  export: { options: ACTOR },
  erase: { options: ACTOR },
};

function kindProblem(name: string, given: unknown, kind: Kind): string[] {
  return kind.accepts(given) ? [] : [`${name}: must be ${kind.words}, and is ${kindOf(given)}`];
}

/** What is wrong with the members of `client` and its like; that one of them is no object at all is said elsewhere. */
function innerProblems(members: Readonly<Record<string, unknown>>, { within = {} }: Rules): string[] {
  return Object.entries(within).flatMap(([name, kinds]) => {
    const inner = members[name];
    if (!RECORD.accepts(inner)) return [];
    const known = inner as Readonly<Record<string, unknown>>;
    return Object.entries(kinds).flatMap(([member, kind]) => kindProblem(`${name}.${member}`, known[member], kind));
  });
}

function optionProblems(given: unknown, rules: Rules): string[] {
  const { options = {}, required = [] } = rules;
  if (given === undefined && required.length === 0) return [];
  if (!RECORD.accepts(given)) return [`options: must be an object, and is ${kindOf(given)}`];
  const members = given as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(members).filter((name) => !Object.hasOwn(options, name));
  const names = Object.keys(options).join(", ");
  return [
    ...unknown.map((name) => `${name}: there is no such option; there are ${names}`),
    ...Object.entries(options)
      .filter(([name]) => members[name] !== undefined || required.includes(name))
      .flatMap(([name, kind]) => kindProblem(name, members[name], kind)),
    ...innerProblems(members, rules),
  ];
}

/** What is wrong with the arguments of a call: the user's id, and what its rules name. */
export function argumentProblems(rules: Rules, [id, ...rest]: readonly unknown[]): string[] {
  const given = Object.entries(rules.given ?? {});
  return [
    ...(userIdOf(id) === undefined ? [`the user's id must be ${USER_ID_KINDS}, and is ${kindOf(id)}`] : []),
    ...given.flatMap(([name, kind], index) => kindProblem(name, rest[index], kind)),
    ...(rules.options === undefined ? [] : optionProblems(rest[given.length], rules)),
  ];
}

/** Who does it, and why: nobody does such for themselves. */
function staffProblems([id, given]: readonly unknown[]): string[] {
  const { actor, reason } = Object(given) as Readonly<Record<string, unknown>>;
  const missing = Object.entries({ actor, reason }).filter(([, value]) => value === undefined || value === "");
  return [
    ...missing.map(([name]) => `${name}: required, who does it and why is written down`),
    ...(actor !== undefined && actor === userIdOf(id) ? ["actor: nobody does this for themselves"] : []),
  ];
}

type Operation = (id: unknown, ...rest: unknown[]) => unknown;

/**
 * The operations, each behind a look at its arguments: what is wrong is named by a rejection with a TypeError, and nothing is done.
 * Ids are read as those of requests are.
 */
export function checkingArguments(accounts: Accounts): Accounts {
  const checked = Object.entries(RULES).map(([name, rules]) => {
    const act = (accounts as unknown as Readonly<Record<string, Operation>>)[name];
    const operation = async (...given: unknown[]): Promise<unknown> => {
      const unnamed = rules.isForStaff === true ? staffProblems(given) : [];
      if (unnamed.length > 0) throw new ConfigurationError(unnamed.map((each) => `mfa.accounts.${name}: ${each}`));
      const problems = argumentProblems(rules, given);
      if (problems.length > 0) throw new TypeError(`mfa.accounts.${name}: ${problems.join("; ")}`);
      const [id, ...rest] = given;
      return act?.call(accounts, userIdOf(id), ...rest);
    };
    return [name, operation] as const;
  });
  return Object.fromEntries(checked) as unknown as Accounts;
}
