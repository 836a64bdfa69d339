import { describe, expect, test } from "@jest/globals";
import express from "express";
import session from "express-session";
import passport from "passport";
import { secondFactor } from "express-second-factor";
import { softwareAuthenticator } from "express-second-factor/testing";
import supertest from "supertest";
import { ORIGIN, testApp, userNamed } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";

const MINUTE = 60_000;
const SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJR";

describe("an application put together wrongly", () => {
  test("a middleware between passport.initialize() and passport.session() is named, and lets nobody in", async () => {
    const authenticator = new passport.Passport();
    authenticator.serializeUser((user, done) => {
      done(null, (user as { id: string }).id);
    });
    authenticator.deserializeUser((_id, done) => {
      done(null, userNamed("alice"));
    });
    const app = express();
    app.use(session({ secret: "test", resave: false, saveUninitialized: false }));
    app.use(authenticator.initialize());
    app.use(secondFactor({ issuer: "Acme", origin: ORIGIN }));
    app.use(authenticator.session());
    app.post("/enter", (req, res) => {
      req.logIn(userNamed("alice"), () => res.status(204).end());
    });
    app.get("/account", (req, res) => {
      res.json({ in: req.isAuthenticated() });
    });
    app.use(((error: Error, _req, res, _next) => {
      res.status(500).json({ message: error.message });
    }) satisfies express.ErrorRequestHandler);
    const agent = supertest.agent(app);
    await agent.post("/enter");
    const answer = await agent.get("/account");
    expect([answer.status, answer.body.message]).toEqual([500, expect.stringContaining("passport.session()")]);
  });

  test("an async exempt predicate, whose promise reads as true, exempts nothing", async () => {
    const exempt = (async () => false) as unknown as () => boolean;
    const target = testApp({ options: { exempt } });
    await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    expect((await jar.get("/account")).body.code).toBe("second-factor-required");
  });
});

describe("a proof given for one operation", () => {
  function bank() {
    return testApp({
      routes(app, mfa) {
        const bind = async (req: express.Request): Promise<string> => `Pay ${(req.body as { amount: string }).amount}`;
        app.post("/pay", mfa.require({ bind }), (req, res) =>
          res.json({ paid: (req.body as { amount: string }).amount }),
        );
      },
    });
  }

  test("opens that one and no other, though bind is async", async () => {
    const target = bank();
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    const { operation } = (await jar.post("/pay", { amount: "1" })).body;
    expect((await jar.verify(phone.code(target.clock()), { operation: operation.id })).status).toBe(200);
    expect((await jar.post("/pay", { amount: "1000" })).status).toBe(401);
  });

  test("is no fresh proof for switching the second factor off", async () => {
    const target = bank();
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    target.clock.advance(16 * MINUTE);
    const { operation } = (await jar.post("/pay", { amount: "1" })).body;
    expect((await jar.verify(phone.code(target.clock()), { operation: operation.id })).status).toBe(200);
    expect((await jar.post("/2fa/disable")).body.code).toBe("step-up-required");
    expect((await jar.post("/pay", { amount: "1" })).body).toEqual({ paid: "1" });
  });

  test("is not granted unseen to what was asked for before and abandoned", async () => {
    const target = bank();
    const { factorId, phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    target.clock.advance(16 * MINUTE);
    const waiting = (await jar.form("/pay", { amount: "1000" })).headers.location!;
    await jar.form(`/2fa/factors/${factorId}/rename`, { label: "mine" });
    expect((await jar.form("/2fa/totp", { code: phone.code(target.clock()) })).headers.location).toBe("/2fa/settings");
    expect((await jar.post("/pay", { amount: "1000" })).status).toBe(401);
    expect((await jar.page(waiting)).text).toContain("Pay 1000");
  });
});

describe("what a login may borrow", () => {
  test("a proof of a removed factor does not count for one imported later", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    expect((await jar.post("/2fa/disable")).status).toBe(204);
    await target.mfa.accounts.importTotp("u1", { secret: SECRET });
    expect(await jar.isIn()).toBe(false);
  });

  test("a login found without a mark is not a fresh first step: it may not enroll", async () => {
    const target = testApp({
      options: { policy: "required" },
      before: (app) => {
        // The application rotates its session's id by itself, and takes everything along.
        app.post("/rotate", (req, res, next) => {
          const { cookie: _cookie, ...kept } = req.session;
          req.session.regenerate((error: unknown) => {
            Object.assign(req.session, kept);
            if (error === undefined || error === null) res.status(204).end();
            else next(error);
          });
        });
      },
    });
    const jar = new Jar(target);
    await jar.login("carol");
    target.clock.advance(16 * MINUTE);
    await jar.post("/rotate");
    expect((await jar.post("/2fa/totp/enroll")).body.code).toBe("expired");
  });

  test("one key without user verification, shown twice, is one factor even where policy asks for none", async () => {
    const target = testApp({
      options: {
        exempt: ["/login", "/login/passkey"],
        policy: (_user, req) => (req.get("x-office") ? "exempt" : "optional"),
      },
      routes(app, mfa, authenticator) {
        authenticator.use(mfa.strategy("passkey"));
        app.post("/login/passkey", authenticator.authenticate("passkey"), (_req, res) => res.status(204).end());
      },
    });
    const key = softwareAuthenticator({ userVerification: false });
    const owner = new Jar(target);
    await owner.login("alice");
    const creation = await owner.post("/2fa/passkey/enroll/options");
    await owner.post("/2fa/passkey/enroll", { credential: key.create(creation.body) });
    const jar = new Jar(target);
    jar.agent.set("X-Office", "yes");
    const first = await jar.post("/2fa/passkey/options");
    await jar.post("/login/passkey", { credential: key.get(first.body) });
    const again = await jar.post("/2fa/passkey/options");
    expect((await jar.post("/2fa/passkey", { credential: key.get(again.body) })).body.code).toBe("invalid-passkey");
  });
});

describe("what others can do to an owner", () => {
  test("a foreign page spends none of the owner's attempts at a strategy's route", async () => {
    const target = testApp({
      options: { exempt: ["/login", "/code"] },
      routes(app, mfa, authenticator) {
        authenticator.use(mfa.strategy("totp"));
        app.post("/code", authenticator.authenticate("totp"), (_req, res) => res.status(204).end());
      },
    });
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    for (let attempt = 0; attempt < 6; attempt += 1) {
      const answer = await jar.post("/code", { code: "000000" }).set("Sec-Fetch-Site", "cross-site");
      expect(answer.status).toBe(401);
    }
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
  });

  test("a session revoked elsewhere keeps nothing the application had put into it", async () => {
    const target = testApp({
      routes(app) {
        app.post("/note", (req, res) => {
          (req.session as unknown as { note?: string }).note = "alice only";
          res.status(204).end();
        });
        app.get("/note", (req, res) => res.json({ note: (req.session as unknown as { note?: string }).note ?? null }));
      },
    });
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    await jar.post("/note");
    await target.mfa.accounts.signOutEverywhere("u1");
    expect((await jar.get("/note")).body.note).toBeNull();
  });

  test("turning away from a step-up signs nobody out", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    expect((await jar.post("/2fa/cancel")).status).toBe(204);
    expect(await jar.isIn()).toBe(true);
  });

  test("a route for passkeys does not take the other ways of confirming from who has none", async () => {
    const target = testApp({
      routes(app, mfa) {
        app.get("/admin", mfa.require({ phishingResistant: true }), (_req, res) => res.json({}));
      },
    });
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    expect((await jar.page("/admin")).headers.location).toBe("/2fa/settings");
    expect((await jar.page("/2fa?confirm")).text).toContain('name="code"');
  });

  test("codes tried for users nobody knows leave a count that ends with its window, and nothing else", async () => {
    const target = testApp();
    await target.mfa.accounts.verify("nobody", { method: "totp", code: "000000" });
    const { attempts, ...left } = JSON.parse((await target.store.read("account:nobody"))!.value) as Record<
      string,
      object
    >;
    expect(Object.keys(attempts!).toSorted()).toEqual(["allCodes", "totp"]);
    expect(Object.values(left).filter((each) => Array.isArray(each) && each.length > 0)).toEqual([]);
    target.clock.advance(15 * 60_000);
    expect(await target.store.read("account:nobody")).toBeUndefined();
  });
});
