import { describe, expect, test } from "@jest/globals";
import type { Express } from "express";
import { testApp, type TestAppOptions } from "../support/app.js";
import { enrolled, Jar, pending } from "../support/browser.js";

function reachable(...paths: string[]): TestAppOptions["routes"] {
  return (app: Express) => {
    for (const path of paths) {
      app.all(path, (req, res) => {
        res.json({ reached: true, user: req.user ?? null, isIn: req.isAuthenticated() });
      });
    }
  };
}

async function waiting(exempt: NonNullable<TestAppOptions["options"]>["exempt"], routes: TestAppOptions["routes"]) {
  const target = testApp({ options: exempt === undefined ? {} : { exempt }, ...(routes && { routes }) });
  await enrolled(target, "alice");
  return pending(target, "alice");
}

async function isReached(jar: Jar, path: string): Promise<boolean> {
  return (await jar.get(path)).body.reached === true;
}

describe("exempt paths", () => {
  test("are reached while a second factor is due, the user hidden there", async () => {
    const jar = await waiting(["/help"], reachable("/help"));
    expect((await jar.get("/help")).body).toEqual({ reached: true, user: null, isIn: false });
    expect((await jar.post("/help")).body.reached).toBe(true);
    expect((await jar.page("/help")).status).toBe(200);
  });

  test("are the login and the logout where nobody names any", async () => {
    const jar = await waiting(undefined, reachable("/help"));
    expect(await isReached(jar, "/help")).toBe(false);
    expect((await jar.login("alice")).body.code).toBe("second-factor-required");
    expect((await jar.post("/logout")).status).toBe(204);
    expect((await jar.get("/")).body.status).toBe("anonymous");
  });

  test("are exact: not what lies below or begins alike", async () => {
    const jar = await waiting(["/help"], reachable("/help", "/help/me", "/helpdesk", "/x/help"));
    for (const path of ["/help/me", "/helpdesk", "/x/help", "/help/../account", "//help"]) {
      expect([path, await isReached(jar, path)]).toEqual([path, false]);
    }
  });

  test("match as Express routes: in any case, with a slash behind, with a query", async () => {
    const jar = await waiting(["/Help"], reachable("/help"));
    for (const path of ["/help", "/HELP", "/help/", "/help?x=1"])
      expect([path, await isReached(jar, path)]).toEqual([path, true]);
  });

  test("match exactly where the application routes exactly", async () => {
    const target = testApp({
      options: { exempt: ["/Help"] },
      before: (app) => {
        app.enable("case sensitive routing");
        app.enable("strict routing");
      },
    });
    await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    expect((await jar.get("/Help")).status).toBe(404);
    for (const path of ["/help", "/Help/"]) expect((await jar.get(path)).body.code).toBe("second-factor-required");
  });

  test("may be a predicate of the request", async () => {
    const jar = await waiting(
      ({ method, path }) => method === "GET" && path.startsWith("/help"),
      reachable("/help", "/help/me"),
    );
    expect(await isReached(jar, "/help/me")).toBe(true);
    expect((await jar.post("/help")).body.code).toBe("second-factor-required");
    expect((await jar.post("/logout")).body.code).toBe("second-factor-required");
  });

  test("refuse where the predicate throws", async () => {
    const failing = (): boolean => {
      throw new Error("no idea");
    };
    const jar = await waiting(failing, reachable("/help"));
    const answer = await jar.get("/help");
    expect([answer.status, answer.body.code]).toEqual([503, "unavailable"]);
  });

  test("keep the user hidden from a passport.session() mounted once more", async () => {
    const jar = await waiting(["/help"], (app, _mfa, authenticator) => {
      app.use(authenticator.session());
      reachable("/help")?.(app, _mfa, authenticator);
    });
    expect((await jar.get("/help")).body).toEqual({ reached: true, user: null, isIn: false });
  });

  test("are not where a user lands", async () => {
    const jar = await waiting(["/help"], reachable("/help"));
    expect((await jar.page("/account")).headers.location).toBe("/2fa");
    expect((await jar.page("/help")).status).toBe(200);
  });
});
