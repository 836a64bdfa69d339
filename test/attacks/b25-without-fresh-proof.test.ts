import { describe, expect, test } from "@jest/globals";
import { passwordOf, testApp, type TestApp } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { HOUR, MINUTE, MODES, send, storedAccount, trusted } from "../support/attack.js";
import { alice as withRecovery } from "../support/recovery.js";
import { stateRoutes } from "../support/routes.js";

async function managing(
  target: TestApp,
): Promise<{ jar: Jar; factorId: string; deviceId: string; phone: Awaited<ReturnType<typeof enrolled>>["phone"] }> {
  const { phone, factorId } = await enrolled(target, "alice");
  await trusted(target, "alice", phone);
  const jar = await full(target, "alice", phone);
  const { body } = await jar.get("/2fa/settings");
  return { jar, factorId, deviceId: body.devices[0].id, phone };
}

/** Every route that manages factors; what proves or ends a login is none of them. */
function managementRoutes(ids: { factorId: string; deviceId: string }) {
  const other = ["/2fa/totp", "/2fa/backup-code", "/2fa/passkey", "/2fa/passkey/options", "/2fa/cancel"];
  return stateRoutes(ids).filter(({ path }) => !other.includes(path));
}

describe("B25 changing factors without a fresh proof", () => {
  test.each(MODES)(
    "B25 an hour after the proof every change asks for a new one, and changes nothing (%s)",
    async (mode) => {
      const target = testApp();
      const { jar, ...ids } = await managing(target);
      target.clock.advance(HOUR);
      const before = await storedAccount(target, "alice");
      for (const { path, body } of managementRoutes(ids)) {
        const answer = await send(jar, mode, path, body);
        expect([path, answer.status]).toEqual([path, 401]);
        if (mode === "JSON") expect([path, answer.body.code]).toEqual([path, "step-up-required"]);
        expect(answer.headers["www-authenticate"]).toContain("insufficient_user_authentication");
        expect(await storedAccount(target, "alice")).toBe(before);
      }
      expect(await jar.isIn()).toBe(true);
    },
  );

  test("B25 the password, even one the application confirms, is no second factor", async () => {
    const target = testApp({
      options: { verifyPassword: async (user, password) => password === passwordOf(user.name) },
    });
    const { jar, ...ids } = await managing(target);
    target.clock.advance(HOUR);
    const before = await storedAccount(target, "alice");
    for (const { path, body } of managementRoutes(ids)) {
      const answer = await jar.post(path, { ...body, password: passwordOf("alice") });
      expect([path, answer.status, answer.body.code]).toEqual([path, 401, "step-up-required"]);
    }
    expect(await storedAccount(target, "alice")).toBe(before);
  });

  test("B25 removing and switching off ask for a proof of the last five minutes, the rest for fifteen", async () => {
    const target = testApp();
    const { jar, factorId } = await managing(target);
    target.clock.advance(5 * MINUTE);
    for (const path of [`/2fa/factors/${factorId}/remove`, "/2fa/disable"]) {
      const answer = await jar.post(path);
      expect([path, answer.status, answer.body.code, answer.body.maxAge]).toEqual([path, 401, "step-up-required", 300]);
    }
    expect((await jar.post(`/2fa/factors/${factorId}/rename`, { label: "Phone" })).status).toBe(200);
    target.clock.advance(10 * MINUTE);
    expect((await jar.post(`/2fa/factors/${factorId}/rename`, { label: "Old" })).body.code).toBe("step-up-required");
  });

  test("B25 being active does not keep a proof fresh", async () => {
    const target = testApp();
    const { jar, factorId } = await managing(target);
    for (let minute = 0; minute < 16; minute += 1) {
      target.clock.advance(MINUTE);
      expect(await jar.isIn()).toBe(true);
      await jar.get("/2fa/settings");
    }
    expect((await jar.post(`/2fa/factors/${factorId}/rename`, { label: "x" })).body.code).toBe("step-up-required");
  });

  test("B25 a trusted browser is no proof, however new its login", async () => {
    const target = testApp();
    const { phone, factorId } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    await jar.post("/logout");
    await jar.login("alice");
    expect((await jar.get("/")).body.status).toBe("trusted-device");
    const before = await storedAccount(target, "alice");
    const { body } = await jar.get("/2fa/settings");
    for (const { path, body: sent } of managementRoutes({ factorId, deviceId: body.devices[0].id })) {
      const answer = await jar.post(path, sent);
      expect([path, answer.status, answer.body.code]).toEqual([path, 401, "step-up-required"]);
    }
    expect(await storedAccount(target, "alice")).toBe(before);
  });

  test("B25 without any factor yet, an old login asks for the first step again", async () => {
    const target = testApp();
    const jar = new Jar(target);
    await jar.login("carol");
    await jar.isIn();
    const before = await storedAccount(target, "carol");
    target.clock.advance(15 * MINUTE + 1);
    const answer = await jar.post("/2fa/totp/enroll");
    expect([answer.status, answer.body.code]).toEqual([401, "step-up-required"]);
    expect(await storedAccount(target, "carol")).toBe(before);
  });

  test("B25 a proof by backup code neither mints backup codes nor shows them", async () => {
    const target = testApp();
    const { backupCodes } = await enrolled(target, "alice");
    const jar = new Jar(target);
    await jar.login("alice");
    expect((await jar.post("/2fa/backup-code", { code: backupCodes[0] })).status).toBe(200);
    const before = await storedAccount(target, "alice");
    const answer = await jar.post("/2fa/backup-codes");
    expect([answer.status, answer.body.code]).toEqual([401, "step-up-required"]);
    expect(await storedAccount(target, "alice")).toBe(before);
  });

  test("B25 a step-up opens the changes again", async () => {
    const target = testApp();
    const { jar, factorId, phone } = await managing(target);
    target.clock.advance(HOUR);
    expect((await jar.post(`/2fa/factors/${factorId}/remove`)).body.code).toBe("step-up-required");
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
    expect((await jar.post(`/2fa/factors/${factorId}/remove`)).status).toBe(204);
    expect((await target.mfa.accounts.status("u1")).enrolled).toBe(false);
  });

  test("B25 nor is the way back switched off or stopped, a caller's number shown, or all that is kept taken along", async () => {
    const here = await withRecovery();
    await here.target.mfa.accounts.callerCheck.begin("u1", { actor: "support:7" });
    const stale = await full(here.target, "alice", here.phone);
    const trusting = await trusted(here.target, "alice", here.phone);
    await trusting.post("/logout");
    here.target.clock.advance(HOUR);
    await here.target.mfa.accounts.callerCheck.begin("u1", { actor: "support:7" });
    await trusting.login("alice");
    const waiting = await pending(here.target, "alice");
    for (const jar of [stale, trusting, waiting]) {
      const answers = [
        await jar.post("/2fa/recovery/opt-out", { optedOut: true }),
        await jar.post("/2fa/caller-check"),
        await jar.get("/2fa/settings/export"),
      ];
      expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
    }
    for (const jar of [trusting, waiting]) expect((await jar.post("/2fa/recovery/cancel")).status).toBe(401);
    const { kept, recovery } = await here.target.mfa.accounts.export("u1");
    expect([recovery?.optedOut, kept.callerCheck?.shownTo]).toEqual([false, undefined]);
  });
});
