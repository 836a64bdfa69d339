import type { Request } from "express";
import type { Client, UserId } from "../core/nouns.js";
import type { Newcomer } from "../engine/sign-in.js";
import type { Arrival } from "../engine/visitor.js";
import { browserLabel } from "./browser-label.js";
import { readDeviceToken } from "./device-cookie.js";
import type { AppUser, Settings } from "../options/settings.js";

export function clientOf(req: Request): Client {
  return { ip: req.ip, userAgent: req.get("user-agent"), requestId: req.get("x-request-id") };
}

class RequestArrival implements Arrival {
  readonly peer: string | undefined;
  private knownLabel: string | undefined;

  constructor(
    private readonly req: Request,
    private readonly settings: Settings,
    private readonly userId: UserId,
  ) {
    // Node still knows the peer of a connection that was closed meanwhile, if it was asked for once before.
    this.peer = req.socket.remoteAddress;
  }

  get client(): Client {
    return clientOf(this.req);
  }

  get deviceToken(): string | undefined {
    const { trustMaxAge } = this.settings;
    return trustMaxAge === undefined ? undefined : readDeviceToken(this.req, this.settings, this.userId);
  }

  get label(): string {
    return (this.knownLabel ??= browserLabel(this.req.get("user-agent")));
  }
}

/** Everything the engine is told about a request with a user. */
export async function newcomerOf(req: Request, settings: Settings, user: AppUser): Promise<Newcomer> {
  const userId = settings.userId(user);
  const decision = await settings.decide(user, req, settings.clock());
  return { userId, decision, arrival: new RequestArrival(req, settings, userId) };
}
