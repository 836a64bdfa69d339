// The phone of a user: the package's own device side, reaching an application under test.
import supertest from "supertest";
import {
  type EnrolledPushDevice,
  enrollPushDevice,
  type EnrollPushOptions,
  memoryPushStore,
  type PushDecision,
  type PushDevice,
  pushDevices,
  type PushKey,
  type PushRequest,
  type PushStore,
} from "express-second-factor/browser";
import { decideLines, enrollLines, requestsLines, subscriptionLines } from "../../lib/core/device-lines.js";
import { ORIGIN, type Visitable } from "./app.js";
import type { Jar } from "./browser.js";

type Agent = ReturnType<typeof supertest.agent>;

/** An application in this process, or the address of one that listens. */
export type Reached = Visitable | string;

export interface PhoneOptions {
  /** Default: `/2fa`. */
  readonly base?: string;
  /** Default: the application's clock, or this machine's. */
  readonly clock?: () => number;
}

type Terms = Required<Pick<EnrollPushOptions, "base" | "baseUrl" | "clock" | "fetch" | "store">>;

/** Of an answer of `POST /push/requests`. */
export type Asked = PushRequest;

/** What every enrollment may say beside the key. */
export type Enrolling = Omit<EnrollPushOptions, keyof Terms | "form">;

/** `fetch` with the cookies of a jar, or of none. */
export function fetchBy(agent: Agent): typeof fetch {
  return async (input, { body, headers, method = "GET" } = {}) => {
    const { pathname, search } = new URL(input instanceof Request ? input.url : input);
    const verb = method.toLowerCase() as "get" | "post";
    const sent = agent[verb](pathname + search).set(Object.fromEntries(new Headers(headers)));
    const answer = await (typeof body === "string" ? sent.send(body) : sent);
    const told = Object.entries(answer.headers as Record<string, unknown>).filter(([, value]) => !Array.isArray(value));
    return new Response(answer.status === 204 ? null : answer.text, {
      status: answer.status,
      headers: Object.fromEntries(told) as Record<string, string>,
    });
  };
}

function refusal(what: string, result: object): Error {
  return new Error(`${what} came to ${JSON.stringify(result)}`);
}

/** A phone for one account. Its own requests carry no cookies: nobody is logged in on it. */
export class Phone {
  private enrolled: EnrolledPushDevice | undefined;

  private constructor(
    private readonly terms: Terms,
    private readonly made: PushKey,
  ) {}

  static async for(target: Reached, { base = "/2fa", ...options }: PhoneOptions = {}): Promise<Phone> {
    const kept = memoryPushStore();
    const key = await kept.createKey();
    const store: PushStore = { ...kept, createKey: async () => key };
    if (typeof target === "string") {
      return new Phone({ base, baseUrl: target, clock: Date.now, fetch: globalThis.fetch, store, ...options }, key);
    }
    const fetch = fetchBy(supertest.agent(target.app));
    return new Phone({ base, baseUrl: ORIGIN, clock: target.clock, fetch, store, ...options }, key);
  }

  /** Enrolls in the jar's login; in that of these headers (a cookie) at an address. */
  async enroll(login: Jar<Visitable> | HeadersInit, options: Enrolling = {}): Promise<EnrolledPushDevice> {
    const through = "agent" in login ? { fetch: fetchBy((login as Jar).agent) } : { headers: login };
    const result = await enrollPushDevice({ ...this.terms, ...options, ...through });
    if (result.status !== "enrolled") throw refusal("enrollment", result);
    this.enrolled = result;
    return result;
  }

  get factorId(): string {
    if (this.enrolled === undefined) throw new Error("This phone is not enrolled");
    return this.enrolled.factor.id;
  }

  get backupCodes(): readonly string[] {
    return this.enrolled?.backupCodes ?? [];
  }

  get publicKey(): string {
    return this.made.publicKey;
  }

  /** The device as an app has it, whose answers are results. `jar`: with the cookies of a browser. */
  async device(jar?: Jar<Visitable>): Promise<PushDevice> {
    const through = jar === undefined ? {} : { fetch: fetchBy(jar.agent) };
    const found = (await pushDevices({ ...this.terms, ...through })).find((each) => each.factorId === this.factorId);
    if (found === undefined) throw new Error("This phone has forgotten its key");
    return found;
  }

  /** What waits for it. Throws where it is not told. */
  async requests(): Promise<readonly Asked[]> {
    const answer = await (await this.device()).requests();
    if (answer.status !== "listed") throw refusal("asking", answer);
    return answer.requests;
  }

  /** The one that waits. */
  async request(): Promise<Asked> {
    const [first, ...others] = await this.requests();
    if (first === undefined || others.length > 0) throw new Error(`${others.length + Number(!!first)} requests wait`);
    return first;
  }

  /** Decides the one that waits. Throws where that is refused. */
  async approve(number: string): Promise<void> {
    await this.decide("approve", number);
  }

  async deny(): Promise<void> {
    await this.decide("deny");
  }

  async notMe(): Promise<void> {
    await this.decide("not-me");
  }

  private async decide(decision: PushDecision, number?: string): Promise<void> {
    const result = await (await this.device()).decide(await this.request(), decision, number);
    if (result.status !== "decided") throw refusal(decision, result);
  }

  /** Signs whatever it is given. */
  sign(text: string): Promise<string> {
    return this.made.sign(text);
  }

  /** Bodies, signed as they have to be, for what is to be sent otherwise: thirty times at once, or changed. */
  async enrollBody(challenge: string): Promise<Readonly<Record<"publicKey" | "challenge" | "signature", string>>> {
    return { publicKey: this.publicKey, challenge, signature: await this.sign(enrollLines(challenge)) };
  }

  async requestsBody(
    time = new Date(this.terms.clock()).toISOString(),
    factorId = this.factorId,
  ): Promise<Readonly<Record<"factorId" | "time" | "signature", string>>> {
    return { factorId, time, signature: await this.sign(requestsLines(factorId, time)) };
  }

  async subscriptionBody(
    channel: string,
    subscription: string,
    time = new Date(this.terms.clock()).toISOString(),
  ): Promise<Readonly<Record<string, string>>> {
    const { factorId } = this;
    const signature = await this.sign(subscriptionLines(factorId, time, channel, subscription));
    return { factorId, time, channel, subscription, signature };
  }

  async decideBody(
    { requestId, text }: Pick<Asked, "requestId" | "text">,
    decision: PushDecision,
    number?: string,
  ): Promise<Readonly<Record<string, string>>> {
    const signature = await this.sign(decideLines({ requestId, decision, number, text }));
    return { requestId, decision, ...(number === undefined ? {} : { number }), signature };
  }
}

/** A phone that is not enrolled yet. */
export function phone(target: Reached, options?: PhoneOptions): Promise<Phone> {
  return Phone.for(target, options);
}

/** A number that is not this one. */
export function wrongNumber(number: string): string {
  return String((Number(number) + 37) % 100).padStart(2, "0");
}
