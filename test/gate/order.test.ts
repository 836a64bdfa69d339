import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler } from "express";
import session from "express-session";
import passport from "passport";
import supertest from "supertest";
import { ConfigurationError, memoryStore, secondFactor, type SecondFactorOptions } from "express-second-factor";
import { CANARY, guarded, ORIGIN, passwordOf, TEST_KEYS, testApp, usePassport } from "../support/app.js";
import { enrolled, Jar } from "../support/browser.js";
import { HeaderStrategy } from "../support/first-factors.js";

let warned: string[];

beforeEach(() => {
  warned = [];
  jest.spyOn(process, "emitWarning").mockImplementation(((warning: string | Error, options?: { code?: string }) => {
    warned.push(`${options?.code ?? ""}: ${String(warning)}`);
  }) as typeof process.emitWarning);
});

afterEach(() => {
  jest.restoreAllMocks();
});

interface Parts {
  readonly app: Express;
  readonly sessions: RequestHandler;
  readonly mfa: RequestHandler;
  readonly authenticator: passport.Authenticator;
}

/** Alice has a second factor; the application is put together by `mount`, and keeps the errors its handler is told. */
async function misordered(mount: (parts: Parts) => void, options: Partial<SecondFactorOptions> = {}) {
  const store = memoryStore();
  await enrolled(testApp({ store }), "alice");
  const authenticator = usePassport();
  authenticator.use(new HeaderStrategy());
  const app = express();
  const mfa = secondFactor({ issuer: "Acme", origin: ORIGIN, keys: TEST_KEYS, store, ...options });
  const sessions = session({ secret: "test", resave: false, saveUninitialized: false });
  app.use(express.json());
  mount({ app, sessions, mfa, authenticator });
  app.post("/login", authenticator.authenticate("local"), guarded);
  app.get("/account", guarded);
  app.get("/by-token", authenticator.authenticate("header", { session: false }), guarded);
  app.get("/user", (req, res) => void res.json({ user: req.user ?? null, canary: req.user ? CANARY : null }));
  const errors: unknown[] = [];
  app.use(((error, req, res, _next) => {
    errors.push(error);
    res.status(500).json({ user: req.user ?? null });
  }) as ErrorRequestHandler);
  return { agent: supertest.agent(app), errors };
}

type SessionStrategy = new (options: object, restore: (...given: never[]) => void) => passport.Strategy;

/** As `passport.session()` is, but with a place of its own in the session. */
function restoring(key: string): passport.Strategy {
  const { SessionStrategy } = (passport as unknown as { strategies: { SessionStrategy: SessionStrategy } }).strategies;
  return new SessionStrategy({ key }, (id: unknown, _req: Request, done: (error: null, user: object) => void) => {
    done(null, { id });
  });
}

const LOGIN = { username: "alice", password: passwordOf("alice") };

const ORDERS: readonly [string, (parts: Parts) => void][] = [
  [
    "above passport.session()",
    ({ app, authenticator, mfa, sessions }) => app.use(sessions, mfa, authenticator.session()),
  ],
  [
    "above passport.initialize() and passport.session()",
    ({ app, authenticator, mfa, sessions }) =>
      app.use(sessions, mfa, authenticator.initialize(), authenticator.session()),
  ],
  [
    "above passport.initialize()",
    ({ app, authenticator, mfa, sessions }) => app.use(sessions, mfa, authenticator.initialize()),
  ],
  ["without either", ({ app, mfa, sessions }) => app.use(sessions, mfa)],
];

describe("a middleware that stands", () => {
  test.each(ORDERS)(
    "%s: a bearer token of an enrolled user opens nothing, and what to move is said",
    async (_name, mount) => {
      const { agent, errors } = await misordered(mount);
      const answer = await agent.get("/by-token").set("X-Test-User", "alice");
      expect([answer.status, answer.body]).toEqual([500, { user: null }]);
      expect(errors).toEqual([expect.any(ConfigurationError)]);
      expect((errors[0] as Error).message).toMatch(/app\.use\(mfa\) must come after app\.use\(passport\.session\(\)\)/);
    },
  );

  test.each(ORDERS)("%s: no login is made, and the next request is nobody's", async (_name, mount) => {
    const { agent, errors } = await misordered(mount);
    expect((await agent.get("/user")).status).toBe(200);
    expect((await agent.post("/login").send(LOGIN)).status).toBe(500);
    expect(errors).toEqual([expect.any(ConfigurationError)]);
    expect((await agent.get("/user")).body).toEqual({ user: null, canary: null });
  });

  test("above a passport.session() with a key of its own: whom it restores is hidden", async () => {
    const restore: RequestHandler = (req, _res, next) => {
      (req.session as unknown as Record<string, unknown>)["members"] = { user: "u1" };
      next();
    };
    const keyed = ({ app, authenticator, mfa, sessions }: Parts): void => {
      const strategy = restoring("members");
      authenticator.use("members", strategy);
      app.use(sessions, restore, mfa, authenticator.authenticate("members"));
    };
    const { agent } = await misordered(keyed);
    expect((await agent.get("/user")).body).toEqual({ user: null, canary: null });
    expect((await agent.get("/account")).text).not.toContain(CANARY);
  });

  test("beside users that something else than Passport puts on the request: they are refused", async () => {
    const { agent, errors } = await misordered(({ app, mfa, sessions }) => {
      app.use(
        sessions,
        (req, _res, next) => {
          if (req.get("x-test-user") !== undefined) req.user = { id: "u1" };
          next();
        },
        mfa,
      );
    });
    expect((await agent.get("/user")).status).toBe(200);
    expect((await agent.get("/user").set("X-Test-User", "alice")).body).toEqual({ user: null });
    expect((errors[0] as Error).message).toMatch(/must come after app\.use\(passport\.session\(\)\)/);
  });
});

test("two Passports that keep a login each on one request are refused: the second's alone would be asked", async () => {
  const members = (key: string): RequestHandler =>
    new passport.Passport().authenticate(restoring(key)) as RequestHandler;
  const { agent, errors } = await misordered(({ app, authenticator, mfa, sessions }) => {
    app.use(sessions, (req, _res, next) => {
      Object.assign(req.session, { customers: { user: "u1" } });
      next();
    });
    app.use(members("customers"), authenticator.initialize({ userProperty: "admin" }), members("admins"), mfa);
  });
  const answer = await agent.get("/user");
  expect([answer.status, answer.body]).toEqual([500, { user: null }]);
  expect((errors[0] as Error).message).toMatch(/two Passports keep a login each/);
});

describe("a middleware mounted below a path", () => {
  test("is named at its first request, once: everything else is open", async () => {
    const { agent } = await misordered(({ app, authenticator, mfa, sessions }) => {
      app.use(sessions, authenticator.session());
      app.use("/admin", mfa);
    });
    for (let count = 0; count < 2; count += 1) await agent.get("/admin");
    expect(warned).toEqual([
      expect.stringMatching(/^SECOND_FACTOR_MOUNT: app\.use\("\/admin", mfa\).*Write app\.use\(mfa\)/),
    ]);
  });

  test.each(["/app", "/app/", "/:tenant"])(
    "is not named in an application that is mounted itself, at %s",
    async (path) => {
      const target = testApp();
      const jar = new Jar(target, express().use(path, target.app));
      expect((await jar.get("/app/account")).status).toBe(401);
      expect(warned).toEqual([]);
    },
  );
});

describe("called as no middleware is", () => {
  const mfa = secondFactor({ issuer: "Acme", origin: ORIGIN, keys: TEST_KEYS }) as unknown as (
    ...given: unknown[]
  ) => void;

  test.each([[[]], [[{}]], [[{}, {}]], [[undefined, undefined, undefined]]])(
    "with %j it says how it is mounted",
    (given) => {
      expect(() => mfa(...given)).toThrow(ConfigurationError);
      expect(() => mfa(...given)).toThrow(/write app\.use\(mfa\), not app\.use\(mfa\(\)\)/);
    },
  );

  test("with the request of another server it tells next, and hides the user", () => {
    const handshake = { headers: {}, user: { id: "u1" }, session: {} };
    const told: unknown[] = [];
    for (const res of [{}, undefined]) mfa(handshake, res, (error: unknown) => told.push(error));
    expect(told).toEqual([expect.any(ConfigurationError), expect.any(ConfigurationError)]);
    expect((told[0] as Error).message).toMatch(/requests of Express only.*socket\.io/);
    expect(handshake.user).toBeUndefined();
  });

  test("secondFactor itself as a middleware is named", async () => {
    const app = express();
    app.use(secondFactor as unknown as RequestHandler);
    const told: unknown[] = [];
    app.use(((error, _req: Request, res, _next) => {
      told.push(error);
      res.end();
    }) as ErrorRequestHandler);
    await supertest(app).get("/");
    expect((told[0] as ConfigurationError).problems).toEqual([
      expect.stringMatching(/write app\.use\(secondFactor\(\{/),
    ]);
  });
});
