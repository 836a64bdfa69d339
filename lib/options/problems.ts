import { keyRingProblems, MEND } from "../crypto/key-ring.js";
import { contentPolicyProblems } from "../http/content-policy.js";
import type { Method } from "../http/method.js";
import { unknownNames } from "../core/option-names.js";
import { takerProblems } from "../core/takers.js";
import { messageProblems, messagesFor } from "../pages/messages.js";
import { policyProblems } from "../policy/policy-problems.js";
import type { MemoryStore } from "../stores/memory.js";
import { durationProblem, functionProblem, isPath, isRecord, wholeProblem } from "./checks.js";
import { addressStoreProblems, limitsProblems } from "./limit-problems.js";
import { configuredMethods, methodsProblems, strictProblems } from "./method-problems.js";
import type { SecondFactorOptions } from "./options.js";
import { fitProblems, originProblems } from "./origin-problems.js";
import { recoveryProblems } from "./recovery-problems.js";
import { placeProblems } from "./place-problems.js";

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
  onCompromise: true,
  recovery: true,
  path: true,
  publicPath: true,
  homePath: true,
  exempt: true,
  loginPath: true,
  storeTimeout: true,
  verifyPassword: true,
  onLogin: true,
  carry: true,
  endOtherSessions: true,
  helpDesk: true,
  preset: true,
  enforce: true,
  pages: true,
  clock: true,
};

const USER_READERS = ["id", "name", "email", "emailVerified", "phone", "locale", "load"];
const STORE_VERBS = ["read", "write", "remove"] as const;

function isMemoryStore(store: unknown): store is MemoryStore {
  return typeof store === "object" && store !== null && "memory" in store;
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
    return [`keys: give text such as "2026-11:BASE64,2025-01:BASE64", or a KeyProvider. ${MEND}`];
  }
  if (isRecord(keys)) {
    const missing = ["encrypt", "decrypt", "mac"].filter((verb) => typeof keys[verb] !== "function");
    return missing.map((verb) => `keys: the key provider has no ${verb}() function`);
  }
  if (production) return [`keys: required in production. ${MEND}`];
  const temporary = store === undefined || isMemoryStore(store);
  return temporary ? [] : [`keys: required with a store that outlives the process. ${MEND}`];
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

function trustedDevicesProblems({ trustedDevices }: Given): string[] {
  if (trustedDevices === undefined || trustedDevices === false) return [];
  if (!isRecord(trustedDevices)) return ['trustedDevices: write { maxAge: "30d", maxPerUser: 10 }, or false'];
  return [
    ...unknownNames(trustedDevices, ["maxAge", "maxPerUser"], "trustedDevices."),
    ...durationProblem("trustedDevices.maxAge", trustedDevices.maxAge),
    ...wholeProblem("trustedDevices.maxPerUser", trustedDevices.maxPerUser),
  ];
}

function helpDeskProblems({ helpDesk }: Given): string[] {
  if (helpDesk === undefined) return [];
  if (!isRecord(helpDesk)) return ["helpDesk: write { approvals: 2 }, or {}"];
  const { approvals } = helpDesk;
  const isKnown = approvals === undefined || approvals === 1 || approvals === 2;
  return [
    ...unknownNames(helpDesk, ["approvals"], "helpDesk."),
    ...(isKnown ? [] : ["helpDesk.approvals: 1, or 2 for a second operator"]),
  ];
}

function userProblems({ user }: Given): string[] {
  if (user === undefined) return [];
  if (!isRecord(user)) return ["user: an object of functions, for example { id: (user) => user.uuid }"];
  const readers = Object.entries(user).filter(([name]) => USER_READERS.includes(name));
  const problems = readers.flatMap(([name, reader]) => functionProblem(`user.${name}`, reader));
  return [...unknownNames(user, USER_READERS, "user."), ...problems];
}

function pathProblems({ path, exempt }: Given): string[] {
  const problems: string[] = [];
  if (path !== undefined && (!isPath(path) || path === "/"))
    problems.push('path: must begin with one slash, for example "/2fa"');
  if (exempt === undefined || typeof exempt === "function") return problems;
  if (!Array.isArray(exempt) || !exempt.every(isPath))
    problems.push('exempt: a list of exact paths such as ["/login"], or a function');
  return problems;
}

/** Such a value, a function that answers one, or nothing. */
function isGiven(value: unknown, kind: "string" | "object"): boolean {
  const isRight = kind === "object" ? isRecord(value) : typeof value === "string" && value !== "";
  return value === undefined || typeof value === "function" || isRight;
}

function pagesProblems({ pages }: Given, methods: readonly Method[]): string[] {
  if (pages === undefined || pages === false) return [];
  if (!isRecord(pages))
    return ["pages: an object { layout, showIssuer, messages, lang, contentSecurityPolicy }, or false for none"];
  const problems = [
    ...unknownNames(pages, ["layout", "showIssuer", "messages", "lang", "contentSecurityPolicy"], "pages."),
    ...contentPolicyProblems(pages.contentSecurityPolicy),
    ...lookProblems(pages),
  ];
  if (!isRecord(pages.messages)) return problems;
  const drawn = new Map(methods.map(({ page, type }) => [type, page]));
  return [...problems, ...messageProblems(messagesFor(drawn), pages.messages, "pages.messages")];
}

function lookProblems(pages: Readonly<Record<string, unknown>>): string[] {
  const problems: string[] = [];
  if (pages.layout !== undefined && typeof pages.layout !== "function")
    problems.push("pages.layout: must be a function");
  if (!isGiven(pages.lang, "string"))
    problems.push('pages.lang: a language such as "de", or a function that answers one');
  if (!isGiven(pages.messages, "object"))
    problems.push("pages.messages: an object of messages to replace, or a function that answers one");
  if (pages.showIssuer !== undefined && typeof pages.showIssuer !== "boolean")
    problems.push("pages.showIssuer: must be true or false");
  return problems;
}

const OTHERS = ["always", "ask", "never"];

function choiceProblems(given: Given): string[] {
  const { carry, clock, endOtherSessions, enforce, notify, onCompromise, onLogin, preset, verifyPassword } = given;
  const problems = [
    ...functionProblem("notify", notify),
    ...takerProblems(notify, "notice", "notify: "),
    ...functionProblem("verifyPassword", verifyPassword),
    ...functionProblem("onCompromise", onCompromise),
    ...functionProblem("onLogin", onLogin),
    ...functionProblem("carry", carry),
    ...functionProblem("clock", clock),
  ];
  if (endOtherSessions !== undefined && !OTHERS.includes(endOtherSessions as string))
    problems.push('endOtherSessions: "always", "ask" or "never"');
  if (preset !== undefined && preset !== "strict") problems.push('preset: only "strict" is known');
  if (enforce !== undefined && enforce !== true && enforce !== "report") problems.push('enforce: true or "report"');
  return problems;
}

/**
 * Every problem of the options, each with its mend; empty where there is none. `builtIn`: the methods where none are given, made
 * only when they are asked for.
 */
export function optionProblems(given: unknown, builtIn: () => readonly Method[], production: boolean): string[] {
  if (!isRecord(given)) return ["call secondFactor({ issuer, origin, ... }) with an object of options"];
  if ("rawHeaders" in given)
    return ["secondFactor is no middleware: write app.use(secondFactor({ issuer, origin, ... }))"];
  const methods = configuredMethods(given.methods, builtIn);
  const { rateLimitStore } = isRecord(given.store) ? given.store : {};
  return [
    ...unknownNames(given, Object.keys(KNOWN), ""),
    ...issuerProblems(given),
    ...originProblems(given.origin, production),
    ...keysProblems(given, production),
    ...storeProblems(given, production),
    ...methodsProblems(given.methods),
    ...strictProblems(given.preset, methods),
    ...(given.methods === undefined ? [] : fitProblems(given.origin, methods, production)),
    ...policyProblems(given.policy),
    ...userProblems(given),
    ...trustedDevicesProblems(given),
    ...helpDeskProblems(given),
    ...limitsProblems(given.limits, methods, builtIn),
    ...addressStoreProblems(given.limits, rateLimitStore),
    ...durationProblem("storeTimeout", given.storeTimeout),
    ...pathProblems(given),
    ...placeProblems(given),
    ...pagesProblems(given, methods),
    ...recoveryProblems(given.recovery, given.notify, methods),
    ...choiceProblems(given),
  ];
}
