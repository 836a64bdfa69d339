import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import type { Browser } from "playwright-core";
import { authenticatorApp } from "express-second-factor/testing";
import { passwordOf, testApp, type TestApp } from "../support/app.js";
import { launchChromium } from "../support/chromium.js";
import { type Demo, flaws, giveCode, heading, listen, look, post, visit, type Visitor } from "./stage.js";

jest.setTimeout(60_000);

let browser: Browser;
let server: Pick<Demo, "close" | "origin">;
let target: TestApp;
let visitor: Visitor;
let code: () => string;

/** Asks for an operation that says this; answers its page. */
async function pageFor(value: string): Promise<string> {
  return (await post(visitor.page, "/transfer", { value })).location!;
}

beforeAll(async () => {
  browser = await launchChromium();
  server = await listen((origin) => {
    target = testApp({
      options: { origin },
      routes(app, mfa) {
        app.get("/favicon.ico", (_req, res) => res.sendStatus(204));
        app.post("/transfer", mfa.require({ bind: (req) => (req.body as { value: string }).value }), (_req, res) => {
          res.json({ done: true });
        });
      },
    });
    return target.app;
  });
  visitor = await visit(browser, server);
  await post(visitor.page, "/login", { username: "alice", password: passwordOf("alice") });
  const { factorId, uri } = await post(visitor.page, "/2fa/totp/enroll", {});
  const phone = authenticatorApp(uri!);
  code = () => phone.code(target.clock());
  await post(visitor.page, "/2fa/totp/enroll/confirm", { factorId, code: code() });
  target.clock.advance(30_000);
}, 60_000);

afterAll(async () => {
  await browser.close();
  await server.close();
  expect(visitor.troubles).toEqual([]);
});

const MOST = `Pay \u202e${"Łódź 安娜 ".repeat(59)}`;
const LONGEST = MOST + "w".repeat(490 - MOST.length) + "!";

test.each([
  ["words", LONGEST],
  ["one word without an end", "w".repeat(500)],
  ["the widest letters there are", "﷽".repeat(500)],
  ["spaces", `Pay 1${" ".repeat(400)}000 to Ann`],
])("the longest text stands on a small phone to its last character: %s", async (_what, value) => {
  const { page } = visitor;
  await page.setViewportSize({ width: 320, height: 640 });
  await page.goto(await pageFor(value));
  expect(await flaws(page)).toEqual([]);
  // Nothing has carried the visitor past it.
  expect(await page.evaluate(() => window.scrollY)).toBe(0);
  const shown = page.locator(".sf-operation p");
  expect(await shown.textContent()).toBe(value.replace("\u202e", "[U+202E]"));
  const box = await shown.evaluate((line) => [
    line.scrollWidth - line.clientWidth,
    line.scrollHeight - line.clientHeight,
  ]);
  expect(box.every((hidden) => hidden <= 1)).toBe(true);
});

test("by day, by night and on a phone it stands before the form; with the code the browser goes on", async () => {
  const { page } = visitor;
  const path = await pageFor(LONGEST);
  await page.setViewportSize({ width: 1200, height: 800 });
  await page.goto(path);
  expect(await look(page, "operation")).toEqual([]);
  await page.getByRole("link", { name: "Use a backup code" }).click();
  await heading(page, "Confirm that it is you").waitFor();
  expect(await page.locator(".sf-operation p").textContent()).toContain("[U+202E]");
  await page.goBack();
  await giveCode(page, code());
  expect(new URL(page.url()).pathname).toBe("/");
  expect(await post(visitor.page, "/transfer", { value: LONGEST })).toEqual({ done: true });
  await page.goto(path);
  await heading(page, "This does not wait to be confirmed").waitFor();
  expect(await look(page, "operation-over")).toEqual([]);
});
