import { BACKUP_CODE } from "../core/nouns.js";
import { keyRingProblems } from "../crypto/key-ring.js";
import type { Method } from "../http/method.js";
import { messageProblems, messagesFor } from "../pages/messages.js";
import { policyProblems } from "../policy/policy.js";
import type { MemoryStore } from "../stores/memory.js";
import { durationProblem, functionProblem, isPath, isRecord, unknownNames, wholeProblem } from "./checks.js";
import type { SecondFactorOptions } from "./options.js";

// Everything here arrives from JavaScript too, so nothing is believed because its type says so.
type Given = { readonly [Name in keyof Required<SecondFactorOptions>]?: unknown };

const KNOWN: Readonly<Record<keyof Required<SecondFactorOptions>, true>> = {
  issuer: true,
  origin: true,
  keys: true,
  store: true,
  methods: true,
  user: true,
  policy: true,
  trustedDevices: true,
  limits: true,
  notify: true,
  path: true,
  exempt: true,
  loginPath: true,
  storeTimeout: true,
  verifyPassword: true,
  preset: true,
  enforce: true,
  pages: true,
  clock: true,
};

/** Limits that no method brings. */
const SHARED_LIMITS = ["allCodes", "address"];

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
  "report",
  "sessions",
  "settings",
  "temporary-pass",
];

const USER_READERS = ["id", "name", "load"];
const LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"];
const STORE_VERBS = ["read", "write", "remove"] as const;

export function isMemoryStore(store: unknown): store is MemoryStore {
  return typeof store === "object" && store !== null && "memory" in store;
}

function originProblem(origin: unknown, production: boolean): string | undefined {
  if (typeof origin !== "string" || !URL.canParse(origin))
    return `origin: ${JSON.stringify(origin)} is not an origin such as "https://acme.example"`;
  const url = new URL(origin);
  if (url.hostname.includes("*")) return `origin: "${origin}" has a wildcard; list each origin, or pass a function`;
  if (url.origin !== origin)
    return `origin: write "${origin}" as "${url.origin}", without path, wildcard or trailing slash`;
  if (url.protocol === "https:") return undefined;
  if (url.protocol !== "http:" || !LOCAL_HOSTS.includes(url.hostname))
    return `origin: "${origin}" must begin with https://`;
  return production ? `origin: "${origin}" is for development; production needs https://` : undefined;
}

function originProblems({ origin }: Given, production: boolean): string[] {
  if (typeof origin === "function") return [];
  const origins: unknown[] = Array.isArray(origin) ? origin : [origin];
  if (origin === undefined || origins.length === 0) return ['origin: required, for example "https://acme.example"'];
  return origins.map((each) => originProblem(each, production)).filter((each) => each !== undefined);
}

function issuerProblems({ issuer }: Given): string[] {
  if (typeof issuer === "function") return [];
  if (typeof issuer !== "string" || issuer.trim() === "")
    return ['issuer: required, the name users see, for example "Acme"'];
  return issuer.includes(":") ? ["issuer: must not contain a colon; authenticator apps cut the name there"] : [];
}

function keysProblems({ keys, store }: Given, production: boolean): string[] {
  if (typeof keys === "string" && keys !== "") return keyRingProblems(keys);
  if (keys !== undefined && keys !== "" && !isRecord(keys)) {
    return ['keys: give text such as "2026-11:BASE64,2025-01:BASE64", or a KeyProvider'];
  }
  if (isRecord(keys)) {
    const missing = ["encrypt", "decrypt", "mac"].filter((verb) => typeof keys[verb] !== "function");
    return missing.map((verb) => `keys: the key provider has no ${verb}() function`);
  }
  const mend =
    "Set keys to \"2026-01:BASE64\", 32 random bytes: node -p \"require('crypto').randomBytes(32).toString('base64')\"";
  if (production) return [`keys: required in production. ${mend}`];
  const temporary = store === undefined || isMemoryStore(store);
  return temporary ? [] : [`keys: required with a store that outlives the process. ${mend}`];
}

function storeProblems({ store }: Given, production: boolean): string[] {
  if (store !== undefined) {
    if (!isRecord(store)) return ["store: not a store; pass memoryStore(), redisStore(client) or sqlStore(db)"];
    const missing = STORE_VERBS.filter((verb) => typeof store[verb] !== "function");
    if (missing.length > 0) return [`store: has no ${missing.join("(), ")}(); see the Store interface`];
  }
  const accepted = isMemoryStore(store) && store.memory.production;
  if (!production || accepted || (store !== undefined && !isMemoryStore(store))) return [];
  return [
    "store: the memory store forgets everything at a restart. Pass a shared store, or memoryStore({ production: true })",
  ];
}

/** A method is an object made by its factory; the type alone does not make one. */
function isMethod(value: unknown): value is Method {
  if (!isRecord(value) || typeof value.type !== "string" || !Array.isArray(value.limits)) return false;
  return typeof value.verify === "function" && typeof value.present === "function" && isRecord(value.page);
}

/** The methods as far as they are some; what is wrong with them is said elsewhere. */
function configuredMethods(methods: unknown, defaults: readonly Method[]): readonly Method[] {
  return Array.isArray(methods) && methods.every(isMethod) ? methods : defaults;
}

function typeProblem({ type }: Method): string[] {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(type)) {
    return [`methods: the type ${JSON.stringify(type)} must be kebab case, such as "hardware-token"`];
  }
  return RESERVED_TYPES.includes(type) ? [`methods: the type "${type}" is reserved for routes of the package`] : [];
}

/** Limit kinds have one owner each: who brings one that exists would change another's. */
function limitKindProblems(methods: readonly Method[]): string[] {
  const brought = methods.flatMap(({ limitDefaults = {} }) => Object.keys(limitDefaults));
  const known = new Set([...SHARED_LIMITS, ...brought]);
  const used = methods.flatMap(({ limits, send }) => [...limits, ...(send?.limits ?? [])]);
  return [
    ...brought
      .filter((kind, index) => SHARED_LIMITS.includes(kind) || brought.indexOf(kind) !== index)
      .map((kind) => `methods: the limit "${kind}" exists already; a method brings kinds of its own`),
    ...used
      .filter((kind, index) => !known.has(kind) && used.indexOf(kind) === index)
      .map((kind) => `methods: nothing says what the limit "${kind}" is; bring it with limitDefaults`),
  ];
}

function methodsProblems({ methods }: Given): string[] {
  if (methods === undefined) return [];
  if (!Array.isArray(methods) || methods.length === 0)
    return ["methods: give at least one, for example [totp(), backupCodes()]"];
  if (!methods.every(isMethod)) return ["methods: call each one: totp(), not totp"];
  const types = methods.map((method) => method.type);
  const different = methods.filter(({ type }, index) => types.indexOf(type) === index);
  const problems = [...different.flatMap(typeProblem), ...limitKindProblems(different)];
  if (new Set(types).size < types.length) problems.push("methods: one of them appears twice");
  if (types.every((type) => type === BACKUP_CODE))
    problems.push("methods: backup codes need another method beside them");
  return problems;
}

function trustedDevicesProblems({ trustedDevices }: Given): string[] {
  if (trustedDevices === undefined || trustedDevices === false) return [];
  if (!isRecord(trustedDevices)) return ['trustedDevices: write { maxAge: "30d", maxPerUser: 10 }, or false'];
  return [
    ...unknownNames(trustedDevices, ["maxAge", "maxPerUser"], "trustedDevices."),
    ...durationProblem("trustedDevices.maxAge", trustedDevices.maxAge),
    ...wholeProblem("trustedDevices.maxPerUser", trustedDevices.maxPerUser),
  ];
}

function limitProblems(kind: string, limit: unknown): string[] {
  if (!isRecord(limit)) return [`limits.${kind}: write { limit: 5, window: "15m" }`];
  const isAddress = kind === "address";
  const names = isAddress ? ["limit", "window", "store"] : ["limit", "window"];
  return [
    ...unknownNames(limit, names, `limits.${kind}.`),
    ...durationProblem(`limits.${kind}.window`, limit.window ?? (isAddress ? undefined : "")),
    ...wholeProblem(`limits.${kind}.limit`, limit.limit ?? (isAddress ? undefined : 0)),
  ];
}

function addressStoreProblems({ limits, store }: Given): string[] {
  const given = isRecord(limits) && isRecord(limits.address) ? limits.address.store : undefined;
  const brought = isRecord(store) ? store.rateLimitStore : undefined;
  const used = given ?? brought;
  if (used === undefined) return [];
  const isStore = isRecord(used) && ["get", "increment"].every((verb) => typeof used[verb] === "function");
  return isStore ? [] : ["limits.address.store: a store of express-rate-limit that has get() and increment()"];
}

function limitsProblems({ limits, methods }: Given, defaults: readonly Method[]): string[] {
  if (limits === undefined) return [];
  if (!isRecord(limits)) return ['limits: write { totp: { limit: 5, window: "15m" } }'];
  const brought = configuredMethods(methods, defaults).flatMap(({ limitDefaults = {} }) => Object.keys(limitDefaults));
  const names = [...SHARED_LIMITS, ...brought];
  const known = Object.entries(limits).filter(([kind, limit]) => names.includes(kind) && limit !== undefined);
  return [...unknownNames(limits, names, "limits."), ...known.flatMap(([kind, limit]) => limitProblems(kind, limit))];
}

function userProblems({ user }: Given): string[] {
  if (user === undefined) return [];
  if (!isRecord(user)) return ["user: an object of functions, for example { id: (user) => user.uuid }"];
  const readers = Object.entries(user).filter(([name]) => USER_READERS.includes(name));
  const problems = readers.flatMap(([name, reader]) => functionProblem(`user.${name}`, reader));
  return [...unknownNames(user, USER_READERS, "user."), ...problems];
}

function pathProblems({ path, loginPath, exempt }: Given): string[] {
  const problems: string[] = [];
  if (path !== undefined && (!isPath(path) || path === "/"))
    problems.push('path: must begin with one slash, for example "/2fa"');
  if (loginPath !== undefined && !isPath(loginPath))
    problems.push('loginPath: must begin with one slash, for example "/login"');
  if (exempt === undefined || typeof exempt === "function") return problems;
  if (!Array.isArray(exempt) || !exempt.every(isPath))
    problems.push('exempt: a list of exact paths such as ["/login"], or a function');
  return problems;
}

function pagesProblems({ methods, pages }: Given, defaults: readonly Method[]): string[] {
  if (pages === undefined || pages === false) return [];
  if (!isRecord(pages)) return ["pages: an object { layout, messages, lang }, or false for none"];
  const problems = unknownNames(pages, ["layout", "messages", "lang"], "pages.");
  if (pages.layout !== undefined && typeof pages.layout !== "function")
    problems.push("pages.layout: must be a function");
  if (!isRecord(pages.messages)) return problems;
  const drawn = new Map(configuredMethods(methods, defaults).map(({ page, type }) => [type, page]));
  return [...problems, ...messageProblems(messagesFor(drawn), pages.messages, "pages.messages")];
}

function choiceProblems({ clock, enforce, notify, preset, verifyPassword }: Given): string[] {
  const problems = [
    ...functionProblem("notify", notify),
    ...functionProblem("verifyPassword", verifyPassword),
    ...functionProblem("clock", clock),
  ];
  if (preset !== undefined && preset !== "strict") problems.push('preset: only "strict" is known');
  if (enforce !== undefined && enforce !== true && enforce !== "report") problems.push('enforce: true or "report"');
  return problems;
}

/** Every problem of the options, each with its mend; empty where there is none. `defaults`: the methods where none are given. */
export function optionProblems(given: unknown, defaults: readonly Method[], production: boolean): string[] {
  if (!isRecord(given)) return ["call secondFactor({ issuer, origin, ... }) with an object of options"];
  return [
    ...unknownNames(given, Object.keys(KNOWN), ""),
    ...issuerProblems(given),
    ...originProblems(given, production),
    ...keysProblems(given, production),
    ...storeProblems(given, production),
    ...methodsProblems(given),
    ...policyProblems(given.policy),
    ...userProblems(given),
    ...trustedDevicesProblems(given),
    ...limitsProblems(given, defaults),
    ...addressStoreProblems(given),
    ...durationProblem("storeTimeout", given.storeTimeout),
    ...pathProblems(given),
    ...pagesProblems(given, defaults),
    ...choiceProblems(given),
  ];
}
