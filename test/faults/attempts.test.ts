import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "@jest/globals";
import type { Response } from "supertest";
import { memoryStore } from "express-second-factor";
import { authenticatorApp } from "express-second-factor/testing";
import { strategyRoute, testApp, type TestApp } from "../support/app.js";
import {
  copyOf,
  distantStore,
  HOUR,
  MINUTE,
  passworded,
  pendingJars,
  STEP,
  storedAccount,
  told,
  twoServers,
  wrongCode,
  wrongCodes,
} from "../support/attack.js";
import { type Enrolled, enrolled, full, type Jar, pending } from "../support/browser.js";
import { ACTS_AND_HANGS, answers, type Fault, faultyStore, HANGS, named, REJECTS, THROWS } from "../support/faults.js";
import { interruptible, type InterruptibleStore } from "../support/interruptible.js";
import { expectProblem } from "../support/problems.js";

const WIDTH = 60;
const WRONG_BACKUP = "0000-0000-0000-0000";

function list(faults: readonly Fault[]): [string, Fault][] {
  return faults.map((fault) => [named(fault), fault]);
}

/** How many answers had each status. */
function tally(answered: readonly Response[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answered) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** What the record says was guessed, by kind and scope; that an enrollment was begun is no guess. */
async function counted(target: TestApp, name: string): Promise<Record<string, number>> {
  const { attempts } = JSON.parse((await storedAccount(target, name)) ?? "{}") as {
    attempts: Record<string, { readonly count: number }>;
  };
  const guesses = Object.entries(attempts).filter(([kind]) => !kind.endsWith("totpEnroll"));
  return Object.fromEntries(guesses.map(([kind, { count }]) => [kind, count]));
}

interface Guesses extends Enrolled {
  readonly target: TestApp;
  readonly store: InterruptibleStore;
  readonly waiting: Jar;
  readonly owner: Jar;
  readonly begun: { readonly factorId: string; readonly uri: string };
}

/** Alice signed in with a second authenticator begun, and a login of hers that waits for a code. */
async function guessable(): Promise<Guesses> {
  const store = interruptible(memoryStore());
  const target = testApp({ store, ...strategyRoute });
  const alice = await enrolled(target, "alice");
  const owner = await full(target, "alice", alice.phone);
  const begun = (await owner.post("/2fa/totp/enroll")).body as Guesses["begun"];
  return { ...alice, target, store, owner, begun, waiting: await pending(target, "alice") };
}

type Guess = (guesses: Guesses) => PromiseLike<unknown>;

const WRONG: Readonly<Record<string, Guess>> = {
  "a code at a login": ({ phone, target, waiting }) => waiting.verify(wrongCode(phone, target.clock())),
  "a backup code": ({ waiting }) => waiting.post("/2fa/backup-code", { code: WRONG_BACKUP }),
  "a code given to a strategy": ({ phone, target, waiting }) =>
    waiting.post("/otp", { code: wrongCode(phone, target.clock()) }),
  "a code of a step-up": ({ owner, phone, target }) => owner.verify(wrongCode(phone, target.clock())),
  "a code of an enrollment": ({ begun: { factorId, uri }, owner, target }) => {
    const code = wrongCode(authenticatorApp(uri), target.clock());
    return owner.post("/2fa/totp/enroll/confirm", { factorId, code });
  },
  "two codes of a resync": ({ factorId, owner, phone, target }) =>
    owner.post("/2fa/totp/resync", { factorId, codes: wrongCodes(2, phone, target.clock()) }),
  "a code the application asks about": ({ phone, target }) =>
    target.mfa.accounts.verify("u1", { method: "totp", code: wrongCode(phone, target.clock()) }),
};

const RIGHT: Readonly<Record<string, Guess>> = {
  "a code at a login": ({ phone, target, waiting }) => waiting.verify(phone.code(target.clock())),
  "a backup code": ({ backupCodes, waiting }) => waiting.post("/2fa/backup-code", { code: backupCodes[0] }),
  "a code given to a strategy": ({ phone, target, waiting }) =>
    waiting.post("/otp", { code: phone.code(target.clock()) }),
  "a code of a step-up": ({ owner, phone, target }) => owner.verify(phone.code(target.clock())),
  "a code of an enrollment": ({ begun: { factorId, uri }, owner, target }) =>
    owner.post("/2fa/totp/enroll/confirm", { factorId, code: authenticatorApp(uri).code(target.clock()) }),
  "two codes of a resync": ({ factorId, owner, phone, target }) => {
    const drifted = target.clock() + HOUR;
    return owner.post("/2fa/totp/resync", { factorId, codes: [phone.code(drifted), phone.code(drifted + STEP)] });
  },
  "a code the application asks about": ({ phone, target }) =>
    target.mfa.accounts.verify("u1", { method: "totp", code: phone.code(target.clock()) }),
};

describe.each([
  ["wrong", WRONG],
  ["right", RIGHT],
])("what comes of something %s", (_name, guesses) => {
  test.each(Object.entries(guesses))("is told after it was written and not before: %s", async (_what, guess) => {
    const guessed = await guessable();
    const order: string[] = [];
    guessed.store.once("before write", async () => {
      for (let turn = 0; turn < 100; turn += 1) await nextTurn();
      order.push("written");
    });
    await guess(guessed).then(() => order.push("told"));
    expect(order).toEqual(["written", "told"]);
  });
});

describe("a wrong code whose attempt cannot be written", () => {
  async function frail() {
    const store = faultyStore();
    const target = testApp({ store, options: { storeTimeout: "50ms" } });
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    const wrong = wrongCode(phone, target.clock());
    return { store, target, phone, jar, guess: () => jar.verify(wrong) };
  }

  test.each(list([THROWS, REJECTS, HANGS, answers(null), answers({}), answers(undefined)]))(
    "is answered as nothing at all, and not counted (write %s)",
    async (_name, fault) => {
      const { guess, jar, phone, store, target } = await frail();
      store.fail("write", fault);
      for (let tries = 0; tries < 2; tries += 1) expectProblem(await guess(), "unavailable");
      expect([told("factor-failed", target), told("locked", target)]).toEqual([0, 0]);
      store.heal();
      const statuses: number[] = [];
      for (let tries = 0; tries < 6; tries += 1) statuses.push((await guess()).status);
      expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
      expect((await jar.verify(phone.code(target.clock()))).status).toBe(429);
    },
  );

  test("or is written and nobody hears of it, is answered as nothing at all, and counted: guessing stays limited", async () => {
    const { guess, jar, phone, store, target } = await frail();
    for (let tries = 0; tries < 5; tries += 1) {
      store.fail("write", ACTS_AND_HANGS);
      expectProblem(await guess(), "unavailable");
      store.heal();
      expect((await jar.get("/2fa")).body.status).toBe("pending");
    }
    expect(await counted(target, "alice")).toEqual({ totp: 5, allCodes: 5 });
    expect((await guess()).status).toBe(429);
    target.clock.advance(15 * MINUTE);
    const again = await pending(target, "alice");
    expect((await again.verify(phone.code(target.clock()))).status).toBe(200);
  });

  test("beyond the limit needs no write: it is refused as ever, and the record stays as it is", async () => {
    const { guess, jar, phone, store, target } = await frail();
    for (let tries = 0; tries < 5; tries += 1) expect((await guess()).status).toBe(401);
    const before = await storedAccount(target, "alice");
    store.fail("write", REJECTS);
    for (const answer of [await guess(), await jar.verify(phone.code(target.clock()))]) {
      expectProblem(answer, "too-many-attempts");
    }
    store.heal();
    for (let tries = 0; tries < 20; tries += 1) expect((await guess()).status).toBe(429);
    expect(await storedAccount(target, "alice")).toBe(before);
  });
});

describe("sixty wrong guesses at once over two servers of one store", () => {
  async function two() {
    const { lost, store } = distantStore();
    const servers = twoServers({ store });
    const alice = await enrolled(servers[0], "alice");
    return { ...alice, lost, servers, clock: servers[0].clock };
  }

  test("of an authenticator: five are answered as wrong, all others are refused, and the lock is told once", async () => {
    const { clock, lost, phone, servers } = await two();
    const jars = await pendingJars(WIDTH, servers, "alice");
    const codes = wrongCodes(WIDTH, phone, clock());
    const answered = await Promise.all(jars.map((jar, index) => jar.verify(codes[index]!)));
    expect(tally(answered)).toEqual({ 401: 5, 429: WIDTH - 5 });
    expect(await counted(servers[0], "alice")).toEqual({ totp: 5, allCodes: 5 });
    expect(lost()).toBeGreaterThan(0);
    const heard = ["factor-failed", "locked", "attempt-refused"].map((action) => told(action, ...servers));
    expect(heard).toEqual([5, 1, WIDTH - 5]);
  });

  test("of backup codes: ten are answered as wrong, and all others are refused", async () => {
    const { servers } = await two();
    const jars = await pendingJars(WIDTH, servers, "alice");
    const answered = await Promise.all(jars.map((jar) => jar.post("/2fa/backup-code", { code: WRONG_BACKUP })));
    expect(tally(answered)).toEqual({ 401: 10, 429: WIDTH - 10 });
    expect(await counted(servers[0], "alice")).toEqual({ backupCode: 10, allCodes: 10 });
  });

  test("of both: five of the authenticator's and five others, ten in all, are answered as wrong", async () => {
    const { clock, phone, servers } = await two();
    const jars = await pendingJars(WIDTH, servers, "alice");
    const wrong = wrongCode(phone, clock());
    const answered = await Promise.all(
      jars.map((jar, index) =>
        index % 3 === 0 ? jar.verify(wrong) : jar.post("/2fa/backup-code", { code: WRONG_BACKUP }),
      ),
    );
    expect(tally(answered)).toEqual({ 401: 10, 429: WIDTH - 10 });
    const { allCodes, backupCode = 0, totp = 0 } = await counted(servers[0], "alice");
    expect([allCodes, backupCode + totp, totp <= 5]).toEqual([10, 10, true]);
  });

  test("of a step-up and of the settings: five in all, counted apart from those at logins", async () => {
    const { clock, factorId, phone, servers } = await two();
    const owner = await full(servers[0], "alice", phone);
    const begun = (await owner.post("/2fa/totp/enroll")).body as { factorId: string };
    const copies = Array.from({ length: WIDTH }, (_none, index) => copyOf(owner, undefined, servers[index % 2]));
    const [code = "", next = ""] = wrongCodes(2, phone, clock());
    const answered = await Promise.all(
      copies.map((copy, index) => {
        if (index % 3 === 0) return copy.verify(code);
        return index % 3 === 1
          ? copy.post("/2fa/totp/resync", { factorId, codes: [code, next] })
          : copy.post("/2fa/totp/enroll/confirm", { factorId: begun.factorId, code });
      }),
    );
    expect(tally(answered)).toEqual({ 401: 5, 429: WIDTH - 5 });
    expect(await counted(servers[0], "alice")).toEqual({ "verified/totp": 5, "verified/allCodes": 5 });
  });

  test("of an account's first enrollment: five are answered as wrong", async () => {
    const { servers } = await two();
    const owner = await passworded(servers[0], "JSON", "carol");
    const { factorId, uri } = (await owner.post("/2fa/totp/enroll")).body as { factorId: string; uri: string };
    const copies = Array.from({ length: WIDTH }, (_none, index) => copyOf(owner, undefined, servers[index % 2]));
    const code = wrongCode(authenticatorApp(uri), servers[0].clock());
    const answered = await Promise.all(copies.map((copy) => copy.post("/2fa/totp/enroll/confirm", { factorId, code })));
    expect(tally(answered)).toEqual({ 401: 5, 429: WIDTH - 5 });
  });

  test("at an account that has no such factor: as if it had one, and what is kept of it ends with the window", async () => {
    const { clock, servers } = await two();
    const verify = (index: number) => servers[index % 2]!.mfa.accounts.verify("u3", { method: "totp", code: "000000" });
    const answered = await Promise.all(Array.from({ length: WIDTH }, (_none, index) => verify(index)));
    const codes = answered.map((answer) => (answer.ok ? "right" : answer.code));
    expect(codes.filter((code) => code === "invalid-code")).toHaveLength(5);
    expect(codes.filter((code) => code === "too-many-attempts")).toHaveLength(WIDTH - 5);
    expect(await counted(servers[0], "carol")).toEqual({ totp: 5, allCodes: 5 });
    clock.advance(15 * MINUTE);
    expect(await storedAccount(servers[0], "carol")).toBeUndefined();
  });
});

describe("an owner beside whoever guesses", () => {
  test("signs in while a hundred wrong codes come from a login of theirs that somebody else has", async () => {
    const servers = twoServers();
    const { phone } = await enrolled(servers[0], "alice");
    const stolen = await full(servers[0], "alice", phone);
    const waiting = await pending(servers[1], "alice");
    const wrong = wrongCode(phone, servers[0].clock());
    const flood = Array.from({ length: 100 }, (_none, index) => copyOf(stolen, undefined, servers[index % 2]));
    const guessing = flood.map(async (copy) => copy.verify(wrong));
    const signedIn = await waiting.verify(phone.code(servers[0].clock()));
    expect(tally(await Promise.all(guessing))).toEqual({ 401: 5, 429: 95 });
    expect(signedIn.status).toBe(200);
    expect(await waiting.isIn()).toBe(true);
    // And long after it: nothing of it was counted at logins.
    servers[0].clock.advance(STEP);
    await full(servers[0], "alice", phone);
  });

  test("steps up while a hundred wrong codes come from logins with the password", async () => {
    const servers = twoServers();
    const { phone } = await enrolled(servers[0], "alice");
    const owner = await full(servers[0], "alice", phone);
    const jars = await pendingJars(100, servers, "alice");
    const wrong = wrongCode(phone, servers[0].clock());
    const guessing = jars.map(async (jar) => jar.verify(wrong));
    const stepUp = await owner.verify(phone.code(servers[0].clock()));
    expect(tally(await Promise.all(guessing))).toEqual({ 401: 5, 429: 95 });
    expect(stepUp.status).toBe(200);
    servers[0].clock.advance(STEP);
    expect((await owner.verify(phone.code(servers[0].clock()))).status).toBe(200);
  });

  test("signs in although two hundred other writes of the account compete with theirs, of which none is lost", async () => {
    const { lost, store } = distantStore();
    const servers = twoServers({ store });
    const { phone } = await enrolled(servers[0], "alice");
    const waiting = await pending(servers[1], "alice");
    // Slow to make, each of them, and made anew whenever another was written first.
    const replacing = Array.from({ length: 200 }, (_none, index) =>
      servers[index % 2]!.mfa.accounts.regenerateBackupCodes("u1"),
    );
    await Promise.race(replacing);
    expect((await waiting.verify(phone.code(servers[0].clock()))).status).toBe(200);
    const sets = (await Promise.all(replacing)).map((codes) => codes?.join());
    expect(new Set(sets).size).toBe(200);
    expect(await waiting.isIn()).toBe(true);
    expect(lost()).toBeGreaterThan(200);
  });
});
