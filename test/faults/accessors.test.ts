import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import type { NextFunction, Request, RequestHandler, Response } from "express";
import type { SecondFactor } from "express-second-factor";
import { CANARY, passwordOf, testApp, type TestApp } from "../support/app.js";
import { MINUTE, NO_LIMITS } from "../support/attack.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";

/** Passport copies the session in a callback of the session store, where nobody could catch what fails. */
const PASSPORTS: readonly Name[] = ["session.cookie"];

/** What would have ended the process. */
let lost: unknown[];
const lose = (error: unknown): void => {
  lost.push(error);
};

beforeEach(() => {
  lost = [];
  process.on("unhandledRejection", lose);
  process.on("uncaughtException", lose);
});

afterEach(async () => {
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", lose);
  process.off("uncaughtException", lose);
  expect(lost).toEqual([]);
});

type Watched = "req" | "res" | "session";
type Name = `${Watched}.${string}`;

/** Names that are asked for, and the one that fails. */
interface Watch {
  readonly asked: Set<Name>;
  failing: Name | undefined;
}

/** Their own methods are asked of them whole: what they ask among themselves is Node's and Express's. */
function watched<T extends object>(target: T, what: Watched, watch: Watch): T {
  return new Proxy(target, {
    get(object, name) {
      if (typeof name === "symbol") return Reflect.get(object, name) as unknown;
      watch.asked.add(`${what}.${name}`);
      if (watch.failing === `${what}.${name}`) throw new Error("The accessor failed");
      const value: unknown = Reflect.get(object, name, object);
      if (name === "session") return value === undefined ? value : watched(value as object, "session", watch);
      const isOwnMethod = typeof value === "function" && !/^log(in|out)$/i.test(name);
      return isOwnMethod ? (value as () => unknown).bind(object) : value;
    },
  });
}

interface Outcome {
  readonly went: "on" | "to the error handler";
  readonly user: unknown;
}

/** An application whose middleware sees its requests through a watch, and answers what came of it. */
function watchedApp(watch: Watch): TestApp {
  const made: { mfa?: SecondFactor } = {};
  const through: RequestHandler = (req, res, next) => {
    const { mfa } = made;
    if (req.get("x-watched") === undefined || mfa === undefined) {
      next();
      return;
    }
    const done: NextFunction = (error?: unknown) => {
      const outcome: Outcome = { went: error === undefined ? "on" : "to the error handler", user: req.user ?? null };
      if (!res.headersSent) res.status(418).json(outcome);
    };
    mfa(watched(req, "req", watch), watched(res, "res", watch), done);
  };
  const target = testApp({ options: { limits: NO_LIMITS }, before: (app) => app.use(through) });
  made.mfa = target.mfa;
  return target;
}

interface Scene {
  readonly name: string;
  readonly isPending: boolean;
  /** It uses its login up. */
  readonly isOver?: true;
  begin(target: TestApp): Promise<Jar>;
  ask(jar: Jar): ReturnType<Jar["get"]>;
}

const alice = (target: TestApp): Promise<Jar> => pending(target, "alice");
const waits = { begin: alice, isPending: true };

const SCENES: readonly Scene[] = [
  { ...waits, name: "a client whose factor is due", ask: (jar) => jar.get("/account") },
  { ...waits, name: "a browser whose factor is due", ask: (jar) => jar.page("/account") },
  { ...waits, name: "the challenge", ask: (jar) => jar.page("/2fa") },
  { ...waits, name: "a wrong code", ask: (jar) => jar.verify("000000") },
  { ...waits, name: "a form of another site", ask: (jar) => jar.form("/2fa/totp").set("Sec-Fetch-Site", "cross-site") },
  { ...waits, isOver: true, name: "turning away", ask: (jar) => jar.post("/2fa/cancel") },
  {
    ...waits,
    isOver: true,
    name: "a login that took too long",
    begin: async (target) => {
      const jar = await alice(target);
      target.clock.advance(11 * MINUTE);
      return jar;
    },
    ask: (jar) => jar.get("/2fa"),
  },
  {
    name: "a login without a factor",
    isPending: false,
    begin: (target) => pending(target, "carol"),
    ask: (jar) => jar.get("/account"),
  },
  { name: "nobody", isPending: false, begin: async (target) => new Jar(target), ask: (jar) => jar.post("/2fa/totp") },
];

describe("an accessor that fails", () => {
  test.each(SCENES)(
    "of request, response or session, in turn: $name is refused, and nothing else happens",
    async (scene) => {
      const watch: Watch = { asked: new Set(), failing: undefined };
      const target = watchedApp(watch);
      await enrolled(target, "alice");
      let jar = await scene.begin(target);
      const run = async (failing: Name | undefined): Promise<void> => {
        watch.failing = failing;
        const answer = await scene
          .ask(jar)
          .set("X-Watched", "yes")
          .timeout(2_000)
          .then(
            ({ body, status, text }) => ({ status, body: body as Outcome, open: text.includes(CANARY) }),
            // Who cannot be answered is hung up on.
            (error: unknown) => {
              const isHungUp = (error as { code?: string }).code === "ECONNRESET";
              return { status: isHungUp ? 599 : 0, body: {}, open: false };
            },
          );
        watch.failing = undefined;
        expect([failing, answer.status > 0, answer.open]).toEqual([failing, true, false]);
        const wentOn = { went: "to the error handler", user: null };
        if (scene.isPending && answer.status === 418) expect([failing, answer.body]).toEqual([failing, wentOn]);
        if (scene.isOver === true) jar = await scene.begin(target);
      };
      await run(undefined);
      expect(watch.asked.size).toBeGreaterThan(10);
      for (const name of watch.asked) if (!(scene.isOver && PASSPORTS.includes(name))) await run(name);
      expect(lost).toEqual([]);
      if (scene.isPending && scene.isOver !== true) expect((await jar.get("/2fa")).body.status).toBe("pending");
    },
  );
});

describe("a user on the request", () => {
  const failing = (descriptor: PropertyDescriptor): TestApp =>
    testApp({
      before: (app) =>
        app.use((req, _res, next) => {
          const user = req.user;
          const value = "value" in descriptor ? { value: user } : {};
          if (req.get("x-broken") !== undefined) Object.defineProperty(req, "user", { ...descriptor, ...value });
          next();
        }),
    });
  const fails = (): never => {
    throw new Error("The getter failed");
  };

  test.each<[string, PropertyDescriptor]>([
    ["that throws", { configurable: true, get: fails }],
    ["that throws and cannot be replaced", { configurable: false, get: fails }],
    ["that cannot be replaced", { configurable: false, writable: false, value: true }],
    ["that cannot be replaced, but written", { configurable: false, writable: true, value: true }],
  ])("%s is refused, and the process goes on", async (_name, descriptor) => {
    const target = failing(descriptor);
    await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    for (const path of ["/account", "/2fa", "/login"]) {
      const answer = await jar.get(path).set("X-Broken", "yes");
      expect([path, answer.status, answer.text.includes(CANARY)]).toEqual([path, 503, false]);
    }
    expect((await jar.get("/2fa")).body.status).toBe("pending");
  });
});

test("a trust proxy function that throws is refused, and the process goes on", async () => {
  let works = true;
  const target = testApp({
    before: (app) =>
      app.set("trust proxy", () => {
        if (!works) throw new Error("The list of proxies is away");
        return false;
      }),
  });
  await enrolled(target, "alice");
  const jar = await pending(target, "alice");
  works = false;
  for (const asked of [jar.get("/account"), jar.get("/2fa"), jar.verify("000000"), new Jar(target).get("/account")]) {
    const answer = await asked.set("X-Forwarded-For", "203.0.113.9");
    expect(answer.text).not.toContain(CANARY);
  }
  works = true;
  expect((await jar.get("/2fa")).body.status).toBe("pending");
});

describe("callbacks that are none, and callbacks that throw:", () => {
  type Loose = Record<string, (...given: unknown[]) => unknown>;
  const looseSession = (req: Request): Loose => req.session as unknown as Loose;
  const WAYS: Readonly<Record<string, (req: Request) => unknown>> = {
    "session.destroy(null)": (req) => looseSession(req)["destroy"]!(null),
    "session.destroy()": (req) => looseSession(req)["destroy"]!(),
    "session.save(null)": (req) => looseSession(req)["save"]!(null),
    "req.logout(null, null)": (req) => (req as unknown as Loose)["logout"]!(null, null),
  };

  test.each(Object.keys(WAYS))("%s ends no process", async (way) => {
    const target = testApp({
      routes: (app) =>
        void app.post("/act", (req, res) => {
          WAYS[way]!(req);
          res.status(204).end();
        }),
    });
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    expect((await jar.post("/act")).status).toBe(204);
    await new Promise((resolve) => setTimeout(resolve, 20));
  });

  test("what the application's callback of a login throws is answered, and ends no process", async () => {
    const warned = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const target = testApp({
      routes: (app) =>
        void app.post("/act", (req: Request, _res: Response) => {
          req.logIn({ id: "u3" }, { session: false }, () => {
            throw new Error("The application's own");
          });
        }),
    });
    expect((await new Jar(target).post("/act")).status).toBe(503);
    expect(warned.mock.calls.map(([text]) => String(text))).toEqual([expect.stringContaining("The application's own")]);
    warned.mockRestore();
  });

  test("what the application's callback of a strategy throws is no more", async () => {
    const target = testApp({
      options: { exempt: ["/login", "/act"] },
      routes: (app, mfa, authenticator) => {
        authenticator.use(mfa.strategy("totp"));
        app.post("/act", (req, res, next) => {
          const decide = (error: unknown): void => {
            if (error instanceof Error) next(error);
            else throw new Error("The application's own");
          };
          (authenticator.authenticate("totp", decide) as RequestHandler)(req, res, next);
        });
      },
    });
    await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    expect((await jar.post("/act", { code: "000000" })).body).toMatchObject({ code: "app-error" });
  });
});

test("a clock that fails while a refusal is told of does not stop it", async () => {
  let works = true;
  const clock = (): number => {
    if (works) return Date.now();
    throw new Error("The clock stands still");
  };
  const target = testApp({ options: { clock } });
  await new Jar(target).post("/login", { username: "carol", password: passwordOf("carol") });
  const jar = await pending(target, "carol");
  works = false;
  expect((await jar.get("/account")).status).toBe(503);
  works = true;
  expect(await jar.isIn()).toBe(true);
});
