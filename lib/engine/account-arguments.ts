import { ConfigurationError } from "../core/errors.js";
import { actorOf, isSameActor, MAX_REASON } from "../core/help-desk.js";
import { DAY } from "../core/nouns.js";
import { cleanText } from "../core/text.js";
import { kindOf, USER_ID_KINDS, userIdOf } from "../core/user-ids.js";
import { milliseconds } from "../policy/durations.js";
import type { CallerCheckOperations, DeskSettings } from "./account-desk.js";
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
/** Of an operator: what shows nothing names nobody. */
export const ACTOR: Kind = {
  words: TEXT.words,
  accepts: (given) => typeof given === "string" && actorOf(given) !== "",
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

export const REASON: Kind = {
  words: "text that says why",
  accepts: (given) => typeof given === "string" && cleanText(given, MAX_REASON) !== "",
};
const USER_ID: Kind = { words: USER_ID_KINDS, accepts: (given) => userIdOf(given) !== undefined };
const PASS_LIFE: Kind = {
  words: 'a duration of at most 24 hours, such as "1h"',
  accepts: (given) => (milliseconds(given) ?? Infinity) <= DAY,
};
const PASS_USES: Kind = {
  words: "a whole number from 1 to 5",
  accepts: (given) => Number.isInteger(given) && Number(given) >= 1 && Number(given) <= 5,
};

/** Of a date at least: everything else is read differently by different engines. */
function isIsoText(given: unknown): given is string {
  return typeof given === "string" && /^[0-9]{4}-[0-9]{2}-[0-9]{2}/.test(given);
}

/** Members of an object that is an option, as `ip` in `client`. */
type Members = Readonly<Record<string, Kind>>;

export interface Rules {
  /** What the first argument is, where it is no user's id. */
  readonly about?: { readonly name: string; readonly kind: Kind };
  /** Arguments after the user's id and before the options. */
  readonly given?: Members;
  readonly options?: Members;
  readonly within?: Readonly<Record<string, Members>>;
  readonly required?: readonly string[];
  /** Who answers for it, and with what: somebody who is not the user. Absent: nobody has to. */
  readonly answered?: {
    readonly by: readonly Answering[];
    /** Only where a help desk is configured. */ readonly atDesk?: true;
  };
}

type Answering = "actor" | "reason";

const ACTING = { actor: ACTOR };
const STAFF: Pick<Rules, "options" | "answered"> = {
  options: { ...ACTING, reason: REASON },
  answered: { by: ["actor", "reason"], atDesk: true },
};

/** Every operation, and what it takes after the user's id. */
const RULES: { readonly [Name in Exclude<keyof Accounts, "callerCheck">]: Rules } = {
  status: { options: ACTING },
  factors: { options: ACTING },
  verify: {
    options: { ...ACTING, method: TEXT, code: ANYTHING, client: RECORD },
    within: { client: { ip: MAYBE_TEXT, userAgent: MAYBE_TEXT, requestId: MAYBE_TEXT } },
    required: ["method"],
  },
  removeFactor: { given: { factorId: TEXT }, ...STAFF },
  reset: STAFF,
  issueTemporaryPass: {
    options: { ...STAFF.options, expiresIn: PASS_LIFE, uses: PASS_USES },
    answered: { by: ["actor", "reason"] },
  },
  approve: {
    about: { name: "the request's id", kind: TEXT },
    options: { ...ACTING, userId: USER_ID },
    answered: { by: ["actor"] },
  },
  regenerateBackupCodes: STAFF,
  revokeDevices: STAFF,
  signOutEverywhere: STAFF,
  reopenFactors: STAFF,
  cancelRecovery: { options: { ...ACTING, reason: REASON }, answered: { by: ["actor", "reason"] } },
  passwordChanged: { options: { ...ACTING, signOut: FLAG, reopen: FLAG } },
  importTotp: {
    options: { ...ACTING, secret: TEXT, label: ANY_TEXT, allowShortSecret: FLAG },
    required: ["secret"],
  },
  enrollEmail: {
    options: { ...ACTING, address: TEXT, verifiedAt: TIME, label: ANY_TEXT },
    required: ["address", "verifiedAt"],
  },
  enrollPhone: {
    options: { ...ACTING, phone: TEXT, verifiedAt: TIME, label: ANY_TEXT },
    required: ["phone", "verifiedAt"],
  },
  export: STAFF,
  erase: STAFF,
};

const CALLER_CHECK_RULES: { readonly [Name in keyof CallerCheckOperations]: Rules } = {
  begin: { options: { ...ACTING, reason: REASON }, answered: { by: ["actor"] } },
  verify: { given: { number: ANYTHING }, options: { ...ACTING, reason: REASON }, answered: { by: ["actor"] } },
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

function firstProblem({ about }: Rules, given: unknown): string[] {
  if (about !== undefined) return kindProblem(about.name, given, about.kind);
  return userIdOf(given) === undefined ? [`the user's id must be ${USER_ID_KINDS}, and is ${kindOf(given)}`] : [];
}

const MISSING: Readonly<Record<Answering, string>> = {
  actor: 'actor: say who acts: actor: "support:7"',
  reason: 'reason: say why, for the audit trail: reason: "Lost phone, ticket 4711"',
};

const ANSWERS: Readonly<Record<Answering, Kind>> = { actor: ACTOR, reason: REASON };

/** Whether nobody is named, or nothing said: left out, or text that shows nothing. What is no text at all is another mistake. */
export function isUnanswered(name: Answering, given: unknown): boolean {
  return given === undefined || given === null || (typeof given === "string" && !ANSWERS[name].accepts(given));
}

/** What is missing of those, each with its mend. */
export function unansweredProblems(
  names: readonly Answering[],
  given: Readonly<Partial<Record<Answering, unknown>>>,
): string[] {
  return names.filter((name) => isUnanswered(name, given[name])).map((name) => MISSING[name]);
}

/** What somebody has to answer for is not done in nobody's name, nor without a reason, nor by whom it is done to. */
function answerProblems({ about, answered, given = {} }: Rules, isDesk: boolean, call: readonly unknown[]): string[] {
  if (answered === undefined || (answered.atDesk === true && !isDesk)) return [];
  const options = call[1 + Object.keys(given).length];
  const named = (RECORD.accepts(options) ? options : {}) as Readonly<Record<string, unknown>>;
  const userId = about === undefined ? userIdOf(call[0]) : undefined;
  const { actor } = named;
  const isOwn = typeof actor === "string" && userId !== undefined && isSameActor(actor, userId);
  return [
    ...unansweredProblems(answered.by, named),
    ...(isOwn ? ["actor: is the user themselves: name who acts for them"] : []),
  ];
}

/** What is wrong with the arguments of a call: the user's id, and what its rules name. */
export function argumentProblems(rules: Rules, [id, ...rest]: readonly unknown[]): string[] {
  const given = Object.entries(rules.given ?? {});
  return [
    ...firstProblem(rules, id),
    ...given.flatMap(([name, kind], index) => kindProblem(name, rest[index], kind)),
    ...(rules.options === undefined ? [] : optionProblems(rest[given.length], rules)),
  ];
}

type Operation = (id: unknown, ...rest: unknown[]) => unknown;

/**
 * Nothing is done before all of it is right.
 * @throws ConfigurationError where nobody answers for it, TypeError for whatever else is wrong; either names all of it
 */
function requireArguments(name: string, rules: Rules, isDesk: boolean, call: readonly unknown[]): void {
  const unanswered = answerProblems(rules, isDesk, call);
  const wrong = argumentProblems(rules, call);
  const at = `mfa.accounts.${name}: `;
  if (unanswered.length > 0) {
    const others = wrong.filter((each) => !Object.keys(MISSING).some((option) => each.startsWith(`${option}: `)));
    throw new ConfigurationError([...unanswered, ...others].map((each) => at + each));
  }
  if (wrong.length > 0) throw new TypeError(at + wrong.join("; "));
}

type Operations = Readonly<Record<string, Operation>>;

/** Operators by the names they are kept under; users who act for themselves by their ids, whatever those are. */
function named(id: unknown, given: unknown): unknown {
  const { actor } = Object(given) as { readonly actor?: unknown };
  if (typeof actor !== "string" || actor === id) return given;
  return { ...(given as object), actor: actorOf(actor) };
}

function checked(of: object, rows: Readonly<Record<string, Rules>>, isDesk: boolean, prefix = ""): Operations {
  const operations = Object.entries(rows).map(([name, rules]) => {
    const act = (of as Operations)[name];
    const operation = async (...given: unknown[]): Promise<unknown> => {
      requireArguments(prefix + name, rules, isDesk, given);
      const [first, ...rest] = given;
      const id = rules.about === undefined ? userIdOf(first) : first;
      return act?.call(of, id, ...rest.map((each) => named(id, each)));
    };
    return [name, operation] as const;
  });
  return Object.fromEntries(operations);
}

/**
 * The operations, each behind a look at its arguments: what is wrong is named by a rejection with a TypeError, or a ConfigurationError
 * where nobody answers for it, and nothing is done. Ids are read as those of requests are. `desk`: where there is one, whoever
 * acts says who they are, and why.
 */
export function checkingArguments(accounts: Accounts, desk: DeskSettings | undefined): Accounts {
  const isDesk = desk !== undefined;
  const callerCheck = checked(accounts.callerCheck, CALLER_CHECK_RULES, isDesk, "callerCheck.");
  return { ...checked(accounts, RULES, isDesk), callerCheck } as unknown as Accounts;
}
