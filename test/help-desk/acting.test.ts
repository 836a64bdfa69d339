import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "@jest/globals";
import type { Request } from "express";
import { type CompletedLogin, ConfigurationError, type SecondFactorOptions } from "express-second-factor";
import { CANARY, type TestUser, userNamed } from "../support/app.js";
import { HOUR, MINUTE, told } from "../support/attack.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { stateRoutes } from "../support/routes.js";
import { DESK, deskApp } from "./stage.js";

type Done = (error?: unknown) => void;

/** mallory (u2) works at the desk; alice (u1) has a factor, carol (u3) has none. */
async function support(options: Partial<SecondFactorOptions<TestUser>> = {}) {
  const { notices, target } = deskApp(options);
  const given = { current: DESK as object };
  target.app.post("/support/act-for/:name", (req, res) => {
    target.mfa.assertLogin(req, userNamed(req.params.name), given.current as typeof DESK).then(
      () => res.json({ acting: req.secondFactor.actor }),
      (error: unknown) => {
        const { name, message } = error as Error;
        res.status(500).json({ name, message });
      },
    );
  });
  target.app.get("/me", (req, res) => {
    const { user: _own, methods: _all, ...state } = req.secondFactor;
    res.json({ ...state, user: req.user });
  });
  const alice = await enrolled(target, "alice");
  const operator = new Jar(target);
  await operator.login("mallory");
  return { alice, given, notices, operator, target };
}

async function acting(...options: Parameters<typeof support>) {
  const here = await support(...options);
  const answer = await here.operator.post("/support/act-for/alice");
  if (answer.status !== 200) throw new Error(answer.text);
  return here;
}

describe("support that acts for a user", () => {
  test("is signed in as them, without anything of theirs, and shows as who it is", async () => {
    const { operator } = await acting();
    const { body } = await operator.get("/me");
    expect(body).toEqual({
      status: "verified",
      amr: [],
      aal: 1,
      phishingResistant: false,
      enrolled: true,
      actor: "support:7",
      user: userNamed("alice"),
    });
    expect(await operator.isIn()).toBe(true);
  });

  test("has its own login ended by it, in a session of another id", async () => {
    const { operator, target } = await support();
    const before = (await operator.get("/2fa/settings")).body.sessions as unknown[];
    await operator.post("/support/act-for/alice");
    const { sessions } = await target.mfa.accounts.export("u2");
    expect([before.length, sessions.length]).toEqual([1, 0]);
  });

  test("is written down with who and why, and its user is told", async () => {
    const { notices, target } = await acting();
    await nextTurn();
    expect(target.events.find(({ action }) => action === "acting-login")).toMatchObject({ userId: "u1", ...DESK });
    expect(notices.find(({ kind }) => kind === "acting-login")?.details.actor).toBe("support:7");
  });

  test("is among the sessions of its user as what it is, who can end it", async () => {
    const { alice, operator, target } = await acting();
    const jar = await full(target, "alice", alice.phone);
    const { sessions } = (await jar.get("/2fa/settings")).body as { sessions: { id: string; actor?: string }[] };
    const [own] = sessions.filter(({ actor }) => actor === "support:7");
    expect(own).toBeDefined();
    expect((await jar.page("/2fa/settings")).text).toContain("Support, acting for you");
    expect((await jar.post(`/2fa/sessions/${own!.id}/revoke`)).status).toBe(204);
    expect(await operator.isIn()).toBe(false);
  });

  test.each(["alice", "carol"])("reaches no step-up route, nor the settings (%s)", async (name) => {
    const { operator } = await support();
    await operator.post(`/support/act-for/${name}`);
    const refused = await operator.get("/transfer");
    expect([refused.status, refused.body.code]).toEqual([403, "acting-login"]);
    expect(refused.text).not.toContain(CANARY);
    const settings = await operator.page("/2fa/settings");
    expect([settings.status, settings.text.includes("to act for somebody else")]).toEqual([403, true]);
  });

  test("gets 403 acting-login from every route below path but its first page and /cancel; nothing is counted", async () => {
    const { alice, operator, target } = await acting();
    // There is a recovery to be ended: by whoever has a link, or has proved that they are the user.
    expect((await (await pending(target, "alice")).post("/2fa/recovery")).status).toBe(202);
    target.events.length = 0;
    const routes = [
      ...stateRoutes({ factorId: alice.factorId }),
      { path: "/2fa/caller-check", body: {} },
      { path: "/2fa/temporary-pass", body: { code: "0000-0000-0000-0000" } },
      { path: "/2fa/preferred", body: { type: "totp" } },
      { path: "/2fa/reopen", body: {} },
      { path: "/2fa/recovery", body: {} },
      { path: "/2fa/recovery/opt-out", body: { optedOut: true } },
      { path: "/2fa/recovery/cancel", body: {} },
    ];
    for (const { body, path } of routes) {
      if (path === "/2fa/cancel") continue;
      const answer = await operator.post(path, body);
      expect([path, answer.status, answer.body.code]).toEqual([path, 403, "acting-login"]);
    }
    // What there is of the user's own is not shown, either.
    expect((await operator.get("/2fa")).body).toEqual({
      status: "verified",
      methods: [],
      preferred: null,
      operations: [],
    });
    expect((await operator.page("/2fa?confirm=settings")).status).toBe(303);
    expect(target.events).toEqual([]);
  });

  test("is raised by nothing: not by the user's right code, on a route of the application's either", async () => {
    const { alice, operator, target } = await acting();
    const refused = await operator.verify(alice.phone.code(target.clock()));
    expect([refused.status, refused.body.code]).toEqual([403, "acting-login"]);
    expect(await (await full(target, "alice", alice.phone)).isIn()).toBe(true);
  });

  test.each([
    ["alice", {}],
    ["carol", {}],
    ["carol", { session: false }],
  ])(
    "goes on where the application logs its user in anew, as if it were them, until the same end (%s, %j)",
    async (...given) => {
      const [name, options] = given;
      const { operator, target } = await support();
      target.app.post("/profile", (req, res, next) => {
        const done = (error: unknown): void => (error ? next(error) : void res.json({ actor: req.secondFactor.actor }));
        req.logIn(userNamed(name), options as never, done);
      });
      await operator.post(`/support/act-for/${name}`);
      target.clock.advance(50 * MINUTE);
      const { body, headers } = await operator.post("/profile");
      expect(body).toEqual({ actor: "support:7" });
      // In a session of another id, where it keeps one.
      expect("set-cookie" in headers).toBe(!("session" in options));
      expect((await operator.get("/me")).body).toMatchObject({ status: "verified", aal: 1, actor: "support:7" });
      expect((await operator.post("/2fa/totp/enroll")).body.code).toBe("acting-login");
      target.clock.advance(10 * MINUTE);
      expect(await operator.isIn()).toBe(false);
    },
  );

  const own = (session: object) => Object.fromEntries(Object.entries(session)) as { readonly passport?: unknown };

  test.each<[string, (req: Request, user: object, before: ReturnType<typeof own>, done: Done) => void]>([
    ["logs its user in to it", (req, user, _before, done) => req.logIn(user, done)],
    [
      "puts its user there",
      (req, _user, { passport }, done) => {
        Object.assign(req.session, { passport });
        done();
      },
    ],
    [
      "renews that once more, and puts its user there",
      (req, _user, { passport }, done) => {
        req.session.regenerate((error: unknown) => {
          Object.assign(req.session, { passport });
          done(error);
        });
      },
    ],
  ])("goes on where the application renews the session by itself and %s", async (_how, act) => {
    for (const name of ["alice", "carol"]) {
      const { operator, target } = await support();
      target.app.post("/renew", (req, res, next) => {
        const before = own(req.session);
        req.session.regenerate(() => {
          act(req, userNamed(name), before, (error) => {
            if (error) next(error);
            else res.sendStatus(204);
          });
        });
      });
      await operator.post(`/support/act-for/${name}`);
      expect((await operator.post("/renew")).status).toBe(204);
      expect((await operator.get("/me")).body).toMatchObject({ status: "verified", actor: "support:7" });
      expect((await operator.get("/transfer")).body.code).toBe("acting-login");
      target.clock.advance(HOUR);
      expect(await operator.isIn()).toBe(false);
    }
  });

  test.each(["alice", "carol"])("is over in a session that its content was copied into (%s)", async (name) => {
    const { operator, target } = await support();
    target.app.post("/renew", (req, res) => {
      const before = own(req.session);
      req.session.regenerate(() => {
        Object.assign(req.session, before);
        res.sendStatus(204);
      });
    });
    await operator.post(`/support/act-for/${name}`);
    await operator.post("/renew");
    expect(await operator.isIn()).toBe(false);
    expect((await operator.get("/me")).body).not.toHaveProperty("user");
  });

  test.each([
    ["alice", {}],
    ["carol", {}],
    ["carol", { secondFactor: "inline" }],
  ])("is over where the application signs out and logs its user in in one request (%s, %j)", async (name, options) => {
    const { operator, target } = await support();
    target.app.post("/renew", (req, res) => {
      req.logout(() => {
        const done = (error: unknown): void => void res.status(error ? 410 : 200).json(error ?? {});
        req.logIn(userNamed(name), options as never, done);
      });
    });
    await operator.post(`/support/act-for/${name}`);
    expect((await operator.post("/renew")).status).toBe(410);
    expect((await operator.get("/me")).body).toMatchObject({ status: "anonymous" });
    expect((await target.mfa.accounts.export(userNamed(name).id)).sessions).toEqual([]);
    // A sign-in that comes later is the user's own.
    await operator.post("/login", { username: name, password: `${name}-password` });
    expect((await operator.get("/2fa")).body.status).toBe(name === "carol" ? "not-enrolled" : "pending");
  });

  test("is no longer once its operator has signed out, and the user signs in there", async () => {
    const { alice, operator, target } = await acting();
    await operator.login("alice");
    expect((await operator.get("/me")).body).toMatchObject({ actor: "support:7" });
    await operator.post("/logout");
    await operator.login("alice");
    expect((await operator.verify(alice.phone.code(target.clock()))).status).toBe(200);
    expect((await operator.get("/me")).body).not.toHaveProperty("actor");
    expect((await operator.get("/transfer")).status).toBe(200);
  });

  test("and is over where somebody else signs in, or another is acted for", async () => {
    const { operator, target } = await acting();
    await operator.post("/support/act-for/carol");
    expect((await operator.get("/me")).body).toMatchObject({ actor: "support:7", user: { id: "u3" } });
    await operator.login("mallory");
    expect((await operator.get("/me")).body).not.toHaveProperty("actor");
    for (const user of ["u1", "u3"]) expect((await target.mfa.accounts.export(user)).sessions).toEqual([]);
  });

  test("is over after an hour, however busy it is", async () => {
    const { operator, target } = await acting();
    for (let minute = 0; minute < 60; minute += 10) {
      expect(await operator.isIn()).toBe(true);
      target.clock.advance(10 * MINUTE);
    }
    expect(await operator.isIn()).toBe(false);
    expect((await target.mfa.accounts.export("u1")).sessions).toEqual([]);
  });

  test.each(["/2fa/cancel", "/logout"])("ends by %s, which is told of the operator", async (path) => {
    const { operator, target } = await acting();
    expect((await operator.post(path)).status).toBe(204);
    expect(await operator.isIn()).toBe(false);
    expect(target.events.findLast(({ action }) => action === "signed-out")).toMatchObject({ actor: "support:7" });
  });

  test.each(["reset", "signOutEverywhere"] as const)("ends as any login does: %s", async (name) => {
    const { operator, target } = await acting();
    await target.mfa.accounts[name]("u1");
    expect(await operator.isIn()).toBe(false);
  });

  test("works for somebody who has to have a factor and has none", async () => {
    const { operator } = await support({ policy: (user) => (user.id === "u3" ? "required" : "optional") });
    await operator.post("/support/act-for/carol");
    expect((await operator.get("/me")).body).toMatchObject({ status: "verified", actor: "support:7" });
  });

  test("is told to onLogin with its actor and no factor, and opens only after that", async () => {
    const logins: CompletedLogin[] = [];
    const { operator } = await acting({ onLogin: (_req, _user, login) => void logins.push(login) });
    expect(logins.at(-1)).toMatchObject({ actor: "support:7" });
    expect(logins.at(-1)).not.toHaveProperty("factor");
    expect(await operator.isIn()).toBe(true);
  });

  test("leaves what its user has as it was: the next login by password waits for a factor", async () => {
    const { target } = await acting();
    expect(await (await pending(target, "alice")).isIn()).toBe(false);
    target.clock.advance(HOUR);
    expect(told("factor-verified", target)).toBe(0);
  });
});

describe("nobody acts", () => {
  test.each([
    [{ reason: DESK.reason }, /actor: say who acts/],
    [{ actor: DESK.actor }, /reason: say why/],
    [{ ...DESK, actor: null }, /actor: say who acts/],
    [{ ...DESK, actor: " " }, /actor: say who acts/],
    [{ ...DESK, reason: "" }, /reason: say why/],
    [undefined, /actor: .*\n.*reason: /s],
    [{ ...DESK, actor: "u1" }, /actor: is the user themselves/],
    [{ ...DESK, actor: "U\u200b1 " }, /actor: is the user themselves/],
  ])("with %j: ConfigurationError, and no login", async (options, says) => {
    const { given, operator } = await support();
    given.current = options as object;
    const { body } = await operator.post("/support/act-for/alice");
    expect(body).toEqual({ name: ConfigurationError.name, message: expect.stringMatching(says) });
    expect((await operator.get("/me")).body.user.id).toBe("u2");
  });
});
