// Two profiles, a push service, and nothing in between that is made for tests: subscribed by the settings' own form, woken by the
// product's own worker, approved on its own page.
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import type { Browser, BrowserContext, Page } from "playwright-core";
import webpush from "web-push";
import { backupCodes, push, totp } from "express-second-factor";
import { webPush } from "express-second-factor/web-push";
import { passwordOf, testApp, type TestApp } from "../support/app.js";
import { launchChromium } from "../support/chromium.js";
import { type PushService, startPushService } from "../support/push-service.js";
import { type Demo, heading, listen, unfold, visit, type Visitor } from "./stage.js";

jest.setTimeout(60_000);

const APPROVE = "/2fa/push/approve";

let service: PushService;
let browser: Browser;
let site: Pick<Demo, "close" | "origin">;
let target: TestApp;
/** A profile on disk: no other one is subscribed. */
let phone: BrowserContext;
let desk: Visitor;

async function logIn(page: Page): Promise<void> {
  target.clock.set(Date.now());
  const data = { username: "alice", password: passwordOf("alice") };
  await page.request.post(`${site.origin}/login`, { data, headers: { Accept: "application/json" } });
}

/** Asks the phone from a new login; answers the number. */
async function ask(): Promise<string> {
  const { page } = desk;
  await logIn(page);
  await page.goto("/2fa");
  await page.getByRole("button", { name: "Send a request to My phone" }).click();
  await heading(page, "Type this number on your device").waitFor();
  return page.locator(".sf-number strong").innerText();
}

/** Titles of what the worker shows, once it shows something. */
function notifications(page: Page): Promise<string[]> {
  return page.evaluate(async (path) => {
    for (;;) {
      const registration = await navigator.serviceWorker.getRegistration(path);
      const shown = (await registration?.getNotifications()) ?? [];
      if (shown.length > 0) return shown.map(({ title }) => title);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }, APPROVE);
}

beforeAll(async () => {
  const vapid = { subject: "mailto:security@acme.test", ...webpush.generateVAPIDKeys() };
  [service, browser] = await Promise.all([startPushService(), launchChromium()]);
  const channel = webPush({ vapid, agent: service.agent });
  site = await listen((origin) => {
    target = testApp({
      options: { origin, methods: [totp(), push({ channels: [channel] }), backupCodes()] },
      before: (app) => void app.get("/favicon.ico", (_req, res) => res.sendStatus(204)),
    });
    return target.app;
  });
  [phone, desk] = await Promise.all([service.openBrowser({ locale: "en-GB" }), visit(browser, site)]);
}, 60_000);

afterAll(async () => {
  await Promise.all([phone.close(), browser.close()]);
  await Promise.all([service.close(), site.close()]);
  // The page that says that the message was not taken.
  expect(desk.troubles.filter((each) => !each.includes("status of 503"))).toEqual([]);
});

test("a browser that is added by the settings is woken where none of its pages asks, and approves", async () => {
  const page = await phone.newPage();
  await logIn(page);
  await page.goto(`${site.origin}/2fa/settings`);
  await unfold(page, "Approve on this device");
  await page.getByLabel("Name of this device").fill("My phone");
  await page.getByRole("button", { name: "Add this device" }).click();
  await page.getByLabel("I have saved these codes").check();
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText("This browser is “My phone”.").waitFor();
  await page.getByText("With notifications").waitFor();
  const number = await ask();
  expect(service.received).toHaveLength(1);
  expect(await notifications(page)).toEqual(["Acme: is that you?"]);
  await page.getByRole("link", { name: "Open requests" }).click();
  await page.getByText("Sign in to Acme").waitFor();
  await page.getByLabel("Number on the other screen").fill(number);
  await page.getByRole("button", { name: "Approve" }).click();
  await page.getByText("Approved. Go on where you began.").waitFor();
  await desk.page.waitForURL("**/account");
});

test("a page of the device that is open hears of it at once, and takes the notification away once it is answered", async () => {
  const page = phone.pages().at(-1);
  await page!.goto(site.origin + APPROVE);
  await page!.getByRole("heading", { name: "Nothing to approve" }).waitFor();
  await ask();
  await page!.getByText("Sign in to Acme").waitFor();
  expect(await notifications(page!)).toEqual(["Acme: is that you?"]);
  await page!.getByRole("button", { name: "Deny" }).click();
  await page!.getByText("Denied. Nothing happens there.").waitFor();
  await page!.waitForFunction(async (path) => {
    const registration = await navigator.serviceWorker.getRegistration(path);
    return (await registration!.getNotifications()).length === 0;
  }, APPROVE);
  await heading(desk.page, "The request was denied").waitFor();
});

test("one whose subscription is over is asked all the same, and lists it by itself", async () => {
  const page = phone.pages().at(-1);
  service.forget();
  await desk.page.getByRole("button", { name: "Send another request" }).click();
  await desk.page.getByText("The message could not be sent.").waitFor();
  await ask();
  await page!.getByText("Sign in to Acme").waitFor();
  await page!.getByRole("button", { name: "Deny" }).click();
  await page!.getByText("Denied. Nothing happens there.").waitFor();
});
