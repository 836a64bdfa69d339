import type { Request } from "express";
import type { Contact } from "../core/contact.js";
import type { Clock, MethodType, UserId } from "../core/nouns.js";
import type { Site } from "../engine/method.js";
import type { EmitError } from "../events/emitter.js";
import type { MessageOverrides } from "../pages/messages.js";
import type { LayoutParts } from "../pages/views.js";
import type { AskedPolicy } from "../policy/policy.js";
import type { AddressGuard } from "./address-guard.js";
import type { Carry, OnLogin } from "./completion.js";
import type { ContentSecurityPolicy } from "./content-policy.js";
import type { Method } from "./method.js";
import type { Mounted } from "./mounted.js";
import type { Places } from "./places.js";
import type { ProxyCheck } from "./proxy-check.js";

/** The application's user, of whom only the configured readers know anything. */
export type AppUser = Express.User;

/**
 * Puts a page into the application's own frame, for this request: answers a whole HTML document. What throws, answers no text or takes
 * more than 5 s is a failure: 503, and the page says so in the built-in layout.
 */
export type Layout = (parts: LayoutParts, req: Request) => string | PromiseLike<string>;

/** How the pages look and what they say. */
export interface PagesOptions {
  /** Puts pages into the application's own frame. Default: a plain page of its own. */
  readonly layout?: Layout;
  /** Pages say the issuer, in their titles and above themselves. Default: true; false for a layout that shows it already. */
  readonly showIssuer?: boolean;
  /** Words to replace, or a function that answers them per request (languages). */
  readonly messages?: MessageOverrides | ((req: Request) => MessageOverrides);
  /** Language of the messages for `<html lang>`. Default: `"en"`. */
  readonly lang?: string | ((req: Request) => string);
  /**
   * What a layout of the application's needs beyond the pages' own policy: fonts, pictures from elsewhere, a nonce, to be framed
   * (`{ "frame-ancestors": ["'self'"] }`). Merged one directive after the other: sources are added to ours, `["'none'"]` stands for
   * them, `false` leaves the directive out. A function `(req, res)` for what is another at each answer; what it answers is checked
   * there, and refused with 503. Default: nothing from elsewhere, nothing inline, no frames; no `form-action`.
   */
  readonly contentSecurityPolicy?: ContentSecurityPolicy;
}

/** The options, resolved: what is missing is filled in, what can be decided at start is decided. */
export interface Settings {
  readonly path: string;
  /** In front of what a proxy lets through: `""`, or without a trailing slash. */
  readonly publicPath: string;
  /** Where everything is, as the browser sees it, for requests that come by this mount path (`req.baseUrl`). */
  readonly placesAt: (mountPath: string) => Places;
  readonly mounted: Mounted;
  readonly clock: Clock;
  readonly isReport: boolean;
  readonly methods: ReadonlyMap<MethodType, Method>;
  readonly pages: PagesOptions | undefined;
  /** Milliseconds a browser is trusted; undefined: never. */
  readonly trustMaxAge: number | undefined;
  readonly verifyPassword: ((user: AppUser, password: string, req: Request) => Promise<boolean>) | undefined;
  readonly onLogin: OnLogin<AppUser> | undefined;
  readonly carry: Carry<AppUser> | undefined;
  /** What becomes of the other logins when a first factor is set up. */
  readonly endOtherSessions: "always" | "ask" | "never";
  readonly proxyCheck: ProxyCheck;
  readonly policy: AskedPolicy<Request, AppUser>;
  readonly issuer: (req: Request, user: AppUser) => string;
  /** The issuer where nobody is logged in; empty where it depends on the user. */
  readonly issuerName: string;
  readonly origins: (req: Request) => readonly string[];
  /** The first web origin where no request is at hand; undefined: none, or which of its sites it is, a request alone tells. */
  readonly site: string | undefined;
  readonly isExempt: (req: Request) => boolean;
  /** Undefined where the application decides by itself. */
  readonly exemptPaths: readonly string[] | undefined;
  readonly userId: (user: AppUser) => UserId;
  readonly accountName: (user: AppUser) => string;
  /** What cannot be read is left out: nobody is kept out for it. */
  readonly contactOf: (user: AppUser) => Contact;
  /** The application's user of this id; undefined where there is none. */
  readonly loadUser: ((id: UserId) => Promise<AppUser | undefined>) | undefined;
  readonly addressGuard: AddressGuard;
  readonly emitError: EmitError;
}

/** The user of a login, as the application knows them. */
export function userOf({ user }: { readonly user: unknown }): AppUser {
  return user as AppUser;
}

/** The site a request is for, as configured. Without a user the issuer may be empty. */
export function siteOf({ issuer, issuerName, origins }: Settings, req: Request, user?: AppUser): Site {
  return { origins: origins(req), issuer: user === undefined ? issuerName : issuer(req, user) };
}
