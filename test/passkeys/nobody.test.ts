import { describe, expect, test } from "@jest/globals";
import session from "express-session";
import { memoryStore, type RateLimitStore } from "express-second-factor";
import { movableClock, softwareAuthenticator } from "express-second-factor/testing";
import { randomBytes } from "node:crypto";
import { testApp, type TestAppOptions, USERS } from "../support/app.js";
import { cookies, copyOf, dropCookie, expectDenied, MINUTE, putCookie, told } from "../support/attack.js";
import { Jar } from "../support/browser.js";
import { setCookies } from "../support/cookies.js";
import { faultyKeys, HANGS, REJECTS } from "../support/faults.js";
import { expectProblem } from "../support/problems.js";
import { recordingStore } from "../support/recording-store.js";
import { randomText } from "./lies.js";
import { creationOptions, discoverable, holder, passwordless, passwordlessApp, requestOptions } from "./stage.js";

const BROWSER = "2fa-browser";

/** Counts what is counted, and remembers for whom. */
function countingLimits() {
  const counts = new Map<string, number>();
  const infoOf = (key: string) => ({ totalHits: counts.get(key) ?? 0, resetTime: new Date(Date.now() + 15 * MINUTE) });
  const store: RateLimitStore = {
    get: (key) => (counts.has(key) ? infoOf(key) : undefined),
    increment(key) {
      counts.set(key, (counts.get(key) ?? 0) + 1);
      return infoOf(key);
    },
    decrement: () => undefined,
    resetKey: (key) => void counts.delete(key),
  };
  return { counts, store };
}

/** A session store that says what was put into it. */
class RecordingSessions extends session.MemoryStore {
  readonly written: string[] = [];

  override set(sid: string, data: session.SessionData, callback?: (error?: unknown) => void): void {
    this.written.push(JSON.stringify(data));
    super.set(sid, data, callback);
  }
}

function stage(given: TestAppOptions = {}) {
  const [store, sessionStore, limits] = [recordingStore(), new RecordingSessions(), countingLimits()];
  const options = { limits: { address: { store: limits.store } }, ...given.options };
  const target = passwordlessApp({ store, sessionStore, ...given, options });
  return { target, store, sessionStore, counts: limits.counts };
}

describe("nobody who asks for a challenge", () => {
  test("leaves anything behind: no entry, no session, no count", async () => {
    const { counts, sessionStore, store, target } = stage();
    for (let times = 0; times < 20; times += 1) await requestOptions(new Jar(target));
    await new Jar(target).get("/2fa");
    await new Jar(target).post("/2fa/passkey", { credential: {} });
    expect([store.written, sessionStore.written, [...counts]]).toEqual([[], [], []]);
  });

  test("leaves, with a passkey that is none, no more than a count for their address", async () => {
    const { counts, sessionStore, store, target } = stage();
    const { device } = await holder(stage().target, "alice");
    for (const lie of [{}, { userHandle: randomText(64) }, { clientData: { challenge: randomText(32) } }]) {
      const jar = new Jar(target);
      const credential = device.get(await requestOptions(new Jar(target)), lie);
      dropCookie(jar, BROWSER);
      expect((await jar.post("/login/passkey", { credential })).status).toBe(401);
    }
    const others = store.written.filter((line) => !line.startsWith("challenge:"));
    expect([others, sessionStore.written]).toEqual([[], []]);
    // What was really asked for is used up; what was made up is not written down.
    expect(store.written).toHaveLength(2);
    expect([...counts.values()]).toEqual([3]);
    expect([...counts.keys()]).toEqual([expect.stringMatching(/^nobody /)]);
  });

  test("is refused, with the time to wait, while their address has given too many", async () => {
    const { counts, target } = stage({ before: (app) => app.set("trust proxy", 1) });
    const from = (jar: Jar) => jar.post("/2fa/passkey/options").set("X-Forwarded-For", "192.0.2.1");
    const jar = new Jar(target);
    expect((await from(jar)).status).toBe(200);
    counts.set("nobody 192.0.2.1", 100);
    const answer = await from(jar);
    expectProblem(answer, "too-many-attempts");
    expect(answer.headers["retry-after"]).toBe("900");
    expect(setCookies(answer)).toEqual([]);
    expect((await jar.post("/2fa/passkey/options")).status).toBe(200);
  });

  test("hurts nobody who is somebody: a hundred junk passkeys, and who has a login is asked as ever", async () => {
    const { counts, target } = stage();
    const { device, jar } = await holder(target, "alice");
    await jar.post("/logout");
    for (let junk = 0; junk < 100; junk += 1) {
      const lie = { userHandle: randomText(64) };
      expect((await passwordless(new Jar(target), device, lie)).status).toBe(401);
    }
    expect([...counts]).toEqual([[expect.stringMatching(/^nobody /), 100]]);
    expect((await new Jar(target).post("/2fa/passkey/options")).status).toBe(429);
    await jar.login("alice");
    const credential = device.get(await requestOptions(jar));
    expect((await jar.post("/2fa/passkey", { credential })).status).toBe(200);
  });
});

test("a hundred junk passkeys of somebody are one failure of their address, whatever they were given for", async () => {
  const { counts, target } = stage();
  const [alice, mallory] = [await holder(target, "alice"), await holder(target, "mallory")];
  await alice.jar.post("/logout");
  const broken = { signature: (bytes: Uint8Array) => bytes.slice().fill(7, 9) };
  for (let login = 0; login < 5; login += 1) {
    const jar = new Jar(target);
    await jar.login("mallory");
    const credential = mallory.device.get(await requestOptions(jar), broken);
    for (let junk = 0; junk < 19; junk += 1) {
      expect((await jar.post("/2fa/passkey", { credential })).status).toBe(401);
    }
  }
  const inside = mallory.jar;
  for (let times = 0; times < 5; times += 1) {
    const junk = softwareAuthenticator({ origin: "https://evil.test" });
    const credential = junk.create(await creationOptions(inside));
    expect((await inside.post("/2fa/passkey/enroll", { credential })).status).toBe(401);
  }
  const [address] = [...counts.keys()].filter((key) => !key.includes(" "));
  expect(counts.get(address!)).toBe(1);
  await alice.jar.login("alice");
  const credential = alice.device.get(await requestOptions(alice.jar));
  expect((await alice.jar.post("/2fa/passkey", { credential })).status).toBe(200);
});

describe("the browser a challenge is bound to", () => {
  test("is known by a cookie of five minutes that no script reads and no other site sends", async () => {
    const { target } = stage();
    const answer = await new Jar(target).post("/2fa/passkey/options");
    const [line = "", ...others] = setCookies(answer);
    expect(others).toEqual([]);
    expect(line).toMatch(/^2fa-browser=[^;]{40,};/);
    expect(line.split("; ").slice(1).toSorted()).toEqual([
      expect.stringMatching(/^Expires=/),
      "HttpOnly",
      "Max-Age=300",
      "Path=/",
      "SameSite=Lax",
    ]);
  });

  test("is known by a cookie of this host alone, over https alone, where the site is", async () => {
    const { target } = stage({ options: { origin: "https://acme.test" } });
    const answer = await new Jar(target).post("/2fa/passkey/options").set("Origin", "https://acme.test");
    expect(setCookies(answer)).toEqual([expect.stringMatching(/^__Host-2fa-browser=.*; Secure/)]);
  });

  test("may have pages open beside each other: each of their challenges is good, while its own time lasts", async () => {
    const { target } = stage();
    const { device } = await holder(target, "alice");
    const jar = new Jar(target);
    const first = await discoverable(jar, device);
    target.clock.advance(4 * MINUTE);
    const second = await discoverable(jar, device);
    expect((await jar.post("/login/passkey", { credential: first })).status).toBe(200);
    await jar.post("/logout");
    target.clock.advance(4 * MINUTE);
    expect((await jar.post("/login/passkey", { credential: second })).status).toBe(200);
  });

  test("is no other one: not without its cookie, not with one of another browser, and not with one made up", async () => {
    const { target } = stage();
    const { device } = await holder(target, "alice");
    for (const carried of [undefined, "other", "made up", "id.AAAA", "x".repeat(5_000)]) {
      const [jar, other] = [new Jar(target), new Jar(target)];
      const credential = await discoverable(jar, device);
      await requestOptions(other);
      dropCookie(jar, BROWSER);
      if (carried !== undefined) putCookie(jar, BROWSER, carried === "other" ? cookies(other)[BROWSER]! : carried);
      expect([carried, (await jar.post("/login/passkey", { credential })).status]).toEqual([carried, 401]);
      await expectDenied(jar);
    }
  });

  test("cannot carry a challenge in the place of its id, nor answer its id as a challenge", async () => {
    const { target } = stage();
    const { device } = await holder(target, "alice");
    const jar = new Jar(target);
    const { challenge } = await requestOptions(jar);
    const sealed = Buffer.from(challenge, "base64url").toString();
    const carried = Buffer.from(cookies(jar)[BROWSER]!).toString("base64url");
    const swapped = device.get({ ...(await requestOptions(jar)), challenge: carried });
    putCookie(jar, BROWSER, sealed);
    expect((await jar.post("/login/passkey", { credential: swapped })).status).toBe(401);
    await expectDenied(jar);
  });

  test("is not known by what another application of other keys has sealed", async () => {
    const [here, there] = [stage(), stage({ options: { keys: `other:${randomBytes(32).toString("base64")}` } })];
    const { device } = await holder(here.target, "alice");
    const jar = new Jar(here.target);
    const foreign = new Jar(there.target);
    const credential = await discoverable(foreign, device);
    putCookie(jar, BROWSER, cookies(foreign)[BROWSER]!);
    expect((await jar.post("/login/passkey", { credential })).status).toBe(401);
    await expectDenied(jar);
  });
});

describe("a challenge", () => {
  test("is at least 32 bytes, says nothing of what it is for, and is none in the future nor after five minutes", async () => {
    const { target } = stage();
    const { device } = await holder(target, "alice");
    const { challenge } = await requestOptions(new Jar(target));
    const bytes = Buffer.from(challenge, "base64url");
    expect(bytes.length).toBeGreaterThanOrEqual(32);
    expect(Buffer.from(bytes.toString().split(".")[1] ?? "", "base64url").toString()).not.toMatch(/passwordless/);
    for (const [wait, status] of [
      [5 * MINUTE, 401],
      [5 * MINUTE - 1, 200],
      [-MINUTE - 1, 401],
      [-MINUTE, 200],
    ] as const) {
      const jar = new Jar(target);
      const credential = await discoverable(jar, device);
      target.clock.advance(wait);
      expect([wait, (await jar.post("/login/passkey", { credential })).status]).toEqual([wait, status]);
      target.clock.advance(-wait + 10 * MINUTE);
    }
  });

  test("is written down when it is used, under another name than its own, until it would have been over", async () => {
    const ends: (number | undefined)[] = [];
    const inner = memoryStore();
    const store: typeof inner = {
      memory: inner.memory,
      read: (key) => inner.read(key),
      remove: (key, options) => inner.remove(key, options),
      useClock: (clock) => inner.useClock?.(clock),
      async write(key, value, options) {
        if (key.startsWith("challenge:")) ends.push(options.expiresAt);
        return inner.write(key, value, options);
      },
    };
    const clock = movableClock();
    const { target } = stage({ store, clock });
    const { device } = await holder(target, "alice");
    ends.length = 0;
    const jar = new Jar(target);
    const [credential, end] = [await discoverable(jar, device), clock() + 5 * MINUTE];
    expect(ends).toEqual([]);
    clock.advance(MINUTE);
    await jar.post("/login/passkey", { credential });
    expect(ends).toEqual([end]);
  });

  test("is used up once, however its bytes are written in base64", async () => {
    const { target } = stage();
    const { device, jar: inside } = await holder(target, "alice");
    await inside.post("/logout");
    const jar = new Jar(target);
    const options = await requestOptions(jar);
    // The last character of base64 may carry bits that nobody reads.
    const variants = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
      .split("")
      .map((last) => options.challenge.slice(0, -1) + last)
      .filter((text) => Buffer.from(text, "base64url").equals(Buffer.from(options.challenge, "base64url")));
    expect(variants).toContain(options.challenge);
    const copies = [...variants, `${options.challenge}=`, `${options.challenge}.`];
    const statuses: number[] = [];
    for (const challenge of copies) {
      const credential = device.get({ ...options, challenge }, { clientData: { challenge } });
      const copy = copyOf(jar, [BROWSER]);
      statuses.push((await copy.post("/login/passkey", { credential })).status);
    }
    expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(1);
  });

  test("is good under a ring whose newest key came after it", async () => {
    const [older, newer] = [randomBytes(32), randomBytes(32)].map((key) => key.toString("base64"));
    const { store, target } = stage({ options: { keys: `a:${older}` } });
    const { device } = await holder(target, "alice");
    const jar = new Jar(target);
    const credential = await discoverable(jar, device);
    const rotated = passwordlessApp({
      store,
      clock: target.clock,
      sessionStore: target.sessionStore,
      options: { keys: `b:${newer},a:${older}` },
    });
    const copy = copyOf(jar, [BROWSER], rotated);
    expect((await copy.post("/login/passkey", { credential })).status).toBe(200);
  });
});

describe("where the vault does not answer", () => {
  test.each([
    ["rejects", REJECTS],
    ["hangs", HANGS],
  ])(
    "(it %s) no challenge is given and none is taken; what was given before is good when it is back",
    async (_how, fault) => {
      const keys = faultyKeys();
      const { target } = stage({ options: { keys, storeTimeout: "50ms" } });
      const { device } = await holder(target, "alice");
      const jar = new Jar(target);
      const credential = await discoverable(jar, device);
      keys.fail("encrypt", fault);
      keys.fail("decrypt", fault);
      expectProblem(await new Jar(target).post("/2fa/passkey/options"), "unavailable");
      expect((await jar.post("/login/passkey", { credential })).status).toBe(500);
      await expectDenied(jar);
      keys.heal();
      expect((await jar.post("/login/passkey", { credential })).status).toBe(200);
      expect(told("factor-failed", target)).toBe(0);
    },
  );
});

test("of a login, no challenge is written down when it is asked for either, and once when it is answered", async () => {
  const store = recordingStore();
  const target = testApp({ store, options: { user: { load: async (id) => USERS.find((user) => user.id === id) } } });
  const { device, jar } = await holder(target, "alice");
  const challenges = () => new Set(store.written.filter((line) => line.startsWith("challenge:"))).size;
  const before = challenges();
  for (let times = 0; times < 10; times += 1) await requestOptions(jar);
  expect(challenges()).toBe(before);
  const credential = device.get(await requestOptions(jar));
  expect((await jar.post("/2fa/passkey", { credential })).status).toBe(200);
  expect(challenges()).toBe(before + 1);
  expect((await jar.post("/2fa/passkey", { credential })).status).toBe(401);
  expect(challenges()).toBe(before + 1);
});
