import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../support/chromium.js";
import { type Demo, flaws, giveCode, heading, logIn, logOut, look, register, startDemo, visit } from "./stage.js";
import type { Visitor } from "./stage.js";

jest.setTimeout(60_000);

const EMAIL = "ada@example.com";
const HOUR = 60 * 60_000;

let demo: Demo;
let browser: Browser;
let visitor: Visitor;
let page: Page;
/** Another tab, where the mails and texts are read. */
let outbox: Page;

beforeAll(async () => {
  demo = await startDemo();
  browser = await launchChromium();
  visitor = await visit(browser, demo);
  page = visitor.page;
  outbox = await visitor.context.newPage();
}, 60_000);

afterAll(async () => {
  await browser.close();
  await demo.close();
});

afterEach(() => {
  expect(visitor.troubles).toEqual([]);
});

/** What came last, as its owner reads it. */
async function newest(): Promise<string> {
  await outbox.goto("/outbox");
  const message = outbox.getByRole("listitem").first();
  const mail = message.locator("iframe");
  const body = (await mail.count()) === 0 ? message.locator("pre") : mail.contentFrame().locator("body");
  return `${await message.innerText()}\n${await body.innerText()}`;
}

async function saveCodes(): Promise<void> {
  await page.getByRole("checkbox", { name: "I have saved these codes" }).check();
  await page.getByRole("button", { name: "Continue" }).click();
  await heading(page, "Two-step sign-in").waitFor();
}

async function codeSent(): Promise<string> {
  const [code] = /\b\d{6}\b/.exec(await newest()) ?? [];
  if (code === undefined) throw new Error("Nothing in the outbox has a code");
  return code;
}

// One person's story, told in order: each test goes on where the one before it ended.
describe("a person has codes sent to them", () => {
  test("by e-mail to the address the application knows, proved by a first code", async () => {
    await outbox.goto("/outbox");
    expect(await flaws(outbox)).toEqual([]);
    await register(page, EMAIL);
    await page.getByRole("link", { name: "Two-step sign-in" }).click();
    await page.getByText("Get codes by e-mail", { exact: true }).click();
    expect(await flaws(page)).toEqual([]);
    await page.getByRole("button", { name: "Send the first code" }).click();
    await heading(page, "Enter the code we sent you").waitFor();
    expect(await flaws(page)).toEqual([]);
    expect(await newest()).toMatch(/Confirm your address for Acme Demo\s+To ada@example\.com/);
    await giveCode(page, await codeSent(), "Turn on");
    await saveCodes();
    expect(await page.getByText("E-mail added.").isVisible()).toBe(true);
  });

  test("by text message to a number they type, after they read what there is to know", async () => {
    await page.getByText("Get codes by text message", { exact: true }).click();
    expect(await page.getByText("SIM swapping").isVisible()).toBe(true);
    expect(await look(page, "settings-add-sms")).toEqual([]);
    await page.getByLabel("Mobile number").fill("+49 1512 3456789");
    await page.getByRole("button", { name: "Text the first code" }).click();
    await heading(page, "Enter the code we texted you").waitFor();
    expect(await look(page, "enrollment-sms")).toEqual([]);
    const text = await newest();
    expect(text).toContain("To +4915123456789");
    expect(text.trim()).toMatch(new RegExp(`@localhost #${await codeSent()}$`));
    await giveCode(page, await codeSent(), "Turn on");
    await heading(page, "Two-step sign-in").waitFor();
    expect(await flaws(page)).toEqual([]);
  });

  test("and signs in with a code by text message: nothing is sent until they ask for it", async () => {
    demo.clock.advance(HOUR);
    const before = await newest();
    await logOut(page);
    await logIn(page, EMAIL);
    await heading(page, "Get a code by text message").waitFor();
    expect(await flaws(page)).toEqual([]);
    expect(await newest()).toBe(before);
    await page.getByRole("button", { name: "Text a code to •••• 89" }).click();
    await page.getByText("We texted a code to •••• 89.").waitFor();
    expect(await look(page, "challenge-sms-sent")).toEqual([]);
    expect(await page.getByLabel("6-digit code").getAttribute("autocomplete")).toBe("one-time-code");
    await giveCode(page, await codeSent());
    await heading(page, "Your account").waitFor();
  });

  test("and with a code by e-mail, chosen on the page of the other", async () => {
    demo.clock.advance(HOUR);
    await logOut(page);
    await logIn(page, EMAIL);
    await page.getByRole("link", { name: "Get a code by e-mail" }).click();
    await page.getByRole("button", { name: "Send a code to a•••@example.com" }).click();
    await page.getByText("We sent a code to a•••@example.com.").waitFor();
    expect(await flaws(page)).toEqual([]);
    await giveCode(page, await codeSent());
    await heading(page, "Your account").waitFor();
    expect(await look(outbox, "example-outbox")).toEqual([]);
  });

  test("and finds them in the outbox as they were sent, the mail in a frame that runs no script", async () => {
    const mail = outbox.locator("iframe").first();
    expect(await mail.getAttribute("sandbox")).toBe("allow-top-navigation-by-user-activation");
    await outbox.getByText("As text").first().click();
    expect(await outbox.getByRole("listitem").first().locator("pre").innerText()).toContain(await codeSent());
  });
});
