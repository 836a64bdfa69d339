import type { Request } from "express";
import type { Clock, LimitKind } from "../core/nouns.js";
import type { KeyProvider } from "../crypto/key-provider.js";
import type { Notify } from "../events/notices.js";
import type { Method } from "../methods/contract.js";
import type { MessageOverrides } from "../pages/messages.js";
import type { Layout } from "../pages/views.js";
import type { Policy } from "../policy/policy.js";
import type { Store } from "../stores/contract.js";
import type { Duration } from "./durations.js";

/** How to read the application's own user object. Every reader may be left out. */
export interface UserReaders<User> {
  /** Default: `user.id`. Must never change for a user; everything stored hangs on it. */
  readonly id?: (user: User) => string | number | bigint;
  /** What authenticator apps and pages call the account. Default: `email`, else `username`, else `name`, else the id. */
  readonly name?: (user: User) => string;
  readonly email?: (user: User) => string | undefined;
  readonly emailVerified?: (user: User) => boolean;
  readonly phone?: (user: User) => string | undefined;
  /** A BCP 47 tag. */
  readonly locale?: (user: User) => string | undefined;
  /** Finds a user by id, for what happens outside their own request. */
  readonly load?: (id: string) => Promise<User | undefined>;
}

export interface PagesOptions {
  /** Puts pages into the application's own frame. Default: a plain page of its own. */
  readonly layout?: Layout;
  /** Words to replace, or a function that answers them per request (languages). */
  readonly messages?: MessageOverrides | ((req: Request) => MessageOverrides);
  /** Language of the messages for `<html lang>`. Default: `"en"`. */
  readonly lang?: string | ((req: Request) => string);
}

export interface LimitOption {
  /** Attempts per window: a whole number from 1. */
  readonly limit: number;
  /** Begins with its first attempt. */
  readonly window: Duration;
}

export interface TrustedDevicesOption {
  /** From the grant; use does not extend it. Default: `"30d"`. */
  readonly maxAge?: Duration;
  /** Default: 10. */
  readonly maxPerUser?: number;
}

/** What `secondFactor()` takes. Invalid options throw one `ConfigurationError` that lists every problem and its mend. */
export interface SecondFactorOptions<User = Express.User> {
  /** The application's name in authenticator apps; a function for tenants. Must not contain a colon. */
  readonly issuer: string | ((req: Request, user: User) => string);
  /**
   * Exact origins such as `"https://acme.example"`, or a function that answers some of an allow-list. The only source of
   * host names: no request header is ever believed. `http:` only for localhost and 127.0.0.1, and not in production.
   */
  readonly origin: string | readonly string[] | ((req: Request) => readonly string[]);
  /**
   * `id:base64` of 32 random bytes, separated by commas: the first writes, all read. Or a `KeyProvider` (vault, KMS).
   * Required in production and with every store but the memory store; otherwise default: a key that dies with the process.
   */
  readonly keys?: string | KeyProvider | undefined;
  /** Default: `memoryStore()`, which production refuses. */
  readonly store?: Store;
  /** Default: `[totp(), backupCodes(), passkeys()]`. */
  readonly methods?: readonly Method[];
  readonly user?: UserReaders<User>;
  /** Who must. Default: `"optional"`, users with a factor are challenged. */
  readonly policy?: Policy<Request, User>;
  /** Browsers whose owner opted in are not challenged again. `false` switches it off. Default: for 30 days, 10 for each user. */
  readonly trustedDevices?: TrustedDevicesOption | false;
  /**
   * Default: 5 TOTP codes in 15 minutes, 10 backup codes in an hour, 10 codes of any kind in 15 minutes, each per account;
   * 100 attempts in 15 minutes per address (`address`). A success gives its own attempt back.
   */
  readonly limits?: Partial<Record<LimitKind, LimitOption>>;
  /** Tells owners what happened to their account. Never delays an answer. Default: nobody is told. */
  readonly notify?: Notify;
  /** Where the routes live. Default: `"/2fa"`. */
  readonly path?: string;
  /**
   * Reachable while a second factor is due: exact paths, or a predicate. The user stays hidden there.
   * Default: `["/login", "/logout"]`.
   */
  readonly exempt?: readonly string[] | ((req: Request) => boolean);
  /** The application's login page, for links. Default: `"/login"`. */
  readonly loginPath?: string;
  /** Longest wait for one answer of the store, a limiter or the keys. Default: `"2s"`. */
  readonly storeTimeout?: Duration;
  /**
   * Confirms the first factor again where no second exists yet. Default: none, a login not older than 15 minutes is asked.
   */
  readonly verifyPassword?: (user: User, password: string, req: Request) => Promise<boolean>;
  /** `"strict"`: no trusted devices, TOTP window 0, passkeys with user verification only. Default: none. */
  readonly preset?: "strict";
  /** `"report"`: decide, emit `would-block` events, and let through. What cannot be decided is refused even so. Default: `true`. */
  readonly enforce?: true | "report";
  /** `false`: no pages; browsers' GET requests below `path` go on to the application. */
  readonly pages?: PagesOptions | false;
  /** Milliseconds since the epoch. Default: `Date.now`. */
  readonly clock?: Clock;
}
