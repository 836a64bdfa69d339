import { urlIn } from "../core/urls.js";
import type { Request } from "express";
import { isForm } from "./body.js";
import { prefersHtml } from "./negotiation.js";
import type { Settings } from "./settings.js";

/**
 * What an application's surroundings do to our pages, as far as the requests that come show it: each is named once, with its mend. No
 * header decides anything here, so none is believed.
 */

const HOST = "SECOND_FACTOR_HOST";
const CSRF = "SECOND_FACTOR_CSRF";

function hostOf(url: string): string | undefined {
  return urlIn(url)?.host;
}

/** Where a browser may have the page from: a proxy may pass on its own name, and tell the browser's in another header. */
function hostsIn(req: Request): readonly string[] {
  const forwarded = req.get("x-forwarded-host")?.split(",")[0]?.trim();
  return [req.headers.host, forwarded, hostOf(req.get("referer") ?? "")].filter((host) => host !== undefined);
}

function warn(code: string, message: string): void {
  process.emitWarning(message, { code });
}

/** csurf, csrf-csrf, csrf-sync, lusca and tiny-csrf all put this on the requests they see. */
function hasCsrfToken(req: Request): boolean {
  return typeof (req as { csrfToken?: unknown }).csrfToken === "function";
}

/** Looks at requests for our own routes. */
export class Hints {
  private readonly told = new Set<string>();
  /** A form of ours came through, so whatever stands above lets them. */
  private hasSeenForm = false;

  constructor(private readonly settings: Settings) {}

  /** Never fails: what it asks for its hints may be what has failed, and that is told elsewhere. */
  look(req: Request): void {
    try {
      this.lookAt(req);
    } catch {
      // A hint is none then.
    }
  }

  private lookAt(req: Request): void {
    if (req.method === "POST") this.hasSeenForm ||= isForm(req);
    else if (req.method === "GET" && prefersHtml(req) && this.settings.pages !== undefined) {
      this.once(CSRF, () => this.csrfProblem(req));
      this.once(HOST, () => this.hostProblem(req));
    }
  }

  private once(code: string, problem: () => string | undefined): void {
    if (this.told.has(code)) return;
    const found = problem();
    if (found === undefined) return;
    this.told.add(code);
    warn(code, found);
  }

  private csrfProblem(req: Request): string | undefined {
    if (this.hasSeenForm || !hasCsrfToken(req)) return undefined;
    return `A CSRF middleware stands above app.use(mfa): it refuses the forms below "${this.settings.path}", which carry no token of its. Write app.use(mfa) above it, or leave "${this.settings.path}" out of it: these routes look at Origin and Sec-Fetch-Site themselves.`;
  }

  private hostProblem(req: Request): string | undefined {
    const [host, ...others] = hostsIn(req);
    if (host === undefined) return undefined;
    const origins = this.settings.origins(req);
    const isListed = origins.some((origin) => [host, ...others].includes(hostOf(origin) ?? ""));
    if (isListed) return undefined;
    const [found, wanted] = [host, origins.join(", ")].map((each) => JSON.stringify(each));
    return `A page below "${this.settings.path}" was opened at the host ${found}, and the origin option is ${wanted}: what is sent from there is refused, and passkeys do not work. Open the application at its origin, add this one to the option, or have the proxy pass Host on.`;
  }
}
