import type { Request } from "express";
import type { Clock, MethodType, PolicyDecision, UserId } from "../core/nouns.js";
import type { Site } from "../engine/method.js";
import type { MessageOverrides } from "../pages/messages.js";
import type { Layout } from "../pages/views.js";
import type { Decide } from "../policy/policy.js";
import type { AddressGuard } from "./address-guard.js";
import type { Method } from "./method.js";
import type { ProxyCheck } from "./proxy-check.js";

/** The application's user, of whom only the configured readers know anything. */
export type AppUser = Express.User;

/** How the pages look and what they say. */
export interface PagesOptions {
  /** Puts pages into the application's own frame. Default: a plain page of its own. */
  readonly layout?: Layout;
  /** Words to replace, or a function that answers them per request (languages). */
  readonly messages?: MessageOverrides | ((req: Request) => MessageOverrides);
  /** Language of the messages for `<html lang>`. Default: `"en"`. */
  readonly lang?: string | ((req: Request) => string);
}

/** The options, resolved: what is missing is filled in, what can be decided at start is decided. */
export interface Settings {
  readonly path: string;
  readonly loginPath: string;
  readonly clock: Clock;
  readonly isReport: boolean;
  readonly methods: ReadonlyMap<MethodType, Method>;
  readonly pages: PagesOptions | undefined;
  /** Milliseconds a browser is trusted; undefined: never. */
  readonly trustMaxAge: number | undefined;
  readonly verifyPassword: ((user: AppUser, password: string, req: Request) => Promise<boolean>) | undefined;
  /** What becomes of the other logins when a first factor is set up. */
  readonly endOtherSessions: "always" | "ask" | "never";
  readonly proxyCheck: ProxyCheck;
  readonly decide: Decide<Request, AppUser>;
  /** The one decision for everybody, where the policy is no more than that. */
  readonly fixedDecision: PolicyDecision | undefined;
  readonly issuer: (req: Request, user: AppUser) => string;
  /** The issuer where nobody is logged in; empty where it depends on the user. */
  readonly issuerName: string;
  readonly origins: (req: Request) => readonly string[];
  readonly isExempt: (req: Request) => boolean;
  readonly userId: (user: AppUser) => UserId;
  readonly accountName: (user: AppUser) => string;
  /** The application's user of this id; undefined where there is none. */
  readonly loadUser: ((id: UserId) => Promise<AppUser | undefined>) | undefined;
  readonly addressGuard: AddressGuard;
}

/** The user of a login, as the application knows them. */
export function userOf({ user }: { readonly user: unknown }): AppUser {
  return user as AppUser;
}

/** The site a request is for, as configured. Without a user the issuer may be empty. */
export function siteOf({ issuer, issuerName, origins }: Settings, req: Request, user?: AppUser): Site {
  return { origins: origins(req), issuer: user === undefined ? issuerName : issuer(req, user) };
}
