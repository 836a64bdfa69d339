import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { backupCodes, push, totp } from "express-second-factor";
import { passwordOf, testApp, type TestApp } from "../support/app.js";
import { launchChromium } from "../support/chromium.js";
import { TestChannel } from "../support/push.js";
import { wrongNumber } from "../support/phone.js";
import { type Demo, heading, listen, look, post, unfold, visit, type Visitor } from "./stage.js";

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

/** By the clocks of the browsers, which sign with it. */
function now(): void {
  target.clock.set(Date.now());
}

async function logIn(page: Page, name: "alice" | "carol" = "alice"): Promise<void> {
  now();
  await post(page, "/login", { username: name, password: passwordOf(name) });
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
  await phone.page.getByLabel("Number on the other screen").fill(number);
  await phone.page.getByRole("button", { name: "Approve" }).click();
}

beforeAll(async () => {
  browser = await launchChromium();
  server = await listen((origin) => {
    target = testApp({
      options: {
        origin,
        limits: { push: { limit: 20, window: "15m" } },
        methods: [totp(), push({ channels: [new BrowserChannel()] }), backupCodes()],
      },
      before: (app) => void app.get("/favicon.ico", (_req, res) => res.sendStatus(204)),
      routes(app, mfa) {
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
  await page.getByRole("button", { name: "Add this device" }).click();
  const silently = page.getByRole("button", { name: "Add it without notifications" });
  await silently.waitFor();
  await page.getByText("Notifications from this site are blocked in this browser.").waitFor();
  expect(await look(page, "push-add")).toEqual([]);
  await silently.click();
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

test("what was asked of the very browser that is the device is refused there, in words", async () => {
  const { page } = phone;
  await logIn(page);
  await page.goto("/2fa");
  await page.getByText("“My phone” is the browser you are using right now").waitFor();
  expect(await look(page, "push-here")).toEqual([]);
  const { number } = await post(page, "/2fa/push/send", {});
  await page.goto("/2fa/push/approve");
  await page.getByText("Sign in to Acme").waitFor();
  await approve(number!);
  await page.getByText("This is the browser that asks, and it cannot approve for itself.").waitFor();
  await post(page, "/logout", {});
});

test("an operation's text stands on both sides; denied there, the page that waits says so, and another is asked for", async () => {
  const { page } = desk;
  now();
  const { location } = await post(page, "/transfer", {});
  await page.goto(location!);
  await page.getByRole("button", { name: "Send a request to My phone" }).click();
  await heading(page, "Type this number on your device").waitFor();
  expect(await page.locator(".sf-operation p").innerText()).toBe("Pay 120.00 EUR to Ann Bell");
  expect(await look(page, "push-wait-operation")).toEqual([]);
  await phone.page.goto("/2fa/push/approve");
  await phone.page.getByText("Pay 120.00 EUR to Ann Bell").waitFor();
  expect(await look(phone.page, "push-request")).toEqual([]);
  await phone.page.getByRole("button", { name: "Deny" }).click();
  await phone.page.getByText("Denied. Nothing happens there.").waitFor();
  await heading(page, "The request was denied").waitFor();
  expect(await look(page, "push-denied")).toEqual([]);
  await page.getByRole("button", { name: "Send another request" }).click();
  await phone.page.getByText("Pay 120.00 EUR to Ann Bell").waitFor();
  await approve(await page.locator(".sf-number strong").innerText());
  await page.waitForURL((url) => !url.pathname.startsWith("/2fa"));
  expect(await post(page, "/transfer", {})).toEqual({ done: true });
});

test("without a script the button asks for the answer: not yet, and then the browser goes on; the device's page says what it needs", async () => {
  const plain = await visit(browser, server, { javaScriptEnabled: false });
  await plain.page.goto("/2fa/push/approve");
  await plain.page.getByText("This page needs JavaScript").waitFor();
  const number = await ask(plain.page);
  await plain.page.getByRole("button", { name: "I have approved it" }).click();
  await plain.page.getByText("There is no answer from “My phone” yet.").waitFor();
  expect(await plain.page.locator(".sf-number strong").innerText()).toBe(number);
  expect(await look(plain.page, "push-early")).toEqual([]);
  await phone.page.getByText("Sign in to Acme").waitFor();
  await approve(number);
  await phone.page.getByText("Approved.").waitFor();
  await plain.page.getByLabel("Do not ask again on this browser").check();
  await plain.page.getByRole("button", { name: "I have approved it" }).click();
  expect(new URL(plain.page.url()).pathname).toBe("/account");
  expect(plain.troubles).toEqual([]);
  await plain.context.close();
});

/** As seen by the page: it is looked at again. */
function lookAgain(page: Page): Promise<void> {
  return page.evaluate(() => {
    document.dispatchEvent(new Event("visibilitychange"));
  });
}

/** Has time pass on the page, which is given the time to be answered meanwhile. */
async function pass(page: Page, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 2) {
    await page.clock.runFor(2_000);
    await page.evaluate(async () => {
      await fetch("/2fa/push/worker.js");
    });
  }
}

test("the device's page learns of a device that another tab adds, asks less often where nobody answers, and waits for no answer for ever", async () => {
  const other = await visit(browser, server);
  const { page } = other;
  await page.clock.install();
  await page.goto("/2fa/push/approve");
  await page.getByRole("heading", { name: "This browser is not one of your devices" }).waitFor();
  const tab = await other.context.newPage();
  await logIn(tab, "carol");
  await tab.goto("/2fa/settings");
  await unfold(tab, "Approve on this device");
  await tab.getByRole("button", { name: "Add this device" }).click();
  await tab.getByRole("button", { name: "Add it without notifications" }).click();
  await heading(tab, "Save your backup codes").waitFor();
  await tab.close();
  let asked = 0;
  let isSilent = false;
  await page.route("**/push/requests", async (route) => {
    asked += 1;
    if (!isSilent) await route.fulfill({ status: 503, json: { code: "unavailable" } });
  });
  await pass(page, 240);
  await page.getByText("There is no connection.").waitFor();
  expect(asked).toBeGreaterThan(4);
  expect(asked).toBeLessThan(10);
  isSilent = true;
  await lookAgain(page);
  await pass(page, 22);
  await page.unroute("**/push/requests");
  await lookAgain(page);
  await page.getByRole("heading", { name: "Nothing to approve" }).waitFor();
  expect(other.troubles.filter((each) => !each.includes("503"))).toEqual([]);
  await other.context.close();
});

test("what was answered comes back by no list that was on its way", async () => {
  const other = await visit(browser, server);
  const { page } = phone;
  await post(other.page, "/login", { username: "alice", password: passwordOf("alice") });
  await other.page.goto("/2fa");
  await other.page.getByRole("button", { name: "Send a request to My phone" }).click();
  await page.getByText("Sign in to Acme").waitFor();
  let letGo!: () => void;
  const late = new Promise<void>((resolve) => (letGo = resolve));
  await new Promise<void>((resolve) => {
    void page.route("**/push/requests", async (route) => {
      const response = await route.fetch();
      resolve();
      await late;
      await route.fulfill({ response });
    });
  });
  await page.getByRole("button", { name: "Deny" }).click();
  await page.getByText("Denied. Nothing happens there.").waitFor();
  const heard = page.waitForResponse("**/push/requests");
  letGo();
  await heard;
  await page.unrouteAll({ behavior: "wait" });
  await page.waitForTimeout(200);
  expect(await page.getByText("Denied. Nothing happens there.").isVisible()).toBe(true);
  expect(await page.getByText("Sign in to Acme").count()).toBe(0);
  await other.context.close();
});

test("a number that is pasted with what stands around it is taken out of it", async () => {
  const { page } = phone;
  const number = await ask(desk.page);
  await page.getByText("Sign in to Acme").waitFor();
  await page.getByLabel("Number on the other screen").evaluate((field: HTMLInputElement, text) => {
    field.value = text;
    field.dispatchEvent(new InputEvent("input", { inputType: "insertFromPaste", bubbles: true }));
  }, `No. ${number}`);
  await page.getByRole("button", { name: "Approve" }).click();
  await page.getByText("Approved. Go on where you began.").waitFor();
  await desk.page.waitForURL("**/account");
});

test("a button that led nowhere leaves the page waiting", async () => {
  const { page } = desk;
  const number = await ask(page);
  await page.route("**/push/status", (route) =>
    route.request().isNavigationRequest() ? route.fulfill({ status: 204 }) : route.continue(),
  );
  const led = page.waitForResponse((answer) => answer.status() === 204);
  await page.getByRole("button", { name: "I have approved it" }).click();
  await led;
  await page.waitForTimeout(2_500);
  await page.unrouteAll();
  await approve(number);
  await page.waitForURL("**/account");
});

test("what is not the owner's is reported there: it says what that means, and both sides what came of it", async () => {
  const other = await visit(browser, server);
  await ask(other.page);
  const { page } = phone;
  await page.getByText("This wasn't me").click();
  await page.getByText("your devices are not asked again until you have signed in another way").waitFor();
  expect(await look(page, "push-not-me")).toEqual([]);
  await page.getByRole("button", { name: "Yes, it wasn't me" }).click();
  await page.getByText("Denied and reported.").waitFor();
  expect(await look(page, "push-reported")).toEqual([]);
  await heading(other.page, "The request was denied").waitFor();
  await other.page.getByText("A request was reported as not yours").waitFor();
  expect(await look(other.page, "push-paused")).toEqual([]);
  expect(other.troubles).toEqual([]);
  await other.context.close();
});
