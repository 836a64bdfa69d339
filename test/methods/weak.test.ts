// What a kind of factor says of itself, that it opens no route (`stepsUp`) or is restricted (`isRestricted`), holds everywhere. Of a
// method from outside, through the public API alone.
import { describe, expect, test } from "@jest/globals";
import { backupCodes, ConfigurationError, passkeys } from "express-second-factor";
import { authenticatorApp, softwareAuthenticator } from "express-second-factor/testing";
import { creationOptions } from "../passkeys/stage.js";
import { bindTransfer, guardedApp, opens, type Requirement, SEND } from "../step-up/stage.js";
import { CANARY, type TestApp, testApp } from "../support/app.js";
import { DAY, deviceCookie, HOUR, MINUTE, storedFactors } from "../support/attack.js";
import { type Enrolled, enrolled, full, Jar, pending } from "../support/browser.js";
import { addThenReport } from "../support/reports.js";
import { visibleText } from "../support/text.js";
import { addWeak, give, inBy, LINE, MAILBOX, next, typesIn, weakApp, weakMethods } from "./weak.js";

const ROWS = {
  "/proved": {},
  "/fresh": { maxAge: "5m" },
  "/aal2": { aal: 2 },
  "/strong": { phishingResistant: true },
  "/by-backup": { methods: ["backup-code"] },
  "/transfer": { bind: bindTransfer },
} satisfies Record<string, Requirement>;
const ROUTES = Object.keys(ROWS);

function routedApp(): TestApp {
  return guardedApp(ROWS, {
    options: { methods: weakMethods() },
    routes: (app) => void app.get("/shown", (req, res) => void res.json(req.secondFactor)),
  });
}

/** Somebody who has this alone, and the backup codes that came with it. */
async function withOnly(target: TestApp, type: string) {
  const jar = await pending(target, "alice");
  return { jar, ...(await addWeak(jar, type)) };
}

/** Somebody who has an authenticator app, and this beside it. */
async function withBoth(target: TestApp, type: string): Promise<Enrolled & { readonly weakId: string }> {
  const app = await enrolled(target, "alice");
  const { factorId: weakId } = await addWeak(await full(target, "alice", app.phone), type);
  return { ...app, weakId };
}

async function tryAt(jar: Jar, path: string) {
  return path === "/transfer" ? jar.post(path, SEND) : jar.get(path);
}

describe("a kind that opens no route", () => {
  test("finishes a login at level 1, and does not call it one of many factors", async () => {
    const target = routedApp();
    await withBoth(target, MAILBOX);
    const jar = await pending(target, "alice");
    const answer = await give(jar, MAILBOX);
    expect([answer.status, answer.body.status]).toEqual([200, "verified"]);
    expect((await jar.get("/shown")).body).toMatchObject({
      status: "verified",
      aal: 1,
      amr: ["email"],
      phishingResistant: false,
      enrolled: true,
    });
    expect(await jar.isIn()).toBe(true);
  });

  test("takes nothing from what else the login shows", async () => {
    const target = routedApp();
    const { phone } = await withBoth(target, MAILBOX);
    const jar = await inBy(target, MAILBOX);
    expect((await jar.verify(phone.code(target.clock()))).body.amr).toEqual(["email", "otp", "mfa"]);
    expect((await jar.get("/shown")).body.aal).toBe(2);
    expect([await opens(jar, "/proved"), await opens(jar, "/aal2")]).toEqual([true, true]);
  });

  test("is not named by the refusal of a route, which says what else there is", async () => {
    const target = routedApp();
    await withBoth(target, MAILBOX);
    const jar = await inBy(target, MAILBOX);
    for (const path of ["/proved", "/fresh", "/aal2", "/transfer"]) {
      const answer = await tryAt(jar, path);
      expect([path, answer.status, answer.body.code]).toEqual([path, 401, "step-up-required"]);
      expect(typesIn(answer)).toEqual(["totp", "backup-code"]);
    }
    expect(typesIn(await jar.get("/by-backup"))).toEqual(["backup-code"]);
  });

  test("is not on the page that a route leads to, nor on that of an operation", async () => {
    const target = routedApp();
    await withBoth(target, MAILBOX);
    const jar = await inBy(target, MAILBOX);
    await jar.page("/proved");
    const { operation } = (await tryAt(jar, "/transfer")).body;
    for (const query of [
      "",
      `?method=${MAILBOX}`,
      `?operation=${operation.id}`,
      `?operation=${operation.id}&method=mailbox`,
    ]) {
      const page = await jar.page(`/2fa${query}`);
      expect([page.status, page.text.includes('action="/2fa/totp"'), page.text.includes(MAILBOX)]).toEqual([
        200,
        true,
        false,
      ]);
    }
    expect(typesIn(await jar.get(`/2fa?operation=${operation.id}`))).toEqual(["totp", "backup-code"]);
  });

  test.each(ROUTES)("is not enough at %s for whoever has nothing else: 403, something must be set up", async (path) => {
    const target = routedApp();
    await withOnly(target, MAILBOX);
    const jar = await inBy(target, MAILBOX);
    const answer = await tryAt(jar, path);
    if (path === "/by-backup") {
      // The route itself asks for them.
      expect([answer.status, typesIn(answer)]).toEqual([401, ["backup-code"]]);
      return;
    }
    expect([answer.status, answer.body.code, answer.body.location]).toEqual([
      403,
      "enrollment-required",
      "/2fa/settings",
    ]);
    expect(answer.body).not.toHaveProperty("operation");
    const page = path === "/transfer" ? await jar.form(path, SEND) : await jar.page(path);
    expect([page.status, page.headers.location]).toEqual([303, "/2fa/settings"]);
  });

  test("where nothing but backup codes could open the route, asks for these while there are some", async () => {
    const methods = weakMethods().filter(({ type }) => type === MAILBOX || type === "backup-code");
    const target = guardedApp({ "/proved": {} }, { options: { methods } });
    const { backupCodes: codes = [] } = await withOnly(target, MAILBOX);
    const jar = await inBy(target, MAILBOX);
    expect(typesIn(await jar.get("/proved"))).toEqual(["backup-code"]);
    expect((await jar.post("/2fa/backup-code", { code: codes[0] })).status).toBe(200);
    expect(await opens(jar, "/proved")).toBe(true);
    for (const code of codes.slice(1)) {
      target.clock.advance(HOUR);
      await jar.post("/2fa/backup-code", { code });
    }
    expect((await (await inBy(target, MAILBOX)).get("/proved")).body.code).toBe("enrollment-required");
  });

  test("on the pages leads to the settings, which say why, once, and from what is set up there to the route", async () => {
    const target = routedApp();
    await withOnly(target, MAILBOX);
    const jar = await inBy(target, MAILBOX);
    expect((await jar.page("/proved?page=2")).headers.location).toBe("/2fa/settings");
    const told = "needs a second step that you do not have yet";
    expect(visibleText((await jar.page("/2fa/settings")).text)).toContain(told);
    expect(visibleText((await jar.page("/2fa/settings")).text)).not.toContain(told);
    const { factorId, uri } = (await jar.post("/2fa/totp/enroll")).body;
    const code = authenticatorApp(uri).code(target.clock());
    const done = await jar.form("/2fa/totp/enroll/confirm", { factorId, code });
    expect([done.status, done.headers.location]).toEqual([303, "/proved?page=2"]);
    expect(await opens(jar, "/proved")).toBe(true);
  });

  test("and what is set up then opens it, in the same login", async () => {
    const target = routedApp();
    await withOnly(target, MAILBOX);
    const jar = await inBy(target, MAILBOX);
    expect((await jar.get("/proved")).body.code).toBe("enrollment-required");
    await jar.enroll();
    expect([await opens(jar, "/proved"), await opens(jar, "/aal2"), await opens(jar, "/strong")]).toEqual([
      true,
      true,
      false,
    ]);
    // Now there is something to ask for, if not for this route.
    expect((await jar.get("/strong")).body).toMatchObject({ code: "step-up-required", methods: [] });
  });

  test("is told, and stops nobody, where nothing is enforced yet", async () => {
    const target = guardedApp(ROWS, { options: { methods: weakMethods(), enforce: "report" } });
    await withOnly(target, MAILBOX);
    const jar = await inBy(target, MAILBOX);
    expect(await opens(jar, "/proved")).toBe(true);
    expect(target.events.map(({ action }) => action)).toContain("would-block");
  });

  test("is taken for no operation: 400 to a proof and to a message, and the proof is still good", async () => {
    const target = routedApp();
    await withBoth(target, MAILBOX);
    const jar = await inBy(target, MAILBOX);
    const { id } = (await tryAt(jar, "/transfer")).body.operation as { id: string };
    const code = next();
    const before = target.events.length;
    for (const operation of [id, "unknown"]) {
      const proof = await jar.post(`/2fa/${MAILBOX}`, { code, operation });
      const message = await jar.post(`/2fa/${MAILBOX}/send`, { operation });
      expect([proof.status, proof.body.code, message.status, message.body.code]).toEqual([
        400,
        "invalid-request",
        400,
        "invalid-request",
      ]);
    }
    expect(target.events.slice(before)).toEqual([]);
    expect((await tryAt(jar, "/transfer")).text).not.toContain(CANARY);
    expect((await jar.post(`/2fa/${MAILBOX}`, { code })).status).toBe(200);
  });

  test("opens no operation by renewing the login either", async () => {
    const target = routedApp();
    await withBoth(target, MAILBOX);
    const jar = await inBy(target, MAILBOX);
    await tryAt(jar, "/transfer");
    expect((await give(jar, MAILBOX)).status).toBe(200);
    expect((await tryAt(jar, "/transfer")).status).toBe(401);
  });

  test.each([
    ["alone", [MAILBOX], /methods: a proof by "mailbox" shows too little to open a route; leave it out/],
    [
      "beside others",
      ["totp", MAILBOX],
      /methods: a proof by "mailbox" shows too little to open a route; leave it out/,
    ],
  ])("cannot be named by a route, %s: the application does not start", (_how, methods, message) => {
    const { mfa } = weakApp();
    expect(() => mfa.require({ methods })).toThrow(ConfigurationError);
    expect(() => mfa.require({ methods })).toThrow(message);
  });

  test("as the only method leaves no route that anybody could pass: the application does not start", () => {
    const [mailbox] = weakMethods();
    const { mfa } = testApp({ options: { methods: [mailbox!] } });
    expect(() => mfa.require()).toThrow(/no configured method can satisfy this/);
  });

  test("may have its browser trusted, which opens logins and no more than that", async () => {
    const target = routedApp();
    await withOnly(target, MAILBOX);
    const jar = await pending(target, "alice");
    expect((await give(jar, MAILBOX, { trustDevice: true })).status).toBe(200);
    expect(deviceCookie(jar)).toBeDefined();
    await jar.post("/logout");
    await jar.login("alice");
    expect((await jar.get("/shown")).body).toMatchObject({ status: "trusted-device", aal: 1, amr: [] });
    expect((await jar.get("/proved")).status).toBe(403);
    expect((await jar.post("/2fa/totp/enroll")).body.code).toBe("step-up-required");
  });
});

/** Everything that changes an account, as its owner does it. */
const CHANGES: readonly (readonly [
  what: string,
  change: (jar: Jar, here: { factorId: string; weakId: string }) => unknown,
])[] = [
  ["adding an app", (jar) => jar.post("/2fa/totp/enroll")],
  ["adding a passkey", (jar) => jar.post("/2fa/passkey/enroll/options")],
  ["adding one of its own kind", (jar) => jar.post(`/2fa/${MAILBOX}/enroll`)],
  ["renaming", (jar, { factorId }) => jar.post(`/2fa/factors/${factorId}/rename`, { label: "Mine" })],
  ["removing the other", (jar, { factorId }) => jar.post(`/2fa/factors/${factorId}/remove`)],
  ["removing itself", (jar, { weakId }) => jar.post(`/2fa/factors/${weakId}/remove`)],
  [
    "finding a clock again",
    (jar, { factorId }) => jar.post("/2fa/totp/resync", { factorId, codes: ["123456", "654321"] }),
  ],
  ["switching off", (jar) => jar.post("/2fa/disable")],
  ["new backup codes", (jar) => jar.post("/2fa/backup-codes")],
  ["what is asked first", (jar) => jar.post("/2fa/preferred", { type: MAILBOX })],
  ["ending other sessions", (jar) => jar.post("/2fa/sessions/revoke-others")],
  ["distrusting browsers", (jar) => jar.post("/2fa/devices/revoke-all")],
];

describe.each([MAILBOX, LINE])("a restricted kind (%s) beside an app", (type) => {
  test("opens the settings to be read, and changes nothing in them", async () => {
    const target = weakApp();
    const here = await withBoth(target, type);
    const jar = await inBy(target, type);
    expect((await jar.get("/2fa/settings")).body.factors).toHaveLength(2);
    const before = await storedFactors(target, "alice");
    for (const [what, change] of CHANGES) {
      const answer = (await change(jar, here)) as Awaited<ReturnType<Jar["get"]>>;
      expect([what, answer.status, answer.body.code]).toEqual([what, 401, "step-up-required"]);
      expect([what, typesIn(answer), answer.body.location]).toEqual([what, ["totp", "backup-code"], "/2fa"]);
    }
    expect(await storedFactors(target, "alice")).toEqual(before);
  });

  test("does not renew what the app has shown, and the app does", async () => {
    const target = weakApp();
    const { phone } = await withBoth(target, type);
    const jar = await full(target, "alice", phone);
    target.clock.advance(16 * MINUTE);
    expect((await give(jar, type)).status).toBe(200);
    expect((await jar.post("/2fa/preferred", { type })).status).toBe(401);
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
    expect((await jar.post("/2fa/preferred", { type })).status).toBe(204);
  });

  test("is not offered on the page that asks for the change, whatever its links say", async () => {
    const target = weakApp();
    const { factorId } = await withBoth(target, type);
    const jar = await inBy(target, type);
    const refused = await jar.form(`/2fa/factors/${factorId}/remove`);
    expect(refused.status).toBe(401);
    for (const { text } of [refused, await jar.page("/2fa"), await jar.page(`/2fa?method=${type}`)]) {
      expect(text).toContain('action="/2fa/totp"');
      expect(text).not.toContain(`/2fa/${type}"`);
      expect(text).not.toContain(`method=${type}`);
    }
  });

  test.each([
    ["and the owner has no backup code", false],
    ["and a backup code removes it", true],
  ])(
    "still does not where the app was suspended by a report, %s: no page leads round in a circle",
    async (_what, hasCodes) => {
      const methods = weakMethods().filter((method) => hasCodes || method.type !== "backup-code");
      const target = weakApp({ options: { methods } });
      const { jar, backupCodes: codes } = await withOnly(target, type);
      const { factorId } = await addThenReport(jar);
      target.clock.advance(DAY + MINUTE);
      const owner = await inBy(target, type);
      const { text } = await owner.page("/2fa/settings");
      expect([
        text.includes("what you signed in with changes nothing here"),
        text.includes('confirm=settings">Confirm that'),
      ]).toEqual([!hasCodes, hasCodes]);
      const refused = await owner.form(`/2fa/factors/${factorId}/resume`);
      expect([refused.status, refused.text.includes("This cannot be changed right now")]).toEqual([401, true]);
      expect(refused.text).not.toContain("/2fa/sign-in-again");
      if (hasCodes) await owner.post("/2fa/backup-code", { code: codes?.[0] });
      const removing = await owner.post(`/2fa/factors/${factorId}/remove`);
      expect(removing.status).toBe(hasCodes ? 204 : 401);
    },
  );

  test("still does not where the app has been closed by wrong codes", async () => {
    const target = weakApp({
      options: { limits: { totp: { limit: 100, window: "1m" }, allCodes: { limit: 100, window: "1m" } } },
    });
    const { factorId, phone } = await withBoth(target, type);
    const jar = await inBy(target, type);
    const guesser = await pending(target, "alice");
    for (let count = 0; count < 50; count += 1) await guesser.verify("000000");
    expect((await target.mfa.accounts.status("u1")).disabled).toEqual([factorId]);
    expect((await jar.post("/2fa/passkey/enroll/options")).body.code).toBe("step-up-required");
    // Nor does it offer to open the app again, which the app itself does.
    expect((await jar.form(`/2fa/${type}`, { code: next() })).headers.location).not.toContain("reopen");
    target.clock.advance(MINUTE);
    const byApp = await jar.form("/2fa/totp", { code: phone.code(target.clock()) });
    expect(byApp.headers.location).toBe("/2fa/reopen");
  });

  test("with a backup code beside it is worth that code: no new codes, and what is set up is worth no more", async () => {
    const target = weakApp();
    const { backupCodes: codes } = await withBoth(target, type);
    const jar = await inBy(target, type);
    expect((await jar.post("/2fa/backup-code", { code: codes[0] })).status).toBe(200);
    expect((await jar.post("/2fa/backup-codes")).body).toMatchObject({
      code: "step-up-required",
      except: "backup-code",
    });
    const { phone } = await jar.enroll();
    target.clock.advance(MINUTE);
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
    expect((await jar.post("/2fa/backup-codes")).status).toBe(401);
  });

  test("does not lead to the offer of a passkey, which it could not add", async () => {
    const target = weakApp({
      options: { methods: [...weakMethods().filter((each) => each.type !== "passkey"), passkeys({ offer: true })] },
    });
    await withBoth(target, type);
    const jar = await pending(target, "alice");
    expect((await jar.form(`/2fa/${type}`, { code: next() })).headers.location).not.toContain("offer");
    expect((await jar.get("/2fa/passkey/offer")).body.offered).toBe(false);
  });

  test("is asked for after it, whichever was used last, unless its owner wants it first", async () => {
    const target = weakApp();
    const { phone } = await withBoth(target, type);
    await inBy(target, type);
    expect((await (await pending(target, "alice")).get("/2fa")).body.preferred).toBe("totp");
    expect((await (await full(target, "alice", phone)).post("/2fa/preferred", { type })).status).toBe(204);
    expect((await (await pending(target, "alice")).get("/2fa")).body.preferred).toBe(type);
  });

  test("changes the settings again once nothing else is left, by a fresh proof", async () => {
    const target = weakApp();
    const { factorId, phone } = await withBoth(target, type);
    const owner = await full(target, "alice", phone);
    expect((await owner.post(`/2fa/factors/${factorId}/remove`)).status).toBe(204);
    expect(typesIn(await owner.post("/2fa/totp/enroll"))).toEqual([type, "backup-code"]);
    expect((await give(owner, type)).status).toBe(200);
    expect((await owner.post("/2fa/totp/enroll")).status).toBe(201);
    const later = await inBy(target, type);
    expect((await later.post("/2fa/backup-codes")).status).toBe(201);
  });

  test("does so too where the other method is not configured any more", async () => {
    const target = weakApp();
    await withBoth(target, type);
    const methods = weakMethods().filter((each) => each.type === type || each.type === "backup-code");
    const { clock, store } = target;
    const jar = await inBy(weakApp({ clock, store, options: { methods } }), type);
    expect((await jar.post(`/2fa/${type}/enroll`)).status).toBe(202);
  });
});

describe.each([MAILBOX, LINE])("a restricted kind (%s) that is all there is", (type) => {
  test("brings backup codes as any first factor does", async () => {
    const { backupCodes: codes } = await withOnly(weakApp(), type);
    expect(codes).toHaveLength(10);
  });

  test("changes the settings by a fresh proof, and by none that is not", async () => {
    const target = weakApp();
    const { factorId } = await withOnly(target, type);
    const jar = await inBy(target, type);
    for (const [path, body, status] of [
      ["/2fa/preferred", { type }, 204],
      ["/2fa/backup-codes", {}, 201],
      ["/2fa/passkey/enroll/options", {}, 200],
      [`/2fa/factors/${factorId}/rename`, { label: "Mine" }, 200],
    ] as const)
      expect([path, (await jar.post(path, body)).status]).toEqual([path, status]);
    target.clock.advance(16 * MINUTE);
    const stale = await jar.post("/2fa/totp/enroll");
    expect([stale.status, stale.body.maxAge, typesIn(stale)]).toEqual([401, 900, [type, "backup-code"]]);
    const page = await jar.form("/2fa/totp/enroll");
    expect([page.status, page.text.includes(`action="/2fa/${type}"`)]).toEqual([401, true]);
    expect((await give(jar, type)).status).toBe(200);
    expect((await jar.post("/2fa/totp/enroll")).status).toBe(201);
  });

  test("can be removed within five minutes of it, with everything that came with it", async () => {
    const target = weakApp();
    const { factorId } = await withOnly(target, type);
    const jar = await inBy(target, type);
    target.clock.advance(6 * MINUTE);
    expect((await jar.post(`/2fa/factors/${factorId}/remove`)).status).toBe(401);
    expect((await give(jar, type)).status).toBe(200);
    expect((await jar.post(`/2fa/factors/${factorId}/remove`)).status).toBe(204);
    expect(await target.mfa.accounts.status("u1")).toMatchObject({ enrolled: false, backupCodesRemaining: 0 });
  });

  test("changes nothing more from the moment on that something better is set up", async () => {
    const target = weakApp();
    await withOnly(target, type);
    const jar = await inBy(target, type);
    await jar.enroll();
    await jar.post("/logout");
    const later = await inBy(target, type);
    expect((await later.post("/2fa/backup-codes")).body.code).toBe("step-up-required");
  });

  test("cannot be gained on by what was begun before something better was set up", async () => {
    const target = weakApp();
    await withOnly(target, type);
    const jar = await inBy(target, type);
    const device = softwareAuthenticator();
    const credential = device.create(await creationOptions(jar));
    await jar.enroll();
    target.clock.advance(16 * MINUTE);
    await give(jar, type);
    expect((await jar.post("/2fa/passkey/enroll", { credential })).body.code).toBe("step-up-required");
  });

  test("leads to the offer of a passkey, which it can add", async () => {
    const target = weakApp({
      options: { methods: [...weakMethods().filter((each) => each.type !== "passkey"), passkeys({ offer: true })] },
    });
    await withOnly(target, type);
    const jar = await pending(target, "alice");
    expect((await jar.form(`/2fa/${type}`, { code: next() })).headers.location).toBe("/2fa/passkey/offer");
  });
});

describe("a restricted kind at level 2", () => {
  test("opens routes by its age and for one operation, and none that wants a passkey", async () => {
    const target = routedApp();
    await withBoth(target, LINE);
    const jar = await inBy(target, LINE);
    for (const path of ["/proved", "/fresh", "/aal2"]) expect([path, await opens(jar, path)]).toEqual([path, true]);
    expect(await opens(jar, "/strong")).toBe(false);
    target.clock.advance(HOUR);
    expect(typesIn(await jar.get("/fresh"))).toEqual(["totp", LINE, "backup-code"]);
    const { operation } = (await tryAt(jar, "/transfer")).body;
    expect((await give(jar, LINE, { operation: operation.id })).status).toBe(200);
    expect((await tryAt(jar, "/transfer")).text).toContain(CANARY);
  });

  test("is on the page that a route leads to", async () => {
    const target = routedApp();
    await withBoth(target, LINE);
    const jar = await inBy(target, LINE);
    target.clock.advance(HOUR);
    await jar.page("/fresh");
    expect((await jar.page(`/2fa?method=${LINE}`)).text).toContain(`action="/2fa/${LINE}"`);
  });

  test("alone, at a route that wants more than it can ever show: 403, something must be set up", async () => {
    const target = routedApp();
    await withOnly(target, LINE);
    const jar = await inBy(target, LINE);
    expect(await opens(jar, "/proved")).toBe(true);
    const answer = await jar.get("/strong");
    expect([answer.status, answer.body.code]).toEqual([403, "enrollment-required"]);
  });

  test("comes before one at level 1", async () => {
    const target = weakApp();
    await withOnly(target, MAILBOX);
    const jar = await inBy(target, MAILBOX);
    await addWeak(jar, LINE);
    target.clock.advance(MINUTE);
    await inBy(target, MAILBOX);
    expect(typesIn(await (await pending(target, "alice")).get("/2fa"))).toEqual([LINE, MAILBOX, "backup-code"]);
  });
});

test("where something must be set up, the restricted kinds are offered last", async () => {
  const target = weakApp({ options: { policy: "required" } });
  const { enrollable } = (await (await pending(target, "alice")).get("/2fa")).body;
  expect(enrollable).toEqual(["passkey", "totp", LINE, MAILBOX]);
});

test("a policy that demands a factor is content with a restricted one, and keeps it", async () => {
  const target = weakApp({ options: { policy: "required", methods: [weakMethods()[0]!, backupCodes()] } });
  const jar = await pending(target, "alice");
  expect((await jar.get("/2fa")).body).toMatchObject({ status: "must-enroll", enrollable: [MAILBOX] });
  const { factorId } = await addWeak(jar, MAILBOX);
  expect(await jar.isIn()).toBe(true);
  for (const path of [`/2fa/factors/${factorId}/remove`, "/2fa/disable"]) {
    expect((await jar.post(path)).body.code).toBe("last-factor");
  }
});
