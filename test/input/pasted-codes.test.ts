import { describe, expect, test } from "@jest/globals";
import { authenticatorApp } from "express-second-factor/testing";
import { testApp } from "../support/app.js";
import { MINUTE, STEP } from "../support/attack.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";

/** What mails, messengers, word processors and phones put between the characters of a code. */
const BETWEEN = [
  ["a space", " "],
  ["a tab", "\t"],
  ["a line break", "\r\n"],
  ["a next-line", "\u0085"],
  ["a no-break space", "\u00A0"],
  ["an en space", "\u2002"],
  ["a thin space", "\u2009"],
  ["a narrow no-break space", "\u202F"],
  ["an ideographic space", "\u3000"],
  ["a line separator", "\u2028"],
  ["a paragraph separator", "\u2029"],
  ["a hyphen", "-"],
  ["a true hyphen", "\u2010"],
  ["a no-break hyphen", "\u2011"],
  ["a figure dash", "\u2012"],
  ["an en dash", "\u2013"],
  ["an em dash", "\u2014"],
  ["a minus sign", "\u2212"],
  ["a full-width hyphen", "\uFF0D"],
  ["a soft hyphen", "\u00AD"],
  ["a zero-width space", "\u200B"],
  ["a zero-width joiner", "\u200D"],
  ["a word joiner", "\u2060"],
  ["a byte order mark", "\uFEFF"],
  ["a right-to-left mark", "\u200F"],
  ["an isolate", "\u2068"],
] as const;

const ALL = BETWEEN.map(([, text]) => text).join("");

/** Around it, in its middle, and doubled. */
function spread(code: string, text: string): string {
  const middle = Math.floor(code.length / 2);
  return `${text}${code.slice(0, middle)}${text}${text}${code.slice(middle)}${text}`;
}

describe("a code that was pasted", () => {
  test.each(BETWEEN)("with %s in it, before and after it is the code", async (_name, text) => {
    const target = testApp();
    const { backupCodes, phone } = await enrolled(target, "alice");
    const [first = ""] = backupCodes;
    const jar = await pending(target, "alice");
    expect((await jar.verify(spread(phone.code(target.clock()), text))).status).toBe(200);
    const other = await pending(target, "alice");
    expect((await other.post("/2fa/backup-code", { code: spread(first, text) })).status).toBe(200);
  });

  test("is read alike at an enrollment, when a clock is found again, and in a form", async () => {
    const target = testApp();
    const jar = new Jar(target);
    await jar.login("alice");
    const { factorId, uri } = (await jar.post("/2fa/totp/enroll")).body as { factorId: string; uri: string };
    const phone = authenticatorApp(uri);
    const at = (steps: number) => spread(phone.code(target.clock() + steps * STEP), ALL);
    expect((await jar.post("/2fa/totp/enroll/confirm", { factorId, code: at(0) })).status).toBe(201);
    target.clock.advance(MINUTE);
    expect((await jar.post("/2fa/totp/resync", { factorId, codes: [at(0), at(1)] })).status).toBe(200);
    target.clock.advance(2 * MINUTE);
    const form = await pending(target, "alice");
    expect((await form.form("/2fa/totp", { code: at(0) })).status).toBe(303);
    expect(await form.isIn()).toBe(true);
  });

  test("is read alike by strategies, and by the application's own operation", async () => {
    const target = testApp({
      options: { exempt: ["/login", "/code"] },
      routes(app, mfa, authenticator) {
        authenticator.use(mfa.strategy("totp"));
        app.post("/code", authenticator.authenticate("totp"), (_req, res) => void res.json({}));
      },
    });
    const { backupCodes, phone } = await enrolled(target, "alice");
    const code = spread(phone.code(target.clock()), ALL);
    expect((await (await pending(target, "alice")).post("/code", { code })).status).toBe(200);
    target.clock.advance(STEP);
    const { accounts } = target.mfa;
    const next = spread(phone.code(target.clock()), ALL);
    expect(await accounts.verify("u1", { method: "totp", code: next })).toMatchObject({ ok: true });
    const saved = spread(backupCodes[0] ?? "", ALL);
    expect(await accounts.verify("u1", { method: "backup-code", code: saved })).toMatchObject({ ok: true });
  });

  test("of digits or letters of another script is none, nor one that is too long for anybody to have typed", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    const code = phone.code(target.clock());
    const arabic = code.replace(/./g, (digit) => String.fromCodePoint(0x660 + Number(digit)));
    for (const wrong of [arabic, `${code}${" ".repeat(1_024)}`, `${code}\u0301`, `${code}\u3164`]) {
      expect((await jar.verify(wrong)).status).toBe(400);
      expect((await jar.post("/2fa/backup-code", { code: wrong })).status).toBe(400);
    }
    const long = "\u017F".repeat(16);
    expect((await jar.post("/2fa/backup-code", { code: long })).status).toBe(400);
    expect((await jar.verify(code)).status).toBe(200);
  });

  test("is cut by no field of a page", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    for (const page of ["/2fa", "/2fa?method=backup-code"]) {
      expect((await jar.page(page)).text).not.toMatch(/maxlength|pattern=/);
    }
    const inside = await full(target, "alice", phone);
    expect((await inside.page("/2fa/settings")).text).not.toMatch(/maxlength|pattern=/);
  });
});
