import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { Browser, Locator, Page } from "playwright-core";
import { launchChromium } from "../support/chromium.js";
import {
  type Demo,
  flaws,
  giveCode,
  heading,
  logIn,
  logOut,
  look,
  register,
  startDemo,
  unfold,
  visit,
} from "./stage.js";
import type { Visitor } from "./stage.js";

jest.setTimeout(60_000);

const EMAIL = "ada@example.com";
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let demo: Demo;
let browser: Browser;
let visitor: Visitor;
let page: Page;
/** Where the mails and texts are read: a window of its own, for a browser is slow in what lies behind another tab. */
let reader: Visitor;
let outbox: Page;

beforeAll(async () => {
  demo = await startDemo();
  browser = await launchChromium();
  visitor = await visit(browser, demo);
  page = visitor.page;
  reader = await visit(browser, demo);
  outbox = reader.page;
}, 60_000);

afterAll(async () => {
  await browser.close();
  await demo.close();
});

afterEach(() => {
  expect([visitor.troubles, reader.troubles]).toEqual([[], []]);
});

const ONE_CODE = /\b\d{6}\b/;
/** Of messages with codes; mails that tell what happened come between them. */
const SENT = /^(Text message|Confirm your address|Your code)/;

function messages(named: RegExp): Locator {
  return outbox.getByRole("listitem").filter({ has: outbox.getByRole("heading", { name: named }) });
}

/** What came last with a code, as its owner reads it. */
async function newest(): Promise<string> {
  await outbox.goto("/outbox");
  const message = messages(SENT).first();
  const mail = message.locator("iframe");
  if ((await mail.count()) === 0) return message.innerText();
  if (!(await mail.isVisible())) await message.getByText("As HTML").click();
  return `${await message.innerText()}\n${await mail.contentFrame().locator("body").innerText()}`;
}

function codeIn(message: string): string {
  const [code] = ONE_CODE.exec(message) ?? [];
  if (code === undefined) throw new Error("Nothing in the outbox has a code");
  return code;
}

/** Loads the outbox until that is the newest in it: notices are sent beside everything else. */
async function told(title: RegExp): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) {
    await outbox.goto("/outbox");
    if (title.test(await outbox.getByRole("listitem").first().getByRole("heading").innerText())) return;
  }
  throw new Error(`Nothing of ${String(title)} came`);
}

async function saveCodes(): Promise<void> {
  await page.getByRole("checkbox", { name: "I have saved these codes" }).check();
  await page.getByRole("button", { name: "Continue" }).click();
  await heading(page, "Two-step sign-in").waitFor();
}

// One person's story, told in order: each test goes on where the one before it ended.
describe("a person has codes sent to them", () => {
  test("by e-mail to the address the application knows, proved by a first code", async () => {
    await outbox.goto("/outbox");
    expect(await flaws(outbox)).toEqual([]);
    await register(page, EMAIL);
    await page.getByRole("link", { name: "Two-step sign-in" }).click();
    await unfold(page, "Get codes by e-mail");
    expect(await flaws(page)).toEqual([]);
    await page.getByRole("button", { name: "Send the first code" }).click();
    await heading(page, "Enter the code we sent you").waitFor();
    expect(await flaws(page)).toEqual([]);
    const mail = await newest();
    expect(mail).toMatch(/Confirm your address for Acme Demo\s+To ada@example\.com/);
    await giveCode(page, codeIn(mail), "Turn on");
    await saveCodes();
    expect(await page.getByText("E-mail added.").isVisible()).toBe(true);
  });

  test("by text message to a number they type, after they read what there is to know", async () => {
    await unfold(page, "Get codes by text message");
    expect(await page.getByText("SIM swapping").isVisible()).toBe(true);
    expect(await look(page, "settings-add-sms")).toEqual([]);
    await page.getByLabel("Mobile number").fill("+49 1512 3456789");
    await page.getByRole("button", { name: "Text the first code" }).click();
    await heading(page, "Enter the code we texted you").waitFor();
    expect(await look(page, "enrollment-sms")).toEqual([]);
    const text = await newest();
    expect(text).toContain("To +4915123456789");
    expect(text.trim()).toMatch(new RegExp(`@localhost #${codeIn(text)}$`));
    await giveCode(page, codeIn(text), "Turn on");
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
    await giveCode(page, codeIn(await newest()));
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
    await giveCode(page, codeIn(await newest()));
    await heading(page, "Your account").waitFor();
    expect(await look(outbox, "example-outbox")).toEqual([]);
  });

  test("and finds them in the outbox as they were sent, the mail in a frame that runs no script", async () => {
    const code = codeIn(await newest());
    const message = messages(SENT).first();
    expect(await message.locator("iframe").getAttribute("sandbox")).toBe("allow-top-navigation-by-user-activation");
    await message.getByText("As text").click();
    expect(await message.locator("pre").innerText()).toContain(code);
  });

  test("and reads there what happened, also what time alone brought about; its link opens at the top of the page", async () => {
    await logOut(page);
    await logIn(page, EMAIL);
    demo.clock.advance(11 * MINUTE);
    expect(await demo.mfa.runDue()).toBe(1);
    await told(/^Somebody knows your Acme Demo password$/);
    expect(await look(outbox, "example-outbox-notices")).toEqual([]);
    const mail = outbox.locator("iframe").first().contentFrame();
    await mail.getByRole("link", { name: "This wasn’t me" }).click();
    await heading(outbox, "Was this not you?").waitFor();
    expect(outbox.url()).toMatch(/^http:\/\/localhost:\d+\/2fa\/report\?token=/);
  });
});
