import { describe, expect, test } from "@jest/globals";
import type session from "express-session";
import { passkeys, totp } from "express-second-factor";
import { testApp, type TestApp } from "../support/app.js";
import { enrolled, Jar } from "../support/browser.js";

const HTTPS = "https://acme.test";

function attributesOf(header: unknown, name: string): string[] {
  const cookies = (Array.isArray(header) ? header : [header]).map(String);
  const found = cookies.find((cookie) => cookie.includes(name));
  return (found ?? "").split("; ").slice(1);
}

function app(origin: string | string[], cookie: session.CookieOptions): TestApp {
  return testApp({ cookie, options: { origin, methods: [totp(), passkeys()] } });
}

/** Trust that is granted, and taken away: what the cookie is said to be, both times. */
async function grantAndClear(target: TestApp): Promise<readonly [granted: string[], cleared: string[]]> {
  const { phone } = await enrolled(target, "alice");
  const jar = new Jar(target);
  await jar.login("alice");
  const granted = await jar.verify(phone.code(target.clock()), { trustDevice: true });
  const [, cookie = ""] = /((?:__Host-)?2fa-device-[^;]*);/.exec(String(granted.headers["set-cookie"])) ?? [];
  await target.mfa.accounts.revokeDevices("u1", { actor: "admin" });
  const other = new Jar(target);
  const login = await other.post("/login", { username: "alice", password: "alice-password" }).set("Cookie", cookie);
  return [
    attributesOf(granted.headers["set-cookie"], "2fa-device"),
    attributesOf(login.headers["set-cookie"], "2fa-device"),
  ];
}

describe("the trusted browser's cookie is sent where the session's is", () => {
  test.each<[string, session.CookieOptions, string[]]>([
    ["which says nothing", {}, ["SameSite=Lax"]],
    ["which is false", { sameSite: false }, ["SameSite=Lax"]],
    ["which is lax", { sameSite: "lax" }, ["SameSite=Lax"]],
    ["which is strict", { sameSite: "strict" }, ["SameSite=Strict"]],
    ["which is true", { sameSite: true }, ["SameSite=Strict"]],
    ["which is none", { sameSite: "none" }, ["SameSite=None"]],
    ["which is none and partitioned", { sameSite: "none", partitioned: true }, ["SameSite=None", "Partitioned"]],
  ])("%s", async (_name, cookie, expected) => {
    for (const attributes of await grantAndClear(app(HTTPS, cookie))) {
      expect(attributes).toEqual(expect.arrayContaining([...expected, "Secure", "HttpOnly", "Path=/"]));
      expect(attributes.filter((each) => /^(SameSite|Partitioned)/.test(each)).toSorted()).toEqual(expected.toSorted());
    }
  });

  test("on localhost too, where what goes to other sites' pages is Secure as well", async () => {
    for (const attributes of await grantAndClear(app("http://localhost:3000", { sameSite: "none" })))
      expect(attributes).toEqual(expect.arrayContaining(["SameSite=None", "Secure"]));
    for (const attributes of await grantAndClear(app("http://localhost:3000", { sameSite: "strict" })))
      expect(attributes).not.toContain("Secure");
  });

  test("and so is what ties a passkey's challenge to a browser that nobody is logged in with", async () => {
    const answer = await new Jar(app(HTTPS, { sameSite: "none" })).post("/2fa/passkey/options");
    expect(answer.status).toBe(200);
    expect(attributesOf(answer.headers["set-cookie"], "2fa-browser")).toEqual(
      expect.arrayContaining(["SameSite=None", "Secure"]),
    );
  });

  test("under its whole name where an app's own origin is listed beside the site's", async () => {
    const target = testApp({ options: { origin: () => [HTTPS, "capacitor://localhost", "https://localhost"] } });
    const { phone } = await enrolled(target, "alice");
    const jar = new Jar(target);
    await jar.login("alice");
    const answer = await jar.verify(phone.code(target.clock()), { trustDevice: true });
    expect(String(answer.headers["set-cookie"])).toMatch(/__Host-2fa-device-/);
  });
});
