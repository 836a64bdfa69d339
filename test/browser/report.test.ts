// "This wasn't me", from a mail that went through a mail server, to what is left of whoever it was.
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { authenticatorApp, type AuthenticatorApp } from "express-second-factor/testing";
import { Outbox } from "../../example-app/outbox.js";
import { launchChromium } from "../support/chromium.js";
import { type MailServer, type ReceivedMail, startMailServer } from "../support/mail-server.js";
import { type Demo, giveCode, heading, logIn, look, PASSWORD, post, startDemo, visit, type Visitor } from "./stage.js";

jest.setTimeout(60_000);

const EMAIL = "ada@example.com";
const ADDED = "An authenticator was added to your Acme Demo account";
const STEP = 30_000;

let mails: MailServer;
let demo: Demo;
let browser: Browser;
let owner: Visitor;
let thief: Visitor;
let phone: AuthenticatorApp;
let strangePhone: AuthenticatorApp;
/** What the application prints. */
const warned: unknown[] = [];

async function enter(page: Page, path: string): Promise<void> {
  await page.request.post(path, { form: { email: EMAIL, password: PASSWORD } });
}

/** Sets an authenticator up, whose code of this moment is used up by it. */
async function addPhone(page: Page, label: string): Promise<AuthenticatorApp> {
  const { factorId, uri } = await post(page, "/2fa/totp/enroll", { label });
  const added = authenticatorApp(uri!);
  await post(page, "/2fa/totp/enroll/confirm", { factorId, code: added.code(demo.clock()) });
  demo.clock.advance(STEP);
  return added;
}

/** The mails of this subject, once there are so many. */
async function received(subject: string, count: number): Promise<readonly ReceivedMail[]> {
  for (let turn = 0; turn < 500; turn += 1) {
    const found = mails.mails.filter(({ shown }) => shown.subject === subject);
    if (found.length === count) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`Of ${mails.mails.map(({ shown }) => shown.subject).join()} there are not ${count}: ${subject}`);
}

/** A mail is no page of a site: it has to fit, and to be read. */
function mailFlaws(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { clientWidth, scrollWidth } = document.documentElement;
    return scrollWidth > clientWidth ? [`wider than the screen: ${scrollWidth} in ${clientWidth}`] : [];
  });
}

/** All that the account is to whoever is signed in to it. */
async function account({ page }: Visitor): Promise<string> {
  const answer = await page.request.get("/2fa/settings", { headers: { Accept: "application/json" } });
  expect(answer.status()).toBe(200);
  return answer.text();
}

beforeAll(async () => {
  jest.spyOn(console, "warn").mockImplementation((line: unknown) => void warned.push(line));
  mails = await startMailServer();
  demo = await startDemo((clock) => Object.assign(new Outbox({ clock }), { transport: mails.transport() }));
  browser = await launchChromium();
  [owner, thief] = [await visit(browser, demo), await visit(browser, demo)];
  await enter(owner.page, "/register");
  phone = await addPhone(owner.page, "My phone");
  await received(ADDED, 1);
  await enter(thief.page, "/login");
  await post(thief.page, "/2fa/totp", { code: phone.code(demo.clock()) });
  strangePhone = await addPhone(thief.page, "Strange phone");
}, 60_000);

afterAll(async () => {
  await browser.close();
  await demo.close();
  await mails.close();
  jest.restoreAllMocks();
});

afterEach(() => {
  expect([owner.troubles, thief.troubles]).toEqual([[], []]);
});

// One story, told in order: each test goes on where the one before it ended.
describe("somebody in an account adds an authenticator", () => {
  let link: string;

  test("of which its owner gets a mail, whose number their activity list has", async () => {
    const [, { shown, to }] = (await received(ADDED, 2)) as [ReceivedMail, ReceivedMail];
    expect(to).toEqual([EMAIL]);
    const { page } = owner;
    await page.setContent(shown.html!);
    expect(await look(page, "mail-factor-enrolled", mailFlaws)).toEqual([]);
    expect(await page.getByText("Strange phone").isVisible()).toBe(true);
    const number = await page.getByRole("row", { name: "Number" }).getByRole("cell").innerText();
    expect(JSON.parse(await account(thief)).activity[0]).toMatchObject({ action: "factor-enrolled", number: +number });
    link = (await page.getByRole("link", { name: "This wasn’t me" }).getAttribute("href"))!;
    expect(shown.text).toContain(link);
  });

  test("whose link says what it is about and what it is going to do; opened by people and scanners it does nothing", async () => {
    const { page } = owner;
    const before = await account(thief);
    await page.getByRole("link", { name: "This wasn’t me" }).click();
    await heading(page, "Was this not you?").waitFor();
    expect(page.url()).toBe(link);
    expect(await look(page, "report")).toEqual([]);
    const methods = ["GET", "HEAD"] as const;
    for (const method of methods) expect((await thief.page.request.fetch(link, { method })).status()).toBe(200);
    expect(await account(thief)).toBe(before);
  });

  test("and whose button does it, says what it did, and tells the application", async () => {
    const { page } = owner;
    await page.getByRole("button", { name: "Secure my account" }).click();
    await heading(page, "Your account is secured").waitFor();
    expect(await look(page, "reported")).toEqual([]);
    const said = await page.getByRole("status").innerText();
    expect(said).toContain("1 session ended: nobody is signed in any more.");
    expect(said).toContain("This opens nothing until you allow it again: “Strange phone”.");
    expect(warned).toEqual([expect.stringMatching(/reports "factor-enrolled": a new password is due\.$/)]);
  });

  test("so that whoever it was is out, and gets in by what they added no more", async () => {
    const { page } = thief;
    await page.goto("/account");
    await heading(page, "Log in").waitFor();
    await enter(page, "/login");
    expect((await post(page, "/2fa/totp", { code: strangePhone.code(demo.clock()) })).code).toBe("invalid-code");
    expect((await page.request.get("/account")).status()).toBe(401);
  });

  test("and its owner, who is in by their own, sees that nothing can be changed until tomorrow, and what is suspended", async () => {
    const { page } = owner;
    await logIn(page, EMAIL);
    await giveCode(page, phone.code(demo.clock()));
    await page.goto("/2fa/settings");
    await heading(page, "Two-step sign-in").waitFor();
    expect(await look(page, "settings-frozen")).toEqual([]);
    expect((await post(page, "/2fa/totp/enroll")).code).toBe("frozen");
  });

  test("and the link works once", async () => {
    const { page } = owner;
    await page.goto(link);
    await heading(page, "This was reported already").waitFor();
    expect(await look(page, "report-used")).toEqual([]);
  });
});
