import { describe, expect, test } from "@jest/globals";
import type { Evaluate, PolicyRules, RiskFacts, RiskVerdict } from "express-second-factor";
import type { Request } from "express";
import { guarded, testApp, type TestApp, type TestAppOptions, type TestUser } from "../support/app.js";
import { DAY, HOUR, storedAccount, trusted } from "../support/attack.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { faultyStore, HANGS } from "../support/faults.js";
import { HeaderStrategy, RememberMeStrategy } from "../support/first-factors.js";

type Rules = PolicyRules<Request, TestUser>;
type Asked = Evaluate<Request, TestUser>;

/** An application whose policy is told the facts of every login, oldest first. */
function weighing(rules: Rules = {}, app: TestAppOptions = {}): TestApp & { readonly told: RiskFacts[] } {
  const told: RiskFacts[] = [];
  const evaluate: Asked = (_user, _req, _login, facts) => {
    told.push(facts);
    return "optional";
  };
  const before: TestAppOptions["before"] = (application, authenticator) => {
    application.set("trust proxy", 1);
    app.before?.(application, authenticator);
  };
  return { ...testApp({ ...app, before, options: { policy: { evaluate, ...rules }, ...app.options } }), told };
}

async function loginFrom(jar: Jar, name: string, address: string): Promise<void> {
  await jar.login(name).set("X-Forwarded-For", address);
}

describe("evaluate that takes facts", () => {
  test("is told of the first login that nothing is known", async () => {
    const { told, ...target } = weighing();
    await loginFrom(new Jar(target), "carol", "192.0.2.7");
    expect(told).toEqual([
      {
        hasFactor: false,
        trustedBrowser: false,
        newBrowser: true,
        newAddress: true,
        sinceLastLogin: undefined,
        failures: 0,
      },
    ]);
  });

  test("is told of the same browser and address that they are known, and how long ago the last login was", async () => {
    const { told, ...target } = weighing();
    const jar = new Jar(target);
    await loginFrom(jar, "carol", "192.0.2.7");
    target.clock.advance(3 * HOUR);
    await loginFrom(jar, "carol", "192.0.2.7");
    await loginFrom(jar, "carol", "192.0.2.8");
    await loginFrom(new Jar(target), "carol", "192.0.2.7");
    await loginFrom(jar, "dave", "192.0.2.7");
    expect(told.slice(1)).toMatchObject([
      { newBrowser: false, newAddress: false, sinceLastLogin: 3 * HOUR },
      { newBrowser: false, newAddress: true, sinceLastLogin: 0 },
      { newBrowser: true, newAddress: false },
      { newBrowser: true, newAddress: true, sinceLastLogin: undefined },
    ]);
  });

  test.each<[string, string, boolean]>([
    ["2001:db8:1:2::1", "2001:DB8:1:2:aaaa:bbbb:cccc:dddd", false],
    ["2001:db8:1:2::1", "2001:db8:1:3::1", true],
    ["2001:db8::5", "2001:db8:0:0:9::", false],
    ["::ffff:192.0.2.7", "192.0.2.7", false],
    ["192.0.2.7", "192.0.2.70", true],
  ])("takes %s and %s for another place: %s %s", async (first, second, isNew) => {
    const { told, ...target } = weighing();
    await loginFrom(new Jar(target), "carol", first);
    await loginFrom(new Jar(target), "carol", second);
    expect(told[1]!.newAddress).toBe(isNew);
  });

  test("is told that the address is new where the proxy settings leave it open", async () => {
    const { told, ...target } = weighing();
    const jar = new Jar(target);
    for (let time = 0; time < 2; time += 1)
      await jar.login("carol").set({ "X-Forwarded-For": "192.0.2.7", "X-Real-IP": "203.0.113.9" });
    expect(told).toMatchObject([{ newAddress: true }, { newAddress: true }]);
  });

  test("is told of the factor, the wrong codes since the last right one, and the trusted browser", async () => {
    const { told, ...target } = weighing();
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    await jar.post("/logout");
    const guesser = await pending(target, "alice");
    for (let guess = 0; guess < 3; guess += 1) await guesser.verify("000000");
    told.length = 0;
    await jar.login("alice");
    await pending(target, "alice");
    await full(target, "alice", phone);
    await pending(target, "alice");
    expect(told.map(({ failures, hasFactor, trustedBrowser }) => [hasFactor, trustedBrowser, failures])).toEqual([
      [true, true, 3],
      [true, false, 3],
      [true, false, 3],
      [true, false, 0],
    ]);
  });

  test("hears of a login that was not complete as of none", async () => {
    const { told, ...target } = weighing();
    await enrolled(target, "alice");
    target.clock.advance(DAY);
    for (let time = 0; time < 2; time += 1) await loginFrom(await pending(target, "alice"), "alice", "192.0.2.66");
    expect(told.at(-1)).toMatchObject({ newBrowser: true, newAddress: true });
    expect(told.at(-1)!.sinceLastLogin).toBeGreaterThanOrEqual(DAY);
  });

  test("is asked once for each login, not at its later requests, and what it said is kept", async () => {
    const { told, ...target } = weighing();
    const { phone } = await enrolled(target, "alice");
    told.length = 0;
    const jar = await full(target, "alice", phone);
    for (let time = 0; time < 3; time += 1) expect(await jar.isIn()).toBe(true);
    expect(told).toHaveLength(1);
    let verdict: RiskVerdict = "challenge";
    const kept = weighing({ evaluate: (_user, _req, _login, _facts) => verdict }, { store: target.store });
    const waits = await pending(kept, "alice");
    verdict = "allow";
    expect((await waits.get("/account")).status).toBe(401);
  });

  test("is asked about remembered users, and about each login that keeps no session", async () => {
    const { told, ...target } = weighing(
      {},
      {
        before: (app, authenticator) => {
          authenticator.use(new RememberMeStrategy());
          app.use(authenticator.authenticate("remember-me"));
        },
        routes: (app, _mfa, authenticator) => {
          authenticator.use(new HeaderStrategy());
          app.get("/by-token", authenticator.authenticate("header", { session: false }), guarded);
        },
      },
    );
    const jar = new Jar(target);
    expect((await jar.get("/account").set("Cookie", "remember_me=good-for-carol")).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
    expect(told).toHaveLength(1);
    for (let time = 0; time < 2; time += 1) await new Jar(target).get("/by-token").set("X-Test-User", "dave");
    expect(told).toHaveLength(3);
  });

  test("is asked of a login that a trusted network had exempted once it is elsewhere", async () => {
    let verdict: RiskVerdict = "challenge";
    const target = weighing({ trustedNetworks: ["10.0.0.0/8"], evaluate: (_user, _req, _login, _facts) => verdict });
    const { phone } = await (async () => {
      const jar = new Jar(target);
      jar.agent.set("X-Forwarded-For", "10.1.2.3");
      await jar.login("alice");
      return jar.enroll();
    })();
    const jar = new Jar(target);
    await loginFrom(jar, "alice", "10.1.2.3");
    expect((await jar.get("/account").set("X-Forwarded-For", "10.1.2.3")).status).toBe(200);
    expect((await jar.get("/account").set("X-Forwarded-For", "192.0.2.7")).status).toBe(401);
    verdict = "allow";
    expect((await jar.get("/account").set("X-Forwarded-For", "10.1.2.3")).status).toBe(401);
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
  });

  test("keeps no address in the clear, and nothing at all where no function takes facts", async () => {
    const target = weighing();
    const first = new Jar(target);
    await loginFrom(first, "carol", "192.0.2.77");
    await first.post("/logout");
    await target.mfa.accounts.signOutEverywhere("u3");
    const row = (await storedAccount(target, "carol"))!;
    expect(row).not.toContain("192.0.2.77");
    expect(JSON.parse(row).browsers).toMatchObject({ addresses: [expect.any(String)], at: target.clock() });
    const plain = testApp({ options: { policy: { evaluate: (_user, _req, _login) => "optional" } } });
    await pending(plain, "carol");
    expect(JSON.parse((await storedAccount(plain, "carol"))!)).not.toHaveProperty("browsers");
  });

  test("lets nobody in where what it is to be told cannot be read", async () => {
    const store = faultyStore();
    const { told, ...target } = weighing({}, { store, options: { storeTimeout: "50ms" } });
    store.fail("read", HANGS);
    expect((await new Jar(target).login("carol")).status).toBe(503);
    expect(told).toEqual([]);
  });
});
