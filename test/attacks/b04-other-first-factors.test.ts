import { describe, expect, test } from "@jest/globals";
import type { Express, NextFunction, Request, Response } from "express";
import type passport from "passport";
import { CANARY, testApp, type TestApp, type TestUser, userNamed } from "../support/app.js";
import { expectDenied, harmless, MODES, type Mode } from "../support/attack.js";
import { enrolled, Jar } from "../support/browser.js";
import { HeaderStrategy } from "../support/first-factors.js";

function named(req: Request): TestUser {
  return userNamed(req.get("x-test-user") ?? "");
}

/** What the application answers once it believes somebody is in. */
function welcome(_req: Request, res: Response): void {
  res.json({ canary: CANARY });
}

const WAYS: Record<string, (app: Express, authenticator: passport.Authenticator) => void> = {
  "another strategy": (app, authenticator) => {
    app.post("/enter", authenticator.authenticate("header"), welcome);
  },
  "another strategy with a redirect": (app, authenticator) => {
    app.post("/enter", authenticator.authenticate("header", { successRedirect: `/account?${CANARY}` }));
  },
  "another strategy with successReturnToOrRedirect": (app, authenticator) => {
    app.post("/enter", authenticator.authenticate("header", { successReturnToOrRedirect: "/account" }));
  },
  "a list of strategies": (app, authenticator) => {
    app.post("/enter", authenticator.authenticate(["local", "header"]), welcome);
  },
  "another strategy that keeps what the session held": (app, authenticator) => {
    app.post("/enter", authenticator.authenticate("header", { keepSessionInfo: true }), welcome);
  },
  "another strategy without a session": (app, authenticator) => {
    app.post("/enter", authenticator.authenticate("header", { session: false }), welcome);
  },
  "passport.authenticate with a callback of the application's": (app, authenticator) => {
    app.post("/enter", (req: Request, res: Response, next: NextFunction) => {
      const decided = (error: unknown, user: Express.User | false | null): void => {
        if (error !== null || user === false || user === null) {
          next(error);
          return;
        }
        req.logIn(user, (failure: unknown) => {
          if (failure === undefined || failure === null) welcome(req, res);
          else next(failure);
        });
      };
      (authenticator.authenticate("header", decided) as (...given: unknown[]) => void)(req, res, next);
    });
  },
  "req.login called by the application": (app) => {
    app.post("/enter", (req, res, next) => {
      req.login(named(req), (error) => {
        if (error) next(error);
        else welcome(req, res);
      });
    });
  },
  "req.logIn with options": (app) => {
    app.post("/enter", (req, res, next) => {
      req.logIn(named(req), { session: true, keepSessionInfo: true }, (error) => {
        if (error) next(error);
        else welcome(req, res);
      });
    });
  },
};

function enter(jar: Jar, mode: Mode): ReturnType<Jar["post"]> {
  const asked = mode === "JSON" ? jar.post("/enter") : jar.form("/enter");
  return asked.set("X-Test-User", "alice");
}

function withWay(way: string, before = false): TestApp {
  const mount = WAYS[way]!;
  return testApp({
    ...(before
      ? {
          before: (app, authenticator) => {
            authenticator.use(new HeaderStrategy());
            mount(app, authenticator);
          },
        }
      : {
          routes: (app, _mfa, authenticator) => {
            authenticator.use(new HeaderStrategy());
            mount(app, authenticator);
          },
        }),
  });
}

describe("first factors other than the password", () => {
  describe.each(MODES)("as a client of %s", (mode) => {
    test.each(Object.keys(WAYS))("B04 a login by %s is asked for the second factor", async (way) => {
      const target = withWay(way);
      const { phone } = await enrolled(target, "alice");
      const jar = new Jar(target);
      const answer = harmless(await enter(jar, mode));
      const isForOneRequest = way.endsWith("without a session");
      expect(answer.status).toBe(mode === "forms" && !isForOneRequest ? 303 : 401);
      if (answer.status === 303) expect(answer.headers.location).toBe("/2fa");
      await expectDenied(jar);
      if (isForOneRequest) return;
      expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
      expect(await jar.isIn()).toBe(true);
    });
  });

  test.each(Object.keys(WAYS).filter((way) => !way.endsWith("without a session")))(
    "B04 a login by %s on a route above the middleware is asked on the next request",
    async (way) => {
      const target = withWay(way, true);
      const { phone } = await enrolled(target, "alice");
      const jar = new Jar(target);
      // What stands above the middleware answers for itself; the login it made is worth nothing all the same.
      expect((await enter(jar, "JSON")).status).toBeLessThan(500);
      await expectDenied(jar);
      expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
      expect(await jar.isIn()).toBe(true);
    },
  );

  test.each(MODES)(
    "B04 a login asked for inline, with nothing behind it that verifies, opens nothing (%s)",
    async (mode) => {
      const target = testApp({
        routes: (app, _mfa, authenticator) => {
          authenticator.use(new HeaderStrategy());
          app.post("/enter", authenticator.authenticate("header", { secondFactor: "inline" }), (req, res) => {
            res.json({ in: req.isAuthenticated(), user: req.user ?? null });
          });
        },
      });
      await enrolled(target, "alice");
      const jar = new Jar(target);
      expect(harmless(await enter(jar, mode)).body).toEqual({ in: false, user: null });
      await expectDenied(jar);
    },
  );

  test("B04 a client cannot ask for the inline way, or for any other option of Passport's", async () => {
    const target = withWay("another strategy");
    await enrolled(target, "alice");
    const options = { secondFactor: "inline", session: false, keepSessionInfo: true, assignProperty: "account" };
    const jar = new Jar(target);
    harmless(await jar.post("/enter?secondFactor=inline&session=false", options).set("X-Test-User", "alice"));
    await expectDenied(jar);
  });
});
