import { describe, expect, jest, test } from "@jest/globals";
import type { Hours, PolicyRules, Weekday } from "express-second-factor";
import type { Request } from "express";
import { testApp, type TestApp, type TestUser } from "../support/app.js";
import { MINUTE } from "../support/attack.js";
import { enrolled, Jar, pending } from "../support/browser.js";

type Rules = PolicyRules<Request, TestUser>;

const WORKDAYS: readonly Weekday[] = ["mon", "tue", "wed", "thu", "fri"];
const OFFICE: Hours = { days: WORKDAYS, from: "08:00", to: "18:00", zone: "Europe/Berlin" };

function office(hours: readonly Hours[], rules: Rules = {}): TestApp {
  return testApp({
    options: { policy: { trustedNetworks: ["127.0.0.0/8", "::1/128", "::ffff:127.0.0.0/104"], hours, ...rules } },
  });
}

/** Whether somebody without a factor who must have one is let in from the network at this time. */
async function isTrustedAt(target: TestApp, time: string): Promise<boolean> {
  target.clock.set(Date.parse(time));
  return (await (await pending(target, "carol")).get("/2fa")).body.status === "not-enrolled";
}

/** The times at which the network is trusted. */
async function trustedOf(hours: readonly Hours[], times: readonly string[]): Promise<readonly string[]> {
  const target = office(hours, { require: true });
  const found: string[] = [];
  for (const time of times) if (await isTrustedAt(target, time)) found.push(time);
  return found;
}

describe("rules: hours", () => {
  test("are those of the place, from the first minute to the one before the last, on the days that are named", async () => {
    const inside = ["2026-11-27T08:00:00+01:00", "2026-11-27T17:59:59+01:00", "2026-11-23T12:00:00+01:00"];
    const outside = [
      "2026-11-27T07:59:59+01:00",
      "2026-11-27T18:00:00+01:00",
      "2026-11-28T12:00:00+01:00",
      "2026-11-29T12:00:00+01:00",
    ];
    expect(await trustedOf([OFFICE], [...inside, ...outside])).toEqual(inside);
  });

  test("follow summer time: eight in the morning is eight on the wall, in July as in January", async () => {
    const inside = ["2026-07-15T06:00:00Z", "2026-07-15T15:59:00Z", "2027-01-13T07:00:00Z"];
    expect(await trustedOf([OFFICE], [...inside, "2026-07-15T16:00:00Z", "2027-01-13T06:59:00Z"])).toEqual(inside);
  });

  test("that summer time skips are not there, and those that it repeats are twice", async () => {
    const night: Hours = { from: "02:00", to: "03:00", zone: "Europe/Berlin" };
    // On 2026-03-29 the clock goes from 2:00 to 3:00, on 2026-10-25 back from 3:00 to 2:00.
    const spring = ["2026-03-29T00:59:00Z", "2026-03-29T01:00:00Z"];
    const autumn = ["2026-10-25T00:00:00Z", "2026-10-25T00:59:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:59:00Z"];
    const around = ["2026-10-24T23:59:00Z", "2026-10-25T02:00:00Z"];
    expect(await trustedOf([night], [...spring, ...autumn, ...around])).toEqual(autumn);
  });

  test("over midnight belong to the day on which they begin, Sunday's to Monday morning", async () => {
    const shift: Hours = { days: ["fri", "sun"], from: "22:00", to: "06:00", zone: "UTC" };
    const inside = ["2026-11-27T22:00:00Z", "2026-11-28T05:59:00Z", "2026-11-29T22:00:00Z", "2026-11-30T05:59:00Z"];
    const outside = ["2026-11-27T05:00:00Z", "2026-11-28T06:00:00Z", "2026-11-28T22:00:00Z", "2026-11-30T06:00:00Z"];
    expect(await trustedOf([shift], [...inside, ...outside])).toEqual(inside);
  });

  test("without days are those of every day, to 24:00 the end of it; of several any will do", async () => {
    const hours: readonly Hours[] = [
      { from: "00:00", to: "24:00", days: ["sat"], zone: "Asia/Kolkata" },
      { from: "12:00", to: "13:00", zone: "UTC" },
    ];
    const inside = ["2026-11-27T18:30:00Z", "2026-11-28T18:29:00Z", "2026-11-25T12:30:00Z"];
    expect(await trustedOf(hours, [...inside, "2026-11-28T18:30:00Z", "2026-11-27T18:29:00Z"])).toEqual(inside);
  });

  test("that end while somebody is signed in end the trust: what is due is asked for then", async () => {
    const target = office([OFFICE]);
    target.clock.set(Date.parse("2026-11-27T17:50:00+01:00"));
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    expect(await jar.isIn()).toBe(true);
    target.clock.set(Date.parse("2026-11-27T18:00:00+01:00"));
    expect((await jar.get("/account")).body.code).toBe("second-factor-required");
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
  });

  test("and networks never do for what a route asks to be confirmed", async () => {
    const target = testApp({
      options: { policy: { trustedNetworks: ["127.0.0.0/8", "::1/128", "::ffff:127.0.0.0/104"] } },
      routes: (app, mfa) =>
        void app.post("/pay", mfa.require({ maxAge: "5m" }), (_req, res) => void res.sendStatus(204)),
    });
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    expect(await jar.isIn()).toBe(true);
    expect((await jar.post("/pay")).body.code).toBe("step-up-required");
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
    expect((await jar.post("/pay")).status).toBe(204);
    target.clock.advance(5 * MINUTE + 1);
    expect((await jar.post("/pay")).body.code).toBe("step-up-required");
  });

  test("are worth nothing while the proxy settings look wrong", async () => {
    const emitted = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const target = office([{ from: "00:00", to: "24:00", zone: "UTC" }], { require: true });
    const jar = new Jar(target);
    expect((await jar.login("carol").set("X-Forwarded-For", "127.0.0.9")).status).toBe(403);
    expect((await new Jar(target).login("carol")).status).toBe(302);
    emitted.mockRestore();
  });

  test.each<[unknown, RegExp]>([
    [{ hours: [OFFICE] }, /policy\.hours: these are the hours of trustedNetworks, and there are none/],
    [{ hours: [OFFICE], trustedNetworks: [] }, /policy\.hours: these are the hours of trustedNetworks/],
    [{ hours: OFFICE, trustedNetworks: ["10.0.0.0/8"] }, /policy\.hours: a list such as/],
    [{ hours: [], trustedNetworks: ["10.0.0.0/8"] }, /policy\.hours: a list such as/],
    [{ hours: ["mon"], trustedNetworks: ["10.0.0.0/8"] }, /policy\.hours\[0\]: write \{ days/],
    [{ hours: [{ ...OFFICE, from: "8:00" }] }, /policy\.hours\[0\]\.from: a time of day such as "08:00"/],
    [{ hours: [{ ...OFFICE, from: "at 08:00" }] }, /policy\.hours\[0\]\.from: /],
    [{ hours: [{ ...OFFICE, from: "08:00:30" }] }, /policy\.hours\[0\]\.from: /],
    [{ hours: [{ ...OFFICE, from: ["08:00"] }] }, /policy\.hours\[0\]\.from: /],
    [{ hours: [{ ...OFFICE, from: "24:00" }] }, /policy\.hours\[0\]\.from: /],
    [{ hours: [{ ...OFFICE, to: "24:01" }] }, /policy\.hours\[0\]\.to: a time of day/],
    [{ hours: [{ ...OFFICE, to: "08:00" }] }, /policy\.hours\[0\]\.to: the same as from/],
    [{ hours: [{ ...OFFICE, days: [] }] }, /policy\.hours\[0\]\.days: a list of "mon", "tue"/],
    [{ hours: [{ ...OFFICE, days: ["mon", "Tuesday"] }] }, /policy\.hours\[0\]\.days: /],
    [{ hours: [{ ...OFFICE, zone: undefined }] }, /policy\.hours\[0\]\.zone: an IANA time zone/],
    [{ hours: [{ ...OFFICE, zone: "Berlin" }] }, /policy\.hours\[0\]\.zone: /],
    [{ hours: [{ ...OFFICE, zone: "" }] }, /policy\.hours\[0\]\.zone: /],
    [{ hours: [OFFICE, { ...OFFICE, until: "18:00" }] }, /policy\.hours\[1\]\.until: there is no such option/],
    [
      { hours: [{ from: "x", to: "y" }], trustedNetworks: ["z"], grace: 1 },
      /trustedNetworks[^]*\.from[^]*\.to[^]*\.zone|\.from[^]*\.to[^]*\.zone[^]*trustedNetworks/,
    ],
  ])("as %j are refused at start", (policy, problem) => {
    expect(() => testApp({ options: { policy: policy as Rules } })).toThrow(problem);
  });
});
