import { createHash, randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { base32nopad } from "@scure/base";
import { testApp, type TestApp } from "../support/app.js";
import { enrolled, Jar, pending } from "../support/browser.js";
import { hotp } from "../support/hotp.js";
import { base32 } from "../support/routes.js";

const SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXA";
const URI = `otpauth://totp/Old%20App:alice?secret=${SECRET}&issuer=Old%20App`;

const SHORT = "JBSWY3DPEHPK3PXP";

function code({ clock }: TestApp, period = 30, algorithm = "sha1", digits = 6): string {
  return hotp(base32(SECRET), Math.floor(clock() / 1000 / period), digits, algorithm);
}

describe("an authenticator of another system", () => {
  test.each([
    ["a bare secret", SECRET],
    ["a secret as people copy it", "jbsw y3dp ehpk 3pxp jbsw y3dp ehpk 3pxa"],
    ["a secret with hyphens", "JBSWY3DP-EHPK3PXP-JBSWY3DP-EHPK3PXA"],
    ["a URI", URI],
    ["a secret with dashes of every kind", "JBSWY3DP\u2013EHPK3PXP\u2014JBSWY3DP\u2011EHPK3PXA"],
    ["a secret with no-break and zero-width spaces", "\uFEFFJBSWY3DP\u00A0EHPK3PXP\u202FJBSWY3DP\u200BEHPK3PXA\n"],
    ["a secret with padding that it has not got", `${SECRET}======`],
    ["a URI", URI],
    ["a URI with everything said", `${URI}&algorithm=SHA1&digits=6&period=30`],
    ["a URI with space around it", `\n\t ${URI}\u00A0\r\n`],
    ["a URI with a byte order mark before it", `\uFEFF${URI}`],
    ["a URI in capitals", `OTPAUTH://TOTP/Old%20App:alice?SECRET=${SECRET}&Issuer=Old%20App`],
    ["a URI whose secret is in small letters", URI.toLowerCase()],
    [
      "a URI whose secret is grouped by spaces",
      `otpauth://totp/A:b?secret=${SECRET.replace(/(.{4})/g, "$1 ")}&issuer=A`,
    ],
    [
      "a URI whose secret is grouped by plus signs",
      `otpauth://totp/A:b?secret=${SECRET.replace(/(.{4})(?=.)/g, "$1+")}`,
    ],
    [
      "a URI whose secret is grouped by escapes",
      `otpauth://totp/A:b?secret=${SECRET.replace(/(.{4})(?=.)/g, "$1%20")}`,
    ],
    ["a URI whose secret is grouped by dashes", `otpauth://totp/A:b?secret=${SECRET.replace(/(.{4})(?=.)/g, "$1-")}`],
    ["a URI whose secret is padded", `otpauth://totp/A:b?secret=${SECRET}====&issuer=A`],
    ["a URI whose secret is padded by escapes", `otpauth://totp/A:b?secret=${SECRET}%3D%3D&issuer=A`],
    ["a URI with empty parameters", `otpauth://totp/A:b?issuer=&secret=${SECRET}&algorithm=&digits=&period=`],
    [
      "a URI with parameters of its own",
      `${URI}&image=https%3A%2F%2Facme.test%2Fa.png&color=%23fff&lock=true&counter=0`,
    ],
    [
      "a URI whose issuer has a colon",
      `otpauth://totp/Old%20App%3A%20Inc:alice?issuer=Old%20App:%20Inc&secret=${SECRET}`,
    ],
    ["a URI whose label has spaces", `otpauth://totp/Old App: alice@acme.test?secret=${SECRET}&issuer=Old App`],
    ["a URI without a label", `otpauth://totp/?secret=${SECRET}`],
    ["a URI copied from a page's source", `otpauth://totp/A:b?issuer=A&amp;secret=${SECRET}&amp;digits=6`],
    ["a URI with other names of its algorithm", `${URI}&algorithm=HmacSHA1`],
  ])("is taken over from %s, and its next code signs in", async (_name, secret) => {
    const target = testApp();
    const factor = await target.mfa.accounts.importTotp("u1", { secret, label: "Old phone" });
    expect(factor).toMatchObject({ type: "totp", label: "Old phone", lastUsedAt: null });
    const jar = await pending(target, "alice");
    expect(await jar.isIn()).toBe(false);
    expect((await jar.verify(code(target))).status).toBe(200);
  });

  test("is taken over with the bits that its last letter has too many, as apps do that are given random letters", async () => {
    const target = testApp();
    const given = `${SECRET.slice(0, 25)}Q`;
    await target.mfa.accounts.importTotp("u1", { secret: given.replace(/Q$/, "R") });
    const jar = await pending(target, "alice");
    expect((await jar.verify(hotp(base32(given), Math.floor(target.clock() / 30_000)))).status).toBe(200);
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

  test("is taken over from a secret of ten bytes where the application says so, and whoever asks is told", async () => {
    const target = testApp();
    const { accounts } = target.mfa;
    const terms = { allowShortSecret: true, actor: "migration" };
    for (const secret of [SHORT, `otpauth://totp/A:b?secret=${SHORT}`]) {
      await accounts.reset("u1");
      target.events.length = 0;
      expect(await accounts.importTotp("u1", { secret, ...terms })).toMatchObject({ warnings: ["short-secret"] });
      expect(target.events).toMatchObject([{ action: "factor-imported", reason: "short-secret", actor: "migration" }]);
    }
    const jar = await pending(target, "alice");
    expect((await jar.verify(hotp(base32(SHORT), Math.floor(target.clock() / 30_000)))).status).toBe(200);
    expect(await accounts.importTotp("u2", { secret: SECRET, ...terms })).not.toHaveProperty("warnings");
    expect(target.events.at(-1)).not.toHaveProperty("reason");
  });

  test("is taken over from a secret of 128 bytes, and signs in by it", async () => {
    const target = testApp();
    const secret = Array.from({ length: 7 }, () => SECRET)
      .join("")
      .slice(0, 205);
    await target.mfa.accounts.importTotp("u1", { secret });
    const jar = await pending(target, "alice");
    expect((await jar.verify(hotp(base32(secret), Math.floor(target.clock() / 30_000)))).status).toBe(200);
    await expect(target.mfa.accounts.importTotp("u1", { secret: SECRET.repeat(7) })).rejects.toThrow(/1120 bits.*1024/);
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

describe("an authenticator of eight digits", () => {
  const EIGHT = `${URI}&digits=8`;

  async function imported() {
    const target = testApp({
      options: { exempt: ["/login", "/logout", "/code"] },
      routes(app, mfa, authenticator) {
        authenticator.use(mfa.strategy("totp"));
        app.post("/code", authenticator.authenticate("totp"), (_req, res) => void res.json({}));
      },
    });
    await target.mfa.accounts.importTotp("u1", { secret: EIGHT, label: "Old phone" });
    const next = () => {
      target.clock.advance(30_000);
      return code(target, 30, "sha1", 8);
    };
    return { target, next };
  }

  test("is asked for eight, on the page too, and by whatever way a code comes", async () => {
    const { next, target } = await imported();
    const jar = await pending(target, "alice");
    expect((await jar.get("/2fa")).body.methods).toMatchObject([{ type: "totp", factors: [{ hint: "8-digit" }] }]);
    const { text } = await jar.page("/2fa");
    expect(text).toContain("8-digit code");
    expect(text).not.toMatch(/6.digit/);
    const short = await jar.form("/2fa/totp", { code: "123456" });
    expect([short.status, short.text.includes("Enter the 8 digits")]).toEqual([400, true]);
    expect((await jar.verify(next().slice(0, 6))).status).toBe(400);
    expect((await jar.verify(next().replace(/(....)/, "$1 "))).status).toBe(200);
    expect((await (await pending(target, "alice")).post("/code", { code: next() })).status).toBe(200);
    const { accounts } = target.mfa;
    expect(await accounts.verify("u1", { method: "totp", code: next().slice(2) })).toMatchObject({
      ok: false,
      code: "invalid-request",
    });
    expect(await accounts.verify("u1", { method: "totp", code: next() })).toMatchObject({ ok: true });
    expect((await jar.page("/2fa/settings")).text).toContain("8-digit codes");
  });

  test("is told from one of six beside it, and found again when its clock is off", async () => {
    const { next, target } = await imported();
    const jar = new Jar(target);
    await jar.login("alice");
    await jar.verify(next());
    const { phone } = await jar.enroll();
    const waiting = await pending(target, "alice");
    expect((await waiting.page("/2fa")).text).toContain("6 or 8 digits");
    expect((await waiting.verify("1234567")).status).toBe(400);
    expect((await waiting.verify(phone.code(target.clock()))).status).toBe(200);
    const [old] = await target.mfa.accounts.factors("u1");
    const codes = [next(), next()];
    expect((await jar.post("/2fa/totp/resync", { factorId: old!.id, codes: ["123456", "123456"] })).status).toBe(400);
    expect((await jar.post("/2fa/totp/resync", { factorId: old!.id, codes })).status).toBe(200);
  });

  test("leaves everybody else at six: eight are no code of theirs, and count nothing", async () => {
    const target = testApp();
    await enrolled(target, "carol");
    expect((await (await pending(target, "carol")).verify("12345678")).status).toBe(400);
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
    ["of nine bytes", SHORT.slice(0, 15), /72 bits.*128/],
    ["for seven digits", `${URI}&digits=7`, /6- and 8-digit/],
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
    ["has an empty secret", "otpauth://totp/A:b?secret=&issuer=A", /no secret/],
    ["has letters that only look like base32", "\u017F".repeat(32), /not base32/],
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
    const sources = ["JBSWY3DPEHPK3PXP", "JBSWY3DPEHPK3PX1", `${URI}&digits=7`, `${URI}%ZZ`];
    const cut = ["otpauth://what/A", "otpauth://totp", "otpauth:totp/A"].map((start) => `${start}?secret=${SECRET}`);
    for (const secret of [...sources, ...cut]) {
      const reason = await accounts.importTotp("u1", { secret }).catch(String);
      expect(reason).toMatch(/Error/);
      expect(reason).not.toContain("JBSWY3DP");
    }
  });

  test("of nine bytes, however much the application puts up with", async () => {
    const { accounts } = testApp().mfa;
    const refusal = accounts.importTotp("u1", { secret: SHORT.slice(0, 15), allowShortSecret: true });
    await expect(refusal).rejects.toThrow(/72 bits.*80/);
    await expect(accounts.importTotp("u1", { secret: SECRET, allowShortSecret: "yes" as never })).rejects.toThrow(
      /allowShortSecret: must be true or false/,
    );
  });

  test("that the user has already, however it came", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    await expect(target.mfa.accounts.importTotp("u1", { secret: phone.secret })).rejects.toThrow(/already enrolled/);
    await target.mfa.accounts.importTotp("u2", { secret: SECRET });
    await expect(target.mfa.accounts.importTotp("u2", { secret: URI })).rejects.toThrow(/already enrolled/);
    expect(await target.mfa.accounts.factors("u2")).toHaveLength(1);
  });

  test("that shows the codes of one the user has: HMAC fills short keys with zeros, and hashes long ones", async () => {
    const { accounts } = testApp().mfa;
    const key = randomBytes(20);
    await accounts.importTotp("u2", { secret: base32nopad.encode(key) });
    const filled = base32nopad.encode(Buffer.concat([key, Buffer.alloc(2)]));
    await expect(accounts.importTotp("u2", { secret: filled })).rejects.toThrow(/already enrolled/);
    const long = randomBytes(80);
    await accounts.importTotp("u3", { secret: base32nopad.encode(long) });
    const hashed = base32nopad.encode(createHash("sha1").update(long).digest());
    await expect(accounts.importTotp("u3", { secret: hashed })).rejects.toThrow(/already enrolled/);
  });
});
