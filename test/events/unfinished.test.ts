// Somebody knows the password and gets no further: its owner hears of it once the ten minutes are over.
import { describe, expect, jest, test } from "@jest/globals";
import { memoryStore, type Notice, UnavailableError } from "express-second-factor";
import { DAY, HOUR, MINUTE, twoServers } from "../support/attack.js";
import { passwordOf, testApp, type TestApp, type TestAppOptions } from "../support/app.js";
import { type Enrolled, enrolled, full, Jar, pending } from "../support/browser.js";
import { faultyStore, HANGS, REJECTS } from "../support/faults.js";

interface Here extends Enrolled {
  readonly target: TestApp;
  readonly notices: Notice[];
}

/** What owners are told of logins that went no further. */
function unfinished({ notices }: Pick<Here, "notices">): readonly Notice[] {
  return notices.filter(({ kind }) => kind === "login-unfinished");
}

function noticing(notices: Notice[], parts: TestAppOptions = {}): TestApp {
  const notify = (notice: Notice): void => void notices.push(notice);
  return testApp({ ...parts, options: { notify, ...parts.options } });
}

async function alice(parts: TestAppOptions = {}): Promise<Here> {
  const notices: Notice[] = [];
  const target = noticing(notices, parts);
  return { target, notices, ...(await enrolled(target, "alice")) };
}

async function run({ target }: Pick<Here, "target">): Promise<number> {
  const done = await target.mfa.runDue();
  await new Promise((resolve) => setImmediate(resolve));
  return done;
}

/** From another browser, as a stranger's is. */
async function stranger({ target }: Pick<Here, "target">, codes = 0): Promise<Jar> {
  const jar = new Jar(target);
  const agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36";
  await jar.login("alice").set("User-Agent", agent);
  for (let count = 0; count < codes; count += 1) await jar.verify("000000").set("User-Agent", agent);
  return jar;
}

describe("a login that waits for its second factor and never gets it", () => {
  test("is told of when its ten minutes are over, and not before, with a line of its own", async () => {
    const here = await alice();
    const at = new Date(here.target.clock()).toISOString();
    await stranger(here);
    here.target.clock.advance(10 * MINUTE - 1);
    expect(await run(here)).toBe(0);
    here.target.clock.advance(1);
    expect(await run(here)).toBe(1);
    const [line] = (await here.target.mfa.accounts.export("u1")).activity;
    const where = { browser: "Chrome on Windows" };
    expect(line).toMatchObject({ action: "login-unfinished", outcome: "failure", at, ...where });
    expect(unfinished(here)).toMatchObject([
      {
        to: { address: "alice@acme.test" },
        number: line!.number,
        at,
        browser: "Chrome on Windows",
        ip: line!.ip,
        details: { reason: "given-up", count: 1 },
        links: { report: expect.any(String) },
      },
    ]);
    expect(await run(here)).toBe(0);
  });

  test("says whether wrong codes were given", async () => {
    const here = await alice();
    await stranger(here, 2);
    here.target.clock.advance(10 * MINUTE);
    await run(here);
    expect(unfinished(here)).toMatchObject([{ details: { reason: "failed" } }]);
  });

  test("is told of where it keeps no session and is refused at once, and not where its owner gets in from there", async () => {
    const routes: TestAppOptions["routes"] = (app, _mfa, authenticator) => {
      const ask = authenticator.authenticate("local", { session: false });
      app.post("/api/token", ask, (_req, res) => res.json({ token: "" }));
    };
    const here = await alice({ routes });
    const body = { username: "alice", password: passwordOf("alice") };
    const answers = await Promise.all(Array.from({ length: 20 }, () => new Jar(here.target).post("/api/token", body)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(await run(here)).toBe(1);
    expect(unfinished(here)).toMatchObject([{ details: { reason: "given-up", count: 10 } }]);
    here.target.clock.advance(HOUR);
    await new Jar(here.target).post("/api/token", body);
    await full(here.target, "alice", here.phone);
    expect(await run(here)).toBe(0);
  });

  test("is not told of where it was finished", async () => {
    const here = await alice();
    await full(here.target, "alice", here.phone);
    here.target.clock.advance(11 * MINUTE);
    expect(await run(here)).toBe(0);
  });

  test("is not told of where its owner began anew at the same place and finished that", async () => {
    const here = await alice();
    await (await pending(here.target, "alice")).post("/2fa/cancel");
    await pending(here.target, "alice");
    await full(here.target, "alice", here.phone);
    here.target.clock.advance(11 * MINUTE);
    expect(await run(here)).toBe(0);
  });

  test("is told of where its owner signs in somewhere else meanwhile", async () => {
    const here = await alice();
    await stranger(here);
    await full(here.target, "alice", here.phone);
    here.target.clock.advance(11 * MINUTE);
    expect(await run(here)).toBe(1);
  });

  test("is told of where the stranger turned away from it: that is no way to keep it quiet", async () => {
    const here = await alice();
    await (await stranger(here)).post("/2fa/cancel");
    here.target.clock.advance(11 * MINUTE);
    expect(await run(here)).toBe(1);
  });

  test("is told of at most once an hour, with all that came since", async () => {
    const here = await alice();
    for (let round = 0; round < 4; round += 1) {
      await stranger(here);
      here.target.clock.advance(11 * MINUTE);
      await run(here);
    }
    expect(unfinished(here)).toHaveLength(1);
    here.target.clock.advance(HOUR);
    await run(here);
    expect(unfinished(here).map(({ details }) => details.count)).toEqual([1, 3]);
    here.target.clock.advance(HOUR);
    expect(await run(here)).toBe(0);
  });

  test("is told of once, however many strangers there were: the record does not grow with them", async () => {
    const here = await alice();
    for (let count = 0; count < 15; count += 1) await stranger(here);
    here.target.clock.advance(11 * MINUTE);
    expect(await run(here)).toBe(1);
    expect(unfinished(here)).toMatchObject([{ details: { count: 10 } }]);
  });

  test("is told of once by thirty runs at the same time in two processes", async () => {
    const notices: Notice[] = [];
    const notify = (notice: Notice): void => void notices.push(notice);
    const servers = twoServers({ store: memoryStore(), options: { notify } });
    const [target] = servers;
    await enrolled(target, "alice");
    await stranger({ target });
    target.clock.advance(11 * MINUTE);
    const runs = await Promise.all(Array.from({ length: 30 }, (_each, index) => servers[index % 2]!.mfa.runDue()));
    await new Promise((resolve) => setImmediate(resolve));
    expect(runs.reduce((sum, done) => sum + done)).toBe(1);
    expect(unfinished({ notices })).toHaveLength(1);
  });

  test("is told of after a restart, by whichever process looks", async () => {
    const { target } = await alice();
    await stranger({ target });
    const notices: Notice[] = [];
    const { clock, store } = target;
    const restarted = noticing(notices, { clock, store });
    clock.advance(11 * MINUTE);
    expect(await run({ target: restarted })).toBe(1);
    expect(unfinished({ notices })).toHaveLength(1);
  });

  test("is told of by a timer of the process where no job asks", async () => {
    const here = await alice();
    jest.useFakeTimers({ doNotFake: ["nextTick", "setImmediate", "queueMicrotask", "performance"] });
    try {
      await stranger(here);
      here.target.clock.advance(11 * MINUTE);
      await jest.advanceTimersByTimeAsync(11 * MINUTE);
      await new Promise((resolve) => setImmediate(resolve));
      expect(unfinished(here)).toHaveLength(1);
    } finally {
      jest.useRealTimers();
    }
  });

  test("is not waited for where nobody is told: nothing is written", async () => {
    const target = testApp();
    await enrolled(target, "alice");
    const before = await target.store.read("account:u1");
    await pending(target, "alice");
    expect(await target.store.read("account:u1")).toEqual(before);
    expect(await target.store.read("due:u1")).toBeUndefined();
    expect(await target.mfa.runDue()).toBe(0);
  });

  test("leaves no entry behind in the store once that is settled", async () => {
    const here = await alice();
    await stranger(here);
    expect(await here.target.store.read("due:u1")).toBeDefined();
    here.target.clock.advance(11 * MINUTE);
    await run(here);
    expect(await here.target.store.read("due:u1")).toBeUndefined();
  });

  test("is told of once the next stranger comes, where nobody looked for days and ten of them fill the record", async () => {
    const here = await alice();
    for (let count = 0; count < 10; count += 1) await stranger(here);
    const { clock, store } = here.target;
    clock.advance(2 * DAY);
    const restarted = noticing(here.notices, { clock, store });
    expect(await run({ target: restarted })).toBe(0);
    await stranger({ target: restarted });
    expect(await run({ target: restarted })).toBe(1);
    expect(unfinished(here)).toMatchObject([{ details: { count: 10 } }]);
  });

  test("is told of, and not in a year, where the clock was a year ahead when it was made", async () => {
    const here = await alice();
    here.target.clock.advance(365 * DAY);
    await stranger(here);
    here.target.clock.advance(-365 * DAY);
    expect(await run(here)).toBe(1);
    expect(await run(here)).toBe(0);
  });

  test("is known to the process that saw it, where the store cannot list", async () => {
    const here = await alice({ store: faultyStore() });
    await stranger(here);
    here.target.clock.advance(11 * MINUTE);
    expect(await run(here)).toBe(1);
  });

  test("keeps nobody out where it cannot be written down", async () => {
    const store = faultyStore();
    const here = await alice({ store });
    const jar = new Jar(here.target);
    store.fail("write", REJECTS);
    expect((await jar.login("alice")).body.code).toBe("second-factor-required");
    store.heal();
    expect((await jar.verify(here.phone.code(here.target.clock()))).status).toBe(200);
  });
});

describe("runDue", () => {
  test("rejects where the store is silent", async () => {
    const store = faultyStore();
    const here = await alice({ store, options: { storeTimeout: "50ms" } });
    await stranger(here);
    store.fail("read", HANGS);
    await expect(here.target.mfa.runDue()).rejects.toBeInstanceOf(UnavailableError);
  });

  test("goes on where one account cannot be read, and that is told of", async () => {
    const here = await alice();
    await here.target.store.write("account:broken", "{", { expect: null });
    await here.target.store.write("due:broken", "1", { expect: null });
    await stranger(here);
    here.target.clock.advance(11 * MINUTE);
    expect(await run(here)).toBe(1);
    expect(here.target.errors).toMatchObject([{ place: "store", userId: "broken" }]);
  });

  test("forgets what an erased account waited for", async () => {
    const here = await alice();
    await stranger(here);
    await here.target.mfa.accounts.erase("u1");
    here.target.clock.advance(11 * MINUTE);
    expect(await run(here)).toBe(0);
    expect(unfinished(here)).toEqual([]);
  });
});
