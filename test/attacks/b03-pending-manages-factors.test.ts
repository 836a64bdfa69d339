import { describe, expect, test } from "@jest/globals";
import { authenticatorApp } from "express-second-factor/testing";
import { testApp } from "../support/app.js";
import { ask, expectDenied, harmless, MODES, passworded, send, storedAccount, trusted } from "../support/attack.js";
import { enrolled } from "../support/browser.js";

describe("a pending login that manages factors", () => {
  test.each(MODES)("B03 nothing of the account changes at the hands of a pending login (%s)", async (mode) => {
    const target = testApp();
    const { phone, factorId } = await enrolled(target, "alice");
    await trusted(target, "alice", phone);
    const [device] = (await target.mfa.accounts.export("u1")).devices;
    const before = await storedAccount(target, "alice");

    const jar = await passworded(target, mode, "alice");
    const body = { factorId, label: "mine", code: phone.code(target.clock()), codes: codesOf(phone, target.clock()) };
    const attempts = [
      "/2fa/totp/enroll",
      "/2fa/totp/enroll/confirm",
      "/2fa/totp/resync",
      "/2fa/backup-codes",
      `/2fa/factors/${factorId}/rename`,
      `/2fa/factors/${factorId}/remove`,
      `/2fa/devices/${device!.id}/revoke`,
      "/2fa/devices/revoke-all",
      `/2fa/sessions/${(await target.mfa.accounts.export("u1")).sessions[0]!.id}/revoke`,
      "/2fa/sessions/revoke-others",
      "/2fa/disable",
    ];
    for (const path of attempts) {
      // A form cannot say an array: resync is told by its shape there.
      const refusals = mode === "forms" && path.endsWith("resync") ? [400, 401] : [401];
      expect(refusals).toContain((await send(jar, mode, path, body)).status);
    }
    expect(harmless(await ask(jar, mode, "/2fa/settings")).status).toBe(401);

    expect(await storedAccount(target, "alice")).toBe(before);
    await expectDenied(jar);
    // The code tried above was not used up either.
    expect([200, 303]).toContain((await send(jar, mode, "/2fa/totp", { code: phone.code(target.clock()) })).status);
    expect(await jar.isIn()).toBe(true);
  });

  test("B03 an enrollment begun before the factor existed cannot be finished by the login that became pending", async () => {
    const target = testApp();
    const early = await passworded(target, "JSON", "alice");
    const begun = (await early.post("/2fa/totp/enroll")).body as { factorId: string; secret: string; uri: string };
    await enrolled(target, "alice");
    const before = await storedAccount(target, "alice");
    const code = authenticatorApp(begun.uri).code(target.clock());
    const answer = await send(early, "JSON", "/2fa/totp/enroll/confirm", { factorId: begun.factorId, code });
    expect([401, 404, 410]).toContain(answer.status);
    expect(await storedAccount(target, "alice")).toBe(before);
    await expectDenied(early);
  });
});

function codesOf(phone: { code(at?: number): string }, now: number): string[] {
  return [phone.code(now), phone.code(now + 30_000)];
}
