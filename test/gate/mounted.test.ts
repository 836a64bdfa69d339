import { describe, expect, test } from "@jest/globals";
import express from "express";
import { MINUTE, STEP } from "../support/attack.js";
import { passwordOf, testApp, type TestAppOptions } from "../support/app.js";
import { authenticatorApp } from "express-second-factor/testing";
import { Jar } from "../support/browser.js";
import { submit } from "../support/pages.js";

/** The application mounted in another one, as `app.use("/app", sub)`. */
function mounted(given: TestAppOptions = {}) {
  const target = testApp(given);
  const outer = express();
  outer.use("/app", target.app);
  outer.use((_req, res) => {
    res.status(404).json({ code: "outer" });
  });
  const jar = (): Jar => new Jar(target, outer);
  return { target, jar };
}

const ACCOUNT = { username: "alice", password: passwordOf("alice") };

async function enroll(jar: Jar) {
  await jar.post("/app/login", ACCOUNT);
  const begun = (await jar.post("/app/2fa/totp/enroll")).body as { factorId: string; uri: string };
  const phone = authenticatorApp(begun.uri);
  const code = phone.code(jar.target.clock());
  const { page: done } = await submit(jar, "/app/2fa/totp/enroll/confirm", { factorId: begun.factorId, code });
  jar.target.clock.advance(STEP);
  return { phone, done };
}

describe("an application mounted below a path", () => {
  test("sends browsers to its own challenge, and back to its own pages", async () => {
    const { target, jar } = mounted();
    const { phone } = await enroll(jar());
    const browser = jar();
    const login = await browser.form("/app/login", ACCOUNT);
    expect([login.status, login.headers.location]).toEqual([303, "/app/2fa"]);
    expect((await browser.page("/app/api/data?x=1")).headers.location).toBe("/app/2fa");
    const answer = await browser.form("/app/2fa/totp", { code: phone.code(target.clock()) });
    expect([answer.status, answer.headers.location]).toEqual([303, "/app/api/data?x=1"]);
    expect(await browser.isIn("/app/account")).toBe(true);
  });

  test("tells clients of the API where its challenge is", async () => {
    const { jar } = mounted();
    await enroll(jar());
    expect((await jar().post("/app/login", ACCOUNT)).body).toMatchObject({
      code: "second-factor-required",
      location: "/app/2fa",
    });
  });

  test.each(["/app/2fa?confirm", "/app/2fa/settings"])(
    "has pages whose forms, links and files lie there: %s",
    async (path) => {
      const { jar } = mounted();
      const browser = jar();
      const { done } = await enroll(browser);
      const page = await browser.page(path);
      for (const text of [page.text, done.text]) {
        const places = Array.from(text.matchAll(/(?:action|href|src)="([^"]*)"/g), ([, place]) => place!);
        expect(places).not.toEqual([]);
        const own = places.filter((place) => place.includes("2fa"));
        expect(own.length).toBeGreaterThan(1);
        expect(own.filter((place) => !place.startsWith("/app/2fa"))).toEqual([]);
        for (const file of places.filter((place) => place.includes("/assets/")))
          expect((await jar().get(file)).status).toBe(200);
      }
    },
  );

  test("comes back to its own settings, after a change and after a confirmation", async () => {
    const { target, jar } = mounted();
    const browser = jar();
    const { phone } = await enroll(browser);
    const change = await browser.form("/app/2fa/sessions/revoke-others");
    expect([change.status, change.headers.location]).toEqual([303, "/app/2fa/settings"]);
    target.clock.advance(20 * MINUTE);
    await browser.form("/app/2fa/backup-codes");
    const answer = await browser.form("/app/2fa/totp", { code: phone.code(target.clock()) });
    expect(answer.headers.location).toBe("/app/2fa/settings");
  });

  test("knows its exempt paths by their own names", async () => {
    const { jar } = mounted({
      options: { exempt: ["/login", "/help"] },
      routes: (app) => app.get("/help", (_req, res) => void res.json({ reached: true })),
    });
    await enroll(jar());
    const client = jar();
    await client.post("/app/login", ACCOUNT);
    expect((await client.get("/app/help")).body).toEqual({ reached: true });
  });

  test("leaves what lies beside it alone", async () => {
    const { jar } = mounted();
    await enroll(jar());
    const client = jar();
    await client.post("/app/login", ACCOUNT);
    expect((await client.get("/2fa")).body).toEqual({ code: "outer" });
  });
});

describe("the path of the routes", () => {
  test("is the application's to choose", async () => {
    const target = testApp({ options: { path: "/account/security/" } });
    const jar = new Jar(target);
    await jar.login("carol");
    expect((await jar.get("/account/security")).body.status).toBe("not-enrolled");
    expect((await jar.get("/account/security/settings")).status).toBe(200);
    expect((await jar.get("/2fa")).status).toBe(404);
    expect((await jar.get("/account")).status).toBe(200);
  });

  test.each(["2fa", "/", "//2fa", "/2fa?x", "/:id", "/*", 5])("is refused at start as %j", (path) => {
    expect(() => testApp({ options: { path: path as string } })).toThrow(/path: must begin with one slash/);
  });
});
