import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { inspect } from "node:util";
import type { Test } from "supertest";
import { type SecondFactorOptions, type Store } from "express-second-factor";
import { emailNotices } from "express-second-factor/mail";
import { movableClock } from "express-second-factor/testing";
import { strategyRoute, testApp, type TestApp, type TestUser } from "../support/app.js";
import { BASE, colourApp, waitingForColours } from "../methods/colours/stage.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import {
  answers,
  failing,
  type Fault,
  faultyKeys,
  faultyRateLimits,
  FaultySessions,
  faultyStore,
  HANGS,
  REJECTS,
  THROWS,
} from "../support/faults.js";
import { expectProblem } from "../support/problems.js";

type Options = Partial<SecondFactorOptions<TestUser>>;

interface Switch {
  fault: Fault | undefined;
}

let warned: jest.SpiedFunction<typeof process.emitWarning>;

beforeEach(() => {
  warned = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
});

afterEach(() => {
  warned.mockRestore();
});

function warnings(code: string): string[] {
  return warned.mock.calls
    .filter(([, options]) => (options as { code?: string } | undefined)?.code === code)
    .map(([message]) => String(message));
}

function brokenPolicy(own: Switch): Options {
  return { policy: () => failing(own.fault, () => "optional" as const) };
}

describe("an error event", () => {
  test("says what was thrown, where, when and for whom", async () => {
    const own: Switch = { fault: undefined };
    const target = testApp({ options: brokenPolicy(own) });
    const jar = await pending(target, "alice");
    own.fault = THROWS;
    expectProblem(await jar.get("/account").set("x-request-id", "r-1"), "unavailable");
    expect(target.errors).toMatchObject([
      {
        place: "policy",
        error: { message: "The cable is cut" },
        requestId: "r-1",
        time: new Date(target.clock()).toISOString(),
      },
    ]);
    expect(Object.isFrozen(target.errors[0])).toBe(true);
  });

  test("where nobody listens is printed once for each place, with what was thrown, and ends nothing", async () => {
    const own: Switch = { fault: undefined };
    const target = testApp({ options: brokenPolicy(own) });
    target.mfa.events.removeAllListeners("error");
    const jar = await pending(target, "alice");
    own.fault = REJECTS;
    for (let count = 0; count < 3; count += 1) expectProblem(await jar.get("/account"), "unavailable");
    expect(warnings("SECOND_FACTOR_ERROR")).toEqual([
      expect.stringMatching(/^policy failed: Error: The cable is cut\n/),
    ]);
    own.fault = undefined;
    expect((await jar.get("/account")).status).toBe(200);
  });

  test.each([
    [new AggregateError([new Error("no way to ::1")]), /^policy failed: AggregateError: no way to ::1\n/],
    ["text", /^policy failed: text\n/],
    [undefined, /^policy failed: /],
    [new Proxy({}, { get: () => failing(THROWS, () => undefined) }), /^policy failed: something that cannot be read\n/],
  ])("is printed whatever it is that was thrown", async (thrown, says) => {
    const policy = jest.fn<() => Promise<"optional">>().mockRejectedValue(thrown);
    const target = testApp({ options: { policy } });
    target.mfa.events.removeAllListeners("error");
    expectProblem(await new Jar(target).login("carol"), "unavailable");
    expect(warnings("SECOND_FACTOR_ERROR")).toEqual([expect.stringMatching(says)]);
  });

  test.each([
    ["throws", () => failing(THROWS, () => undefined)],
    ["rejects", () => failing(REJECTS, () => undefined)],
  ])("that a listener %s at is still told to the others, and answered as ever", async (_name, listener) => {
    const own: Switch = { fault: undefined };
    const target = testApp({ options: brokenPolicy(own) });
    target.mfa.events.prependListener("error", listener);
    const jar = await pending(target, "alice");
    own.fault = THROWS;
    expectProblem(await jar.get("/account"), "unavailable");
    await new Promise((resolve) => setImmediate(resolve));
    expect(target.errors).toHaveLength(1);
    expect(warnings("SECOND_FACTOR_LISTENER")).toHaveLength(1);
  });
});

describe("is told, with what was thrown, of a function of the application's that", () => {
  const LOCAL = "http://localhost:3000";
  /** By place: the option, and what its function answers when all is well. */
  const PLACES: Readonly<Record<string, (own: Switch) => Options>> = {
    policy: brokenPolicy,
    "user.id": (own) => ({ user: { id: (user) => failing(own.fault, () => user.id) } }),
    "user.name": (own) => ({ user: { name: (user) => failing(own.fault, () => user.name) } }),
    issuer: (own) => ({ issuer: () => failing(own.fault, () => "Acme") }),
    origin: (own) => ({ origin: () => failing(own.fault, () => [LOCAL]) }),
    exempt: (own) => ({ exempt: (req) => failing(own.fault, () => req.path === "/login") }),
    layout: (own) => ({ pages: { layout: ({ body }) => failing(own.fault, () => body) } }),
    messages: (own) => ({ pages: { messages: () => failing(own.fault, () => ({})) } }),
    lang: (own) => ({ pages: { lang: () => failing(own.fault, () => "en") } }),
    clock: (own) => {
      const clock = movableClock();
      return { clock: () => failing(own.fault, clock) };
    },
    verifyPassword: (own) => ({
      verifyPassword: (_user, password) => failing(own.fault, async () => password === "right"),
    }),
  };
  const ROWS = Object.entries(PLACES);

  async function errorsOf(options: (own: Switch) => Options, fault: Fault): Promise<TestApp> {
    const own: Switch = { fault: undefined };
    const clock = movableClock();
    const target = testApp({ clock, options: { storeTimeout: "50ms", ...options(own) } });
    const [jar, other] = [await pending(target, "carol"), await pending(target, "alice")];
    await target.mfa.accounts.importTotp("u1", { secret: "JBSWY3DPEHPK3PXPGEZDGNBVGY3TQOJQ" });
    own.fault = fault;
    for (const asked of [
      () => other.page("/2fa"),
      () => other.get("/account"),
      () => jar.page("/2fa/settings"),
      () => jar.post("/2fa/totp/enroll", { password: "right" }),
    ]) {
      await asked();
    }
    await new Promise((resolve) => setImmediate(resolve));
    return target;
  }

  test.each(ROWS)("throws: %s", async (place, options) => {
    const { errors } = await errorsOf(options, THROWS);
    expect(errors.length).toBeGreaterThan(0);
    for (const event of errors) expect(event).toMatchObject({ place, error: { message: "The cable is cut" } });
  });

  test.each(ROWS)("rejects: %s", async (place, options) => {
    const { errors } = await errorsOf(options, REJECTS);
    // Where a promise is no answer, that it is one is told as well.
    expect(errors.map((event) => event.place)).toContain(place);
    expect(errors.map(({ error }) => String(error))).toContain("Error: The cable is cut");
  });

  test.each(ROWS)("answers what is no answer: %s", async (place, options) => {
    const { errors } = await errorsOf(options, answers(Symbol.iterator));
    expect(errors.length).toBeGreaterThan(0);
    for (const event of errors) expect(event.place).toBe(place);
    expect(String(errors[0]?.error)).toMatch(/answered a symbol|answered none of "exempt"|another shape/);
  });

  test("answers what is no answer, where something can be done without it: pages and names as if it were not there", async () => {
    const own: Switch = { fault: answers(7) };
    const options = { ...PLACES["messages"]!(own), ...PLACES["user.name"]!(own), ...PLACES["issuer"]!(own) };
    const target = testApp({ options });
    const jar = await pending(target, "carol");
    const page = await jar.page("/2fa/settings");
    expect([page.status, page.text.includes("Two-step")]).toEqual([200, true]);
    expect((await jar.post("/2fa/totp/enroll")).status).toBe(201);
  });

  test("answers words under names that no message has: the others are in force, and the first such answer is told of", async () => {
    const words = { challenge: { notNo: "Später" }, common: { continue: "Weiter" } } as object;
    const target = testApp({ options: { pages: { messages: () => words } } });
    const jar = new Jar(target);
    for (let count = 0; count < 2; count += 1) await jar.page("/2fa/settings");
    expect(target.errors).toMatchObject([{ place: "messages" }]);
    expect(String(target.errors[0]?.error)).toMatch(/challenge\.notNo is not a message; did you mean "notNow"/);
  });

  test("throws at the binding of an operation", async () => {
    const target = testApp({
      routes: (app, mfa) => {
        const bind = (): string => failing(THROWS, () => "Pay");
        app.post("/pay", mfa.require({ bind }), (_req, res) => res.end());
      },
    });
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    expectProblem(await jar.post("/pay"), "unavailable");
    expect(target.errors).toMatchObject([{ place: "bind", error: { message: "The cable is cut" } }]);
  });

  test("throws at telling an owner, with the owner", async () => {
    const target = testApp({ options: { notify: () => failing(THROWS, () => undefined) } });
    await enrolled(target, "alice");
    await new Promise((resolve) => setImmediate(resolve));
    expect(target.errors).toMatchObject([{ place: "notify", error: { message: "The cable is cut" }, userId: "u1" }]);
  });
});

describe("what the package asks is told of where it fails:", () => {
  const FAULTS: readonly [string, Fault][] = [
    ["throws", THROWS],
    ["rejects", REJECTS],
    ["is silent", HANGS],
    ["answers nonsense", answers({ odd: true })],
  ];

  /** The cause where there is one, else our own words for the silence, or for the shape. */
  function expectTold(target: TestApp, place: string): void {
    expect(target.errors.length).toBeGreaterThan(0);
    for (const event of target.errors)
      expect([event.place, String(event.error)]).toEqual([
        place,
        expect.stringMatching(/The cable is cut|did not answer within 50 ms|another shape/),
      ]);
  }

  test.each(FAULTS)("a store that %s", async (_name, fault) => {
    const store = faultyStore();
    const target = testApp({ store, options: { storeTimeout: "50ms" } });
    const { phone } = await enrolled(target, "alice");
    const [jar, waiting] = [await full(target, "alice", phone), await pending(target, "alice")];
    store.fail("read", fault);
    for (const asked of [jar.get("/account"), waiting.page("/2fa")]) expect((await asked).status).toBe(503);
    store.heal();
    store.fail("write", fault);
    expectProblem(await waiting.verify("000000"), "unavailable");
    expectTold(target, "store");
  });

  test.each(FAULTS)("a store of the limit per address that %s", async (_name, fault) => {
    const store = faultyRateLimits();
    const target = testApp({ options: { storeTimeout: "50ms", limits: { address: { store } } } });
    await enrolled(target, "alice");
    const waiting = await pending(target, "alice");
    for (const verb of ["get", "increment"] as const) {
      store.fail(verb, fault);
      expectProblem(await waiting.verify("000000"), "unavailable");
      store.heal();
    }
    expectTold(target, "limits");
  });

  test.each(FAULTS)("a key provider that %s", async (_name, fault) => {
    const keys = faultyKeys();
    const target = testApp({ options: { storeTimeout: "50ms", keys } });
    const { phone } = await enrolled(target, "alice");
    const [newcomer, waiting] = [await pending(target, "carol"), await pending(target, "alice")];
    const asked = {
      encrypt: () => newcomer.post("/2fa/totp/enroll"),
      decrypt: () => waiting.verify(phone.code(target.clock())),
    };
    for (const [verb, ask] of Object.entries(asked) as [keyof typeof asked, () => Test][]) {
      keys.fail(verb, fault);
      expectProblem(await ask(), "unavailable");
      keys.heal();
    }
    expectTold(target, "keys");
    expect(target.errors).toHaveLength(2);
  });

  test("a client that makes up what only a key can open is nothing that failed", async () => {
    const target = testApp({ options: { keys: faultyKeys() } });
    const jar = new Jar(target);
    await jar.agent.post("/2fa/passkey/options").set("Cookie", "2fa-browser=made-up").send({});
    expect(target.errors).toEqual([]);
  });

  test("a session store that fails", async () => {
    const sessionStore = new FaultySessions();
    const target = testApp({ sessionStore });
    const { phone } = await enrolled(target, "alice");
    const waiting = await pending(target, "alice");
    sessionStore.fail("set");
    expectProblem(await waiting.verify(phone.code(target.clock())), "unavailable");
    expect(target.errors).toMatchObject([{ place: "session", error: { message: "The session store is away" } }]);
  });

  test("a sender that refuses", async () => {
    const jar = await waitingForColours(colourApp());
    jar.target.outbox.fault = REJECTS;
    expectProblem(await jar.post(`${BASE}/send`), "delivery-failed");
    expect(jar.target.errors).toMatchObject([
      { place: "sender", userId: "u1", error: { message: expect.stringMatching(/./) } },
    ]);
  });

  test("a notice that no address is known for: what is printed says what to do", async () => {
    const notify = emailNotices({ transport: { sendMail: async () => ({}) }, from: "Acme <no-reply@acme.test>" });
    const target = testApp({ options: { notify } });
    target.mfa.events.removeAllListeners("error");
    await target.mfa.accounts.importTotp("u99", { secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP" });
    await new Promise((resolve) => setImmediate(resolve));
    expect(warnings("SECOND_FACTOR_ERROR")).toEqual([expect.stringMatching(/no address is known: .* no user\.load/)]);
  });

  test("an account record that cannot be read", async () => {
    const target = testApp();
    await enrolled(target, "alice");
    const waiting = await pending(target, "alice");
    const { version } = (await target.store.read("account:u1"))!;
    await target.store.write("account:u1", "{", { expect: version });
    expectProblem(await waiting.get("/account"), "unavailable");
    expect(target.errors).toMatchObject([{ place: "store" }]);
  });

  test("a strategy hands its failure on to Passport, and tells of it", async () => {
    const { clock, ...route } = { ...strategyRoute, clock: movableClock() };
    const target = testApp({ ...route, clock });
    await enrolled(target, "alice");
    const waiting = await pending(target, "alice");
    const { version } = (await target.store.read("account:u1"))!;
    await target.store.write("account:u1", "{", { expect: version });
    expect((await waiting.post("/otp", { code: "000000" })).status).toBeGreaterThanOrEqual(500);
    expect(target.errors).toMatchObject([{ place: "store" }]);
  });
});

test("nothing that is secret is in an event or a warning, whatever fails", async () => {
  const keys = faultyKeys();
  const store = faultyStore();
  const target = testApp({ store, options: { keys, storeTimeout: "50ms" } });
  const { phone, backupCodes } = await enrolled(target, "alice");
  const waiting = await pending(target, "alice");
  const code = phone.code(target.clock());
  const [backupCode = ""] = backupCodes;
  target.mfa.events.once("error", () => target.mfa.events.removeAllListeners("error"));
  for (const breaks of [
    () => keys.fail("decrypt", THROWS),
    () => keys.fail("decrypt", answers(7)),
    () => store.fail("read", answers({ value: 7 })),
  ]) {
    breaks();
    await waiting.verify(code);
    await waiting.post("/2fa/backup-code", { code: backupCode });
  }
  const said = JSON.stringify([target.errors.map((event) => inspect(event)), warned.mock.calls]);
  expect(said).toContain("SECOND_FACTOR_ERROR");
  for (const secret of [code, backupCode, phone.secret]) expect(said).not.toContain(secret);
});

test.each([
  ["a store that rejects", REJECTS, "The store failed: The cable is cut"],
  ["a store that is silent", HANGS, "The store did not answer within 50 ms"],
])("ready() says the reason in its message: %s", async (_name, fault, message) => {
  const store = faultyStore();
  const target = testApp({ store, options: { storeTimeout: "50ms" } });
  store.fail("read", fault);
  await expect(target.mfa.ready()).rejects.toMatchObject({ message, code: "unavailable", status: 503 });
});

test("ready() says the reason where an error says nothing but what is in it", async () => {
  const none = new AggregateError([
    new Error("connect ECONNREFUSED ::1:6379"),
    new Error("connect ECONNREFUSED 127.0.0.1:6379"),
  ]);
  const store = { ...faultyStore(), read: () => Promise.reject(none) } as unknown as Store;
  await expect(testApp({ store }).mfa.ready()).rejects.toThrow(
    "The store failed: connect ECONNREFUSED ::1:6379, connect ECONNREFUSED 127.0.0.1:6379",
  );
});
