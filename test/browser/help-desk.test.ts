// The example application from both ends of the telephone: two operators, somebody who calls, and the clock on the outbox page.
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { Browser, BrowserContext, FrameLocator, Page } from "playwright-core";
import { authenticatorApp, type AuthenticatorApp } from "express-second-factor/testing";
import { openAuditTrail } from "../../example-app/audit-trail.js";
import { DEMO_PASSWORD, demoOperators } from "../../example-app/operators.js";
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
  unfold,
  visit,
  type Visitor,
} from "./stage.js";

jest.setTimeout(60_000);

const EMAIL = "ada@example.com";
const STEP = 30_000;
const REASON = "Lost phone, ticket 4711";

let folder: string;
let trail: Awaited<ReturnType<typeof openAuditTrail>>;
let demo: Demo;
let browser: Browser;
let visitors: Visitor[];
let caller: Page;
let dora: Page;
let otto: Page;
let phone: AuthenticatorApp;

/** Sets up an authenticator app for whoever is logged in there. */
async function enroll(visitor: Page | BrowserContext): Promise<AuthenticatorApp> {
  const { factorId, uri } = await post(visitor, "/2fa/totp/enroll");
  const app = authenticatorApp(uri!);
  await post(visitor, "/2fa/totp/enroll/confirm", { factorId, code: app.code(demo.clock()) });
  return app;
}

async function operator(page: Page, name: string): Promise<void> {
  await page.request.post("/login", { form: { email: `${name}@acme.example`, password: DEMO_PASSWORD } });
  await enroll(page);
}

async function user(visitor: Page | BrowserContext, email: string): Promise<AuthenticatorApp> {
  await visitor.request.post("/register", { form: { email, password: PASSWORD } });
  return enroll(visitor);
}

async function lookUp(page: Page, email = EMAIL): Promise<void> {
  await page.goto("/desk");
  await page.getByLabel("Who calls").fill(email);
  await page.getByLabel("Why").fill(REASON);
  await press(page, "Look up");
  await heading(page, email).waitFor();
}

async function startRecovery(): Promise<void> {
  await logIn(caller, EMAIL);
  await caller.getByText("Lost everything?").click();
  await press(caller, "Start recovery");
  await caller.getByText("a link is on its way to it").waitFor();
}

/** Opens the outbox until the newest mail there has this subject: mails are sent beside everything else. */
async function openMail(page: Page, subject: string): Promise<FrameLocator> {
  const newest = page.getByRole("listitem").first();
  for (let turn = 0; turn < 100; turn += 1) {
    await page.goto("/outbox");
    const title = newest.getByRole("heading");
    if ((await title.count()) > 0 && (await title.innerText()) === subject) return newest.frameLocator("iframe");
  }
  throw new Error(`Not in the outbox: ${subject}`);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "help-desk-"));
  demo = await startDemo(undefined, undefined, async ({ storage, clock }) => {
    trail = await openAuditTrail({ folder, key: `audit:${randomBytes(32).toString("base64")}`, clock });
    return { operators: await demoOperators(storage.users), trail };
  });
  browser = await launchChromium();
  visitors = await Promise.all([1, 2, 3].map(() => visit(browser, demo)));
  [caller, dora, otto] = visitors.map(({ page }) => page) as [Page, Page, Page];
  phone = await user(caller, EMAIL);
  await operator(dora, "dora");
  await operator(otto, "otto");
}, 60_000);

afterAll(async () => {
  await browser.close();
  await demo.close();
  await trail.close();
  await rm(folder, { recursive: true });
});

afterEach(() => {
  expect(visitors.map(({ troubles }) => troubles)).toEqual([[], [], []]);
});

describe("somebody who calls the help desk", () => {
  test("and is signed in reads a number out, and the desk is told when it is another", async () => {
    await lookUp(dora);
    await press(dora, "Begin a check");
    await dora.getByText("Ask the caller to open").waitFor();
    await caller.goto("/2fa/settings");
    await press(caller, "Show the number");
    const shown = await caller.getByText(/^\d{3} ?\d{3}$/).innerText();
    const number = shown.replace(/\D/g, "");
    await dora.getByLabel("What they read out").fill(number === "123456" ? "654321" : "123456");
    await press(dora, "Check the number");
    await dora.getByRole("alert").filter({ hasText: "That is not the number" }).waitFor();
    expect(await look(dora, "desk-caller-check")).toEqual([]);
    await dora.getByLabel("What they read out").fill(shown);
    await press(dora, "Check the number");
    await dora.getByRole("status").filter({ hasText: "That is the number" }).waitFor();
  });

  test("and has nothing to read out ends the check with the third wrong number, and the page says so", async () => {
    await press(dora, "Begin another check");
    await dora.getByLabel("What they read out").fill("12 34");
    await press(dora, "Check the number");
    await dora.getByRole("alert").filter({ hasText: "Enter the six digits" }).waitFor();
    for (const number of ["111111", "222222", "333333"]) {
      await dora.getByLabel("What they read out").fill(number);
      await press(dora, "Check the number");
    }
    await dora.getByRole("alert").filter({ hasText: "the check is over" }).waitFor();
    await dora.getByRole("button", { name: "Begin a check" }).waitFor();
    await press(dora, "Begin a check");
    demo.clock.advance(5 * 60_000);
    await dora.reload();
    await dora.getByRole("button", { name: "Begin a check" }).waitFor();
  });

  test("with a lost phone is given a pass that two operators give out, sets another phone up, and is where they were going", async () => {
    await logOut(caller);
    await caller.goto("/invoices");
    await giveCredentials(caller, EMAIL);
    await press(dora, "Ask for a temporary pass");
    await dora.getByText("Another operator has to approve it").first().waitFor();
    expect(await look(dora, "desk-case")).toEqual([]);
    await follow(dora, "Back to the desk");
    expect(await dora.getByRole("button", { name: /^Approve/ }).count()).toBe(0);
    await otto.goto("/desk");
    await otto.getByText(`“${REASON}”`).waitFor();
    expect(await look(otto, "desk")).toEqual([]);
    await press(otto, `Approve for ${EMAIL}`);
    const pass = await otto.getByText(/^(\w{4}-){3}\w{4}$/).innerText();
    expect(await look(otto, "desk-pass")).toEqual([]);
    await follow(otto, "Back to the desk");
    expect(await otto.getByText(pass).count()).toBe(0);

    await follow(caller, "I have a temporary pass");
    await caller.getByRole("textbox").fill(pass);
    await press(caller, "Continue");
    await unfold(caller, "Add an authenticator app");
    await press(caller, "Add authenticator app");
    phone = authenticatorApp(await keyUri(caller));
    await giveCode(caller, phone.code(demo.clock()), "Turn on");
    await heading(caller, "Invoices").waitFor();
  });

  test("is reset by two operators, not by one, and by nobody else", async () => {
    const email = "bob@example.com";
    const context = await browser.newContext({ baseURL: demo.origin });
    const { request } = context;
    await user(context, email);
    expect((await request.get("/desk")).status()).toBe(404);
    await lookUp(dora, email);
    await dora.getByText("Remove every second factor").click();
    await press(dora, "Ask for a reset");
    await dora.getByText("Asked for.").waitFor();
    await otto.goto("/desk");
    const approval = otto.getByRole("listitem").filter({ hasText: `Reset of all second factors for ${email}` });
    const path = (await approval.locator("form").getAttribute("action")) ?? "";
    const alone = await dora.request.post(path);
    expect(await alone.text()).toContain("Another operator has to approve that.");
    await approval.getByRole("button").click();
    await otto.getByText(`Done: ${email} has no second factor now.`).waitFor();
    await request.post("/logout");
    await request.post("/login", { form: { email, password: PASSWORD } });
    expect(await (await request.get("/account")).text()).toContain("Password only");
    await lookUp(dora, email);
    await dora.getByText("Remove every second factor").click();
    await press(dora, "Ask for a reset");
    await dora.getByText("There is no second factor").waitFor();
  });

  test("and is acted for has that on every page, and nothing that needs their own factor done", async () => {
    await lookUp(dora);
    await press(dora, "Act for them");
    await heading(dora, "Your account").waitFor();
    await dora.getByText("Not by its owner: support acts for them").waitFor();
    await dora.goto("/invoices");
    await dora
      .getByRole("status")
      .filter({ hasText: `support:dora, acting for ${EMAIL}` })
      .waitFor();
    expect(await look(dora, "desk-acting")).toEqual([]);
    const form = { amount: "100", recipient: "Dora" };
    const transfer = await dora.request.post("/transfer", { form, headers: { Accept: "application/json" } });
    expect(await transfer.json()).toMatchObject({ status: 403, code: "acting-login" });
    await press(dora, "Stop acting");
    await dora.goto("/account");
    await heading(dora, "Log in").waitFor();
  });

  test("and did not ask for a recovery has it stopped", async () => {
    await logOut(caller);
    await startRecovery();
    await lookUp(otto);
    await press(otto, "Stop a recovery");
    await otto.getByText("The recovery is stopped.").waitFor();
    await press(otto, "Stop a recovery");
    await otto.getByText("No recovery was under way.").waitFor();
  });

  test("leaves a trail that is complete, until somebody changes it", async () => {
    await otto.goto("/desk/audit");
    await otto.getByText("Nothing was taken out").waitFor();
    expect(await look(otto, "desk-audit")).toEqual([]);
    const written = await readFile(trail.file, "utf8");
    await writeFile(trail.file, written.replace("support:otto", "support:dora"));
    await follow(otto, "Look again");
    await otto.getByRole("alert").filter({ hasText: "The first place is audit.jsonl, line" }).waitFor();
    expect(await look(otto, "desk-audit-damaged")).toEqual([]);
    await writeFile(trail.file, written);
  });
});

describe("somebody who has lost everything, in the demonstration", () => {
  test("waits for a day by a button, and for the three days after it by another", async () => {
    await startRecovery();
    const asked = await openMail(caller, "Did you ask to recover your Acme Demo account?");
    await asked.getByRole("link", { name: "Confirm that it is you" }).click();
    await press(caller, "Yes, it is me");
    await openMail(caller, "Your Acme Demo account is being recovered");
    expect(await look(caller, "outbox-clock")).toEqual([]);
    await press(caller, "+1 day");
    await logIn(caller, EMAIL);
    const ready = await openMail(caller, "The waiting time for your Acme Demo account is over");
    await ready.getByRole("link", { name: "Set up a new authenticator" }).click();
    await press(caller, "Continue");
    await press(caller, "Set up an authenticator app");
    phone = authenticatorApp(await keyUri(caller));
    await giveCode(caller, phone.code(demo.clock()), "Turn on");
    await caller.getByRole("checkbox", { name: "I have saved these codes" }).check();
    await press(caller, "Continue");
    await caller.goto("/2fa/settings");
    await caller.getByText("Your account was recovered").waitFor();
    await caller.goto("/outbox");
    await press(caller, "+3 days");
    await logIn(caller, EMAIL);
    demo.clock.advance(STEP);
    await giveCode(caller, phone.code(demo.clock()));
    await caller.goto("/2fa/settings");
    await heading(caller, "Two-step sign-in").waitFor();
    expect(await caller.getByText("Your account was recovered").count()).toBe(0);
  });
});
