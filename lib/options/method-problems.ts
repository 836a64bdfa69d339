import { BACKUP_CODE } from "../core/nouns.js";
import type { Method } from "../http/method.js";
import { isRecord } from "./checks.js";
import { SHARED_KINDS } from "./limit-problems.js";

/** Below `path` these are routes of the package's own, now or in time. */
const RESERVED_TYPES = [
  "assets",
  "backup-codes",
  "caller-check",
  "cancel",
  "devices",
  "disable",
  "factors",
  "preferred",
  "recovery",
  "reopen",
  "report",
  "sessions",
  "settings",
  "temporary-pass",
];

type Lacks = (value: Readonly<Record<string, unknown>>) => boolean;

/** What every method has; the type alone does not make one. */
const PARTS: Readonly<Record<string, Lacks>> = {
  type: ({ type }) => typeof type !== "string",
  limits: ({ limits }) => !Array.isArray(limits),
  "present()": ({ present }) => typeof present !== "function",
  "verify()": ({ verify }) => typeof verify !== "function",
  page: ({ page }) => !isRecord(page),
};

/** What keeps a value from being a method, said with its type where it has one; undefined where it is one. */
function partProblem(value: unknown): string | undefined {
  if (typeof value === "function") {
    const name = value.name === "" ? "it" : value.name;
    return `methods: call each one: ${name}(), not ${name}`;
  }
  if (!isRecord(value)) {
    return `methods: ${typeof value === "string" ? `"${value}"` : String(value)} is not a method; give what totp(), backupCodes() or passkeys() answers`;
  }
  const missing = Object.entries(PARTS).flatMap(([part, lacks]) => (lacks(value) ? [part] : []));
  if (missing.length === 0) return undefined;
  const which = typeof value.type === "string" ? `the method "${value.type}"` : "one of them";
  return `methods: ${which} has no ${missing.join(", no ")}`;
}

function isMethod(value: unknown): value is Method {
  return partProblem(value) === undefined;
}

/** The methods as far as they are some; what is wrong with them is said elsewhere. */
export function configuredMethods(methods: unknown, defaults: () => readonly Method[]): readonly Method[] {
  return Array.isArray(methods) && methods.every(isMethod) ? methods : defaults();
}

function typeProblem({ type }: Method): string[] {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(type)) {
    return [`methods: the type ${JSON.stringify(type)} must be kebab case, such as "hardware-token"`];
  }
  return RESERVED_TYPES.includes(type) ? [`methods: the type "${type}" is reserved for routes of the package`] : [];
}

function limitProblem(kind: string, limit: unknown): string[] {
  // Limits are looked up by name, so a name that every object has would be found where nobody brought it.
  if (!/^[a-z][a-zA-Z0-9]*$/.test(kind) || kind in {}) {
    return [`methods: the limit ${JSON.stringify(kind)} must be a name of its own in camel case, such as "smsSend"`];
  }
  const { limit: most, window } = isRecord(limit) ? limit : {};
  const isRight = Number.isInteger(most) && (most as number) > 0 && Number.isFinite(window) && (window as number) > 0;
  return isRight ? [] : [`methods: the limit "${kind}" must be { limit, window }: a whole number from 1, milliseconds`];
}

/** Limit kinds have one owner each: who brings one that exists would change another's. */
function limitKindProblems(methods: readonly Method[]): string[] {
  const limits = methods.flatMap(({ limitDefaults = {} }) => Object.entries(limitDefaults));
  const brought = limits.map(([kind]) => kind);
  const known = new Set([...SHARED_KINDS, ...brought]);
  const used = methods.flatMap(({ enroll, limits: guesses, send }) => [
    ...guesses,
    ...(send?.limits ?? []),
    ...[send?.coolDown, send?.rejected].filter((kind) => kind !== undefined),
    ...(enroll?.limits ?? []),
  ]);
  return [
    ...limits.flatMap(([kind, limit]) => limitProblem(kind, limit)),
    ...brought
      .filter((kind, index) => SHARED_KINDS.includes(kind) || brought.indexOf(kind) !== index)
      .map((kind) => `methods: the limit "${kind}" exists already; a method brings kinds of its own`),
    ...used
      .filter((kind, index) => !known.has(kind) && used.indexOf(kind) === index)
      .map((kind) => `methods: nothing says what the limit "${kind}" is; bring it with limitDefaults`),
  ];
}

/** Every method that somebody could set up is one that the preset leaves out. */
export function strictProblems(preset: unknown, methods: readonly Method[]): string[] {
  const own = methods.filter(({ type }) => type !== BACKUP_CODE);
  const isLeftOut = (method: Method): boolean => method.strict !== undefined && method.strict() === undefined;
  if (preset !== "strict" || !own.every(isLeftOut)) return [];
  const types = own.map(({ type }) => `"${type}"`).join(", ");
  return [`preset: "strict" leaves out ${types}: give another method beside them, such as passkeys() or totp()`];
}

export function methodsProblems(methods: unknown): string[] {
  if (methods === undefined) return [];
  if (!Array.isArray(methods) || methods.length === 0)
    return ["methods: give at least one, for example [totp(), backupCodes()]"];
  if (!methods.every(isMethod)) return methods.map(partProblem).filter((each) => each !== undefined);
  const types = methods.map((method) => method.type);
  const different = methods.filter(({ type }, index) => types.indexOf(type) === index);
  const repeated = different.filter(({ type }) => types.indexOf(type) !== types.lastIndexOf(type));
  return [
    ...different.flatMap(typeProblem),
    ...limitKindProblems(different),
    ...repeated.map(({ type }) => `methods: "${type}" appears twice; each type is one row`),
    ...(types.every((type) => type === BACKUP_CODE) ? ["methods: backup codes need another method beside them"] : []),
  ];
}
