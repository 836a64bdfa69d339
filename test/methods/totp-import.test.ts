import { describe, expect, test } from "@jest/globals";
import { testApp, type TestApp } from "../support/app.js";
import { enrolled, Jar, pending } from "../support/browser.js";
import { hotp } from "../support/hotp.js";
import { base32 } from "../support/routes.js";

const SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXA";
const URI = `otpauth://totp/Old%20App:alice?secret=${SECRET}&issuer=Old%20App`;

function code({ clock }: TestApp, period = 30, algorithm = "sha1"): string {
  return hotp(base32(SECRET), Math.floor(clock() / 1000 / period), 6, algorithm);
}

describe("an authenticator of another system", () => {
  test.each([
    ["a bare secret", SECRET],
    ["a secret as people copy it", "jbsw y3dp ehpk 3pxp jbsw y3dp ehpk 3pxa"],
    ["a secret with hyphens", "JBSWY3DP-EHPK3PXP-JBSWY3DP-EHPK3PXA"],
    ["a URI", URI],
    ["a URI with everything said", `${URI}&algorithm=SHA1&digits=6&period=30`],
  ])("is taken over from %s, and its next code signs in", async (_name, secret) => {
    const target = testApp();
    const factor = await target.mfa.accounts.importTotp("u1", { secret, label: "Old phone" });
    expect(factor).toMatchObject({ type: "totp", label: "Old phone", lastUsedAt: null });
    const jar = await pending(target, "alice");
    expect(await jar.isIn()).toBe(false);
    expect((await jar.verify(code(target))).status).toBe(200);
  });

  test("is taken over with padding", async () => {
    const target = testApp();
    const sixteen = "JBSWY3DPEHPK3PXPJBSWY3DPEE";
    await target.mfa.accounts.importTotp("u1", { secret: `${sixteen}======` });
    const jar = await pending(target, "alice");
    const right = hotp(base32(sixteen), Math.floor(target.clock() / 30_000));
    expect((await jar.verify(right)).status).toBe(200);
  });

  test.each([
    ["sha256", 30, `${URI}&algorithm=SHA256`],
    ["sha512", 60, `${URI}&algorithm=SHA512&period=60`],
  ])("keeps its own algorithm and period: %s, %i s", async (algorithm, period, secret) => {
    const target = testApp();
    await target.mfa.accounts.importTotp("u1", { secret });
    const jar = await pending(target, "alice");
    expect((await jar.verify(code(target, period, algorithm))).status).toBe(200);
  });

  test("is named without control characters, and called an authenticator app where nobody named it", async () => {
    const { mfa } = testApp();
    expect((await mfa.accounts.importTotp("u1", { secret: SECRET, label: `A\n${"b".repeat(99)}` })).label).toBe(
      `A ${"b".repeat(62)}`,
    );
    expect((await mfa.accounts.importTotp("u2", { secret: SECRET })).label).toBe("Authenticator app");
  });

  test("makes a login that is a full one already a pending one", async () => {
    const target = testApp();
    const jar = new Jar(target);
    await jar.login("alice");
    expect(await jar.isIn()).toBe(true);
    await target.mfa.accounts.importTotp("u1", { secret: SECRET });
    expect(await jar.isIn()).toBe(false);
    expect((await jar.get("/2fa")).body.status).toBe("pending");
  });

  test("may have the secret of another user's, whom that opens nothing of", async () => {
    const target = testApp();
    for (const id of ["u1", "u2"]) await target.mfa.accounts.importTotp(id, { secret: SECRET });
    const right = code(target);
    expect((await (await pending(target, "alice")).verify(right)).status).toBe(200);
    expect((await (await pending(target, "mallory")).verify(right)).status).toBe(200);
  });
});

describe("a secret is refused, with the reason,", () => {
  test.each([
    ["of ten bytes", "JBSWY3DPEHPK3PXP", /80 bits.*128/],
    ["of fifteen bytes", "JBSWY3DPEHPK3PXPJBSWY3DP", /120 bits.*128/],
    ["of ten bytes in a URI", "otpauth://totp/A:b?secret=JBSWY3DPEHPK3PXP", /80 bits.*128/],
    ["that repeats one letter", "A".repeat(32), /repeats itself/],
    ["that repeats a short pattern", "ABAAAAAA".repeat(4), /repeats itself/],
    ["that is not base32", "not-a-secret-at-all-0189", /not base32/],
    ["that is nothing", "", /empty text/],
    ["that is cut in the middle of a byte", `${SECRET}A`, /not base32/],
    ["for counting codes", `otpauth://hotp/A:b?secret=${SECRET}&counter=1`, /time-based/],
    ["for eight digits", `${URI}&digits=8`, /6-digit/],
    ["for a period nobody uses", `${URI}&period=45`, /45 s/],
  ])("%s", async (_name, secret, reason) => {
    const target = testApp();
    const refusal = target.mfa.accounts.importTotp("u1", { secret });
    await expect(refusal).rejects.toThrow(TypeError);
    await expect(refusal).rejects.toThrow(reason);
    expect((await target.mfa.accounts.status("u1")).enrolled).toBe(false);
    expect(target.events).toEqual([]);
  });

  test.each([
    ["has no secret", "otpauth://totp/A:b?issuer=A", /secret/],
    ["has an algorithm of its own", `${URI}&algorithm=MD5`, /algorithm/],
    ["has a period that is no number", `${URI}&period=soon`, /period/],
    ["has digits that are no number", `${URI}&digits=six`, /digits|secret|totp|algorithm|period/],
    ["is of another kind", `otpauth://steam/A:b?secret=${SECRET}`, /otpauth:\/\/totp/],
    ["has a broken escape", `otpauth://totp/A%ZZ?secret=${SECRET}`, /cannot be read/],
    ["is cut off", "otpauth://", /otpauth/],
  ])("where its URI %s", async (_name, secret, reason) => {
    const refusal = testApp().mfa.accounts.importTotp("u1", { secret });
    await expect(refusal).rejects.toThrow(reason);
    await expect(refusal).rejects.toThrow(TypeError);
  });

  test("and the reason never repeats the secret", async () => {
    const { accounts } = testApp().mfa;
    const sources = ["JBSWY3DPEHPK3PXP", "JBSWY3DPEHPK3PX1", `${URI}&digits=8`, `${URI}%ZZ`];
    const cut = ["otpauth://what/A", "otpauth://totp", "otpauth:totp/A"].map((start) => `${start}?secret=${SECRET}`);
    for (const secret of [...sources, ...cut]) {
      const reason = await accounts.importTotp("u1", { secret }).catch(String);
      expect(reason).toMatch(/Error/);
      expect(reason).not.toContain("JBSWY3DP");
    }
  });

  test("that the user has already, however it came", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    await expect(target.mfa.accounts.importTotp("u1", { secret: phone.secret })).rejects.toThrow(/already enrolled/);
    await target.mfa.accounts.importTotp("u2", { secret: SECRET });
    await expect(target.mfa.accounts.importTotp("u2", { secret: URI })).rejects.toThrow(/already enrolled/);
    expect(await target.mfa.accounts.factors("u2")).toHaveLength(1);
  });
});
