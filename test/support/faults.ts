import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import session from "express-session";
import { type ClientRateLimitInfo, MemoryStore as RateLimitMemory } from "express-rate-limit";
import { type KeyProvider, memoryStore, type RateLimitStore, type Store } from "express-second-factor";

/** How something that is asked can fail: by an error, by silence, by doing the thing and not saying so, or by nonsense. */
export type Fault =
  | { readonly kind: "throws" }
  | { readonly kind: "rejects" }
  | { readonly kind: "hangs" }
  | { readonly kind: "acts and hangs" }
  | { readonly kind: "answers"; readonly answer: unknown };

export const THROWS: Fault = { kind: "throws" };
export const REJECTS: Fault = { kind: "rejects" };
export const HANGS: Fault = { kind: "hangs" };
export const ACTS_AND_HANGS: Fault = { kind: "acts and hangs" };

export function answers(answer: unknown): Fault {
  return { kind: "answers", answer };
}

export function named(fault: Fault): string {
  return fault.kind === "answers"
    ? `answers ${fault.answer === undefined ? "undefined" : JSON.stringify(fault.answer)}`
    : fault.kind;
}

/** Runs `act`, or fails in its place. */
export function failing<T>(fault: Fault | undefined, act: () => T): T {
  switch (fault?.kind) {
    case undefined:
      return act();
    case "throws":
      throw new Error("The cable is cut");
    case "rejects":
      return Promise.reject(new Error("The cable is cut")) as T;
    case "hangs":
      return never() as T;
    case "acts and hangs":
      return Promise.resolve(act()).then(never) as T;
    case "answers":
      return fault.answer as T;
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

export type StoreVerb = "read" | "write" | "remove";

/** A store that fails on command. */
export interface FaultyStore extends Store {
  fail(verb: StoreVerb, fault: Fault): void;
  heal(): void;
}

export function faultyStore(): FaultyStore {
  const inner = memoryStore();
  const faults = new Map<StoreVerb, Fault>();
  return {
    read: (key) => failing(faults.get("read"), () => inner.read(key)),
    write: (key, value, options) => failing(faults.get("write"), () => inner.write(key, value, options)),
    remove: (key, options) => failing(faults.get("remove"), () => inner.remove(key, options)),
    useClock: (clock) => inner.useClock?.(clock),
    fail: (verb, fault) => faults.set(verb, fault),
    heal: () => {
      faults.clear();
    },
  };
}

export type RateLimitVerb = "get" | "increment";

/** A store of express-rate-limit (`limits.address.store`) that fails on command. */
export interface FaultyRateLimits extends RateLimitStore {
  get(key: string): Promise<ClientRateLimitInfo | undefined>;
  fail(verb: RateLimitVerb, fault: Fault): void;
  heal(): void;
}

/** Over `inner`; by default what express-rate-limit keeps in memory. */
export function faultyRateLimits(inner: RateLimitStore = new RateLimitMemory()): FaultyRateLimits {
  const faults = new Map<RateLimitVerb, Fault>();
  return {
    init: (options) => inner.init?.(options),
    get: (key) => failing(faults.get("get"), async () => inner.get?.(key)),
    increment: (key) => failing(faults.get("increment"), () => inner.increment(key)),
    decrement: (key) => inner.decrement(key),
    resetKey: (key) => inner.resetKey(key),
    fail: (verb, fault) => faults.set(verb, fault),
    heal: () => {
      faults.clear();
    },
  };
}

export type KeyVerb = "encrypt" | "decrypt" | "mac";

/** A vault that fails on command. */
export interface FaultyKeys extends KeyProvider {
  fail(verb: KeyVerb, fault: Fault): void;
  heal(): void;
}

export function faultyKeys(): FaultyKeys {
  const key = randomBytes(32);
  const faults = new Map<KeyVerb, Fault>();
  return {
    encrypt: (plaintext, context) => failing(faults.get("encrypt"), async () => seal(key, plaintext, context)),
    decrypt: (sealed, context) => failing(faults.get("decrypt"), async () => open(key, sealed, context)),
    mac: (text, context) =>
      failing(faults.get("mac"), async () => {
        const mac = createHmac("sha256", key).update(JSON.stringify([context.owner, context.purpose, text]));
        return `vault.${mac.digest("base64url")}`;
      }),
    fail: (verb, fault) => faults.set(verb, fault),
    heal: () => {
      faults.clear();
    },
  };
}

type Context = Parameters<KeyProvider["encrypt"]>[1];

function seal(key: Buffer, plaintext: Uint8Array, { owner, purpose }: Context): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(Buffer.from(`${owner}/${purpose}`));
  return Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]).toString("base64url");
}

function open(key: Buffer, text: string, { owner, purpose }: Context): Uint8Array {
  const sealed = Buffer.from(text, "base64url");
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, 12), { authTagLength: 16 });
  decipher.setAAD(Buffer.from(`${owner}/${purpose}`)).setAuthTag(sealed.subarray(-16));
  return new Uint8Array(Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]));
}

export type SessionVerb = "get" | "set" | "destroy";

/** A session store that fails on command, the way session stores do: by calling back with an error. */
export class FaultySessions extends session.MemoryStore {
  private readonly failures = new Set<SessionVerb>();

  fail(verb: SessionVerb): void {
    this.failures.add(verb);
  }

  heal(): void {
    this.failures.clear();
  }

  override get(sid: string, callback: Parameters<session.MemoryStore["get"]>[1]): void {
    if (this.failures.has("get")) callback(new Error("The session store is away"));
    else super.get(sid, callback);
  }

  override set(sid: string, data: session.SessionData, callback?: (error?: unknown) => void): void {
    if (this.failures.has("set")) callback?.(new Error("The session store is away"));
    else super.set(sid, data, callback);
  }

  override destroy(sid: string, callback?: (error?: unknown) => void): void {
    if (this.failures.has("destroy")) callback?.(new Error("The session store is away"));
    else super.destroy(sid, callback);
  }
}
