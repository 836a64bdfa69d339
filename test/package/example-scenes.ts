import { expect } from "@jest/globals";
import type { Express } from "express";
import supertest from "supertest";
import type { Store } from "express-second-factor";
import { authenticatorApp } from "express-second-factor/testing";
import { passwordOf } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { type Application, ENROLLED, GUARDED, NOT_ENROLLED } from "./application.js";
import { documentedExamples, type Example } from "./documented-examples.js";
import type { Visit } from "./example-page.js";

const MINUTE = 60_000;

type Agent = ReturnType<typeof supertest.agent>;

/** What is true of the application after an example ran in it; `made` holds what the example made. */
type Scene = (application: Application, made: Readonly<Record<string, unknown>>) => unknown;

/** A user sets a second factor up, and is asked for it from then on. */
async function protectsLogins(application: Application): Promise<void> {
  const { backupCodes } = await enrolled(application, "carol");
  const jar = await pending(application, "carol");
  expect(await jar.isIn(GUARDED)).toBe(false);
  expect((await jar.post("/2fa/backup-code", { code: backupCodes[0] })).status).toBe(200);
  expect(await jar.isIn(GUARDED)).toBe(true);
}

/** As `protectsLogins`, where the only factor is a passkey. */
async function offersPasskeys(application: Application): Promise<void> {
  const jar = await pending(application, "carol");
  expect((await jar.post("/2fa/totp/enroll")).status).toBe(404);
  expect((await jar.post("/2fa/passkey/enroll/options")).body).toMatchObject({ user: { name: "carol@acme.test" } });
}

/** An application of its own: in without a factor; with one, its login answers by itself, a page and a client. */
async function asksOnceEnrolled(_application: Application, { app }: Readonly<Record<string, unknown>>): Promise<void> {
  const logIn = (agent: Agent, accept: string) =>
    agent.post("/login").set("Accept", accept).type("form").send({ username: "ann", password: "correct horse" });
  const [owner, page, client] = [1, 2, 3].map(() => supertest.agent(app as Express)) as [Agent, Agent, Agent];
  expect((await logIn(owner, "text/html")).headers["location"]).toBe("/");
  expect((await owner.get("/")).text).toContain("Hello ann");
  const { body } = await owner.post("/2fa/totp/enroll").send({});
  const code = authenticatorApp(body.uri).code();
  expect((await owner.post("/2fa/totp/enroll/confirm").send({ factorId: body.factorId, code })).status).toBe(201);
  expect(await logIn(page, "text/html")).toMatchObject({ status: 303, headers: { location: "/2fa" } });
  expect(await logIn(client, "application/json")).toMatchObject({
    status: 401,
    body: { code: "second-factor-required" },
  });
  expect((await client.get("/")).status).toBe(401);
}

function fullLogin(application: Application): Promise<Jar<Application>> {
  return full(application, ENROLLED.name, authenticatorApp(application.names.uri));
}

async function isEnrolled({ names }: Application): Promise<boolean> {
  return (await names.mfa.accounts.status(ENROLLED.id)).enrolled;
}

async function finishesOneForm(application: Application): Promise<void> {
  const jar = new Jar(application);
  const { code } = application.names;
  const form = { username: ENROLLED.name, password: passwordOf(ENROLLED.name), code };
  expect((await jar.post("/login-with-code", form)).headers["location"]).toBe("/");
  expect(await jar.isIn(GUARDED)).toBe(true);
}

async function asksForFreshProof(application: Application): Promise<void> {
  const jar = await fullLogin(application);
  expect((await jar.post("/settings/email")).status).toBe(204);
  application.clock.advance(5 * MINUTE);
  expect((await jar.post("/settings/email")).body.code).toBe("step-up-required");
  expect((await jar.get("/admin")).body.code).toBe("step-up-required");
  const payment = { amount: 10, to: "Ben" };
  const { code, operation } = (await jar.post("/transfer", payment)).body;
  expect([code, operation.text]).toEqual(["step-up-required", "Pay 10 to Ben"]);
  await jar.verify(authenticatorApp(application.names.uri).code(application.clock()), { operation: operation.id });
  expect((await jar.post("/transfer", payment)).status).toBe(204);
  expect((await jar.post("/transfer", payment)).body.code).toBe("step-up-required");
}

async function logsWhatHappens(application: Application): Promise<void> {
  const { names, logged } = application;
  logged.length = 0;
  await names.mfa.accounts.signOutEverywhere(ENROLLED.id);
  expect(logged).toEqual([expect.objectContaining({ action: "signed-out-everywhere", userId: ENROLLED.id })]);
}

function didLast(action: string): Scene {
  return ({ actions }) => expect(actions.at(-1)).toBe(action);
}

/** By the title of the example. One that is not here has to compile and to run to its last line, no more. */
export const SCENES: Readonly<Record<string, Scene>> = {
  secondFactor: protectsLogins,
  "SecondFactor.require": asksForFreshProof,
  "SecondFactor.strategy": finishesOneForm,
  "SecondFactor.events": logsWhatHappens,
  "SecondFactor.ready": async (application) => {
    expect((await new Jar(application).get("/health")).status).toBe(204);
  },
  "SecondFactor.rotateKeys": ({ logged }, made) => {
    expect(made).toMatchObject({ left: {}, unreadable: 0, mayDropOldKeys: true });
    expect(logged).toEqual(["0 of 1 accounts sealed anew"]);
  },
  totp: protectsLogins,
  backupCodes: offersPasskeys,
  passkeys: offersPasskeys,
  memoryStore: protectsLogins,
  toOwasp: async (application) => {
    const jar = await pending(application, ENROLLED.name);
    await jar.verify("000000");
    expect(application.logged).toContainEqual(
      expect.objectContaining({ action: "factor-failed", event: `authn_login_fail:${ENROLLED.id}`, level: "WARN" }),
    );
  },
  ERRORS: (_application, { untranslated }) => {
    expect(untranslated).toContain("unavailable");
    expect(untranslated).not.toContain("invalid-code");
  },
  ConfigurationError: ({ logged }) => expect(logged).toEqual([]),
  UnavailableError: async (application) => {
    const jar = new Jar(application);
    expect((await jar.post(`/admin/users/${ENROLLED.id}/reset`)).body).toEqual({ reset: true });
    expect(await isEnrolled(application)).toBe(false);
  },
  // Nobody has set up a device.
  NotAskedError: ({ logged }) => expect(logged).toEqual(["Not asked: not-found"]),
  "SecondFactor.approve": async (application) => {
    expect((await new Jar(application).post(`/support/users/${ENROLLED.id}/change-address`)).status).toBe(404);
  },
  english: protectsLogins,
  "Accounts.status": (_application, made) => expect(made).toMatchObject({ enrolled: true, isRunningOut: true }),
  "Accounts.factors": (_application, { lines }) => expect(lines).toEqual(["Old phone, last used never"]),
  "Accounts.verify": (_application, { result }) => expect(result).toMatchObject({ ok: true, method: "totp" }),
  "Accounts.removeFactor": async (application) => expect(await isEnrolled(application)).toBe(false),
  "AccountDesk.reset": (_application, { wasEnrolled }) => expect(wasEnrolled).toBe(true),
  "Accounts.regenerateBackupCodes": (_application, { codes }) => expect(codes).toHaveLength(10),
  "Accounts.signOutEverywhere": didLast("signed-out-everywhere"),
  "Accounts.passwordChanged": didLast("password-changed"),
  "Accounts.revokeDevices": (_application, { hadTrustedBrowsers }) => expect(hadTrustedBrowsers).toBe(false),
  "AccountImports.enrollEmail": (_application, { factor }) =>
    expect(factor).toMatchObject({ hint: "a•••@acme.example" }),
  "AccountImports.importTotp": async ({ names }) => {
    for (const { id } of names.oldUsers) expect((await names.mfa.accounts.status(id)).enrolled).toBe(true);
  },
  "Accounts.export": (_application, { file }) => expect(file).toContain('"label": "Old phone"'),
  "Accounts.erase": didLast("account-erased"),
  redisStore: protectsLogins,
  sqlStore: protectsLogins,
  createTables: protectsLogins,
  tablesSql: (_application, { migration }) => {
    expect(String(migration).match(/^create (table|index) .*;$/gm)).toHaveLength(4);
  },
  removeExpired: (_application, { removed }) => expect(removed).toBe(0),
  authenticatorApp: didLast("factor-enrolled"),
  softwareAuthenticator: didLast("step-up"),
  outbox: async ({ names: { agent }, tests }) => {
    const { name } = NOT_ENROLLED;
    await agent.post("/login").send({ username: name, password: passwordOf(name) });
    expect(tests).toHaveLength(2);
    for (const { run } of tests) await run();
  },
  movableClock: (_application, made) => expect(made).toMatchObject({ first: { ok: true }, second: { ok: true } }),
  storeContract: ranEveryClaim,
  "README.md: express-second-factor": asksOnceEnrolled,
  "README.md: In production": protectsLogins,
  "README.md: Keys and store": ranEveryClaim,
  "docs/options.md: `pages`: `PagesOptions`": async (application) => {
    await enrolled(application, "carol");
    const page = await (await pending(application, "carol")).page("/2fa");
    expect(page.text).toMatch(/^<!doctype html>\s*<html lang="en">[^]*href="\/acme.css"[^]*<h1/);
    expect(page.text).toContain("+1 555 0100");
  },
  "docs/migration.md: The secrets": async ({ names: { mfa, oldUsers } }) => {
    const taken = await Promise.all(oldUsers.map(({ id }) => mfa.accounts.status(id)));
    expect(taken.map(({ enrolled: isThere }) => isThere)).toEqual([true]);
  },
  "docs/migration.md: A form of your own": async (application) => {
    const { phone } = await enrolled(application, "carol");
    const jar = new Jar(application);
    const login = await jar.form("/login", { username: "carol", password: passwordOf("carol") });
    expect([login.headers["location"], await jar.isIn(GUARDED)]).toEqual(["/login-code", false]);
    expect((await jar.page("/login-code")).text).toContain('name="code"');
    expect((await jar.form("/login-code", { code: "000000" })).headers["location"]).toBe("/login-code");
    const code = phone.code(application.clock());
    expect((await jar.form("/login-code", { code })).headers["location"]).toBe("/");
    expect(await jar.isIn(GUARDED)).toBe(true);
  },
  "README.md: In routes": async (application) => {
    const jar = await fullLogin(application);
    expect((await jar.get("/account")).body).toMatchObject({ status: "verified", amr: ["otp", "mfa"], aal: 2 });
  },
  "README.md: Step-up": asksForFreshProof,
  "README.md: As Passport strategies": async (application) => {
    await finishesOneForm(application);
    const jar = await pending(application, ENROLLED.name);
    application.clock.advance(MINUTE);
    const code = authenticatorApp(application.names.uri).code(application.clock());
    expect((await jar.post("/verify", { code })).headers["location"]).toBe("/");
    expect(await jar.isIn(GUARDED)).toBe(true);
  },
  "README.md: From your own code": async (application) => {
    expect(await isEnrolled(application)).toBe(true);
    await logsWhatHappens(application);
  },
  "docs/logins.md: When a login is complete": async (application) => {
    await protectsLogins(application);
    expect(application.logged).toEqual([
      expect.objectContaining({ by: "the first factor alone" }),
      expect.objectContaining({ by: "backup-code" }),
    ]);
  },
  "docs/logins.md: Code that waits for the login": async (application) => {
    expect((await new Jar(application).post("/api/session")).body).toEqual({ status: "pending" });
  },
  "docs/scaling.md: Spreading it": async (_application, { accounts }) => {
    expect(await (accounts as Store).read("account:nobody")).toBeUndefined();
  },
  "docs/keys.md: Rotation": (_application, { report }) => {
    expect(report).toEqual({ accounts: 1, rotated: 0, left: {}, unreadable: 0 });
  },
};

async function ranEveryClaim({ tests }: Application): Promise<void> {
  expect(tests.length).toBeGreaterThan(10);
  for (const { run } of tests) await run();
}

/** Around an example on a page. */
interface BrowserScene {
  before?(visit: Visit): Promise<void>;
  after(visit: Visit, made: Readonly<Record<string, unknown>>): unknown;
}

async function addPasskey({ page, key }: Visit): Promise<void> {
  await page.locator("button").click();
  await expectText(page, /^([0-9A-Z]{4}-?){4}$/m);
  expect(await key.passkeys()).toHaveLength(1);
}

async function becomeDevice({ page }: Visit): Promise<void> {
  await page.locator("button").click();
  await expectText(page, /^([0-9A-Z]{4}-?){4}$/m);
}

async function expectText(page: Visit["page"], text: RegExp): Promise<void> {
  await page.locator("output", { hasText: text }).waitFor();
}

export const BROWSER_SCENES: Readonly<Record<string, BrowserScene>> = {
  passkeySupport: {
    after: async ({ page }, made) => {
      expect(made).toEqual({ available: true, platform: true });
      expect(await page.locator("button").innerText()).toBe("Use fingerprint, face or PIN");
    },
  },
  enrollPasskey: { before: (visit) => visit.logIn(), after: addPasskey },
  signInWithPasskey: {
    async before(visit) {
      await visit.logIn();
      await visit.run(exampleOf("enrollPasskey"));
      await addPasskey(visit);
      await visit.logOut();
      await visit.logIn();
      expect(await visit.isIn()).toBe(false);
    },
    async after(visit) {
      await visit.page.locator("button").click();
      await visit.page.waitForURL("/");
      expect(await visit.isIn()).toBe(true);
    },
  },
  enrollPushDevice: { before: (visit) => visit.logIn(), after: becomeDevice },
  memoryPushStore: {
    before: (visit) => visit.logIn(),
    after: (_visit, { result }) => expect(result).toMatchObject({ status: "enrolled", factor: { type: "push" } }),
  },
  pushDevices: {
    async before(visit) {
      await visit.logIn();
      await visit.run(exampleOf("enrollPushDevice"));
      await becomeDevice(visit);
    },
    after: async ({ page }) => expect(await page.locator("output").innerText()).toBe(""),
  },
  pushSupport: { after: (_visit, made) => expect(made).toMatchObject({ keys: true }) },
  "docs/push-apps.md: In TypeScript": {
    before: (visit) => visit.logIn(),
    async after({ page }) {
      await page.locator("button").click();
      // There is no such channel here.
      await expectText(page, /^refused$/);
    },
  },
  signalRemoved: { after: (_visit, made) => expect(made).toEqual({ isTaken: true }) },
  signalUserDetails: { after: (_visit, made) => expect(made).toEqual({ isTaken: true }) },
};

function exampleOf(name: string): Example {
  const found = documentedExamples().find(({ title }) => title === name);
  if (found === undefined) throw new Error(`${name} has no example`);
  return found;
}
