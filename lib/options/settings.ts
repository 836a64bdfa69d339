import type { Request } from "express";
import { type Clock, DAY, type LimitKind, MINUTE, SECOND, type UserId } from "../core/nouns.js";
import { keyRing, temporaryKeyRing } from "../crypto/key-ring.js";
import type { KeyProvider } from "../crypto/key-provider.js";
import { ConfigurationError } from "../core/errors.js";
import type { EngineSettings } from "../engine/engine.js";
import type { Limit } from "../limits/attempts.js";
import { type BackupCodesMethod, backupCodes } from "../methods/backup-codes.js";
import type { Method } from "../methods/contract.js";
import { isPasskeysMethod, passkeys, type RelyingParty } from "../methods/passkeys.js";
import { totp } from "../methods/totp.js";
import { createPolicy, type Decide } from "../policy/policy.js";
import { memoryStore } from "../stores/memory.js";
import { milliseconds } from "./durations.js";
import { optionProblems } from "./problems.js";
import type { PagesOptions, SecondFactorOptions, UserReaders } from "./options.js";

/** The application's user, of whom only the configured readers know anything. */
export type AppUser = Express.User;

/** The options, resolved: what is missing is filled in, what can be decided at start is decided. */
export interface Settings {
  readonly path: string;
  readonly loginPath: string;
  readonly clock: Clock;
  readonly isReport: boolean;
  readonly pages: PagesOptions | undefined;
  /** Milliseconds a browser is trusted; undefined: never. */
  readonly trustMaxAge: number | undefined;
  readonly verifyPassword: SecondFactorOptions["verifyPassword"];
  readonly decide: Decide<Request, AppUser>;
  readonly issuer: (req: Request, user: AppUser) => string;
  /** The issuer where nobody is logged in; empty where it depends on the user. */
  readonly issuerName: string;
  readonly origins: (req: Request) => readonly string[];
  readonly isExempt: (req: Request) => boolean;
  readonly userId: (user: AppUser) => UserId;
  readonly accountName: (user: AppUser) => string;
  /** The application's user of this id; undefined where there is none. */
  readonly loadUser: ((id: UserId) => Promise<AppUser | undefined>) | undefined;
  /** Whom passkeys are made for. Without a user the name, which only new passkeys show, is left out. */
  readonly relyingParty: (req: Request, user?: AppUser) => RelyingParty;
}

const DEFAULT_LIMITS: Readonly<Record<LimitKind, Limit>> = {
  totp: { limit: 5, window: 15 * MINUTE },
  backupCode: { limit: 10, window: 60 * MINUTE },
  smsSend: { limit: 3, window: 30 * MINUTE },
  emailSend: { limit: 3, window: 30 * MINUTE },
  recovery: { limit: 3, window: DAY },
  push: { limit: 5, window: 15 * MINUTE },
  allCodes: { limit: 10, window: 15 * MINUTE },
  address: { limit: 100, window: 15 * MINUTE },
};

const DEFAULT_TRUST = { maxAge: 30 * DAY, maxPerUser: 10 };
const DEFAULT_EXEMPT = ["/login", "/logout"];

function resolveLimits(given: SecondFactorOptions["limits"] = {}): EngineSettings["limits"] {
  const limits = { ...DEFAULT_LIMITS };
  for (const kind of Object.keys(limits) as LimitKind[]) {
    const own = given[kind];
    if (own !== undefined) limits[kind] = { limit: own.limit, window: milliseconds(own.window) ?? limits[kind].window };
  }
  return limits;
}

function resolveTrust({ preset, trustedDevices }: SecondFactorOptions): EngineSettings["trustedDevices"] {
  if (trustedDevices === false || preset === "strict") return undefined;
  const { maxAge, maxPerUser = DEFAULT_TRUST.maxPerUser } = trustedDevices ?? {};
  return { maxAge: milliseconds(maxAge) ?? DEFAULT_TRUST.maxAge, maxPerUser };
}

function resolveKeys(keys: SecondFactorOptions["keys"]): KeyProvider {
  if (typeof keys === "object") return keys;
  if (keys !== undefined && keys !== "") return keyRing(keys);
  process.emitWarning("No keys are configured: enrollments are lost when this process ends. Set the keys option.", {
    code: "SECOND_FACTOR_TEMPORARY_KEYS",
  });
  return temporaryKeyRing();
}

function resolveMethods({ methods, preset }: SecondFactorOptions): readonly Method[] {
  const given = methods ?? [totp(), backupCodes(), passkeys()];
  return preset === "strict" ? given.map((method) => method.strict?.() ?? method) : given;
}

function storeTimeoutOf({ storeTimeout }: SecondFactorOptions): number {
  return milliseconds(storeTimeout) ?? 2 * SECOND;
}

export function engineSettings(options: SecondFactorOptions): EngineSettings {
  const methods = resolveMethods(options);
  const clock = options.clock ?? Date.now;
  return {
    clock,
    store: options.store ?? memoryStore(),
    storeTimeout: storeTimeoutOf(options),
    keys: resolveKeys(options.keys),
    methods,
    backupCodes: methods.find((method): method is BackupCodesMethod => method.type === "backup-code"),
    trustedDevices: resolveTrust(options),
    limits: resolveLimits(options.limits),
    notify: options.notify,
  };
}

interface CommonUser {
  readonly id?: unknown;
  readonly email?: unknown;
  readonly username?: unknown;
  readonly name?: unknown;
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function userReaders(readers: UserReaders<AppUser> = {}): Pick<Settings, "userId" | "accountName"> {
  const userId = (user: AppUser): UserId => {
    const id: unknown = readers.id === undefined ? (user as CommonUser).id : readers.id(user);
    const known = isName(id) || typeof id === "number" || typeof id === "bigint";
    if (known) return String(id);
    throw new ConfigurationError([
      "user.id: answered no id for a user; pass a reader: user: { id: (user) => user.uuid }",
    ]);
  };
  const accountName = (user: AppUser): string => {
    if (readers.name !== undefined) return readers.name(user);
    const { email, username, name } = user as CommonUser;
    return [email, username, name].find(isName) ?? userId(user);
  };
  return { userId, accountName };
}

/** As Express matches paths unless told otherwise: case and a trailing slash do not matter. */
function comparable(req: Request, path: string): string {
  const cased = req.app.enabled("case sensitive routing") ? path : path.toLowerCase();
  return req.app.enabled("strict routing") || cased === "/" ? cased : cased.replace(/\/$/, "");
}

function exemption(exempt: SecondFactorOptions["exempt"] = DEFAULT_EXEMPT): Settings["isExempt"] {
  // Only a plain true exempts: an async predicate answers a promise, which reads as true.
  if (typeof exempt === "function") return (req) => (exempt(req) as unknown) === true;
  return (req) => exempt.some((path) => comparable(req, path) === comparable(req, req.path));
}

function issuerOf(issuer: SecondFactorOptions["issuer"]): Settings["issuer"] {
  return typeof issuer === "function" ? issuer : () => issuer;
}

function relyingPartyOf(options: SecondFactorOptions): Settings["relyingParty"] {
  const issuer = issuerOf(options.issuer);
  const origins = originsOf(options.origin);
  const rpId = options.methods?.find(isPasskeysMethod)?.rpId;
  return (req, user) => {
    const own = origins(req);
    const id = rpId ?? new URL(own[0] ?? "").hostname;
    return { id, name: user === undefined ? "" : issuer(req, user), origins: own };
  };
}

function originsOf(origin: SecondFactorOptions["origin"]): Settings["origins"] {
  if (typeof origin === "function") return origin;
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
function requireValid(options: SecondFactorOptions): void {
  const isProduction = process.env.NODE_ENV === "production";
  const problems = optionProblems(options, isProduction);
  if (problems.length > 0) throw new ConfigurationError(problems);
  if (isProduction) warnInProduction(options);
}

/** @throws ConfigurationError that lists every problem of the options */
export function resolveSettings(options: SecondFactorOptions): Settings {
  requireValid(options);
  const { clock = Date.now, loginPath = "/login", pages = {}, path = "/2fa", policy = "optional" } = options;
  return {
    path: path.replace(/\/$/, ""),
    loginPath,
    clock,
    isReport: options.enforce === "report",
    pages: pages === false ? undefined : pages,
    trustMaxAge: resolveTrust(options)?.maxAge,
    verifyPassword: options.verifyPassword,
    decide: createPolicy(policy, storeTimeoutOf(options)),
    issuer: issuerOf(options.issuer),
    issuerName: typeof options.issuer === "string" ? options.issuer : "",
    origins: originsOf(options.origin),
    isExempt: exemption(options.exempt),
    loadUser: options.user?.load,
    relyingParty: relyingPartyOf(options),
    ...userReaders(options.user),
  };
}
