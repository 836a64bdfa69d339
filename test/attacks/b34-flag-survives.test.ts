import { describe, expect, test } from "@jest/globals";
import { passwordOf, testApp, type TestApp, type TestAppOptions, userNamed } from "../support/app.js";
import { type Enrolled, enrolled, full, Jar } from "../support/browser.js";
import {
  copyOf,
  expectDenied,
  MODES,
  logIn,
  passworded,
  send,
  SESSION_COOKIE,
  slowRoute,
  STEP,
  cookies,
} from "../support/attack.js";

async function twoPeople(
  options: TestAppOptions = {},
): Promise<{ target: TestApp; alice: Enrolled; mallory: Enrolled }> {
  const target = testApp(options);
  return { target, alice: await enrolled(target, "alice"), mallory: await enrolled(target, "mallory") };
}

/** Logins as applications write them, each keeping what the session holds. */
const keeping: TestAppOptions = {
  routes(app, _mfa, authenticator) {
    app.post(
      "/login-keeping",
      authenticator.authenticate("local", { keepSessionInfo: true, successRedirect: "/account" }),
    );
    app.post("/become/:name", (req, res, next) => {
      req.logIn(userNamed(req.params.name), { session: true, keepSessionInfo: true }, (error: unknown) => {
        if (error) next(error);
        else res.json({ ok: true });
      });
    });
  },
  options: { exempt: ["/login", "/login-keeping", "/logout"] },
};

describe("B34 the proof survives a logout or a change of user", () => {
  test.each(MODES)("B34 after a logout the next user of the browser proves their own factor (%s)", async (mode) => {
    const { target, alice, mallory } = await twoPeople();
    const jar = await full(target, "alice", alice.phone);
    await send(jar, mode, "/logout");
    await expectDenied(jar);
    await logIn(jar, mode, "mallory");
    await expectDenied(jar);
    expect((await jar.verify(mallory.phone.code(target.clock()))).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
  });

  test.each(MODES)("B34 a login on top of another's, without a logout between, is pending (%s)", async (mode) => {
    const { target, alice } = await twoPeople();
    const jar = await full(target, "alice", alice.phone);
    const old = copyOf(jar);
    await logIn(jar, mode, "mallory");
    await expectDenied(jar);
    expect((await jar.get("/")).body.code).toBe("second-factor-required");
    expect(await old.isIn()).toBe(false);
    expect((await jar.verify(alice.phone.code(target.clock()))).status).toBe(401);
    await expectDenied(jar);
  });

  test("B34 keeping the session over a login does not keep the proof", async () => {
    const { target, alice, mallory } = await twoPeople(keeping);
    const jar = await full(target, "alice", alice.phone);
    await jar.post("/login-keeping", { username: "mallory", password: passwordOf("mallory") });
    await expectDenied(jar);
    expect((await jar.verify(mallory.phone.code(target.clock()))).status).toBe(200);
    await jar.post("/become/alice");
    await expectDenied(jar);
    await jar.post("/login-keeping", { username: "mallory", password: passwordOf("mallory") });
    await expectDenied(jar);
  });

  test("B34 the same user's new login needs a new proof", async () => {
    const { target, alice } = await twoPeople(keeping);
    const jar = await full(target, "alice", alice.phone);
    await jar.login("alice");
    await expectDenied(jar);
    expect((await jar.verify(alice.phone.code(target.clock()))).status).toBe(200);
    await jar.post("/login-keeping", { username: "alice", password: passwordOf("alice") });
    await expectDenied(jar);
  });

  test("B34 a user without a factor hands no open login to one who has", async () => {
    const { target, alice } = await twoPeople(keeping);
    const jar = new Jar(target);
    await jar.login("carol");
    expect(await jar.isIn()).toBe(true);
    await jar.post("/become/alice");
    await expectDenied(jar);
    expect((await jar.verify(alice.phone.code(target.clock()))).status).toBe(200);
    expect((await jar.get("/")).body.user.name).toBe("alice");
  });

  test("B34 a user the application swapped in the session by hand is not let in on another's proof", async () => {
    const { target, alice, mallory } = await twoPeople({
      routes(app) {
        app.post("/swap/:id", (req, res) => {
          Object.assign(req.session, { passport: { user: req.params.id } });
          res.json({ ok: true });
        });
      },
    });
    for (const name of ["alice", "carol"]) {
      const jar = name === "alice" ? await full(target, name, alice.phone) : await passworded(target, "JSON", name);
      expect(await jar.isIn()).toBe(true);
      expect((await jar.post(`/swap/${userNamed("mallory").id}`)).status).toBe(200);
      await expectDenied(jar);
      await jar.login("mallory");
      expect((await jar.verify(mallory.phone.code(target.clock()))).status).toBe(200);
      target.clock.advance(STEP);
    }
  });

  test.each(MODES)("B34 after a logout the challenge has nobody to ask (%s)", async (mode) => {
    const { target, alice } = await twoPeople();
    const jar = await passworded(target, mode, "alice");
    await send(jar, mode, "/logout");
    for (const path of ["/2fa", "/2fa/settings"]) {
      const answer = await (mode === "JSON" ? jar.get(path) : jar.page(path));
      expect([path, answer.status]).toEqual([path, 401]);
    }
    const answer = await send(jar, mode, "/2fa/totp", { code: alice.phone.code(target.clock()) });
    expect(answer.status).toBe(401);
    await expectDenied(jar);
  });

  test.each(MODES)("B34 turning away from the challenge ends the pending login (%s)", async (mode) => {
    const { target, alice } = await twoPeople();
    const jar = await passworded(target, mode, "alice");
    const copy = copyOf(jar);
    expect([204, 303]).toContain((await send(jar, mode, "/2fa/cancel")).status);
    for (const each of [jar, copy]) {
      expect((await each.verify(alice.phone.code(target.clock()))).status).toBe(401);
      await expectDenied(each);
    }
  });

  test("B34 a logout ends the login in the record: its session, written back, opens nothing", async () => {
    const slow = slowRoute();
    const { target, alice } = await twoPeople({ routes: (app) => app.get("/slow", slow.handler) });
    const jar = await full(target, "alice", alice.phone);
    const copy = copyOf(jar);
    const answering = copy.get("/slow").then((answer) => answer.status);
    await slow.reached;
    await jar.post("/logout");
    slow.release();
    expect(await answering).toBe(200);
    expect(cookies(copy)[SESSION_COOKIE]).toBeDefined();
    await expectDenied(copy);
    expect((await target.mfa.accounts.export("u1")).sessions).toEqual([]);
  });

  test("B34 destroying the session ends the login in the record too", async () => {
    const { target, alice } = await twoPeople({
      routes: (app) => app.post("/bye", (req, res) => req.session.destroy(() => res.status(204).end())),
    });
    const jar = await full(target, "alice", alice.phone);
    expect((await target.mfa.accounts.export("u1")).sessions).toHaveLength(1);
    expect((await jar.post("/bye")).status).toBe(204);
    await expectDenied(jar);
    expect((await target.mfa.accounts.export("u1")).sessions).toEqual([]);
  });
});
