import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { built } from "../support/built.js";
import { launchChromium } from "../support/chromium.js";
import { type Key, plugIn } from "./keys.js";
import {
  type Demo,
  flaws,
  giveCredentials,
  heading,
  logIn,
  logOut,
  look,
  register,
  startDemo,
  unfold,
  visit,
  type Visitor,
} from "./stage.js";

jest.setTimeout(60_000);

const MINUTE = 60_000;

let demo: Demo;
let browser: Browser;

beforeAll(async () => {
  // The demo serves the browser's side of passkeys from there.
  built("esm/browser");
  demo = await startDemo();
  browser = await launchChromium();
}, 60_000);

afterAll(async () => {
  await browser.close();
  await demo.close();
});

const path = (page: Page): string => new URL(page.url()).pathname;
const fact = (page: Page, name: string) =>
  page.getByRole("term").filter({ hasText: name }).locator("xpath=following-sibling::dd");
const usePasskey = (page: Page) => page.getByRole("button", { name: "Use your passkey" }).click();
const signInWithPasskey = (page: Page) => page.getByRole("button", { name: "Sign in with a passkey" }).click();

/** The login is a whole one, nothing went wrong on the way, and the visit is over. */
async function endsVerified({ context, page, troubles }: Visitor): Promise<void> {
  await heading(page, "Your account").waitFor();
  expect(await fact(page, "status").innerText()).toBe("verified");
  expect(troubles).toEqual([]);
  await context.close();
}

/** From the page that shows the backup codes back to the settings. Answers the codes. */
async function saveCodes(page: Page): Promise<string[]> {
  await heading(page, "Save your backup codes").waitFor();
  const codes = await page.getByRole("list", { name: "Backup codes" }).getByRole("listitem").allInnerTexts();
  await page.getByRole("checkbox").check();
  await page.getByRole("button", { name: "Continue" }).click();
  await heading(page, "Two-step sign-in").waitFor();
  return codes;
}

/** A new account whose first factor is a passkey. Answers its backup codes. */
async function registerWithPasskey(page: Page, email: string): Promise<string[]> {
  await register(page, email);
  await page.getByRole("link", { name: "Two-step sign-in" }).click();
  await page.getByRole("button", { name: "Add a passkey" }).click();
  return saveCodes(page);
}

/** The login page's button alone: a touched key would answer the autofill by itself, without anybody choosing. */
async function withoutAutofill(page: Page): Promise<void> {
  await page.addInitScript(() => {
    PublicKeyCredential.isConditionalMediationAvailable = () => Promise.resolve(false);
  });
}

/** Logs in with the password; the key is not touched before the autofill of the login page is left behind. */
async function logInAgain(page: Page, email: string, key: Key): Promise<void> {
  await key.hold();
  await logOut(page);
  await logIn(page, email);
  await heading(page, "Use your passkey").waitFor();
  await key.touch();
}

async function sendTransfer(page: Page, amount: string, recipient: string): Promise<void> {
  await page.getByLabel("Amount in EUR").fill(amount);
  await page.getByLabel("Recipient").fill(recipient);
  await page.getByRole("button", { name: "Send" }).click();
}

// One person's story, told in order: each test goes on where the one before it ended.
describe("a person lives with a passkey", () => {
  const EMAIL = "barbara@example.com";
  let visitor: Visitor;
  let page: Page;
  let key: Key;
  let second: Key;

  beforeAll(async () => {
    visitor = await visit(browser, demo);
    page = visitor.page;
    key = await plugIn(page);
  });

  afterAll(async () => {
    expect(visitor.troubles).toEqual([]);
    await visitor.context.close();
  });

  test("it is their first factor: no code, no app, and the backup codes come with it", async () => {
    await register(page, EMAIL);
    await page.getByRole("link", { name: "Two-step sign-in" }).click();
    await heading(page, "Two-step sign-in").waitFor();
    expect(await look(page, "passkey-first")).toEqual([]);
    await page.getByRole("button", { name: "Add a passkey" }).click();
    expect(await saveCodes(page)).toHaveLength(10);
    const [made] = await key.passkeys();
    expect(made).toMatchObject({ isResidentCredential: true, rpId: "localhost", userName: EMAIL });
    const row = page.getByRole("region", { name: "Authenticators" }).getByRole("listitem").first();
    expect(await row.innerText()).toContain("On this device or key only");
    expect(await look(page, "passkey-settings")).toEqual([]);
  });

  test("this device cannot be added twice, and says so", async () => {
    await page.getByText("Add a passkey", { exact: true }).first().click();
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.getByRole("alert").filter({ hasText: "already holds a passkey" }).waitFor();
    expect(await key.passkeys()).toHaveLength(1);
    expect(await look(page, "passkey-already-here")).toEqual([]);
  });

  test("it is the second step after the password", async () => {
    await logOut(page);
    await key.hold();
    await logIn(page, EMAIL);
    await heading(page, "Use your passkey").waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Use your passkey");
    expect(await look(page, "passkey-challenge")).toEqual([]);
    await key.touch();
    await usePasskey(page);
    await heading(page, "Your account").waitFor();
    expect(await fact(page, "status").innerText()).toBe("verified");
    expect(await fact(page, "amr").innerText()).toContain("hwk");
  });

  test("a dialog that comes to nothing is told calmly, and the next try works", async () => {
    await logInAgain(page, EMAIL, key);
    await key.setUserVerified(false);
    await usePasskey(page);
    const alert = page.getByRole("alert");
    await alert.filter({ hasText: "No passkey was used" }).waitFor();
    expect(await page.getByRole("link", { name: "Use a backup code" }).isVisible()).toBe(true);
    expect(await look(page, "passkey-cancelled")).toEqual([]);
    await key.setUserVerified(true);
    await usePasskey(page);
    await heading(page, "Your account").waitFor();
  });

  test("a passkey that was refused is told on the page, with the other ways", async () => {
    await logInAgain(page, EMAIL, key);
    await page.route("**/2fa/passkey", async (route) => {
      const form = new URLSearchParams(route.request().postData() ?? "");
      const credential = JSON.parse(form.get("credential") ?? "{}");
      form.set("credential", JSON.stringify({ ...credential, response: { ...credential.response, signature: "AA" } }));
      await route.continue({ postData: form.toString() });
    });
    await usePasskey(page);
    await page.getByRole("alert").filter({ hasText: "was not accepted" }).waitFor();
    expect(await page.getByRole("link", { name: "Use a backup code" }).isVisible()).toBe(true);
    expect(await look(page, "passkey-refused")).toEqual([]);
    await page.unroute("**/2fa/passkey");
    await usePasskey(page);
    await heading(page, "Your account").waitFor();
  });

  test("a transfer is confirmed for what it is, once; the same again is asked for again", async () => {
    demo.clock.advance(6 * MINUTE);
    for (const round of ["first", "second"]) {
      await page.goto("/transfer");
      await sendTransfer(page, "100", "Ann");
      await heading(page, "Confirm that it is you").waitFor();
      expect(await page.getByText("Pay 100 EUR to Ann").isVisible()).toBe(true);
      if (round === "first") expect(await look(page, "passkey-step-up")).toEqual([]);
      await usePasskey(page);
      await heading(page, "Transfer money").waitFor();
      expect(await page.getByLabel("Recipient").inputValue()).toBe("Ann");
      if (round === "first") expect(await look(page, "example-transfer")).toEqual([]);
      await page.getByRole("button", { name: "Send" }).click();
      await heading(page, "Sent").waitFor();
    }
  });

  test("a confirmation for one recipient is none for another", async () => {
    await page.goto("/transfer");
    await sendTransfer(page, "100", "Ann");
    await usePasskey(page);
    await heading(page, "Transfer money").waitFor();
    await sendTransfer(page, "100", "Mallory");
    await heading(page, "Confirm that it is you").waitFor();
    expect(await page.getByText("Pay 100 EUR to Mallory").isVisible()).toBe(true);
    await usePasskey(page);
    await heading(page, "Transfer money").waitFor();
  });

  test("of two tabs each confirms what it shows, and turning away from the one leaves the other", async () => {
    await page.goto("/transfer");
    await sendTransfer(page, "1", "Ann");
    await page.getByText("Pay 1 EUR to Ann").waitFor();
    const other = await visitor.context.newPage();
    await other.goto("/transfer");
    await sendTransfer(other, "1000", "Eve");
    await other.getByText("Pay 1000 EUR to Eve").waitFor();
    await usePasskey(page);
    await heading(page, "Transfer money").waitFor();
    await sendTransfer(page, "1", "Ann");
    await heading(page, "Sent").waitFor();
    expect(await page.getByText("1 EUR are on their way to Ann").isVisible()).toBe(true);
    await other.reload();
    expect(await other.getByText("Pay 1000 EUR to Eve").isVisible()).toBe(true);
    await other.getByRole("button", { name: "Not now" }).click();
    await heading(other, "Transfer money").waitFor();
    await other.goBack();
    await heading(other, "This does not wait to be confirmed").waitFor();
    expect(await look(other, "operation-over")).toEqual([]);
    await other.close();
  });

  test("a proof that is too old is asked for before a passkey is added", async () => {
    second = await plugIn(page, { transport: "usb" });
    demo.clock.advance(16 * MINUTE);
    await page.goto("/2fa/settings");
    await page.getByText("Add a passkey", { exact: true }).first().click();
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await heading(page, "Confirm that it is you").waitFor();
    await usePasskey(page);
    await heading(page, "Two-step sign-in").waitFor();
    await key.remove();
    await page.getByText("Add a passkey", { exact: true }).first().click();
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.getByText("Passkey 2", { exact: true }).first().waitFor();
    expect(await second.passkeys()).toHaveLength(1);
  });

  test("with two keys either opens the account, and a removed one no longer does", async () => {
    await logInAgain(page, EMAIL, second);
    await usePasskey(page);
    await heading(page, "Your account").waitFor();

    // A key that hears nothing of what was removed, as keys on a ring do.
    await page.addInitScript(() => Reflect.deleteProperty(PublicKeyCredential, "signalAllAcceptedCredentials"));
    await page.goto("/2fa/settings");
    const rows = page.getByRole("region", { name: "Authenticators" }).getByRole("listitem");
    const row = rows.filter({ hasText: "Passkey 2" });
    await row.getByText("Rename", { exact: true }).click();
    await row.getByLabel("New name").fill("Blue key");
    await row.getByRole("button", { name: "Save" }).click();
    const renamed = rows.filter({ has: page.getByText("Blue key", { exact: true }) });
    await renamed.getByText("Remove", { exact: true }).click();
    expect(await look(page, "passkey-removing")).toEqual([]);
    await renamed.getByRole("button", { name: "Yes, remove it" }).click();
    await heading(page, "Two-step sign-in").waitFor();
    expect(await renamed.count()).toBe(0);
    const activity = page.getByRole("region", { name: "Recent activity" });
    const first = activity.getByRole("listitem").first();
    expect(await first.innerText()).toMatch(/Authenticator removed\s+Passkey\s+Blue key/);

    await withoutAutofill(page);
    await logOut(page);
    await page.goto("/login");
    await signInWithPasskey(page);
    await page.getByRole("alert").filter({ hasText: "That passkey opens no account here" }).waitFor();
    expect(await flaws(page)).toEqual([]);
  });
});

describe("a passkey instead of the password", () => {
  async function setUp(email: string): Promise<{ visitor: Visitor; page: Page; key: Key; codes: string[] }> {
    const visitor = await visit(browser, demo);
    const { page } = visitor;
    const key = await plugIn(page);
    const codes = await registerWithPasskey(page, email);
    // A key that is not touched keeps the request in the autofill waiting.
    await key.hold();
    await logOut(page);
    return { visitor, page, key, codes };
  }

  test("by a button is a whole login, with user verification", async () => {
    const { key, page, visitor } = await setUp("button@example.com");
    await withoutAutofill(page);
    await page.goto("/login");
    await page.getByRole("button", { name: "Sign in with a passkey" }).waitFor();
    expect(await look(page, "example-login")).toEqual([]);
    await key.touch();
    await signInWithPasskey(page);
    await endsVerified(visitor);
  });

  test("by the autofill of the address is one too, without pressing anything else", async () => {
    const { key, page, visitor } = await setUp("autofill@example.com");
    const asked = page.waitForResponse("**/2fa/passkey/options");
    await page.goto("/login");
    await asked;
    expect(path(page)).toBe("/login");
    await key.touch();
    // The touch may already answer what waits, and then the browser is on its way while it is told to reload.
    await page.reload().catch(() => undefined);
    await endsVerified(visitor);
  });

  test("the autofill waits under a fresh challenge when the old one dies, one request at a time", async () => {
    const { key, page, visitor } = await setUp("patient@example.com");
    const challenges: string[] = [];
    await page.route("**/2fa/passkey/options", async (route) => {
      const response = await route.fetch();
      const options = await response.json();
      challenges.push(options.challenge);
      // The request is renewed before this is over, but not more often than every ten seconds.
      await route.fulfill({ response, json: { ...options, timeout: 1_000 } });
    });
    await page.clock.install();
    const first = page.waitForResponse("**/2fa/passkey/options");
    await page.goto("/login");
    await first;
    // What waits was handed to the browser once its timer runs; nine seconds are too early to ask again.
    await page.waitForTimeout(500);
    await page.clock.fastForward(9_000);
    await page.waitForTimeout(500);
    expect(challenges).toHaveLength(1);
    const second = page.waitForResponse("**/2fa/passkey/options");
    await page.clock.fastForward(1_500);
    await second;
    expect(new Set(challenges).size).toBe(2);
    await page.unroute("**/2fa/passkey/options");
    // A touch answers what is asked after it; what waits in the autofill by then goes on waiting.
    await page.waitForTimeout(500);
    await key.touch();
    // The button takes the place of what waits.
    await signInWithPasskey(page);
    await endsVerified(visitor);
  });

  test("the password still works while the autofill waits, and the button after a cancelled dialog", async () => {
    const { key, page, visitor } = await setUp("both@example.com");
    await page.goto("/login");
    await key.setUserVerified(false);
    await key.touch();
    await signInWithPasskey(page);
    await page.getByRole("alert").filter({ hasText: "No passkey was used" }).waitFor();
    expect(await look(page, "example-login-cancelled")).toEqual([]);
    await giveCredentials(page, "both@example.com");
    await heading(page, "Use your passkey").waitFor();
    await key.setUserVerified(true);
    await usePasskey(page);
    await heading(page, "Your account").waitFor();
    expect(visitor.troubles).toEqual([]);
    await visitor.context.close();
  });

  test("without user verification is a first step: a further factor is asked for, and the passkey is none", async () => {
    const { codes, key, page, visitor } = await setUp("unverified@example.com");
    await withoutAutofill(page);
    // The server asks for verification; a client that does not listen is what this is about.
    await page.route("**/2fa/passkey/options", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), userVerification: "discouraged" } });
    });
    await page.goto("/login");
    await page.getByRole("button", { name: "Sign in with a passkey" }).waitFor();
    await key.touch();
    await signInWithPasskey(page);
    await heading(page, "Enter a backup code").waitFor();
    expect(await page.getByRole("link", { name: "Use your passkey" }).count()).toBe(0);
    await page.goto("/invoices");
    expect(path(page)).toMatch(/^\/2fa/);
    await page.getByLabel("Backup code").fill(codes[0]!);
    await page.getByRole("button", { name: "Continue" }).click();
    await heading(page, "Invoices").waitFor();
    expect(visitor.troubles).toEqual([]);
    await visitor.context.close();
  });
});

describe("passkeys where they cannot be", () => {
  test("without scripts a sentence says so, and every other way is open", async () => {
    const { context, page, troubles } = await visit(browser, demo, { javaScriptEnabled: false });
    await register(page, "noscript@example.com");
    await page.getByRole("link", { name: "Two-step sign-in" }).click();
    expect(await page.getByText("Passkeys need JavaScript").isVisible()).toBe(true);
    expect(await page.getByRole("button", { name: "Add a passkey" }).count()).toBe(0);
    await unfold(page, "Add an authenticator app");
    expect(await page.getByRole("button", { name: "Add authenticator app" }).isVisible()).toBe(true);
    await logOut(page);
    await page.goto("/login");
    expect(await page.getByRole("button", { name: "Sign in with a passkey" }).count()).toBe(0);
    expect(troubles).toEqual([]);
    await context.close();
  });

  test("a browser that has none says so", async () => {
    const { context, page, troubles } = await visit(browser, demo);
    await page.addInitScript(() => {
      Reflect.deleteProperty(window, "PublicKeyCredential");
    });
    await register(page, "old-browser@example.com");
    await page.getByRole("link", { name: "Two-step sign-in" }).click();
    await page.getByText("This browser cannot use passkeys").waitFor();
    expect(await page.getByRole("button", { name: "Add a passkey" }).count()).toBe(0);
    expect(await flaws(page)).toEqual([]);
    expect(troubles).toEqual([]);
    await context.close();
  });

  test("a browser without the JSON methods works all the same", async () => {
    const { context, page, troubles } = await visit(browser, demo);
    await page.addInitScript(() => {
      Reflect.deleteProperty(PublicKeyCredential, "parseCreationOptionsFromJSON");
      Reflect.deleteProperty(PublicKeyCredential, "parseRequestOptionsFromJSON");
      Reflect.deleteProperty(PublicKeyCredential.prototype, "toJSON");
    });
    const key = await plugIn(page);
    await registerWithPasskey(page, "fallback@example.com");
    await key.hold();
    await logOut(page);
    await logIn(page, "fallback@example.com");
    await key.touch();
    await usePasskey(page);
    await heading(page, "Your account").waitFor();
    expect(troubles).toEqual([]);
    await context.close();
  });
});
