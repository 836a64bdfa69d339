import { describe, expect, test } from "@jest/globals";
import type { Response } from "supertest";
import { ORIGIN, passwordOf, testApp, type TestApp, type TestAppOptions } from "../support/app.js";
import { type Enrolled, enrolled, Jar } from "../support/browser.js";
import { cookies, passworded, putCookie, SESSION_COOKIE, STEP } from "../support/attack.js";
import { overHttp } from "../support/raw.js";

const PLACES = [
  "https://evil.test",
  "https://evil.test/path?x=1",
  "//evil.test",
  "///evil.test",
  "////evil.test//",
  "/\\evil.test",
  "\\\\evil.test",
  "\\/evil.test",
  "/%5Cevil.test",
  "/%09/evil.test",
  "/\t/evil.test",
  "\t//evil.test",
  " //evil.test",
  "/\n/evil.test",
  "/\r/evil.test",
  "https:evil.test",
  "https:/evil.test",
  "HTTPS://evil.test",
  "javascript:alert(1)",
  "java\nscript:alert(1)",
  "data:text/html,x",
  "/..//evil.test",
  "/.//evil.test",
  "/x/..//evil.test",
  "/%2e%2e//evil.test",
  "./\\evil.test",
  "http://localhost:3000@evil.test",
  "http://localhost:3000.evil.test",
  "http://user:secret@localhost:3000/",
  "http://localhost:30001/",
  "https://localhost:3000/account",
  "//localhost:3000@evil.test",
  "/\u2028/evil.test",
  "/\u0000/evil.test",
  "\u{FF0F}\u{FF0F}evil.test",
  "?//evil.test",
  "#//evil.test",
];

/** Where a browser on this site ends up, as the URL Standard has it, with the answer's words for it. */
function landing(answer: Response): string {
  const told = (answer.headers["location"] ?? answer.body.redirectTo) as string | undefined;
  if (told === undefined) throw new Error(`${answer.status} without a place to go: ${answer.text}`);
  return new URL(told, `${ORIGIN}/2fa/totp`).origin;
}

async function prepared(options: TestAppOptions = {}): Promise<{ target: TestApp; factor: Enrolled }> {
  const target = testApp(options);
  return { target, factor: await enrolled(target, "alice") };
}

/** Completes the login with the next code and answers where it led to, once as a page and once as JSON. */
async function complete(jar: Jar, { phone }: Enrolled, mode: "page" | "JSON", path = "/2fa/totp", body: object = {}) {
  const { clock } = jar.target;
  clock.advance(STEP);
  const sent = { ...body, code: phone.code(clock()) };
  const answer = await (mode === "page" ? jar.form(path, sent) : jar.post(path, sent));
  expect(answer.status).toBe(mode === "page" ? 303 : 200);
  return answer;
}

describe("B35 a login that leads to another site", () => {
  test.each(["page", "JSON"] as const)(
    "B35 a place in the query, the body, a header or a cookie is not listened to (%s)",
    async (mode) => {
      const { target, factor } = await prepared();
      for (const place of [...PLACES, "/attacker-chose-this"]) {
        const query = ["returnTo", "redirect", "redirectTo", "next", "return_to"].map(
          (name) => `${name}=${encodeURIComponent(place)}`,
        );
        const jar = await passworded(target, "JSON", "alice");
        putCookie(jar, "returnTo", encodeURIComponent(place));
        await jar.page(`/2fa?${query.join("&")}`);
        const body = { returnTo: place, redirectTo: place, next: place };
        const answer = await complete(jar, factor, mode, `/2fa/totp?${query.join("&")}`, body);
        expect([place, answer.headers.location ?? answer.body.redirectTo]).toEqual([place, "/account"]);
        expect(await jar.isIn()).toBe(true);
      }
    },
  );

  test("B35 a list or an object in its place changes nothing", async () => {
    const { target, factor } = await prepared();
    for (const returnTo of [["https://evil.test"], { href: "https://evil.test" }, 1, null]) {
      const jar = await passworded(target, "JSON", "alice");
      const answer = await complete(jar, factor, "JSON", "/2fa/totp", { returnTo });
      expect(answer.body.redirectTo).toBe("/account");
    }
  });

  test.each(["page", "JSON"] as const)(
    "B35 what the application left in session.returnTo leads nowhere else (%s)",
    async (mode) => {
      const { target, factor } = await prepared({
        before(app) {
          app.post("/login", (req, _res, next) => {
            Object.assign(req.session, { returnTo: req.body.place });
            next();
          });
        },
      });
      for (const place of [...PLACES, ["https://evil.test"], { toString: "x" }, 7]) {
        const jar = new Jar(target);
        await jar.post("/login", { username: "alice", password: passwordOf("alice"), place });
        const answer = await complete(jar, factor, mode);
        expect([place, landing(answer)]).toEqual([place, ORIGIN]);
        expect(await jar.isIn()).toBe(true);
      }
      const own = new Jar(target);
      await own.post("/login", { username: "alice", password: passwordOf("alice"), place: "/orders?page=2#last" });
      const answer = await complete(own, factor, mode);
      expect(answer.headers.location ?? answer.body.redirectTo).toBe("/orders?page=2#last");
    },
  );

  test("B35 a successRedirect of the application leads nowhere else once a second factor was asked", async () => {
    const { target, factor } = await prepared({
      routes(app, _mfa, authenticator) {
        app.post("/go", (req, res, next) => {
          authenticator.authenticate("local", { successRedirect: req.body.place as string })(req, res, next);
        });
        app.post("/back", (req, res, next) => {
          authenticator.authenticate("local", { successReturnToOrRedirect: req.body.place as string })(req, res, next);
        });
      },
    });
    for (const place of PLACES) {
      for (const path of ["/go", "/back"]) {
        const jar = new Jar(target);
        await jar.post(path, { username: "alice", password: passwordOf("alice"), place });
        expect([place, landing(await complete(jar, factor, "page"))]).toEqual([place, ORIGIN]);
      }
    }
  });

  test("B35 a chain of strategies does not hand a foreign session.returnTo to Passport", async () => {
    const { target, factor } = await prepared({
      options: { exempt: ["/login", "/logout", "/both"] },
      routes(app, mfa, authenticator) {
        authenticator.use(mfa.strategy("totp"));
        app.post(
          "/both",
          (req, _res, next) => {
            Object.assign(req.session, { returnTo: req.body.place });
            next();
          },
          authenticator.authenticate("local", { secondFactor: "inline", keepSessionInfo: true }),
          authenticator.authenticate("totp", { successReturnToOrRedirect: "/account", keepSessionInfo: true }),
        );
      },
    });
    for (const place of PLACES) {
      const jar = new Jar(target);
      target.clock.advance(STEP);
      const code = factor.phone.code(target.clock());
      const answer = await jar.form("/both", { username: "alice", password: passwordOf("alice"), place, code });
      expect([place, answer.status, landing(answer)]).toEqual([place, 302, ORIGIN]);
      expect(await jar.isIn()).toBe(true);
    }
  });

  test("B35 the page first asked for is kept only if it is of this site, whatever stands in the request line", async () => {
    const { target, factor } = await prepared();
    const targets = [
      "//evil.test/x",
      "///evil.test/x",
      "//evil.test//..",
      "/..//evil.test/x",
      "/x/..//evil.test",
      "/\\evil.test/x",
      "/\\/evil.test",
      "http://evil.test/x",
      "http://evil.test",
      "https://localhost:3000/x",
      "/%5Cevil.test",
      "/%2F/evil.test",
      "/%09/evil.test",
      "/;@evil.test",
      "/?//evil.test",
    ];
    for (const place of targets) {
      const jar = await passworded(target, "JSON", "alice");
      const gate = await overHttp(target.app, (send) =>
        send(place, {
          headers: {
            Accept: "text/html",
            Cookie: `${SESSION_COOKIE}=${cookies(jar)[SESSION_COOKIE]!}`,
            Host: "evil.test",
          },
        }),
      );
      expect([place, gate.status, gate.headers.location]).toEqual([place, 303, "/2fa"]);
      const answer = await complete(jar, factor, "page");
      expect([place, landing(answer)]).toEqual([place, ORIGIN]);
      expect(answer.headers.location).not.toMatch(/^([/\\]{2}|[a-z]+:)/i);
    }
  });

  test("B35 the page first asked for on this site is where the user lands", async () => {
    const { target, factor } = await prepared();
    const jar = await passworded(target, "JSON", "alice");
    await jar.page("/api/data?from=2026&to=%2Fnowhere");
    expect((await complete(jar, factor, "page")).headers.location).toBe("/api/data?from=2026&to=%2Fnowhere");
  });

  test("B35 no host of a request header gets into a redirect", async () => {
    const { target, factor } = await prepared();
    const headers = {
      Host: "evil.test",
      "X-Forwarded-Host": "evil.test",
      Forwarded: "host=evil.test",
      "X-Original-URL": "//evil.test",
    };
    const jar = await passworded(target, "JSON", "alice");
    const gate = await jar.page("/account").set(headers);
    expect([gate.status, gate.headers.location]).toEqual([303, "/2fa"]);
    target.clock.advance(STEP);
    const answer = await jar.form("/2fa/totp", { code: factor.phone.code(target.clock()) }).set(headers);
    expect([answer.status, answer.headers.location]).toEqual([303, "/account"]);
    expect(JSON.stringify([gate.headers, answer.headers])).not.toContain("evil");
  });
});
