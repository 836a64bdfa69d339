import { describe, expect, test } from "@jest/globals";
import type { Request } from "express";
import type { SecondFactorOptions } from "express-second-factor";
import { testApp, type TestApp, type TestUser, userNamed } from "../support/app.js";
import { copyOf, HOUR, SESSION_COOKIE, cookies, trusted } from "../support/attack.js";
import { enrolled, Jar, pending } from "../support/browser.js";
import { sessionLine } from "../support/cookies.js";
import { above, loggedInAbove, loginWith, toldApp } from "./stage.js";

const DAY = 24 * HOUR;

function bodyOf({ body }: Request): Record<string, unknown> {
  return (body ?? {}) as Record<string, unknown>;
}

const carry: NonNullable<SecondFactorOptions<TestUser>["carry"]> = (req, { name }) => ({
  name,
  remember: bodyOf(req).remember ?? false,
});

function rowOf(jar: Jar): string {
  const key = decodeURIComponent(cookies(jar)[SESSION_COOKIE] ?? "none")
    .slice(2)
    .split(".")[0]!;
  return (jar.target.sessionStore as unknown as { sessions: Record<string, string> }).sessions[key]!;
}

describe("what carry answers at the first step", () => {
  test("is given to onLogin at the second, in another request", async () => {
    const { target, calls } = toldApp({ options: { carry } });
    const { phone } = await enrolled(target, "alice");
    const jar = new Jar(target);
    await loginWith(jar, "alice", { remember: { days: 30, words: "größer" } });
    calls.length = 0;
    await jar.verify(phone.code(target.clock()), { remember: "changed" });
    expect(calls.map(({ carried }) => carried)).toEqual([{ name: "alice", remember: { days: 30, words: "größer" } }]);
  });

  test("is given where the login is complete at once, and in a trusted browser", async () => {
    const { target, calls } = toldApp({ options: { carry } });
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    calls.length = 0;
    await loginWith(jar, "alice", { remember: 1 });
    await loginWith(new Jar(target), "carol", { remember: 2 });
    expect(calls.map(({ carried }) => carried)).toEqual([
      { name: "alice", remember: 1 },
      { name: "carol", remember: 2 },
    ]);
  });

  test("is given of a login that the session brought along", async () => {
    const { target, calls } = toldApp({ before: above, options: { carry: (req) => ({ path: req.path }) } });
    const { phone } = await enrolled(target, "alice");
    calls.length = 0;
    await (await loggedInAbove(target, "carol")).get("/account");
    const jar = await loggedInAbove(target, "alice");
    await jar.get("/api/data");
    await jar.verify(phone.code(target.clock()));
    expect(calls.map(({ carried }) => carried)).toEqual([{ path: "/account" }, { path: "/api/data" }]);
  });

  test("may be awaited, and goes by way of JSON", async () => {
    const { target, calls } = toldApp({
      options: { carry: async () => ({ at: new Date(0), nothing: undefined, nested: { list: [1] } }) },
    });
    await pending(target, "carol");
    expect(calls.map(({ carried }) => carried)).toEqual([{ at: "1970-01-01T00:00:00.000Z", nested: { list: [1] } }]);
  });

  test("lies in the session where nobody can read it, bound to its owner", async () => {
    const { target, calls } = toldApp({ options: { carry } });
    const [alice] = [await enrolled(target, "alice"), await enrolled(target, "mallory")];
    const jar = new Jar(target);
    await loginWith(jar, "alice", { remember: "canary-of-the-first-step" });
    expect(rowOf(jar)).not.toContain("canary-of-the-first-step");
    const [, sealed] = /"carried\\":\\"([^"\\]+)/.exec(rowOf(jar)) ?? [];
    expect(sealed).toMatch(/^test\./);
    const other = new Jar(target);
    await loginWith(other, "mallory", { remember: "of-mallory" });
    const { sessions } = target.sessionStore as unknown as { sessions: Record<string, string> };
    for (const [id, row] of Object.entries(sessions)) {
      if (row.includes('"u1"')) sessions[id] = row.replace(sealed!, /"carried\\":\\"([^"\\]+)/.exec(rowOf(other))![1]!);
    }
    calls.length = 0;
    const answer = await jar.verify(alice.phone.code(target.clock()));
    expect([answer.status, answer.body.code, calls]).toEqual([503, "login-failed", []]);
    expect(await jar.isIn()).toBe(false);
  });

  test("is gone with the login: nothing of it is left in the session that is complete", async () => {
    const { target } = toldApp({ options: { carry } });
    const { phone } = await enrolled(target, "alice");
    const jar = new Jar(target);
    await loginWith(jar, "alice", { remember: 1 });
    await jar.verify(phone.code(target.clock()));
    expect(await jar.isIn()).toBe(true);
    expect(rowOf(jar)).not.toContain("carried");
  });

  const circular: Record<string, unknown> = {};
  circular.self = circular;

  test.each<[string, () => unknown, RegExp]>([
    ["more than 1,024 bytes of JSON", () => ({ text: "x".repeat(1_014) }), /carry: answered 1025 bytes.*at most 1024/],
    ["more of them than characters", () => ({ text: "ü".repeat(600) }), /carry: answered 1211 bytes/],
    ["text", () => "remember", /carry: must answer a plain object/],
    ["a list", () => ["remember"], /carry: must answer a plain object/],
    ["what is no JSON", () => circular, /carry: .*cannot be written as JSON/],
    ["a number too big for JSON", () => ({ big: 1n }), /carry: .*cannot be written as JSON/],
  ])("is a ConfigurationError that says so where it is %s, and nobody is in", async (_name, answer, message) => {
    const errors: unknown[] = [];
    const target = testApp({ options: { carry: answer as () => object } });
    target.mfa.events.on("error", ({ error, place }) => errors.push([place, (error as Error).name]));
    for (const name of ["alice", "carol"]) {
      const jar = new Jar(target);
      const refused = await jar.login(name);
      expect([refused.status, refused.body.code]).toEqual([500, "app-error"]);
      expect(refused.body.message).toMatch(message);
      expect(await jar.isIn()).toBe(false);
    }
    expect(errors).toEqual([
      ["carry", "ConfigurationError"],
      ["carry", "ConfigurationError"],
    ]);
  });

  test("may be 1,024 bytes, or nothing", async () => {
    const text = "x".repeat(1_013);
    let answer: object | undefined = { text };
    const { target, calls } = toldApp({ options: { carry: () => answer } });
    const { phone } = await enrolled(target, "alice");
    calls.length = 0;
    const jar = await pending(target, "alice");
    await jar.verify(phone.code(target.clock()));
    answer = undefined;
    await pending(target, "carol");
    expect(calls.map(({ carried }) => carried)).toEqual([{ text }, {}]);
  });

  test("that throws refuses the login: nothing is open, and all works again", async () => {
    let fails = true;
    const { target } = toldApp({
      options: {
        carry: () => {
          if (fails) throw new Error("no idea");
          return {};
        },
      },
    });
    const jar = new Jar(target);
    expect((await jar.login("carol")).status).toBe(503);
    fails = false;
    expect(await jar.isIn()).toBe(false);
    await jar.login("carol");
    expect(await jar.isIn()).toBe(true);
  });
});

function secondsOf(line: string): number | undefined {
  const [, expires] = /Expires=([^;]+)/.exec(line) ?? [];
  return expires === undefined ? undefined : (Date.parse(expires) - Date.now()) / 1000;
}

/** "Remember me" as an application has it: a checkbox beside the password, and a longer cookie in the end. */
function rememberMe(): TestApp {
  return toldApp({ cookie: { maxAge: HOUR }, options: { carry } }, (req, _user, { carried }) => {
    const kept = req.session as unknown as { tenant?: unknown };
    kept.tenant = carried.remember;
    // What express-session takes for "as long as the browser is open".
    const days = Number(carried.remember);
    req.session.cookie.maxAge = days > 0 ? days * DAY : (null as unknown as number);
    if (days > 0) req.session.cookie.sameSite = "strict";
  }).target;
}

describe("what onLogin sets on the session holds", () => {
  const ways: readonly [string, (target: TestApp, days: number) => Promise<{ jar: Jar; line: string }>][] = [
    [
      "after a second step",
      async (target, days) => {
        const { phone } = await enrolled(target, "alice");
        const jar = new Jar(target);
        await loginWith(jar, "alice", { remember: days });
        return { jar, line: sessionLine(await jar.verify(phone.code(target.clock())))! };
      },
    ],
    [
      "where nothing is due",
      async (target, days) => {
        const jar = new Jar(target);
        return { jar, line: sessionLine(await loginWith(jar, "carol", { remember: days }))! };
      },
    ],
    [
      "in a trusted browser",
      async (target, days) => {
        const { phone } = await enrolled(target, "alice");
        const jar = await trusted(target, "alice", phone);
        return { jar, line: sessionLine(await loginWith(jar, "alice", { remember: days }))! };
      },
    ],
  ];

  test.each(ways)(
    "%s: the cookie's life and its other attributes, in the cookie, the store and the list",
    async (_name, go) => {
      const target = rememberMe();
      const { jar, line } = await go(target, 30);
      expect(secondsOf(line)).toBeGreaterThan(29.9 * 24 * 3600);
      expect(line).toContain("SameSite=Strict");
      const row = JSON.parse(rowOf(jar)) as { cookie: { originalMaxAge: number }; tenant: unknown };
      expect([Math.round(row.cookie.originalMaxAge / DAY), row.tenant]).toEqual([30, 30]);
      // Longer than sessions live here unless somebody chooses.
      target.clock.advance(2 * DAY);
      expect((await jar.get("/account")).status).toBe(200);
    },
  );

  test.each(ways)("%s: a cookie as long as the browser is open, whatever the default is", async (_name, go) => {
    const { jar, line } = await go(rememberMe(), 0);
    expect(secondsOf(line)).toBeUndefined();
    expect(await jar.isIn()).toBe(true);
  });
});

describe("what the first step's own callback sets on the cookie where nothing was due", () => {
  test("holds: the login lasts as long as the cookie does", async () => {
    const target = testApp({
      cookie: { maxAge: HOUR },
      routes: (app) =>
        app.post("/callback", (req, res, next) => {
          req.logIn(userNamed("carol"), (error: unknown) => {
            if (error !== undefined && error !== null) {
              next(error);
              return;
            }
            req.session.cookie.maxAge = 30 * DAY;
            res.json({});
          });
        }),
    });
    const jar = new Jar(target);
    expect(secondsOf(sessionLine(await jar.post("/callback"))!)).toBeGreaterThan(29.9 * 24 * 3600);
    const copy = copyOf(jar);
    target.clock.advance(2 * DAY);
    expect([await jar.isIn(), await copy.isIn()]).toEqual([true, true]);
  });

  test("holds after a strategy too", async () => {
    const target = testApp({
      cookie: { maxAge: HOUR },
      options: { exempt: ["/login", "/otp"] },
      routes: (app, mfa, authenticator) => {
        authenticator.use(mfa.strategy("totp"));
        app.post("/otp", authenticator.authenticate("totp"), (req, res) => {
          req.session.cookie.maxAge = 30 * DAY;
          res.json({});
        });
      },
    });
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    await jar.post("/otp", { code: phone.code(target.clock()) });
    target.clock.advance(2 * DAY);
    expect(await jar.isIn()).toBe(true);
  });
});
