import { randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import type { SecondFactorState } from "express-second-factor";
import { MINUTE, STEP, trusted } from "../support/attack.js";
import { passwordOf, testApp, type TestAppOptions } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { faultyStore, REJECTS } from "../support/faults.js";

/** Alice with a second factor, waiting for it. */
async function waiting(given: TestAppOptions = {}) {
  const target = testApp(given);
  const factor = await enrolled(target, "alice");
  return { target, ...factor, jar: await pending(target, "alice") };
}

describe("the answer to a login with a second factor due", () => {
  test("is 401 second-factor-required for a client of the API, with the methods and where they are", async () => {
    const { target, factorId } = await waiting();
    const answer = await new Jar(target).login("alice");
    expect(answer.status).toBe(401);
    expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({
      status: 401,
      code: "second-factor-required",
      location: "/2fa",
      methods: [
        { type: "totp", factors: [{ id: factorId, label: "Authenticator app" }] },
        { type: "backup-code", factors: [{ id: expect.any(String) }] },
      ],
    });
    expect(answer.headers["cache-control"]).toBe("no-store");
  });

  test("is 303 to the challenge for a browser", async () => {
    const { target } = await waiting();
    const answer = await new Jar(target).form("/login", { username: "alice", password: passwordOf("alice") });
    expect([answer.status, answer.headers.location]).toEqual([303, "/2fa"]);
    expect(answer.headers["cache-control"]).toBe("no-store");
  });

  test("is the same for a login the application made itself with req.logIn", async () => {
    const { target } = await waiting({
      routes: (app) =>
        app.post("/magic", (req, res, next) => {
          req.logIn({ id: "u1", name: "alice", email: "alice@acme.test" }, (error) => {
            if (error) next(error);
            else res.json({ in: true });
          });
        }),
    });
    const jar = new Jar(target);
    const answer = await jar.post("/magic");
    expect([answer.status, answer.body.code]).toEqual([401, "second-factor-required"]);
    expect(await jar.isIn()).toBe(false);
  });

  test("is never given for a wrong password", async () => {
    const { target } = await waiting();
    const answer = await new Jar(target).post("/login", { username: "alice", password: "wrong" });
    expect([answer.status, answer.text]).toEqual([401, "Unauthorized"]);
  });
});

describe("while a second factor is due", () => {
  test.each(["/account", "/api/data", "/", "/nowhere"])("GET %s is 401 for a client of the API", async (path) => {
    const { jar } = await waiting();
    const answer = await jar.get(path);
    expect([answer.status, answer.body]).toEqual([
      401,
      expect.objectContaining({ code: "second-factor-required", location: "/2fa", methods: expect.any(Array) }),
    ]);
  });

  test.each(["/account", "/", "/nowhere"])("GET %s is 303 to the challenge for a browser", async (path) => {
    const { jar } = await waiting();
    const answer = await jar.page(path);
    expect([answer.status, answer.headers.location]).toEqual([303, "/2fa"]);
  });

  test.each(["post", "put", "patch", "delete"] as const)("%s is refused as well", async (verb) => {
    let reached = 0;
    const { jar } = await waiting({
      routes: (app) =>
        app.all("/transfer", (_req, res) => {
          reached += 1;
          res.json({});
        }),
    });
    const answer = await jar.agent[verb]("/transfer").set("Accept", "application/json");
    expect([answer.status, answer.body.code, reached]).toEqual([401, "second-factor-required", 0]);
  });

  test("GET /2fa says what can be given, what comes first, and until when", async () => {
    const { target, jar } = await waiting();
    const { status, body } = await jar.get("/2fa");
    expect(status).toBe(200);
    expect(body).toEqual({
      status: "pending",
      methods: [
        { type: "totp", factors: [{ id: expect.any(String), label: "Authenticator app" }] },
        { type: "backup-code", factors: [{ id: expect.any(String), label: "" }] },
      ],
      preferred: "totp",
      expiresAt: new Date(target.clock() + 10 * MINUTE).toISOString(),
    });
  });

  test("GET /2fa is the challenge's page for a browser", async () => {
    const { jar } = await waiting();
    const page = await jar.page("/2fa");
    expect([page.status, page.headers["content-type"]]).toEqual([200, expect.stringMatching(/^text\/html/)]);
    expect(page.text).toContain('action="/2fa/totp"');
    expect(page.text).toContain("a•••@acme.test");
  });

  test("the settings are closed", async () => {
    const { jar } = await waiting();
    const answer = await jar.get("/2fa/settings");
    expect([answer.status, answer.body.code]).toEqual([401, "second-factor-required"]);
    expect(answer.body.methods).toHaveLength(2);
  });

  test("nothing of the account can be changed", async () => {
    const { jar, factorId } = await waiting();
    for (const path of [
      "totp/enroll",
      "backup-codes",
      `factors/${factorId}/remove`,
      "disable",
      "sessions/revoke-others",
    ]) {
      const answer = await jar.post(`/2fa/${path}`);
      expect([path, answer.status, answer.body.code]).toEqual([path, 401, "second-factor-required"]);
    }
  });
});

describe("without a login", () => {
  test("the application is as it was", async () => {
    const jar = new Jar(testApp());
    expect((await jar.get("/account")).body).toEqual({ code: "app-says-log-in" });
    expect((await jar.get("/")).body).toEqual({ user: null, canary: null, status: "anonymous" });
  });

  test("the second-factor routes ask for one", async () => {
    const jar = new Jar(testApp());
    for (const answer of [await jar.get("/2fa"), await jar.get("/2fa/settings"), await jar.verify("000000")]) {
      expect([answer.status, answer.body.code]).toEqual([401, "login-required"]);
    }
  });

  test("no store is asked, so that it may be away", async () => {
    const store = faultyStore();
    const jar = new Jar(testApp({ store, options: { keys: `k:${randomBytes(32).toString("base64")}` } }));
    store.fail("read", REJECTS);
    expect((await jar.get("/account")).body).toEqual({ code: "app-says-log-in" });
  });
});

describe("req.secondFactor", () => {
  const worth: TestAppOptions = {
    options: { exempt: ["/login", "/worth"] },
    routes: (app) =>
      app.get("/worth", (req, res) => {
        res.json({ ...req.secondFactor, hidden: req.user === undefined, isIn: req.isAuthenticated() });
      }),
  };

  async function told(jar: Jar): Promise<SecondFactorState & { hidden: boolean; isIn: boolean }> {
    return (await jar.get("/worth")).body;
  }

  test("of nobody", async () => {
    expect(await told(new Jar(testApp(worth)))).toEqual({
      status: "anonymous",
      methods: [],
      amr: [],
      aal: 0,
      phishingResistant: false,
      enrolled: false,
      hidden: true,
      isIn: false,
    });
  });

  test("of a user without a second factor", async () => {
    const jar = await pending(testApp(worth), "carol");
    expect(await told(jar)).toMatchObject({
      status: "not-enrolled",
      aal: 1,
      enrolled: false,
      hidden: false,
      isIn: true,
    });
  });

  test("of one who has to give it: known here, hidden everywhere else", async () => {
    const { jar } = await waiting(worth);
    expect(await told(jar)).toMatchObject({
      status: "pending",
      user: { name: "alice" },
      methods: ["totp", "backup-code"],
      amr: [],
      aal: 1,
      enrolled: true,
      hidden: true,
      isIn: false,
    });
  });

  test("of one who gave it", async () => {
    const { target, jar, phone } = await waiting(worth);
    const at = new Date(target.clock()).toISOString();
    await jar.verify(phone.code(target.clock()));
    expect(await told(jar)).toMatchObject({
      status: "verified",
      amr: ["otp", "mfa"],
      aal: 2,
      phishingResistant: false,
      verifiedAt: at,
      hidden: false,
      isIn: true,
    });
    target.clock.advance(5 * MINUTE);
    expect((await told(jar)).verifiedAt).toBe(at);
  });

  test("of one on a trusted browser", async () => {
    const { target, phone } = await waiting(worth);
    const jar = await trusted(target, "alice", phone);
    await jar.post("/logout");
    await jar.login("alice");
    expect(await told(jar)).toMatchObject({ status: "trusted-device", amr: [], aal: 1, hidden: false });
  });
});

describe("a step-up", () => {
  test("is a method's POST in a full login: a new proof, a new session id, and the way back", async () => {
    const { target, phone } = await waiting();
    const jar = await full(target, "alice", phone);
    const before = await jar.get("/2fa/settings");
    target.clock.advance(STEP);
    const answer = await jar.verify(phone.code(target.clock()));
    expect([answer.status, answer.body]).toEqual([200, { status: "verified", redirectTo: "/", amr: ["otp", "mfa"] }]);
    const after = await jar.get("/2fa/settings");
    expect(after.body.sessions).toHaveLength(1);
    expect(after.body.sessions[0].verifiedAt).toBe(new Date(target.clock()).toISOString());
    expect(after.body.sessions[0].createdAt).toBe(before.body.sessions[0].createdAt);
  });

  test("keeps the newest proof of each kind", async () => {
    const { target, phone, backupCodes } = await waiting();
    const jar = await full(target, "alice", phone);
    const answer = await jar.post("/2fa/backup-code", { code: backupCodes[0]! });
    expect(answer.body).toMatchObject({ amr: ["otp", "mfa"], remaining: 9 });
  });

  test("that fails leaves the login as it is", async () => {
    const { target, phone } = await waiting();
    const jar = await full(target, "alice", phone);
    expect((await jar.verify("000000")).status).toBe(401);
    expect(await jar.isIn()).toBe(true);
  });

  test("is nothing for a user without a second factor: their code is wrong", async () => {
    const jar = await pending(testApp(), "carol");
    const answer = await jar.verify("000000");
    expect([answer.status, answer.body.code]).toEqual([401, "invalid-code"]);
  });
});
