import { randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import supertest, { type Response } from "supertest";
import { passwordOf, testApp, type TestApp } from "../support/app.js";
import { type Enrolled, enrolled } from "../support/browser.js";
import { SESSION_COOKIE, STEP } from "../support/attack.js";

const HTTPS = "https://acme.test";

function secureApp(origin: string | readonly string[] = HTTPS): TestApp {
  return testApp({ options: { origin, keys: `2026-11:${randomBytes(32).toString("base64")}` } });
}

interface SetCookie {
  readonly name: string;
  readonly value: string;
  readonly attributes: readonly string[];
}

function parse(header: string): SetCookie {
  const [pair = "", ...attributes] = header.split(/;\s*/);
  const equals = pair.indexOf("=");
  return { name: pair.slice(0, equals), value: pair.slice(equals + 1), attributes };
}

/** A browser behind a proxy that ends TLS: it sends every cookie it was given, secure ones too. */
class SecureBrowser {
  private readonly jar = new Map<string, string>();
  readonly received: SetCookie[] = [];
  readonly answers: Response[] = [];

  constructor(readonly target: TestApp) {}

  async send(method: "get" | "post", path: string, body?: object): Promise<Response> {
    const cookie = [...this.jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const client = supertest(this.target.app);
    const asked = (method === "get" ? client.get(path) : client.post(path)).set({
      Accept: "application/json",
      "X-Forwarded-Proto": "https",
    });
    const answer = await (cookie === "" ? asked : asked.set("Cookie", cookie)).send(body);
    this.answers.push(answer);
    for (const header of (answer.headers["set-cookie"] as unknown as string[] | undefined) ?? []) {
      const given = parse(header);
      this.jar.set(given.name, given.value);
      if (given.name !== SESSION_COOKIE) this.received.push(given);
    }
    return answer;
  }

  put(name: string, value: string): void {
    this.jar.set(name, value);
  }

  login(): Promise<Response> {
    return this.send("post", "/login", { username: "alice", password: passwordOf("alice") });
  }

  async status(): Promise<unknown> {
    return ((await this.send("get", "/")).body as { status?: string }).status;
  }
}

/** Trust granted, used (and rotated), replayed and refused (and cleared): every moment the library sets a cookie. */
async function journey(target: TestApp, { phone }: Enrolled): Promise<SecureBrowser> {
  const browser = new SecureBrowser(target);
  await browser.login();
  expect(
    (await browser.send("post", "/2fa/totp", { code: phone.code(target.clock()), trustDevice: true })).status,
  ).toBe(200);
  const granted = browser.received.at(-1)!;
  await browser.send("post", "/logout");
  await browser.login();
  expect(await browser.status()).toBe("trusted-device");
  target.clock.advance(2 * STEP);
  browser.put(granted.name, granted.value);
  await browser.send("post", "/logout");
  await browser.login();
  expect((await browser.send("get", "/account")).status).toBe(401);
  return browser;
}

describe("B37 the flags of the library's cookies", () => {
  test("B37 over https each is __Host-, Secure, HttpOnly, SameSite=Lax, Path=/ and of no Domain, set or cleared", async () => {
    const target = secureApp();
    const { received } = await journey(target, await enrolled(target, "alice"));
    expect(received).toHaveLength(3);
    for (const { name, attributes } of received) {
      expect(name).toMatch(/^__Host-2fa-device-/);
      expect(attributes).toEqual(expect.arrayContaining(["Secure", "HttpOnly", "SameSite=Lax", "Path=/"]));
      expect(attributes.filter((each) => /^domain/i.test(each))).toEqual([]);
    }
    const [granted, rotated, cleared] = received;
    expect(granted!.value).not.toBe(rotated!.value);
    for (const { attributes } of [granted!, rotated!]) expect(attributes).toContain(`Max-Age=${30 * 86_400}`);
    expect([
      cleared!.value,
      cleared!.attributes.some((each) => /^Expires=Thu, 01 Jan 1970|^Max-Age=0/.test(each)),
    ]).toEqual(["", true]);
  });

  test("B37 over http, in development, the plain name is used and every other flag stays", async () => {
    const target = testApp();
    const { received } = await journey(target, await enrolled(target, "alice"));
    expect(received).toHaveLength(3);
    for (const { name, attributes } of received) {
      expect(name).toMatch(/^2fa-device-/);
      expect(attributes).toEqual(expect.arrayContaining(["HttpOnly", "SameSite=Lax", "Path=/"]));
      expect(attributes).not.toContain("Secure");
      expect(attributes.filter((each) => /^domain/i.test(each))).toEqual([]);
    }
  });

  test("B37 the origin decides, not what a request says of itself", async () => {
    const target = testApp();
    const { received } = await journey(target, await enrolled(target, "alice"));
    expect(received.every(({ name }) => !name.startsWith("__Host-"))).toBe(true);
  });

  test("B37 over https a cookie under the plain name is not believed", async () => {
    const target = secureApp();
    const { phone } = await enrolled(target, "alice");
    const owner = new SecureBrowser(target);
    await owner.login();
    await owner.send("post", "/2fa/totp", { code: phone.code(target.clock()), trustDevice: true });
    const { name, value } = owner.received[0]!;
    const tosser = new SecureBrowser(target);
    tosser.put(name.replace("__Host-", ""), value);
    await tosser.login();
    expect((await tosser.send("get", "/account")).body.code).toBe("second-factor-required");
    const friend = new SecureBrowser(target);
    friend.put(name, value);
    await friend.login();
    expect(await friend.status()).toBe("trusted-device");
  });

  test("B37 no answer's body holds a cookie's name or value", async () => {
    const target = secureApp();
    const { answers, received } = await journey(target, await enrolled(target, "alice"));
    const values = received
      .flatMap(({ name, value }) => [name, value, ...value.split(".")])
      .filter((each) => each !== "");
    // The id of a trusted device is listed for its owner; its secret is not.
    const secret = values.filter((each) => each.length > 22);
    expect(secret.length).toBeGreaterThan(3);
    for (const { text } of answers) expect(secret.filter((each) => text.includes(each))).toEqual([]);
  });

  test("B37 two people on one browser have a cookie each, and neither name says whose it is", async () => {
    const target = testApp();
    const names = new Set<string>();
    for (const name of ["alice", "mallory"]) {
      const { phone } = await enrolled(target, name);
      const browser = new SecureBrowser(target);
      await browser.send("post", "/login", { username: name, password: passwordOf(name) });
      await browser.send("post", "/2fa/totp", { code: phone.code(target.clock()), trustDevice: true });
      const [cookie] = browser.received;
      expect(cookie!.name).not.toMatch(/u[12]$|alice|mallory/);
      names.add(cookie!.name);
    }
    expect(names.size).toBe(2);
  });
});
