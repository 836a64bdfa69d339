import { describe, expect, test } from "@jest/globals";
import type { Request } from "express";
import { copyOf, deviceCookie, MINUTE, putCookie, SESSION_COOKIE, trusted, twoServers } from "../support/attack.js";
import type { TestApp } from "../support/app.js";
import { deviceLine } from "../support/cookies.js";
import { type Enrolled, enrolled, full, Jar, pending } from "../support/browser.js";
import { HeaderStrategy } from "../support/first-factors.js";
import type { Response } from "supertest";
import { expectProblem } from "../support/problems.js";
import { UV } from "../passkeys/lies.js";
import { answerWith, holder, passwordless, passwordlessApp } from "../passkeys/stage.js";
import { above, held, loggedInAbove, loginWith, toldApp, type Told } from "./stage.js";

/** alice with an authenticator app, nobody told yet of what went before. */
async function alice(told: Told): Promise<Enrolled> {
  const factor = await enrolled(told.target, "alice");
  told.calls.length = 0;
  return factor;
}

const ways: readonly [string, (told: Told, factor: Enrolled) => Promise<Jar>, object | undefined][] = [
  ["a code", ({ target }, { phone }) => full(target, "alice", phone), { type: "totp" }],
  [
    "a backup code",
    async ({ target }, { backupCodes }) => {
      const jar = await pending(target, "alice");
      await jar.post("/2fa/backup-code", { code: backupCodes[0] });
      return jar;
    },
    { type: "backup-code" },
  ],
  [
    "a strategy on a route of the application's",
    async ({ target }, { phone }) => {
      const jar = await pending(target, "alice");
      await jar.post("/otp", { code: phone.code(target.clock()) });
      return jar;
    },
    { type: "totp" },
  ],
  [
    "one form with password and code",
    async ({ target }, { phone }) => {
      const jar = new Jar(target);
      await loginWith(jar, "alice", { code: phone.code(target.clock()) }, "/one-form");
      return jar;
    },
    { type: "totp" },
  ],
  [
    "a form of a page",
    async ({ target }, { phone }) => {
      const jar = await pending(target, "alice");
      await jar.form("/2fa/totp", { code: phone.code(target.clock()) });
      return jar;
    },
    { type: "totp" },
  ],
];

function actionsOf({ events }: TestApp, prefix: string): string[] {
  return events.map(({ action }) => action).filter((action) => action.startsWith(prefix));
}

function strategies(act?: Parameters<typeof toldApp>[1]): Told {
  return toldApp(
    {
      options: { exempt: ["/login", "/logout", "/otp"] },
      routes(app, mfa, authenticator) {
        authenticator.use(mfa.strategy("totp"));
        app.post("/otp", authenticator.authenticate("totp", { successRedirect: "/" }));
        app.post(
          "/one-form",
          authenticator.authenticate("local", { secondFactor: "inline" }),
          authenticator.authenticate("totp", { successRedirect: "/" }),
        );
      },
    },
    act,
  );
}

describe("onLogin is told once", () => {
  test.each(ways)("of a login completed by %s, before it is in", async (_name, go, factor) => {
    const told = strategies();
    const mine = await alice(told);
    const jar = await go(told, mine);
    expect(told.calls).toMatchObject([{ name: "alice", carried: {}, isIn: false, factor }]);
    expect(await jar.isIn()).toBe(true);
    await jar.get("/2fa");
    expect(told.calls.length).toBe(1);
  });

  test("of a login that nothing is due for, with no factor", async () => {
    const { target, calls } = toldApp();
    const jar = await pending(target, "carol");
    expect(calls).toEqual([
      { name: "carol", carried: {}, first: { at: new Date(target.clock()) }, isIn: false, path: "/login" },
    ]);
    await jar.isIn();
    await jar.get("/2fa/settings");
    expect(calls.length).toBe(1);
  });

  test("of one by a passkey, which is named", async () => {
    const { target, calls } = toldApp();
    const { device, factorId } = await holder(target, "alice");
    calls.length = 0;
    await answerWith(await pending(target, "alice"), device);
    expect(calls).toMatchObject([{ factor: { type: "passkey", id: factorId } }]);
  });

  test("of one by a passkey alone", async () => {
    const names: string[] = [];
    const target = passwordlessApp({
      options: {
        carry: (req) => ({ path: req.path }),
        onLogin: (_req, { name }, { carried, factor }) => names.push(`${name} ${factor?.type} ${String(carried.path)}`),
      },
    });
    const { device } = await holder(target, "alice");
    names.length = 0;
    const jar = new Jar(target);
    await passwordless(jar, device);
    expect([names, await jar.isIn()]).toEqual([["alice passkey /login/passkey"], true]);
  });

  test("of one in a trusted browser, with no factor", async () => {
    const { target, calls } = toldApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    calls.length = 0;
    await jar.login("alice");
    expect(calls).toMatchObject([{ name: "alice", first: { at: new Date(target.clock()) } }]);
    expect(calls[0]).not.toHaveProperty("factor");
    expect((await jar.get("/")).body.status).toBe("trusted-device");
  });

  test("of one that had to set up a factor first: the factor it set up, and not before", async () => {
    const { target, calls } = toldApp({ options: { policy: "required" } });
    const jar = await pending(target, "carol");
    expect(calls).toEqual([]);
    const { factorId } = await jar.enroll();
    expect(calls).toMatchObject([{ name: "carol", factor: { type: "totp", id: factorId } }]);
    expect(await jar.isIn()).toBe(true);
  });

  test("of one that the session brought along, at its first request", async () => {
    const { target, calls } = toldApp({ before: above });
    const jar = await loggedInAbove(target, "carol");
    expect(calls).toEqual([]);
    expect([await jar.isIn(), await jar.isIn()]).toEqual([true, true]);
    expect(calls.map(({ name, path }) => [name, path])).toEqual([["carol", "/account"]]);
  });

  test("of one that the session brought along and that waited for a code", async () => {
    const { target, calls } = toldApp({ before: above });
    const { phone } = await enrolled(target, "alice");
    calls.length = 0;
    const jar = await loggedInAbove(target, "alice");
    await jar.get("/account");
    expect(calls).toEqual([]);
    await jar.verify(phone.code(target.clock()));
    expect(calls).toMatchObject([{ name: "alice", path: "/2fa/totp", factor: { type: "totp" } }]);
  });

  test("where nothing is enforced yet too, when it is let through", async () => {
    const { target, calls } = toldApp({ options: { enforce: "report" } });
    await target.mfa.accounts.importTotp("u1", { secret: "JBSWY3DPEHPK3PXPGEZDGNBVGY3TQOJQ" });
    const jar = await pending(target, "alice");
    expect([calls.length, await jar.isIn()]).toEqual([1, true]);
  });

  test.each<[string, (told: Told, factor: Enrolled) => Promise<unknown>]>([
    [
      "a step-up",
      async ({ target, calls }, { phone }) => {
        const jar = await full(target, "alice", phone);
        calls.length = 0;
        expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
      },
    ],
    [
      "a factor set up in a login that is complete",
      async ({ target, calls }) => {
        const jar = await pending(target, "carol");
        calls.length = 0;
        await jar.enroll();
      },
    ],
    ["a login that waits", ({ target }) => pending(target, "alice")],
    [
      "a login that keeps no session",
      async ({ target }) => {
        const answer = await new Jar(target).post("/token").set("x-test-user", "carol");
        expect(answer.status).toBe(200);
      },
    ],
  ])("and not of %s", async (_name, act) => {
    const told = toldApp({
      routes(app, _mfa, authenticator) {
        authenticator.use(new HeaderStrategy());
        app.post("/token", authenticator.authenticate("header", { session: false }), (req, res) => {
          res.json({ user: req.user });
        });
      },
    });
    await act(told, await alice(told));
    expect(told.calls).toEqual([]);
  });

  test("when it first began: the clock goes on between the steps", async () => {
    const { target, calls } = toldApp();
    const { phone } = await enrolled(target, "alice");
    calls.length = 0;
    const began = new Date(target.clock());
    const jar = await pending(target, "alice");
    target.clock.advance(3 * MINUTE);
    await jar.verify(phone.code(target.clock()));
    expect(calls.map(({ first }) => first.at)).toEqual([began]);
  });
});

describe("until onLogin has come to an end", () => {
  async function waiting(options = {}) {
    const gate = held();
    const told = toldApp({ options }, (req) => (req.path === "/login" ? undefined : gate.wait()));
    const { phone } = await enrolled(told.target, "alice");
    const jar = await pending(told.target, "alice");
    told.calls.length = 0;
    const copy = copyOf(jar);
    const verified = jar.verify(phone.code(told.target.clock())).then((answer) => answer);
    await gate.reached;
    return { ...told, gate, jar, copy, verified, phone };
  }

  test("other requests of the login wait, and its old session opens nothing afterwards", async () => {
    const { copy, gate, jar, verified } = await waiting();
    let isAnswered = false;
    const other = copy.get("/account").then((answer) => {
      isAnswered = true;
      return answer;
    });
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(isAnswered).toBe(false);
    gate.release();
    expect((await verified).status).toBe(200);
    expect((await other).status).toBe(401);
    expect([await jar.isIn(), await copy.isIn()]).toEqual([true, false]);
  });

  test("they wait 5 seconds, then they are refused", async () => {
    const { copy, gate, jar, target, verified } = await waiting();
    const other = copy.get("/account").then((answer) => answer);
    await new Promise((resolve) => setTimeout(resolve, 100));
    target.clock.advance(5_001);
    expectProblem(await other, "unavailable");
    gate.release();
    expect((await verified).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
  });

  test("a second right proof of the same first step makes no second login", async () => {
    const gate = held();
    const { target, calls } = toldApp({}, (req) => (req.path === "/login" ? undefined : gate.wait()));
    const { phone, backupCodes } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    calls.length = 0;
    const [one, other] = [copyOf(jar), copyOf(jar)];
    const first = one.verify(phone.code(target.clock())).then((answer) => answer);
    await gate.reached;
    const second = other.post("/2fa/backup-code", { code: backupCodes[0] }).then((answer) => answer);
    await new Promise((resolve) => setTimeout(resolve, 100));
    gate.release();
    expect([(await first).status, (await second).status]).toEqual([200, 410]);
    expect(calls.length).toBe(1);
    expect([await one.isIn(), await other.isIn()]).toEqual([true, false]);
  });

  test("and what has no end is over within a minute for whoever comes after a crash: nothing is open, a new login is", async () => {
    const { copy, gate, target, phone } = await waiting();
    target.clock.advance(MINUTE);
    expectProblem(await copy.get("/2fa"), "expired");
    expect(await copy.isIn()).toBe(false);
    gate.release();
    const next = await pending(target, "alice");
    expect((await next.verify(phone.code(target.clock()))).status).toBe(200);
    expect(await next.isIn()).toBe(true);
  });

  describe("a login that comes to owe a factor meanwhile, which was set up in another session, waits for it", () => {
    async function owing(options: object = {}) {
      const gate = held();
      let isHeld = false;
      const told = toldApp(
        {
          options: { endOtherSessions: "never", ...options },
          routes(app, _mfa, authenticator) {
            app.post("/inline", authenticator.authenticate("local", { secondFactor: "inline" }), (req, res) => {
              res.json({ user: req.user ?? null, isIn: req.isAuthenticated(), status: req.secondFactor.status });
            });
          },
        },
        () => (isHeld ? gate.wait() : undefined),
      );
      const other = await pending(told.target, "carol");
      isHeld = true;
      const jar = new Jar(told.target);
      const setUp = async (): Promise<Enrolled> => {
        await gate.reached;
        const factor = await other.enroll();
        gate.release();
        return factor;
      };
      return { ...told, jar, setUp };
    }

    test("and is answered as any that does", async () => {
      const { jar, setUp, target } = await owing();
      const [answer, { phone }] = await Promise.all([jar.login("carol"), setUp()]);
      expectProblem(answer, "second-factor-required");
      expect([await jar.isIn(), (await jar.get("/2fa")).body.status]).toEqual([false, "pending"]);
      expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
      expect(await jar.isIn()).toBe(true);
    });

    test("and code that waits for it answers for itself, the user hidden", async () => {
      const { jar, setUp } = await owing();
      const [answer] = await Promise.all([loginWith(jar, "carol", {}, "/inline"), setUp()]);
      expect([answer.status, answer.body]).toEqual([200, { user: null, isIn: false, status: "pending" }]);
      expect(await jar.isIn()).toBe(false);
    });

    test("but not where nothing is enforced", async () => {
      const { jar, setUp, target } = await owing({ enforce: "report" });
      const [answer] = await Promise.all([jar.login("carol"), setUp()]);
      expect([answer.status, await jar.isIn()]).toEqual([302, true]);
      expect(actionsOf(target, "would-block").length).toBeGreaterThan(0);
    });
  });

  test("a login that is ended meanwhile does not open", async () => {
    const { gate, jar, target, verified } = await waiting();
    await target.mfa.accounts.signOutEverywhere("u1");
    gate.release();
    expectProblem(await verified, "expired");
    expect(await jar.isIn()).toBe(false);
  });
});

test.each([
  ["without a factor", "carol"],
  ["in a trusted browser", "alice"],
])(
  "ten first requests of a session that was found %s, over two processes, are told of once and all let in",
  async (_name, name) => {
    let count = 0;
    const gate = held();
    let isHeld = false;
    const onLogin = (): Promise<void> | undefined => {
      count += 1;
      return isHeld ? gate.wait() : undefined;
    };
    const servers = twoServers({ before: above, options: { onLogin } });
    const { phone } = await enrolled(servers[0], "alice");
    const device = name === "alice" ? [deviceCookie(await trusted(servers[0], "alice", phone))] : [];
    const jar = await loggedInAbove(servers[0], name);
    for (const [cookie, value] of device) putCookie(jar, cookie, value);
    const names = [SESSION_COOKIE, ...device.map(([cookie]) => cookie)];
    const copies = Array.from({ length: 10 }, (_none, index) => copyOf(jar, names, servers[index % 2]));
    [count, isHeld] = [0, true];
    const answers = Promise.all(copies.map((copy) => copy.get("/account").then(({ status }) => status)));
    await gate.reached;
    await new Promise((resolve) => setTimeout(resolve, 100));
    gate.release();
    expect(new Set(await answers)).toEqual(new Set([200]));
    expect(count).toBe(1);
  },
);

describe("a rejection of onLogin", () => {
  const refuse = (isRefusing: () => boolean) => (): void => {
    if (isRefusing()) throw new Error("no seat is left");
  };

  test.each(ways)("ends the login: after %s nothing is open, and the proof is used up", async (_name, go) => {
    let refuses = false;
    const told = strategies(refuse(() => refuses));
    const { target } = told;
    const errors: unknown[] = [];
    target.mfa.events.on("error", ({ error, place, userId }) => errors.push([place, String(error), userId]));
    const factor = await alice(told);
    refuses = true;
    const code = factor.phone.code(target.clock());
    const jar = await go(told, factor).catch((error: unknown) => {
      if (String(error).includes("login-failed")) return undefined;
      throw error;
    });
    expect(errors).toEqual([["onLogin", "Error: no seat is left", "u1"]]);
    expect(target.events.map(({ action }) => action).filter((action) => action === "login-failed").length).toBe(1);
    refuses = false;
    if (jar !== undefined) {
      expect(await jar.isIn()).toBe(false);
      expect((await jar.get("/2fa")).status).toBe(401);
    }
    const next = await pending(target, "alice");
    const again = told.calls.at(-1)?.factor?.type === "totp" ? await next.verify(code) : undefined;
    if (again !== undefined) expect(again.status).toBe(401);
    target.clock.advance(30_000);
    expect((await next.verify(factor.phone.code(target.clock()))).status).toBe(200);
    expect(await next.isIn()).toBe(true);
  });

  test.each<[string, (told: Told, factor: Enrolled, more: object) => Promise<Response>]>([
    [
      "a code",
      async ({ target }, { phone }, more) => (await pending(target, "alice")).verify(phone.code(target.clock()), more),
    ],
    [
      "a strategy on a route of the application's",
      async ({ target }, { phone }, more) =>
        (await pending(target, "alice")).post("/otp", { code: phone.code(target.clock()), ...more }),
    ],
    [
      "one form with password and code",
      ({ target }, { phone }, more) =>
        loginWith(new Jar(target), "alice", { code: phone.code(target.clock()), ...more }, "/one-form"),
    ],
  ])("trusts no browser: after %s it has no token, and the account does not list it", async (_name, go) => {
    let refuses = false;
    const told = strategies(refuse(() => refuses));
    const { target } = told;
    const factor = await alice(told);
    refuses = true;
    const answer = await go(told, factor, { trustDevice: true });
    expect([answer.status, deviceLine(answer)]).toEqual([503, undefined]);
    refuses = false;
    target.clock.advance(30_000);
    const owner = await full(target, "alice", factor.phone);
    expect((await owner.get("/2fa/settings")).body).toMatchObject({ devices: [], sessions: [{ current: true }] });
    expect(actionsOf(target, "device-")).toEqual(["device-trusted", "device-revoked"]);
  });

  test("is told as JSON and as a page, and names nothing of what was thrown", async () => {
    const { target } = toldApp(
      {},
      refuse(() => true),
    );
    expectProblem(await new Jar(target).login("carol"), "login-failed");
    const page = await new Jar(target).form("/login", { username: "carol", password: "carol-password" });
    expect([page.status, page.text.includes("Sign in again"), page.text.includes("no seat")]).toEqual([
      503,
      true,
      false,
    ]);
  });

  test.each([
    ["where nothing is due", "carol"],
    ["in a trusted browser", "alice"],
  ])("ends the login %s", async (_name, name) => {
    let refuses = false;
    const { target } = toldApp(
      {},
      refuse(() => refuses),
    );
    const { phone } = await enrolled(target, "alice");
    const jar = name === "alice" ? await trusted(target, "alice", phone) : new Jar(target);
    refuses = true;
    expectProblem(await jar.login(name), "login-failed");
    refuses = false;
    expect(await jar.isIn()).toBe(false);
    expect((await jar.get("/")).body.status).toBe("anonymous");
    await jar.login(name);
    expect(await jar.isIn()).toBe(true);
  });

  test("ends one that was found in the session", async () => {
    let refuses = true;
    const { target } = toldApp(
      { before: above },
      refuse(() => refuses),
    );
    const jar = await loggedInAbove(target, "carol");
    const copy = copyOf(jar);
    expectProblem(await jar.get("/account"), "login-failed");
    refuses = false;
    expect([await jar.isIn(), await copy.isIn()]).toEqual([false, false]);
  });

  test("ends one that set up its first factor: the factor stays, and is asked for next time", async () => {
    let refuses = true;
    const { target } = toldApp(
      { options: { policy: "required" } },
      refuse(() => refuses),
    );
    const jar = await pending(target, "carol");
    await expect(jar.enroll()).rejects.toThrow("login-failed");
    refuses = false;
    expect(await jar.isIn()).toBe(false);
    expect((await (await pending(target, "carol")).get("/2fa")).body.status).toBe("pending");
  });

  test("ends one where nothing is enforced yet", async () => {
    const { target } = toldApp(
      { options: { enforce: "report" } },
      refuse(() => true),
    );
    await target.mfa.accounts.importTotp("u1", { secret: "JBSWY3DPEHPK3PXPGEZDGNBVGY3TQOJQ" });
    const jar = new Jar(target);
    expectProblem(await jar.login("alice"), "login-failed");
    expect((await jar.get("/")).body).toMatchObject({ user: null, status: "anonymous" });
  });
});

describe("a login that the application ends while it is told of it", () => {
  /** What an application does in `onLogin` where it lets somebody in who is not to be let in. */
  const ENDS: readonly [string, (req: Request) => Promise<unknown>][] = [
    ["req.logout()", (req) => called((done) => req.logout(done))],
    ["session.regenerate()", (req) => called((done) => req.session.regenerate(done))],
    ["session.destroy()", (req) => called((done) => req.session.destroy(done))],
  ];

  function called(act: (done: (error: unknown) => void) => unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      act((error) => {
        if (error instanceof Error) reject(error);
        else resolve();
      });
    });
  }

  describe.each(ENDS)("by %s", (_name, end) => {
    async function ending() {
      const now: { ends: boolean } = { ends: false };
      const told = strategies((req) => (now.ends ? end(req) : undefined));
      const factor = await alice(told);
      now.ends = true;
      return { ...told, factor, now, code: (): string => factor.phone.code(told.target.clock()) };
    }

    test.each(["/2fa/totp", "/otp", "/one-form"])("is over: %s answers so and trusts no browser", async (path) => {
      const { code, factor, now, target } = await ending();
      const jar = path === "/one-form" ? new Jar(target) : await pending(target, "alice");
      const copy = copyOf(jar);
      const answer = await loginWith(jar, "alice", { code: code(), trustDevice: true }, path);
      expectProblem(answer, "expired");
      expect(deviceLine(answer)).toBeUndefined();
      now.ends = false;
      expect([await jar.isIn(), await copy.isIn()]).toEqual([false, false]);
      target.clock.advance(30_000);
      const owner = await full(target, "alice", factor.phone);
      expect((await owner.get("/2fa/settings")).body).toMatchObject({ devices: [], sessions: [{ current: true }] });
    });

    test("is over where nothing is due, and where it was found in the session", async () => {
      const told = toldApp({ before: above }, end);
      expectProblem(await new Jar(told.target).login("carol"), "expired");
      const jar = await loggedInAbove(told.target, "carol");
      expect((await jar.get("/account")).status).toBe(401);
      expect((await jar.get("/")).body).toMatchObject({ user: null, status: "anonymous" });
    });
  });
});

test("a passkey that shows no user verification is a first step: onLogin is told with the second", async () => {
  const seen: unknown[] = [];
  const target = passwordlessApp({ options: { onLogin: (_req, _user, { factor }) => seen.push(factor?.type) } });
  const { backupCodes, device } = await holder(target, "alice");
  seen.length = 0;
  const jar = new Jar(target);
  await passwordless(jar, device, { flags: (flags) => flags & ~UV });
  expect(seen).toEqual([]);
  await jar.post("/2fa/backup-code", { code: backupCodes[0] });
  expect(seen).toEqual(["backup-code"]);
});
