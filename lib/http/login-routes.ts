import type { Request } from "express";
import { LruMap } from "../core/lru-map.js";
import { fingerprint } from "../crypto/fingerprint.js";
import type { SessionRecord } from "../policy/assess.js";

/** As Express matches paths unless told otherwise: case and a trailing slash do not matter. */
export function comparablePath(req: Request, path: string): string {
  const cased = req.app.enabled("case sensitive routing") ? path : path.toLowerCase();
  return req.app.enabled("strict routing") || cased === "/" ? cased : cased.replace(/\/$/, "");
}

const MOST_ROUTES = 1_000;
/** Longer parts of a path, and those with a digit, may be somebody's token: they are not printed. */
const WORD = /^[a-z._~-]{1,24}$/i;

/**
 * The whole path, within whatever router, to the letter: a router may tell apart what the application does not. Not as text: a path
 * may be a link that was mailed, token and all.
 */
function routeOf(req: Request): string {
  return fingerprint(`route ${req.method} ${req.baseUrl}${req.path}`);
}

/** Somebody sends a password, or what brings one back from an identity provider. */
function looksLikeLogin({ body, method }: Request): boolean {
  return method === "POST" && typeof body === "object" && body !== null && "password" in body;
}

/** Where logins are made: each stays reachable while the login that it made waits. */
export class LoginRoutes {
  private readonly known = new LruMap<string, true>(MOST_ROUTES);
  private hasTold = false;

  /** `exempt`: the paths that are; undefined where the application decides by itself. */
  constructor(private readonly exempt: readonly string[] | undefined) {}

  /** What the record of a login keeps of the request that made it. */
  note(req: Request): string {
    const route = routeOf(req);
    this.known.set(route, true);
    return route;
  }

  /** The request goes where this login came from: somebody wants to use another account. */
  isOrigin(req: Request, { route }: Pick<SessionRecord, "route">): boolean {
    return route !== undefined && route === routeOf(req);
  }

  /** Tells the developer, once, of a login that is refused because another one waits in its session. */
  tellOfRefused(req: Request): void {
    if (this.hasTold || !(looksLikeLogin(req) || this.known.has(routeOf(req)))) return;
    this.hasTold = true;
    const path = req.path
      .split("/")
      .map((part) => (part === "" || WORD.test(part) ? part : ":…"))
      .join("/");
    process.emitWarning(
      `${req.method} ${path} was refused because a login waits for its second factor in that session, and this is no route that it may reach. Where it logs users in, name it: ${this.lineFor(path)}`,
      { code: "SECOND_FACTOR_LOGIN_REFUSED" },
    );
  }

  private lineFor(path: string): string {
    if (this.exempt === undefined) return `let exempt answer true for ${path}`;
    if (path.includes("…")) return "exempt: (req) => … (a predicate, because its path is not always the same)";
    return `exempt: ${JSON.stringify([...this.exempt, path]).replaceAll(",", ", ")}`;
  }
}
