import { describe, expect, jest, test } from "@jest/globals";
import type { Request, RequestHandler } from "express";
import { memoryStore, type Store } from "express-second-factor";
import {
  cookies,
  copyOf,
  countIn,
  deviceCookie,
  dropCookie,
  HOUR,
  MINUTE,
  putCookie,
  SESSION_COOKIE,
  STEP,
  storedAccount,
  trusted,
  twoServers,
} from "../support/attack.js";
import { testApp, type TestApp, type TestAppOptions, userNamed } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { RememberMeStrategy } from "../support/first-factors.js";

const DAY = 24 * HOUR;

interface Listed {
  readonly id: string;
  readonly createdAt: string;
  readonly lastSeenAt: string;
  readonly current: boolean;
}

/** An application that logs in above the middleware: by a route, and by a remember-me cookie. */
const above: TestAppOptions = {
  before: (app, authenticator) => {
    authenticator.use(new RememberMeStrategy());
    app.use(authenticator.authenticate("remember-me"));
    app.post("/above/:name", (req, res, next) => {
      req.logIn(userNamed(req.params.name), (error: unknown) => {
        if (error === undefined || error === null) res.status(204).end();
        else next(error);
      });
    });
  },
};

async function loggedInAbove(target: TestApp, name = "carol"): Promise<Jar> {
  const jar = new Jar(target);
  expect((await jar.post(`/above/${name}`)).status).toBe(204);
  return jar;
}

async function remembered(target: TestApp, name = "carol"): Promise<Jar> {
  const jar = new Jar(target);
  await jar.get("/").set("Cookie", `remember_me=good-for-${name}`);
  return jar;
}

async function sessionsOf({ mfa }: TestApp, id: string): Promise<readonly Listed[]> {
  return (await mfa.accounts.export(id)).sessions;
}

function rows({ sessionStore }: TestApp): Record<string, string> {
  return { ...(sessionStore as unknown as { sessions: Record<string, string> }).sessions };
}

/** What a slow request does that read its session before and writes it back after. */
function writeBack({ sessionStore }: TestApp, saved: Record<string, string>): void {
  Object.assign((sessionStore as unknown as { sessions: object }).sessions, saved);
}

/** The same row, as it would be if it had been touched at another time. */
function touched(saved: Record<string, string>, time: number): Record<string, string> {
  const rowsOf = Object.entries(saved).map(([id, text]) => {
    const row = JSON.parse(text) as { cookie: { originalMaxAge: number; expires: string } };
    const expires = new Date(time + row.cookie.originalMaxAge).toISOString();
    return [id, JSON.stringify({ ...row, cookie: { ...row.cookie, expires } })];
  });
  return Object.fromEntries(rowsOf) as Record<string, string>;
}

function countingStore(): { readonly store: Store; readonly calls: string[] } {
  const [inner, calls] = [memoryStore(), [] as string[]];
  return {
    calls,
    store: {
      ...inner,
      read: (key) => (calls.push(`read ${key}`), inner.read(key)),
      write: (key, value, options) => (calls.push(`write ${key}`), inner.write(key, value, options)),
      remove: (key, options) => inner.remove(key, options),
      useClock: (clock) => inner.useClock?.(clock),
    },
  };
}

const SOON = { name: "written back", by: (saved: Record<string, string>) => saved };
const LATER = {
  name: "written back later",
  by: (saved: Record<string, string>) => touched(saved, Date.now() + MINUTE),
};

describe("a login of a user without a second factor", () => {
  const made: readonly [string, (target: TestApp) => Promise<Jar>][] = [
    ["by req.logIn below the middleware", (target) => pending(target, "carol")],
    ["by a route above it", loggedInAbove],
    ["by a remember-me cookie", remembered],
  ];
  const ends: readonly [string, (target: TestApp, jar: Jar) => PromiseLike<unknown>][] = [
    ["signOutEverywhere", ({ mfa }) => mfa.accounts.signOutEverywhere("u3")],
    ["passwordChanged with signOut", ({ mfa }) => mfa.accounts.passwordChanged("u3", { signOut: true })],
    ["erase", ({ mfa }) => mfa.accounts.erase("u3")],
    ["a logout", (_target, jar) => jar.post("/logout")],
  ];

  describe.each(made)("%s", (_how, make) => {
    test("is listed when it is first seen, once, and stays the same login", async () => {
      const target = testApp(above);
      const jar = await make(target);
      expect(await jar.isIn()).toBe(true);
      const [login] = await sessionsOf(target, "u3");
      expect(login).toMatchObject({ id: expect.stringMatching(/^[\w-]{12,}$/), lastSeenAt: login!.createdAt });
      for (let visit = 0; visit < 3; visit += 1) expect(await jar.isIn()).toBe(true);
      expect(await sessionsOf(target, "u3")).toEqual([login]);
      expect((await jar.get("/2fa/settings")).body.sessions).toMatchObject([{ id: login!.id, current: true }]);
      expect(decodeURIComponent(cookies(jar)[SESSION_COOKIE]!)).not.toContain(login!.id);
    });

    test.each(ends)("is over after %s, and a copy of its session with it", async (_name, end) => {
      const target = testApp(above);
      const jar = await make(target);
      expect(await jar.isIn()).toBe(true);
      const [copy, saved] = [copyOf(jar), rows(target)];
      await end(target, jar);
      expect(await jar.isIn()).toBe(false);
      writeBack(target, saved);
      expect(await copy.isIn()).toBe(false);
      expect(await sessionsOf(target, "u3")).toEqual([]);
    });
  });

  describe.each([SOON, LATER])("whose session from before it was marked is $name", ({ by }) => {
    test.each(ends)("is not seen first again after %s", async (_name, end) => {
      const target = testApp({ ...above, cookie: { maxAge: HOUR } });
      const jar = await loggedInAbove(target);
      const [copy, saved] = [copyOf(jar), rows(target)];
      expect(await jar.isIn()).toBe(true);
      await end(target, jar);
      writeBack(target, by(saved));
      expect(await copy.isIn()).toBe(false);
      expect(await sessionsOf(target, "u3")).toEqual([]);
    });
  });

  test("is not seen first again after any number of other logouts, and its record stays small", async () => {
    const target = testApp({ ...above, cookie: { maxAge: HOUR } });
    const jar = await loggedInAbove(target);
    const [copy, saved] = [copyOf(jar), rows(target)];
    await jar.isIn();
    await jar.post("/logout");
    for (let login = 1; login <= 120; login += 1) {
      await (await pending(target, "carol")).post("/logout");
      if (![1, 21, 99, 101, 120].includes(login)) continue;
      writeBack(target, saved);
      expect([login, await copy.isIn()]).toEqual([login, false]);
    }
    expect((await storedAccount(target, "carol"))!.length).toBeLessThan(8_000);
  });

  test.each([
    ...ends.slice(0, 3),
    ["passwordChanged", ({ mfa }: TestApp) => mfa.accounts.passwordChanged("u3")] as const,
  ])("that was never seen is over after %s, and the next one is not", async (_name, end) => {
    const target = testApp({ ...above, cookie: { maxAge: HOUR } });
    const jar = await loggedInAbove(target);
    await end(target, jar);
    expect(await jar.isIn()).toBe(false);
    expect(await (await loggedInAbove(target)).isIn()).toBe(true);
    expect(await (await remembered(target)).isIn()).toBe(true);
    expect(await (await pending(target, "carol")).isIn()).toBe(true);
  });

  test("that is made by a route above as soon as passwordChanged has resolved is a new one, every time", async () => {
    const target: TestApp = testApp({
      cookie: { maxAge: HOUR },
      before: (app) =>
        app.post("/reset", (req, res, next) => {
          const logIn = (): void =>
            req.logIn(userNamed("carol"), (error: unknown) => {
              if (error === undefined || error === null) res.end();
              else next(error);
            });
          target.mfa.accounts.passwordChanged("u3", { signOut: true }).then(logIn, next);
        }),
    });
    const jars = Array.from({ length: 40 }, () => new Jar(target));
    let isIn = 0;
    for (const jar of jars) {
      await jar.post("/reset");
      isIn += Number(await jar.isIn());
    }
    expect(isIn).toBe(40);
  });

  test("that was never seen is over after a sign-out by a clock five hours ahead; later ones are not, once it was set back", async () => {
    const target = testApp({ ...above, cookie: { maxAge: HOUR } });
    const [jar, other] = [await loggedInAbove(target), await loggedInAbove(target)];
    const present = Date.now;
    const ahead = jest.spyOn(Date, "now").mockImplementation(() => present() + 5 * HOUR);
    await target.mfa.accounts.signOutEverywhere("u3");
    ahead.mockRestore();
    expect(await jar.isIn()).toBe(false);
    expect(await (await loggedInAbove(target)).isIn()).toBe(true);
    expect(await other.isIn()).toBe(false);
  });

  test("that was never seen is over when its user switched the second factor off elsewhere", async () => {
    const target = testApp({ ...above, cookie: { maxAge: HOUR } });
    const { phone } = await enrolled(target, "alice");
    const jar = await loggedInAbove(target, "alice");
    expect((await (await full(target, "alice", phone)).post("/2fa/disable")).status).toBe(204);
    expect(await jar.isIn()).toBe(false);
  });

  test("leaves a record that ends with its last login, or a tenth later: somebody else may have seen that", async () => {
    const target = testApp();
    const jar = await pending(target, "carol");
    expect(await storedAccount(target, "carol")).toBeDefined();
    target.clock.advance(13 * DAY);
    expect(await jar.isIn()).toBe(true);
    target.clock.advance(14 * DAY);
    expect(await jar.isIn()).toBe(false);
    target.clock.advance(1.4 * DAY - 1);
    expect(await storedAccount(target, "carol")).toBeDefined();
    target.clock.advance(1);
    expect(await storedAccount(target, "carol")).toBeUndefined();
  });

  test("is not taken for one with a factor", async () => {
    const target = testApp();
    const jar = await pending(target, "carol");
    expect((await jar.get("/")).body.status).toBe("not-enrolled");
    expect(await target.mfa.accounts.status("u3")).toMatchObject({ enrolled: false, methods: [] });
  });

  test("keeps its id when it sets up a factor, and at every step-up, though its session does not", async () => {
    const target = testApp(above);
    const jar = await loggedInAbove(target);
    await jar.login("carol");
    const [{ id }] = (await sessionsOf(target, "u3")) as [Listed];
    const { phone } = await jar.enroll();
    const before = cookies(jar)[SESSION_COOKIE];
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
    expect(cookies(jar)[SESSION_COOKIE]).not.toBe(before);
    expect(await sessionsOf(target, "u3")).toMatchObject([{ id }]);
    expect((await jar.get("/2fa/settings")).body.sessions).toMatchObject([{ id, current: true }]);
  });

  test("is asked for a factor that was set up for its user meanwhile, and over when that is not given in time", async () => {
    const target = testApp();
    const [one, late] = [await pending(target, "carol"), await pending(target, "carol")];
    await target.mfa.accounts.importTotp("u3", { secret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJR" });
    expect((await one.get("/account")).body.code).toBe("second-factor-required");
    target.clock.advance(11 * MINUTE);
    expect((await one.get("/2fa")).status).toBe(410);
    expect((await late.get("/account")).body.code).toBe("second-factor-required");
    target.clock.advance(11 * MINUTE);
    expect((await late.get("/2fa")).status).toBe(410);
    expect(await countIn([one, late])).toBe(0);
  });
});

describe("many first requests at once", () => {
  test.each(["memory", "a distant store, on two servers"])("are one login (%s)", async (where) => {
    const servers = where === "memory" ? [testApp(above)] : twoServers(above);
    const jar = await loggedInAbove(servers[0]);
    const copies = Array.from({ length: 10 }, (_none, index) =>
      copyOf(jar, [SESSION_COOKIE], servers[index % servers.length]),
    );
    expect(await countIn(copies)).toBe(10);
    expect(await sessionsOf(servers[0], "u3")).toHaveLength(1);
    await copies[3]!.post("/logout");
    expect(await countIn([jar, ...copies])).toBe(0);
  });
});

describe("a first request in a trusted browser", () => {
  async function restarted(
    hold: NonNullable<TestAppOptions["before"]> = () => undefined,
  ): Promise<{ target: TestApp; jar: Jar }> {
    const target = testApp({
      before: (app, authenticator) => {
        hold(app, authenticator);
        above.before?.(app, authenticator);
      },
    });
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    dropCookie(jar, SESSION_COOKIE);
    return { target, jar };
  }

  test("by a remember-me cookie is let in at once, and so are those that follow", async () => {
    const { jar } = await restarted();
    putCookie(jar, "remember_me", "good-for-alice");
    for (let visit = 0; visit < 2; visit += 1) {
      expect((await jar.get("/")).body).toMatchObject({ user: { name: "alice" }, status: "trusted-device" });
    }
  });

  test("beside others of its session is let in as they are, as one login, which a logout ends", async () => {
    const waiting: (() => void)[] = [];
    // All have read their session before the first goes on.
    const together: RequestHandler = (_req, _res, next) => {
      if (waiting.push(next) === 6) for (const goOn of waiting) goOn();
    };
    const { target, jar } = await restarted((app) => app.use("/api/data", together));
    await jar.post("/above/alice");
    const names = [SESSION_COOKIE, deviceCookie(jar)[0]];
    const copies = Array.from({ length: 6 }, () => copyOf(jar, names));
    const before = (await sessionsOf(target, "u1")).length;
    expect(await Promise.all(copies.map((copy) => copy.isIn("/api/data")))).toEqual(Array(6).fill(true));
    expect(await sessionsOf(target, "u1")).toHaveLength(before + 1);
    await copies[2]!.post("/logout");
    expect(await countIn(copies)).toBe(0);
  });

  test("is nobody's any more without the browser's cookie, whatever exempts it", async () => {
    const policy = (_user: unknown, req: Request) => (req.get("x-office") === undefined ? "optional" : "exempt");
    const target = testApp({ ...above, options: { policy } });
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    await jar.post("/above/alice");
    const [exempted, late, saved] = [copyOf(jar), copyOf(jar), rows(target)];
    expect(await jar.isIn()).toBe(true);
    writeBack(target, saved);
    expect((await exempted.get("/account").set("X-Office", "1")).status).toBe(401);
    writeBack(target, saved);
    expect((await late.get("/account")).body.code).toBe("second-factor-required");
    expect(await jar.isIn()).toBe(true);
  });
});

describe("what recording costs", () => {
  test("is one write at the first sight, one when it is used again, and a read from then on", async () => {
    const { store, calls } = countingStore();
    const target = testApp({ ...above, store });
    const jar = await loggedInAbove(target);
    await jar.isIn();
    expect(calls).toEqual(["read account:u3", "write account:u3"]);
    calls.length = 0;
    for (let visit = 0; visit < 3; visit += 1) await jar.isIn();
    expect(calls).toEqual(["read account:u3", "write account:u3", "read account:u3", "read account:u3"]);
  });

  test("is one write at req.logIn, and one when it is used", async () => {
    const { store, calls } = countingStore();
    const target = testApp({ store });
    const jar = await pending(target, "carol");
    expect(calls).toEqual(["read account:u3", "write account:u3"]);
    calls.length = 0;
    for (let visit = 0; visit < 2; visit += 1) await jar.isIn();
    expect(calls).toEqual(["read account:u3", "write account:u3", "read account:u3"]);
  });

  test("is nothing for logins that are one request's alone, and for those that are pending", async () => {
    const { store, calls } = countingStore();
    const target = testApp({
      store,
      before: (app, authenticator) => {
        app.use("/api", (req, _res, next) => {
          req.user = userNamed(req.get("x-user") ?? "carol");
          next();
        });
        app.post("/once-above", authenticator.authenticate("local", { session: false }), (_req, _res, next) => next());
      },
      routes: (app, _mfa, authenticator) => {
        app.post("/once", authenticator.authenticate("local", { session: false }), (req, res) => res.json(req.user));
        app.post("/once-above", (req, res) => res.json(req.user));
      },
    });
    const jar = new Jar(target);
    for (const path of ["/once", "/once-above"]) {
      expect((await jar.post(path, { username: "carol", password: "carol-password" })).status).toBe(200);
    }
    expect((await jar.get("/api/data")).status).toBe(200);
    expect(calls.filter((call) => call.startsWith("write"))).toEqual([]);
    await enrolled(target, "alice");
    const before = await storedAccount(target, "alice");
    await pending(target, "alice");
    expect(await storedAccount(target, "alice")).toBe(before);
  });

  test("keeps out, and loses nothing, while the store takes no writes", async () => {
    const inner = memoryStore();
    let isDown = true;
    const store: Store = {
      read: (key) => inner.read(key),
      write: (key, value, options) =>
        isDown ? Promise.reject(new Error("read only")) : inner.write(key, value, options),
      remove: (key, options) => inner.remove(key, options),
    };
    const target = testApp({ ...above, store });
    const jar = await loggedInAbove(target);
    expect((await jar.get("/account")).status).toBe(503);
    expect((await jar.login("carol")).status).toBe(503);
    isDown = false;
    const other = await loggedInAbove(target);
    expect(await other.isIn()).toBe(true);
    isDown = true;
    target.clock.advance(2 * DAY);
    expect(await other.isIn()).toBe(true);
  });
});

describe("a login lasts as long as its session", () => {
  test("for two weeks since it was last seen where the cookie does not say, and is over then", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    for (let visit = 0; visit < 3; visit += 1) {
      target.clock.advance(13 * DAY);
      expect(await jar.isIn()).toBe(true);
    }
    const other = await full(target, "alice", phone);
    target.clock.advance(14 * DAY);
    expect(await sessionsOf(target, "u1")).toEqual([]);
    expect([await jar.isIn(), await other.isIn()]).toEqual([false, false]);
    expect((await jar.get("/")).body.status).toBe("anonymous");
  });

  test.each([
    ["with a second factor", "alice"],
    ["without one", "carol"],
  ])("for its cookie's life since it was last seen (%s)", async (_which, name) => {
    const target = testApp({ cookie: { maxAge: HOUR } });
    const { id } = userNamed(name);
    const { phone } = await enrolled(target, "alice");
    const signIn = (): Promise<Jar> => (name === "alice" ? full(target, name, phone) : pending(target, name));
    const [used, unused] = [await signIn(), await signIn()];
    for (let visit = 0; visit < 4; visit += 1) {
      target.clock.advance(30 * MINUTE);
      expect(await used.isIn()).toBe(true);
    }
    expect(await sessionsOf(target, id)).toHaveLength(1);
    expect(await unused.isIn()).toBe(false);
  });

  test('for as long as "remember me" says, also where that is said after the login', async () => {
    const target = testApp({
      cookie: { maxAge: HOUR },
      routes: (app, _mfa, authenticator) =>
        app.post("/long", authenticator.authenticate("local"), (req, res) => {
          req.session.cookie.maxAge = 30 * DAY;
          res.status(204).end();
        }),
    });
    const jar = new Jar(target);
    await jar.post("/long", { username: "carol", password: "carol-password" });
    expect(await jar.isIn()).toBe(true);
    target.clock.advance(29 * DAY);
    expect(await jar.isIn()).toBe(true);
  });

  test("since it was last seen, and not since that was last written down", async () => {
    const target = testApp({ cookie: { maxAge: HOUR } });
    const jar = await pending(target, "carol");
    target.clock.advance(5 * MINUTE);
    expect(await jar.isIn()).toBe(true);
    await pending(target, "carol");
    target.clock.advance(56 * MINUTE);
    expect(await sessionsOf(target, "u3")).toHaveLength(2);
    await pending(target, "carol");
    expect(await jar.isIn()).toBe(true);
    target.clock.advance(HOUR);
    expect(await jar.isIn()).toBe(false);
  });

  test("through whatever server it was seen", async () => {
    const [one, other] = twoServers({ store: memoryStore(), cookie: { maxAge: HOUR } });
    const jar = await pending(one, "carol");
    expect(await jar.isIn()).toBe(true);
    one.clock.advance(5 * MINUTE);
    expect(await jar.isIn()).toBe(true);
    const there = copyOf(jar, [SESSION_COOKIE], other);
    one.clock.advance(59 * MINUTE);
    expect(await there.isIn()).toBe(true);
  });

  test("that it was seen is written after a tenth of its life, and not before", async () => {
    const { store, calls } = countingStore();
    const target = testApp({ store });
    const jar = await pending(target, "carol");
    const at = new Date(target.clock()).toISOString();
    await jar.isIn();
    calls.length = 0;
    for (let hour = 0; hour < 23; hour += 1) {
      target.clock.advance(HOUR);
      await jar.isIn();
    }
    expect(calls.filter((call) => call.startsWith("write"))).toEqual([]);
    expect(await sessionsOf(target, "u3")).toMatchObject([{ createdAt: at, lastSeenAt: at }]);
    target.clock.advance(DAY);
    await Promise.all([jar.isIn(), jar.isIn(), jar.isIn()]);
    expect(calls.filter((call) => call.startsWith("write")).length).toBeGreaterThan(0);
    const seen = new Date(target.clock()).toISOString();
    expect(await sessionsOf(target, "u3")).toMatchObject([{ createdAt: at, lastSeenAt: seen }]);
    calls.length = 0;
    await jar.isIn();
    expect(calls).toEqual(["read account:u3"]);
  });
});

test("a session that the application drops leaves no login that reads as the present one, and none for longer than it lasted", async () => {
  const target = testApp({
    cookie: { maxAge: HOUR },
    routes: (app) =>
      app.post("/drop", (req, res) => {
        (req as { session: unknown }).session = null;
        res.status(204).end();
      }),
  });
  const jar = await pending(target, "carol");
  expect((await jar.post("/drop")).status).toBe(204);
  const other = await pending(target, "carol");
  const list = (await other.get("/2fa/settings")).body.sessions as readonly Listed[];
  expect(list.map(({ current }) => current)).toEqual([true, false]);
  target.clock.advance(59 * MINUTE);
  await other.isIn();
  target.clock.advance(MINUTE);
  expect((await other.get("/2fa/settings")).body.sessions).toMatchObject([{ current: true }]);
});

describe("more than fifty logins", () => {
  async function crowd(target: TestApp, count: number): Promise<Jar[]> {
    const jars: Jar[] = [];
    for (let login = 0; login < count; login += 1) jars.push(await pending(target, "carol"));
    return jars;
  }

  test("push out those nobody came back to, not the one in use; an event and a line tell of it", async () => {
    const target = testApp();
    const [first] = (await crowd(target, 1)) as [Jar];
    expect(await first.isIn()).toBe(true);
    const jars = await crowd(target, 51);
    expect(await sessionsOf(target, "u3")).toHaveLength(50);
    expect(await first.isIn()).toBe(true);
    expect(await countIn(jars.slice(0, 3))).toBe(1);
    expect(await jars.at(-1)!.isIn()).toBe(true);
    expect(target.events.filter(({ action }) => action === "session-displaced")).toHaveLength(2);
    const { activity } = (await first.get("/2fa/settings")).body as { activity: object[] };
    expect(activity).toMatchObject([{ action: "session-displaced", count: 2 }]);
  });

  test("push out the one seen longest ago where all are in use", async () => {
    const target = testApp();
    const jars = await crowd(target, 50);
    for (const jar of [...jars, jars[0]!]) {
      target.clock.advance(1000);
      expect(await jar.isIn()).toBe(true);
    }
    await crowd(target, 1);
    expect(await countIn([jars[1]!])).toBe(0);
    expect(await countIn(jars)).toBe(49);
  });

  test("push out none that is in use on another server", async () => {
    const [one, other] = twoServers({ store: memoryStore() });
    const jars = await crowd(one, 49);
    expect(await countIn(jars.slice(0, 10))).toBe(10);
    await crowd(other, 11);
    expect(await countIn(jars.slice(0, 10))).toBe(10);
    expect(await countIn(jars)).toBe(39);
  });

  test("are no reason to refuse new ones of a client that keeps no cookies, however many came before", async () => {
    const target = testApp({ ...above, cookie: { maxAge: HOUR } });
    let refused = 0;
    for (let round = 0; round < 20; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => new Jar(target).get("/account").set("Cookie", "remember_me=good-for-carol")),
      );
      refused += answers.filter(({ status }) => status !== 200).length;
    }
    expect(refused).toBe(0);
  });

  test("push out none that was used before, however few there were then, where others are made on another server", async () => {
    const [one, other] = twoServers({ store: memoryStore() });
    const [used, unused] = (await crowd(one, 2)) as [Jar, Jar];
    expect(await used.isIn()).toBe(true);
    one.clock.advance(MINUTE);
    await crowd(other, 50);
    expect([await used.isIn(), await unused.isIn()]).toEqual([true, false]);
  });

  test("are none where pending ones come: these are not listed, and push nobody out", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    const waiting: Jar[] = [];
    for (let login = 0; login < 55; login += 1) waiting.push(await pending(target, "alice"));
    for (const each of waiting.slice(0, 30)) await each.post("/2fa/cancel");
    expect(await sessionsOf(target, "u1")).toHaveLength(1);
    expect(await jar.isIn()).toBe(true);
    expect((await waiting.at(-1)!.verify(phone.code(target.clock()))).status).toBe(200);
    expect(await sessionsOf(target, "u1")).toHaveLength(2);
  });
});

describe("what is no login any more", () => {
  test("is not listed: one that rested on a trusted browser which is trusted no more", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const owner = await full(target, "alice", phone);
    const jar = new Jar(target);
    await jar.login("alice");
    await jar.verify(phone.code(target.clock()), { trustDevice: true });
    await jar.post("/logout");
    await jar.login("alice");
    expect(await sessionsOf(target, "u1")).toHaveLength(2);
    await owner.post("/2fa/devices/revoke-all");
    expect(await sessionsOf(target, "u1")).toHaveLength(1);
    expect(await jar.isIn()).toBe(false);
  });

  test("is a pending login that was turned away, for as long as it could have lasted", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    const [copy, saved] = [copyOf(jar), rows(target)];
    await jar.post("/2fa/cancel");
    for (let other = 0; other < 40; other += 1) await (await pending(target, "alice")).post("/2fa/cancel");
    writeBack(target, saved);
    expect((await copy.verify(phone.code(target.clock()))).status).toBe(410);
    target.clock.advance(10 * MINUTE);
    await (await pending(target, "alice")).post("/2fa/cancel");
    const { endedLogins } = JSON.parse((await storedAccount(target, "alice"))!) as { endedLogins: object[] };
    expect(endedLogins.length).toBeLessThan(5);
  });
});

describe("an application that moves what a session holds to a new id, above the middleware", () => {
  const move: RequestHandler = (req, _res, next) => {
    const { cookie: _old, ...kept } = req.session;
    req.session.regenerate((error) => {
      Object.assign(req.session, kept);
      next(error);
    });
  };

  test("keeps one login, which a logout ends", async () => {
    const target = testApp({ before: (app) => app.use(move) });
    const jar = await pending(target, "carol");
    for (let visit = 0; visit < 5; visit += 1) expect(await jar.isIn()).toBe(true);
    expect(await sessionsOf(target, "u3")).toHaveLength(1);
    await jar.post("/logout");
    expect(await sessionsOf(target, "u3")).toEqual([]);
    expect(await jar.isIn()).toBe(false);
  });
});

test("in report mode everything is recorded and nothing refused", async () => {
  const target = testApp({ ...above, options: { enforce: "report" }, cookie: { maxAge: HOUR } });
  const jar = await loggedInAbove(target);
  const [copy, saved] = [copyOf(jar), rows(target)];
  expect(await jar.isIn()).toBe(true);
  expect(await sessionsOf(target, "u3")).toHaveLength(1);
  await target.mfa.accounts.signOutEverywhere("u3");
  writeBack(target, saved);
  expect([await jar.isIn(), await copy.isIn()]).toEqual([true, true]);
  expect(target.events.map(({ action }) => action)).toContain("would-block");
});

test("in report mode a login that cannot be listed goes on all the same", async () => {
  const inner = memoryStore();
  const store: Store = {
    ...inner,
    read: (key) => inner.read(key),
    write: () => Promise.reject(new Error("read only")),
    remove: async () => false,
  };
  const target = testApp({ ...above, store, options: { enforce: "report" } });
  expect(await (await loggedInAbove(target)).isIn()).toBe(true);
  expect(await (await pending(target, "carol")).isIn()).toBe(true);
});

test("req.secondFactor follows the account: what was removed is neither a method nor enrolled", async () => {
  const target = testApp({
    routes: (app) =>
      app.get("/state", (req, res) => {
        const { aal, amr, enrolled: has, methods, phishingResistant, status } = req.secondFactor;
        res.json({ aal, amr, enrolled: has, methods, phishingResistant, status });
      }),
  });
  const { phone, factorId } = await enrolled(target, "alice");
  const jar = await full(target, "alice", phone);
  const state = async (): Promise<unknown> => (await jar.get("/state")).body;
  expect(await state()).toMatchObject({
    methods: ["totp", "backup-code"],
    enrolled: true,
    amr: ["otp", "mfa"],
    aal: 2,
  });
  target.clock.advance(STEP);
  expect((await jar.post(`/2fa/factors/${factorId}/remove`)).status).toBe(204);
  expect(await state()).toEqual({
    aal: 1,
    amr: [],
    enrolled: false,
    methods: [],
    phishingResistant: false,
    status: "not-enrolled",
  });
});

test("a session whose cookie tells no time is over once it was seen, and not before: a new one looks just like it", async () => {
  const target = testApp(above);
  const jar = await loggedInAbove(target);
  await target.mfa.accounts.signOutEverywhere("u3");
  expect(await jar.isIn()).toBe(true);
  await target.mfa.accounts.signOutEverywhere("u3");
  expect(await jar.isIn()).toBe(false);
});
