import { describe, expect, test } from "@jest/globals";
import { testApp } from "../support/app.js";
import { enrolled } from "../support/browser.js";
import { ask, expectDenied, harmless, MODES, passworded, putCookie, send, wrongCode } from "../support/attack.js";

const CLAIMS: Readonly<Record<string, string>> = {
  verified: "true",
  status: "verified",
  step: "second",
  mfa: "1",
  pending: "false",
  trustDevice: "true",
  amr: "mfa",
};

const HEADERS: Readonly<Record<string, string>> = {
  "X-MFA": "ok",
  "X-Second-Factor": "verified",
  "X-Forwarded-User": "alice",
  Authorization: "Bearer verified",
};

describe("B24 the client decides", () => {
  test.each(MODES)(
    "B24 what a successful client would ask for next stays shut after a wrong code (%s)",
    async (mode) => {
      const target = testApp();
      const { phone } = await enrolled(target, "alice");
      const jar = await passworded(target, mode, "alice");
      expect((await send(jar, mode, "/2fa/totp", { code: wrongCode(phone, target.clock()) })).status).toBe(401);
      await expectDenied(jar);
      harmless(await ask(jar, mode, "/2fa/settings"));
      expect((await jar.get("/2fa/settings")).status).toBe(401);
    },
  );

  test.each(MODES)("B24 claims in the query, the body, cookies and headers count for nothing (%s)", async (mode) => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await passworded(target, mode, "alice");
    const claims = new URLSearchParams(CLAIMS).toString();
    for (const [name, value] of Object.entries(CLAIMS)) putCookie(jar, name, value);
    putCookie(jar, "2fa-device", "1");
    await send(jar, mode, `/2fa/totp?${claims}`, { ...CLAIMS, code: wrongCode(phone, target.clock()) });
    await send(jar, mode, `/2fa?${claims}`, CLAIMS);
    await send(jar, mode, "/2fa/cancelled", CLAIMS);
    const claimed = await jar.get(`/account?${claims}`).set(HEADERS);
    expect([claimed.status, claimed.body.code]).toEqual([401, "second-factor-required"]);
    await expectDenied(jar, ["/account", `/account?${claims}`, "/api/data"]);
    expect((await jar.get("/2fa")).body.status).toBe("pending");
  });

  test("B24 a session the client wrote itself is no session", async () => {
    const target = testApp();
    await enrolled(target, "alice");
    const jar = await passworded(target, "JSON", "alice");
    const forged = Buffer.from(JSON.stringify({ passport: { user: "u1" }, secondFactor: { step: "second" } }));
    putCookie(jar, "connect.sid", forged.toString("base64url"));
    await expectDenied(jar);
    putCookie(jar, "connect.sid", `s:${forged.toString("base64url")}.${"A".repeat(43)}`);
    await expectDenied(jar);
  });
});
