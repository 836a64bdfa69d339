import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import express from "express";
import type { Browser, Page } from "playwright-core";
import { CANARY, passwordOf, testApp, userNamed } from "../support/app.js";
import { enrolled } from "../support/browser.js";
import { launchChromium } from "../support/chromium.js";
import { Application, GUARDED, NOT_ENROLLED } from "../package/application.js";
import { documentedExamples } from "../package/documented-examples.js";
import { bundled, PAGE } from "../package/example-page.js";
import { run } from "../package/run-example.js";
import { plugIn } from "./keys.js";
import { type Demo, listen } from "./stage.js";

jest.setTimeout(60_000);

type Listening = Pick<Demo, "close" | "origin">;

const WEB_APP = "https://app.acme.example";
const API = "https://api.acme.example";

/** An example of the recipe, with the origins that there are here in the place of its own. */
function recipe(heading: string, origins: Readonly<Record<string, string>>) {
  const found = documentedExamples().find(({ title }) => title === `docs/other-origins.md: ${heading}`);
  if (found === undefined) throw new Error(`The recipe has no ${heading}`);
  const code = Object.entries(origins).reduce((text, [named, real]) => text.replaceAll(named, real), found.code);
  return { ...found, code };
}

describe("pages of another origin", () => {
  let browser: Browser;
  const servers: Listening[] = [];

  const serve = async (appFor: Parameters<typeof listen>[0]): Promise<Listening> => {
    const server = await listen(appFor);
    servers.push(server);
    return server;
  };

  beforeAll(async () => {
    browser = await launchChromium();
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    await Promise.all(servers.map((server) => server.close()));
  });

  /** Asks the API as a script of the page does. */
  const ask = (page: Page, url: string, method = "GET"): Promise<string> =>
    page.evaluate(
      async ([place, verb]) => {
        const init: RequestInit = { credentials: "include", headers: { Accept: "application/json" }, method: verb! };
        return fetch(place!, init).then(
          (answer) => answer.text(),
          () => "not to be read",
        );
      },
      [url, method],
    );

  test("log in, enroll and confirm by the recipe of the documentation, on another port", async () => {
    const web = await serve(() => express().get("/", (_req, res) => void res.type("html").send(PAGE)));
    const stranger = await serve(() => express().get("/", (_req, res) => void res.type("html").send(PAGE)));
    const server = recipe("The server", { [WEB_APP]: web.origin });
    const api = await serve((origin) => {
      const application = new Application(server.code, { origin });
      const ready = application.begin().then(async () => {
        await run(server, application.names);
        application.finish();
      });
      return (req, res) => void ready.then(() => application.app(req, res));
    });
    const page = await browser.newPage();
    page.setDefaultTimeout(8_000);
    await plugIn(page);
    await page.goto(web.origin);
    await page.addScriptTag({ type: "module", content: await bundled(recipe("The page", { [API]: api.origin })) });
    await page.locator("[name=username]").fill(NOT_ENROLLED.name);
    await page.locator("[name=password]").fill(passwordOf(NOT_ENROLLED.name));
    const goOn = page.getByRole("button", { name: "Go on" });
    await page.waitForFunction(() => globalThis.made !== undefined);
    await goOn.click();
    await page.getByText("enrolled", { exact: true }).waitFor();
    await ask(page, `${api.origin}/logout`, "POST");
    expect(await ask(page, api.origin + GUARDED)).not.toContain(CANARY);
    await goOn.click();
    await page.getByText("verified", { exact: true }).waitFor();
    expect(await ask(page, api.origin + GUARDED)).toContain(CANARY);
    // Whoever is not listed reads nothing, and writes nothing.
    await page.goto(stranger.origin);
    expect(await ask(page, api.origin + GUARDED)).toBe("not to be read");
    expect(await ask(page, `${api.origin}/2fa/disable`, "POST")).toBe("not to be read");
    await page.goto(web.origin);
    expect(JSON.parse(await ask(page, `${api.origin}/2fa/settings`)).factors).toHaveLength(1);
    await page.context().close();
  });

  test("send a browser back to a login that it keeps strict cookies for, which is found", async () => {
    const target = testApp({
      cookie: { sameSite: "strict" },
      options: { origin: "http://localhost:3000", exempt: ["/callback"] },
      routes(app) {
        app.get("/callback", (req, res, next) => {
          req.logIn(userNamed("alice"), (error) => {
            if (error) next(error);
            else res.redirect("/");
          });
        });
      },
    });
    const { phone } = await enrolled(target, "alice");
    const site = await serve(() => target.app);
    const provider = await serve(() =>
      express().get(
        "/",
        (_req, res) => void res.type("html").send(`<a href="${site.origin}/callback?code=1">Sign in</a>`),
      ),
    );
    const page = await browser.newPage();
    page.setDefaultTimeout(8_000);
    // Another site than localhost.
    await page.goto(provider.origin.replace("localhost", "127.0.0.1"));
    await page.getByRole("link", { name: "Sign in" }).click();
    await page.getByLabel("6-digit code").waitFor();
    expect(new URL(page.url()).pathname).toBe("/2fa");
    await page.reload();
    await page.getByLabel("6-digit code").fill(phone.code(target.clock()));
    expect(await page.getByText("Sign in first").count()).toBe(0);
    await page.context().close();
  });

  test("are where the way on may lead after a code: an OAuth client on another origin", async () => {
    const client = await serve(() =>
      express().get("/back", (_req, res) => void res.type("html").send("<h1>The client</h1>")),
    );
    let origin = "";
    const site = await serve((own) => {
      origin = own;
      return (req, res) => void target.app(req, res);
    });
    const target = testApp({
      options: { origin, exempt: ["/sign-in"] },
      routes(app, _mfa, authenticator) {
        app.get("/authorize", (_req, res) => res.redirect(`${client.origin}/back?code=1`));
        app.post("/sign-in", authenticator.authenticate("local", { successRedirect: "/authorize" }));
        app.get("/sign-in", (_req, res) => {
          res.type("html").send(PAGE.replace('id="form"', 'id="form" method="post"'));
        });
      },
    });
    const { phone } = await enrolled(target, "alice");
    const page = await browser.newPage();
    page.setDefaultTimeout(8_000);
    await page.goto(`${site.origin}/sign-in`);
    await page.locator("[name=username]").fill("alice");
    await page.locator("[name=password]").fill(passwordOf("alice"));
    await page.evaluate(() => document.querySelector("form")?.submit());
    await page.getByLabel("6-digit code").fill(phone.code(target.clock()));
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("heading", { name: "The client" }).waitFor();
    expect(page.url()).toBe(`${client.origin}/back?code=1`);
    await page.context().close();
  });
});
