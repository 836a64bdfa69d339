import { describe, expect, test } from "@jest/globals";
import type { Express } from "express";
import { CANARY, testApp, type TestApp } from "../support/app.js";
import { ask, expectDenied, harmless, MODES, passworded } from "../support/attack.js";
import { enrolled } from "../support/browser.js";

/** Pages, data and things that look like files, none of which ask for anything themselves. */
const PATHS = [
  "/reports",
  "/api/v1/things/1",
  "/private/report.pdf",
  "/assets/admin.js",
  "/favicon.ico",
  "/.well-known/keys",
  "/2fa-admin",
  "/2fa.json",
  "/loginx",
  "/login/admin",
  "/logout/everything",
];

function carelessRoutes(app: Express): void {
  for (const path of PATHS) {
    app.all(path, (_req, res) => {
      res.set("X-Canary", CANARY).send(CANARY);
    });
  }
  app.get("/redirecting", (_req, res) => {
    res.redirect(`/elsewhere?${CANARY}`);
  });
}

function careless(): TestApp {
  return testApp({ routes: carelessRoutes });
}

describe("forced browsing after the password", () => {
  test.each(MODES)(
    "B01 no route of the application is reached by somebody who gave the password alone (%s)",
    async (mode) => {
      const target = careless();
      await enrolled(target, "alice");
      const jar = await passworded(target, mode, "alice");
      for (const path of [...PATHS, "/redirecting"]) {
        const answer = harmless(await ask(jar, mode, path));
        expect([path, answer.status]).toEqual([path, mode === "JSON" ? 401 : 303]);
        if (mode === "forms") expect(answer.headers.location).toBe("/2fa");
      }
      await expectDenied(jar);
    },
  );

  test.each(["post", "put", "patch", "delete", "head", "options"] as const)(
    "B01 no route is reached with the method %s either",
    async (method) => {
      const target = careless();
      await enrolled(target, "alice");
      const jar = await passworded(target, "JSON", "alice");
      for (const path of [...PATHS, "/account"]) {
        const answer = harmless(await jar.agent[method](path).set("Accept", "application/json"));
        expect([path, answer.status]).toEqual([path, 401]);
      }
      await expectDenied(jar);
    },
  );

  test("B01 the same routes open to the same login once the code was given", async () => {
    const target = careless();
    const { phone } = await enrolled(target, "alice");
    const jar = await passworded(target, "JSON", "alice");
    await jar.verify(phone.code(target.clock()));
    for (const path of PATHS) expect([path, (await jar.get(path)).text]).toEqual([path, CANARY]);
  });
});
