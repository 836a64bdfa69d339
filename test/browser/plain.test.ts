import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { authenticatorApp, type AuthenticatorApp } from "express-second-factor/testing";
import { launchChromium } from "../support/chromium.js";
import {
  type Demo,
  flaws,
  giveCode,
  heading,
  keyUri,
  logIn,
  logOut,
  nameField,
  PASSWORD,
  register,
  startDemo,
  unfold,
  visit,
} from "./stage.js";

jest.setTimeout(60_000);

describe("the pages without what not everybody has", () => {
  let demo: Demo;
  let browser: Browser;

  beforeAll(async () => {
    demo = await startDemo();
    browser = await launchChromium();
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    await demo.close();
  });

  const next = (phone: AuthenticatorApp): string => {
    demo.clock.advance(30_000);
    return phone.code(demo.clock());
  };

  const focused = (page: Page): Promise<string> =>
    page.evaluate(() => {
      const element = document.activeElement as HTMLElement | HTMLInputElement | null;
      const label = element && "labels" in element ? element.labels?.[0]?.innerText : undefined;
      return (label ?? element?.innerText ?? "").trim();
    });

  /** Presses Tab until the focus is on it, as somebody without a mouse does. */
  async function tabTo(page: Page, name: string): Promise<void> {
    for (let presses = 0; presses < 40; presses += 1) {
      if ((await focused(page)).startsWith(name)) return;
      await page.keyboard.press("Tab");
    }
    throw new Error(`Tab never reached "${name}"`);
  }

  test("everything works with scripts switched off", async () => {
    const { page, context, troubles } = await visit(browser, demo, { javaScriptEnabled: false });
    await register(page, "grace@example.com");
    await page.getByRole("link", { name: "Two-step sign-in" }).click();
    await unfold(page, "Add an authenticator app");
    await page.getByRole("button", { name: "Add authenticator app" }).click();
    const phone = authenticatorApp(await keyUri(page));
    await giveCode(page, phone.code(demo.clock()), "Turn on");
    // What needs a script is not offered.
    expect(await page.getByRole("button", { name: "Copy" }).count()).toBe(0);
    await page.getByRole("button", { name: "Continue" }).click();
    await heading(page, "Save your backup codes").waitFor();
    await page.getByRole("checkbox", { name: "I have saved these codes" }).check();
    await page.getByRole("button", { name: "Continue" }).click();
    await heading(page, "Two-step sign-in").waitFor();

    await logOut(page);
    await logIn(page, "grace@example.com");
    await giveCode(page, "123");
    expect(await page.getByRole("alert").innerText()).toContain("Enter the 6 digits");
    await giveCode(page, next(phone));
    await heading(page, "Your account").waitFor();

    await page.getByRole("link", { name: "Two-step sign-in" }).click();
    await page.getByText("Rename", { exact: true }).click();
    await page.getByLabel("New name").fill("Plain phone");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Plain phone", { exact: true }).first().waitFor();
    expect(troubles).toEqual([]);
    await context.close();
  });

  test("a keyboard is enough", async () => {
    const { page, context, troubles } = await visit(browser, demo);
    const { keyboard } = page;
    await page.goto("/register");
    await tabTo(page, "E-mail address");
    await keyboard.type("edsger@example.com");
    await tabTo(page, "Password");
    await keyboard.type(PASSWORD);
    await keyboard.press("Enter");
    await heading(page, "Your account").waitFor();
    await tabTo(page, "Set up two-step sign-in");
    await keyboard.press("Enter");
    await heading(page, "Two-step sign-in").waitFor();
    await tabTo(page, "Add an authenticator app");
    await page.keyboard.press("Enter");
    await tabTo(page, "Add authenticator app");
    await keyboard.press("Enter");
    await heading(page, "Add an authenticator app").waitFor();
    const phone = authenticatorApp(await keyUri(page));
    await tabTo(page, "6-digit code");
    await keyboard.type(phone.code(demo.clock()));
    await keyboard.press("Enter");
    await heading(page, "Save your backup codes").waitFor();
    await tabTo(page, "I have saved these codes");
    await keyboard.press("Space");
    await tabTo(page, "Continue");
    await keyboard.press("Enter");
    await heading(page, "Two-step sign-in").waitFor();
    await tabTo(page, "Rename");
    await keyboard.press("Enter");
    await tabTo(page, "New name");
    await keyboard.press("ControlOrMeta+A");
    await keyboard.type("Typed phone");
    await keyboard.press("Enter");
    await page.getByText("Typed phone", { exact: true }).first().waitFor();

    await logOut(page);
    await logIn(page, "edsger@example.com");
    await heading(page, "Enter the code from your app").waitFor();
    // The field takes the focus by itself, a moment after it is there.
    await page.getByLabel("6-digit code").and(page.locator(":focus")).waitFor();
    await keyboard.type(next(phone));
    await tabTo(page, "Do not ask again");
    await keyboard.press("Space");
    await tabTo(page, "Continue");
    await keyboard.press("Enter");
    await heading(page, "Your account").waitFor();
    expect(troubles).toEqual([]);
    await context.close();
  });

  test("names from elsewhere stay text, and long ones stay on a phone's screen", async () => {
    const { page, context, troubles } = await visit(browser, demo, { viewport: { width: 320, height: 640 } });
    await register(page, `${"very-long-name.".repeat(4)}x@${"sub.".repeat(12)}example.com`);
    await page.getByRole("link", { name: "Two-step sign-in" }).click();
    await unfold(page, "Add an authenticator app");
    await nameField(page).fill('<img src=x onerror="alert(1)">Donaudampfschifffahrtsgesellschaft');
    expect(await flaws(page)).toEqual([]);
    await page.getByRole("button", { name: "Add authenticator app" }).click();
    expect(await flaws(page)).toEqual([]);
    const phone = authenticatorApp(await keyUri(page));
    await giveCode(page, phone.code(demo.clock()), "Turn on");
    expect(await flaws(page)).toEqual([]);
    await page.getByRole("checkbox").check();
    await page.getByRole("button", { name: "Continue" }).click();
    await page
      .getByText(/^<img src=x/)
      .first()
      .waitFor();
    for (const summary of await page.locator("summary").all()) await summary.click();
    expect(await flaws(page)).toEqual([]);
    expect(troubles).toEqual([]);
    await context.close();
  });
});
