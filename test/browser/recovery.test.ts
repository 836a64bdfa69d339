// The way back for whoever has lost every authenticator: mails, a wait, a new authenticator, and what ends it before.
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { APIResponse, Browser, Page } from "playwright-core";
import { authenticatorApp, type AuthenticatorApp } from "express-second-factor/testing";
import { Outbox } from "../../example-app/outbox.js";
import { launchChromium } from "../support/chromium.js";
import {
  type Demo,
  follow,
  giveCode,
  giveCredentials,
  heading,
  keyUri,
  logIn,
  logOut,
  look,
  PASSWORD,
  post,
  press,
  startDemo,
  visit,
  type Visitor,
} from "./stage.js";

jest.setTimeout(60_000);

const EMAIL = "ada@example.com";
const STEP = 30_000;
const HOUR = 3_600_000;

let outbox: Outbox;
let demo: Demo;
let browser: Browser;
let visitor: Visitor;
let page: Page;
let lost: AuthenticatorApp;
let phone: AuthenticatorApp;

/** What the application asks a second factor for. */
function transfer(): Promise<APIResponse> {
  const form = { amount: "100", recipient: "Bob" };
  return page.request.post("/transfer", { form, headers: { Accept: "application/json" } });
}

/** The newest mail of this subject, open, once there are more of them than before. */
async function openMail(subject: string, before = 0): Promise<void> {
  for (let turn = 0; turn < 500; turn += 1) {
    const [found, ...older] = (await outbox.messages()).filter((each) => each.subject === subject);
    if (found !== undefined && older.length >= before) {
      // Not in a page of the application's, whose content policy would have its say.
      await page.goto("about:blank");
      return page.setContent(found.html ?? "");
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const subjects = (await outbox.messages()).map((each) => each.subject);
  throw new Error(`Of ${subjects.join()} none is: ${subject}`);
}

/** A mail is no page of a site: it has to fit, and to be read. */
function mailFlaws(mail: Page): Promise<string[]> {
  return mail.evaluate(() => {
    const { clientWidth, scrollWidth } = document.documentElement;
    return scrollWidth > clientWidth ? [`wider than the screen: ${scrollWidth} in ${clientWidth}`] : [];
  });
}

/** By the button at the foot of the challenge. */
async function startRecovery(): Promise<void> {
  await page.getByText("Lost everything?").click();
  await press(page, "Start recovery");
  await page.getByText("a link is on its way to it").waitFor();
}

async function codeOf(app: AuthenticatorApp): Promise<string> {
  demo.clock.advance(STEP);
  return app.code(demo.clock());
}

beforeAll(async () => {
  demo = await startDemo((clock) => (outbox = new Outbox({ clock })));
  browser = await launchChromium();
  visitor = await visit(browser, demo);
  page = visitor.page;
  await page.request.post("/register", { form: { email: EMAIL, password: PASSWORD } });
  const { factorId, uri } = await post(page, "/2fa/totp/enroll", { label: "Lost phone" });
  lost = authenticatorApp(uri!);
  await post(page, "/2fa/totp/enroll/confirm", { factorId, code: lost.code(demo.clock()) });
  await logOut(page);
}, 60_000);

afterAll(async () => {
  await browser.close();
  await demo.close();
});

afterEach(() => {
  expect(visitor.troubles).toEqual([]);
});

// One person's story, told in order: each test goes on where the one before it ended.
describe("somebody whose phone and backup codes are gone", () => {
  test("reads at the challenge what the way back is before they go it", async () => {
    await logIn(page, EMAIL);
    await page.getByText("Lost everything?").click();
    expect(await look(page, "recovery-offer")).toEqual([]);
    await page.getByText("Lost everything?").click();
    await startRecovery();
    expect(await look(page, "recovery-requested")).toEqual([]);
  });

  test("opens the link in the mail, which says what its button does, and presses it", async () => {
    await openMail("Did you ask to recover your Acme Demo account?");
    expect(await look(page, "mail-recovery-requested", mailFlaws)).toEqual([]);
    await follow(page, "Confirm that it is you");
    await heading(page, "Recover your account?").waitFor();
    expect(await look(page, "recovery-confirm")).toEqual([]);
    await press(page, "Yes, it is me");
    await heading(page, "The waiting time has begun").waitFor();
    expect(await look(page, "recovery-confirmed")).toEqual([]);
  });

  test("sees at the challenge how long it takes and how it is stopped, and by mail once more when half of it is over", async () => {
    await page.goto("/2fa");
    await page.getByText("about 24 hours").waitFor();
    expect(await look(page, "recovery-waiting")).toEqual([]);
    await openMail("Your Acme Demo account is being recovered");
    expect(await look(page, "mail-recovery-confirmed", mailFlaws)).toEqual([]);
    demo.clock.advance(12 * HOUR);
    await demo.mfa.runDue();
    await openMail("Your Acme Demo account is still being recovered");
    await page.getByText("about 12 hours").waitFor();
    await page.getByText("It ends on November 22, 2026 at 12:00:00 PM UTC: then").waitFor();
    expect(await look(page, "mail-recovery-half-time", mailFlaws)).toEqual([]);
  });

  test("is sent to the password first by the second link, comes back to it by themselves, and reads what it does", async () => {
    demo.clock.advance(12 * HOUR);
    await demo.mfa.runDue();
    await openMail("The waiting time for your Acme Demo account is over");
    expect(await look(page, "mail-recovery-ready", mailFlaws)).toEqual([]);
    await follow(page, "Set up a new authenticator");
    await heading(page, "Sign in first").waitFor();
    expect(await look(page, "recovery-sign-in")).toEqual([]);
    await follow(page, "Sign in");
    await giveCredentials(page, EMAIL);
    await heading(page, "Set up a new authenticator").waitFor();
    expect(new URL(page.url())).toMatchObject({ pathname: "/2fa/recovery/complete", search: "" });
    expect(await look(page, "recovery-complete")).toEqual([]);
    // Whoever has found their authenticator after all turns back.
    await page.goto("/2fa");
    await page.getByText("Recovery is ready").waitFor();
    expect(await look(page, "recovery-ready")).toEqual([]);
    await page.goBack();
  });

  test("sets up a new authenticator, and the lost one is worth nothing from then on", async () => {
    await press(page, "Continue");
    await page.getByText("Recovery is almost done").waitFor();
    expect(await look(page, "recovery-set-up")).toEqual([]);
    await press(page, "Set up an authenticator app");
    phone = authenticatorApp(await keyUri(page));
    await giveCode(page, await codeOf(phone), "Turn on");
    await heading(page, "Save your backup codes").waitFor();
    await page.getByRole("checkbox", { name: "I have saved these codes" }).check();
    await press(page, "Continue");
    await logIn(page, EMAIL);
    await giveCode(page, await codeOf(lost));
    await page.getByRole("alert").waitFor();
    await giveCode(page, await codeOf(phone));
    await heading(page, "Your account").waitFor();
    await openMail("Your Acme Demo account was recovered");
    expect(await look(page, "mail-recovery-completed", mailFlaws)).toEqual([]);
  });

  test("and for three days does nothing that is sensitive, which the settings say", async () => {
    await page.goto("/2fa/settings");
    await page.getByText("Your account was recovered").waitFor();
    expect(await look(page, "settings-probation")).toEqual([]);
    expect(await (await transfer()).json()).toMatchObject({ status: 403, code: "probation" });
    demo.clock.advance(72 * HOUR);
    await logIn(page, EMAIL);
    await giveCode(page, await codeOf(phone));
    await page.goto("/2fa/settings");
    await heading(page, "Two-step sign-in").waitFor();
    expect(await page.getByText("Your account was recovered").count()).toBe(0);
    expect(await (await transfer()).json()).toMatchObject({ code: "step-up-required" });
    await logOut(page);
  });
});

describe("a recovery that its owner does not want", () => {
  test("is stopped by the link in its mail, without signing in", async () => {
    await logIn(page, EMAIL);
    await startRecovery();
    await openMail("Did you ask to recover your Acme Demo account?");
    await follow(page, "Stop the recovery");
    await heading(page, "Stop this recovery?").waitFor();
    expect(await look(page, "recovery-cancel")).toEqual([]);
    const link = page.url();
    await press(page, "Stop the recovery");
    await heading(page, "The recovery was stopped").waitFor();
    expect(await look(page, "recovery-cancelled")).toEqual([]);
    await page.goto(link);
    await heading(page, "This link no longer works").waitFor();
    expect(await look(page, "recovery-over")).toEqual([]);
  });

  test("is stopped by a sign-in with a code, of which a mail tells", async () => {
    await logIn(page, EMAIL);
    await startRecovery();
    await openMail("Did you ask to recover your Acme Demo account?");
    await follow(page, "Confirm that it is you");
    await press(page, "Yes, it is me");
    await logIn(page, EMAIL);
    await giveCode(page, await codeOf(phone));
    await heading(page, "Your account").waitFor();
    await openMail("The recovery of your Acme Demo account was stopped");
    await page.getByText("somebody signed in with an authenticator").waitFor();
    expect(await look(page, "mail-recovery-cancelled", mailFlaws)).toEqual([]);
  });

  test("does not come about where they have switched it off, though it looks the same to whoever asks", async () => {
    await page.goto("/2fa/settings");
    await page.getByText("Switch recovery off", { exact: true }).click();
    expect(await look(page, "settings-recovery")).toEqual([]);
    await press(page, "Yes, switch recovery off");
    await page.getByRole("status").filter({ hasText: "Recovery is off." }).waitFor();
    expect(await look(page, "settings-no-recovery")).toEqual([]);
    await logOut(page);
    const before = (await outbox.messages()).filter(({ subject }) => subject?.startsWith("Did you ask")).length;
    await logIn(page, EMAIL);
    await startRecovery();
    const after = (await outbox.messages()).filter(({ subject }) => subject?.startsWith("Did you ask")).length;
    expect(after).toBe(before);
  });

  test("comes about again once they have switched it on, and the settings say how long it takes", async () => {
    // Three in a day, and no more.
    demo.clock.advance(24 * HOUR);
    await logIn(page, EMAIL);
    await giveCode(page, await codeOf(phone));
    await page.goto("/2fa/settings");
    await press(page, "Switch recovery on");
    await page.getByRole("status").filter({ hasText: "Recovery is on." }).waitFor();
    await page.getByText("Switch recovery off", { exact: true }).waitFor();
    const other = await visit(browser, demo);
    await logIn(other.page, EMAIL);
    const subject = "Did you ask to recover your Acme Demo account?";
    const before = (await outbox.messages()).filter((each) => each.subject === subject).length;
    await other.page.request.post("/2fa/recovery", { data: {}, headers: { Accept: "application/json" } });
    await openMail(subject, before);
    await follow(page, "Confirm that it is you");
    await press(page, "Yes, it is me");
    await page.goto("/2fa/settings");
    await page.getByText("about 24 hours").waitFor();
    expect(await look(page, "settings-recovering")).toEqual([]);
    await other.page.context().close();
  });
});
