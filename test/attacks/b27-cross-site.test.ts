import { describe, expect, test } from "@jest/globals";
import express, { type RequestHandler } from "express";
import type { Test } from "supertest";
import { guarded, ORIGIN, passwordOf, testApp, type TestApp, userNamed } from "../support/app.js";
import { type Enrolled, enrolled, full, Jar } from "../support/browser.js";
import { harmless, MODES, passworded, storedAccount, storedFactors, trusted } from "../support/attack.js";
import { alice, ask as askForRecovery, tokenOf } from "../support/recovery.js";
import { type StateRoute, stateRoutes, wayBackRoutes } from "../support/routes.js";

/** Writes that do not come from a page of this origin, each as it reaches a route. */
const FOREIGN: Readonly<Record<string, (jar: Jar, route: StateRoute) => Test>> = {
  "a form of another site": (jar, { path, body }) => asForm(jar, path, body).set("Sec-Fetch-Site", "cross-site"),
  "a form of a sibling site": (jar, { path, body }) => asForm(jar, path, body).set("Sec-Fetch-Site", "same-site"),
  "a form that says neither": (jar, { path, body }) => asForm(jar, path, body),
  "JSON of another site": (jar, { path, body }) => jar.post(path, body).set("Sec-Fetch-Site", "cross-site"),
  "JSON of a sibling site": (jar, { path, body }) => jar.post(path, body).set("Sec-Fetch-Site", "same-site"),
  "a word no browser sends": (jar, { path, body }) =>
    jar.post(path, body).set("Sec-Fetch-Site", "same-origin, cross-site"),
  "two answers at once": (jar, { path, body }) =>
    jar.post(path, body).set("Sec-Fetch-Site", "same-origin").set("Origin", "https://evil.test"),
  "a hidden origin that says it is another site's": (jar, { path, body }) =>
    asForm(jar, path, body).set("Sec-Fetch-Site", "cross-site").set("Origin", "null"),
  "JSON of a hidden origin": (jar, { path, body }) => jar.post(path, body).set("Origin", "null"),
  "nothing at all": (jar, { path }) => empty(jar, path),
  "an empty form": (jar, { path }) => empty(jar, path).set("Content-Type", "application/x-www-form-urlencoded"),
  "an empty text": (jar, { path }) => empty(jar, path).set("Content-Type", "text/plain"),
  "an empty multipart form": (jar, { path }) => empty(jar, path).set("Content-Type", "multipart/form-data; boundary=x"),
  "JSON of no length": (jar, { path }) => empty(jar, path).set("Content-Type", "application/json"),
  "JSON that does not say so": (jar, { path }) => jar.post(path, '{"a":1}').type("application/x-unknown"),
  "JSON of an evil origin": (jar, { path, body }) => jar.post(path, body).set("Origin", "https://evil.test"),
  "a form of an evil origin": (jar, { path, body }) => asForm(jar, path, body).set("Origin", "https://evil.test"),
  "a sandboxed frame": (jar, { path, body }) => asForm(jar, path, body).set("Origin", "null"),
  "an origin with this one as a prefix": (jar, { path, body }) =>
    jar.post(path, body).set("Origin", `${ORIGIN}.evil.test`),
  "an origin with this one as its user": (jar, { path, body }) =>
    jar.post(path, body).set("Origin", `${ORIGIN}@evil.test`),
  "this host on another port": (jar, { path, body }) => jar.post(path, body).set("Origin", "http://localhost:3001"),
  "this host under another scheme": (jar, { path, body }) =>
    jar.post(path, body).set("Origin", "https://localhost:3000"),
  "an origin in capitals": (jar, { path, body }) => jar.post(path, body).set("Origin", ORIGIN.toUpperCase()),
  "an empty origin": (jar, { path, body }) => jar.post(path, body).set("Origin", ""),
  "a host the client chose": (jar, { path, body }) =>
    jar
      .post(path, body)
      .set("Host", "evil.test")
      .set("Origin", "http://evil.test")
      .set("X-Forwarded-Host", "evil.test"),
  "plain text that parses as JSON": (jar, { path, body }) =>
    jar.post(path, JSON.stringify(body) === "{}" ? '{"a":1}' : JSON.stringify(body)).type("text/plain"),
  "a multipart form": (jar, { path, body }) => {
    const sent = jar.agent.post(path).set("Accept", "application/json");
    return sent.field({ any: "thing", ...flat(body) });
  },
};

function empty(jar: Jar, path: string): Test {
  return jar.agent.post(path).set({ Accept: "application/json", "Content-Length": "0" });
}

function asForm(jar: Jar, path: string, body: object): Test {
  return jar.post(path, { any: "thing", ...body }).type("form");
}

function flat(body: object): Record<string, string> {
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, String(value)]));
}

interface Victim {
  readonly target: TestApp;
  readonly jar: Jar;
  readonly factor: Enrolled;
  readonly routes: readonly StateRoute[];
}

/** Alice with a proof of this minute, a trusted browser and an enrollment under way: everything would be allowed. */
async function victim(): Promise<Victim> {
  const target = testApp();
  const factor = await enrolled(target, "alice");
  await trusted(target, "alice", factor.phone);
  const jar = await full(target, "alice", factor.phone);
  const { body } = await jar.get("/2fa/settings");
  const ids = { factorId: factor.factorId, deviceId: body.devices[0].id, sessionId: body.sessions[1].id };
  return { target, jar, factor, routes: stateRoutes(ids) };
}

const REFUSALS: Readonly<Record<string, number>> = { "cross-site-request": 403, "unsupported-media-type": 415 };

describe("B27 writes that another site makes a browser send", () => {
  test.each(Object.entries(FOREIGN))("B27 %s changes nothing at any route", async (_name, sendAs) => {
    const { target, jar, routes: own } = await victim();
    const routes = [...own, ...wayBackRoutes(), { path: "/2fa/recovery/cancel", body: {} }];
    const before = await storedAccount(target, "alice");
    for (const route of routes) {
      const answer = harmless(await sendAs(jar, route));
      expect([route.path, answer.status]).toEqual([route.path, REFUSALS[answer.body.code]]);
      expect([route.path, await storedAccount(target, "alice")]).toEqual([route.path, before]);
    }
    expect(await jar.isIn()).toBe(true);
  });

  test("B27 nor does any of them at the way back and the help desk, with the right token in it", async () => {
    const here = await alice();
    await here.target.mfa.accounts.callerCheck.begin("u1", { actor: "support:7" });
    const jar = await askForRecovery(here);
    const routes = wayBackRoutes(await tokenOf(here, "confirm"));
    const before = await storedAccount(here.target, "alice");
    for (const [says, sendAs] of Object.entries(FOREIGN)) {
      for (const route of routes) {
        const answer = harmless(await sendAs(jar, route));
        expect([says, route.path, answer.status]).toEqual([says, route.path, REFUSALS[answer.body.code]]);
      }
      expect([says, await storedAccount(here.target, "alice")]).toEqual([says, before]);
    }
  });

  test.each(["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"] as const)(
    "B27 %s changes nothing at any route, whatever it claims to be",
    async (method) => {
      const { target, jar, factor, routes } = await victim();
      const before = await storedAccount(target, "alice");
      const right = { code: factor.phone.code(target.clock()) };
      for (const { path, body } of routes) {
        const query = new URLSearchParams(flat({ ...body, ...right, _method: "POST" })).toString();
        const verb = method.toLowerCase() as "get";
        const answer = harmless(
          await jar.agent[verb](`${path}?${query}`)
            .set("Accept", "application/json")
            .set("Sec-Fetch-Site", "same-origin")
            .set("X-HTTP-Method-Override", "POST")
            .set("X-HTTP-Method", "POST")
            .set("X-Method-Override", "POST"),
        );
        expect([path, answer.status]).toEqual([path, 404]);
        expect([path, await storedAccount(target, "alice")]).toEqual([path, before]);
      }
      expect(await jar.isIn()).toBe(true);
    },
  );

  test("B27 a login cannot be finished from another site, even with the right code", async () => {
    const target = testApp();
    const { phone, backupCodes } = await enrolled(target, "alice");
    const jar = await passworded(target, "JSON", "alice");
    const right = phone.code(target.clock());
    for (const sendAs of Object.values(FOREIGN)) {
      harmless(await sendAs(jar, { path: "/2fa/totp", body: { code: right } }));
      harmless(await sendAs(jar, { path: "/2fa/backup-code", body: { code: backupCodes[0]! } }));
      harmless(await sendAs(jar, { path: "/2fa/cancel", body: {} }));
      expect(await jar.isIn()).toBe(false);
    }
    expect((await jar.get("/2fa")).body.status).toBe("pending");
    // Nothing was used up, and nothing was counted.
    expect((await jar.verify(right)).status).toBe(200);
    expect((await target.mfa.accounts.status("u1")).backupCodesRemaining).toBe(10);
  });

  test("B27 nothing is written for a visitor who is nobody, and nobody is given a session", async () => {
    const target = testApp();
    const jar = new Jar(target);
    // The other two say nothing of where they come from, and are told by their type where there is something to write.
    const { "a multipart form": _form, "plain text that parses as JSON": _text, ...telling } = FOREIGN;
    for (const [name, sendAs] of Object.entries(telling)) {
      for (const route of stateRoutes().slice(0, 6)) {
        const answer = harmless(await sendAs(jar, route));
        expect([name, route.path, answer.headers["set-cookie"]]).toEqual([name, route.path, undefined]);
        expect([401, 403, 415]).toContain(answer.status);
      }
      const options = await sendAs(jar, { path: "/2fa/passkey/options", body: {} });
      expect([name, options.status, options.body.challenge]).toEqual([name, 403, undefined]);
    }
    expect((await jar.post("/2fa/passkey/options")).status).toBe(200);
  });

  test.each(["alice", "carol"])(
    "B27 %s's login made above the middleware is not used from another site, not even by its first request",
    async (name) => {
      const target = testApp({
        before: (app) =>
          app.post("/above", (req, res, next) => {
            req.logIn(userNamed(name), (error: unknown) => {
              if (error === undefined || error === null) res.status(204).end();
              else next(error);
            });
          }),
      });
      if (name === "alice") await enrolled(target, "alice");
      else await passworded(target, "JSON", name);
      const before = await storedFactors(target, name);
      for (const sendAs of Object.values(FOREIGN).slice(0, 4)) {
        for (const route of stateRoutes().slice(-2)) {
          const jar = new Jar(target);
          await jar.post("/above");
          const answer = harmless(await sendAs(jar, route));
          expect([route.path, answer.status]).toEqual([route.path, REFUSALS[answer.body.code]]);
          expect(await storedFactors(target, name)).toEqual(before);
        }
      }
    },
  );

  test("B27 a refused write is answered before its body is looked at", async () => {
    const { jar } = await victim();
    const answer = await jar.post("/2fa/totp", { code: "1".repeat(70_000) }).set("Sec-Fetch-Site", "cross-site");
    expect([answer.status, answer.body.code]).toEqual([403, "cross-site-request"]);
  });

  test("B27 nobody's writes from another site are refused as well", async () => {
    const target = testApp();
    for (const [name, sendAs] of Object.entries(FOREIGN)) {
      const answer = harmless(await sendAs(new Jar(target), { path: "/2fa/passkey/options", body: {} }));
      expect([name, answer.status]).toEqual([name, REFUSALS[answer.body.code]]);
    }
  });

  test.each(MODES)("B27 the same write from this origin goes through (%s)", async (mode) => {
    const own: Readonly<Record<string, string>>[] = [
      { "Sec-Fetch-Site": "same-origin" },
      { Origin: ORIGIN },
      // A listed origin decides by itself: sibling sites of one application may be listed.
      { "Sec-Fetch-Site": "same-site", Origin: ORIGIN },
      // A page under no-referrer hides its origin, and Fetch Metadata speaks for it.
      { "Sec-Fetch-Site": "same-origin", Origin: "null" },
    ];
    for (const headers of own) {
      const { target, jar, factor } = await victim();
      const path = `/2fa/factors/${factor.factorId}/rename`;
      const sent = mode === "JSON" ? jar.post(path, { label: "Mine" }) : asForm(jar, path, { label: "Mine" });
      expect((await sent.set(headers)).status).toBe(200);
      expect((await target.mfa.accounts.factors("u1"))[0]!.label).toBe("Mine");
    }
  });
});

describe("B27 writes of another site at the application's own route of a strategy", () => {
  const PATHS = ["/login", "/logout", "/otp", "/both"];
  const target = (): TestApp =>
    testApp({
      // An application that takes much for JSON.
      parsers: [
        express.json({ type: ["application/json", "text/plain", "application/x-unknown"] }),
        express.urlencoded({ extended: false }),
      ],
      options: { exempt: PATHS },
      routes: (app, mfa, authenticator) => {
        authenticator.use(mfa.strategy("totp"));
        const inline = authenticator.authenticate("local", { secondFactor: "inline" }) as RequestHandler;
        const totp = authenticator.authenticate("totp") as RequestHandler;
        app.post("/otp", totp, guarded);
        app.post("/both", inline, totp, guarded);
      },
    });

  test("B27 spend no attempt of a login that waits, and finish none", async () => {
    const app = target();
    const { phone } = await enrolled(app, "alice");
    const jar = await passworded(app, "JSON", "alice");
    const right = phone.code(app.clock());
    app.events.length = 0;
    for (const [name, sendAs] of Object.entries(FOREIGN)) {
      for (const code of ["000000", right]) {
        const answer = harmless(await sendAs(jar, { path: "/otp", body: { code } }));
        expect([name, answer.status]).toEqual([name, 401]);
      }
    }
    expect(app.events).toEqual([]);
    expect((await jar.post("/otp", { code: right })).status).toBe(200);
  });

  test("B27 from this origin are taken as forms too", async () => {
    const app = target();
    const { phone } = await enrolled(app, "alice");
    const jar = await passworded(app, "JSON", "alice");
    expect((await jar.form("/otp", { code: phone.code(app.clock()) })).status).toBe(200);
  });

  test("B27 name, password and code in one form need no header: no session stands behind them", async () => {
    const app = target();
    const { phone } = await enrolled(app, "alice");
    const body = { username: "alice", password: passwordOf("alice"), code: phone.code(app.clock()) };
    for (const [headers, status] of [
      [{ Origin: "null" }, 401],
      [{ Origin: "https://evil.test" }, 401],
      [{ "Sec-Fetch-Site": "cross-site" }, 401],
      [{}, 200],
    ] as const) {
      const answer = await new Jar(app).post("/both", body).type("form").set(headers);
      expect([headers, answer.status]).toEqual([headers, status]);
    }
  });
});
