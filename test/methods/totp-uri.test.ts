import { describe, expect, test } from "@jest/globals";
import { authenticatorApp } from "express-second-factor/testing";
import type { SecondFactorOptions } from "express-second-factor";
import { testApp, type TestUser } from "../support/app.js";
import { Jar } from "../support/browser.js";
import { readQr } from "../support/qr.js";
import { submit } from "../support/pages.js";

async function shown(
  options: Partial<SecondFactorOptions<TestUser>>,
): Promise<{ uri: string; qr: string; secret: string }> {
  const jar = new Jar(testApp({ options }));
  await jar.login("alice");
  const answer = await jar.post("/2fa/totp/enroll");
  expect(answer.status).toBe(201);
  return answer.body as { uri: string; qr: string; secret: string };
}

describe("the otpauth URI of an enrollment", () => {
  test("names the issuer before the account and once more as a parameter, and says nothing that is the default", async () => {
    const { uri, secret } = await shown({ issuer: "Acme" });
    expect(uri).toBe(`otpauth://totp/Acme:alice%40acme.test?secret=${secret}&issuer=Acme`);
  });

  test.each([
    ["a space", "Acme Corp", "alice smith"],
    ["an ampersand and an equals sign", "Smith & Sons = Co", "a&b=c"],
    ["a question mark, a hash and a slash", "Who? #1/2", "a/b?c#d"],
    ["a plus and a percent sign", "A+B 100%", "alice+test@acme.test"],
    ["letters of other scripts", "Ünïcode Größe 商店", "алиса@пример.test"],
    ["an emoji", "Acme \u{1F511}", "\u{1F600}"],
  ])("survives %s: parsed back it is the same", async (_name, issuer, name) => {
    const { uri, secret } = await shown({ issuer, user: { name: () => name } });
    const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(name)}`;
    expect(uri).toBe(`otpauth://totp/${label}?secret=${secret}&issuer=${encodeURIComponent(issuer)}`);
    expect(authenticatorApp(uri)).toMatchObject({ issuer, account: name, secret, period: 30 });
    const url = new URL(uri);
    expect([url.protocol, url.host, url.searchParams.get("issuer")]).toEqual(["otpauth:", "totp", issuer]);
  });

  test("writes a space as %20 and never as a plus, and the secret without padding", async () => {
    const { uri } = await shown({ issuer: "Acme Corp", user: { name: () => "alice smith" } });
    expect(uri).toContain("Acme%20Corp:alice%20smith");
    expect(uri).not.toContain("+");
    expect(new URL(uri).searchParams.get("secret")).toMatch(/^[A-Z2-7]+$/);
  });

  test("has one colon in its label, whatever is in the account's name", async () => {
    const { uri } = await shown({ user: { name: () => "corp:alice" } });
    expect(authenticatorApp(uri)).toMatchObject({ issuer: "Acme", account: "corp_alice" });
    expect(decodeURIComponent(new URL(uri).pathname).split(":")).toHaveLength(2);
  });

  test("takes the issuer of the tenant, a colon in it replaced", async () => {
    const issuer = (_req: unknown, user: TestUser): string => `${user.name}: tenant`;
    const { uri } = await shown({ issuer });
    expect(authenticatorApp(uri).issuer).toBe("alice_ tenant");
  });

  test("names the account by what the application knows: e-mail, else user name, else name, else the id", async () => {
    expect(authenticatorApp((await shown({})).uri).account).toBe("alice@acme.test");
    const reader = await shown({ user: { name: ({ id }) => `user ${id}` } });
    expect(authenticatorApp(reader.uri).account).toBe("user u1");
  });
});

describe("an issuer with a colon", () => {
  test("is refused at start", () => {
    expect(() => testApp({ options: { issuer: "Acme: Corp" } })).toThrow(/issuer: must not contain a colon/);
  });
});

describe("the QR code of an enrollment", () => {
  test.each([
    ["plain", "Acme", "alice@acme.test"],
    ["long", "A rather long name of a rather large company", "a.rather.long.name.of.an.account@department.example"],
    ["of other scripts", "Größe 商店", "алиса"],
  ])("is SVG that a camera reads as the URI: %s", async (_name, issuer, name) => {
    const { uri, qr } = await shown({ issuer, user: { name: () => name } });
    expect(qr).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(qr).not.toContain("<script");
    expect(readQr(qr)).toBe(uri);
  });

  test.each([undefined, null, 7, {}])("an authenticator app that is given %p instead of a URI says so", (uri) => {
    expect(() => authenticatorApp(uri as never)).toThrow(/^authenticatorApp\(uri\): the uri is .*, not text$/);
  });

  test("on the page is the same as in JSON: it reads as a URI with the secret shown beside it", async () => {
    const jar = new Jar(testApp());
    await jar.login("alice");
    const { page } = await submit(jar, "/2fa/totp/enroll");
    expect(page.status).toBe(200);
    const [svg] = /<svg[^>]*viewBox="0 0 (\d+) \1"[^>]*><rect fill="white".*?<\/svg>/s.exec(page.text) ?? [""];
    const app = authenticatorApp(readQr(svg) ?? "");
    expect(app.account).toBe("alice@acme.test");
    expect(page.text.replace(/\s|<[^>]*>/g, "")).toContain(app.secret);
  });
});
