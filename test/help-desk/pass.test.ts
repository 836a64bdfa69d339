import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "@jest/globals";
import { authenticatorApp } from "express-second-factor/testing";
import { CANARY, passwordOf } from "../support/app.js";
import { DAY, HOUR, MINUTE, storedAccount, told } from "../support/attack.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { submit, toldOn } from "../support/pages.js";
import { reported } from "../support/reports.js";
import { CHANGES, DESK, desk, deskApp, give, passed, type, typed, undone } from "./stage.js";

const SHAPE = /^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$/;

describe("a temporary pass", () => {
  test("is given out once in clear, for an hour and one use, and its owner is told who did", async () => {
    const { notices, target } = await desk();
    const pass = await give(target);
    expect(pass).toEqual({
      code: expect.stringMatching(SHAPE),
      expiresAt: new Date(target.clock() + HOUR).toISOString(),
    });
    const event = target.events.at(-1);
    expect(event).toMatchObject({ action: "temporary-pass-issued", userId: "u1", ...DESK });
    await nextTurn();
    const notice = notices.at(-1);
    expect([notice?.kind, notice?.details.actor]).toEqual(["temporary-pass-issued", DESK.actor]);
    const everything = [await storedAccount(target, "alice"), JSON.stringify([target.events, notices])].join();
    expect(everything).not.toContain(pass.code);
    expect(everything).not.toContain(pass.code.replaceAll("-", ""));
  });

  test("completes a login, worth no more than a password, and leads to setting something up", async () => {
    const { notices, target } = await desk();
    const { code } = await give(target);
    const { answer, jar } = await typed(target, code);
    expect(answer.body).toEqual({ status: "verified", redirectTo: "/2fa/settings", amr: ["temporary-pass"] });
    expect(await jar.isIn()).toBe(true);
    expect(told("temporary-pass-used", target)).toBe(1);
    await nextTurn();
    expect(notices.map(({ kind }) => kind)).toContain("temporary-pass-used");
  });

  test("shows in the session as what it is: verified, level 1, not phishing-resistant", async () => {
    const { target } = await desk();
    target.app.get("/me", (req, res) => {
      const { aal, amr, phishingResistant, status } = req.secondFactor;
      res.json({ aal, amr, phishingResistant, status });
    });
    const jar = await passed(target);
    const me = { aal: 1, amr: ["temporary-pass"], phishingResistant: false, status: "verified" };
    expect((await jar.get("/me")).body).toEqual(me);
  });

  test.each([" ", "-", ""])("is taken as it is typed: in small letters, with %j between its parts", async (between) => {
    const { target } = await desk();
    const { code } = await give(target);
    const { answer } = await typed(target, code.toLowerCase().replaceAll("-", between));
    expect(answer.status).toBe(200);
  });

  test("opens no mfa.require, and says what does", async () => {
    const { target } = await desk();
    const refused = await (await passed(target)).get("/transfer");
    expect([refused.status, refused.body.code]).toEqual([401, "step-up-required"]);
    expect(refused.text).not.toContain(CANARY);
  });

  test("sets a new factor up, which then is what was proved; the pass behind it is gone", async () => {
    const { target } = await desk();
    const jar = await passed(target);
    const { phone } = await jar.enroll();
    expect((await jar.get("/transfer")).status).toBe(200);
    const { body } = await jar.get("/2fa/settings");
    expect(body.factors).toHaveLength(2);
    expect(await (await full(target, "alice", phone)).isIn()).toBe(true);
    // The lost one can go now: something newer was proved.
    expect((await jar.post(`/2fa/factors/${body.factors[0].id}/remove`)).status).toBe(204);
  });

  test("brings backup codes with the factor where that is the first", async () => {
    const { target } = deskApp({ policy: "required" });
    const jar = await passed(target, "carol", "u3");
    expect((await jar.enroll()).backupCodes).toHaveLength(10);
  });

  test("is no proof for setting up once a quarter of an hour is over", async () => {
    const { target } = await desk();
    const jar = await passed(target);
    target.clock.advance(15 * MINUTE + 1);
    const late = await jar.post("/2fa/totp/enroll");
    expect([late.status, late.body.code]).toEqual([401, "step-up-required"]);
    expect(await jar.isIn()).toBe(true);
  });

  test("lets somebody in who has to have a factor and has none, and opens no route to them", async () => {
    const { target } = deskApp({ policy: "required" });
    const { code } = await give(target, {}, "u3");
    const { answer, jar } = await typed(target, code, "carol");
    expect([answer.body.status, answer.body.amr]).toEqual(["verified", ["temporary-pass"]]);
    expect(await jar.isIn()).toBe(true);
    const refused = await jar.get("/transfer");
    expect([refused.status, refused.body.code]).toEqual([403, "enrollment-required"]);
    await jar.enroll();
    expect((await jar.get("/transfer")).status).toBe(200);
  });

  test("trusts no browser, whatever is asked for", async () => {
    const { target } = await desk();
    const { code } = await give(target);
    const jar = await pending(target, "alice");
    const answer = await jar.post("/2fa/temporary-pass", { code, trustDevice: true });
    expect(String(answer.headers["set-cookie"])).not.toContain("device");
    expect(told("device-trusted", target)).toBe(0);
  });

  test("is typed once, or as often as was said", async () => {
    const { target } = await desk();
    const once = await give(target);
    expect((await typed(target, once.code)).answer.status).toBe(200);
    expect((await typed(target, once.code)).answer.body.code).toBe("invalid-code");
    const twice = await give(target, { uses: 2 });
    const statuses = [];
    for (let use = 0; use < 3; use += 1) statuses.push((await typed(target, twice.code)).answer.status);
    expect(statuses).toEqual([200, 200, 401]);
  });

  test("is over when its time is", async () => {
    const { target } = await desk();
    const { code } = await give(target, { expiresIn: "30m" });
    target.clock.advance(30 * MINUTE);
    expect((await typed(target, code)).answer.body.code).toBe("invalid-code");
  });

  test("is another user's nothing", async () => {
    const { target } = await desk();
    await enrolled(target, "mallory");
    const { code } = await give(target, {}, "u2");
    expect((await typed(target, code)).answer.body.code).toBe("invalid-code");
    expect((await typed(target, code, "mallory")).answer.status).toBe(200);
  });

  test("is asked of nobody who is not asked for anything, and is not used up by it", async () => {
    const { phone, target } = await desk();
    const { code } = await give(target);
    const jar = await full(target, "alice", phone);
    expect((await type(jar, code)).body.code).toBe("conflict");
    expect((await type(await pending(target, "carol"), code)).body.code).toBe("conflict");
    expect((await type(new Jar(target), code)).body.code).toBe("login-required");
    expect((await typed(target, code)).answer.status).toBe(200);
  });

  test("goes on after the keys were rotated", async () => {
    const { target } = await desk();
    const { code } = await give(target);
    expect((await target.mfa.rotateKeys()).left).toEqual({});
    expect((await typed(target, code)).answer.status).toBe(200);
  });
});

type Ending = readonly [what: string, end: (here: Awaited<ReturnType<typeof desk>>) => Promise<unknown>];

const ENDINGS: readonly Ending[] = [
  ["a reset", ({ target }) => target.mfa.accounts.reset("u1")],
  ["signing out everywhere", ({ target }) => target.mfa.accounts.signOutEverywhere("u1")],
  ["forgetting the account", ({ target }) => target.mfa.accounts.erase("u1")],
  ["a new factor", async ({ phone, target }) => (await full(target, "alice", phone)).enroll()],
  [
    "a factor that is taken over",
    ({ target }) => target.mfa.accounts.importTotp("u1", { secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXA" }),
  ],
  ["another pass", ({ target }) => give(target)],
  ["its owner's report", ({ target }) => reported(target)],
];

describe("a pass that nobody has typed yet is void after", () => {
  test.each(ENDINGS)("%s", async (_what, end) => {
    const here = await desk({ policy: "required" });
    const { code } = await give(here.target);
    await end(here);
    const { answer, jar } = await typed(here.target, code);
    expect(answer.body.code).toBe("invalid-code");
    expect(await jar.isIn()).toBe(false);
  });
});

describe("a login by a pass ends with", () => {
  test.each(ENDINGS.slice(0, 4))("%s", async (_what, end) => {
    const here = await desk();
    const jar = await passed(here.target);
    await end(here);
    expect(await jar.isIn()).toBe(false);
  });
});

describe("a login by a pass of somebody who had no factor", () => {
  test("ends with a reset, though the pass is used up and there is nothing else to take", async () => {
    const { target } = deskApp({ policy: "required" });
    const jar = await passed(target, "carol", "u3");
    expect(await jar.isIn()).toBe(true);
    expect(await target.mfa.accounts.reset("u3", DESK)).toBe(true);
    expect(await jar.isIn()).toBe(false);
    expect(await target.mfa.accounts.reset("u3", DESK)).toBe(false);
  });
});

describe("passes are given out sparingly", () => {
  test("three to a user in a year, whatever became of them", async () => {
    const { target } = await desk();
    for (let count = 0; count < 3; count += 1) {
      await give(target);
      await target.mfa.accounts.reset("u1");
    }
    const error = await undone(give(target));
    expect([error.code, error.status, error.retryAfter]).toEqual(["too-many-attempts", 429, 365 * 24 * 60 * 60]);
    await give(target, {}, "u2");
    target.clock.advance(365 * DAY);
    await expect(give(target)).resolves.toMatchObject({ code: expect.stringMatching(SHAPE) });
  });

  test("three, whatever the clock says: set back, or ahead when they were given out", async () => {
    const { target } = await desk();
    for (let count = 0; count < 3; count += 1) await give(target);
    for (const step of [-10 * MINUTE, -30 * DAY, 60 * DAY]) {
      target.clock.advance(step);
      expect((await undone(give(target))).code).toBe("too-many-attempts");
    }
  });

  test("to nobody whose changes are frozen by their own report", async () => {
    const { target } = await desk();
    await give(target);
    await reported(target);
    expect((await undone(give(target))).code).toBe("frozen");
    await target.mfa.accounts.reopenFactors("u1");
    await expect(give(target)).resolves.toBeDefined();
  });

  test("to users that nothing is known of yet, and are remembered for the year", async () => {
    const { target } = deskApp();
    for (let count = 0; count < 3; count += 1) await give(target, {}, "u4");
    target.clock.advance(100 * DAY);
    expect((await undone(give(target, {}, "u4"))).code).toBe("too-many-attempts");
  });
});

describe("what a pass does not do", () => {
  test.each(CHANGES)("POST %s asks for a factor", async (path) => {
    const { target } = await desk();
    const refused = await (await passed(target)).post(path);
    expect([refused.status, refused.body.code]).toEqual([401, "step-up-required"]);
  });

  test("renaming, removing or preferring a factor asks for one, too", async () => {
    const { factorId, target } = await desk();
    const jar = await passed(target);
    const answers = [
      await jar.post(`/2fa/factors/${factorId}/rename`, { label: "x" }),
      await jar.post(`/2fa/factors/${factorId}/remove`),
      await jar.post("/2fa/preferred", { type: "totp" }),
    ];
    expect(answers.map(({ body }) => body.code)).toEqual(Array(3).fill("step-up-required"));
  });

  test("nothing lists it, whether there is one or not", async () => {
    const { target } = await desk();
    const before = await (await pending(target, "alice")).get("/2fa");
    await give(target);
    const after = await (await pending(target, "alice")).get("/2fa");
    expect({ ...after.body, expiresAt: "" }).toEqual({ ...before.body, expiresAt: "" });
    expect(after.text).not.toContain("temporary-pass");
  });

  test("a wrong one counts with all codes: after ten the right one waits as well", async () => {
    const { target } = await desk();
    const { code } = await give(target);
    const jar = await pending(target, "alice");
    for (let guess = 0; guess < 10; guess += 1) expect((await type(jar, "0000-0000-0000-0000")).status).toBe(401);
    const refused = await type(jar, code);
    expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "900"]);
    target.clock.advance(15 * MINUTE);
    expect((await typed(target, code)).answer.status).toBe(200);
  });

  test("and with the address that it came from, whoever's it was to be", async () => {
    const { target } = await desk({ limits: { address: { limit: 2, window: "15m" } } });
    const { code } = await give(target);
    await enrolled(target, "carol");
    for (const name of ["alice", "carol"])
      expect((await typed(target, "0000-0000-0000-0000", name)).answer.status).toBe(401);
    expect((await typed(target, code)).answer.body.code).toBe("too-many-attempts");
  });
});

describe("on the pages", () => {
  test("a quiet link leads from the challenge to the form, and from there to setting something up and on", async () => {
    const { target } = await desk();
    const { code } = await give(target);
    const jar = new Jar(target);
    await jar.page("/account");
    await jar.form("/login", { username: "alice", password: passwordOf("alice") });
    await jar.page("/api/data");
    expect((await jar.page("/2fa")).text).toContain('href="/2fa/temporary-pass"');
    expect((await jar.page("/2fa/temporary-pass")).text).toContain('action="/2fa/temporary-pass"');
    const wrong = await jar.form("/2fa/temporary-pass", { code: "0000-0000-0000-0000" });
    expect([wrong.status, wrong.text.includes('id="sf-code-error"')]).toEqual([401, true]);
    const odd = await jar.form("/2fa/temporary-pass", { code: "what" });
    expect([odd.status, odd.text.includes("Enter the 16 letters and digits")]).toEqual([400, true]);
    const { location, page } = await submit(jar, "/2fa/temporary-pass", { code });
    expect(location).toBe("/2fa/settings");
    expect(toldOn(page)).toMatch(/^You are signed in with a temporary pass/);
    expect(page.text).toContain('action="/2fa/totp/enroll"');
    expect(page.text).not.toContain("confirm first that it is you");
    const begun = (await jar.post("/2fa/totp/enroll")).body as { factorId: string; uri: string };
    const proof = { factorId: begun.factorId, code: authenticatorApp(begun.uri).code(target.clock()) };
    expect((await submit(jar, "/2fa/totp/enroll/confirm", proof)).location).toBe("/api/data");
  });

  test("the form names nobody", async () => {
    const { target } = await desk();
    const page = await (await pending(target, "alice")).page("/2fa/temporary-pass");
    expect(page.text).not.toContain("acme.test");
  });

  test("whoever is signed in has no use for it, and whoever is not is told so", async () => {
    const { phone, target } = await desk();
    const shown = await (await full(target, "alice", phone)).page("/2fa/temporary-pass");
    expect([shown.status, shown.headers.location]).toEqual([303, "/2fa/settings"]);
    expect((await new Jar(target).get("/2fa/temporary-pass")).body.code).toBe("login-required");
  });

  test("the page on which a first factor is set up leads there, too", async () => {
    const { target } = deskApp({ policy: "required" });
    expect((await (await pending(target, "carol")).page("/2fa")).text).toContain('href="/2fa/temporary-pass"');
  });
});
