import type { Options, RateLimitInfo, RateLimitRequestHandler, Store as RateLimitStore } from "express-rate-limit";
import type { Request, Response } from "express";
import { type Limit, SECOND, type UserId } from "../core/nouns.js";
import { within } from "../core/within.js";
import { fingerprint } from "../crypto/fingerprint.js";
import type { AddressLimit } from "../engine/address-limit.js";
import type { EmitError } from "../events/emitter.js";
import { plainAddress } from "./addresses.js";

type Library = typeof import("express-rate-limit");

/** How the limit per address is kept. */
export interface AddressGuardSettings extends Limit {
  /** Undefined: the library's own, in this process. */
  readonly store: RateLimitStore | undefined;
  /** Longest wait for one answer of the store, in milliseconds. */
  readonly timeout: number;
  readonly emitError: EmitError;
}

interface Look {
  readonly totalHits: number;
  readonly resetTime: Date;
}

const IPV6_SUBNET = 56;
const REQUEST_PROPERTY = "secondFactorRateLimit";

/** Handed to `next` by the limiter where the address has to wait: no error of anybody. */
const LIMITED = new Error("The address has to wait");

function isCount(answer: unknown): answer is Look {
  return typeof answer === "object" && answer !== null && "totalHits" in answer && typeof answer.totalHits === "number";
}

/** Whoever counts one has counted one at least. */
function isHit(answer: unknown): answer is Look {
  return isCount(answer) && answer.totalHits >= 1;
}

function isLook(answer: unknown): answer is Look | null | undefined {
  return answer === undefined || answer === null || isCount(answer);
}

/** Where a client can make up what is no address, it must not get a count of its own for each: all of those are one. */
function countedAddress(ip: string): string {
  return plainAddress(ip) ?? "unknown";
}

/**
 * The limit per network address: express-rate-limit on the routes that verify, send and enroll, over any of its stores. The
 * middleware only looks, so that right answers in flight count nothing; a failure is counted before it is answered.
 */
export class AddressGuard implements AddressLimit {
  private readonly library: Promise<Library>;
  private store: Promise<RateLimitStore> | undefined = undefined;
  private readonly middleware: Promise<RateLimitRequestHandler>;
  /** Whose requests they are that the middleware looks at, which it does not ask. */
  private readonly users = new WeakMap<Request, UserId>();

  constructor(private readonly settings: AddressGuardSettings) {
    // Begun at start and awaited at the first attempt: nobody else needs it.
    this.library = import("express-rate-limit");
    this.middleware = this.library.then((library) => this.createMiddleware(library));
    for (const loading of [this.openStore(), this.middleware]) loading.catch(() => undefined);
  }

  /**
   * Lets express-rate-limit look at a request and set its `RateLimit` headers. Answers whole seconds to wait, undefined where the
   * request may go on. Counts nothing. Rejects where the store does not answer.
   */
  async admit(req: Request, res: Response, userId: UserId | undefined): Promise<number | undefined> {
    if (req.ip === undefined) return undefined;
    if (userId !== undefined) this.users.set(req, userId);
    const middleware = await this.middleware;
    return new Promise((resolve, reject) => {
      const settle = (error?: unknown): void => {
        if (error === undefined) resolve(undefined);
        else if (error === LIMITED) resolve(this.seconds(req));
        else reject(error instanceof Error ? error : new Error("The rate limiter failed", { cause: error }));
      };
      Promise.resolve(middleware(req, res, settle)).catch(reject);
    });
  }

  async secondsToWait(ip: string | undefined, userId: UserId | undefined): Promise<number | undefined> {
    if (ip === undefined) return undefined;
    const { totalHits, resetTime } = await this.look(await this.keyOf(ip, userId));
    return totalHits > this.settings.limit ? this.secondsUntil(resetTime) : undefined;
  }

  /**
   * An account feeds one failure in each window into its address, however often it fails, so that the limit counts accounts that
   * are being tried. Failures of nobody are counted apart, each of them.
   */
  async recordFailure(ip: string | undefined, userId: UserId | undefined): Promise<number | undefined> {
    if (ip === undefined) return undefined;
    const key = await this.keyOf(ip, userId);
    const isFed = userId !== undefined && (await this.increment(`${key} ${fingerprint(userId)}`)).totalHits > 1;
    const { totalHits, resetTime } = isFed ? await this.look(key) : await this.increment(key);
    return totalHits > this.settings.limit ? this.secondsUntil(resetTime) : undefined;
  }

  private async keyOf(ip: string, userId: UserId | undefined): Promise<string> {
    const { ipKeyGenerator } = await this.library;
    const address = ipKeyGenerator(countedAddress(ip), IPV6_SUBNET);
    return userId === undefined ? `nobody ${address}` : address;
  }

  /** What the store holds, plus the request at hand: none where it holds nothing, or nothing sensible. */
  private async look(key: string): Promise<Look> {
    const found = await this.ask(async (store) => store.get?.(key), isLook);
    const hits = Number.isNaN(found?.totalHits) ? 0 : (found?.totalHits ?? 0);
    return { totalHits: hits + 1, resetTime: this.resetTime(found?.resetTime) };
  }

  private async increment(key: string): Promise<Look> {
    const { resetTime, totalHits } = await this.ask(async (store) => store.increment(key), isHit);
    return { totalHits, resetTime: this.resetTime(resetTime) };
  }

  /** Never in the past, and never beyond the window, whatever clock the store goes by. */
  private resetTime(given: unknown): Date {
    const end = Date.now() + this.settings.window;
    const time = given instanceof Date ? given.getTime() : NaN;
    return new Date(time > Date.now() ? Math.min(time, end) : end);
  }

  private seconds(req: Request): number {
    const info = (req as { [REQUEST_PROPERTY]?: RateLimitInfo })[REQUEST_PROPERTY];
    return this.secondsUntil(info?.resetTime ?? this.resetTime(undefined));
  }

  private secondsUntil(time: Date): number {
    return Math.max(1, Math.ceil((time.getTime() - Date.now()) / SECOND));
  }

  private async ask<Answer>(
    act: (store: RateLimitStore) => Promise<unknown>,
    isAnswer: (given: unknown) => given is Answer,
  ): Promise<Answer> {
    await this.library;
    const { emitError, timeout } = this.settings;
    try {
      return await within("The rate limiter", timeout, async () => act(await this.openStore()), isAnswer);
    } catch (error) {
      emitError("limits", error);
      throw error;
    }
  }

  /** Some stores ask their server for something before the first question; one that could not is asked to again. */
  private openStore(): Promise<RateLimitStore> {
    this.store ??= this.initialize().catch((error: unknown) => {
      this.store = undefined;
      throw error;
    });
    return this.store;
  }

  private async initialize(): Promise<RateLimitStore> {
    const { MemoryStore } = await this.library;
    const store = this.settings.store ?? new MemoryStore();
    // Only what stores read of the library's own options. The type does not say that it may be a promise.
    await (store.init?.({ windowMs: this.settings.window } as Options) as unknown);
    return store;
  }

  private createMiddleware({ rateLimit }: Library): RateLimitRequestHandler {
    const { limit, window } = this.settings;
    return rateLimit({
      windowMs: window,
      limit,
      standardHeaders: "draft-8",
      legacyHeaders: false,
      requestPropertyName: REQUEST_PROPERTY,
      keyGenerator: (req) => this.keyOf(req.ip ?? "", this.users.get(req)),
      handler: (_req, _res, next) => next(LIMITED),
      // The proxy settings are checked by this package, and the store below is none of the library's own.
      validate: false,
      store: {
        increment: (key) => this.look(key),
        decrement: () => undefined,
        resetKey: async (key) => (await this.openStore()).resetKey(key),
      },
    });
  }
}
