import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { authenticatorApp, movableClock } from "express-second-factor/testing";
import { generateSync } from "otplib";
import { testApp } from "../support/app.js";
import { pending } from "../support/browser.js";
import { hotp } from "../support/hotp.js";

interface Rfc6238 {
  readonly meta: { readonly secrets: Record<string, { readonly base32: string; readonly hex: string }> };
  readonly vectors: readonly {
    time: number;
    utc: string;
    step: number;
    algorithm: string;
    totp8: string;
    totp6: string;
  }[];
}
interface Rfc4226 {
  readonly meta: { readonly secretBase32: string };
  readonly vectors: readonly { counter: number; hotp6: string }[];
}
interface Rfc4648 {
  readonly vectors: readonly { plain: string; base32: string }[];
}

function load(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), "utf8"));
}

const rfc6238 = load("rfc6238-appendix-b") as Rfc6238;
const rfc4226 = load("rfc4226-appendix-d") as Rfc4226;
const rfc4648 = load("rfc4648-base32") as Rfc4648;

/** Imports a secret, signs in at that moment and answers what the code is worth then. */
async function statusOf(source: string, seconds: number, code: string): Promise<number> {
  const target = testApp({ clock: movableClock(seconds * 1000) });
  await target.mfa.accounts.importTotp("u1", { secret: source });
  const jar = await pending(target, "alice");
  return (await jar.verify(code)).status;
}

function uriFor(algorithm: string, extra = ""): string {
  return `otpauth://totp/RFC:6238?secret=${rfc6238.meta.secrets[algorithm]!.base32}&algorithm=${algorithm}${extra}`;
}

describe("RFC 6238 appendix B", () => {
  test.each(rfc6238.vectors)("$algorithm at $utc: $totp6 signs in", async ({ algorithm, time, totp6 }) => {
    expect(await statusOf(uriFor(algorithm), time, totp6)).toBe(200);
  });

  test.each(rfc6238.vectors)("$algorithm at $utc: another code does not", async ({ algorithm, time, totp6 }) => {
    const other = `${totp6.slice(0, 5)}${(Number(totp6[5]) + 1) % 10}`;
    expect(await statusOf(uriFor(algorithm), time, other)).toBe(401);
  });

  test.each(rfc6238.vectors)(
    "$algorithm at $utc: an app of eight digits shows $totp8",
    ({ algorithm, time, totp8 }) => {
      expect(authenticatorApp(uriFor(algorithm, "&digits=8")).code(time * 1000)).toBe(totp8);
    },
  );

  test("has codes that begin with a zero, and one of the year 2603", () => {
    expect(rfc6238.vectors.filter(({ totp6 }) => totp6.startsWith("0"))).not.toEqual([]);
    expect(rfc6238.vectors.filter(({ utc }) => utc.startsWith("2603"))).toHaveLength(3);
  });

  test("a code without its leading zero is no code", async () => {
    expect(await statusOf(uriFor("SHA1"), 1_234_567_890, "5924")).toBe(400);
  });
});

describe("RFC 4226 appendix D", () => {
  test.each(rfc4226.vectors)("counter $counter, as step $counter of time: $hotp6", async ({ counter, hotp6 }) => {
    expect(await statusOf(rfc4226.meta.secretBase32, counter * 30, hotp6)).toBe(200);
  });

  test("the code of one counter is refused at another that is out of reach", async () => {
    const [first] = rfc4226.vectors;
    expect(await statusOf(rfc4226.meta.secretBase32, 5 * 30, first!.hotp6)).toBe(401);
  });
});

describe("RFC 4648 section 10", () => {
  // Fifteen bytes fill whole groups of base32, so that a vector behind them keeps its own letters; keys this short are refused.
  const before = { plain: "123456789012345", base32: "GEZDGNBVGY3TQOJQGEZDGNBV" };

  test.each(rfc4648.vectors.filter(({ plain }) => plain !== ""))(
    "base32 $base32 is $plain",
    async ({ plain, base32 }) => {
      const code = hotp(Buffer.from(before.plain + plain), 37_037_036);
      expect(await statusOf(before.base32 + base32, 1_111_111_109, code)).toBe(200);
    },
  );
});

describe("otplib, a phone that computes by itself", () => {
  const moments = ["2026-11-21 12:00:00 UTC", "2005-03-18 01:58:29 UTC", "2033-05-18 03:33:20 UTC"];

  test.each(moments)("shows codes that are accepted: %s", async (moment) => {
    const seconds = Date.parse(moment.replace(" ", "T").replace(" UTC", "Z")) / 1000;
    const { base32 } = rfc6238.meta.secrets.SHA1!;
    const code = generateSync({ secret: base32, epoch: seconds });
    expect(code).toMatch(/^[0-9]{6}$/);
    expect(await statusOf(base32, seconds, code)).toBe(200);
  });
});
