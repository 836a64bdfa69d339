import { describe, expect, jest, test } from "@jest/globals";
import type { RequestHandler } from "express";
import { cookies, copyOf, HOUR, SESSION_COOKIE, STEP, trusted } from "../support/attack.js";
import { passwordOf, testApp, type TestApp, type TestAppOptions } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { sessionLine } from "../support/cookies.js";

function idOf(jar: Jar): string {
  return cookies(jar)[SESSION_COOKIE] ?? "none";
}

/** The key of its row in the session store. */
function rowOf(jar: Jar): string {
  return decodeURIComponent(idOf(jar)).slice(2).split(".")[0]!;
}

/** All rows of the session store, as they lie there. */
function rows({ sessionStore }: TestApp): Record<string, string> {
  return { ...(sessionStore as unknown as { sessions: Record<string, string> }).sessions };
}

/** What a slow request does that read its session before and writes it back after. */
function writeBack({ sessionStore }: TestApp, saved: Record<string, string>): void {
  Object.assign((sessionStore as unknown as { sessions: object }).sessions, saved);
}

const keepVisit: RequestHandler = (req, res) => {
  const kept = req.session as unknown as { visits?: number };
  kept.visits = (kept.visits ?? 0) + 1;
  res.json({ visits: kept.visits });
};

describe("the session's id", () => {
  test("changes at the first step, at the second and at each step-up, and every older one is dead", async () => {
    const target = testApp({ routes: (app) => app.get("/visit", keepVisit) });
    const { phone } = await enrolled(target, "alice");
    const jar = new Jar(target);
    await jar.get("/visit");
    const stages = [copyOf(jar)];
    await jar.login("alice");
    stages.push(copyOf(jar));
    await jar.verify(phone.code(target.clock()));
    stages.push(copyOf(jar));
    target.clock.advance(STEP);
    await jar.verify(phone.code(target.clock()));
    expect(new Set([...stages, jar].map(idOf)).size).toBe(4);
    expect(await jar.isIn()).toBe(true);
    for (const old of stages) {
      expect((await old.get("/")).body).toMatchObject({ user: null, status: "anonymous" });
      expect((await old.get("/2fa")).body.code).toBe("login-required");
    }
    const left = Object.keys(rows(target));
    expect([...stages, jar].map((each) => left.includes(rowOf(each)))).toEqual([false, false, false, true]);
  });

  test("changes when a factor is set up, and when other sessions are ended", async () => {
    const target = testApp();
    const jar = await pending(target, "alice");
    const before = idOf(jar);
    await jar.enroll();
    const enrolledAs = idOf(jar);
    await jar.post("/2fa/sessions/revoke-others");
    expect(new Set([before, enrolledAs, idOf(jar)]).size).toBe(3);
    expect(await jar.isIn()).toBe(true);
  });

  test("stays at a wrong code", async () => {
    const target = testApp();
    await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    const answer = await jar.verify("000000");
    expect(sessionLine(answer)).toBeUndefined();
  });
});

describe("what the application keeps in the session", () => {
  const app: TestAppOptions = {
    options: { exempt: ["/login", "/basket"] },
    before: (express) =>
      express.all("/basket", (req, res) => {
        const kept = req.session as unknown as { basket?: unknown };
        if (req.method === "POST") kept.basket = req.body as unknown;
        res.json({ basket: kept.basket ?? null });
      }),
  };

  test("is there after the second step, and after a step-up", async () => {
    const target = testApp(app);
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    await jar.post("/basket", { apples: [1, { two: "three" }] });
    for (let count = 0; count < 2; count += 1) {
      await jar.verify(phone.code(target.clock()));
      target.clock.advance(STEP);
      expect((await jar.get("/basket")).body).toEqual({ basket: { apples: [1, { two: "three" }] } });
    }
  });

  test("is there after an enrollment", async () => {
    const jar = await pending(testApp(app), "alice");
    await jar.post("/basket", { pears: 2 });
    await jar.enroll();
    expect((await jar.get("/basket")).body).toEqual({ basket: { pears: 2 } });
  });

  test("goes at the first step, as Passport has it, unless the login says keepSessionInfo", async () => {
    const target = testApp({
      ...app,
      options: { exempt: ["/basket", "/keeping"] },
      routes: (express, _mfa, authenticator) =>
        express.post("/keeping", authenticator.authenticate("local", { keepSessionInfo: true, successRedirect: "/" })),
    });
    const { phone } = await enrolled(target, "alice");
    const jar = new Jar(target);
    await jar.post("/basket", { plums: 3 });
    await jar.post("/keeping", { username: "alice", password: passwordOf("alice") });
    expect((await jar.get("/basket")).body).toEqual({ basket: { plums: 3 } });
    expect(await jar.isIn()).toBe(false);
    await jar.verify(phone.code(target.clock()));
    expect((await jar.get("/basket")).body).toEqual({ basket: { plums: 3 } });
    await jar.login("alice");
    expect((await jar.get("/basket")).body).toEqual({ basket: null });
  });
});

describe('"remember me"', () => {
  /** The checkbox beside the password; the body that it came in is gone when the login is complete. */
  const chosen: TestAppOptions = {
    cookie: { maxAge: HOUR },
    options: {
      carry: (req) => ({ days: (req.body as { days?: number }).days ?? 0 }),
      onLogin(req, _user, { carried }) {
        const days = Number(carried.days);
        // null is what express-session takes for "as long as the browser is open".
        req.session.cookie.maxAge = days > 0 ? days * 24 * HOUR : (null as unknown as number);
      },
    },
  };

  async function lineAfter(days: number): Promise<string> {
    const target = testApp(chosen);
    const { phone } = await enrolled(target, "alice");
    const jar = new Jar(target);
    await jar.post("/login", { username: "alice", password: passwordOf("alice"), days });
    return sessionLine(await jar.verify(phone.code(target.clock())))!;
  }

  function secondsOf(line: string): number | undefined {
    const [, expires] = /Expires=([^;]+)/.exec(line) ?? [];
    return expires === undefined ? undefined : (Date.parse(expires) - Date.now()) / 1000;
  }

  test("chosen at the first step is a longer cookie after the second", async () => {
    expect(secondsOf(await lineAfter(30))).toBeGreaterThan(29.9 * 24 * 3600);
  });

  test("chosen after the login was saved is what the store keeps too", async () => {
    const life = 30 * 24 * 3600 * 1000;
    const target = testApp({
      routes(app, _mfa, authenticator) {
        app.post("/login-for-long", authenticator.authenticate("local"), (req, res) => {
          req.session.cookie.maxAge = life;
          res.sendStatus(204);
        });
      },
    });
    const jar = new Jar(target);
    // express-session works a cookie's life out of its end again and again, and loses what the clock goes on meanwhile.
    const stopped = jest.spyOn(Date, "now").mockReturnValue(Date.now());
    const { status } = await jar.post("/login-for-long", { username: "carol", password: passwordOf("carol") });
    stopped.mockRestore();
    expect(status).toBe(204);
    const row = JSON.parse(rows(target)[rowOf(jar)]!) as { cookie: { originalMaxAge: number } };
    expect(row.cookie.originalMaxAge).toBe(life);
  });

  test("not chosen is a cookie of the browser's session after the second, whatever the default is", async () => {
    expect(secondsOf(await lineAfter(0))).toBeUndefined();
  });
});

describe("a login is over", () => {
  const ways: readonly [string, (jar: Jar) => PromiseLike<unknown>][] = [
    ["req.logout", (jar) => jar.post("/logout")],
    ["req.session.destroy", (jar) => jar.post("/destroy")],
  ];
  const app: TestAppOptions = {
    routes: (express) =>
      express.post("/destroy", (req, res, next) => {
        req.session.destroy((error) => {
          if (error) next(error);
          else res.status(204).end();
        });
      }),
  };

  test.each(ways)("in the record as in the session: %s leaves a copy of the session worthless", async (_name, end) => {
    const target = testApp(app);
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    const [copy, saved] = [copyOf(jar), rows(target)];
    await end(jar);
    writeBack(target, saved);
    expect((await copy.get("/2fa")).status).toBe(410);
    writeBack(target, saved);
    expect(await copy.isIn()).toBe(false);
    expect((await copy.get("/")).body).toMatchObject({ user: null, status: "anonymous" });
    expect((await target.mfa.accounts.export("u1")).sessions).toEqual([]);
  });

  test.each(ways)("after %s where it rested on a trusted browser", async (_name, end) => {
    const target = testApp(app);
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    await jar.post("/logout");
    await jar.login("alice");
    const [copy, saved] = [copyOf(jar), rows(target)];
    await end(jar);
    writeBack(target, saved);
    expect(await copy.isIn()).toBe(false);
  });

  test.each(ways)("after %s where its user has no second factor", async (_name, end) => {
    const target = testApp(app);
    const jar = await pending(target, "carol");
    const [copy, saved] = [copyOf(jar), rows(target)];
    await end(jar);
    writeBack(target, saved);
    expect(await copy.isIn()).toBe(false);
  });

  test("however many logins of its user ended after it", async () => {
    const target = testApp();
    const jar = await pending(target, "carol");
    const [copy, saved] = [copyOf(jar), rows(target)];
    await jar.post("/logout");
    for (let login = 0; login < 30; login += 1) await (await pending(target, "carol")).post("/logout");
    writeBack(target, saved);
    expect(await copy.isIn()).toBe(false);
  });

  test("also where the application moves what the session holds to a new id, above the middleware", async () => {
    let moves = false;
    const move: RequestHandler = (req, _res, next) => {
      const { cookie: _old, ...kept } = req.session;
      if (!moves) next();
      else {
        req.session.regenerate((error) => {
          Object.assign(req.session, kept);
          next(error);
        });
      }
    };
    const target = testApp({ before: (each) => each.use(move) });
    const [ended, other] = [await pending(target, "carol"), await pending(target, "dave")];
    await target.mfa.accounts.signOutEverywhere("u3");
    moves = true;
    expect([await ended.isIn(), await other.isIn()]).toEqual([false, true]);
  });

  test("that was pending and turned away: a right code opens no copy of it", async () => {
    const target = testApp(app);
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    const [copy, saved] = [copyOf(jar), rows(target)];
    await jar.post("/2fa/cancel");
    writeBack(target, saved);
    expect((await copy.verify(phone.code(target.clock()))).status).toBe(410);
    expect(await copy.isIn()).toBe(false);
  });

  test("in the session of before a step-up, when it is written back", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    const [copy, saved] = [copyOf(jar), rows(target)];
    await jar.verify(phone.code(target.clock()));
    writeBack(target, saved);
    expect([await copy.isIn(), await jar.isIn()]).toEqual([false, true]);
  });

  test.each(ways)("of that browser only: %s leaves the others", async (_name, end) => {
    const target = testApp(app);
    const { phone } = await enrolled(target, "alice");
    const [one, other] = [await full(target, "alice", phone), await full(target, "alice", phone)];
    await end(one);
    expect([await one.isIn(), await other.isIn()]).toEqual([false, true]);
  });

  test.each(ways)("and told of: %s", async (_name, end) => {
    const target = testApp(app);
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    await end(jar);
    expect(target.events.at(-1)).toMatchObject({ action: "signed-out", userId: "u1", outcome: "success" });
  });

  test("in the request itself: the user is gone after req.logout", async () => {
    const target = testApp({
      routes: (express) =>
        express.post("/leave", (req, res, next) => {
          req.logout((error) => {
            if (error) next(error);
            else res.json({ user: req.user ?? null, status: req.secondFactor.status, isIn: req.isAuthenticated() });
          });
        }),
    });
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    expect((await jar.post("/leave")).body).toEqual({ user: null, status: "anonymous", isIn: false });
  });
});

describe("a session row made up by hand", () => {
  test("with a second step that the account does not list is worth nothing", async () => {
    const target = testApp();
    await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    const row = JSON.parse(rows(target)[rowOf(jar)]!) as { secondFactor: string };
    expect(row.secondFactor).toMatch(/^0\|.+\{"pending":true/);
    for (const text of [row.secondFactor, row.secondFactor.replace(/\{.*$/, "")]) {
      const forged = { ...row, secondFactor: text.replace(/^0/, "1") };
      writeBack(target, { [rowOf(jar)]: JSON.stringify(forged) });
      expect(await jar.isIn()).toBe(false);
    }
  });

  test("with another user's mark is a login nobody marked: the second factor is due", async () => {
    const target = testApp();
    const [alice] = [await enrolled(target, "alice"), await enrolled(target, "mallory")];
    const jar = await full(target, "alice", alice.phone);
    const row = JSON.parse(rows(target)[rowOf(jar)]!) as { passport: object };
    writeBack(target, { [rowOf(jar)]: JSON.stringify({ ...row, passport: { user: "u2" } }) });
    expect((await jar.get("/2fa")).body.status).toBe("pending");
    expect(await jar.isIn()).toBe(false);
  });

  test("from before this middleware is adopted: let in without a second factor, asked for it with one", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    for (const [name, isIn] of [
      ["carol", true],
      ["alice", false],
    ] as const) {
      const jar = await pending(target, name);
      const row = JSON.parse(rows(target)[rowOf(jar)]!) as { secondFactor?: unknown };
      delete row.secondFactor;
      writeBack(target, { [rowOf(jar)]: JSON.stringify(row) });
      expect([name, await jar.isIn()]).toEqual([name, isIn]);
      if (!isIn) expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
    }
  });
});
