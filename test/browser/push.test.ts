// Two people's worth of browser profiles, one person: one signs in, the other is the device. The push service stands for the real one;
// the subscription, the encryption and the service worker are real.
import { afterAll, afterEach, beforeAll, expect, jest, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { authenticatorApp, type AuthenticatorApp } from "express-second-factor/testing";
import { Outbox } from "../../example-app/outbox.js";
import { wrongNumber } from "../support/phone.js";
import { type PushService, startPushService } from "../support/push-service.js";
import {
  type Demo,
  giveCode,
  giveCredentials,
  heading,
  logIn,
  logOut,
  look,
  PASSWORD,
  post,
  profileAt,
  startDemo,
  unfold,
  type Visitor,
  watched,
} from "./stage.js";

jest.setTimeout(60_000);

const EMAIL = "ada@example.com";
const MINUTE = 60_000;
const APPROVE = "/2fa/push/approve";
const WAITING = "Type this number on your device";

let service: PushService;
let demo: Demo;
let outbox: Outbox;
/** Signs in. Its visitor has denied notifications. */
let desk: Visitor;
/** Approves. */
let phone: Visitor;
let app: AuthenticatorApp;

/** Time goes by for the application, and for the device, which signs with it. */
async function goOn(milliseconds: number): Promise<void> {
  demo.clock.advance(milliseconds);
  await phone.context.clock.setFixedTime(demo.clock());
}

/** Gives the password where it is asked for, and answers the page of the second step. */
async function begin(path = "/invoices"): Promise<Page> {
  const { page } = desk;
  await page.context().clearCookies({ name: "connect.sid" });
  await page.goto(path);
  await giveCredentials(page, EMAIL);
  await page.waitForURL("**/2fa*");
  await page.goto("/2fa?method=push");
  return page;
}

/** Has the device asked from the page that is open; answers the number. */
async function ask(page: Page): Promise<string> {
  await page.getByRole("button", { name: "Send a request to My phone" }).click();
  await heading(page, WAITING).waitFor();
  return page.locator(".sf-number strong").innerText();
}

/** The page of the device, once it shows a request that says this. */
async function requestOn({ page }: Visitor, text = "Sign in to Acme Demo"): Promise<Page> {
  if (new URL(page.url()).pathname !== APPROVE) await page.goto(APPROVE);
  await page.locator("[data-text]").filter({ hasText: text }).waitFor();
  return page;
}

async function approve(page: Page, number: string): Promise<void> {
  await page.getByLabel("Number on the other screen").fill(number);
  await page.getByRole("button", { name: "Approve" }).click();
}

/** The notification that the service worker shows, once there is one, and everything it says. */
function notification(page: Page): Promise<readonly (string | null)[]> {
  return page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration("/2fa/push/approve");
    for (;;) {
      const [first] = (await registration?.getNotifications()) ?? [];
      if (first !== undefined) return [first.title, first.body, JSON.stringify(first.data)];
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
}

/** Resolves once the service worker shows none. */
async function noNotification(page: Page): Promise<void> {
  await page.waitForFunction(async () => {
    const registration = await navigator.serviceWorker.getRegistration("/2fa/push/approve");
    return (await registration?.getNotifications())?.length === 0;
  });
}

async function closeNotifications(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration("/2fa/push/approve");
    for (const shown of (await registration?.getNotifications()) ?? []) shown.close();
  });
}

beforeAll(async () => {
  service = await startPushService();
  demo = await startDemo((clock) => (outbox = new Outbox({ clock })), service.agent);
  const [first, second] = await Promise.all([
    service.openBrowser({ ...profileAt(demo), permissions: [] }),
    service.openBrowser(profileAt(demo)),
  ]);
  [desk, phone] = await Promise.all([watched(first, demo), watched(second, demo)]);
  await goOn(0);
}, 60_000);

afterEach(() => {
  expect([desk.troubles, phone.troubles]).toEqual([[], []]);
});

afterAll(async () => {
  await Promise.all([desk.context.close(), phone.context.close()]);
  await Promise.all([service.close(), demo.close()]);
});

test("a second profile adds itself in its settings, with a name, and may be woken", async () => {
  const { page } = phone;
  await page.request.post("/register", { form: { email: EMAIL, password: PASSWORD } });
  const { factorId, uri } = await post(page, "/2fa/totp/enroll", { label: "An app" });
  app = authenticatorApp(uri!);
  await post(page, "/2fa/totp/enroll/confirm", { factorId, code: app.code(demo.clock()) });
  await page.goto("/2fa/settings");
  await unfold(page, "Approve on this device");
  await page.getByLabel("Name of this device").fill("My phone");
  await page.getByRole("button", { name: "Add this device" }).click();
  await page.getByText("My phone added.").waitFor();
  await page.getByText("This browser is “My phone”.").waitFor();
  expect(await page.getByText("With notifications").isVisible()).toBe(true);
  expect(await look(page, "push-device")).toEqual([]);
});

test("the number is on the page of whoever signs in alone; the device is woken, and shows who asks; with the number they go on", async () => {
  const page = await begin();
  const number = await ask(page);

  expect(await notification(phone.page)).toEqual([
    "Acme Demo: is that you?",
    "Open to see what is asked of you.",
    "null",
  ]);
  const device = await requestOn(phone);
  const facts = await device.locator(".sf-about dd").allInnerTexts();
  expect(facts).toEqual([expect.stringMatching(/^Chrome/), expect.stringMatching(/127\.0\.0\.1$/), "2:00"]);
  const shown = (await device.locator("[data-push-approve]").innerText()).replace("2:00", "");
  expect(shown).not.toMatch(new RegExp(`\\b${number}\\b`));
  await approve(device, number);
  await device.getByText("Approved. Go on where you began.").waitFor();

  await heading(page, "Invoices").waitFor();
  expect(new URL(page.url()).pathname).toBe("/invoices");
  expect(
    await device.evaluate(() => navigator.serviceWorker.getRegistration().then((it) => it?.getNotifications())),
  ).toEqual([]);
});

test("a transfer says on both sides what it is, and is done once", async () => {
  const { page } = desk;
  await page.goto("/transfer");
  await page.getByLabel("Amount in EUR").fill("120");
  await page.getByLabel("Recipient").fill("Ann Bell");
  await page.getByRole("button", { name: "Send" }).click();
  const text = "Pay 120 EUR to Ann Bell";
  await page.getByRole("link", { name: "Approve on your device" }).click();
  const number = await ask(page);
  expect(await page.locator(".sf-operation p").innerText()).toBe(text);
  const device = await requestOn(phone, text);
  await approve(device, number);
  await heading(page, "Transfer money").waitFor();
  await page.getByRole("button", { name: "Send" }).click();
  await heading(page, "Sent").waitFor();

  await page.goto("/transfer");
  await page.getByLabel("Amount in EUR").fill("120");
  await page.getByLabel("Recipient").fill("Ann Bell");
  await page.getByRole("button", { name: "Send" }).click();
  await heading(page, "Confirm that it is you").waitFor();
});

test("a wrong number three times denies it, on both sides", async () => {
  const page = await begin();
  const number = await ask(page);
  const device = await requestOn(phone);
  await approve(device, "7");
  await device.getByText("Enter the two digits").waitFor();
  for (const answer of ["That is not the number.", "That is not the number.", "That was the third wrong number"]) {
    const answered = device.waitForResponse("**/push/decide");
    await approve(device, wrongNumber(number));
    await answered;
    await device.getByText(answer).waitFor();
  }
  expect(await look(device, "push-wrong-thrice")).toEqual([]);
  await heading(page, "The request was denied").waitFor();
  expect((await page.goto("/invoices"))?.url()).toContain("/2fa");
});

test("denied on the device it is over; after two in a row none is sent for five minutes", async () => {
  const page = await begin();
  await ask(page);
  const device = await requestOn(phone);
  await notification(device);
  await device.getByRole("button", { name: "Deny" }).click();
  await device.getByText("Denied. Nothing happens there.").waitFor();
  await noNotification(device);
  await heading(page, "The request was denied").waitFor();
  expect(await page.getByText("none is sent for 5 minutes").isVisible()).toBe(true);
  expect(await page.getByRole("button", { name: "Send" }).count()).toBe(0);
  await page.goto("/2fa?method=push");
  expect(await page.getByText("none is sent for 5 minutes").isVisible()).toBe(true);
  expect(await look(page, "push-resting")).toEqual([]);
});

test("one that nobody answers is over after two minutes, on both sides", async () => {
  await goOn(5 * MINUTE);
  const page = await begin();
  const number = await ask(page);
  const device = await requestOn(phone);
  await goOn(2 * MINUTE);
  await heading(page, "The request is over").waitFor();
  expect(await look(page, "push-expired")).toEqual([]);
  await device
    .getByText("This request is over")
    .or(device.getByRole("heading", { name: "Nothing to approve" }))
    .first()
    .waitFor();
  expect(await device.getByLabel("Number on the other screen").count()).toBe(0);
  expect(await page.content()).not.toContain(`>${number}<`);
});

test("what was not its owner's pauses the devices, and its owner is written to; another way lets in, and ends it", async () => {
  await goOn(15 * MINUTE);
  const page = await begin();
  await ask(page);
  const device = await requestOn(phone);
  await device.getByText("This wasn't me").click();
  await device.getByRole("button", { name: "Yes, it wasn't me" }).click();
  await device.getByText("Denied and reported.").waitFor();
  await heading(page, "The request was denied").waitFor();
  await page.getByText("A request was reported as not yours").waitFor();
  await page.goto("/2fa?method=push");
  await page.getByText("A request was reported as not yours").waitFor();
  expect(await page.getByRole("button", { name: "Send" }).count()).toBe(0);
  // Beside what else there is to tell by then: of the login before, which nobody finished.
  const mails = (await outbox.messages()).map(({ subject, to }) => [to, subject]);
  expect(mails).toContainEqual([EMAIL, "A request to approve something at Acme Demo was reported"]);

  await page.goto("/2fa?method=totp");
  await giveCode(page, app.code(demo.clock()));
  await page.waitForURL((url) => !url.pathname.startsWith("/2fa"));
  await goOn(60 * MINUTE);
  await begin();
  await page.getByRole("button", { name: "Send a request to My phone" }).waitFor();
});

test("a message that is lost is missed by nobody who looks; of a device that the push service forgot the next request is sent without", async () => {
  await closeNotifications(phone.page);
  service.reception = { status: 201 };
  const page = await begin();
  const first = await ask(page);
  await approve(await requestOn(phone), first);
  await heading(page, "Invoices").waitFor();

  service.reception = undefined;
  service.forget();
  await begin();
  await page.getByRole("button", { name: "Send a request to My phone" }).click();
  await page.getByRole("alert").waitFor();
  expect(await look(page, "push-unsent")).toEqual([]);
  // As the page was answered.
  expect(desk.troubles.splice(0)).toEqual([expect.stringContaining("503 (Service Unavailable)")]);
  const second = await ask(page);
  expect(await page.getByText("On “My phone”, open this address:").isVisible()).toBe(true);
  expect(await look(page, "push-wait-silent")).toEqual([]);
  await approve(await requestOn(phone), second);
  await heading(page, "Invoices").waitFor();

  // Its page, opened again, has it woken anew.
  const renewed = phone.page.waitForResponse("**/push/subscription");
  await phone.page.reload();
  expect((await renewed).status()).toBe(204);
  await begin();
  const third = await ask(page);
  await page.getByText("Open the notification on “My phone”.").waitFor();
  await notification(phone.page);
  await approve(await requestOn(phone), third);
  await heading(page, "Invoices").waitFor();
});

test("the browser that asks cannot approve for itself", async () => {
  const { page } = phone;
  await goOn(15 * MINUTE);
  await logOut(page);
  await logIn(page, EMAIL);
  await page.goto("/2fa?method=push");
  await page.getByText("“My phone” is the browser you are using right now").waitFor();
  const { number } = await post(page, "/2fa/push/send", {});
  const device = await requestOn(phone);
  await approve(device, number!);
  await device.getByText("This is the browser that asks, and it cannot approve for itself.").waitFor();
  expect(await look(device, "push-same-browser")).toEqual([]);
  await device.getByRole("button", { name: "Deny" }).click();
  await device.getByText("Denied. Nothing happens there.").waitFor();
  await page.goto("/invoices");
  expect(new URL(page.url()).pathname).toBe("/2fa");
});

test("where notifications are denied the device is added without; removed, its own page says so", async () => {
  const page = await begin();
  await page.goto("/2fa?method=totp");
  await giveCode(page, app.code(demo.clock()));
  await page.waitForURL((url) => !url.pathname.endsWith("/2fa"));
  await page.goto("/2fa/settings");
  await unfold(page, "Approve on this device");
  await page.getByText("Notifications from this site are blocked in this browser.").waitFor();
  await page.getByLabel("Name of this device").fill("The desk");
  await page.getByRole("button", { name: "Add it without notifications" }).click();
  await page.getByText("This browser is “The desk”.").waitFor();
  expect(await look(page, "push-two-devices")).toEqual([]);

  const { page: device } = phone;
  await device.goto(APPROVE);
  await device.getByRole("heading", { name: "Nothing to approve" }).waitFor();
  await page.locator("li", { hasText: "My phone" }).getByText("Remove", { exact: true }).click();
  await page.locator("li", { hasText: "My phone" }).getByRole("button", { name: "Yes, remove it" }).click();
  await page.getByText("My phone removed").waitFor();
  await device.getByText("This device was removed from your account").waitFor();
  expect(await look(device, "push-removed")).toEqual([]);
});
