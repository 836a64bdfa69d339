import { describe, expect, test } from "@jest/globals";
import type { Express, Request, RequestHandler, Response } from "express";
import passport from "passport";
import { Strategy as CustomStrategy } from "passport-custom";
import { MINUTE, STEP } from "../support/attack.js";
import { passwordOf, testApp, type TestAppOptions, userNamed } from "../support/app.js";
import { type Enrolled, enrolled, full, Jar } from "../support/browser.js";

const ACCOUNT = { username: "alice", password: passwordOf("alice") };
const SITE = "http://localhost:3000";

type Headers = Readonly<Record<string, string>>;

interface Visit extends Enrolled {
  readonly jar: Jar;
}

function done(_req: Request, res: Response): void {
  res.json({ done: true });
}

const asking: TestAppOptions = {
  routes(app, mfa) {
    app.all("/admin", mfa.require({ maxAge: "5m" }), done);
    app.post("/transfer", mfa.require({ maxAge: "5m" }), done);
    app.post("/pay", mfa.require({ bind: (req) => `Pay ${req.originalUrl}` }), done);
    app.post("/told", mfa.require({ maxAge: "5m", returnTo: "/told/form?x=1" }), done);
    app.post("/asked/:id", mfa.require({ maxAge: "5m", returnTo: (req) => `/orders/${String(req.params.id)}` }), done);
    app.post("/bound", mfa.require({ bind: () => "All of it", returnTo: "/told/form" }), done);
    app.post("/evil", mfa.require({ maxAge: "5m", returnTo: () => "https://evil.test/x" }), done);
    app.post(
      "/throws",
      mfa.require({
        maxAge: "5m",
        returnTo: () => {
          throw new Error("no");
        },
      }),
      done,
    );
  },
};

/** Somebody whose login waits for its code, sent there by the login form. */
async function waiting(given: TestAppOptions = asking): Promise<Visit> {
  const target = testApp(given);
  const factor = await enrolled(target, "alice");
  const jar = new Jar(target);
  await jar.form("/login", ACCOUNT);
  return { ...factor, jar };
}

/** Somebody whose proof is too old for what the routes ask. */
async function stale(given: TestAppOptions = asking): Promise<Visit> {
  const target = testApp(given);
  const factor = await enrolled(target, "alice");
  const jar = await full(target, "alice", factor.phone);
  target.clock.advance(6 * MINUTE);
  return { ...factor, jar };
}

async function landing({ jar, phone }: Visit, body: object = {}): Promise<string> {
  const answer = await jar.verify(phone.code(jar.target.clock()), body);
  expect(answer.status).toBe(200);
  return answer.body.redirectTo as string;
}

async function notNow({ jar }: Visit): Promise<string> {
  const { text } = await jar.page("/2fa");
  const [, href] = /<a href="([^"]*)">Not now, go back</.exec(text) ?? [];
  const cancelled = await jar.form("/2fa/cancel");
  expect([cancelled.status, cancelled.headers.location]).toEqual([303, href]);
  return href ?? "";
}

const NAVIGATION: Headers = {
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "document",
  "sec-fetch-site": "same-origin",
};

const UNSEEN: Readonly<Record<string, Headers>> = {
  "a prefetch": { ...NAVIGATION, "sec-purpose": "prefetch" },
  "a prerendered page": { ...NAVIGATION, "sec-purpose": "prefetch;prerender" },
  "a prefetch, as it was said before": { ...NAVIGATION, purpose: "prefetch" },
  "a prefetch of Firefox": { ...NAVIGATION, "x-moz": "prefetch" },
  "a preview of Safari": { "x-purpose": "preview" },
  "a prefetch of Turbo": { "x-sec-purpose": "prefetch", "x-turbo-request-id": "1" },
  "a frame": { ...NAVIGATION, "sec-fetch-dest": "iframe" },
  "an old frame": { ...NAVIGATION, "sec-fetch-dest": "frame" },
  "an object in the page": { ...NAVIGATION, "sec-fetch-dest": "object" },
  "a picture": { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" },
  "a frame of Turbo": {
    "sec-fetch-mode": "cors",
    "sec-fetch-dest": "empty",
    "x-turbo-request-id": "1",
    "turbo-frame": "f",
  },
};

const SCRIPTED: Readonly<Record<string, Headers>> = {
  "what a script fetches": { "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" },
  "what a script fetches, of which only the destination is told": { "sec-fetch-dest": "empty" },
  "what an old browser's script fetches": { "x-requested-with": "XMLHttpRequest" },
  "a part of a page, by htmx": { "hx-request": "true" },
};

const SEEN: Readonly<Record<string, Headers>> = {
  "a page that is opened": NAVIGATION,
  "a page opened by typing its address": { ...NAVIGATION, "sec-fetch-site": "none" },
  "a page in a browser that says nothing of it": {},
  "a link that Turbo follows": { "sec-fetch-mode": "cors", "sec-fetch-dest": "empty", "x-turbo-request-id": "1" },
  "a link that htmx follows": {
    "sec-fetch-mode": "cors",
    "sec-fetch-dest": "empty",
    "hx-request": "true",
    "hx-boosted": "true",
  },
};

const CROSS_SITE: Headers = { ...NAVIGATION, "sec-fetch-site": "cross-site" };

describe("while a login waits for its code", () => {
  test.each(Object.entries(SEEN))("%s is where its user was going", async (_name, headers) => {
    const visit = await waiting();
    await visit.jar.page("/api/data?x=1").set(headers);
    expect(await landing(visit)).toBe("/api/data?x=1");
  });

  test.each(Object.entries({ ...UNSEEN, ...SCRIPTED }))("%s is not", async (_name, headers) => {
    const visit = await waiting();
    await visit.jar.page("/api/data").set(NAVIGATION);
    await visit.jar.page("/unseen").set(headers);
    expect(await landing(visit)).toBe("/api/data");
  });

  test("a page that another site opens is not", async () => {
    const visit = await waiting();
    await visit.jar.page("/danger").set(CROSS_SITE);
    expect(await landing(visit)).toBe("/account");
  });

  test("the page that another site opened is, where the login was not waiting before", async () => {
    const target = testApp({
      ...asking,
      before(app) {
        app.use((req, _res, next) => {
          if (req.get("x-remembered") !== undefined) req.user = userNamed("alice");
          next();
        });
      },
    });
    const factor = await enrolled(target, "alice");
    const jar = new Jar(target);
    await jar.page("/orders/5").set({ ...CROSS_SITE, "x-remembered": "1" });
    await jar.page("/danger").set({ ...CROSS_SITE, "x-remembered": "1" });
    const code = factor.phone.code(target.clock());
    const answer = await jar.verify(code).set("x-remembered", "1");
    expect(answer.body.redirectTo).toBe("/orders/5");
  });
});

/** Remembers who was there, as passport-remember-me does: by logging in whoever a cookie of its own belongs to. */
function rememberMe(app: Express, authenticator: passport.Authenticator): void {
  authenticator.use(
    "remember-me",
    new CustomStrategy((req, done) => {
      done(null, req.get("x-remembered") === undefined ? false : userNamed("alice"));
    }),
  );
  const remember = authenticator.authenticate("remember-me") as RequestHandler;
  app.use((req, res, next) => {
    if (req.isAuthenticated() || req.get("x-remembered") === undefined) next();
    else remember(req, res, next);
  });
}

describe("a remember-me strategy", () => {
  const below: TestAppOptions = { routes: (app, _mfa, authenticator) => rememberMe(app, authenticator) };
  const above: TestAppOptions = { before: (app, authenticator) => rememberMe(app, authenticator) };

  test.each([
    ["below the middleware", below],
    ["above the middleware", above],
  ])("%s keeps the page that was asked for", async (_name, given) => {
    const target = testApp({
      ...given,
      routes(app, mfa, authenticator) {
        given.routes?.(app, mfa, authenticator);
        app.get("/orders/:id", done);
      },
    });
    const factor = await enrolled(target, "alice");
    const jar = new Jar(target);
    const answer = await jar.page("/orders/5?x=1").set({ ...NAVIGATION, "x-remembered": "1" });
    expect([answer.status, answer.headers.location]).toEqual([303, "/2fa"]);
    expect(await landing({ ...factor, jar })).toBe("/orders/5?x=1");
  });

  test.each([
    ["what a script asks for", { "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" }],
    ["a prefetch", { ...NAVIGATION, "sec-purpose": "prefetch" }],
  ])("below the middleware does not keep %s", async (_name, headers) => {
    const target = testApp(below);
    const factor = await enrolled(target, "alice");
    const jar = new Jar(target);
    await jar.page("/orders/5").set({ ...headers, "x-remembered": "1" });
    expect(await landing({ ...factor, jar })).toBe("/");
  });

  test("does not make a place to come back to of a route that logs in", async () => {
    const target = testApp({
      options: { exempt: ["/login", "/callback"] },
      routes(app, _mfa, authenticator) {
        authenticator.use("oauth", new CustomStrategy((_req, done) => done(null, userNamed("alice"))));
        app.get("/callback", authenticator.authenticate("oauth"), (_req, res) => res.redirect("/account"));
        app.get("/elsewhere", authenticator.authenticate("oauth"), (_req, res) => res.redirect("/account"));
      },
    });
    const factor = await enrolled(target, "alice");
    for (const path of ["/callback?code=1", "/elsewhere?code=1"]) {
      const jar = new Jar(target);
      await jar.page(path).set(CROSS_SITE);
      expect(await landing({ ...factor, jar })).toBe("/");
      target.clock.advance(STEP);
    }
  });
});

describe("a confirmation that a route asks for leads", () => {
  test.each(Object.entries(SEEN))("to %s", async (_name, headers) => {
    const visit = await stale();
    await visit.jar.page("/admin?x=1").set(headers);
    expect(await landing(visit)).toBe("/admin?x=1");
  });

  test.each(Object.entries(UNSEEN))("not to %s", async (_name, headers) => {
    const visit = await stale();
    await visit.jar.page("/admin?first").set(NAVIGATION);
    await visit.jar.page("/admin?unseen").set({ ...headers, referer: `${SITE}/unseen` });
    expect(await landing(visit)).toBe("/admin?first");
  });

  test.each(Object.entries(SCRIPTED))("not to %s, nor away from what was asked for", async (_name, headers) => {
    const visit = await stale();
    await visit.jar.page("/admin?first").set(NAVIGATION);
    await visit.jar.page("/admin?script").set({ ...headers, referer: `${SITE}/polling` });
    expect(await landing(visit)).toBe("/admin?first");
  });

  test("to the page whose script asked, where nothing else was asked for", async () => {
    const visit = await stale();
    await visit.jar.post("/transfer").set("referer", `${SITE}/bank?x`);
    expect(await landing(visit)).toBe("/bank?x");
    visit.jar.target.clock.advance(20 * MINUTE);
    await visit.jar.post("/transfer").set({ "hx-request": "true", "hx-current-url": `${SITE}/by-htmx?y` });
    expect(await landing(visit)).toBe("/by-htmx?y");
  });

  test("not to where another site sends the browser meanwhile", async () => {
    const visit = await stale();
    await visit.jar.form("/transfer").set("referer", `${SITE}/bank`);
    await visit.jar.page("/admin?danger").set(CROSS_SITE);
    expect(await landing(visit)).toBe("/bank");
  });

  test("to where another site sent the browser, where nothing waits or what waited is long ago", async () => {
    const visit = await stale();
    await visit.jar.page("/admin?mailed").set(CROSS_SITE);
    expect(await landing(visit)).toBe("/admin?mailed");
    visit.jar.target.clock.advance(6 * MINUTE);
    await visit.jar.page("/admin?left").set(NAVIGATION);
    visit.jar.target.clock.advance(20 * MINUTE);
    await visit.jar.page("/admin?mailed-again").set(CROSS_SITE);
    expect(await landing(visit)).toBe("/admin?mailed-again");
  });

  test("back to the form, also from pages that tell nobody where they are", async () => {
    const visit = await stale();
    await visit.jar.page("/account").set(NAVIGATION);
    await visit.jar.page("/nowhere").set(CROSS_SITE);
    await visit.jar.form("/transfer").set("origin", "null");
    expect(await landing(visit)).toBe("/account");
  });

  test.each([
    ["/told", "/told/form?x=1"],
    ["/asked/7", "/orders/7"],
  ])("from %s to where the route says", async (path, place) => {
    const visit = await stale();
    await visit.jar.page("/account").set(NAVIGATION);
    await visit.jar.form(path).set("referer", `${SITE}/form`);
    expect(await landing(visit)).toBe(place);
  });

  test("from one operation to where the route says", async () => {
    const visit = await stale();
    const { body } = await visit.jar.post("/bound");
    const { id } = (body as { operation: { id: string } }).operation;
    expect(await landing(visit, { operation: id })).toBe("/told/form");
  });

  test("to no other site, whatever the route's function says", async () => {
    const visit = await stale();
    await visit.jar.form("/evil").set("referer", `${SITE}/form`);
    expect(await landing(visit)).toBe("/form");
  });

  test("nowhere where the route's function fails: 503", async () => {
    const visit = await stale();
    expect((await visit.jar.form("/throws")).status).toBe(503);
  });
});

describe("mfa.require({ returnTo })", () => {
  test.each(["https://evil.test/", "//evil.test", "/\\evil.test", "transfer", "", 5, ["/a"]])(
    "is refused as %j",
    (returnTo) => {
      const { mfa } = testApp();
      expect(() => mfa.require({ returnTo: returnTo as string })).toThrow(
        /mfa\.require: returnTo: .* is neither a path/,
      );
    },
  );
});

describe("Not now", () => {
  test("leads back to the page whose form was sent", async () => {
    const visit = await stale();
    await visit.jar.form("/transfer").set("referer", `${SITE}/bank?x`);
    expect(await notNow(visit)).toBe("/bank?x");
  });

  test("leads back to the page whose link was followed, and not to what asks again", async () => {
    const visit = await stale();
    await visit.jar.page("/admin").set({ ...NAVIGATION, referer: `${SITE}/menu` });
    expect(await notNow(visit)).toBe("/menu");
  });

  test("leads back to the page before, where the browser does not say which it was", async () => {
    const visit = await stale();
    await visit.jar.page("/account").set(NAVIGATION);
    await visit.jar.page("/admin").set(NAVIGATION);
    expect(await notNow(visit)).toBe("/account");
  });

  test("leads to the front page, where nothing is known", async () => {
    const visit = await stale();
    await visit.jar.page("/admin").set({ ...NAVIGATION, "sec-fetch-site": "none" });
    expect(await notNow(visit)).toBe("/");
  });

  test("leads to the settings from what was asked for there", async () => {
    const visit = await stale();
    await visit.jar.page("/2fa").set("referer", `${SITE}/2fa/settings`);
    expect(await notNow(visit)).toBe("/2fa/settings");
  });

  test("leads back from one operation, which is over then", async () => {
    const visit = await stale();
    const asked = await visit.jar.form("/pay?to=bob").set("referer", `${SITE}/bank?x`);
    const [, operation] = /operation=(.+)$/.exec(String(asked.headers.location)) ?? [];
    const answer = await visit.jar.form("/2fa/cancel", { operation });
    expect([answer.status, answer.headers.location]).toEqual([303, "/bank?x"]);
    expect((await visit.jar.post("/2fa/cancel", { operation })).status).toBe(410);
  });
});
