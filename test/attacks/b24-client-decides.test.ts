import { describe, expect, test } from "@jest/globals";
import { testApp } from "../support/app.js";
import { enrolled, full } from "../support/browser.js";
import { desk, DESK, give } from "../help-desk/stage.js";
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

  test("B24 with a pass nothing is trusted and nothing is worth more, and a caller's number is not the caller's to choose", async () => {
    const { phone, target } = await desk();
    const { code } = await give(target);
    const jar = await passworded(target, "JSON", "alice");
    const claims = { ...CLAIMS, aal: 2, amr: ["otp"], actor: "support:7", method: "totp", uses: 5 };
    const answer = await jar.post(`/2fa/temporary-pass?${new URLSearchParams(CLAIMS).toString()}`, { ...claims, code });
    expect([answer.status, answer.body.amr]).toEqual([200, ["temporary-pass"]]);
    expect((await target.mfa.accounts.export("u1")).devices).toEqual([]);
    expect((await jar.get("/transfer").set(HEADERS)).status).toBe(401);
    await target.mfa.accounts.callerCheck.begin("u1", DESK);
    const owner = await full(target, "alice", phone);
    const { number } = (await owner.post("/2fa/caller-check", { number: "123456", ...claims })).body;
    expect(await target.mfa.accounts.callerCheck.verify("u1", number, DESK)).toBe(true);
    expect(target.events.findLast(({ action }) => action === "caller-check-shown")).toMatchObject({ actor: "u1" });
  });
});
