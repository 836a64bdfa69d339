import { randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import type { RequestHandler } from "express";
import {
  backupCodes,
  ConfigurationError,
  passkeys,
  type SecondFactor,
  type SecondFactorOptions,
  totp,
} from "express-second-factor";
import { softwareAuthenticator } from "express-second-factor/testing";
import { CANARY, testApp, type TestApp, type TestAppOptions, type TestUser } from "../support/app.js";
import {
  cookies,
  copyOf,
  distantStore,
  expectDenied,
  HOUR,
  MINUTE,
  NO_LIMITS,
  putCookie,
  SESSION_COOKIE,
  STEP,
  told,
  trusted,
  twoServers,
} from "../support/attack.js";
import { type Enrolled, enrolled, full, Jar, pending } from "../support/browser.js";
import { faultyStore, REJECTS } from "../support/faults.js";
import { actions } from "../support/observe.js";
import { answerWith, enrollWith } from "../passkeys/stage.js";

type Requirement = NonNullable<Parameters<SecondFactor["require"]>[0]>;

const open: RequestHandler = (req, res) => {
  res.json({ canary: CANARY, body: req.body ?? null });
};

const bindTransfer: Requirement["bind"] = (req) => {
  const { amount, to } = (req.body ?? {}) as Record<string, string>;
  return `Send ${amount} to ${to}`;
};

function routesFor(rows: Readonly<Record<string, Requirement>>): NonNullable<TestAppOptions["routes"]> {
  return (app, mfa) => {
    for (const [path, requirement] of Object.entries(rows)) app.all(path, mfa.require(requirement), open);
  };
}

function guardedApp(rows: Readonly<Record<string, Requirement>>, given: TestAppOptions = {}): TestApp {
  return testApp({ ...given, routes: routesFor(rows) });
}

const ROWS = {
  "/fresh": { maxAge: "5m" },
  "/proved": {},
  "/aal2": { aal: 2 },
  "/by-totp": { methods: ["totp"] },
  "/by-passkey": { methods: ["passkey"] },
  "/strong": { phishingResistant: true },
  "/strong-and-fresh": { phishingResistant: true, maxAge: "5m" },
  "/transfer": { bind: bindTransfer },
  "/payout": { bind: bindTransfer },
} as const satisfies Record<string, Requirement>;

interface Field extends Enrolled {
  readonly target: TestApp;
  /** alice, who gave both factors. */
  readonly jar: Jar;
}

async function field(given: TestAppOptions = {}): Promise<Field> {
  const target = guardedApp(ROWS, given);
  const factor = await enrolled(target, "alice");
  return { target, ...factor, jar: await full(target, "alice", factor.phone) };
}

async function opens(jar: Jar, path: string, body?: object): Promise<boolean> {
  const answer = await (body === undefined ? jar.get(path) : jar.post(path, body));
  if (answer.status >= 500) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
  return answer.text.includes(CANARY);
}

async function prove({ jar, phone, target }: Field): Promise<void> {
  target.clock.advance(STEP);
  const answer = await jar.verify(phone.code(target.clock()));
  if (answer.status !== 200) throw new Error(`verify answered ${answer.status}: ${answer.text}`);
}

describe("how old a proof may be", () => {
  test("five minutes, to the millisecond, whatever is done meanwhile", async () => {
    const here = await field();
    const { jar, target } = here;
    await prove(here);
    for (let minute = 0; minute < 5; minute += 1) {
      expect(await opens(jar, "/fresh")).toBe(true);
      target.clock.advance(MINUTE);
      for (const path of ["/account", "/2fa", "/2fa/settings", "/proved"]) await jar.get(path);
    }
    expect(await opens(jar, "/fresh")).toBe(true);
    target.clock.advance(1);
    expect(await opens(jar, "/fresh")).toBe(false);
    expect(await opens(jar, "/proved")).toBe(true);
    await prove(here);
    expect(await opens(jar, "/fresh")).toBe(true);
  });

  test("a wrong code makes no proof younger", async () => {
    const here = await field();
    here.target.clock.advance(HOUR);
    await here.jar.verify("000000");
    expect(await opens(here.jar, "/fresh")).toBe(false);
  });

  test("a proof in another login of the same user does not count here", async () => {
    const here = await field();
    here.target.clock.advance(HOUR);
    const there = await full(here.target, "alice", here.phone);
    expect([await opens(there, "/fresh"), await opens(here.jar, "/fresh")]).toEqual([true, false]);
  });
});

describe("what a login must have shown", () => {
  test("a trusted browser has shown nothing: no kind of requirement opens", async () => {
    const { target, phone } = await field();
    const jar = await trusted(target, "alice", phone);
    await jar.post("/logout");
    await jar.login("alice");
    expect(await jar.isIn()).toBe(true);
    for (const path of Object.keys(ROWS)) expect([path, await opens(jar, path)]).toEqual([path, false]);
  });

  test("by TOTP: what asks for a level or for TOTP opens, what asks for a passkey does not", async () => {
    const { jar } = await field();
    const opened = [];
    for (const path of Object.keys(ROWS)) if (await opens(jar, path)) opened.push(path);
    expect(opened).toEqual(["/fresh", "/proved", "/aal2", "/by-totp"]);
  });

  test("by backup code: nothing that a look-alike site could not take", async () => {
    const { target, backupCodes: codes } = await field();
    const jar = await pending(target, "alice");
    expect((await jar.post("/2fa/backup-code", { code: codes[0] })).status).toBe(200);
    const opened = [];
    for (const path of Object.keys(ROWS)) if (await opens(jar, path)) opened.push(path);
    expect(opened).toEqual(["/fresh", "/proved", "/aal2"]);
  });

  test("a passkey opens what asks for one, and a TOTP code given later takes nothing away", async () => {
    const here = await field();
    const device = softwareAuthenticator();
    expect((await enrollWith(here.jar, device)).status).toBe(201);
    const jar = await pending(here.target, "alice");
    expect((await jar.verify(here.phone.code(here.target.clock()))).status).toBe(200);
    expect([await opens(jar, "/strong"), await opens(jar, "/by-passkey")]).toEqual([false, false]);
    expect((await answerWith(jar, device)).status).toBe(200);
    expect([await opens(jar, "/strong"), await opens(jar, "/by-passkey")]).toEqual([true, true]);
    await prove({ ...here, jar });
    expect([await opens(jar, "/strong"), await opens(jar, "/by-totp")]).toEqual([true, true]);
  });

  test("one proof must satisfy all of it: a fresh code and a stale passkey are not a fresh passkey", async () => {
    const here = await field();
    const device = softwareAuthenticator();
    await enrollWith(here.jar, device);
    await answerWith(here.jar, device);
    here.target.clock.advance(HOUR);
    await prove(here);
    expect([await opens(here.jar, "/fresh"), await opens(here.jar, "/strong")]).toEqual([true, true]);
    expect(await opens(here.jar, "/strong-and-fresh")).toBe(false);
    await answerWith(here.jar, device);
    expect(await opens(here.jar, "/strong-and-fresh")).toBe(true);
  });
});

describe("what is answered", () => {
  test("to a client: 401 with what would do, and the header of RFC 9470", async () => {
    const { jar, target } = await field();
    target.clock.advance(HOUR);
    const { body, headers, status, type } = await jar.get("/fresh");
    expect([status, type]).toEqual([401, "application/problem+json"]);
    expect(body).toMatchObject({ code: "step-up-required", maxAge: 300, location: "/2fa" });
    expect(body.methods.map((method: { type: string }) => method.type)).toEqual(["totp", "backup-code"]);
    expect(headers["www-authenticate"]).toMatch(
      /^[A-Za-z]+ error="insufficient_user_authentication"(, [a-z_]+="[^"]*")*$/,
    );
    expect(headers["www-authenticate"]).toContain('max_age="300"');
  });

  test.each([
    ["/strong", "phr"],
    ["/aal2", "aal2"],
  ])("to a client at %s: the header names the class asked for (RFC 9470 section 3)", async (path, acr) => {
    const { target, phone } = await field();
    const jar = await trusted(target, "alice", phone);
    await jar.post("/logout");
    await jar.login("alice");
    const { headers } = await jar.get(path);
    expect(headers["www-authenticate"]).toContain(`acr_values="${acr}"`);
  });

  test("to a client at a route for passkeys: only passkeys are named", async () => {
    const { jar, target } = await field();
    await enrollWith(jar, softwareAuthenticator());
    target.clock.advance(HOUR);
    const { body } = await jar.get("/strong-and-fresh");
    expect(body.methods.map((method: { type: string }) => method.type)).toEqual(["passkey"]);
  });

  test("to nobody: 401 login-required; to a pending login: 401 second-factor-required", async () => {
    const { target } = await field();
    const answers = [await new Jar(target).get("/fresh"), await (await pending(target, "alice")).get("/fresh")];
    expect(answers.map(({ status, body }) => [status, body.code])).toEqual([
      [401, "login-required"],
      [401, "second-factor-required"],
    ]);
  });

  test("to a user without factors: 403 enrollment-required, and a browser goes to set one up", async () => {
    const target = guardedApp(ROWS);
    const jar = await pending(target, "alice");
    const answer = await jar.get("/fresh");
    expect([answer.status, answer.body.code, answer.body.location]).toEqual([
      403,
      "enrollment-required",
      "/2fa/settings",
    ]);
    const page = await jar.page("/fresh");
    expect([page.status, page.headers.location]).toEqual([303, "/2fa/settings"]);
  });

  test("to a browser: a GET is taken up again where it was", async () => {
    const { jar, phone, target } = await field();
    target.clock.advance(HOUR);
    const asked = await jar.page("/fresh?page=2");
    expect([asked.status, asked.headers.location]).toEqual([303, "/2fa"]);
    const proved = await jar.form("/2fa/totp", { code: phone.code(target.clock()) });
    expect([proved.status, proved.headers.location]).toEqual([303, "/fresh?page=2"]);
    expect((await jar.page("/fresh?page=2")).text).toContain(CANARY);
  });

  test("to a browser: a form that was sent is never sent again, and its page is gone back to", async () => {
    const received: unknown[] = [];
    const target = testApp({
      routes(app, mfa) {
        app.post("/transfer", mfa.require({ maxAge: "5m" }), (req, res) => {
          received.push(req.body);
          res.json({ canary: CANARY });
        });
      },
    });
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    target.clock.advance(HOUR);
    const asked = await jar.form("/transfer", { amount: "5" }).set("Referer", "http://localhost:3000/pay?to=bob");
    expect([asked.status, asked.headers.location]).toEqual([303, "/2fa"]);
    const proved = await jar.form("/2fa/totp", { code: phone.code(target.clock()) });
    expect([proved.status, proved.headers.location]).toEqual([303, "/pay?to=bob"]);
    expect(received).toEqual([]);
  });

  test("to a browser that comes from elsewhere: it does not go back there", async () => {
    const { jar, phone, target } = await field();
    target.clock.advance(HOUR);
    await jar.form("/fresh", {}).set("Referer", "https://evil.test/pay");
    const proved = await jar.form("/2fa/totp", { code: phone.code(target.clock()) });
    expect([proved.status, proved.headers.location]).toEqual([303, "/"]);
  });

  test("when the store does not answer: 503, and open again when it does", async () => {
    const store = faultyStore();
    const { jar } = await field({ store, options: { keys: `test:${randomBytes(32).toString("base64")}` } });
    store.fail("read", REJECTS);
    const answer = await jar.get("/fresh");
    expect([answer.status, answer.body.code]).toEqual([503, "unavailable"]);
    store.heal();
    expect(await opens(jar, "/fresh")).toBe(true);
  });

  test("with enforce: report: let through, and told", async () => {
    const { jar, target } = await field({ options: { enforce: "report" } });
    target.clock.advance(HOUR);
    actions(target);
    expect(await opens(jar, "/fresh")).toBe(true);
    expect(actions(target)).toContain("would-block");
  });
});

describe("a proof on the way", () => {
  test("gives the session a new id, and the old one is dead at once", async () => {
    const here = await field();
    const old = copyOf(here.jar);
    const before = cookies(here.jar)[SESSION_COOKIE];
    await prove(here);
    expect(cookies(here.jar)[SESSION_COOKIE]).not.toBe(before);
    await expectDenied(old);
    expect(await opens(here.jar, "/fresh")).toBe(true);
  });

  test("is an event, and the same login goes on: no second one is listed", async () => {
    const here = await field();
    const listed = async () => (await here.jar.get("/2fa/settings")).body.sessions as readonly { createdAt: string }[];
    const before = await listed();
    here.target.clock.advance(MINUTE);
    await prove(here);
    const after = await listed();
    expect(after.map(({ createdAt }) => createdAt)).toEqual(before.map(({ createdAt }) => createdAt));
    expect(told("step-up", here.target)).toBe(1);
  });
});

const SEND = { amount: "5", to: "bob" };

/** Asks for the operation and gives the proof it wants. */
async function confirmed(here: Field, body: object = SEND): Promise<void> {
  expect(await opens(here.jar, "/transfer", body)).toBe(false);
  await prove(here);
}

describe("a proof for one operation", () => {
  test("opens it once", async () => {
    const here = await field();
    await confirmed(here);
    const opened = [];
    for (let times = 0; times < 3; times += 1) opened.push(await opens(here.jar, "/transfer", SEND));
    expect(opened).toEqual([true, false, false]);
  });

  test.each<readonly [string, string, object]>([
    ["another amount", "/transfer", { ...SEND, amount: "5000" }],
    ["another recipient", "/transfer", { ...SEND, to: "mallory" }],
    ["another route", "/payout", SEND],
  ])("opens no other: %s", async (_says, path, body) => {
    const here = await field();
    await confirmed(here);
    expect(await opens(here.jar, path, body)).toBe(false);
    expect(await opens(here.jar, "/transfer", SEND)).toBe(true);
  });

  test("opens no other verb of the route", async () => {
    const here = await field();
    await confirmed(here);
    const answer = await here.jar.agent.put("/transfer").set("Accept", "application/json").send(SEND);
    expect(answer.text).not.toContain(CANARY);
  });

  test("was given for the operation asked for last, not for the one before", async () => {
    const here = await field();
    expect(await opens(here.jar, "/transfer", SEND)).toBe(false);
    expect(await opens(here.jar, "/transfer", { ...SEND, amount: "7" })).toBe(false);
    await prove(here);
    expect(await opens(here.jar, "/transfer", SEND)).toBe(false);
  });

  test("is not the proof of the login, however fresh", async () => {
    const here = await field();
    await prove(here);
    expect(await opens(here.jar, "/transfer", SEND)).toBe(false);
  });

  test("is asked for anew by the next operation of the same words", async () => {
    const here = await field();
    await confirmed(here);
    expect(await opens(here.jar, "/transfer", SEND)).toBe(true);
    await confirmed(here);
    expect(await opens(here.jar, "/transfer", SEND)).toBe(true);
  });

  test.each([
    [5 * MINUTE, true],
    [5 * MINUTE + 1, false],
  ])("is good for %i ms: %s", async (after, expected) => {
    const here = await field();
    await confirmed(here);
    here.target.clock.advance(after);
    expect(await opens(here.jar, "/transfer", SEND)).toBe(expected);
  });

  test("is this login's: another of the same user cannot use it", async () => {
    const here = await field();
    const there = await full(here.target, "alice", here.phone);
    await confirmed(here);
    expect(await opens(there, "/transfer", SEND)).toBe(false);
    expect(await opens(here.jar, "/transfer", SEND)).toBe(true);
  });

  test("values that only look alike are different operations", async () => {
    const bind: NonNullable<Requirement["bind"]> = (req) => (req.body as { value: string }).value;
    const target = guardedApp({ "/transfer": { bind } });
    const factor = await enrolled(target, "alice");
    const here = { target, ...factor, jar: await full(target, "alice", factor.phone) };
    await confirmed(here, { value: [5, "bob"] });
    for (const value of ['[5,"bob"]', ["5", "bob"], [5, "bob", null]]) {
      expect(await opens(here.jar, "/transfer", { value })).toBe(false);
    }
    expect(await opens(here.jar, "/transfer", { value: [5, "bob"] })).toBe(true);
  });

  test("is shown to the user in a browser, escaped, and does not lie readable in the session", async () => {
    const { jar, target } = await field();
    const said = { amount: "<b>5</b>", to: "bob-the-recipient" };
    await jar.form("/transfer", said);
    expect((await jar.page("/2fa")).text).toContain("Send &lt;b&gt;5&lt;/b&gt; to bob-the-recipient");
    const sessions = await new Promise((resolve, reject) => {
      target.sessionStore.all!((error, all) => {
        if (error) reject(error instanceof Error ? error : new Error(String(error)));
        else resolve(all);
      });
    });
    expect(JSON.stringify(sessions)).not.toContain("bob-the-recipient");
  });

  test("is abandoned by whoever goes to the settings instead: the page no longer names it, nor narrows the ways", async () => {
    const { backupCodes: codes, jar: before, target } = await field();
    await before.post("/logout");
    const jar = await pending(target, "alice");
    await jar.form("/2fa/backup-code", { code: codes[0] });
    const fromSettings = () => jar.page("/2fa").set("Referer", "http://localhost:3000/2fa/settings");
    await jar.form("/transfer", SEND);
    expect((await jar.page("/2fa")).text).toContain("Send 5 to bob");
    expect((await fromSettings()).text).not.toContain("Send 5 to bob");
    await jar.page("/by-totp");
    expect((await jar.page("/2fa")).text).not.toContain("method=backup-code");
    expect((await fromSettings()).text).toContain("method=backup-code");
    const proved = await jar.form("/2fa/backup-code", { code: codes[1] });
    expect([proved.status, proved.headers.location]).toEqual([303, "/2fa/settings"]);
  });

  test("is not given by setting up one more factor meanwhile", async () => {
    const { jar } = await field();
    expect(await opens(jar, "/transfer", SEND)).toBe(false);
    expect((await enrollWith(jar, softwareAuthenticator())).status).toBe(201);
    expect(await opens(jar, "/transfer", SEND)).toBe(false);
  });

  test("raced thirty wide over two servers opens it exactly once", async () => {
    const { store, lost } = distantStore();
    const routes = routesFor(ROWS);
    const [first, second] = twoServers({ store, routes, options: { limits: NO_LIMITS } });
    const factor = await enrolled(first, "alice");
    const jar = await full(first, "alice", factor.phone);
    await confirmed({ target: first, ...factor, jar });
    const jars = Array.from({ length: 30 }, (_none, index) => {
      const copy = new Jar(index % 2 === 0 ? first : second);
      putCookie(copy, SESSION_COOKIE, cookies(jar)[SESSION_COOKIE]!);
      return copy;
    });
    const answers = await Promise.all(jars.map((each) => each.post("/transfer", SEND)));
    expect(answers.filter(({ text }) => text.includes(CANARY))).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(29);
    expect(lost()).toBeGreaterThan(0);
  });
});

describe("what nobody could ever satisfy is refused at start", () => {
  const noPasskeys: Partial<SecondFactorOptions<TestUser>> = { methods: [totp(), backupCodes()] };
  test.each<readonly [string, unknown, Partial<SecondFactorOptions<TestUser>>, RegExp]>([
    ["phishing resistance without passkeys", { phishingResistant: true }, noPasskeys, /nobody could ever pass/],
    ["a method that is not configured", { methods: ["passkey"] }, noPasskeys, /"passkey" is not among/],
    ["no method at all", { methods: [] }, {}, /nobody could ever pass/],
    ["TOTP that is phishing-resistant", { methods: ["totp"], phishingResistant: true }, {}, /nobody could ever pass/],
    ["a duration that is none", { maxAge: "soon" }, {}, /not a duration/],
    ["an age below zero", { maxAge: "-5m" }, {}, /not a duration/],
    ["an option that does not exist", { maxage: "5m" }, {}, /no option "maxage"/],
    ["a level there is not", { aal: 3 }, { methods: [totp(), passkeys()] }, /nobody could ever pass/],
  ])("%s", (_says, requirement, options, message) => {
    const { mfa } = testApp({ options });
    const act = (): unknown => mfa.require(requirement as Requirement);
    expect(act).toThrow(ConfigurationError);
    expect(act).toThrow(message);
  });
});
