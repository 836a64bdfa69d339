import { describe, expect, test } from "@jest/globals";
import type { SecondFactorOptions } from "express-second-factor";
import { HOUR, MINUTE } from "../support/attack.js";
import { testApp, type TestApp, type TestUser } from "../support/app.js";
import { enrolled, type Jar, pending } from "../support/browser.js";

/** Behind one proxy, which says where a request comes from. */
function behindProxy(limits?: SecondFactorOptions<TestUser>["limits"]): TestApp {
  return testApp({
    options: limits === undefined ? {} : { limits },
    before: (app) => app.set("trust proxy", 1),
  });
}

function verifyFrom(jar: Jar, address: string, code = "000000") {
  return jar.verify(code).set("X-Forwarded-For", address);
}

async function guessFor(target: TestApp, userId: string, ip: string): Promise<string> {
  const answer = await target.mfa.accounts.verify(userId, { method: "totp", code: "000000", client: { ip } });
  return answer.ok ? "right" : answer.code;
}

describe("one address", () => {
  test("may be wrong a hundred times in fifteen minutes, over all accounts", async () => {
    const target = testApp();
    for (let user = 0; user < 20; user += 1) {
      for (let count = 0; count < 5; count += 1)
        expect(await guessFor(target, `x${user}`, "192.0.2.1")).toBe("invalid-code");
    }
    expect(await guessFor(target, "another", "192.0.2.1")).toBe("too-many-attempts");
    expect(await guessFor(target, "another", "192.0.2.2")).toBe("invalid-code");
    target.clock.advance(15 * MINUTE);
    expect(await guessFor(target, "another", "192.0.2.1")).toBe("invalid-code");
  });

  test("is refused over HTTP with Retry-After, and the account from elsewhere is not", async () => {
    const target = behindProxy({ address: { limit: 3, window: "15m" } });
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    for (let count = 0; count < 3; count += 1) expect((await verifyFrom(jar, "192.0.2.1")).status).toBe(401);
    const answer = await verifyFrom(jar, "192.0.2.1", phone.code(target.clock()));
    expect([answer.status, answer.headers["retry-after"]]).toEqual([429, "900"]);
    expect((await verifyFrom(jar, "192.0.2.2", phone.code(target.clock()))).status).toBe(200);
  });

  test("is not fed by attempts that an account's own limit refused", async () => {
    const target = behindProxy({ address: { limit: 7, window: "15m" } });
    const mallory = await enrolled(target, "mallory");
    await enrolled(target, "alice");
    target.clock.advance(HOUR);
    const jar = await pending(target, "alice");
    for (let count = 0; count < 5; count += 1) expect((await verifyFrom(jar, "192.0.2.1")).status).toBe(401);
    for (let count = 0; count < 20; count += 1) expect((await verifyFrom(jar, "192.0.2.1")).status).toBe(429);
    const other = await pending(target, "mallory");
    expect((await verifyFrom(other, "192.0.2.1", mallory.phone.code(target.clock()))).status).toBe(200);
  });

  test("does not feed the account's limit when it is refused itself", async () => {
    const target = behindProxy({ address: { limit: 1, window: "15m" } });
    const { phone } = await enrolled(target, "alice");
    target.clock.advance(HOUR);
    const jar = await pending(target, "alice");
    expect((await verifyFrom(jar, "192.0.2.1")).status).toBe(401);
    for (let count = 0; count < 20; count += 1) expect((await verifyFrom(jar, "192.0.2.1")).status).toBe(429);
    expect((await verifyFrom(jar, "192.0.2.2", phone.code(target.clock()))).status).toBe(200);
  });

  test("gets a right attempt back", async () => {
    const target = behindProxy({ address: { limit: 2, window: "15m" } });
    const { phone } = await enrolled(target, "alice");
    target.clock.advance(HOUR);
    for (let count = 0; count < 5; count += 1) {
      const jar = await pending(target, "alice");
      expect((await verifyFrom(jar, "192.0.2.1", phone.code(target.clock()))).status).toBe(200);
      target.clock.advance(MINUTE);
    }
  });
});

describe("an IPv6 address", () => {
  const NEIGHBOURS = ["2001:db8:1:2::1", "2001:db8:1:2:ffff::2", "2001:db8:1:2:3:4:5:6"];
  const STRANGER = "2001:db8:ffff:2::1";

  test("counts with all the others of its network", async () => {
    const target = behindProxy({ address: { limit: 2, window: "15m" } });
    await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    const statuses: number[] = [];
    for (const address of [...NEIGHBOURS, STRANGER]) statuses.push((await verifyFrom(jar, address)).status);
    expect(statuses).toEqual([401, 401, 429, 401]);
  });

  test("counts so where the application verifies too", async () => {
    const target = testApp({ options: { limits: { address: { limit: 2, window: "15m" } } } });
    const answers: string[] = [];
    for (const [index, ip] of [...NEIGHBOURS, STRANGER].entries())
      answers.push(await guessFor(target, `x${index}`, ip));
    expect(answers).toEqual(["invalid-code", "invalid-code", "too-many-attempts", "invalid-code"]);
  });

  test("that is an IPv4 one in disguise counts as that, over HTTP and from the application", async () => {
    const target = behindProxy({ address: { limit: 2, window: "15m" } });
    await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    expect((await verifyFrom(jar, "192.0.2.1")).status).toBe(401);
    expect((await verifyFrom(jar, "::ffff:192.0.2.1")).status).toBe(401);
    expect((await verifyFrom(jar, "192.0.2.1")).status).toBe(429);
    expect(await guessFor(target, "x", "::ffff:192.0.2.1")).toBe("too-many-attempts");
  });
});
