// What a completed recovery is worth: one session that sets up a factor, and an account on probation.
import { describe, expect, test } from "@jest/globals";
import { emailCode, totp } from "express-second-factor";
import { outbox, softwareAuthenticator } from "express-second-factor/testing";
import { answerWith, enrollWith } from "../passkeys/stage.js";
import { STEP, trusted } from "../support/attack.js";
import type { TestAppOptions } from "../support/app.js";
import { full, Jar, pending } from "../support/browser.js";
import { phone } from "../support/phone.js";
import { pushMethods, SUBSCRIPTION, TestChannel } from "../support/push.js";
import { alice, completed, confirmed, HOUR, ofKind, ready, RECOVERY, run, tokenOf, told } from "../support/recovery.js";
import { reportToken } from "../support/reports.js";

const guarded: TestAppOptions = {
  routes(app, mfa) {
    app.get("/transfer", mfa.require({ maxAge: "5m" }), (_req, res) => void res.json({ done: true }));
    app.get("/probation", (req, res) => void res.json(req.secondFactor.probation ?? null));
  },
};

describe("a session that completed a recovery", () => {
  test("sets up a factor and does nothing else, while every old factor is there", async () => {
    const here = await alice(guarded);
    const jar = await completed(here);
    const refused: readonly (readonly [string, number])[] = [
      ["/2fa/backup-codes", 403],
      [`/2fa/factors/${here.factorId}/remove`, 403],
      ["/2fa/disable", 403],
      ["/2fa/devices/revoke-all", 403],
      ["/2fa/sessions/revoke-others", 403],
      [`${RECOVERY}/opt-out`, 403],
      ["/2fa/caller-check", 403],
      [RECOVERY, 409],
    ];
    for (const [path, status] of refused) {
      expect([path, (await jar.post(path, { optedOut: true })).status]).toEqual([path, status]);
    }
    expect((await jar.post("/2fa/totp/resync", { factorId: here.factorId, codes: ["000000", "000001"] })).status).toBe(
      403,
    );
    // All that there is gives way to what it sets up: one of them alone would be less.
    expect((await jar.post("/2fa/totp/enroll", { replaces: here.factorId })).status).toBe(403);
    for (const path of ["/2fa/settings", "/2fa/settings/export", "/2fa/replace"])
      expect([path, (await jar.get(path)).status]).toEqual([path, 403]);
    expect((await jar.get("/transfer")).status).toBe(403);
    expect((await jar.verify(here.phone.code(here.target.clock()))).status).toBe(401);
    const { factors, backupCodes } = await here.target.mfa.accounts.export("u1");
    expect([factors.length, backupCodes.remaining]).toEqual([1, 10]);
  });

  test("ends every other session and trusted browser with the factor that it sets up", async () => {
    const here = await alice();
    here.target.clock.advance(STEP);
    const other = await trusted(here.target, "alice", here.phone);
    const jar = await completed(here);
    expect(await other.isIn()).toBe(true);
    await jar.enroll();
    expect(await other.isIn()).toBe(false);
    await other.login("alice");
    expect((await other.get("/")).body).toMatchObject({ code: "second-factor-required" });
    await told();
    expect(ofKind(here, "factor-removed")).toMatchObject([{ details: { reason: "recovery" } }]);
  });

  test("is kept from it by nobody who goes on guessing with the password alone", async () => {
    const here = await alice();
    const jar = await completed(here);
    const guesser = await pending(here.target, "alice");
    for (let count = 0; count < 5; count += 1) await guesser.verify("000000");
    expect((await guesser.verify("000000")).status).toBe(429);
    await jar.enroll();
    expect(await jar.isIn()).toBe(true);
  });

  test("sets up a passkey as well, and an old one is nobody's any more", async () => {
    const here = await alice();
    here.target.clock.advance(STEP);
    const old = softwareAuthenticator();
    await enrollWith(await full(here.target, "alice", here.phone), old);
    const jar = await completed(here);
    const fresh = softwareAuthenticator();
    expect((await enrollWith(jar, fresh)).status).toBe(201);
    expect((await here.target.mfa.accounts.factors("u1")).map(({ type }) => type)).toEqual(["passkey"]);
    const waiting = await pending(here.target, "alice");
    // It is not even asked for.
    await expect(answerWith(waiting, old)).rejects.toThrow("NotAllowedError");
    expect((await answerWith(waiting, fresh)).status).toBe(200);
    // What the index of credentials held of the old one was given up.
    const { id } = old.passkeys[0]!;
    const carol = new Jar(here.target);
    await carol.login("carol");
    expect((await enrollWith(carol, softwareAuthenticator(), { id, attestedId: id })).status).toBe(201);
  });

  test("is not told of as of one that went no further", async () => {
    const here = await alice({ options: { recovery: { wait: "2h" } } });
    await confirmed(here);
    here.target.clock.advance(2 * HOUR);
    await run(here);
    expect(ofKind(here, "login-unfinished")).toHaveLength(1);
    here.target.clock.advance(2 * HOUR);
    const jar = await pending(here.target, "alice");
    await jar.post(`${RECOVERY}/complete`, { token: await tokenOf(here, "complete") });
    await jar.enroll();
    here.target.clock.advance(2 * HOUR);
    await run(here);
    expect(ofKind(here, "login-unfinished")).toHaveLength(1);
  });

  test("waits while changes are frozen", async () => {
    const here = await alice();
    await ready(here);
    const token = await tokenOf(here, "complete");
    const jar = await pending(here.target, "alice");
    const { body } = await jar.post("/2fa/report", {
      token: await reportToken(here.target, { kind: "factor-enrolled" }),
    });
    expect(body).toHaveProperty("frozenUntil");
    // The report ended it; one that is asked for anew completes only once nothing is frozen any more.
    const again = await pending(here.target, "alice");
    expect((await again.post(`${RECOVERY}/complete`, { token })).status).toBe(410);

    const frozen = await alice({ options: { recovery: { wait: "1h" } } });
    const reporting = await reportToken(frozen.target, { kind: "factor-enrolled" });
    await pending(frozen.target, "alice").then((each) => each.post("/2fa/report", { token: reporting }));
    await confirmed(frozen);
    frozen.target.clock.advance(HOUR);
    await run(frozen);
    const frozenToken = await tokenOf(frozen, "complete");
    const last = await pending(frozen.target, "alice");
    expect(await last.post(`${RECOVERY}/complete`, { token: frozenToken })).toMatchObject({
      status: 403,
      body: { code: "frozen" },
    });
    // Whoever has lost every factor sees no settings, which say it otherwise.
    const page = await last.form(`${RECOVERY}/complete`, { token: frozenToken });
    expect([page.status, page.text]).toEqual([403, expect.stringContaining("Your link is not used up")]);
    const until = new Date(frozen.target.clock() + 23 * HOUR).toISOString();
    expect(page.text).toContain(`datetime="${until}"`);
    expect(page.text).not.toContain("/settings");
    frozen.target.clock.advance(23 * HOUR);
    const thawed = await pending(frozen.target, "alice");
    expect((await thawed.post(`${RECOVERY}/complete`, { token: frozenToken })).status).toBe(200);
  });
});

describe("an account on probation", () => {
  test("opens no sensitive route for 72 hours, and says so", async () => {
    const here = await alice(guarded);
    const jar = await completed(here);
    const { phone } = await jar.enroll();
    const start = here.target.clock() - STEP;
    const until = new Date(start + 72 * HOUR).toISOString();
    expect(await jar.get("/transfer")).toMatchObject({ status: 403, body: { code: "probation", until } });
    expect((await jar.get("/probation")).body).toEqual({ until });
    expect((await jar.get("/2fa/settings")).body).toMatchObject({ probation: { until } });
    expect((await jar.page("/2fa/settings")).text).toContain("Your account was recovered");
    here.target.clock.advance(72 * HOUR - STEP - 1);
    expect(await jar.get("/transfer")).toMatchObject({ status: 403, body: { code: "probation" } });
    here.target.clock.advance(1);
    const later = await full(here.target, "alice", phone);
    expect((await later.get("/transfer")).status).toBe(200);
    expect((await later.get("/probation")).body).toBeNull();
  });

  test("takes a further factor, and lets none go and no address change", async () => {
    const sent = outbox();
    const here = await alice({ options: { methods: [totp(), emailCode({ send: sent.send })] } });
    const jar = await completed(here);
    await jar.enroll();
    const early = { status: 403, body: { code: "probation" } };
    const added = await jar.post("/2fa/email-code/enroll", { address: "new@acme.test" });
    expect(added.status).toBe(202);
    const { factorId } = added.body as { factorId: string };
    const code = sent.code("new@acme.test");
    expect((await jar.post("/2fa/email-code/enroll/confirm", { factorId, code })).status).toBe(201);
    expect(await jar.post("/2fa/email-code/enroll", { address: "other@acme.test", replaces: factorId })).toMatchObject(
      early,
    );
    // No proof would do, so that none is asked for.
    for (const step of [0, HOUR]) {
      here.target.clock.advance(step);
      expect(await jar.post(`/2fa/factors/${factorId}/remove`)).toMatchObject(early);
      expect(await jar.post("/2fa/disable")).toMatchObject(early);
    }
  });

  test("is not offered by the settings what would only be refused", async () => {
    const sent = outbox();
    const here = await alice({ options: { methods: [totp(), emailCode({ send: sent.send })] } });
    const jar = await completed(here);
    expect((await jar.page("/2fa")).text).not.toContain("/temporary-pass");
    const { phone } = await jar.enroll();
    const { body } = await jar.post("/2fa/email-code/enroll", { address: "new@acme.test" });
    const code = sent.code("new@acme.test");
    await jar.post("/2fa/email-code/enroll/confirm", { factorId: (body as { factorId: string }).factorId, code });
    await here.target.mfa.accounts.callerCheck.begin("u1", { actor: "support:7" });
    const offers = ["/remove", 'name="replaces', "/disable", "/recovery/opt-out", "/2fa/replace", "/caller-check"];
    const offeredBy = ({ text }: { readonly text: string }): string[] =>
      offers.filter((path) => text.includes(`${path}"`));
    expect(offeredBy(await jar.page("/2fa/settings"))).toEqual([]);
    here.target.clock.advance(72 * HOUR);
    await here.target.mfa.accounts.callerCheck.begin("u1", { actor: "support:7" });
    const later = await full(here.target, "alice", phone);
    expect(offeredBy(await later.page("/2fa/settings"))).toEqual(offers);
  });

  test("gives its word to nobody: no number for the help desk, no approval for support, and the way back stays open", async () => {
    const channel = new TestChannel();
    const here = await alice({ options: { methods: pushMethods(channel) } });
    const jar = await completed(here);
    const device = await phone(here.target);
    await device.enroll(jar, { channel: "test", subscription: SUBSCRIPTION });
    const { accounts } = here.target.mfa;
    expect((await accounts.factors("u1")).map(({ type }) => type)).toEqual(["push"]);
    await accounts.callerCheck.begin("u1", { actor: "support:7" });
    const early = { status: 403, body: { code: "probation" } };
    expect(await jar.post("/2fa/caller-check")).toMatchObject(early);
    expect(await jar.post(`${RECOVERY}/opt-out`, { optedOut: true })).toMatchObject(early);
    const refused = here.target.mfa.approve("u1", { operation: "Pay", actor: "support:7", onNumber: () => undefined });
    await expect(refused).rejects.toMatchObject({ name: "NotAskedError", code: "probation", status: 403 });
    expect(channel.messages).toEqual([]);
    const again = await pending(here.target, "alice");
    expect((await again.post(RECOVERY)).status).toBe(202);
  });

  test("is not told to whoever has the password alone, whatever is to be replaced", async () => {
    const channel = new TestChannel();
    const sent = outbox();
    const methods = [...pushMethods(channel), emailCode({ send: sent.send })];
    const here = await alice({ options: { methods } });
    const jar = await completed(here);
    const { factorId: replaces } = await jar.enroll();
    const waiting = await pending(here.target, "alice");
    for (const path of ["/2fa/totp/enroll", "/2fa/email-code/enroll", "/2fa/push/enroll/options"]) {
      const answer = await waiting.post(path, { replaces, address: "other@acme.test" });
      expect([path, answer.status, answer.body.code]).toEqual([path, 401, "second-factor-required"]);
    }
    expect((await jar.post("/2fa/totp/enroll", { replaces })).body.code).toBe("probation");
  });

  test("stays so where the clock is set back, and no longer than it can be", async () => {
    const here = await alice(guarded);
    const jar = await completed(here);
    await jar.enroll();
    const early = { status: 403, body: { code: "probation" } };
    here.target.clock.advance(-HOUR);
    const until = new Date(here.target.clock() + 72 * HOUR).toISOString();
    expect(await jar.get("/transfer")).toMatchObject({ ...early, body: { ...early.body, until } });
    here.target.clock.advance(-72 * HOUR);
    expect((await jar.get("/transfer")).status).not.toBe(403);
  });
});
