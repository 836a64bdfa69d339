import type { Request, Response } from "express";
import type { Method } from "./method.js";
import { settingsPath } from "./request-state.js";
import { type Settings, siteOf } from "./settings.js";

const PREFIX = "/.well-known/";

type Document = NonNullable<Method["wellKnown"]>[string];

/** Documents that browsers and password managers look for; they hold nothing but configuration. */
export class WellKnown {
  private readonly documents: ReadonlyMap<string, Document>;

  constructor(private readonly settings: Settings) {
    const methods = [...settings.methods.values()];
    this.documents = new Map(methods.flatMap(({ wellKnown = {} }) => Object.entries(wellKnown)));
  }

  /** Answers a request for one of the documents; false where it is for something else. */
  answer(req: Request, res: Response): boolean {
    if (this.documents.size === 0 || !req.url.startsWith(PREFIX) || req.method !== "GET") return false;
    const document = this.documents.get(req.path);
    const site = siteOf(this.settings, req);
    const origin = site.origins.find((each) => /^https?:/.test(each));
    if (document === undefined || origin === undefined) return false;
    const content = document(site, new URL(settingsPath(this.settings.placesAt(req.baseUrl)), origin).href);
    if (content === undefined) return false;
    res.status(200).json(content);
    return true;
  }
}
