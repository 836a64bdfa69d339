import { closest } from "fastest-levenshtein";
import type { LimitKind } from "../core/nouns.js";
import { keyRingProblems } from "../crypto/key-ring.js";
import type { Method } from "../methods/contract.js";
import { english, messageProblems } from "../pages/messages.js";
import { policyProblems } from "../policy/policy.js";
import type { MemoryStore } from "../stores/memory.js";
import { milliseconds } from "./durations.js";
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

const LIMIT_KINDS: Readonly<Record<LimitKind, true>> = {
  totp: true,
  backupCode: true,
  smsSend: true,
  emailSend: true,
  recovery: true,
  push: true,
  allCodes: true,
  address: true,
};

const LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"];
const STORE_VERBS = ["read", "write", "remove", "attempts"] as const;

export function isMemoryStore(store: unknown): store is MemoryStore {
  return typeof store === "object" && store !== null && "memory" in store;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function unknownNames(given: object, known: object, where: string): string[] {
  const names = Object.keys(known);
  return Object.keys(given)
    .filter((name) => !names.includes(name))
    .map((name) => `${where}${name}: there is no such option; did you mean "${closest(name, names)}"?`);
}

function originProblem(origin: unknown, production: boolean): string | undefined {
  if (typeof origin !== "string" || !URL.canParse(origin))
    return `origin: ${JSON.stringify(origin)} is not an origin such as "https://acme.example"`;
  const url = new URL(origin);
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

function methodsProblems({ methods }: Given): string[] {
  if (methods === undefined) return [];
  if (!Array.isArray(methods) || methods.length === 0)
    return ["methods: give at least one, for example [totp(), backupCodes()]"];
  const types = (methods as Partial<Method>[]).map((method) => method.type);
  if (types.some((type) => typeof type !== "string")) return ["methods: call each one: totp(), not totp"];
  const problems: string[] = [];
  if (new Set(types).size < types.length) problems.push("methods: one of them appears twice");
  if (types.every((type) => type === "backup-code"))
    problems.push("methods: backup codes need another method beside them");
  return problems;
}

function durationProblems({ storeTimeout, trustedDevices, limits }: Given): string[] {
  const problems: string[] = [];
  const check = (name: string, value: unknown): void => {
    if (value !== undefined && milliseconds(value) === undefined) {
      problems.push(`${name}: ${JSON.stringify(value)} is not a duration such as "15m" or "30d"`);
    }
  };
  const whole = (name: string, value: unknown): void => {
    if (value !== undefined && !(Number.isInteger(value) && (value as number) > 0))
      problems.push(`${name}: must be a whole number from 1`);
  };
  check("storeTimeout", storeTimeout);
  if (isRecord(trustedDevices)) {
    check("trustedDevices.maxAge", trustedDevices.maxAge);
    whole("trustedDevices.maxPerUser", trustedDevices.maxPerUser);
  }
  if (!isRecord(limits)) return problems;
  problems.push(...unknownNames(limits, LIMIT_KINDS, "limits."));
  for (const [kind, limit] of Object.entries(limits)) {
    if (!isRecord(limit)) problems.push(`limits.${kind}: write { limit: 5, window: "15m" }`);
    else {
      check(`limits.${kind}.window`, limit.window ?? "");
      whole(`limits.${kind}.limit`, limit.limit ?? 0);
    }
  }
  return problems;
}

function pathProblems({ path, loginPath, exempt }: Given): string[] {
  const problems: string[] = [];
  const isPath = (value: unknown): boolean => typeof value === "string" && /^\/(?!\/)[^?#*:]*$/.test(value);
  if (path !== undefined && (!isPath(path) || path === "/"))
    problems.push('path: must begin with one slash, for example "/2fa"');
  if (loginPath !== undefined && !isPath(loginPath))
    problems.push('loginPath: must begin with one slash, for example "/login"');
  if (exempt === undefined || typeof exempt === "function") return problems;
  if (!Array.isArray(exempt) || !exempt.every(isPath))
    problems.push('exempt: a list of exact paths such as ["/login"], or a function');
  return problems;
}

function pagesProblems({ pages }: Given): string[] {
  if (pages === undefined || pages === false) return [];
  if (!isRecord(pages)) return ["pages: an object { layout, messages, lang }, or false for none"];
  const problems = unknownNames(pages, { layout: true, messages: true, lang: true }, "pages.");
  if (pages.layout !== undefined && typeof pages.layout !== "function")
    problems.push("pages.layout: must be a function");
  return isRecord(pages.messages)
    ? [...problems, ...messageProblems(english, pages.messages, "pages.messages")]
    : problems;
}

function functionProblems(given: Given): string[] {
  const problems = (["notify", "verifyPassword", "clock"] as const)
    .filter((name) => given[name] !== undefined && typeof given[name] !== "function")
    .map((name) => `${name}: must be a function`);
  if (given.preset !== undefined && given.preset !== "strict") problems.push('preset: only "strict" is known');
  if (given.enforce !== undefined && given.enforce !== true && given.enforce !== "report")
    problems.push('enforce: true or "report"');
  return problems;
}

/** Every problem of the options, each with its mend; empty where there is none. */
export function optionProblems(given: unknown, production: boolean): string[] {
  if (!isRecord(given)) return ["call secondFactor({ issuer, origin, ... }) with an object of options"];
  return [
    ...unknownNames(given, KNOWN, ""),
    ...issuerProblems(given),
    ...originProblems(given, production),
    ...keysProblems(given, production),
    ...storeProblems(given, production),
    ...methodsProblems(given),
    ...policyProblems(given.policy),
    ...durationProblems(given),
    ...pathProblems(given),
    ...pagesProblems(given),
    ...functionProblems(given),
  ];
}
