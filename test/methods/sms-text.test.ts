import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { inGsm, septets } from "../../lib/methods/sms-code/gsm.js";
import { hostOf, smsText } from "../../lib/methods/sms-code/text.js";
import { smsCodeWords } from "../../lib/methods/sms-code/words.js";

const { message } = smsCodeWords;
const PURPOSES = ["login", "enroll"] as const;

const code = fc.stringMatching(/^[0-9]{6}$/);
const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
const host = fc.array(label, { minLength: 1, maxLength: 12 }).map((labels) => labels.join("."));
const issuer = fc.string({ unit: "grapheme", maxLength: 128 });

function lastLineOf(text: string): string | undefined {
  return text.split("\n").at(-1);
}

describe("the text that carries a code", () => {
  test("says whose it is and never to pass it on; its last line is for the phone", () => {
    expect(smsText({ code: "123456", host: "acme.test", issuer: "Acme", words: message.login })).toBe(
      "123456 is your code to sign in to Acme. Never pass it on, whoever asks: nobody from Acme ever will.\n@acme.test #123456",
    );
    expect(smsText({ code: "123456", host: "acme.test", issuer: "Acme", words: message.enroll })).toBe(
      "123456 is your code to add this number to your account at Acme. Never pass it on, whoever asks.\n@acme.test #123456",
    );
  });

  test.each(PURPOSES)("to %s is one message in the alphabet of GSM, whatever the site is called", (purpose) => {
    fc.assert(
      fc.property(code, host, issuer, (shown, site, name) => {
        const text = smsText({ code: shown, host: site, issuer: name, words: message[purpose] });
        expect(inGsm(text)).toBe(text);
        expect(septets(text)).toBeLessThanOrEqual(160);
        expect(text.startsWith(`${shown} is your`)).toBe(true);
        expect(text).toContain("Never pass it on");
      }),
      { numRuns: 300 },
    );
  });

  test.each(PURPOSES)(
    "to %s ends in the host's own line, whole, wherever there is room for the warning too",
    (purpose) => {
      fc.assert(
        fc.property(code, host, issuer, (shown, site, name) => {
          const text = smsText({ code: shown, host: site, issuer: name, words: message[purpose] });
          const isRoom = septets(`${message[purpose](shown, "")}\n@${site} #${shown}`) <= 160;
          expect(lastLineOf(text) === `@${site} #${shown}`).toBe(isRoom);
          expect(text.split("\n")).toHaveLength(isRoom ? 2 : 1);
        }),
        { numRuns: 300 },
      );
    },
  );

  test.each([
    ["with marks the alphabet lacks", "Ünïcode Größe", "Ünicode Größe"],
    ["typeset", "Smith’s – “Sons”…", 'Smith\'s - "Sons"...'],
    ["Polish", "Łódź Złota", "Lodz Zlota"],
    ["with characters that count two", "[Acme] €", "[Acme] €"],
  ])("names an issuer that is %s as near as it can", (_what, name, written) => {
    expect(smsText({ code: "123456", host: "acme.test", issuer: name, words: message.login })).toContain(
      `sign in to ${written}.`,
    );
  });

  test.each([
    ["is written in another alphabet", "商店"],
    ["is an emoji", "\u{1F511} Acme"],
    ["is too long", "Acme ".repeat(20)],
    ["is none", ""],
  ])("leaves out an issuer that %s: the last line names the site", (_what, name) => {
    expect(smsText({ code: "123456", host: "acme.test", issuer: name, words: message.login })).toBe(
      "123456 is your code to sign in. Never pass it on, whoever asks.\n@acme.test #123456",
    );
  });

  test("counts characters with an escape as two, up to the last septet", () => {
    const words = (_code: string, name: string): string => "€".repeat(70) + name;
    const line = "\n@acme.test #123456";
    const textFor = (name: string) => smsText({ code: "123456", host: "acme.test", issuer: name, words });
    expect([septets(textFor("A")), textFor("A")]).toEqual([160, words("", "A") + line]);
    expect(textFor("AB")).toBe(words("", "") + line);
  });

  test("has no last line where no browser opens the site", () => {
    expect(smsText({ code: "123456", host: undefined, issuer: "Acme", words: message.login })).not.toContain("@");
  });

  test("keeps words of the application's own in another alphabet, with the line", () => {
    const words = (shown: string, name: string): string => `${name}: 您的验证码是 ${shown}。请勿告诉任何人。`;
    expect(smsText({ code: "123456", host: "acme.test", issuer: "商店", words })).toBe(
      "商店: 您的验证码是 123456。请勿告诉任何人。\n@acme.test #123456",
    );
  });
});

describe("the host that a code is bound to", () => {
  test.each([
    ["https://acme.test/2fa", "acme.test"],
    ["https://login.acme.test:8443/2fa", "login.acme.test"],
    ["http://localhost:3000/2fa", "localhost"],
    ["https://bücher.test/2fa", "xn--bcher-kva.test"],
    [undefined, undefined],
  ])("of %s is %s", (place, expected) => {
    expect(hostOf(place)).toBe(expected);
  });
});
