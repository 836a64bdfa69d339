import { urlIn } from "../core/urls.js";
import type { Request } from "express";
import { ConfigurationError } from "../core/errors.js";
import { type Contact, languageOf } from "../core/contact.js";
import { nameOf } from "../core/names.js";
import { webOrigins } from "../core/origins.js";
import { ALL_CODES, DAY, type Limit, type LimitKind, type Limits, MINUTE, SECOND } from "../core/nouns.js";
import { tried } from "../core/tried.js";
import { isAnything, within } from "../core/within.js";
import { kindOf, USER_ID_KINDS, userIdOf } from "../core/user-ids.js";
import { keyRing, temporaryKeyRing } from "../crypto/key-ring.js";
import type { KeyProvider } from "../crypto/key-provider.js";
import type { EngineSettings } from "../engine/engine.js";
import { RECOVERY_LIMITS } from "../core/recovery.js";
import { createEvents, type EmitError, type Telling } from "../events/emitter.js";
import { telling } from "../events/telling.js";
import { AddressGuard } from "../http/address-guard.js";
import { comparablePath } from "../http/login-routes.js";
import type { Method } from "../http/method.js";
import { type Place, placesFor, sitePath } from "../http/places.js";
import { Mounted } from "../http/mounted.js";
import { ProxyCheck } from "../http/proxy-check.js";
import { localPath } from "../http/return-to.js";
import type { AppUser, Settings } from "../http/settings.js";
import { milliseconds } from "../policy/durations.js";
import { createPolicy } from "../policy/policy.js";
import type { BringsRateLimitStore } from "../stores/contract.js";
import { memoryStore } from "../stores/memory.js";
import type { LimitsOption, SecondFactorOptions, UserReaders } from "./options.js";
import { optionProblems } from "./problems.js";
import { evidenceWaits, waitOf } from "./recovery-problems.js";
import { toldOptions } from "./told-functions.js";

/** The options as HTTP and the engine take them: every default filled in, everything decided that can be decided at start. */
export interface Resolved {
  readonly settings: Settings;
  readonly engine: EngineSettings;
}

const SHARED_LIMITS: Limits = { [ALL_CODES]: { limit: 10, window: 15 * MINUTE }, ...RECOVERY_LIMITS };
const ADDRESS_LIMIT: Limit = { limit: 100, window: 15 * MINUTE };
const DEFAULT_TRUST = { maxAge: 30 * DAY, maxPerUser: 10 };
const DEFAULT_EXEMPT = ["/login", "/logout"];

function limitOf(given: LimitsOption, kind: LimitKind, { limit, window }: Limit): Limit {
  const own = given[kind];
  return { limit: own?.limit ?? limit, window: milliseconds(own?.window) ?? window };
}

/** What the methods bring, and what they share, with the application's own numbers. */
function resolveLimits(methods: readonly Method[], given: LimitsOption): Limits {
  const defaults = methods.reduce<Limits>((all, { limitDefaults }) => ({ ...all, ...limitDefaults }), SHARED_LIMITS);
  return Object.fromEntries(Object.entries(defaults).map(([kind, limit]) => [kind, limitOf(given, kind, limit)]));
}

function resolveTrust({ preset, trustedDevices }: SecondFactorOptions): EngineSettings["trustedDevices"] {
  if (trustedDevices === false || preset === "strict") return undefined;
  const { maxAge, maxPerUser = DEFAULT_TRUST.maxPerUser } = trustedDevices ?? {};
  return { maxAge: milliseconds(maxAge) ?? DEFAULT_TRUST.maxAge, maxPerUser };
}

/** Whoever cannot be told cannot confirm anything. */
function resolveRecovery({ notify, recovery = {} }: SecondFactorOptions): EngineSettings["recovery"] {
  if (recovery === false || notify === undefined) return undefined;
  const { approve, evidence = {}, wait } = recovery;
  return { wait: waitOf(wait) ?? DAY, approve, evidence: evidenceWaits(evidence) };
}

function resolveKeys(keys: SecondFactorOptions["keys"]): KeyProvider {
  if (typeof keys === "object") return keys;
  if (keys !== undefined && keys !== "") return keyRing(keys);
  process.emitWarning(
    "No keys are configured: enrollments are lost when this process ends. Set the keys option; make one with: npx express-second-factor new-key",
    {
      code: "SECOND_FACTOR_TEMPORARY_KEYS",
    },
  );
  return temporaryKeyRing();
}

function resolveMethods({ preset }: SecondFactorOptions, methods: readonly Method[]): readonly Method[] {
  if (preset !== "strict") return methods;
  return methods.flatMap((method) => {
    if (method.strict === undefined) return [method];
    const strict = method.strict() as Method | undefined;
    return strict === undefined ? [] : [strict];
  });
}

interface CommonUser {
  readonly id?: unknown;
  readonly email?: unknown;
  readonly username?: unknown;
  readonly name?: unknown;
}

function idReader({ id: read }: UserReaders<AppUser>): Settings["userId"] {
  return (user) => {
    const given: unknown = read === undefined ? (user as CommonUser).id : read(user);
    const id = userIdOf(given);
    if (id !== undefined) return id;
    throw new ConfigurationError([
      `user.id: answered ${kindOf(given)} for a user; an id is ${USER_ID_KINDS}: pass a reader: user: { id: (user) => user.uuid }`,
    ]);
  };
}

/** What the application calls the user; a name decides nothing, so what is none, or cannot be read, is not needed. */
function givenName(user: AppUser, read: UserReaders<AppUser>["name"]): string {
  const { email, name, username } = user as CommonUser;
  if (read === undefined) return [email, username, name].map(nameOf).find((each) => each !== "") ?? "";
  try {
    return nameOf(read(user));
  } catch {
    return "";
  }
}

/** Something the application knows of the user; what is no text, or cannot be read, is not needed. */
function readText(read: () => unknown): string | undefined {
  const text = tried(read);
  return typeof text === "string" && text !== "" ? text : undefined;
}

/** What the `user` readers say, or the members of these names. */
/** Whether the application says that the address it knows was never proved. What it cannot say, it has not seen proved. */
function unverifiedReader({ emailVerified: read }: UserReaders<AppUser>): (user: AppUser) => boolean {
  if (read !== undefined) return (user) => tried(() => read(user)) !== true;
  return (user) => tried(() => (user as { readonly emailVerified?: unknown }).emailVerified) === false;
}

function contactReader(readers: UserReaders<AppUser>): Settings["contactOf"] {
  const isUnverified = unverifiedReader(readers);
  return (user) => {
    const of = (name: "email" | "phone" | "locale"): Contact => {
      const read = readers[name] ?? ((each: AppUser) => (each as Partial<Record<keyof Contact, unknown>>)[name]);
      const text = readText(() => read(user));
      return text === undefined ? {} : { [name]: text };
    };
    const { locale = "" } = of("locale");
    const language = languageOf(locale);
    return {
      ...of("email"),
      ...(isUnverified(user) && { emailVerified: false }),
      ...of("phone"),
      ...(language !== undefined && { locale: language }),
    };
  };
}

function userReaders(
  readers: UserReaders<AppUser> = {},
  emitError: EmitError,
): Pick<Settings, "userId" | "accountName" | "contactOf"> {
  const userId = telling(emitError, "user.id", idReader(readers));
  const accountName = (user: AppUser): string => givenName(user, readers.name) || nameOf(userId(user)) || "user";
  return { userId, accountName, contactOf: contactReader(readers) };
}

function exemptPathsOf({ exempt = DEFAULT_EXEMPT }: SecondFactorOptions): Settings["exemptPaths"] {
  return typeof exempt === "function" ? undefined : exempt;
}

function exemption(exempt: SecondFactorOptions["exempt"] = DEFAULT_EXEMPT): Settings["isExempt"] {
  // Only a plain true exempts: an async predicate answers a promise, which reads as true.
  if (typeof exempt === "function") return (req) => (exempt(req) as unknown) === true;
  return (req) => exempt.some((path) => comparablePath(req, path) === comparablePath(req, req.path));
}

/** Asked of a text, whether it includes an origin would be true of parts of it. */
function isListOfText(given: unknown): given is readonly string[] {
  return Array.isArray(given) && given.every((each) => typeof each === "string");
}

function originsOf(origin: SecondFactorOptions["origin"], emitError: EmitError): Settings["origins"] {
  if (typeof origin === "function") {
    return telling(emitError, "origin", (req) => {
      const given: unknown = origin(req);
      if (isListOfText(given) && given.length > 0) return given;
      throw new ConfigurationError([`origin: answered ${kindOf(given)}; it must answer a list of origins`]);
    });
  }
  const origins = typeof origin === "string" ? [origin] : [...origin];
  return () => origins;
}

function warnInProduction({ notify }: SecondFactorOptions): void {
  if (notify !== undefined) return;
  process.emitWarning("No notify option: nobody is told when their second factors change.", {
    code: "SECOND_FACTOR_NO_NOTICES",
  });
}

/** @throws ConfigurationError that lists every problem of the options */
function requireValid(options: SecondFactorOptions, defaults: () => readonly Method[]): void {
  const isProduction = process.env.NODE_ENV === "production";
  const problems = optionProblems(options, defaults, isProduction);
  if (problems.length > 0) throw new ConfigurationError(problems);
  if (isProduction) warnInProduction(options);
}

function addressGuardOf(
  { limits = {} }: SecondFactorOptions,
  store: object,
  timeout: number,
  emitError: EmitError,
): AddressGuard {
  const { rateLimitStore } = store as Partial<BringsRateLimitStore>;
  const own = limits.address?.store ?? rateLimitStore;
  return new AddressGuard({ ...limitOf(limits, "address", ADDRESS_LIMIT), store: own, timeout, emitError });
}

/** The site's own name, where the application answers none: a name decides nothing, and users must get in without it. */
function hostOf(origins: readonly string[]): string {
  const [origin = ""] = webOrigins(origins);
  return urlIn(origin)?.hostname ?? origin;
}

/** What the issuer is, for a request and where nobody is logged in. */
function issuerOf(
  { issuer, origin }: SecondFactorOptions,
  emitError: EmitError,
): Pick<Settings, "issuer" | "issuerName"> {
  if (typeof issuer !== "function") return { issuer: () => nameOf(issuer), issuerName: nameOf(issuer) };
  const origins = originsOf(origin, emitError);
  return { issuer: (req, user) => nameOf(issuer(req, user)) || hostOf(origins(req)), issuerName: "" };
}

/** A place as it was checked at start: resolved, so that nothing in it is left for a browser to read differently. */
function placeOf(given: string): Place {
  const isWhole = !given.startsWith("/");
  const { origin } = isWhole ? new URL(given) : { origin: "https://site.invalid" };
  return { isWhole, path: localPath(given, origin) ?? "/" };
}

function placesOf({ homePath, loginPath = "/login", path = "/2fa", publicPath = "" }: SecondFactorOptions) {
  const home = homePath === undefined ? undefined : placeOf(homePath);
  const prefix = sitePath(publicPath);
  return { publicPath: prefix, placesAt: placesFor({ home, login: placeOf(loginPath), path, publicPath: prefix }) };
}

function httpSettings(options: SecondFactorOptions, shared: Shared): Settings {
  const { pages = {}, path = "/2fa", policy = "optional" } = options;
  const { emitError } = shared.telling;
  const proxyCheck = new ProxyCheck();
  const isAddressCertain = (req: Request): boolean => proxyCheck.isAddressCertain(req);
  const asked = createPolicy(policy, { timeout: shared.timeout, isAddressCertain });
  return {
    path: path.replace(/\/$/, ""),
    clock: shared.clock,
    isReport: options.enforce === "report",
    methods: new Map(shared.methods.map((method) => [method.type, method])),
    pages: pages === false ? undefined : pages,
    trustMaxAge: shared.trust?.maxAge,
    verifyPassword: options.verifyPassword,
    onLogin: options.onLogin,
    carry: options.carry,
    endOtherSessions: options.endOtherSessions ?? "ask",
    proxyCheck,
    policy: { ...asked, ask: telling(emitError, "policy", asked.ask) },
    mounted: new Mounted(),
    origins: originsOf(options.origin, emitError),
    site: typeof options.origin === "function" ? undefined : webOrigins([options.origin].flat())[0],
    isExempt: exemption(options.exempt),
    exemptPaths: exemptPathsOf(options),
    loadUser: options.user?.load,
    addressGuard: shared.addressGuard,
    emitError,
    ...placesOf(options),
    ...issuerOf(options, emitError),
    ...userReaders(options.user, emitError),
  };
}

/** Whoever is not found by then is told without an address, in milliseconds. */
const LONGEST_LOAD = 10 * SECOND;

/** How owners are told; of one without a request by what `user.load` finds. */
function noticesOf({ notify }: SecondFactorOptions, settings: Settings): EngineSettings["notices"] {
  if (notify === undefined) return undefined;
  const { contactOf, issuerName, loadUser, mounted, placesAt, site } = settings;
  const lang = settings.pages?.lang;
  return {
    notify,
    locale: typeof lang === "string" ? lang : "en",
    async reachOf(userId) {
      const user = await within("user.load", LONGEST_LOAD, () => loadUser?.(userId), isAnything).catch(() => undefined);
      const place = site === undefined ? undefined : site + placesAt(mounted.mountPath).base;
      return {
        contact: user ? contactOf(user) : {},
        place,
        issuer: issuerName || hostOf(site ? [site] : []),
      };
    },
  };
}

interface Shared {
  readonly addressGuard: AddressGuard;
  readonly clock: Settings["clock"];
  readonly methods: readonly Method[];
  readonly telling: Telling;
  readonly timeout: number;
  readonly trust: EngineSettings["trustedDevices"];
}

/**
 * Checks all options together and fills in what is missing. `defaultMethods`: where none are given.
 * @throws ConfigurationError that lists every problem of the options
 */
export function resolveOptions(given: SecondFactorOptions, defaultMethods: () => readonly Method[]): Resolved {
  requireValid(given, defaultMethods);
  const methods = resolveMethods(given, given.methods ?? defaultMethods());
  // By the clock as it was given: what is told of a clock that fails must not ask it in the same way.
  const telling = createEvents(given.clock ?? Date.now);
  const options = toldOptions(given, methods, telling.emitError);
  const { clock = Date.now, limits = {}, store = memoryStore() } = options;
  const timeout = milliseconds(options.storeTimeout) ?? 2 * SECOND;
  const trust = resolveTrust(options);
  const addressGuard = addressGuardOf(options, store, timeout, telling.emitError);
  const settings = httpSettings(options, { addressGuard, clock, methods, telling, timeout, trust });
  return {
    settings,
    engine: {
      clock,
      store,
      storeTimeout: timeout,
      keys: resolveKeys(options.keys),
      methods,
      trustedDevices: trust,
      limits: resolveLimits(methods, limits),
      addressLimit: addressGuard,
      notices: noticesOf(options, settings),
      telling,
      opensLogins: options.onLogin !== undefined,
      remembersLogins: settings.policy.takesFacts,
      helpDesk: options.helpDesk && { approvals: options.helpDesk.approvals ?? 1 },
      onCompromise: options.onCompromise,
      recovery: resolveRecovery(options),
    },
  };
}
