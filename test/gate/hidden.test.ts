import { describe, expect, test } from "@jest/globals";
import type { ErrorRequestHandler, Express, Request, RequestHandler } from "express";
import type passport from "passport";
import { CANARY, testApp, type TestApp, type TestAppOptions, userNamed } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";

type Mount = (app: Express, authenticator: passport.Authenticator) => void;

/** Everything on the request that is Alice, by its name. */
const showAlice: RequestHandler = (req, res) => {
  const names = Object.keys(req).filter((name) => {
    const value: unknown = (req as unknown as Record<string, unknown>)[name];
    return typeof value === "object" && value !== null && (value as { id?: unknown }).id === userNamed("alice").id;
  });
  res.json({ names, canary: req.isAuthenticated() ? CANARY : null });
};

const initialize = (authenticator: passport.Authenticator, userProperty: string): RequestHandler =>
  authenticator.initialize({ userProperty }) as RequestHandler;

const ABOVE: Readonly<Record<string, Mount>> = {
  "one name of its own": (app, authenticator) => {
    app.use(initialize(authenticator, "account"), authenticator.session());
  },
  "a copy that the application made": (app) => {
    app.use((req, _res, next) => {
      Object.assign(req, { viewer: req.user, owner: req.user });
      next();
    });
  },
};

const BELOW: Readonly<Record<string, Mount>> = {
  "another name": (app, authenticator) => {
    app.use(initialize(authenticator, "member"), authenticator.session());
  },
  "one name after the other": (app, authenticator) => {
    for (const name of ["member", "client", "person"])
      app.use(initialize(authenticator, name), authenticator.session());
  },
  "the usual name again": (app, authenticator) => {
    app.use(initialize(authenticator, "member"), initialize(authenticator, "user"), authenticator.session());
  },
};

function application(place: "above" | "below", mount: Mount): TestApp {
  const open: TestAppOptions = { options: { exempt: ["/login", "/logout", "/welcome"] } };
  const welcome = (app: Express): void => void app.get("/welcome", showAlice);
  return place === "above"
    ? testApp({ ...open, before: mount, routes: welcome })
    : testApp({
        ...open,
        routes: (app, _mfa, authenticator) => {
          mount(app, authenticator);
          welcome(app);
        },
      });
}

describe("a pending user is hidden under every name", () => {
  test.each([
    ...Object.entries(ABOVE).map(([name, mount]) => ["above", name, mount] as const),
    ...Object.entries(BELOW).map(([name, mount]) => ["below", name, mount] as const),
  ])("that Passport puts them %s the middleware: %s", async (place, _name, mount) => {
    const target = application(place, mount);
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    expect((await jar.get("/welcome")).body).toEqual({ names: [], canary: null });
    await jar.verify(phone.code(target.clock()));
    expect((await jar.get("/welcome")).body).toMatchObject({ canary: CANARY });
  });

  test("also where the login that waits is made on this very request", async () => {
    const target = testApp({
      options: { exempt: ["/login", "/logout", "/enter"] },
      routes: (app, _mfa, authenticator) => {
        const logIn = authenticator.authenticate("local", { secondFactor: "inline" }) as RequestHandler;
        app.post("/enter", initialize(authenticator, "member"), logIn, initialize(authenticator, "client"), showAlice);
      },
    });
    await enrolled(target, "alice");
    const answer = await new Jar(target).post("/enter", { username: "alice", password: "alice-password" });
    expect(answer.body).toEqual({ names: [], canary: null });
  });
});

describe("error handlers, when something above the middleware fails,", () => {
  const fails: RequestHandler = (req, _res, next) => {
    next(req.get("x-fail") === undefined ? undefined : new Error("above"));
  };
  const shows: ErrorRequestHandler = (error, req, res, _next) => {
    res.status(500).json({ error: (error as Error).message, user: req.user ?? null });
  };

  async function failing() {
    const target = testApp({
      before: (app) => app.use(fails),
      routes: (app, mfa) => {
        // The line of the README.
        app.use(((error, req, res, next) => {
          mfa(req, res, () => {
            next(error);
          });
        }) as ErrorRequestHandler);
        app.use(shows);
      },
    });
    return { target, ...(await enrolled(target, "alice")) };
  }

  test("see no pending user behind the one line that closes that side", async () => {
    const { target } = await failing();
    const jar = await pending(target, "alice");
    for (const path of ["/account", "/login", "/2fa"]) {
      const answer = await jar.get(path).set("X-Fail", "yes");
      expect([path, answer.text.includes("acme.test")]).toEqual([path, false]);
    }
    expect((await jar.get("/login").set("X-Fail", "yes")).body).toEqual({ error: "above", user: null });
  });

  test("hear of the error itself, with the user of a complete login, and of nobody's", async () => {
    const { target, phone } = await failing();
    const jar = await full(target, "alice", phone);
    const ask = async (from: Jar): Promise<unknown> =>
      (await from.get("/account").set("X-Fail", "yes")).body as unknown;
    expect(await ask(jar)).toMatchObject({ error: "above", user: { id: "u1" } });
    expect(await ask(new Jar(target))).toEqual({ error: "above", user: null });
  });

  test("of errors of the middleware itself see no user either", async () => {
    const users: unknown[] = [];
    let read: (user: { readonly id: string }) => string = ({ id }) => id;
    const target = testApp({
      options: { user: { id: (user) => read(user) } },
      routes: (app) =>
        app.use(((error, req: Request, _res, next) => {
          users.push(req.user);
          next(error);
        }) as ErrorRequestHandler),
    });
    await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    read = () => null as unknown as string;
    expect((await jar.get("/account")).status).toBe(500);
    expect(users).toEqual([undefined]);
  });
});
