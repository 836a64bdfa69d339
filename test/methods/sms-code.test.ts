import { beforeEach, describe, expect, test } from "@jest/globals";
import { ConfigurationError, passkeys, smsCode, type SmsCodeOptions, totp } from "express-second-factor";
import { guarded, testApp, type TestAppOptions } from "../support/app.js";
import { distantStore, HOUR, MINUTE } from "../support/attack.js";
import { Jar, pending } from "../support/browser.js";
import { ACTS_AND_HANGS, REJECTS } from "../support/faults.js";
import {
  addCodes,
  answered,
  codeApp,
  type CodeApp,
  codeMethods,
  CodeOutbox,
  KINDS,
  placeOf,
  sentTo,
  withCodes,
  wrongFor,
} from "../support/sent-codes.js";

const BASE = "/2fa/sms-code";
const NUMBER = KINDS["sms-code"].destinationOf("alice");
const HINT = "•••• 17";

/** Where the ceilings are, and everything else out of the way. */
function ceilingApp(ceilings: SmsCodeOptions["ceilings"], fromStore: Parameters<typeof codeApp>[0] = {}) {
  const outbox = new CodeOutbox();
  const wide = { limit: 1_000, window: "1h" } as const;
  const limits = {
    address: wide,
    smsSend: wide,
    smsDestination: wide,
    smsEnrollDestination: wide,
    smsCooldown: { limit: 1_000, window: "1s" },
  } as const;
  const methods = [smsCode({ send: outbox.send, countries: ["DE", "GB"], ...(ceilings && { ceilings }) }), totp()];
  return codeApp({ ...fromStore, options: { methods, limits } }, outbox);
}

function near({ events }: CodeApp) {
  return events.filter(({ action }) => action === "sms-ceiling-near").map(({ reason }) => reason);
}

describe("setting up codes by text message", () => {
  let target: CodeApp;
  let jar: Jar<CodeApp>;

  beforeEach(async () => {
    target = codeApp();
    jar = new Jar(target);
    await jar.login("alice");
  });

  test("texts a code to the number, in one message, and answers where it went, masked", async () => {
    const now = target.clock();
    const begun = await jar.post(`${BASE}/enroll`, { phone: "+49 (151) 234-560 17" });
    const expiresAt = new Date(now + 5 * MINUTE).toISOString();
    expect([begun.status, begun.body]).toEqual([
      202,
      { factorId: expect.any(String), hint: HINT, expiresAt, resendAt: new Date(now + MINUTE).toISOString() },
    ]);
    const { code } = target.outbox.last;
    expect(target.outbox.messages).toEqual([
      {
        to: NUMBER,
        code: expect.stringMatching(/^[0-9]{6}$/),
        text: `${code} is your code to add this number to your account at Acme. Never pass it on, whoever asks.\n@localhost #${code}`,
        purpose: "enroll",
        locale: "en",
        expiresAt,
      },
    ]);
    expect(await target.mfa.accounts.factors("u1")).toEqual([]);
  });

  test("is proved by that code: a factor of aal 2, amr sms, shown by its last digits", async () => {
    const { factorId } = (await jar.post(`${BASE}/enroll`, { phone: NUMBER })).body;
    const done = await jar.post(`${BASE}/enroll/confirm`, { factorId, code: target.outbox.last.code });
    expect(done.status).toBe(201);
    expect(done.body).toMatchObject({ factor: { type: "sms-code", label: "Text message", hint: HINT } });
    expect(done.body.backupCodes).toHaveLength(10);
    target.clock.advance(HOUR);
    const login = await pending(target, "alice");
    const answer = await login.post(BASE, { code: await sentTo(login, "sms-code") });
    expect(answer.body).toMatchObject({ status: "verified", amr: expect.arrayContaining(["sms"]) });
    const { code, text } = target.outbox.last;
    expect(text).toBe(
      `${code} is your code to sign in to Acme. Never pass it on, whoever asks: nobody from Acme ever will.\n@localhost #${code}`,
    );
  });

  test.each([
    ["a landline", "+49 30 12345678", "not-mobile"],
    ["a premium number", "+49 900 1234567", "not-mobile"],
    ["a toll-free number", "+49 800 1234567", "not-mobile"],
    ["a personal number", "+44 70 1234 5678", "not-mobile"],
    ["a satellite network", "+882 16 1234567", "not-mobile"],
    ["an extension", `${NUMBER} ext 5`, "not-mobile"],
    ["full-width digits", NUMBER.replace(/[0-9]/g, (each) => String.fromCharCode(0xff10 + Number(each))), "not-mobile"],
    ["the beginning of another", NUMBER.slice(0, -3), "not-mobile"],
    ["another and more", `${NUMBER}00`, "not-mobile"],
    ["a national number", "0151 23456017", "no-country-code"],
    ["a country that is not listed", "+33 6 12 34 56 78", "country-not-allowed"],
  ])("refuses %s with the reason, on the page too; nothing is sent or counted", async (_what, phone, reason) => {
    for (let times = 0; times < 4; times += 1) {
      const answer = await jar.post(`${BASE}/enroll`, { phone });
      expect([answer.status, answer.body.code, answer.body.reason]).toEqual([400, "invalid-request", reason]);
      expect(answer.text).not.toContain(phone.slice(-8));
    }
    const page = await jar.form(`${BASE}/enroll`, { phone });
    expect(page.status).toBe(400);
    const said = {
      "not-mobile": "We can text mobile numbers only",
      "no-country-code": "with its country code",
      "country-not-allowed": "cannot send texts to that country",
    };
    expect(page.text).toContain(said[reason as keyof typeof said]);
    expect(target.outbox.messages).toEqual([]);
    expect((await jar.post(`${BASE}/enroll`, { phone: NUMBER })).status).toBe(202);
  });

  test.each([[[NUMBER]], [{ phone: NUMBER }], [Number(NUMBER.slice(1))], [true], ["x".repeat(5_000)]])(
    "refuses what is no text, or too long: %j",
    async (phone) => {
      expect((await jar.post(`${BASE}/enroll`, { phone })).status).toBe(400);
      expect(target.outbox.messages).toEqual([]);
    },
  );

  test("takes the number that the application knows where none is given, and refuses it as any other", async () => {
    const phones: Record<string, string | undefined> = { u1: NUMBER, u2: "0151 23456027", u3: undefined };
    const known = codeApp({ options: { user: { phone: ({ id }) => phones[id] } } });
    const answers = [];
    for (const name of ["alice", "mallory", "carol"]) {
      const each = new Jar(known);
      await each.login(name);
      const { body, status } = await each.post(`${BASE}/enroll`);
      answers.push([status, body.hint ?? body.reason]);
    }
    expect(answers).toEqual([
      [202, HINT],
      [400, "no-country-code"],
      [400, "not-mobile"],
    ]);
    expect(known.outbox.messages.map(placeOf)).toEqual([NUMBER]);
  });

  test("says what SIM swapping is, and offers what is stronger before it", async () => {
    const outbox = new CodeOutbox();
    const [email, sms, app, codes] = codeMethods(outbox);
    for (const methods of [
      [email!, sms!, app!, codes!],
      [app!, sms!],
    ]) {
      const other = testApp({ options: { methods } });
      const visitor = new Jar(other);
      await visitor.login("carol");
      const { text } = await visitor.page("/2fa/settings");
      expect(text).toContain("SIM swapping");
      expect(text).toContain("Safer, and just as quick to set up: Authenticator app, above.");
      expect(text.indexOf("/2fa/totp/enroll")).toBeLessThan(text.indexOf("/2fa/sms-code/enroll"));
    }
  });

  test("is not there under the strict preset", async () => {
    const strict = testApp({ options: { methods: codeMethods(new CodeOutbox()), preset: "strict" } });
    const visitor = new Jar(strict);
    await visitor.login("alice");
    expect((await visitor.post(`${BASE}/enroll`, { phone: NUMBER })).status).toBe(404);
    expect((await visitor.post(`${BASE}/send`)).status).toBe(404);
  });
});

describe("what a code by text message is worth", () => {
  /** An application that asks for recent, for stronger and for particular proofs. */
  function askingApp(): CodeApp {
    const outbox = new CodeOutbox();
    const routes: TestAppOptions["routes"] = (app, mfa) => {
      app.get("/recent", mfa.require({ maxAge: "5m", aal: 2 }), guarded);
      app.get("/strong", mfa.require({ phishingResistant: true }), guarded);
      app.post("/pay", mfa.require({ bind: (req) => `Pay ${(req.body as { to: string }).to}` }), guarded);
    };
    return codeApp({ routes, options: { methods: [...codeMethods(outbox), passkeys()] } }, outbox);
  }

  test("opens routes that ask for a recent proof of level 2, and none that asks for what no fake site can use", async () => {
    const target = askingApp();
    await withCodes(target, "sms-code", "alice");
    const jar = await pending(target, "alice");
    expect(await answered(jar, "sms-code", await sentTo(jar, "sms-code"))).toBe(200);
    expect(await jar.isIn("/recent")).toBe(true);
    target.clock.advance(6 * MINUTE);
    const stale = await jar.get("/recent");
    expect([stale.status, stale.body.code]).toEqual([401, "step-up-required"]);
    expect(await answered(jar, "sms-code", await sentTo(jar, "sms-code"))).toBe(200);
    expect(await jar.isIn("/recent")).toBe(true);
    expect((await jar.get("/strong")).body.code).toBe("enrollment-required");
  });

  test("a code that was sent for one payment proves that one: no other, no login, and no settings", async () => {
    const target = askingApp();
    await withCodes(target, "sms-code", "alice");
    const jar = await pending(target, "alice");
    await answered(jar, "sms-code", await sentTo(jar, "sms-code"));
    target.clock.advance(MINUTE);
    const asked = async (to: string): Promise<string> => (await jar.post("/pay", { to })).body.operation.id;
    const [ann, bob] = [await asked("ann"), await asked("bob")];
    const code = await sentTo(jar, "sms-code", { operation: ann });
    expect(await answered(jar, "sms-code", code)).toBe(401);
    expect(await answered(jar, "sms-code", code, { operation: bob })).toBe(401);
    expect(await answered(jar, "sms-code", code, { operation: ann })).toBe(200);
    expect((await jar.post("/pay", { to: "bob" })).status).toBe(401);
    expect((await jar.post("/pay", { to: "ann" })).status).toBe(200);
    expect((await jar.post("/pay", { to: "ann" })).status).toBe(401);
  });

  test("changes settings where the account has nothing better, and nothing where it has", async () => {
    const target = codeApp();
    const factorId = await withCodes(target, "sms-code", "alice");
    const jar = await pending(target, "alice");
    await answered(jar, "sms-code", await sentTo(jar, "sms-code"));
    const rename = () => jar.post(`/2fa/factors/${factorId}/rename`, { label: "mine" });
    expect((await rename()).status).toBe(200);
    const { phone } = await jar.enroll();
    target.clock.advance(HOUR);
    const later = await pending(target, "alice");
    await answered(later, "sms-code", await sentTo(later, "sms-code"));
    const refused = await later.post(`/2fa/factors/${factorId}/remove`);
    expect([refused.status, refused.body.code]).toEqual([401, "step-up-required"]);
    expect((await later.verify(phone.code(target.clock()))).status).toBe(200);
    expect((await later.post(`/2fa/factors/${factorId}/remove`)).status).toBe(204);
  });

  test("finishes a login on a route of the application's own, by the strategy", async () => {
    const outbox = new CodeOutbox();
    const target = codeApp(
      {
        options: { exempt: ["/login", "/logout", "/otp"], methods: codeMethods(outbox) },
        routes(app, mfa, authenticator) {
          authenticator.use(mfa.strategy("sms-code"));
          app.post("/otp", authenticator.authenticate("sms-code"), guarded);
        },
      },
      outbox,
    );
    await withCodes(target, "sms-code", "alice");
    const jar = await pending(target, "alice");
    const code = await sentTo(jar, "sms-code");
    expect((await jar.post("/otp", { code: wrongFor(code) })).status).toBe(401);
    expect((await jar.post("/otp", { code })).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
    expect((await (await pending(target, "alice")).post("/otp", { code })).status).toBe(401);
  });
});

describe("changing the number", () => {
  test("puts the new one in the old one's place once it is proved, and not before", async () => {
    const target = codeApp();
    const old = await withCodes(target, "sms-code", "alice");
    const jar = await pending(target, "alice");
    await answered(jar, "sms-code", await sentTo(jar, "sms-code"));
    target.clock.advance(MINUTE);
    const next = KINDS["sms-code"].destinationOf("dave");
    const begun = await jar.post(`${BASE}/enroll`, { phone: next, replaces: old });
    expect((await target.mfa.accounts.factors("u1")).map(({ id }) => id)).toEqual([old]);
    const { factorId } = begun.body as { factorId: string };
    await jar.post(`${BASE}/enroll/confirm`, { factorId, code: target.outbox.last.code });
    expect(await target.mfa.accounts.factors("u1")).toMatchObject([{ id: factorId, hint: "•••• 47" }]);
    expect((await jar.post(`${BASE}/enroll`, { phone: NUMBER, replaces: old })).status).toBe(404);
  });
});

describe("what the texts of all accounts may come to", () => {
  test("ends at the ceiling of a country, exactly, and is told at four fifths, once", async () => {
    const target = ceilingApp({ country: 10, day: 1_000 }, { store: distantStore().store });
    const jar = new Jar(target);
    await jar.login("alice");
    await addCodes(jar, "sms-code", NUMBER);
    await jar.post("/logout");
    target.clock.advance(HOUR);
    target.events.splice(0);
    target.outbox.taken();
    const logins = await Promise.all(Array.from({ length: 30 }, () => pending(target, "alice")));
    const answers = await Promise.all(logins.map((login) => login.post(`${BASE}/send`)));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(10);
    expect(target.outbox.messages).toHaveLength(10);
    const refused = answers.filter(({ status }) => status === 429);
    expect(new Set(refused.map(({ headers }) => headers["retry-after"]))).toEqual(new Set(["3600"]));
    expect(near(target)).toEqual(["country:DE"]);
  });

  test("is counted for each country apart, and begins anew with the hour", async () => {
    const target = ceilingApp({ country: 2, day: 1_000 });
    const jar = new Jar(target);
    await jar.login("alice");
    const begin = (phone: string) => jar.post(`${BASE}/enroll`, { phone });
    const statuses: number[] = [];
    for (const phone of [NUMBER, "+4915123456027", "+4915123456037", "+447400123456"]) {
      target.clock.advance(MINUTE);
      statuses.push((await begin(phone)).status);
    }
    expect(statuses).toEqual([202, 202, 429, 202]);
    target.clock.advance(HOUR);
    await jar.login("alice");
    expect((await begin("+4915123456037")).status).toBe(202);
  });

  test("ends at the ceiling of a day, whatever the country", async () => {
    const target = ceilingApp({ country: 100, day: 5 });
    await withCodes(target, "sms-code", "alice");
    const statuses: number[] = [];
    for (let times = 0; times < 6; times += 1) {
      const jar = await pending(target, "alice");
      statuses.push((await jar.post(`${BASE}/send`)).status);
      target.clock.advance(HOUR);
    }
    expect(statuses).toEqual([202, 202, 202, 202, 429, 429]);
    expect(near(target)).toEqual(["day"]);
    target.clock.advance(24 * HOUR);
    expect((await (await pending(target, "alice")).post(`${BASE}/send`)).status).toBe(202);
  });

  test("counts what may have been delivered, and gives back what was not", async () => {
    const target = ceilingApp({ country: 3, day: 1_000 });
    const jar = new Jar(target);
    await jar.login("alice");
    await addCodes(jar, "sms-code", NUMBER);
    const ask = async () => (await (await pending(target, "alice")).post(`${BASE}/send`)).status;
    target.outbox.fault = REJECTS;
    for (let times = 0; times < 5; times += 1) expect(await ask()).toBe(503);
    target.outbox.fault = undefined;
    expect([await ask(), await ask(), await ask()]).toEqual([202, 202, 429]);
  });
});

describe("a number whose country is taken off the list", () => {
  test("is sent nothing any more: 400 with the reason, and nothing counted", async () => {
    const store = distantStore().store;
    const before = codeApp({ store });
    await withCodes(before, "sms-code", "alice");
    const outbox = new CodeOutbox();
    const methods = [smsCode({ send: outbox.send, countries: ["GB"] }), totp()];
    const target = codeApp({ store, clock: before.clock, options: { methods } }, outbox);
    const jar = await pending(target, "alice");
    for (let times = 0; times < 5; times += 1) {
      const answer = await jar.post(`${BASE}/send`);
      expect([answer.status, answer.body.reason]).toEqual([400, "country-not-allowed"]);
    }
    expect(outbox.messages).toEqual([]);
  });
});

describe("a number the application has verified itself", () => {
  const verifiedAt = new Date("2026-01-01T00:00:00Z");

  test("is a factor by enrollPhone, in E.164 however it was written", async () => {
    const target = codeApp();
    const { mfa } = target;
    const { id: factorId } = await mfa.accounts.enrollPhone("u1", {
      phone: "+49 151 234 560 17",
      verifiedAt,
      actor: "import",
    });
    expect(await mfa.accounts.factors("u1")).toMatchObject([{ id: factorId, type: "sms-code", hint: HINT }]);
    const jar = await pending(target, "alice");
    const code = await sentTo(jar, "sms-code");
    expect(target.outbox.messages.map(placeOf)).toEqual([NUMBER]);
    expect(await answered(jar, "sms-code", code)).toBe(200);
  });

  test.each([
    ["a landline", { phone: "+49 30 12345678", verifiedAt }],
    ["a national number", { phone: "0151 23456017", verifiedAt }],
    ["a country that is not listed", { phone: "+33612345678", verifiedAt }],
    ["no number", { phone: "", verifiedAt }],
    ["one that was never verified", { phone: NUMBER, verifiedAt: undefined as never }],
    ["one that will be verified", { phone: NUMBER, verifiedAt: new Date("2100-01-01") }],
    ["one verified at no time", { phone: NUMBER, verifiedAt: "yes" }],
  ])("is refused where it is %s", async (_what, given) => {
    const { accounts } = codeApp().mfa;
    const thrown = await accounts.enrollPhone("u1", { ...given, actor: "import" }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(thrown).toBeInstanceOf(TypeError);
    if (given.phone !== "") expect(String(thrown)).not.toContain(given.phone);
    expect(await accounts.factors("u1")).toEqual([]);
  });
});

describe("the options of smsCode", () => {
  const send = async (): Promise<void> => undefined;

  test.each([
    ["nothing", {}, ["send: required", "countries: list the countries"]],
    ["every country", { send, countries: "all" }, ["countries: list the countries"]],
    ["a country in small letters", { send, countries: ["de"] }, ['countries: "de" is written "DE"']],
    ["a time that is none", { send, countries: ["DE"], timeout: "soon" }, ["timeout"]],
    [
      "ceilings that are none",
      { send, countries: ["DE"], ceilings: { country: 0, day: "x" } },
      ["ceilings.country", "ceilings.day"],
    ],
    ["a ceiling of another name", { send, countries: ["DE"], ceilings: { week: 1 } }, ["ceilings: week"]],
    ["another name", { send, countries: ["DE"], counries: "DE" }, ['did you mean "countries"?']],
    ["no options", undefined, ["send: required", "countries: list the countries"]],
    ["a list", [], ["options are an object"]],
  ])("are refused together where they are %s, each with its mend", (_what, options, parts) => {
    try {
      smsCode(options as never);
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigurationError);
      const { problems } = error as ConfigurationError;
      for (const part of parts) expect(problems).toContainEqual(expect.stringContaining(part));
      expect(problems.every((each) => each.startsWith("smsCode: "))).toBe(true);
      return;
    }
    throw new Error("They were taken");
  });

  test("wait for a sender as long as they say, and not longer", async () => {
    const outbox = new CodeOutbox();
    const methods = [smsCode({ send: outbox.send, countries: ["DE"], timeout: "1s" }), totp()];
    const target = codeApp({ options: { methods } }, outbox);
    const jar = new Jar(target);
    await jar.login("alice");
    outbox.fault = ACTS_AND_HANGS;
    const answer = await jar.post(`${BASE}/enroll`, { phone: NUMBER });
    expect([answer.status, answer.body.code]).toEqual([503, "delivery-failed"]);
    // It may have been delivered, and it was: the code is good.
    const { code } = outbox.last;
    outbox.fault = undefined;
    const again = await jar.post(`${BASE}/enroll`, { phone: NUMBER });
    expect([again.status, outbox.last.code]).toEqual([202, code]);
  });
});
