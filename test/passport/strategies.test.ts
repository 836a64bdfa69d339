import { randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import type { RequestHandler } from "express";
import type { AuthenticateOptions } from "passport";
import { HOUR, MINUTE, STEP, trusted } from "../support/attack.js";
import { passwordOf, testApp, type TestApp, type TestAppOptions, type TestUser } from "../support/app.js";
import { enrolled, Jar, pending } from "../support/browser.js";
import { sessionLine } from "../support/cookies.js";
import { faultyStore, REJECTS } from "../support/faults.js";
import { discoverable, holder } from "../passkeys/stage.js";
import { actions } from "../support/observe.js";

const whoAmI: RequestHandler = (req, res) => {
  res.json({ user: (req.user as TestUser | undefined)?.name ?? null, status: req.secondFactor.status });
};

/** An application that finishes logins on routes of its own, with Passport's strategies. */
function strategyApp(options: AuthenticateOptions = {}, rest: TestAppOptions = {}): TestApp {
  return testApp({
    ...rest,
    options: { exempt: ["/login", "/logout", "/otp", "/backup", "/either", "/one-form"], ...rest.options },
    routes(app, mfa, authenticator) {
      authenticator.use(mfa.strategy("totp"));
      authenticator.use(mfa.strategy("backup-code"));
      app.post("/otp", authenticator.authenticate("totp", options), whoAmI);
      app.post("/backup", authenticator.authenticate("backup-code", options), whoAmI);
      app.post("/either", authenticator.authenticate(["totp", "backup-code"], options), whoAmI);
      app.post(
        "/one-form",
        authenticator.authenticate("local", { secondFactor: "inline" }),
        authenticator.authenticate("totp", options),
        whoAmI,
      );
      rest.routes?.(app, mfa, authenticator);
    },
  });
}

function oneForm(jar: Jar, name: string, code?: string, more: object = {}) {
  const codes = code === undefined ? {} : { code };
  return jar.post("/one-form", { username: name, password: passwordOf(name), ...codes, ...more });
}

describe("mfa.strategy(type)", () => {
  test("is a strategy of that name", () => {
    const { mfa } = testApp();
    expect([mfa.strategy("totp"), mfa.strategy("backup-code")]).toMatchObject([
      { name: "totp" },
      { name: "backup-code" },
    ]);
  });

  test("is refused for a method that is not configured", () => {
    expect(() => testApp().mfa.strategy("email-code")).toThrow(/email-code.*not among the configured methods/);
  });
});

describe.each([
  ["/otp", "totp"],
  ["/backup", "backup-code"],
] as const)("a route with the strategy of %s", (path, type) => {
  async function start(rest: TestAppOptions = {}) {
    const target = strategyApp({}, rest);
    const { phone, backupCodes } = await enrolled(target, "alice");
    // The window that the enrollment's own proof began is over.
    target.clock.advance(HOUR);
    const jar = await pending(target, "alice");
    const right = (): string => (type === "totp" ? phone.code(target.clock()) : backupCodes[0]!);
    const wrong = type === "totp" ? "000000" : "0000-0000-0000-0000";
    return { target, jar, right, wrong };
  }

  test("completes the login with a right code, as the second-factor routes do", async () => {
    const { target, jar, right } = await start();
    actions(target);
    const answer = await jar.post(path, { code: right() });
    expect([answer.status, answer.body]).toEqual([200, { user: "alice", status: "verified" }]);
    expect(await jar.isIn()).toBe(true);
    expect(actions(target)).toEqual([type === "totp" ? "factor-verified" : "backup-code-used"]);
    const { sessions } = (await jar.get("/2fa/settings")).body;
    expect(sessions).toEqual([expect.objectContaining({ current: true, trustedDevice: false })]);
  });

  test("uses the code up", async () => {
    const { target, jar, right } = await start();
    const code = right();
    await jar.post(path, { code });
    const other = await pending(target, "alice");
    expect((await other.post(path, { code })).status).toBe(401);
    expect((await other.post(`/2fa/${type}`, { code })).status).toBe(401);
  });

  test.each([
    ["a wrong code", "wrong"],
    ["no code", undefined],
    ["no string", 123456],
    ["a list", ["123456"]],
    ["nothing of the kind", "hello"],
  ])("fails with 401 for %s, and opens nothing", async (_name, given) => {
    const { jar, wrong } = await start();
    const answer = await jar.post(path, { code: given === "wrong" ? wrong : given });
    expect([answer.status, await jar.isIn()]).toEqual([401, false]);
  });

  test("changes the session's id; the old one is dead", async () => {
    const { target, jar, right } = await start();
    const before = sessionLine(await jar.post("/login", { username: "alice", password: passwordOf("alice") }))!;
    const after = sessionLine(await jar.post(path, { code: right() }))!;
    expect(after).not.toBe(before);
    const thief = new Jar(target);
    thief.agent.jar.setCookie(before.split(";")[0]!, "127.0.0.1", "/");
    expect((await thief.get("/")).body).toMatchObject({ user: null, status: "anonymous" });
  });

  test("fails with 429 and Retry-After once the budget is spent, which is the routes' own", async () => {
    const { jar, right, wrong } = await start();
    const limit = type === "totp" ? 5 : 10;
    for (let count = 0; count < limit; count += 1) {
      expect((await jar.post(count % 2 === 0 ? path : `/2fa/${type}`, { code: wrong })).status).toBe(401);
    }
    const answer = await jar.post(path, { code: right() });
    expect([answer.status, answer.headers["retry-after"]]).toEqual([429, type === "totp" ? "900" : "3600"]);
    expect((await jar.post(`/2fa/${type}`, { code: right() })).status).toBe(429);
    expect(await jar.isIn()).toBe(false);
  });

  test("is an error where the store fails, and the code stays good", async () => {
    const store = faultyStore();
    const keys = `k:${randomBytes(32).toString("base64")}`;
    const { jar, right } = await start({ store, options: { keys } });
    store.fail("write", REJECTS);
    const answer = await jar.post(path, { code: right() });
    expect([answer.status, answer.body.code]).toEqual([500, "app-error"]);
    store.heal();
    expect(await jar.isIn()).toBe(false);
    expect((await jar.post(path, { code: right() })).status).toBe(200);
  });

  test("does not begin a login", async () => {
    const { target, right } = await start();
    expect((await new Jar(target).post(path, { code: right() })).status).toBe(401);
  });

  test("is over after ten minutes, with a right code too", async () => {
    const { target, jar, right } = await start();
    target.clock.advance(10 * MINUTE);
    expect((await jar.post(path, { code: right() })).status).toBe(401);
    expect(await jar.isIn()).toBe(false);
  });

  test("trusts the browser where its user asks", async () => {
    const { jar, right } = await start();
    await jar.post(path, { code: right(), trustDevice: true });
    await jar.post("/logout");
    expect((await jar.login("alice")).status).toBe(302);
  });
});

describe("a strategy succeeds where no second factor is due:", () => {
  test("for a user without one", async () => {
    const jar = await pending(strategyApp(), "carol");
    const answer = await jar.post("/otp", { code: "000000" });
    expect([answer.status, answer.body]).toEqual([200, { user: "carol", status: "not-enrolled" }]);
    expect(await jar.isIn()).toBe(true);
  });

  test("for a user who has given it, who stays where they are", async () => {
    const target = strategyApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    await jar.verify(phone.code(target.clock()));
    const answer = await jar.post("/otp", { code: "000000" });
    expect([answer.status, answer.body]).toEqual([200, { user: "alice", status: "verified" }]);
    expect(await jar.isIn()).toBe(true);
  });

  test("for a user on a trusted browser", async () => {
    const target = strategyApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    await jar.post("/logout");
    await jar.login("alice");
    const answer = await jar.post("/otp");
    expect([answer.status, answer.body]).toEqual([200, { user: "alice", status: "trusted-device" }]);
    expect(await jar.isIn()).toBe(true);
  });

  test("and counts nothing", async () => {
    const target = strategyApp();
    const jar = await pending(target, "carol");
    for (let count = 0; count < 20; count += 1) expect((await jar.post("/otp", { code: "000000" })).status).toBe(200);
  });
});

describe("a strategy that is always to be given a proof", () => {
  const FORM = "/always-form";

  function alwaysApp(rest: TestAppOptions = {}): TestApp {
    return testApp({
      ...rest,
      options: { exempt: ["/login", "/logout", "/always", FORM], ...rest.options },
      routes(app, mfa, authenticator) {
        authenticator.use("totp", mfa.strategy("totp", { always: true }));
        authenticator.use("backup-code", mfa.strategy("backup-code", { always: true }));
        const either = authenticator.authenticate(["totp", "backup-code"]);
        app.post("/always", authenticator.authenticate("totp"), whoAmI);
        app.post(FORM, authenticator.authenticate("local", { secondFactor: "inline" }), either, whoAmI);
        rest.routes?.(app, mfa, authenticator);
      },
    });
  }

  const logIn = (jar: Jar, name: string, code?: string) =>
    jar.post(FORM, { username: name, password: passwordOf(name), code });

  test("takes a right one on a trusted browser, which is verified by it and goes on being trusted", async () => {
    const target = alwaysApp();
    const { backupCodes, phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    for (const code of [phone.code(target.clock()), backupCodes[0]!]) {
      await jar.post("/logout");
      const answer = await logIn(jar, "alice", code);
      expect([answer.status, answer.body]).toEqual([200, { user: "alice", status: "verified" }]);
      expect(await jar.isIn()).toBe(true);
    }
    await jar.post("/logout");
    await jar.login("alice");
    expect((await jar.get("/")).body.status).toBe("trusted-device");
  });

  test.each([
    ["a wrong code", "000000"],
    ["no code", undefined],
    ["what is none", "hello"],
  ])("fails for %s on a trusted browser, whose login waits for the right one then", async (_name, code) => {
    const target = alwaysApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    await jar.post("/logout");
    expect((await logIn(jar, "alice", code)).status).toBe(401);
    expect([await jar.isIn(), (await jar.get("/2fa")).body.status]).toEqual([false, "pending"]);
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
  });

  test("asks in a login that is complete too, which stays as it is without one", async () => {
    const target = alwaysApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    await jar.post("/logout");
    await jar.login("alice");
    for (const code of ["000000", undefined]) expect((await jar.post("/always", { code })).status).toBe(401);
    expect((await jar.get("/")).body).toMatchObject({ status: "trusted-device" });
    const answer = await jar.post("/always", { code: phone.code(target.clock()) });
    expect([answer.status, answer.body]).toEqual([200, { user: "alice", status: "verified" }]);
    expect((await jar.post("/always", { code: phone.code(target.clock()) })).status).toBe(401);
    expect((await jar.get("/")).body).toMatchObject({ status: "verified" });
  });

  test("fails for whoever has nothing to prove, and lets nobody in by their password alone", async () => {
    const target = alwaysApp();
    const jar = new Jar(target);
    expect((await logIn(jar, "carol", "000000")).status).toBe(401);
    expect(await jar.isIn()).toBe(false);
    await jar.login("carol");
    expect((await jar.post("/always", { code: "000000" })).status).toBe(401);
    expect(await jar.isIn()).toBe(true);
  });

  /** Whose login is complete by the password, each for a reason of its own. */
  const COMPLETE = [
    ["on a trusted browser", "alice"],
    ["for whoever is exempt", "mallory"],
    ["for whoever has nothing to prove", "carol"],
  ] as const;

  const EXEMPT_MALLORY = {
    policy: ({ name }: TestUser): "exempt" | "optional" => (name === "mallory" ? "exempt" : "optional"),
  };

  async function visitor(target: TestApp, name: string): Promise<Jar> {
    if (name === "carol") return new Jar(target);
    const { phone } = await enrolled(target, name);
    if (name === "mallory") return new Jar(target);
    const jar = await trusted(target, name, phone);
    await jar.post("/logout");
    return jar;
  }

  test.each(COMPLETE)("is not got around by naming an operation, %s", async (_name, name) => {
    for (const more of [{}, { code: "000000" }]) {
      const target = alwaysApp({ options: EXEMPT_MALLORY });
      const jar = await visitor(target, name);
      const body = { username: name, password: passwordOf(name), operation: "any", ...more };
      expect((await jar.post(FORM, body)).status).toBe(410);
      expect(await jar.isIn()).toBe(false);
    }
  });

  test("takes a right one from whoever is exempt, in the form that logs them in", async () => {
    const target = alwaysApp({ options: EXEMPT_MALLORY });
    const { phone } = await enrolled(target, "mallory");
    const jar = new Jar(target);
    expect((await logIn(jar, "mallory", phone.code(target.clock()))).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
  });

  test.each([
    ["a wrong code", { code: "000000" }],
    ["no code", {}],
    ["the name of an operation", { operation: "any" }],
  ])("leaves no login of a passkey alone with %s", async (_name, more) => {
    const target = alwaysApp({
      options: { exempt: ["/login", "/logout", "/both"] },
      routes(app, mfa, authenticator) {
        authenticator.use(mfa.strategy("passkey"));
        app.post("/both", authenticator.authenticate("passkey"), authenticator.authenticate("totp"), whoAmI);
      },
    });
    const { device, jar: owner } = await holder(target, "alice");
    const { phone } = await owner.enroll();
    const jar = new Jar(target);
    const refused = await jar.post("/both", { credential: await discoverable(jar, device), ...more });
    expect([refused.status, await jar.isIn()]).toEqual(["operation" in more ? 410 : 401, false]);
    const code = phone.code(target.clock());
    const answer = await jar.post("/both", { credential: await discoverable(jar, device), code });
    expect([answer.status, answer.body, await jar.isIn()]).toEqual([200, { user: "alice", status: "verified" }, true]);
  });

  test.each(COMPLETE)("leaves no login where the store fails during the proof, %s", async (_name, name) => {
    const store = faultyStore();
    const target = alwaysApp({
      store,
      options: { ...EXEMPT_MALLORY, exempt: ["/login", "/logout", "/breaking"] },
      routes(app, _mfa, authenticator) {
        const password = authenticator.authenticate("local", { secondFactor: "inline" });
        const breaks: RequestHandler = (_req, _res, next) => {
          store.fail("write", REJECTS);
          next();
        };
        app.post("/breaking", password, breaks, authenticator.authenticate("totp"), whoAmI);
      },
    });
    const jar = await visitor(target, name);
    const answer = await jar.post("/breaking", { username: name, password: passwordOf(name), code: "000000" });
    expect([answer.status, answer.body.code]).toEqual([500, "app-error"]);
    store.heal();
    expect(await jar.isIn()).toBe(false);
    expect((await jar.get("/")).body).toMatchObject({ user: null, status: "anonymous" });
  });

  test("counts what is wrong, as everywhere", async () => {
    const target = alwaysApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    target.clock.advance(HOUR);
    for (let count = 0; count < 5; count += 1) {
      expect((await jar.post("/always", { code: "000000" })).status).toBe(401);
    }
    const answer = await jar.post("/always", { code: phone.code(target.clock()) });
    expect([answer.status, answer.headers["retry-after"]]).toEqual([429, expect.stringMatching(/^\d+$/)]);
  });

  test.each<readonly [object, RegExp]>([
    [{ allways: true }, /mfa\.strategy\("totp"\): allways.*did you mean "always"/],
    [{ always: "yes" }, /always must be true or false/],
  ])("is made with no other options: %p", (options, says) => {
    expect(() => testApp().mfa.strategy("totp", options as never)).toThrow(says);
  });
});

describe("a strategy fails", () => {
  test("where a second factor must be set up first", async () => {
    const target = strategyApp({}, { options: { policy: "required" } });
    const jar = await pending(target, "carol");
    expect((await jar.post("/otp", { code: "000000" })).status).toBe(401);
    expect(await jar.isIn()).toBe(false);
  });

  test("and its route is not reached where it is not exempt", async () => {
    const target = strategyApp({}, { options: { exempt: ["/login"] } });
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    const answer = await jar.post("/otp", { code: phone.code(target.clock()) });
    expect([answer.status, answer.body.code]).toEqual([401, "second-factor-required"]);
  });

  test("as an error that names the mend, where app.use(mfa) does not come before", async () => {
    const target = testApp({
      before(app, authenticator) {
        app.post("/early", (req, res, next) => {
          authenticator.use(target.mfa.strategy("totp"));
          void authenticator.authenticate("totp")(req, res, next);
        });
      },
    });
    const answer = await new Jar(target).post("/early", { code: "000000" });
    expect([answer.status, answer.body.message]).toEqual([500, expect.stringContaining("needs app.use(mfa) before")]);
  });
});

describe("a list of strategies", () => {
  test("takes the code of whichever it is", async () => {
    const target = strategyApp();
    const { phone, backupCodes } = await enrolled(target, "alice");
    for (const code of [phone.code(target.clock()), backupCodes[0]!]) {
      const jar = await pending(target, "alice");
      const answer = await jar.post("/either", { code });
      expect([answer.status, answer.body.status]).toEqual([200, "verified"]);
    }
  });

  test("counts a wrong code once, where it belongs", async () => {
    const target = strategyApp();
    const { backupCodes } = await enrolled(target, "alice");
    target.clock.advance(HOUR);
    const jar = await pending(target, "alice");
    for (let count = 0; count < 5; count += 1) expect((await jar.post("/either", { code: "000000" })).status).toBe(401);
    const locked = await jar.post("/either", { code: "000000" });
    expect([locked.status, locked.headers["retry-after"]]).toEqual([429, "900"]);
    expect((await jar.post("/either", { code: backupCodes[0]! })).status).toBe(200);
  });

  test("answers 429 when the strategy is locked that the code is for, whichever comes first", async () => {
    const target = strategyApp({}, { options: { limits: { backupCode: { limit: 1, window: "1h" } } } });
    const { backupCodes } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    expect((await jar.post("/either", { code: "0000-0000-0000-0000" })).status).toBe(401);
    const locked = await jar.post("/either", { code: backupCodes[0]! });
    expect([locked.headers["retry-after"], locked.status]).toEqual(["3600", 429]);
  });
});

describe("password and code in one form", () => {
  test("sign in together", async () => {
    const target = strategyApp();
    const { phone } = await enrolled(target, "alice");
    const jar = new Jar(target);
    const answer = await oneForm(jar, "alice", phone.code(target.clock()));
    expect([answer.status, answer.body]).toEqual([200, { user: "alice", status: "verified" }]);
    expect(await jar.isIn()).toBe(true);
  });

  test("let a user without a second factor in with the password", async () => {
    const jar = new Jar(strategyApp());
    expect((await oneForm(jar, "carol")).body).toEqual({ user: "carol", status: "not-enrolled" });
    expect(await jar.isIn()).toBe(true);
  });

  test("with a wrong password never come to the code", async () => {
    const target = strategyApp();
    const { phone } = await enrolled(target, "alice");
    actions(target);
    const jar = new Jar(target);
    const answer = await jar.post("/one-form", {
      username: "alice",
      password: "wrong",
      code: phone.code(target.clock()),
    });
    expect([answer.status, actions(target)]).toEqual([401, []]);
    expect((await oneForm(jar, "alice", phone.code(target.clock()))).status).toBe(200);
  });

  test("with a wrong code, or none, leave a login that waits for the code", async () => {
    const target = strategyApp();
    const { phone } = await enrolled(target, "alice");
    for (const code of ["000000", undefined]) {
      const jar = new Jar(target);
      expect((await oneForm(jar, "alice", code)).status).toBe(401);
      expect(await jar.isIn()).toBe(false);
      expect((await jar.get("/2fa")).body.status).toBe("pending");
    }
    const jar = new Jar(target);
    await oneForm(jar, "alice");
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
  });

  test("need no code on a trusted browser", async () => {
    const target = strategyApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    await jar.post("/logout");
    const answer = await oneForm(jar, "alice");
    expect([answer.status, answer.body]).toEqual([200, { user: "alice", status: "trusted-device" }]);
    expect(await jar.isIn()).toBe(true);
  });

  test("of one user never sign another one in who was waiting", async () => {
    const target = strategyApp();
    const [alice] = [await enrolled(target, "alice"), await enrolled(target, "mallory")];
    const jar = await pending(target, "alice");
    expect((await oneForm(jar, "mallory", alice.phone.code(target.clock()))).status).toBe(401);
    expect((await jar.get("/2fa")).body.status).toBe("pending");
    expect((await jar.verify(alice.phone.code(target.clock()))).status).toBe(401);
  });
});

describe("Passport's own options", () => {
  test("successRedirect is followed", async () => {
    const target = strategyApp({ successRedirect: "/done" });
    const { phone } = await enrolled(target, "alice");
    const answer = await (await pending(target, "alice")).post("/otp", { code: phone.code(target.clock()) });
    expect([answer.status, answer.headers.location]).toEqual([302, "/done"]);
  });

  test("failureRedirect is followed", async () => {
    const target = strategyApp({ failureRedirect: "/again" });
    await enrolled(target, "alice");
    const answer = await (await pending(target, "alice")).post("/otp", { code: "000000" });
    expect([answer.status, answer.headers.location]).toEqual([302, "/again"]);
  });

  test("successReturnToOrRedirect leads to what was first asked for", async () => {
    const target = strategyApp({ successReturnToOrRedirect: "/otherwise" });
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    await jar.page("/api/data?page=2");
    const answer = await jar.post("/otp", { code: phone.code(target.clock()) });
    expect([answer.status, answer.headers.location]).toEqual([302, "/api/data?page=2"]);
  });

  test("successReturnToOrRedirect leads where it says, where nothing was asked for", async () => {
    const target = strategyApp(
      { successReturnToOrRedirect: "/otherwise" },
      {
        routes(app, _mfa, authenticator) {
          app.post("/login-here", authenticator.authenticate("local"), whoAmI);
        },
      },
    );
    const { phone } = await enrolled(target, "alice");
    const jar = new Jar(target);
    expect((await jar.post("/login-here", { username: "alice", password: passwordOf("alice") })).status).toBe(401);
    const answer = await jar.post("/otp", { code: phone.code(target.clock()) });
    expect(answer.headers.location).toBe("/otherwise");
  });

  test("what was first asked for is used up: a later confirmation leads to the front page", async () => {
    const target = strategyApp({ successReturnToOrRedirect: "/otherwise" });
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    await jar.page("/api/data");
    await jar.post("/otp", { code: phone.code(target.clock()) });
    target.clock.advance(STEP);
    expect((await jar.verify(phone.code(target.clock()))).body.redirectTo).toBe("/");
  });

  test("session: false still changes the session's id and completes the login", async () => {
    const target = strategyApp({ session: false });
    const { phone } = await enrolled(target, "alice");
    const jar = new Jar(target);
    const before = sessionLine(await jar.login("alice"));
    const answer = await jar.post("/otp", { code: phone.code(target.clock()) });
    expect(answer.body).toEqual({ user: "alice", status: "verified" });
    expect(sessionLine(answer)).toBeDefined();
    expect(sessionLine(answer)).not.toBe(before);
    expect(await jar.isIn()).toBe(true);
  });

  test("a callback of the application's own decides, and its req.logIn completes the login", async () => {
    const target = strategyApp(
      {},
      {
        options: { exempt: ["/login", "/own"] },
        routes(app, _mfa, authenticator) {
          app.post("/own", (req, res, next) => {
            const decide = (error: unknown, user: Express.User | false, _info: unknown, status?: number): void => {
              if (error) next(error);
              else if (user === false) res.status(418).json({ status });
              else req.logIn(user, (failed) => (failed ? next(failed) : whoAmI(req, res, next)));
            };
            void authenticator.authenticate("totp", decide)(req, res, next);
          });
        },
      },
    );
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    const wrong = await jar.post("/own", { code: "000000" });
    expect([wrong.status, await jar.isIn()]).toEqual([418, false]);
    const right = await jar.post("/own", { code: phone.code(target.clock()) });
    expect([right.status, right.body]).toEqual([200, { user: "alice", status: "verified" }]);
    expect(await jar.isIn()).toBe(true);
  });

  test("a callback that does not log in leaves the login waiting, and the code used up", async () => {
    const target = strategyApp(
      {},
      {
        options: { exempt: ["/login", "/own"] },
        routes(app, _mfa, authenticator) {
          app.post("/own", (req, res, next) => {
            const decide = (_error: unknown, user: unknown): void => void res.json({ right: user !== false });
            void authenticator.authenticate("totp", decide)(req, res, next);
          });
        },
      },
    );
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    const code = phone.code(target.clock());
    expect((await jar.post("/own", { code })).body).toEqual({ right: true });
    expect(await jar.isIn()).toBe(false);
    expect((await jar.verify(code)).status).toBe(401);
  });
});
