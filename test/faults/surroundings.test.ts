import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import express, { type Express, type RequestHandler } from "express";
import session from "express-session";
import supertest from "supertest";
import { ConfigurationError, secondFactor } from "express-second-factor";
import { ORIGIN, TEST_KEYS, testApp, usePassport } from "../support/app.js";
import { enrolled, Jar, pending } from "../support/browser.js";

let environment: string | undefined;
let warned: { readonly code: string; readonly message: string }[];

beforeEach(() => {
  environment = process.env["NODE_ENV"];
  warned = [];
  jest.spyOn(process, "emitWarning").mockImplementation(((message: string, options?: { code?: string }) => {
    warned.push({ code: options?.code ?? "", message });
  }) as typeof process.emitWarning);
});

afterEach(() => {
  process.env["NODE_ENV"] = environment;
  jest.restoreAllMocks();
});

function warnings(code: string): string[] {
  return warned.filter((each) => each.code === code).map(({ message }) => message);
}

/** What csurf and its successors do: a token for whoever asks for one, and 403 for a write that does not bring it. */
const csurf: RequestHandler = (req, res, next) => {
  Object.assign(req, { csrfToken: () => "token" });
  const isRead = ["GET", "HEAD", "OPTIONS"].includes(req.method);
  if (isRead || req.get("x-csrf-token") === "token" || req.path === "/login") next();
  else res.status(403).json({ code: "EBADCSRFTOKEN" });
};

describe("a CSRF middleware above app.use(mfa)", () => {
  const above = (app: Express): unknown => app.use(csurf);

  test("is named at the first page whose forms it would refuse, once, with where it belongs", async () => {
    const target = testApp({ before: above });
    const jar = new Jar(target);
    await jar.login("carol");
    expect((await jar.form("/2fa/totp/enroll")).body.code).toBe("EBADCSRFTOKEN");
    expect(warnings("SECOND_FACTOR_CSRF")).toEqual([]);
    for (let count = 0; count < 2; count += 1) await jar.page("/2fa/settings");
    expect(warnings("SECOND_FACTOR_CSRF")).toEqual([
      expect.stringMatching(
        /^A CSRF middleware stands above app\.use\(mfa\).* "\/2fa".*Write app\.use\(mfa\) above it/,
      ),
    ]);
  });

  test("is not named where it lets our forms pass, nor where it stands below", async () => {
    const leavesOut: RequestHandler = (req, res, next) => {
      if (req.path.startsWith("/2fa/")) next();
      else csurf(req, res, next);
    };
    for (const target of [
      testApp({ before: (app) => app.use(leavesOut) }),
      testApp({ routes: (app) => app.use(csurf) }),
    ]) {
      const jar = new Jar(target);
      await jar.login("carol");
      expect((await jar.page("/2fa/settings")).status).toBe(200);
      expect((await jar.form("/2fa/totp/enroll")).status).toBe(303);
    }
    expect(warnings("SECOND_FACTOR_CSRF")).toEqual([]);
  });
});

describe("a page that is opened at a host that is not in origin", () => {
  test("is named once, with both", async () => {
    const jar = await pending(testApp(), "carol");
    for (let count = 0; count < 2; count += 1) await jar.page("/2fa/settings").set("Host", "127.0.0.1:3000");
    expect(warnings("SECOND_FACTOR_HOST")).toEqual([
      expect.stringMatching(
        /"127\.0\.0\.1:3000".*the origin option is "http:\/\/localhost:3000".*add this one to the option/,
      ),
    ]);
  });

  test.each([
    ["Host is the origin's", { Host: "localhost:3000" }],
    ["a proxy says the browser's host beside its own", { Host: "app:8080", "X-Forwarded-Host": "localhost:3000" }],
    ["the browser comes from a page of the origin", { Host: "app:8080", Referer: "http://localhost:3000/login" }],
  ])("is not named where %s", async (_name, headers) => {
    const jar = await pending(testApp(), "carol");
    await jar.page("/2fa/settings").set(headers);
    expect(warnings("SECOND_FACTOR_HOST")).toEqual([]);
  });

  test("is not named for strangers without a login, nor for clients of the API", async () => {
    const target = testApp();
    await new Jar(target).page("/2fa").set("Host", "evil.test");
    await (await pending(target, "carol")).get("/2fa/settings").set("Host", "evil.test");
    expect(warnings("SECOND_FACTOR_HOST")).toEqual([]);
  });
});

describe("X-Forwarded-Proto without trust proxy", () => {
  test.each(["X-Forwarded-Proto", "X-Forwarded-Scheme", "X-Forwarded-Ssl", "Front-End-Https"])(
    "is named once, with what it does to cookies (%s)",
    async (name) => {
      const jar = new Jar(testApp());
      for (let count = 0; count < 2; count += 1) await jar.get("/").set(name, "https");
      expect(warnings("SECOND_FACTOR_TRUST_PROXY")).toEqual([
        expect.stringMatching(/X-Forwarded-Proto.*"trust proxy" is not set.*secure.*number of proxies/),
      ]);
    },
  );

  test("is not named with it", async () => {
    const jar = new Jar(testApp({ before: (app) => app.set("trust proxy", 1) }));
    await jar.get("/").set("X-Forwarded-Proto", "https").set("X-Forwarded-For", "192.0.2.7");
    expect(warnings("SECOND_FACTOR_TRUST_PROXY")).toEqual([]);
  });
});

describe("a form with neither Origin nor Sec-Fetch-Site", () => {
  async function silent(): Promise<void> {
    const target = testApp();
    await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    for (let count = 0; count < 2; count += 1) {
      const { body, status } = await jar.agent.post("/2fa/totp").type("form").send({ code: "000000" });
      expect([status, body.code]).toEqual([403, "cross-site-request"]);
    }
  }

  test("is refused, and named once with what a test is to send", async () => {
    await silent();
    expect(warnings("SECOND_FACTOR_SILENT_FORM")).toEqual([
      expect.stringMatching(/^A POST to "\/2fa\/totp" .*\.set\("Sec-Fetch-Site", "same-origin"\)/),
    ]);
  });

  test("is not named in production, where strangers decide what they send", async () => {
    const { agent } = await pending(testApp(), "carol");
    process.env["NODE_ENV"] = "production";
    await agent.post("/2fa/totp/enroll").type("form").send({});
    expect(warnings("SECOND_FACTOR_SILENT_FORM")).toEqual([]);
  });
});

test("a route without a session is named with where it belongs, whatever the application's error handler says", async () => {
  const app = express();
  const authenticator = usePassport();
  const mfa = secondFactor({ issuer: "Acme", origin: ORIGIN, keys: TEST_KEYS });
  app.use("/app", session({ secret: "test", resave: false, saveUninitialized: false }), authenticator.session());
  app.use(mfa);
  app.post("/webhook", (_req, res) => res.end());
  const told: unknown[] = [];
  app.use(((error, _req, res, _next) => {
    told.push(error);
    res.status(500).end();
  }) as express.ErrorRequestHandler);
  for (let count = 0; count < 2; count += 1) expect((await supertest(app).post("/webhook")).status).toBe(500);
  expect(told).toEqual([expect.any(ConfigurationError), expect.any(ConfigurationError)]);
  expect(warnings("SECOND_FACTOR_ERROR")).toEqual([
    expect.stringMatching(
      /^session failed: .*there is no session.*webhooks, health checks\) go above app\.use\(mfa\)/s,
    ),
  ]);
});

test("code that keeps something of its own under the session's name of ours is named, once", async () => {
  const target = testApp({
    before(app) {
      app.use((req, _res, next) => {
        if (req.path === "/account") Object.assign(req.session, { secondFactor: "totp" });
        next();
      });
    },
  });
  const jar = await pending(target, "carol");
  expect(warnings("SECOND_FACTOR_SESSION")).toEqual([]);
  for (let count = 0; count < 2; count += 1) await jar.get("/account");
  expect(warnings("SECOND_FACTOR_SESSION")).toEqual([expect.stringMatching(/^req\.session\.secondFactor holds what/)]);
});
