import type { Request } from "express";
import type { Client } from "../core/nouns.js";
import type { Newcomer } from "../engine/sign-in.js";
import { browserLabel } from "./browser-label.js";
import { readDeviceToken } from "./device-cookie.js";
import type { AppUser, Settings } from "../options/settings.js";

export function clientOf(req: Request): Client {
  return { ip: req.ip, userAgent: req.get("user-agent"), requestId: req.get("x-request-id") };
}

/** Everything the engine is told about a request with a user, read once. */
export async function newcomerOf(req: Request, settings: Settings, user: AppUser): Promise<Newcomer> {
  const userId = settings.userId(user);
  return {
    userId,
    decision: await settings.decide(user, req, settings.clock()),
    client: clientOf(req),
    address: req.ip,
    deviceToken: settings.trustMaxAge === undefined ? undefined : readDeviceToken(req, settings, userId),
    label: browserLabel(req.get("user-agent")),
  };
}
