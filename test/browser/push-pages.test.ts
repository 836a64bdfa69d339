import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { backupCodes, push, totp } from "express-second-factor";
import { passwordOf, testApp, type TestApp } from "../support/app.js";
import { launchChromium } from "../support/chromium.js";
import { TestChannel } from "../support/push.js";
import { wrongNumber } from "../support/phone.js";
import { type Demo, heading, listen, look, unfold, visit, type Visitor } from "./stage.js";

jest.setTimeout(60_000);

/** A channel of browsers, whose push service none of these tests reaches. */
class BrowserChannel extends TestChannel {
  readonly applicationServerKey =
    "BHb0Y3GoQ0nQ9B3aWQ8i1lMFcUDHuUX5hZ4hFZVfQvY4X3rG2R8K1m0Qw3xq2b7v9N6cD5eF4gH3iJ2kL1mN0oP";
}

let browser: Browser;
let server: Pick<Demo, "close" | "origin">;
let target: TestApp;
/** Signs in. */
let desk: Visitor;
/** Approves. */
let phone: Visitor;

async function post(page: Page, path: string, data: object): Promise<Record<string, string>> {
  const answer = await page.request.post(path, { data, headers: { Accept: "application/json" } });
  return answer.status() === 204 ? {} : ((await answer.json()) as Record<string, string>);
}

/** By the clocks of the browsers, which sign with it. */
function now(): void {
  target.clock.set(Date.now());
}

async function logIn(page: Page): Promise<void> {
  now();
  await post(page, "/login", { username: "alice", password: passwordOf("alice") });
}

/** Asks the phone, from a new login; answers the number. */
async function ask(page: Page): Promise<string> {
  await logIn(page);
  await page.goto("/2fa");
  await page.getByRole("button", { name: "Send a request to My phone" }).click();
  await heading(page, "Type this number on your device").waitFor();
  return page.locator(".sf-number strong").innerText();
}

/** Types a number on the phone, and approves. */
async function approve(number: string): Promise<void> {
  await phone.page.getByLabel("Number shown where you began this").fill(number);
  await phone.page.getByRole("button", { name: "Approve" }).click();
}

beforeAll(async () => {
  browser = await launchChromium();
  server = await listen((origin) => {
    target = testApp({
      options: { origin, methods: [totp(), push({ channels: [new BrowserChannel()] }), backupCodes()] },
      routes(app, mfa) {
        app.get("/favicon.ico", (_req, res) => res.sendStatus(204));
        app.post("/transfer", mfa.require({ bind: () => "Pay 120.00 EUR to Ann Bell" }), (_req, res) => {
          res.json({ done: true });
        });
      },
    });
    return target.app;
  });
  [desk, phone] = await Promise.all([visit(browser, server), visit(browser, server)]);
}, 60_000);

afterAll(async () => {
  await browser.close();
  await server.close();
  expect([desk.troubles, phone.troubles]).toEqual([[], []]);
});

test("a browser that nobody added says so, and leads to where it is added", async () => {
  const { page } = phone;
  await page.goto("/2fa/push/approve");
  await page.getByRole("heading", { name: "This browser is not one of your devices" }).waitFor();
  expect(await look(page, "push-no-device")).toEqual([]);
  expect(await page.getByRole("link", { name: "Go to security settings" }).getAttribute("href")).toBe("/2fa/settings");
});

test("where no notifications can be had, the settings say why, and add this browser without", async () => {
  const { page } = phone;
  await logIn(page);
  await page.goto("/2fa/settings");
  await unfold(page, "Approve on this device");
  await page.getByLabel("Name of this device").fill("My phone");
  expect(await look(page, "push-add-0")).toEqual([]);
  await page.getByRole("button", { name: "Add this device" }).click();
  await page.waitForTimeout(500);
  expect(await look(page, "push-add-1")).toEqual([]);
  const silently = page.getByRole("button", { name: "Add it without notifications" });
  await silently.waitFor();
  expect(await look(page, "push-add")).toEqual([]);
  await silently.click(); await page.waitForTimeout(2000); console.log(page.url(), await page.locator("body").innerText(), target.events.slice(-5), target.errors);
  await page.getByLabel("I have saved these codes").check();
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText("This browser is “My phone”.").waitFor();
  expect(await look(page, "push-settings")).toEqual([]);
});

test("the number is on the page of whoever asks alone; typed on the device, that page goes on by itself", async () => {
  await phone.page.goto("/2fa/push/approve");
  await phone.page.getByRole("heading", { name: "Nothing to approve" }).waitFor();
  expect(await look(phone.page, "push-nothing")).toEqual([]);
  await logIn(desk.page);
  await desk.page.goto("/2fa");
  expect(await look(desk.page, "push-ask")).toEqual([]);
  const number = await ask(desk.page);
  expect(await look(desk.page, "push-wait")).toEqual([]);
  await phone.page.getByText("Sign in to Acme").waitFor();
  expect(await phone.page.content()).not.toContain(`>${number}<`);
  await approve(wrongNumber(number));
  await phone.page.getByText("That is not the number.").waitFor();
  expect(await look(phone.page, "push-wrong-number")).toEqual([]);
  await approve(number);
  await phone.page.getByText("Approved. Go on where you began.").waitFor();
  expect(await look(phone.page, "push-approved")).toEqual([]);
  await desk.page.waitForURL("**/account");
});
