import { Agent as HttpAgent } from "node:http";
import type { Agent } from "node:https";
import { attempt } from "../core/attempt.js";
import { DeliveryError, type DeliveryReason } from "../core/delivery-error.js";
import { ConfigurationError } from "../core/errors.js";
import { optionsProblems } from "../core/option-names.js";
import type { PushChannel, PushMessage, PushSubscriptionJson } from "../core/push-channel.js";
import { makesTakers } from "../core/takers.js";
import { type BrowserSubscription, browserSubscription } from "./browser-subscription.js";
import { EndpointHosts, hostsProblems } from "./endpoint-hosts.js";
import { post } from "./post.js";
import { type VapidDetails, vapidProblems } from "./vapid.js";

export interface WebPushOptions {
  /** By which push services know who sends, and to whose messages alone a browser listens. `npx web-push generate-vapid-keys` makes keys. */
  readonly vapid: VapidDetails;
  /**
   * Push services to send to beside those of Chrome, Edge, Firefox and Safari: `"push.acme.example"`, `"*.acme.example"`,
   * `"push.acme.example:8443"`. A device says where it is reached, and nothing else keeps your server from posting there. Default: none.
   */
  readonly hosts?: readonly string[];
  /** Connections are made by it: an `https.Agent`, or one that goes through a proxy. Default: Node's own. */
  readonly agent?: Agent;
}

const OPTIONS = ["vapid", "hosts", "agent"] satisfies (keyof WebPushOptions)[];
/** How its errors begin: by which of several channels. */
const WHAT = "The Web Push message";
/** Seconds a push service keeps it for a browser that is not there: as long as a request lives. */
const TIME_TO_LIVE = 120;
const MISFIT =
  "the push service does not take these VAPID keys for this device; after a change of keys each device has to be added anew";

const MISSING = 'webPush: the package "web-push" is not installed: npm install web-push@3';

type Library = Pick<typeof import("web-push"), "generateRequestDetails">;

/** What a push service answered that took nothing. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    /** Apple's word for it. */
    readonly code: string | undefined,
  ) {
    super("Refused");
  }
}

function reasonOf(error: unknown): DeliveryReason {
  const { status, code } = Object(error) as DeliveryReason;
  const isMisfit = status === 401 || status === 403 || (typeof code === "string" && code.startsWith("Vapid"));
  return { code, status, gone: status === 404 || status === 410, ...(isMisfit && { hint: MISFIT }) };
}

async function load(): Promise<Library> {
  try {
    const loaded = (await import("web-push")) as Library & { readonly default?: Library };
    return loaded.default ?? loaded;
  } catch (error) {
    const { code } = Object(error) as { readonly code?: unknown };
    if (code !== "ERR_MODULE_NOT_FOUND" && code !== "MODULE_NOT_FOUND") throw error;
    throw new ConfigurationError([MISSING]);
  }
}

/** Begun at start, where a missing package is told at once, and awaited at the first message. */
function loading(): Promise<Library> {
  const library = load();
  library.catch((error: unknown) => {
    const [problem = String(error)] = error instanceof ConfigurationError ? error.problems : [];
    process.emitWarning(`${problem}. No message can be sent.`, { code: "SECOND_FACTOR_PACKAGE" });
  });
  return library;
}

/** Names of Apple's, such as `BadJwtToken`: letters, which can repeat nothing of an address. */
function wordOf(body: string): string | undefined {
  return /"reason"\s*:\s*"([A-Z][A-Za-z]{2,39})"/.exec(body)?.[1];
}

class WebPush implements PushChannel {
  readonly name = "web-push";
  readonly applicationServerKey: string;
  private readonly hosts: EndpointHosts;
  private readonly agent: Agent | undefined;
  private readonly vapidDetails: { readonly subject: string; readonly publicKey: string; readonly privateKey: string };
  private readonly library = loading();

  constructor({ vapid, hosts = [], agent }: WebPushOptions) {
    const { subject = "", publicKey = "", privateKey = "" } = vapid;
    this.vapidDetails = { subject, publicKey, privateKey };
    this.applicationServerKey = publicKey;
    this.hosts = new EndpointHosts(hosts);
    this.agent = agent;
  }

  problem(subscription: PushSubscriptionJson): string | undefined {
    const found = this.reached(subscription);
    return typeof found === "string" ? found : undefined;
  }

  async send(
    subscription: PushSubscriptionJson,
    message: PushMessage,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const found = this.reached(subscription);
    if (typeof found === "string") throw new DeliveryError(WHAT, { code: found });
    const library = await this.library;
    const ask = (over: AbortSignal): Promise<void> => this.hand(library, found, message, over);
    await attempt({ what: WHAT, signal, ask, reasonOf });
  }

  /** The subscription and its address, or why nothing is sent there. */
  private reached(given: unknown): (BrowserSubscription & { readonly url: URL }) | string {
    const subscription = browserSubscription(given);
    if (subscription === undefined) return "not-a-subscription";
    const url = this.hosts.urlOf(subscription.endpoint);
    return url === undefined ? "host-not-allowed" : { ...subscription, url };
  }

  private async hand(
    library: Library,
    { keys, url }: BrowserSubscription & { readonly url: URL },
    { requestId, origin }: PushMessage,
    signal: AbortSignal,
  ): Promise<void> {
    const { vapidDetails, agent } = this;
    const details = library.generateRequestDetails(
      { endpoint: url.href, keys },
      JSON.stringify({ requestId, origin }),
      { vapidDetails, TTL: TIME_TO_LIVE, urgency: "high", contentEncoding: "aes128gcm" },
    );
    const { status, body } = await post(url, { headers: details.headers, body: details.body, agent, signal });
    if (status < 200 || status > 299) throw new Refusal(status, wordOf(body));
  }
}

/** Node's own for http would refuse every message; those of proxies are of classes of their own. */
function isAgent(given: unknown): boolean {
  const { addRequest } = Object(given) as { addRequest?: unknown };
  return typeof addRequest === "function" && Object.getPrototypeOf(given) !== HttpAgent.prototype;
}

function problemsOf(options: WebPushOptions): string[] {
  const { vapid, hosts, agent } = Object(options) as Readonly<Record<string, unknown>>;
  return [
    ...optionsProblems(options, OPTIONS, "webPush: "),
    ...vapidProblems(vapid, "webPush: vapid"),
    ...hostsProblems(hosts, "webPush: "),
    ...(agent === undefined || isAgent(agent) ? [] : ["webPush: agent must be one of node:https: new https.Agent()"]),
  ];
}

/**
 * Wakes browsers, through the push service each of them has: a channel for `push({ channels })`. Over the package `web-push`, which is
 * not a dependency of this one: `npm install web-push@3`.
 *
 * A message is encrypted for its browser (RFC 8291) and holds the request's id and your origin: no name, no text, no number. It is
 * kept for two minutes where a browser is not there, and is urgent. Whatever a device says it is reached at is compared with a list of
 * hosts, before it is stored and before each message; no redirection is followed.
 *
 * Does NOT retry, and does NOT know whether a device has shown anything: a push service takes messages over, and may lose them. What it
 * refuses is a `DeliveryError` with its `status`, and `gone: true` where the subscription is over; silence is an `UnavailableError`.
 * Neither holds the endpoint. The keys of `vapid` cannot be changed: every subscription is bound to them.
 *
 * @throws ConfigurationError for keys that are none or not of one pair, a subject Apple refuses, hosts that are none, and unknown options
 *
 * @example
 * ```ts
 * import { backupCodes, push, totp } from "express-second-factor";
 * import { webPush } from "express-second-factor/web-push";
 *
 * const channel = webPush({
 *   vapid: {
 *     subject: "mailto:security@acme.example",
 *     publicKey: process.env.VAPID_PUBLIC_KEY,
 *     privateKey: process.env.VAPID_PRIVATE_KEY,
 *   },
 * });
 * app.use(secondFactor({ ..., methods: [totp(), push({ channels: [channel] }), backupCodes()] }));
 * ```
 */
export function webPush(options: WebPushOptions): PushChannel {
  const problems = problemsOf(options);
  if (problems.length > 0) throw new ConfigurationError(problems);
  return new WebPush(options);
}

makesTakers(webPush, "webPush({ vapid })");
