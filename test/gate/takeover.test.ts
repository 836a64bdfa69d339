import { createServer as createHttp2Server, connect, Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "@jest/globals";
import express, { type Request, type RequestHandler } from "express";
import { guarded, passwordOf, strategyRoute, testApp, type TestApp, type TestAppOptions } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";

type LogIn = (this: Request, ...given: unknown[]) => void;

/** An application that puts something of its own over Passport's methods, above `app.use(mfa)`. */
function wrapped(wrap: (req: Request) => void, given: TestAppOptions = {}): TestApp {
  const middleware: RequestHandler = (req, _res, next) => {
    wrap(req);
    next();
  };
  return testApp({ ...given, before: (app) => app.use(middleware) });
}

function put(req: Request, names: readonly string[], method: unknown): void {
  for (const name of names) (req as unknown as Record<string, unknown>)[name] = method;
}

const CAROL = { username: "carol", password: passwordOf("carol") };

describe("a req.logIn that the application has wrapped", () => {
  test("for one request logs nobody in on another one", async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const target = wrapped(
      (req) => {
        const inner = req.logIn.bind(req) as (...given: unknown[]) => void;
        put(req, ["logIn", "login"], (...given: unknown[]) => {
          inner(...given);
        });
      },
      {
        routes(app) {
          app.get("/slow", async (_req, res) => {
            await held;
            res.json({});
          });
        },
      },
    );
    const [thief, carol] = [new Jar(target), new Jar(target)];
    const slow = thief.get("/slow").then((answer) => answer);
    await thief.get("/");
    expect((await carol.post("/login", CAROL)).status).toBe(302);
    expect(await carol.isIn()).toBe(true);
    release();
    expect((await slow).headers["set-cookie"]).toBeUndefined();
    expect(await thief.isIn()).toBe(false);
  });

  test("is called once at a login, and once more when the second factor completes it", async () => {
    const called: string[] = [];
    const target = wrapped((req) => {
      const { logIn } = req as unknown as { logIn: LogIn };
      put(req, ["logIn", "login"], function wrapper(this: Request, ...given: unknown[]) {
        called.push(this.path);
        logIn.apply(this, given);
      });
    }, strategyRoute);
    const { phone } = await enrolled(target, "alice");
    called.length = 0;
    const jar = await pending(target, "alice");
    expect(await jar.isIn()).toBe(false);
    expect((await jar.post("/otp", { code: phone.code(target.clock()) })).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
    expect(called).toEqual(["/login", "/otp"]);
  });
});

test("a req.logout that takes a callback alone, as before Passport 0.6, ends its own request's login", async () => {
  const target = wrapped((req) => {
    const inner = req.logout as unknown as (this: Request, options: object, done: () => void) => void;
    put(req, ["logOut", "logout"], (done: () => void) => {
      inner.call(req, {}, done);
    });
  });
  const [mallory, carol] = [await pending(target, "mallory"), await pending(target, "carol")];
  expect((await carol.post("/logout")).status).toBe(204);
  expect([await carol.isIn(), await mallory.isIn()]).toEqual([false, true]);
});

describe("a login on a copy of the request", () => {
  test.each([
    ["Object.create", (req: Request) => Object.create(req) as Request],
    ["a proxy", (req: Request) => new Proxy(req, {})],
  ])("made with %s waits for the second factor like any other", async (_name, copyOf) => {
    const target = testApp({
      routes(app) {
        app.post("/token", (req, res) => {
          const copy = copyOf(req);
          copy.logIn({ id: "u1" }, () => {
            res.json({ token: copy.user });
          });
        });
      },
    });
    await enrolled(target, "alice");
    const jar = new Jar(target);
    const answer = await jar.post("/token");
    expect([answer.status, answer.body.code]).toEqual([401, "second-factor-required"]);
    expect(await jar.isIn()).toBe(false);
  });
});

test("requests of another server than Node's for HTTP/1 leave nothing on the objects of everybody", async () => {
  const { app } = testApp();
  const [request, response] = [express.request, express.response].map((each) => Object.getOwnPropertyDescriptors(each));
  const own = { app: { value: app, configurable: true, writable: true } };
  app.request = Object.create(
    Object.create(Http2ServerRequest.prototype, request!) as object,
    own,
  ) as typeof app.request;
  app.response = Object.create(
    Object.create(Http2ServerResponse.prototype, response!) as object,
    own,
  ) as typeof app.response;
  const server = createHttp2Server(app as never).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const asked = client.request({ ":path": "/", accept: "application/json" });
  asked.resume();
  const status = await new Promise((resolve) => asked.once("response", (headers) => resolve(headers[":status"])));
  client.close();
  server.close();
  expect(status).toBe(200);
  expect(["logIn", "login", "logOut", "logout", "secondFactor"].filter((name) => name in {})).toEqual([]);
});

test("an application that uses the middleware twice is asked for one second factor, and sees it everywhere", async () => {
  const target = testApp({
    options: { exempt: ["/login", "/logout", "/open"] },
    routes(app, mfa) {
      app.get("/open", mfa, (req, res) => res.json({ status: req.secondFactor.status }));
      app.get("/closed", mfa, guarded);
    },
  });
  const { phone } = await enrolled(target, "alice");
  const jar = await pending(target, "alice");
  expect((await jar.get("/open")).body).toEqual({ status: "pending" });
  expect(await jar.isIn("/closed")).toBe(false);
  expect(await (await full(target, "alice", phone)).isIn("/closed")).toBe(true);
});
