import { decideLines, type PushDecision, requestsLines, subscriptionLines } from "../core/device-lines.js";
import type { Refused } from "./ceremony.js";
import { browserStore, type KeptPushDevice, type PushStore } from "./push-store.js";
import { type Posted, postJson, type Reaching, urlOf } from "./requests.js";

/** How a device reaches its site, and where its key is kept. */
export interface PushTerms extends Reaching {
  /** Where the routes live: `"/2fa"`. */
  readonly base: string;
  /** Default: IndexedDB. Needed where there is none, in Node and in native apps. */
  readonly store?: PushStore;
  /** What requests are made with. Default: the global `fetch`. */
  readonly fetch?: typeof fetch;
  /** Milliseconds since the epoch: what the device takes for the time. Default: `Date.now`. */
  readonly clock?: () => number;
}

/** Something that waits for this device's decision. */
export interface PushRequest {
  readonly requestId: string;
  /** What is asked for. It is signed with the decision. */
  readonly text: string;
  /** Where it was asked: a short name. */
  readonly browser?: string;
  /** As `browser`. */
  readonly ip?: string;
  /** ISO 8601. */
  readonly expiresAt: string;
}

/** The server knows this device no more. Its key is forgotten here, too. */
export interface RemovedPushDevice {
  readonly status: "removed";
}

export interface ListedPushRequests {
  readonly status: "listed";
  readonly requests: readonly PushRequest[];
  /** Whether messages wake it; where none do, `renew` says anew how they can. Absent: nobody knows. */
  readonly reached?: boolean;
}

export interface DecidedPushRequest {
  readonly status: "decided";
}

export interface RenewedPushSubscription {
  readonly status: "renewed";
}

/** A device of this browser, or app. What it is answered is a result; it rejects only where its own store does. */
export interface PushDevice {
  readonly factorId: string;
  /** What its owner calls it, as it was enrolled; undefined where that is not known here. */
  readonly label: string | undefined;
  /**
   * What waits for a decision. A device whose clock is wrong by more than a minute takes the server's. One whose enrollment has not
   * been answered yet lists nothing.
   */
  requests(): Promise<ListedPushRequests | RemovedPushDevice | Refused>;
  /**
   * Decides, for good. `number`: as its owner typed it, two digits; approving needs it. Refused are a wrong number (`invalid-code`; the
   * third one denies), what is over (`expired`), and approving in the browser that asks (`same-browser`).
   */
  decide(
    request: Pick<PushRequest, "requestId" | "text">,
    decision: PushDecision,
    number?: string,
  ): Promise<DecidedPushRequest | Refused>;
  /** How it is woken from now on: a push service changes what it gives now and then. */
  renew(channel: string, subscription: object | string): Promise<RenewedPushSubscription | RemovedPushDevice | Refused>;
  /** Forgets the key. On the server the factor stays until it is removed there. */
  forget(): Promise<void>;
}

const REQUESTS = "/push/requests";
/** What was sent with a form may be answered so much later, milliseconds. */
const UNHEARD = 600_000;
/** A clock that is off by less is no reason to be refused, milliseconds. */
const TOLERANCE = 30_000;

export function storeOf({ store = browserStore }: Pick<PushTerms, "store">): PushStore {
  return store;
}

/** Of the page, or the worker; there is none in Node and in native apps. */
function here({ location }: { readonly location?: Location } = globalThis): string | undefined {
  return location?.href;
}

/** Devices of one site are found again wherever on it they are asked for. */
export function siteOf({ base, baseUrl }: Pick<PushTerms, "base" | "baseUrl">): string {
  const path = urlOf(base, baseUrl);
  return URL.canParse(path, here()) ? new URL(path, here()).href : path;
}

/** A token as it is, an object as JSON: what is sent, and what is signed. */
export function subscriptionText(subscription: object | string): string {
  return typeof subscription === "string" ? subscription : JSON.stringify(subscription);
}

export function post(path: string, body: object, terms: PushTerms): Promise<Posted> {
  return postJson(terms.base + path, body, { ...terms, refusal: "invalid-code" });
}

type Refusal = Extract<Posted, { readonly ok: false }>;

/** The server knows no such device, in words of its own. */
function isUnknown({ answer, problem }: Refusal): boolean {
  return answer?.status === 404 && problem.code === "not-found";
}

export class OwnPushDevice implements PushDevice {
  /** What has to be added to this device's clock, milliseconds. */
  private offset = 0;

  constructor(
    private readonly kept: KeptPushDevice,
    private readonly terms: PushTerms,
  ) {}

  get factorId(): string {
    return this.kept.factorId;
  }

  get label(): string | undefined {
    return this.kept.label;
  }

  async requests(): Promise<ListedPushRequests | RemovedPushDevice | Refused> {
    const answer = await this.postTimed(REQUESTS, {}, (time) => requestsLines(this.factorId, time));
    if (answer.ok) return { status: "listed", ...(answer.body as unknown as Pick<ListedPushRequests, "requests">) };
    // Its enrollment may still be on its way: until that is settled nothing waits for it.
    if (isUnknown(answer) && this.isUnheard) return { status: "listed", requests: [] };
    return this.refused(answer);
  }

  async decide(
    { requestId, text }: Pick<PushRequest, "requestId" | "text">,
    decision: PushDecision,
    number?: string,
  ): Promise<DecidedPushRequest | Refused> {
    const signature = await this.kept.key.sign(decideLines({ requestId, decision, number, text }));
    const answer = await post("/push/decide", { requestId, decision, number, signature }, this.terms);
    return answer.ok ? { status: "decided" } : { status: "refused", problem: answer.problem };
  }

  async renew(channel: string, given: object | string): Promise<RenewedPushSubscription | RemovedPushDevice | Refused> {
    const subscription = subscriptionText(given);
    const answer = await this.postTimed("/push/subscription", { channel, subscription }, (time) =>
      subscriptionLines(this.factorId, time, channel, subscription),
    );
    return answer.ok ? { status: "renewed" } : this.refused(answer);
  }

  forget(): Promise<void> {
    return storeOf(this.terms).remove(this.kept.site, this.factorId);
  }

  private get now(): number {
    return (this.terms.clock ?? Date.now)();
  }

  /** Posts what is signed with a time; once more with the server's, where that is why it was refused. */
  private async postTimed(path: string, members: object, lines: (time: string) => string): Promise<Posted> {
    const { factorId, kept, terms } = this;
    const attempt = async (): Promise<Posted> => {
      const time = new Date(this.now + this.offset).toISOString();
      return post(path, { ...members, factorId, time, signature: await kept.key.sign(lines(time)) }, terms);
    };
    const first = await attempt();
    if (first.ok || first.answer?.status !== 401) return first;
    const offset = Date.parse(first.answer.date ?? "") - this.now;
    // Not readable from another origin, unless that exposes it.
    if (Number.isNaN(offset) || Math.abs(offset - this.offset) < TOLERANCE) return first;
    this.offset = offset;
    return attempt();
  }

  private get isUnheard(): boolean {
    const { submittedAt } = this.kept;
    return submittedAt !== undefined && Math.abs(this.now - submittedAt) < UNHEARD;
  }

  private async refused(answer: Refusal): Promise<RemovedPushDevice | Refused> {
    const { problem } = answer;
    if (!isUnknown(answer) || this.isUnheard || !(await this.hasRoutes())) return { status: "refused", problem };
    await this.forget();
    return { status: "removed" };
  }

  /** A server that takes no devices, for a while, answers 404 to all of them. What it cannot read only a route says. */
  private async hasRoutes(): Promise<boolean> {
    const answer = await post(REQUESTS, {}, this.terms);
    return !answer.ok && answer.answer?.status === 400;
  }
}

/**
 * The devices that this browser, or app, is for a site: one for each account that enrolled it. None where nothing is kept, as in some
 * private windows; asks nobody.
 *
 * @example
 * ```ts
 * import { pushDevices } from "express-second-factor/browser";
 *
 * for (const device of await pushDevices({ base: "/2fa" })) {
 *   const answer = await device.requests();
 *   if (answer.status !== "listed") continue;
 *   for (const request of answer.requests) {
 *     const number = prompt(`${request.text}\n${request.browser ?? ""} ${request.ip ?? ""}`);
 *     const result = await device.decide(request, number ? "approve" : "deny", number ?? undefined);
 *     if (result.status === "refused") message.textContent = result.problem.detail ?? "That did not work.";
 *   }
 * }
 * ```
 */
export async function pushDevices(terms: PushTerms): Promise<readonly PushDevice[]> {
  try {
    const kept = await storeOf(terms).devices(siteOf(terms));
    return kept.map((each) => new OwnPushDevice(each, terms));
  } catch {
    return [];
  }
}
