import type { Request } from "express";
import type { Contact } from "../core/contact.js";
import type { Sight } from "../core/logins.js";
import type { Client } from "../core/nouns.js";
import { webOrigins } from "../core/origins.js";
import { tried } from "../core/tried.js";
import type { LoginSource } from "../engine/login-context.js";
import { browserLabel } from "./browser-label.js";
import { readDeviceToken } from "./device-cookie.js";
import { readBrowserToken, setBrowserToken } from "./known-cookie.js";
import { stateOf } from "./request-state.js";
import { sessionLife } from "./session.js";
import type { AppUser, Settings } from "./settings.js";

export function clientOf(req: Request): Client {
  return { ip: req.ip, userAgent: req.get("user-agent"), requestId: req.get("x-request-id") };
}

/** Where a request comes from, read when it is asked for. */
export class RequestSource implements LoginSource {
  /** Read for what reading does: Node still knows the peer of a connection that was closed meanwhile if it was asked before. */
  readonly peer: string | undefined;
  private known: Client | undefined = undefined;

  constructor(
    private readonly req: Request,
    private readonly settings: Settings,
    private readonly user: AppUser,
  ) {
    this.peer = req.socket.remoteAddress;
  }

  get client(): Client {
    return (this.known ??= clientOf(this.req));
  }

  get deviceToken(): string | undefined {
    const { trustMaxAge } = this.settings;
    return trustMaxAge === undefined
      ? undefined
      : readDeviceToken(this.req, this.settings, this.settings.userId(this.user));
  }

  get label(): string {
    return browserLabel(this.req.get("user-agent"));
  }

  /** Of the session as it is by now: it changes with the steps of a login. */
  get life(): number | undefined {
    return sessionLife(this.req);
  }

  get origins(): readonly string[] {
    return this.settings.origins(this.req);
  }

  get sight(): Sight {
    return { life: this.life, label: this.label, ip: this.client.ip };
  }

  get contact(): Contact {
    return this.settings.contactOf(this.user);
  }

  get place(): string | undefined {
    const [origin] = webOrigins(this.origins);
    const { base } = stateOf(this.req)?.places ?? this.settings.placesAt(this.req.baseUrl);
    return origin === undefined ? undefined : origin + base;
  }

  /** A name decides nothing: what fails has been told of where it was asked. */
  get issuer(): string {
    return tried(() => this.settings.issuer(this.req, this.user)) ?? this.settings.issuerName;
  }

  get browserToken(): string | undefined {
    return readBrowserToken(this.req, this.settings);
  }

  keepBrowser(token: string): void {
    const { res } = stateOf(this.req) ?? {};
    if (res !== undefined) setBrowserToken(this.req, res, this.settings, token);
  }
}
