import { describe, expect, test } from "@jest/globals";
import { UnavailableError } from "express-second-factor";
import { authenticatorApp } from "express-second-factor/testing";
import { CANARY, testApp, type TestApp, type TestAppOptions } from "../support/app.js";
import { type Enrolled, enrolled, full, Jar, pending } from "../support/browser.js";
import { ask, copyOf, expectDenied, MODES, passworded, send, storedAccount, wrongCode } from "../support/attack.js";
import {
  ACTS_AND_HANGS,
  answers,
  type Fault,
  type FaultyStore,
  faultyStore,
  HANGS,
  named,
  REJECTS,
  THROWS,
} from "../support/faults.js";
import { PAGES, stateRoutes } from "../support/routes.js";
import { expectProblem } from "../support/problems.js";

interface Prepared {
  readonly target: TestApp;
  readonly store: FaultyStore;
  readonly factor: Enrolled;
}

function frail(given: TestAppOptions = {}): { readonly target: TestApp; readonly store: FaultyStore } {
  const store = faultyStore();
  return { store, target: testApp({ ...given, store, options: { storeTimeout: "50ms", ...given.options } }) };
}

/** Another process of the same application, which has seen nothing yet. */
function started({ clock, sessionStore, store }: TestApp): TestApp {
  return testApp({ clock, sessionStore, store, options: { storeTimeout: "50ms" } });
}

async function prepared(): Promise<Prepared> {
  const { target, store } = frail();
  return { target, store, factor: await enrolled(target, "alice") };
}

function list(faults: readonly Fault[]): [string, Fault][] {
  return faults.map((fault) => [named(fault), fault]);
}

/** The record of nobody's account, but for these members: read as one that has no factor it would let everybody in. */
function recordOf(members: Readonly<Record<string, unknown>>): string {
  const lists = ["factors", "enrollments", "devices", "logins", "endedLogins", "activity"];
  const empty = Object.fromEntries(lists.map((name) => [name, []]));
  return JSON.stringify({ format: 2, userId: "u1", sessionEpoch: "", attempts: {}, ...empty, ...members });
}

const SILENT = [THROWS, REJECTS, HANGS];

const READ_FAULTS = list([
  ...SILENT,
  answers(null),
  answers(7),
  answers("text"),
  answers([]),
  answers({}),
  answers({ value: "{}" }),
  answers({ value: 7, version: "1" }),
  answers({ value: "{}", version: 7 }),
  answers({ value: "not JSON", version: "1" }),
  answers({ value: "{}", version: "1" }),
  answers({ value: "null", version: "1" }),
  answers({ value: '{"format":1,"userId":"u1"}', version: "1" }),
  answers({ value: '{"format":3,"userId":"u1","factors":[]}', version: "1" }),
  answers({ value: recordOf({ userId: "u2" }), version: "1" }),
  answers({ value: recordOf({ format: 1, generation: "", ended: [], userId: "u2" }), version: "1" }),
  answers({ value: recordOf({ format: 3 }), version: "1" }),
  answers({ value: recordOf({ sessionEpoch: 0 }), version: "1" }),
  answers({ value: recordOf({ attempts: null }), version: "1" }),
  answers({ value: recordOf({ attempts: undefined }), version: "1" }),
  answers({ value: recordOf({ factors: {} }), version: "1" }),
]);

const WRITE_FAULTS = list([...SILENT, answers(null), answers(7), answers(true), answers({}), answers(undefined)]);

describe.each(READ_FAULTS)("a store whose read %s", (_name, fault) => {
  test("refuses every login on every path, lets nobody in, and loses nothing", async () => {
    const { target, store, factor } = await prepared();
    const other = started(target);
    const owner = copyOf(await full(target, "alice", factor.phone), undefined, other);
    const waiting = copyOf(await pending(target, "alice"), undefined, other);
    store.fail("read", fault);
    const code = factor.phone.code(target.clock());
    const routes = stateRoutes({ factorId: factor.factorId });
    const answered = await Promise.all([
      ...[owner, waiting].flatMap((jar) =>
        ["/", "/account", "/api/data", "/nowhere", ...PAGES].map((path) => jar.get(path)),
      ),
      ...routes.map(({ path, body }) => waiting.post(path, { ...body, code })),
      ...routes.filter(({ path }) => path !== "/2fa/cancel").map(({ path, body }) => owner.post(path, body)),
    ]);
    for (const answer of answered) expectProblem(answer, "unavailable");
    for (const page of await Promise.all([owner.page("/account"), waiting.page("/account")]))
      expect([page.status, page.type, page.text.includes(CANARY)]).toEqual([503, "text/html", false]);
    store.heal();
    expect([await owner.isIn(), await waiting.isIn()]).toEqual([true, false]);
    expect((await waiting.verify(code)).status).toBe(200);
    expect(await waiting.isIn()).toBe(true);
  });

  test("is not asked for a proof where the account is known: the write says whether it is still that one", async () => {
    const { target, store, factor } = await prepared();
    const [waiting, late] = [await pending(target, "alice"), await pending(target, "alice")];
    store.fail("read", fault);
    expect((await waiting.verify(factor.phone.code(target.clock()))).status).toBe(200);
    store.heal();
    expect(await waiting.isIn()).toBe(true);
    await started(target).mfa.accounts.signOutEverywhere("u1");
    target.clock.advance(30_000);
    store.fail("read", fault);
    expectProblem(await late.verify(factor.phone.code(target.clock())), "unavailable");
    store.heal();
    expect(await late.isIn()).toBe(false);
  });

  test("answers a right password with 503 and a wrong one as ever, and needs no store without a login", async () => {
    const { target, store, factor } = await prepared();
    store.fail("read", fault);
    const nobody = new Jar(target);
    expect((await nobody.get("/")).body.status).toBe("anonymous");
    expect((await nobody.get("/account")).body.code).toBe("app-says-log-in");
    expectProblem(await nobody.get("/2fa"), "login-required");
    expect((await nobody.get("/2fa/assets/style.css")).status).toBe(200);
    expect((await nobody.post("/login", { username: "alice", password: "wrong" })).status).toBe(401);
    const jar = new Jar(target);
    for (const mode of MODES) {
      const answer = await (mode === "JSON"
        ? jar.login("alice")
        : jar.form("/login", { username: "alice", password: "alice-password" }));
      expect([answer.status, answer.text.includes(CANARY)]).toEqual([503, false]);
    }
    expect((await nobody.get("/account")).status).toBe(401);
    store.heal();
    expect(await jar.isIn()).toBe(false);
    await jar.login("alice");
    expect((await jar.verify(factor.phone.code(target.clock()))).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
  });
});

test.each([
  ["of the present format", recordOf({})],
  ["of the first", recordOf({ format: 1, generation: "", ended: [], sessionEpoch: undefined, attempts: undefined })],
])("what these faults are made from, a record %s, is read where nothing is wrong with it", async (_name, value) => {
  const { target, store } = await prepared();
  store.fail("read", answers({ value, version: "1" }));
  expect(await target.mfa.accounts.status("u1")).toMatchObject({ enrolled: false });
});

test("a record of the first format is worth what it was, and is one of the present format when it is next written", async () => {
  const { target, factor } = await prepared();
  const [inside, waiting] = [await full(target, "alice", factor.phone), await pending(target, "alice")];
  const cancelled = await pending(target, "alice");
  const copy = copyOf(cancelled);
  await cancelled.post("/2fa/cancel");
  const { value, version } = (await target.store.read("account:u1"))!;
  const {
    attempts: _elsewhere,
    endedLogins,
    sessionEpoch,
    ...members
  } = JSON.parse(value) as Record<string, unknown> & {
    endedLogins: readonly { readonly id: string; readonly isFirstStep?: true }[];
  };
  // That format knew of first steps only.
  const ended = endedLogins.filter(({ isFirstStep }) => isFirstStep === true).map(({ id }) => id);
  expect(ended).toHaveLength(1);
  const first = JSON.stringify({ ...members, format: 1, generation: sessionEpoch, ended });
  expect(await target.store.write("account:u1", first, { expect: version })).toBeDefined();

  expect([await inside.isIn(), await waiting.isIn(), await copy.isIn()]).toEqual([true, false, false]);
  const code = factor.phone.code(target.clock());
  expect((await copy.verify(code)).status).toBeGreaterThanOrEqual(400);
  expect((await waiting.verify(wrongCode(factor.phone, target.clock()))).status).toBe(401);
  expect((await waiting.verify(code)).status).toBe(200);
  expect([await inside.isIn(), await waiting.isIn()]).toEqual([true, true]);
  const now = JSON.parse((await storedAccount(target, "alice"))!) as Record<string, unknown>;
  const ends = ended.map((id) => ({ id }));
  expect(now).toMatchObject({ format: 2, sessionEpoch, endedLogins: ends, attempts: { totp: { count: 1 } } });
  for (const name of ["generation", "ended", "revokedLogins"]) expect(now).not.toHaveProperty(name);
});

describe.each(WRITE_FAULTS)("a store whose write %s", (_name, fault) => {
  test.each(MODES)(
    "answers a right code with 503, opens nothing, and takes the same code afterwards (%s)",
    async (mode) => {
      const { target, store, factor } = await prepared();
      const jar = await passworded(target, mode, "alice");
      const code = factor.phone.code(target.clock());
      store.fail("write", fault);
      const answer = await (mode === "JSON" ? jar.verify(code) : jar.form("/2fa/totp", { code }));
      expect([answer.status, answer.text.includes(CANARY)]).toEqual([503, false]);
      expectProblem(await jar.post("/2fa/backup-code", { code: factor.backupCodes[0] }), "unavailable");
      expect(await jar.isIn()).toBe(false);
      store.heal();
      expect(await jar.isIn()).toBe(false);
      await send(jar, mode, "/2fa/totp", { code });
      expect(await jar.isIn()).toBe(true);
      const next = await pending(target, "alice");
      expect((await next.post("/2fa/backup-code", { code: factor.backupCodes[0] })).body.remaining).toBe(9);
    },
  );

  test("changes nothing of an account, and all can be done again afterwards", async () => {
    const { target, store, factor } = await prepared();
    const jar = await full(target, "alice", factor.phone);
    const begun = await jar.post("/2fa/totp/enroll");
    const before = await storedAccount(target, "alice");
    const code = authenticatorApp(begun.body.uri).code(target.clock());
    store.fail("write", fault);
    const refused = await Promise.all([
      jar.post("/2fa/totp/enroll/confirm", { factorId: begun.body.factorId, code }),
      jar.post(`/2fa/factors/${factor.factorId}/remove`),
      jar.post("/2fa/backup-codes"),
      jar.post("/2fa/disable"),
      jar.post("/2fa/totp/enroll"),
      jar.post("/2fa/sessions/revoke-others"),
    ]);
    for (const answer of refused) expectProblem(answer, "unavailable");
    expect(await storedAccount(target, "alice")).toBe(before);
    store.heal();
    expect(await jar.isIn()).toBe(true);
    expect((await jar.post("/2fa/totp/enroll/confirm", { factorId: begun.body.factorId, code })).status).toBe(201);
    expect(await target.mfa.accounts.factors("u1")).toHaveLength(2);
  });

  test("keeps a login that needs no write", async () => {
    const { target, store, factor } = await prepared();
    const [jar, carol] = [await full(target, "alice", factor.phone), await pending(target, "carol")];
    store.fail("write", fault);
    expect([await jar.isIn(), await carol.isIn()]).toEqual([true, true]);
    expect((await (await pending(target, "alice")).get("/2fa")).body.status).toBe("pending");
  });

  test("lets nobody in whose login cannot be listed", async () => {
    const { target, store } = await prepared();
    store.fail("write", fault);
    const carol = new Jar(target);
    expect((await carol.login("carol")).status).toBe(503);
    await expectDenied(carol);
    store.heal();
    await carol.login("carol");
    expect(await carol.isIn()).toBe(true);
  });
});

describe("attempts while the store is away", () => {
  test.each(list(SILENT))(
    "an outage uses up no attempts: the right code opens after any number of refusals (write %s)",
    async (_name, fault) => {
      const { target, store, factor } = await prepared();
      const jar = await pending(target, "alice");
      const code = factor.phone.code(target.clock());
      store.fail("write", fault);
      const during = [];
      for (let attempt = 0; attempt < 8; attempt += 1) during.push((await jar.verify(code)).status);
      expect(during).toEqual(Array(8).fill(503));
      expect(await jar.isIn()).toBe(false);
      store.heal();
      expect((await jar.verify(code)).status).toBe(200);
      expect(await jar.isIn()).toBe(true);
    },
  );

  test.each(list(SILENT))(
    "an outage grants no attempts: what was wrong before counts after (write %s)",
    async (_name, fault) => {
      const { target, store, factor } = await prepared();
      const jar = await pending(target, "alice");
      const wrong = wrongCode(factor.phone, target.clock());
      for (let attempt = 0; attempt < 3; attempt += 1) expect((await jar.verify(wrong)).status).toBe(401);
      store.fail("write", fault);
      expectProblem(await jar.verify(wrong), "unavailable");
      store.heal();
      const after = [];
      for (let attempt = 0; attempt < 3; attempt += 1) after.push((await jar.verify(wrong)).status);
      expect(after).toEqual([401, 401, 429]);
      expect((await jar.verify(factor.phone.code(target.clock()))).status).toBe(429);
      expect(await jar.isIn()).toBe(false);
    },
  );

  test("thirty guesses at once against a store that cannot write tell nothing of which of them was right", async () => {
    const { target, store, factor } = await prepared();
    const jar = await pending(target, "alice");
    const right = factor.phone.code(target.clock());
    const wrong = wrongCode(factor.phone, target.clock());
    store.fail("write", REJECTS);
    const answered = await Promise.all(
      Array.from({ length: 30 }, (_none, index) => jar.verify(index === 15 ? right : wrong)),
    );
    expect(answered.map(({ status }) => status)).toEqual(Array(30).fill(503));
    expect(new Set([answered[14]!.text, answered[15]!.text, answered[16]!.text]).size).toBe(1);
    store.heal();
    expect(await jar.isIn()).toBe(false);
  });
});

describe("a store that acts and never says so", () => {
  test("a code whose use was written and not confirmed opens nothing, and the next one does", async () => {
    const { target, store, factor } = await prepared();
    const jar = await pending(target, "alice");
    const code = factor.phone.code(target.clock());
    store.fail("write", ACTS_AND_HANGS);
    expectProblem(await jar.verify(code, { trustDevice: true }), "unavailable");
    store.heal();
    expect(await jar.isIn()).toBe(false);
    expect((await jar.verify(code)).status).toBe(401);
    target.clock.advance(30_000);
    expect((await jar.verify(factor.phone.code(target.clock()))).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
  });

  test("a change that was written and not confirmed ends the other logins, as it said it would", async () => {
    const { target, store, factor } = await prepared();
    const [owner, other] = [await full(target, "alice", factor.phone), await full(target, "alice", factor.phone)];
    expect(await owner.isIn()).toBe(true);
    store.fail("write", ACTS_AND_HANGS);
    expectProblem(await owner.post("/2fa/disable"), "unavailable");
    store.heal();
    expect(await other.isIn()).toBe(false);
    expect((await target.mfa.accounts.status("u1")).enrolled).toBe(false);
  });

  test("an answer that comes after the time is up changes nothing and breaks nothing", async () => {
    const { target, store, factor } = await prepared();
    const jar = await full(target, "alice", factor.phone);
    const late: ((reason: Error) => void)[] = [];
    const promise = new Promise((_resolve, reject) => late.push(reject));
    store.fail("read", answers(promise));
    expectProblem(await jar.get("/account"), "unavailable");
    late[0]!(new Error("too late"));
    await promise.catch(() => undefined);
    store.heal();
    expect(await jar.isIn()).toBe(true);
  });
});

describe("ends of logins while the store is away", () => {
  test.each(list(SILENT))(
    "a logout leaves the browser logged out, and the application is told what failed (write %s)",
    async (_name, fault) => {
      const { target, store } = frail({
        routes(app) {
          app.use(((error: { status?: number }, _req, res, _next) => {
            res.status(error.status ?? 500).json({ name: (error as Error).name });
          }) as import("express").ErrorRequestHandler);
        },
      });
      const { phone } = await enrolled(target, "alice");
      const jar = await full(target, "alice", phone);
      const copy = copyOf(jar);
      store.fail("write", fault);
      const answer = await jar.post("/logout");
      expect([answer.status, answer.body]).toEqual([503, { name: "UnavailableError" }]);
      store.heal();
      expect([await jar.isIn(), await copy.isIn()]).toEqual([false, false]);
    },
  );

  test.each(list(SILENT))(
    "turning away from a challenge opens nothing, and can be done again (write %s)",
    async (_name, fault) => {
      const { target, store, factor } = await prepared();
      const jar = await pending(target, "alice");
      const copy = copyOf(jar);
      store.fail("write", fault);
      const { status } = await jar.post("/2fa/cancel");
      expect([204, 503]).toContain(status);
      expect(await jar.isIn()).toBe(false);
      store.heal();
      if (status === 503) expect((await jar.post("/2fa/cancel")).status).toBe(204);
      for (const each of [jar, copy]) {
        expect((await each.verify(factor.phone.code(target.clock()))).status).toBeGreaterThanOrEqual(400);
        expect(await each.isIn()).toBe(false);
      }
    },
  );
});

describe("the application's own calls while the store is away", () => {
  test.each(list([...SILENT, answers(null)]))(
    "each rejects with an UnavailableError and changes nothing (%s)",
    async (_name, fault) => {
      const { target, store, factor } = await prepared();
      const before = await storedAccount(target, "alice");
      const { accounts } = target.mfa;
      const reading = [
        () => accounts.status("u1"),
        () => accounts.factors("u1"),
        () => accounts.export("u1"),
        () => target.mfa.ready(),
      ];
      const writing: (() => Promise<unknown>)[] = [
        () => accounts.reset("u1"),
        () => accounts.removeFactor("u1", factor.factorId),
        () => accounts.regenerateBackupCodes("u1"),
        () => accounts.signOutEverywhere("u1"),
        () => accounts.passwordChanged("u1", { signOut: true }),
        () => accounts.importTotp("u1", { secret: "JBSWY3DPEHPK3PXPGEZDGNBVGY3TQOJQ" }),
        () => accounts.verify("u1", { method: "totp", code: factor.phone.code(target.clock()) }),
      ];
      const happened = target.events.length;
      store.fail("read", fault);
      const erasing = () => accounts.erase("u1");
      await Promise.all(
        [...reading, ...writing, erasing].map((call) => expect(call()).rejects.toThrow(UnavailableError)),
      );
      store.heal();
      store.fail("write", fault);
      store.fail("remove", fault);
      await Promise.all([...writing, erasing].map((call) => expect(call()).rejects.toThrow(UnavailableError)));
      store.heal();
      expect(await storedAccount(target, "alice")).toBe(before);
      // What did not happen is told to nobody.
      expect(target.events.slice(happened).filter(({ outcome }) => outcome === "success")).toEqual([]);
      await expect(target.mfa.ready()).resolves.toBeUndefined();
    },
  );
});

test("an outage is an event, with its reason and without anybody's secrets", async () => {
  const { target, store, factor } = await prepared();
  const jar = await full(target, "alice", factor.phone);
  store.fail("read", REJECTS);
  expect((await ask(jar, "JSON", "/account")).status).toBe(503);
  const [event] = target.events.filter(({ action }) => action === "unavailable");
  expect(event).toMatchObject({ action: "unavailable", outcome: "failure", reason: expect.stringMatching(/store/i) });
  expect(JSON.stringify(event)).not.toContain("cable");
});
