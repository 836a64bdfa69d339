import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { testApp, type TestApp, type TestAppOptions } from "../support/app.js";
import { checks, expectDenied, harmless, MODES, passworded, wrongCodes } from "../support/attack.js";
import { enrolled, type Jar } from "../support/browser.js";

const WARNING = "SECOND_FACTOR_TRUST_PROXY";
const PROXIES = [false, 1, true] as const;

/** Every header in which somebody might look for the client's address, a fresh one each time. */
function forged(number: number): Record<string, string> {
  const address = `203.0.113.${number % 250}`;
  return {
    "X-Forwarded-For": `${address}, 198.51.100.${number % 250}`,
    "X-Real-IP": address,
    Forwarded: `for=${address};proto=https`,
    "CF-Connecting-IP": address,
    "True-Client-IP": address,
    "X-Client-IP": address,
  };
}

function behind(trustProxy: boolean | number, options: TestAppOptions["options"] = {}): TestApp {
  return testApp({
    options,
    before: (app) => {
      app.set("trust proxy", trustProxy);
    },
  });
}

function guess(jar: Jar, code: string, number: number): ReturnType<Jar["post"]> {
  return jar.verify(code).set(forged(number));
}

function watchWarnings(): () => number {
  const emitted = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
  return () =>
    emitted.mock.calls.filter(([, given]) => (given as { code?: string } | undefined)?.code === WARNING).length;
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe("a client that invents its address", () => {
  test.each(PROXIES)(
    "B19 a hundred guesses from a hundred addresses are five, with trust proxy %s",
    async (trustProxy) => {
      watchWarnings();
      const target = behind(trustProxy);
      const { phone } = await enrolled(target, "alice");
      const jar = await passworded(target, "JSON", "alice");
      const statuses: number[] = [];
      for (const [index, code] of wrongCodes(100, phone, target.clock()).entries()) {
        statuses.push(harmless(await guess(jar, code, index)).status);
      }
      expect(statuses.indexOf(429)).toBe(5);
      expect(checks(target)).toBe(5);
      expect((await guess(jar, phone.code(target.clock()), 100)).status).toBe(429);
      await expectDenied(jar);
    },
  );

  test("B19 without a proxy the limit of an address holds against invented addresses too", async () => {
    watchWarnings();
    const target = behind(false, { limits: { address: { limit: 2, window: "15m" } } });
    const owners = [];
    for (const name of ["alice", "mallory", "carol"]) owners.push({ name, ...(await enrolled(target, name)) });
    for (const [index, { name, phone }] of owners.slice(0, 2).entries()) {
      const jar = await passworded(target, "JSON", name);
      for (const code of wrongCodes(5, phone, target.clock())) await guess(jar, code, index);
    }
    // The first account alone has had its five; the second reached the address's limit with its first.
    expect(checks(target)).toBe(6);
    const third = await passworded(target, "JSON", "carol");
    expect((await guess(third, owners[2]!.phone.code(target.clock()), 99)).status).toBe(429);
    await expectDenied(third);
  });

  test("B19 guesses an account's limit refused do not lock the address for everybody behind it", async () => {
    const target = testApp();
    const [alice, mallory] = [await enrolled(target, "alice"), await enrolled(target, "mallory")];
    const one = await passworded(target, "JSON", "alice");
    for (const code of wrongCodes(120, alice.phone, target.clock())) await one.verify(code);
    const two = await passworded(target, "JSON", "mallory");
    expect((await two.verify(mallory.phone.code(target.clock()))).status).toBe(200);
  });

  test.each(MODES)("B19 an invented address is in no trusted network while no proxy is trusted (%s)", async (mode) => {
    watchWarnings();
    const target = behind(false, { policy: { trustedNetworks: ["10.0.0.0/8"] } });
    await enrolled(target, "alice");
    const jar = await passworded(target, mode, "alice");
    for (const address of ["10.0.0.1", "10.0.0.1, 127.0.0.1", "127.0.0.1, 10.0.0.1", "::ffff:10.0.0.1"]) {
      const headers = { "X-Forwarded-For": address, "X-Real-IP": "10.0.0.1", Forwarded: "for=10.0.0.1" };
      expect(harmless(await jar.get("/account").set(headers)).status).toBe(401);
    }
    await expectDenied(jar);
  });

  test("B19 the application is warned of trust proxy true, once", async () => {
    const warnings = watchWarnings();
    const target = behind(true);
    await passworded(target, "JSON", "carol");
    expect(warnings()).toBe(1);
    await passworded(target, "JSON", "carol");
    expect(warnings()).toBe(1);
  });

  test("B19 the application is warned of a proxy it does not know of, and not without reason", async () => {
    const warnings = watchWarnings();
    const unaware = await passworded(testApp(), "JSON", "carol");
    expect(warnings()).toBe(0);
    await unaware.get("/").set("X-Forwarded-For", "203.0.113.9");
    expect(warnings()).toBe(1);

    const aware = await passworded(behind(1), "JSON", "carol");
    await aware.get("/").set("X-Forwarded-For", "203.0.113.9");
    expect(warnings()).toBe(1);
  });
});
