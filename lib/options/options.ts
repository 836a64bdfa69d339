import type { Request } from "express";
import type { Store as RateLimitStore } from "express-rate-limit";
import type { Clock, LimitKind } from "../core/nouns.js";
import type { KeyProvider } from "../crypto/key-provider.js";
import type { RecoveryRequest } from "../engine/recovery-due.js";
import type { OnCompromise } from "../engine/reports.js";
import type { Notify } from "../events/notices.js";
import type { Method } from "../http/method.js";
import type { Carry, OnLogin } from "../http/completion.js";
import type { PagesOptions } from "../http/settings.js";
import type { Duration } from "../policy/durations.js";
import type { Policy } from "../policy/policy.js";
import type { Store } from "../stores/contract.js";

/** How to read the application's own user object. Every reader may be left out. */
export interface UserReaders<User> {
  /**
   * Default: `user.id`. Must never change for a user; everything stored hangs on it. Text that is not empty, a bigint, or a whole
   * number that is exact; anything else refuses.
   */
  readonly id?: (user: User) => string | number | bigint;
  /**
   * What authenticator apps and pages call the account, cut at 128 characters; what is no name, or throws, is the id. Default: `email`,
   * else `username`, else `name`, else the id.
   */
  readonly name?: (user: User) => string;
  /** Where the user gets mail; what is no text, or throws, is none. Default: `user.email`. */
  readonly email?: (user: User) => string | null | undefined;
  /**
   * Whether that address was proved to be the user's. Where it was not, codes by e-mail cannot be set up for it (`POST
   * /email-code/enroll`: 400 with `reason: "email-unverified"`); notices still go there. What answers anything but true counts as not
   * proved. Default: `user.emailVerified`, where that is false; else nothing is known, and nothing refused.
   */
  readonly emailVerified?: (user: User) => boolean;
  /** The user's mobile number, with its country code. Default: `user.phone`. */
  readonly phone?: (user: User) => string | null | undefined;
  /** The language the user is written to in, such as `"de-CH"`. Default: `user.locale`. */
  readonly locale?: (user: User) => string | null | undefined;
  /** Finds a user by id, for what happens outside their own request. */
  readonly load?: (id: string) => Promise<User | undefined>;
}

export interface LimitOption {
  /** Attempts per window: a whole number from 1. */
  readonly limit: number;
  /** Begins with its first attempt. */
  readonly window: Duration;
}

/** How many accounts may be guessed at from one network address. */
export interface AddressLimitOption extends Partial<LimitOption> {
  /** Any store of express-rate-limit with `get`; its windows end by its own clock. Default: the one that comes with `store`. */
  readonly store?: RateLimitStore;
}

/** Limits by kind: `allCodes`, `address`, and what the configured methods bring (`totp`, `totpEnroll`, `backupCode`). */
export interface LimitsOption {
  readonly address?: AddressLimitOption;
  readonly [kind: LimitKind]: LimitOption | AddressLimitOption | undefined;
}

export interface TrustedDevicesOption {
  /** From the grant; use does not extend it. Default: `"30d"`. */
  readonly maxAge?: Duration;
  /** Default: 10. */
  readonly maxPerUser?: number;
}

/** How long somebody waits who has lost every factor, and who has the last word. */
export interface RecoveryOptions {
  /** From the confirming link to the completing one. `"0s"` only with `approve`. Default: `"24h"`. */
  readonly wait?: Duration;
  /**
   * The last word, when the wait is over: true goes on, false ends it, and the owner is told. Nothing, a rejection, or 30 s without an
   * answer decide nothing: it is asked again when what is due is next run (`mfa.runDue`), for 30 days. Default: nobody is asked.
   */
  readonly approve?: (request: RecoveryRequest) => boolean | undefined | PromiseLike<boolean | undefined>;
  /**
   * What shortens the wait to this: the wait is the shortest of what was shown. None may be longer than `wait`. Default: nothing
   * shortens it.
   */
  readonly evidence?: RecoveryEvidence;
}

/** How long is waited where this was shown. What is left out does not count. None of it proves anything, or ends a wait by itself. */
export interface RecoveryEvidence {
  /** The recovery was asked for in a browser that the account trusts. Default: it does not count. */
  readonly trustedBrowser?: Duration;
  /**
   * An unused code of the set of backup codes that was replaced last was typed with the request; it is used up by that. A wrong one asks
   * for nothing, and is limited as backup codes are. Needs `backupCodes()`. Does NOT sign in, as no code of an old set does. Default: it
   * does not count.
   */
  readonly oldBackupCode?: Duration;
  /**
   * The link was used that is sent, once the wait has begun, to where e-mail and SMS codes of the account go, but for the address on
   * file. Counted from the beginning of the wait. Needs `emailCode()` or `smsCode()`. Does NOT help where both are in one hand, as on a
   * telephone that was stolen. Default: it does not count, and nothing is sent.
   */
  readonly secondChannel?: Duration;
}

export interface HelpDeskOption {
  /**
   * How many operators it takes to `reset` an account and to give out a temporary pass. 2: the call is written down and rejects with a
   * `NotDoneError` that names the request, which another operator approves within 15 minutes. Default: 1.
   */
  readonly approvals?: 1 | 2;
}

/** What `secondFactor()` takes. Invalid options throw one `ConfigurationError` that lists every problem and its mend. */
export interface SecondFactorOptions<User = Express.User> {
  /** The application's name in authenticator apps; a function for tenants. Must not contain a colon. */
  readonly issuer: string | ((req: Request, user: User) => string);
  /**
   * Exact origins such as `"https://acme.example"`, or a function that answers some of an allow-list. The only source of
   * host names: no request header is ever believed. `http:` only for localhost and 127.0.0.1, and not in production. Origins of the
   * site's own apps (`"capacitor://localhost"`, `"android:apk-key-hash:…"`) may stand beside them, and are compared as text.
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
  /**
   * Who must. Default: `"optional"`, users with a factor are challenged. What a login owes is decided when it is made and can only
   * grow afterwards. A function answers `"deny"` for a login that is to end: 403 `denied`.
   */
  readonly policy?: Policy<Request, User>;
  /** Browsers whose owner opted in are not challenged again. `false` switches it off. Default: for 30 days, 10 for each user. */
  readonly trustedDevices?: TrustedDevicesOption | false;
  /**
   * Default: 3 requests to recover in 24 hours (`recovery`), 5 TOTP codes in 15 minutes, 60 QR codes in 15 minutes, 10 backup codes in an hour, 10 codes of any kind in 15 minutes,
   * each per account;
   * 100 accounts guessed at in 15 minutes per network address (`address`). A success counts nothing.
   */
  readonly limits?: LimitsOption;
  /** Tells owners what happened to their account. Never delays an answer. Default: nobody is told. */
  readonly notify?: Notify;
  /**
   * Told once of each report ("this wasn't me"), when it has taken effect: every login is over, changes are frozen. The place to demand
   * a new password at the next login. Waited for, 10 s at most; what it throws, and silence, is an `error` event and undoes nothing. It
   * is NOT called again. Default: nobody is told.
   */
  readonly onCompromise?: OnCompromise;
  /**
   * The way back for owners who have lost every factor: asked for after the first one, confirmed by a link in a mail, waited for, and
   * completed by a second link. `false`: there is none. It needs `notify` and a `user.email`; without `notify` there is none.
   * Default: `{ wait: "24h" }`.
   */
  readonly recovery?: RecoveryOptions | false;
  /** Where the routes live. Default: `"/2fa"`. */
  readonly path?: string;
  /**
   * What a proxy takes off the path before the application sees it: `"/crm"`. It comes in front of the mount path and of every link,
   * redirect and cookie path (`__Host-` cookies are the whole site's); where it ends with the mount path already, it stands for both.
   * Never taken from a header. Default: nothing, so that the mount path (`req.baseUrl`) alone stands in front.
   */
  readonly publicPath?: string;
  /**
   * Where "Back to …" leads, and a login that was going nowhere: a path as the application's own routes name it, `publicPath` and the
   * mount path come in front, unless they are there already. For a place outside of them a whole address on one of the listed
   * origins: `"https://acme.example/"`. Default: the mount path, else `"/"`.
   */
  readonly homePath?: string;
  /**
   * Reachable while a second factor is due: exact paths, or a predicate. The user stays hidden there.
   * Default: `["/login", "/logout"]`.
   */
  readonly exempt?: readonly string[] | ((req: Request) => boolean);
  /** The application's login page, for links; written as `homePath` is. Default: `"/login"`. */
  readonly loginPath?: string;
  /** Longest wait for one answer of the store, a limiter or the keys. Default: `"2s"`. */
  readonly storeTimeout?: Duration;
  /**
   * Confirms the first factor again where no second exists yet. Default: none, a login not older than 15 minutes is asked.
   */
  readonly verifyPassword?: (user: User, password: string, req: Request) => Promise<boolean>;
  /**
   * What the application does with a login that is complete, once for each, whichever way it came to be: set a tenant, a cookie's life,
   * "last login". Awaited before the answer; until then nothing is open to the login, and other requests of it wait, 5 s at most (503).
   * A rejection, or 30 s without an end, ends the login: 503 `login-failed`, an `error` event, and the proof is used up. `req.user` is
   * not set yet. What it sets on `req.session` and `req.session.cookie` holds. Not for a step-up, and not for logins that keep no
   * session. Default: none.
   */
  readonly onLogin?: OnLogin<User>;
  /**
   * What the first step knows and `onLogin` needs, such as "remember me": a plain object, at most 1,024 bytes of JSON, kept sealed with
   * the login that waits; given to `onLogin` also where nothing is waited for. Asked at the first step, before the session is renewed.
   * More than that, or what is no plain object, is a `ConfigurationError` there. Default: nothing.
   */
  readonly carry?: Carry<User>;
  /**
   * What becomes of an account's other logins when its first factor is set up. `"always"`: they end. `"never"`: they stay, and are asked
   * for the new factor at their next request, with ten minutes for it. `"ask"`: its owner says which, on the pages with a checkbox
   * that is ticked, in JSON with `endOtherSessions: false`; they end where nothing is said. Default: `"ask"`.
   *
   * Does NOT concern a further factor: with it the other logins end. Browsers are trusted no more in either case.
   */
  readonly endOtherSessions?: "always" | "ask" | "never";
  /**
   * How the help desk works. Where it is given, also as `{}`, whatever its operators do by `mfa.accounts` names its `actor`, who is not
   * the user, and a `reason`: a `ConfigurationError` says where they are missing. Default: none, neither is asked for but by
   * `issueTemporaryPass`, `approve` and `callerCheck`.
   */
  readonly helpDesk?: HelpDeskOption;
  /** `"strict"`: no trusted devices, TOTP window 0, passkeys with user verification only, no codes that are sent. Default: none. */
  readonly preset?: "strict";
  /** `"report"`: decide, emit `would-block` events, and let through. What cannot be decided is refused even so. Default: `true`. */
  readonly enforce?: true | "report";
  /** `false`: no pages; browsers' GET requests below `path` go on to the application. */
  readonly pages?: PagesOptions | false;
  /** Milliseconds since the epoch. Default: `Date.now`. */
  readonly clock?: Clock;
}
