import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import type { Store } from "express-second-factor";
import type { Response } from "supertest";
import { CANARY, testApp, type TestApp } from "./app.js";
import { enrolled, type Enrolled, full, Jar, pending } from "./browser.js";
import { interruptible, type InterruptibleStore } from "./interruptible.js";
import { until } from "./programs.js";
import type { Relay } from "./relay.js";

/** A store over a real server that can go away, keeping what it had, and come back. */
export interface Breakable {
  /** A store nobody used, each time. */
  emptyStore(): Promise<Store>;
  /** Takes the server away at once. */
  breakDown(): Promise<void>;
  /** Brings it back; the clients need a moment longer. */
  mend(): Promise<void>;
  /** It answers nothing more, and breaks no connection. */
  freeze(): Promise<void> | void;
  resume(): void;
  /** A store of the same server, through a relay that can lose what is said; ended by `end`. */
  distantStore(): Promise<{ readonly store: Store; readonly relay: Relay; end(): Promise<void> }>;
  close(): Promise<void>;
}

export const TIMEOUT = 300;
/** For one answer: one wait for the store, and as much again as a very busy machine may need. */
const BOUND = TIMEOUT + 2_000;

export const KEYS = `test:${randomBytes(32).toString("base64")}`;

interface Target extends TestApp {
  readonly store: InterruptibleStore;
}

/** Refused, in time, and with nothing in it. */
export async function closed(request: PromiseLike<Response>): Promise<void> {
  const begun = Date.now();
  const answer = await request;
  expect(Date.now() - begun).toBeLessThan(BOUND);
  expect([answer.status, answer.body.code]).toEqual([503, "unavailable"]);
  expect(answer.text).not.toContain(CANARY);
}

export async function whole({ mfa }: TestApp): Promise<void> {
  await until("the store answers again", () =>
    mfa.ready().then(
      () => true,
      () => false,
    ),
  );
}

async function expectClosed(
  target: Target,
  visitors: { waiting: Jar; inside: Jar },
  { phone }: Enrolled,
): Promise<void> {
  await Promise.all([
    expect(target.mfa.ready()).rejects.toMatchObject({ code: "unavailable" }),
    closed(visitors.waiting.verify(phone.code(target.clock()))),
    closed(visitors.waiting.get("/account")),
    closed(visitors.inside.get("/account")),
    closed(visitors.inside.post("/2fa/totp/enroll")),
    closed(new Jar(target).login("alice")),
  ]);
  const anonymous = await new Jar(target).get("/");
  expect([anonymous.status, anonymous.body.status]).toEqual([200, "anonymous"]);
  const guarded = await new Jar(target).get("/account");
  expect([guarded.status, guarded.body.code]).toEqual([401, "app-says-log-in"]);
}

/** What the whole product promises when the server of its store goes away, hangs and returns: one test each. */
export function survivesOutages(start: () => Promise<Breakable>): void {
  let server: Breakable;
  let target: Target;
  let alice: Enrolled;

  const begin = async (given?: Store): Promise<void> => {
    const store = interruptible(given ?? (await server.emptyStore()));
    target = { ...testApp({ store, options: { keys: KEYS, storeTimeout: `${TIMEOUT}ms` } }), store };
    alice = await enrolled(target, "alice");
  };
  const right = (): string => alice.phone.code(target.clock());
  const wrong = (): string => String((Number(right()) + 500_000) % 1_000_000).padStart(6, "0");

  /** So many wrong codes are answered as wrong ones, and then none. */
  const expectLeft = async (jar: Jar, left: number): Promise<void> => {
    const statuses: number[] = [];
    for (let tries = 0; tries < 6; tries += 1) statuses.push((await jar.verify(wrong())).status);
    expect(statuses).toEqual([...Array<number>(left).fill(401), ...Array<number>(6 - left).fill(429)]);
  };

  beforeAll(async () => {
    server = await start();
  }, 120_000);
  afterEach(() => {
    server.resume();
  });
  afterAll(() => server.close());

  test("away between two requests: closed for logins, open for all else, and whole again when back", async () => {
    await begin();
    const visitors = { inside: await full(target, "alice", alice.phone), waiting: await pending(target, "alice") };
    await server.breakDown();
    await expectClosed(target, visitors, alice);
    await server.mend();
    await whole(target);
    expect([await visitors.inside.isIn(), await visitors.waiting.isIn()]).toEqual([true, false]);
    expect((await visitors.waiting.verify(right())).status).toBe(200);
    expect(await visitors.waiting.isIn()).toBe(true);
  });

  test("hung: closed within the time allowed, open for all else, and whole again when it goes on", async () => {
    await begin();
    const visitors = { inside: await full(target, "alice", alice.phone), waiting: await pending(target, "alice") };
    await server.freeze();
    await expectClosed(target, visitors, alice);
    server.resume();
    await whole(target);
    expect([await visitors.inside.isIn(), await visitors.waiting.isIn()]).toEqual([true, false]);
    target.clock.advance(30_000);
    expect((await visitors.waiting.verify(right())).status).toBe(200);
  });

  test("attempts made before it went away are still counted, and those it refused are not granted on top", async () => {
    await begin();
    const jar = await pending(target, "alice");
    const statuses: number[] = [];
    for (let tries = 0; tries < 3; tries += 1) statuses.push((await jar.verify(wrong())).status);
    await server.breakDown();
    for (let tries = 0; tries < 3; tries += 1) await closed(jar.verify(wrong()));
    await server.mend();
    await whole(target);
    for (let tries = 0; tries < 3; tries += 1) statuses.push((await jar.verify(wrong())).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    target.clock.advance(15 * 60_000);
    const again = await pending(target, "alice");
    expect((await again.verify(right())).status).toBe(200);
  });

  test("away at the moment a right code is written down: nobody is in, and the code is still good", async () => {
    await begin();
    const jar = await pending(target, "alice");
    target.store.once("before write", () => server.breakDown());
    await closed(jar.verify(right()));
    await server.mend();
    await whole(target);
    expect(await jar.isIn()).toBe(false);
    expect((await jar.verify(right())).status).toBe(200);
  });

  test("away after a right code was written down, before it said so: nobody is in, and the code is used up", async () => {
    await begin();
    const jar = await pending(target, "alice");
    target.store.once("after write", () => server.breakDown());
    await closed(jar.verify(right()));
    await server.mend();
    await whole(target);
    expect(await jar.isIn()).toBe(false);
    expect((await jar.verify(right())).status).toBe(401);
    target.clock.advance(30_000);
    expect((await jar.verify(right())).status).toBe(200);
  });

  test("hung while a right code is written down, which it does when it goes on: that lets nobody in", async () => {
    await begin();
    const jar = await pending(target, "alice");
    target.store.once("before write", () => server.freeze());
    await closed(jar.verify(right()));
    server.resume();
    await whole(target);
    await until("the late write is there", async () => (await target.mfa.accounts.export("u1")).activity.length > 1);
    expect(await jar.isIn()).toBe(false);
    expect((await jar.verify(right())).status).toBe(401);
    target.clock.advance(30_000);
    expect((await jar.verify(right())).status).toBe(200);
  });

  test.each(["request", "answer"] as const)(
    "the %s of the write that uses a right code up is lost on the way: whoever is told so is in, and the code was good once",
    async (lost) => {
      const { store, relay, end } = await server.distantStore();
      try {
        await begin(store);
        const [jar, other] = [await pending(target, "alice"), await pending(target, "alice")];
        target.store.once("before write", () => relay.lose(lost));
        const { status } = await jar.verify(right());
        await whole(target);
        // A client that sends again what it had no answer to may succeed.
        expect([200, 503]).toContain(status);
        expect(await jar.isIn()).toBe(status === 200);
        const isStillGood = lost === "request" && status === 503;
        expect((await other.verify(right())).status).toBe(isStillGood ? 200 : 401);
        expect((await jar.verify(right())).status).toBe(401);
      } finally {
        await end();
      }
    },
  );

  test.each([
    [
      "at the moment a wrong code is counted: nobody learns that it was wrong, and it is not counted",
      "before write",
      5,
    ],
    ["after a wrong code was counted, before it said so: nobody learns that it was wrong, and it is", "after write", 4],
  ] as const)("away %s", async (_name, moment, left) => {
    await begin();
    const jar = await pending(target, "alice");
    target.store.once(moment, () => server.breakDown());
    await closed(jar.verify(wrong()));
    expect(target.events.some(({ action }) => action === "factor-failed")).toBe(false);
    await server.mend();
    await whole(target);
    await expectLeft(jar, left);
  });

  test.each(["request", "answer"] as const)(
    "the %s of the write that counts a wrong code is lost on the way: it is counted once, or nobody was told",
    async (lost) => {
      const { store, relay, end } = await server.distantStore();
      try {
        await begin(store);
        const jar = await pending(target, "alice");
        target.store.once("before write", () => relay.lose(lost));
        const { status } = await jar.verify(wrong());
        await whole(target);
        expect([401, 503]).toContain(status);
        await expectLeft(jar, lost === "request" && status === 503 ? 5 : 4);
      } finally {
        await end();
      }
    },
  );

  test("away during an enrollment: nothing is enrolled, and it can be begun again", async () => {
    await begin();
    const jar = new Jar(target);
    await jar.login("carol");
    target.store.once("before write", () => server.breakDown());
    await closed(jar.post("/2fa/totp/enroll"));
    await server.mend();
    await whole(target);
    expect((await target.mfa.accounts.status("u3")).enrolled).toBe(false);
    expect((await jar.enroll()).backupCodes).toHaveLength(10);
  });

  test("away: operations of the application itself reject, and change nothing", async () => {
    await begin();
    await server.breakDown();
    const { accounts } = target.mfa;
    for (const operation of [
      () => accounts.status("u1"),
      () => accounts.verify("u1", { method: "totp", code: right() }),
      () => accounts.reset("u1"),
      () => accounts.erase("u1"),
    ]) {
      await expect(operation()).rejects.toMatchObject({ code: "unavailable", status: 503 });
    }
    await server.mend();
    await whole(target);
    expect((await accounts.status("u1")).enrolled).toBe(true);
  });
}
