import { readFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { authenticatorApp, type AuthenticatorApp } from "express-second-factor/testing";
import { launchChromium } from "../support/chromium.js";
import {
  type Demo,
  flaws,
  giveCode,
  giveCredentials,
  keyUri,
  logIn,
  logOut,
  look,
  nameField,
  PASSWORD,
  scan,
  startDemo,
  unfold,
  updateDocumentation,
  visit,
  type Visitor,
} from "./stage.js";

// Keys are typed and pages opened one after the other, which takes its time on a busy machine.
jest.setTimeout(60_000);

const EMAIL = "ada@example.com";
const STEP = 30_000;
const MINUTE = 60_000;

// One person's story, told in order: each test goes on where the one before it ended.
describe("a person protects their account and lives with it", () => {
  let demo: Demo;
  let browser: Browser;
  let visitor: Visitor;
  let page: Page;
  let phone: AuthenticatorApp;
  let codes: string[] = [];

  const path = (): string => new URL(page.url()).pathname;
  const heading = (name: string) => page.getByRole("heading", { level: 1, name });
  const fact = (name: string) =>
    page.getByRole("term").filter({ hasText: name }).locator("xpath=following-sibling::dd");

  /** A code no login has used yet: each is good once, so the clock goes on to the next. */
  const freshCode = (): string => {
    demo.clock.advance(STEP);
    return phone.code(demo.clock());
  };

  beforeAll(async () => {
    demo = await startDemo();
    browser = await launchChromium();
    visitor = await visit(browser, demo);
    page = visitor.page;
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    await demo.close();
  });

  afterEach(() => {
    expect(visitor.troubles).toEqual([]);
  });

  test("they register, and their account has no second factor", async () => {
    await page.goto("/");
    expect(await look(page, "example-home")).toEqual([]);
    await page.getByRole("link", { name: "Create an account" }).click();
    await page.getByLabel("E-mail address").fill(EMAIL);
    await page.getByLabel("Password").fill(PASSWORD);
    expect(await flaws(page)).toEqual([]);
    await page.getByRole("button", { name: "Create account" }).click();
    await heading("Your account").waitFor();
    expect(await fact("status").innerText()).toBe("not-enrolled");
    expect(await look(page, "example-account")).toEqual([]);
  });

  test("the settings page offers an authenticator, whose QR code, link and key say the same", async () => {
    await page.getByRole("link", { name: "Two-step sign-in" }).click();
    await heading("Two-step sign-in").waitFor();
    expect(path()).toBe("/2fa/settings");
    expect(await look(page, "settings-empty")).toEqual([]);

    await unfold(page, "Add an authenticator app");
    await nameField(page).fill("My phone");
    await page.getByRole("button", { name: "Add authenticator app" }).click();
    await heading("Add an authenticator app").waitFor();
    expect(await look(page, "enrollment")).toEqual([]);

    const uri = await keyUri(page);
    expect(await scan(page.getByRole("img", { name: /^QR code/ }))).toBe(uri);
    phone = authenticatorApp(uri);
    expect(phone).toMatchObject({ issuer: "Acme Demo", account: EMAIL });
    expect(await page.getByText(phone.secret.slice(0, 4)).innerText()).toBe(phone.secret.replace(/.{4}(?=.)/g, "$& "));
  });

  test("a reload shows the same, and a wrong first code is told beside the field: nothing is turned on", async () => {
    const uri = await keyUri(page);
    await page.reload();
    expect(await keyUri(page)).toBe(uri);
    await giveCode(page, wrong(phone.code(demo.clock())), "Turn on");
    await page.getByRole("alert").waitFor();
    expect(await page.getByRole("alert").innerText()).toContain("did not work");
    expect(await scan(page.getByRole("img", { name: /^QR code/ }))).toBe(uri);
    expect(await look(page, "confirm-again")).toEqual([]);
  });

  test("the right code turns it on, and shows backup codes that must be saved before going on", async () => {
    await giveCode(page, phone.code(demo.clock()), "Turn on");
    await heading("Save your backup codes").waitFor();
    codes = await page.getByRole("list", { name: "Backup codes" }).getByRole("listitem").allInnerTexts();
    expect(codes).toHaveLength(10);
    expect(await look(page, "backup-codes")).toEqual([]);

    await page.getByRole("button", { name: "Continue" }).click();
    expect(path()).toBe("/2fa/backup-codes");

    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download" }).click();
    const file = await readFile(await (await downloading).path(), "utf8");
    for (const code of codes) expect(file).toContain(code);

    await visitor.context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByRole("status").filter({ hasText: "Copied" }).waitFor();
    expect((await page.evaluate(() => navigator.clipboard.readText())).split("\n")).toEqual(codes);

    const asking = page.waitForEvent("dialog");
    await page.evaluate(() => setTimeout(() => window.location.assign("/account")));
    const question = await asking;
    expect(question.type()).toBe("beforeunload");
    await question.dismiss();

    await page.getByRole("checkbox", { name: "I have saved these codes" }).check();
    await page.getByRole("button", { name: "Continue" }).click();
    await heading("Two-step sign-in").waitFor();
    expect(await page.getByText("10 codes left").isVisible()).toBe(true);
    expect(await page.getByRole("status").filter({ hasText: "My phone added." }).isVisible()).toBe(true);
    // They are saved by now, and are not shown again.
    await page.goto("/2fa/backup-codes");
    expect(path()).toBe("/2fa/settings");
  });

  test("after the password they are asked for the code, and every other address is closed", async () => {
    await page.getByRole("link", { name: "Back to Acme Demo" }).click();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.goto("/invoices");
    expect(path()).toBe("/login");
    expect(await flaws(page)).toEqual([]);
    await giveCredentials(page, EMAIL);
    await heading("Enter the code from your app").waitFor();
    expect(path()).toBe("/2fa");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("sf-code");
    expect(await look(page, "challenge")).toEqual([]);
    await updateDocumentation(page, "challenge");

    for (const closed of ["/account", "/2fa/settings", "/no-such-page", "/invoices"]) {
      await page.goto(closed);
      expect(await page.getByText("Anvils").or(page.getByText("How you signed in")).count()).toBe(0);
      expect(path()).toMatch(/^\/2fa/);
    }
  });

  test("a wrong code is an alert tied to the field, the right one leads to the page first asked for", async () => {
    await giveCode(page, wrong(phone.code(demo.clock())));
    const field = page.getByLabel("6-digit code");
    const alert = page.getByRole("alert");
    expect(await alert.innerText()).toContain("did not work");
    expect(await field.getAttribute("aria-invalid")).toBe("true");
    expect((await field.getAttribute("aria-describedby"))?.split(" ")).toContain(await alert.getAttribute("id"));
    expect(await page.title()).toMatch(/^Problem: /);
    expect(await look(page, "challenge-error")).toEqual([]);

    // The second click of a double click would spend the code twice, and call it wrong.
    await page.getByLabel("6-digit code").fill(freshCode());
    await page.getByRole("button", { name: "Continue" }).dblclick();
    await heading("Invoices").waitFor();
    expect(path()).toBe("/invoices");
    expect(await flaws(page)).toEqual([]);
  });

  test("without the phone a backup code gets them in, once", async () => {
    await logOut(page);
    await logIn(page, EMAIL);
    await page.getByRole("link", { name: "Use a backup code" }).click();
    await heading("Enter a backup code").waitFor();
    expect(await look(page, "challenge-backup-code")).toEqual([]);
    await page.getByLabel("Backup code").fill(codes[0]!.toLowerCase());
    await page.getByRole("button", { name: "Continue" }).click();
    await heading("Your account").waitFor();
    expect(await fact("status").innerText()).toBe("verified");
    await page.goto("/2fa/settings");
    expect(await page.getByText("9 codes left").isVisible()).toBe(true);

    await logOut(page);
    await logIn(page, EMAIL);
    await page.getByRole("link", { name: "Use a backup code" }).click();
    await page.getByLabel("Backup code").fill(codes[0]!);
    await page.getByRole("button", { name: "Continue" }).click();
    expect(await page.getByRole("alert").innerText()).toContain("works only once");
    expect(await flaws(page)).toEqual([]);
    await page.getByRole("link", { name: "Use your authenticator app" }).click();
  });

  test("a browser they choose to trust is not asked again", async () => {
    const code = freshCode();
    await page.evaluate(
      (text) => navigator.clipboard.writeText(text),
      `Your code: ${code.slice(0, 3)} ${code.slice(3)}`,
    );
    await page.getByLabel("6-digit code").press("ControlOrMeta+V");
    expect(await page.getByLabel("6-digit code").inputValue()).toBe(code);
    await page.getByRole("checkbox", { name: /^Do not ask again on this browser for 30 days/ }).check();
    await page.getByRole("button", { name: "Continue" }).click();
    await heading("Your account").waitFor();
    await logOut(page);
    await logIn(page, EMAIL);
    await heading("Your account").waitFor();
    expect(await fact("status").innerText()).toBe("trusted-device");

    const elsewhere = await visit(browser, demo);
    await logIn(elsewhere.page, EMAIL);
    await elsewhere.page.getByRole("heading", { name: "Enter the code from your app" }).waitFor();
    expect(elsewhere.troubles).toEqual([]);
    await elsewhere.context.close();
  });

  test("a trusted browser shows the settings, asks before it changes any, and comes back to them", async () => {
    await page.getByRole("link", { name: "Two-step sign-in" }).click();
    await page.getByRole("link", { name: "Confirm that it is you" }).click();
    await heading("Confirm that it is you").waitFor();
    expect(await look(page, "step-up")).toEqual([]);
    await giveCode(page, freshCode());
    await heading("Two-step sign-in").waitFor();
    expect(await page.getByRole("link", { name: "Confirm that it is you" }).count()).toBe(0);
    expect(await look(page, "settings")).toEqual([]);
  });

  test("an authenticator gets another name, which stays text, and the browser is trusted no more", async () => {
    await page.goto("/2fa/settings");
    await page.getByText("Rename", { exact: true }).click();
    await page.getByLabel("New name").fill("Old <b>phone</b>");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Old <b>phone</b>", { exact: true }).first().waitFor();

    const browsers = page.getByRole("region", { name: "Trusted browsers" });
    expect(await browsers.getByRole("listitem").innerText()).toContain("This browser");
    await browsers.getByRole("button", { name: /^Remove/ }).click();
    await browsers.getByText("No browser is trusted").waitFor();
  });

  test("a proof that is too old is asked for again, then the change works", async () => {
    demo.clock.advance(16 * MINUTE);
    await page.goto("/2fa/settings");
    await page.getByText("Rename", { exact: true }).click();
    await page.getByLabel("New name").fill("Work phone");
    await page.getByRole("button", { name: "Save" }).click();
    await heading("Confirm that it is you").waitFor();
    await giveCode(page, freshCode());
    await heading("Two-step sign-in").waitFor();
    expect(await page.getByText("Work phone", { exact: true }).count()).toBe(0);
    // What was typed waits for them.
    expect(await page.getByLabel("New name").inputValue()).toBe("Work phone");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Work phone", { exact: true }).first().waitFor();
  });

  test("a new phone takes the place of the old one, on a page that says what is next", async () => {
    await page.getByRole("link", { name: "Set up a new phone" }).click();
    await heading("Set up your new phone").waitFor();
    expect(await look(page, "new-phone")).toEqual([]);
    await page.getByRole("button", { name: "Set up the app on the new phone" }).click();
    await heading("Add an authenticator app").waitFor();
    expect(await look(page, "new-phone-enrollment")).toEqual([]);
    phone = authenticatorApp(await keyUri(page));
    await giveCode(page, phone.code(demo.clock()), "Turn on");
    await page.getByRole("status").filter({ hasText: "Work phone is set up in the place of the old one" }).waitFor();
    expect(await look(page, "new-phone-done")).toEqual([]);
    await page.getByRole("link", { name: "Done", exact: true }).click();
    await heading("Two-step sign-in").waitFor();
  });

  test("a login left alone for too long is over, and says so", async () => {
    await logOut(page);
    await logIn(page, EMAIL);
    await heading("Enter the code from your app").waitFor();
    demo.clock.advance(11 * MINUTE);
    await giveCode(page, freshCode());
    await heading("This is over").waitFor();
    expect(await look(page, "problem")).toEqual([]);
    await page.getByRole("link", { name: "Sign in again" }).click();
    await giveCredentials(page, EMAIL);
    await giveCode(page, freshCode());
    await heading("Your account").waitFor();
  });

  test("with the last factor removed the password is enough again", async () => {
    await page.goto("/2fa/settings");
    const factors = page.getByRole("region", { name: "Authenticators" });
    await factors.getByText("Remove", { exact: true }).click();
    expect(await look(page, "settings-removing")).toEqual([]);
    await factors.getByRole("button", { name: "Yes, remove it" }).click();
    await factors.getByText("You have none yet").waitFor();
    await logOut(page);
    await logIn(page, EMAIL);
    await heading("Your account").waitFor();
    expect(await fact("status").innerText()).toBe("not-enrolled");
  });
});

/** Six digits, and none of the codes that stand now. */
function wrong(code: string): string {
  return `${(Number(code[0]) + 5) % 10}${code.slice(1)}`;
}
