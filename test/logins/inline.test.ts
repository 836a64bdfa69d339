import { promisify } from "node:util";
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import type { Express, Request } from "express";
import { testApp, type TestApp, type TestAppOptions, type TestUser, userNamed } from "../support/app.js";
import { enrolled, Jar } from "../support/browser.js";
import { faultyStore, REJECTS } from "../support/faults.js";

interface Inline {
  readonly secondFactor: "inline";
  readonly session?: boolean;
}

const INLINE: Inline = { secondFactor: "inline" };

type LogIn = (req: Request, user: TestUser, options: Inline) => Promise<void>;

function failed(error: unknown): Error {
  return error as Error;
}

const styles: readonly [string, LogIn][] = [
  [
    "a callback",
    (req, user, options) =>
      new Promise((resolve, reject) => {
        req.logIn(user, options, (error: unknown) => {
          if (error === undefined || error === null) resolve();
          else reject(failed(error));
        });
      }),
  ],
  ["promisify and bind", (req, user, options) => promisify(req.logIn.bind(req) as Promisable)(user, options)],
  ["promisify and call", (req, user, options) => promisify(req.login as Promisable).call(req, user, options)],
];

type Promisable = (user: TestUser, options: Inline, done: (error: unknown) => void) => void;

/** An application that holds something around its logins: how much of it is still held, and what it was told. */
interface InlineApp extends TestApp {
  open(): number;
  failures(): readonly unknown[];
}

function inlineApp(logIn: LogIn, options: Inline = INLINE, rest: TestAppOptions = {}): InlineApp {
  let held = 0;
  const failures: unknown[] = [];
  const target = testApp({
    ...rest,
    routes(app: Express) {
      app.post("/api/session/:name", async (req, res, next) => {
        held += 1;
        try {
          await logIn(req, userNamed(req.params.name), options);
          const { status, user } = req.secondFactor;
          res.json({ status, isIn: req.isAuthenticated(), user: req.user ?? null, waits: (user as TestUser).name });
        } catch (error) {
          failures.push(error);
          next(error);
        } finally {
          held -= 1;
        }
      });
    },
  });
  return { ...target, open: () => held, failures: () => failures };
}

describe.each(styles)('req.logIn(user, { secondFactor: "inline" }) awaited by %s', (_name, logIn) => {
  test("comes back without an error, the user hidden, and the application answers", async () => {
    const target = inlineApp(logIn);
    const { phone } = await enrolled(target, "alice");
    const jar = new Jar(target);
    const answer = await jar.post("/api/session/alice");
    expect([answer.status, answer.body]).toEqual([200, { status: "pending", isIn: false, user: null, waits: "alice" }]);
    expect([target.open(), await jar.isIn()]).toEqual([0, false]);
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
  });

  test("comes back complete where nothing is due", async () => {
    const target = inlineApp(logIn);
    const jar = new Jar(target);
    const answer = await jar.post("/api/session/carol");
    expect(answer.body).toMatchObject({ status: "not-enrolled", isIn: true, user: { name: "carol" } });
    expect([target.open(), await jar.isIn()]).toEqual([0, true]);
  });

  test("says that a factor is to be set up first", async () => {
    const jar = new Jar(inlineApp(logIn, INLINE, { options: { policy: "required" } }));
    expect((await jar.post("/api/session/carol")).body).toMatchObject({ status: "must-enroll", isIn: false });
    expect(await jar.isIn()).toBe(false);
  });

  test.each([
    ["the store does not answer", { status: 503, code: "unavailable" }],
    ["onLogin refuses", { status: 503, code: "login-failed" }],
  ])("comes back with an error where %s, and nobody is in", async (reason, expected) => {
    const store = faultyStore();
    const onLogin = (): void => {
      if (reason === "onLogin refuses") throw new Error("no seat is left");
    };
    const target = inlineApp(logIn, INLINE, { store, options: { onLogin, storeTimeout: "50ms" } });
    const jar = new Jar(target);
    if (reason !== "onLogin refuses") store.fail("read", REJECTS);
    await jar.post("/api/session/carol");
    store.heal();
    expect(target.failures()).toMatchObject([expected]);
    expect([target.open(), await jar.isIn()]).toEqual([0, false]);
  });

  test("opens nothing where no session is kept", async () => {
    const target = inlineApp(logIn, { ...INLINE, session: false });
    await enrolled(target, "alice");
    const jar = new Jar(target);
    expect((await jar.post("/api/session/alice")).body).toMatchObject({ status: "pending", isIn: false });
    expect(await jar.isIn()).toBe(false);
  });
});

describe("what Passport takes, req.logIn takes", () => {
  function called(act: (req: Request, done: (error?: unknown) => void) => void): TestApp {
    return testApp({
      routes(app) {
        app.post("/called", (req, res, next) => {
          act(req, (error) => {
            if (error === undefined || error === null) res.json({ isIn: req.isAuthenticated() });
            else next(error);
          });
        });
      },
    });
  }

  type Loose = (...given: unknown[]) => void;

  test.each<[string, (logIn: Loose, done: Loose) => void]>([
    [
      "(user, done)",
      (logIn, done) => {
        logIn(userNamed("carol"), done);
      },
    ],
    [
      "(user, null, done)",
      (logIn, done) => {
        logIn(userNamed("carol"), null, done);
      },
    ],
    [
      "(user, undefined, done)",
      (logIn, done) => {
        logIn(userNamed("carol"), undefined, done);
      },
    ],
    [
      "(user, {}, done)",
      (logIn, done) => {
        logIn(userNamed("carol"), {}, done);
      },
    ],
  ])("as %s", async (_name, act) => {
    const jar = new Jar(
      called((req, done) => {
        act(req.logIn.bind(req) as Loose, done);
      }),
    );
    expect((await jar.post("/called")).body).toEqual({ isIn: true });
    expect(await jar.isIn()).toBe(true);
  });

  test.each<[string, (logIn: Loose) => void]>([
    [
      "(user)",
      (logIn) => {
        logIn(userNamed("carol"));
      },
    ],
    [
      "(user, {})",
      (logIn) => {
        logIn(userNamed("carol"), {});
      },
    ],
    [
      "(user, null, null)",
      (logIn) => {
        logIn(userNamed("carol"), null, null);
      },
    ],
  ])("as %s it throws as Passport does, and nobody is in", async (_name, act) => {
    const jar = new Jar(
      called((req, done) => {
        act(req.logIn.bind(req) as Loose);
        done();
      }),
    );
    expect((await jar.post("/called")).body).toMatchObject({ message: "req#login requires a callback function" });
    expect(await jar.isIn()).toBe(false);
  });

  test("without a callback where no session is kept, as Passport", async () => {
    const jar = new Jar(
      called((req, done) => {
        (req.logIn.bind(req) as Loose)(userNamed("carol"), { session: false });
        setTimeout(done, 20);
      }),
    );
    expect((await jar.post("/called")).body).toEqual({ isIn: true });
  });
});

describe("a promise of req.logIn without it", () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test("is answered by the middleware, and the developer is told once what to write", async () => {
    const seen: string[] = [];
    jest.spyOn(process, "emitWarning").mockImplementation(((text: string, { code }: { code: string }) => {
      if (code === "SECOND_FACTOR_AWAITED_LOGIN") seen.push(text);
    }) as never);
    const [bound, called] = [styles[1]![1], styles[2]![1]];
    const waiting = (logIn: LogIn) => inlineApp(logIn, {} as Inline);
    const [first, second] = [waiting(bound), waiting(called)];
    for (const target of [first, second]) {
      await enrolled(target, "alice");
      const answer = await new Jar(target).post("/api/session/alice");
      expect([answer.status, answer.body.code]).toEqual([401, "second-factor-required"]);
    }
    expect(seen).toEqual([expect.stringContaining('{ secondFactor: "inline" }')]);
  });

  test.each(styles)("by %s comes back where nothing is due", async (_name, logIn) => {
    const target = inlineApp(logIn, {} as Inline);
    expect((await new Jar(target).post("/api/session/carol")).body).toMatchObject({ isIn: true });
    expect(target.open()).toBe(0);
  });

  test("whose callback is one gets no error for a login that waits", async () => {
    const errors: unknown[] = [];
    const target = testApp({
      routes(app) {
        app.post("/callback", (req) => {
          req.logIn(userNamed("alice"), (error: unknown) => errors.push(error));
        });
      },
    });
    await enrolled(target, "alice");
    const answer = await new Jar(target).post("/callback");
    expect([answer.body.code, errors]).toEqual(["second-factor-required", []]);
  });
});
