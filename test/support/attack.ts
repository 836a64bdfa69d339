import { randomBytes } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "@jest/globals";
import session from "express-session";
import type { Request, RequestHandler } from "express";
import type { Response } from "supertest";
import { memoryStore, type Store } from "express-second-factor";
import { type AuthenticatorApp, movableClock } from "express-second-factor/testing";
import { CANARY, passwordOf, testApp, type TestApp, type TestAppOptions, userNamed } from "./app.js";
import { Jar } from "./browser.js";

/** Where supertest's servers listen: what a jar holds for them. */
const LOCAL = { domain: "127.0.0.1", path: "/", secure: false, script: false };

/** The two kinds of client there are: one of the API, and a browser that shows pages and posts forms. */
export const MODES = ["JSON", "forms"] as const;
export type Mode = (typeof MODES)[number];

export const STEP = 30_000;
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const SESSION_COOKIE = "connect.sid";

/** An answer that is no server error and shows nothing of what is guarded. */
export function harmless(answer: Response): Response {
  const where = `${answer.request.method} ${answer.request.url}`;
  if (answer.status >= 500) throw new Error(`${where} answered ${answer.status}: ${answer.text}`);
  if (`${answer.text}${JSON.stringify(answer.headers)}`.includes(CANARY))
    throw new Error(`${where} let the canary out`);
  return answer;
}

/** Asks for a page as this kind of client does. */
export function ask(jar: Jar, mode: Mode, path: string): ReturnType<Jar["get"]> {
  return mode === "JSON" ? jar.get(path) : jar.page(path);
}

/** Posts as this kind of client does; a server error fails the test. */
export async function send(jar: Jar, mode: Mode, path: string, body: object = {}): Promise<Response> {
  return harmless(await (mode === "JSON" ? jar.post(path, body) : jar.form(path, body)));
}

/** The right password, given as this kind of client does. */
export function logIn(jar: Jar, mode: Mode, name: string): Promise<Response> {
  return send(jar, mode, "/login", { username: name, password: passwordOf(name) });
}

/** A new jar whose user gave the password and nothing else. */
export async function passworded(target: TestApp, mode: Mode, name: string): Promise<Jar> {
  const jar = new Jar(target);
  await logIn(jar, mode, name);
  return jar;
}

/** The verdict, wherever an answer only claims something: nothing guarded opens to this jar. */
export async function expectDenied(jar: Jar, paths: readonly string[] = ["/account", "/api/data", "/"]): Promise<void> {
  for (const path of paths) {
    for (const mode of MODES) harmless(await ask(jar, mode, path));
    expect([path, await jar.isIn(path)]).toEqual([path, false]);
  }
}

/** Two servers over one distant store, one session store, one clock and one key ring, as behind a load balancer. */
export function twoServers(given: TestAppOptions = {}): readonly [TestApp, TestApp] {
  const shared: TestAppOptions = {
    ...given,
    clock: given.clock ?? movableClock(),
    store: given.store ?? distantStore().store,
    sessionStore: given.sessionStore ?? new session.MemoryStore(),
    options: { keys: `shared:${randomBytes(32).toString("base64")}`, ...given.options },
  };
  return [testApp(shared), testApp(shared)];
}

export interface DistantStore {
  readonly store: Store;
  /** Conditional writes that came too late: without any, a race was none. */
  readonly lost: () => number;
}

/**
 * A memory store that answers as one across a network does: what was read is old by the time it arrives, and requests that
 * run beside each other really meet.
 */
export function distantStore(): DistantStore {
  const near = memoryStore();
  let lost = 0;
  const arrive = async <T>(answer: T | Promise<T>): Promise<T> => {
    const known = await answer;
    await nextTurn();
    return known;
  };
  const store: Store = {
    read: (key) => arrive(near.read(key)),
    async write(...given) {
      const written = await arrive(near.write(...given));
      if (written === undefined) lost += 1;
      return written;
    },
    remove: (...given) => arrive(near.remove(...given)),
    useClock: (clock) => {
      near.useClock?.(clock);
    },
  };
  return { store, lost: () => lost };
}

/** So many jars waiting for their second factor, alternating between the servers. */
export function pendingJars(count: number, servers: readonly TestApp[], name: string): Promise<Jar[]> {
  const targets = Array.from({ length: count }, (_none, index) => servers[index % servers.length]!);
  return Promise.all(targets.map((target) => passworded(target, "JSON", name)));
}

/** How many of the jars what is guarded is open to. */
export async function countIn(jars: readonly Jar[]): Promise<number> {
  const verdicts = await Promise.all(jars.map((jar) => jar.isIn()));
  return verdicts.filter(Boolean).length;
}

/** Limits that no test reaches, so that every attempt is really checked. */
export const NO_LIMITS = {
  totp: { limit: 10_000, window: "15m" },
  backupCode: { limit: 10_000, window: "15m" },
  allCodes: { limit: 10_000, window: "15m" },
  address: { limit: 10_000, window: "15m" },
} as const;

/** Different six-digit codes that are wrong for an hour around the present. */
export function wrongCodes(count: number, phone: AuthenticatorApp, now: number): string[] {
  const right = new Set(Array.from({ length: 241 }, (_none, index) => phone.code(now + (index - 120) * STEP)));
  const codes: string[] = [];
  for (let number = 100_000; codes.length < count; number += 7) {
    if (!right.has(String(number))) codes.push(String(number));
  }
  return codes;
}

/** A code that is wrong for an hour around the present. */
export function wrongCode(phone: AuthenticatorApp, now: number): string {
  return wrongCodes(1, phone, now)[0]!;
}

/** Codes that were really compared, on whichever of the servers. */
export function checks(...servers: readonly TestApp[]): number {
  const compared = new Set(["factor-verified", "backup-code-used", "factor-failed"]);
  return servers.flatMap(({ events }) => events).filter(({ action }) => compared.has(action)).length;
}

/** How often something happened, on whichever of the servers. */
export function told(action: string, ...servers: readonly TestApp[]): number {
  return servers.flatMap(({ events }) => events).filter((event) => event.action === action).length;
}

/** The user's record as it lies in the store, byte for byte. */
export async function storedAccount({ store }: TestApp, name: string): Promise<string | undefined> {
  return (await store.read(`account:${userNamed(name).id}`))?.value;
}

/** What of the record decides who gets in: factors, devices, and what was begun. */
export async function storedFactors(target: TestApp, name: string): Promise<unknown> {
  const { factors, devices, enrollments } = JSON.parse((await storedAccount(target, name)) ?? "{}") as Record<
    string,
    unknown
  >;
  return { factors, devices, enrollments };
}

export function cookies(jar: Jar): Record<string, string> {
  return Object.fromEntries(jar.agent.jar.getCookies(LOCAL as never).map(({ name, value }) => [name, value]));
}

/** The browser's trusted-device cookie: its name and its value. */
export function deviceCookie(jar: Jar): readonly [name: string, value: string] {
  const found = Object.entries(cookies(jar)).find(([name]) => name.includes("2fa-device"));
  if (found === undefined) throw new Error("The jar holds no trusted-device cookie");
  return found;
}

export function putCookie(jar: Jar, name: string, value: string): void {
  jar.agent.jar.setCookie(`${name}=${value}; path=/`, LOCAL.domain, LOCAL.path);
}

export function dropCookie(jar: Jar, name: string): void {
  jar.agent.jar.setCookie(`${name}=; path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT`, LOCAL.domain, LOCAL.path);
}

/** A new jar that presents only the named cookies of another, to the same server or to another one. */
export function copyOf(jar: Jar, names: readonly string[] = [SESSION_COOKIE], target: TestApp = jar.target): Jar {
  const copy = new Jar(target);
  const held = cookies(jar);
  for (const name of names) if (held[name] !== undefined) putCookie(copy, name, held[name]);
  return copy;
}

/** A jar of a user who gave both factors and asked to be trusted; the clock moves on by a step. */
export async function trusted(target: TestApp, name: string, phone: AuthenticatorApp): Promise<Jar> {
  const jar = await passworded(target, "JSON", name);
  const answer = await jar.verify(phone.code(target.clock()), { trustDevice: true });
  if (answer.status !== 200) throw new Error(`verify answered ${answer.status}: ${answer.text}`);
  target.clock.advance(STEP);
  return jar;
}

/** A route that has read its session and is slow to answer, and writes the session back when it does. */
export interface SlowRoute {
  readonly handler: RequestHandler;
  /** Resolves when a request has got there. */
  readonly reached: Promise<void>;
  release(): void;
}

export function slowRoute(): SlowRoute {
  const reached = deferred();
  const released = deferred();
  return {
    reached: reached.promise,
    release: released.resolve,
    handler: async (req: Request, res) => {
      reached.resolve();
      await released.promise;
      (req.session as unknown as { note: string }).note = "written late";
      res.json({ slow: true });
    },
  };
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
