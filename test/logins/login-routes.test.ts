import { afterEach, describe, expect, jest, test } from "@jest/globals";
import express, { type Express } from "express";
import { testApp, type TestApp, type TestAppOptions, userNamed } from "../support/app.js";
import { enrolled, Jar } from "../support/browser.js";
import { above, loggedInAbove, loginWith } from "./stage.js";

/** Logs in on routes of any name, within a router as well, and says who it thinks is there. */
const routes: NonNullable<TestAppOptions["routes"]> = (app: Express, _mfa, authenticator) => {
  const local = authenticator.authenticate("local");
  const who: express.RequestHandler = (req, res) => {
    res.json({ user: req.user ?? null, isIn: req.isAuthenticated() });
  };
  const api = express.Router();
  api.post("/session", local, who);
  api.get("/session", who);
  api.delete("/session", who);
  app.use("/api", api);
  app.post("/signin", local, who);
  app.get("/magic/:token", (req, res, next) => {
    req.logIn(userNamed(req.params.token.split("-")[1]!), (error: unknown) => {
      if (error === undefined || error === null) who(req, res, next);
      else next(error);
    });
  });
};

async function waitingBy(path: string, options: TestAppOptions["options"] = {}): Promise<Jar> {
  const target = testApp({ routes, options });
  await enrolled(target, "alice");
  const jar = new Jar(target);
  const answer = await loginWith(jar, "alice", {}, path);
  expect(answer.body.code).toBe("second-factor-required");
  return jar;
}

describe("the route that made a login, while that waits", () => {
  test("stays reachable: another account is used there, whatever it is called", async () => {
    const jar = await waitingBy("/api/session");
    const answer = await loginWith(jar, "carol", {}, "/api/session");
    expect([answer.status, answer.body]).toMatchObject([200, { user: { name: "carol" }, isIn: true }]);
    expect(await jar.isIn()).toBe(true);
  });

  test("hides the user", async () => {
    const jar = await waitingBy("/api/session");
    const wrong = await jar.post("/api/session", { username: "alice", password: "wrong" });
    expect(wrong.status).toBe(401);
    expect(wrong.body.code).toBeUndefined();
    expect(await jar.isIn()).toBe(false);
  });

  test("is that one whatever its query, and no other that a router of the application's may tell apart", async () => {
    const jar = await waitingBy("/api/session");
    for (const path of ["/api/session/", "/API/session", "/api//session"]) {
      expect((await loginWith(jar, "carol", {}, path)).body.code).toBe("second-factor-required");
    }
    expect((await loginWith(jar, "carol", {}, "/api/session?next=/")).status).toBe(200);
  });

  test("is one method of one path: its neighbours are closed", async () => {
    const jar = await waitingBy("/api/session");
    const others = [
      jar.get("/api/session"),
      jar.agent.delete("/api/session").set("Accept", "application/json"),
      jar.post("/api/session/more"),
      jar.post("/session"),
      jar.post("/signin"),
    ];
    for (const other of others) expect((await other).body.code).toBe("second-factor-required");
  });

  test("is closed again to other logins than its own, and where the user is let in nothing changes", async () => {
    const jar = await waitingBy("/signin");
    expect((await loginWith(jar, "carol", {}, "/api/session")).body.code).toBe("second-factor-required");
    expect((await loginWith(jar, "carol", {}, "/signin")).status).toBe(200);
  });

  test("is not kept as text: a link that was mailed is in no session", async () => {
    const target = testApp({ routes });
    await enrolled(target, "alice");
    const jar = new Jar(target);
    await jar.get("/magic/canaryLink-alice");
    expect(JSON.stringify((target.sessionStore as unknown as { sessions: object }).sessions)).not.toMatch(
      /canaryLink/i,
    );
    expect((await jar.get("/magic/other-carol")).body.code).toBe("second-factor-required");
    expect((await jar.get("/magic/canaryLink-alice")).body.code).toBe("second-factor-required");
  });

  test("is none where the session brought the login along: the page it was found at stays closed", async () => {
    const target = testApp({ routes, before: above });
    await enrolled(target, "alice");
    const jar = await loggedInAbove(target, "alice");
    expect((await jar.get("/api/session")).body.code).toBe("second-factor-required");
    expect((await jar.get("/api/session")).body.code).toBe("second-factor-required");
  });
});

describe("a login that is refused because another one waits", () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  function warnings(): string[] {
    const seen: string[] = [];
    jest.spyOn(process, "emitWarning").mockImplementation(((text: string, { code }: { code: string }) => {
      if (code === "SECOND_FACTOR_LOGIN_REFUSED") seen.push(text);
    }) as never);
    return seen;
  }

  test("is told to the developer once, with the line to add", async () => {
    const seen = warnings();
    const jar = await waitingBy("/api/session");
    for (let time = 0; time < 2; time += 1) await loginWith(jar, "carol", {}, "/signin");
    expect(seen).toEqual([expect.stringContaining('exempt: ["/login", "/logout", "/signin"]')]);
    expect(seen[0]).toContain("POST /signin was refused");
  });

  test("is known by a login that was made there, whatever it is sent with", async () => {
    const seen = warnings();
    const target: TestApp = testApp({ routes, options: { exempt: ["/logout"] } });
    await enrolled(target, "alice");
    await new Jar(target).get("/magic/path-carol");
    const jar = new Jar(target);
    await loginWith(jar, "alice", {}, "/signin");
    await jar.get("/account");
    expect(seen).toEqual([]);
    await jar.get("/magic/path-carol");
    expect(seen).toEqual([expect.stringContaining('exempt: ["/logout", "/magic/path-carol"]')]);
  });

  test("names no part of a path that may be somebody's token", async () => {
    const seen = warnings();
    const jar = await waitingBy("/signin", { exempt: () => false });
    await jar.post("/reset/k3yT0ken", { password: "new" });
    expect(seen).toEqual([expect.stringContaining("POST /reset/:… was refused")]);
    expect(seen[0]).not.toContain("k3yT0ken");
  });

  test("is not every request with a body", async () => {
    const seen = warnings();
    const jar = await waitingBy("/signin");
    await jar.post("/orders", { amount: 1 });
    await jar.get("/account");
    expect(seen).toEqual([]);
  });
});
