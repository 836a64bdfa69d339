import { urlIn } from "../core/urls.js";

/** Where browsers have their push services: Chrome and its like, Firefox, Safari, Edge. */
const BROWSERS = [
  "fcm.googleapis.com",
  "jmt17.google.com",
  "updates.push.services.mozilla.com",
  "web.push.apple.com",
  "*.notify.windows.com",
];

const ANY = "*.";

/** Written as a browser writes it, and nothing beside a name and a port. */
function isHost(text: string): boolean {
  const url = urlIn(`https://${text}`);
  return !text.includes("*") && url?.host === text && url.href === `https://${text}/`;
}

/** `*.` stands before a name of at least two labels that is no address: `*.com` would be everybody. */
function isSuffix(text: string): boolean {
  const labels = text.split(":")[0]?.split(".") ?? [];
  return isHost(text) && labels.length > 1 && /[a-z]/.test(labels.at(-1) ?? "");
}

function isListable(entry: unknown): boolean {
  if (typeof entry !== "string") return false;
  return entry.startsWith(ANY) ? isSuffix(entry.slice(ANY.length)) : isHost(entry);
}

/** What is wrong with an application's list. `where`: `webPush: `. */
export function hostsProblems(hosts: unknown, where: string): string[] {
  if (hosts === undefined) return [];
  if (!Array.isArray(hosts)) return [`${where}hosts must be a list of names of hosts, such as ["push.acme.example"]`];
  return (hosts as unknown[])
    .filter((host) => !isListable(host))
    .map((host) => {
      const said = typeof host === "string" ? JSON.stringify(host) : typeof host;
      return `${where}hosts: ${said} is no host: write it in small letters, as "push.acme.example", "*.acme.example" or "push.acme.example:8443"`;
    });
}

/**
 * Hosts that a server may be sent to by what its clients say. An endpoint is such: without a list, whoever enrolls a device has the
 * server post to any address of its network.
 */
export class EndpointHosts {
  private readonly exact: ReadonlySet<string>;
  private readonly suffixes: readonly string[];

  /** `more`: beside those of the browsers, each a name, with its port where that is not 443, or `*.` before one. */
  constructor(more: readonly string[]) {
    const hosts = [...BROWSERS, ...more];
    this.exact = new Set(hosts.filter((host) => !host.startsWith(ANY)));
    this.suffixes = hosts.filter((host) => host.startsWith(ANY)).map((host) => host.slice(1));
  }

  /** The address to post to; undefined where it is not one of these hosts, over TLS, and nothing else. */
  urlOf(endpoint: string): URL | undefined {
    const url = urlIn(endpoint);
    if (url?.protocol !== "https:" || url.username !== "" || url.password !== "") return undefined;
    return this.exact.has(url.host) || this.suffixes.some((suffix) => url.host.endsWith(suffix)) ? url : undefined;
  }
}
