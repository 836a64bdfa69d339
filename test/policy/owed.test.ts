import { describe, expect, test } from "@jest/globals";
import type { Request } from "express";
import type { LoginFacts, Policy } from "express-second-factor";
import { guarded, passwordOf, testApp, type TestApp, type TestUser } from "../support/app.js";
import { expectDenied, MINUTE, STEP } from "../support/attack.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { HeaderStrategy } from "../support/first-factors.js";

type Rules = Policy<Request, TestUser>;
const ACCOUNT = { username: "alice", password: passwordOf("alice") };

/** An application whose routes for tokens take whoever a header names, without a session. */
function tokens(policy: Rules): TestApp {
  return testApp({
    options: { policy },
    routes: (app, _mfa, authenticator) => {
      authenticator.use(new HeaderStrategy());
      app.get("/by-token", authenticator.authenticate("header", { session: false }), guarded);
      app.get("/by-falsy", authenticator.authenticate("header", { session: null as unknown as boolean }), guarded);
      app.post("/by-session", authenticator.authenticate("header"), guarded);
    },
  });
}

describe("a policy is told how the login was made:", () => {
  test("with a session or without, at the login and at every later request, in each of its forms", async () => {
    const told: LoginFacts[] = [];
    const forms: Rules[] = [
      (_user, _req, login) => (told.push(login), "optional"),
      { evaluate: (_user, _req, login) => (told.push(login), "optional") },
      { require: (_user, _req, login) => told.push(login) < 0 },
    ];
    for (const policy of forms) {
      told.length = 0;
      const target = tokens(policy);
      const jar = await pending(target, "carol");
      await jar.get("/account");
      expect(told).toEqual([{ session: true }, { session: true }]);
      for (const path of ["/by-token", "/by-falsy"]) {
        told.length = 0;
        expect((await new Jar(target).get(path).set("X-Test-User", "carol")).status).toBe(200);
        expect([path, told]).toEqual([path, [{ session: false }]]);
      }
    }
  });

  test("users whom something above the middleware puts on the request count as kept", async () => {
    const told: LoginFacts[] = [];
    const target = testApp({
      options: { policy: (_user, _req, login) => (told.push(login), "optional") },
      before: (app, authenticator) => {
        authenticator.use(new HeaderStrategy());
        app.get("/early", authenticator.authenticate("header", { session: false }));
      },
    });
    await new Jar(target).get("/early").set("X-Test-User", "carol");
    expect(told[0]).toEqual({ session: true });
  });
});

describe("a policy that exempts logins without a session", () => {
  const policy: Rules = (_user, _req, login) => (login.session ? "optional" : "exempt");

  test("lets the token of an enrolled user through, and nobody else", async () => {
    const target = tokens(policy);
    const { phone } = await enrolled(target, "alice");
    expect(await new Jar(target).get("/by-token").set("X-Test-User", "alice")).toMatchObject({ status: 200 });
    const made = { Authorization: "Bearer made-up", "X-Test-User": "alice" };
    const jar = new Jar(target);
    expect((await jar.post("/login", ACCOUNT).set(made)).status).toBe(401);
    for (const path of ["/account", "/by-token", "/api/data"]) {
      const answer = await jar.get(path).set(made);
      expect([path, answer.status, answer.body.code]).toEqual([path, 401, "second-factor-required"]);
    }
    expect((await new Jar(target).post("/by-session").set(made)).status).toBe(401);
    await expectDenied(jar);
    expect((await jar.verify(phone.code(target.clock())).set(made)).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
  });
});

describe("what a login owes", () => {
  /** The careless policy: a header, which any client may send. */
  const careless: Rules = (_user, req) => (req.get("authorization") === undefined ? "optional" : "exempt");
  const header = { Authorization: "Bearer made-up" };

  test("is decided when it is made: a header sent while it is pending, or later, exempts it of nothing", async () => {
    const target = testApp({ options: { policy: careless } });
    await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    for (const path of ["/account", "/api/data", "/"]) {
      const answer = await jar.get(path).set(header);
      expect([path, answer.status, answer.body.code]).toEqual([path, 401, "second-factor-required"]);
    }
    expect((await jar.get("/2fa").set(header)).body.status).toBe("pending");
    target.clock.advance(10 * MINUTE);
    expect((await jar.get("/2fa").set(header)).status).toBe(410);
    await expectDenied(jar);
  });

  test("grows where more is asked later, and stays so where less is asked again", async () => {
    const target = testApp({ options: { policy: careless } });
    const { phone } = await enrolled(target, "alice");
    const jar = new Jar(target);
    await jar.post("/login", ACCOUNT).set(header);
    expect((await jar.get("/account").set(header)).status).toBe(200);
    expect((await jar.get("/2fa")).body.status).toBe("pending");
    expect((await jar.get("/account").set(header)).status).toBe(401);
    expect((await jar.verify(phone.code(target.clock())).set(header)).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
  });

  test("that comes later is given later: there are ten minutes for it, from when it is first asked for", async () => {
    const target = testApp({ options: { policy: careless } });
    const { phone } = await enrolled(target, "alice");
    const jars = [new Jar(target), new Jar(target)] as const;
    for (const jar of jars) {
      await jar.post("/login", ACCOUNT).set(header);
      expect((await jar.get("/account").set(header)).status).toBe(200);
    }
    target.clock.advance(30 * MINUTE);
    for (const jar of jars) expect((await jar.get("/account")).body.code).toBe("second-factor-required");
    const expiresAt = new Date(target.clock() + 10 * MINUTE).toISOString();
    expect((await jars[0].get("/2fa")).body).toMatchObject({ status: "pending", expiresAt });
    target.clock.advance(10 * MINUTE - 1);
    expect((await jars[0].get("/account").set(header)).status).toBe(401);
    expect((await jars[0].verify(phone.code(target.clock()))).status).toBe(200);
    expect(await jars[0].isIn()).toBe(true);
    target.clock.advance(1);
    expect((await jars[1].get("/2fa")).status).toBe(410);
    await expectDenied(jars[1]);
  });

  test("that comes later can be given at once, at the second factor's own routes", async () => {
    const target = testApp({ options: { policy: careless } });
    const { phone } = await enrolled(target, "alice");
    const jar = new Jar(target);
    await jar.post("/login", ACCOUNT).set(header);
    target.clock.advance(30 * MINUTE);
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
  });

  test("is asked at an exempt path as well, and remembered", async () => {
    const target = testApp({
      options: { policy: careless, exempt: ["/login", "/open"] },
      routes: (app) => void app.get("/open", (req, res) => void res.json({ status: req.secondFactor.status })),
    });
    await enrolled(target, "alice");
    const jar = new Jar(target);
    await jar.post("/login", ACCOUNT).set(header);
    expect((await jar.get("/open")).body.status).toBe("pending");
    expect((await jar.get("/account").set(header)).status).toBe(401);
  });

  test("of a user without a factor is the enrollment that was demanded", async () => {
    const policy: Rules = (_user, req) => (req.get("authorization") === undefined ? "required" : "exempt");
    const target = testApp({ options: { policy } });
    const jar = await pending(target, "carol");
    const answer = await jar.get("/account").set(header);
    expect([answer.status, answer.body.code]).toEqual([403, "enrollment-required"]);
    await jar.enroll();
    target.clock.advance(STEP);
    expect((await jar.post("/2fa/disable").set(header)).body.code).toBe("last-factor");
  });

  test("was nothing while nobody had a factor, and is asked for one that comes, whatever the request says", async () => {
    const target = testApp({ options: { policy: careless } });
    const jar = await pending(target, "carol");
    expect(await jar.isIn()).toBe(true);
    await target.mfa.accounts.importTotp("u3", { secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXA" });
    expect((await jar.get("/account").set(header)).status).toBe(401);
  });

  test("grows while nothing is due: a factor that comes later is asked for, whatever the request says", async () => {
    const target = testApp({ options: { policy: careless } });
    const jar = new Jar(target);
    await jar.post("/login", { username: "carol", password: passwordOf("carol") }).set(header);
    expect((await jar.get("/account").set(header)).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
    await target.mfa.accounts.importTotp("u3", { secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXA" });
    expect((await jar.get("/account").set(header)).status).toBe(401);
  });

  test("grows with a wrong code, too", async () => {
    const target = testApp({ options: { policy: careless } });
    await enrolled(target, "alice");
    const jar = new Jar(target);
    await jar.post("/login", ACCOUNT).set(header);
    expect((await jar.verify("000000")).body.code).toBe("invalid-code");
    expect((await jar.get("/account").set(header)).status).toBe(401);
  });

  test("that is given is given: a verified login is asked for nothing more", async () => {
    const target = testApp({ options: { policy: careless } });
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    expect([(await jar.get("/account").set(header)).status, await jar.isIn()]).toEqual([200, true]);
  });

  test("cannot be lowered by an address either", async () => {
    const target = testApp({
      options: { policy: { trustedNetworks: ["10.0.0.0/8"] } },
      before: (app) => app.set("trust proxy", 1),
    });
    await enrolled(target, "alice");
    const jar = new Jar(target);
    await jar.post("/login", ACCOUNT).set("X-Forwarded-For", "192.0.2.7");
    expect((await jar.get("/account").set("X-Forwarded-For", "10.1.2.3")).status).toBe(401);
  });
});
