import { describe, expect, test } from "@jest/globals";
import type { RequestHandler } from "express";
import { MINUTE, STEP, trusted } from "../support/attack.js";
import { testApp, type TestApp, type TestAppOptions } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import type { SecondFactor } from "express-second-factor";

type Requirement = Parameters<SecondFactor["require"]>[0];

const done: RequestHandler = (_req, res) => {
  res.json({ done: true });
};

/** An application with one route that asks for more. */
function asking(requirement: Requirement, given: TestAppOptions = {}): TestApp {
  return testApp({
    ...given,
    routes(app, mfa, authenticator) {
      app.all("/transfer", mfa.require(requirement), done);
      given.routes?.(app, mfa, authenticator);
    },
  });
}

async function proved(requirement: Requirement, given: TestAppOptions = {}) {
  const target = asking(requirement, given);
  const factor = await enrolled(target, "alice");
  const jar = await pending(target, "alice");
  await jar.verify(factor.phone.code(target.clock()));
  return { target, ...factor, jar };
}

describe("mfa.require({ maxAge })", () => {
  test("opens for so long after a proof, and not a millisecond longer", async () => {
    const { target, jar } = await proved({ maxAge: "5m" });
    target.clock.advance(5 * MINUTE);
    expect((await jar.post("/transfer")).body).toEqual({ done: true });
    target.clock.advance(1);
    const answer = await jar.post("/transfer");
    expect([answer.status, answer.body]).toMatchObject([
      401,
      { code: "step-up-required", location: "/2fa", maxAge: 300, methods: [{ type: "totp" }, { type: "backup-code" }] },
    ]);
    expect(answer.headers["www-authenticate"]).toMatch(/error="insufficient_user_authentication".*max_age="300"/);
  });

  test("is not renewed by what the user does, only by a new proof", async () => {
    const { target, jar, phone } = await proved({ maxAge: "5m" });
    for (let minutes = 0; minutes < 6; minutes += 1) {
      target.clock.advance(MINUTE);
      await jar.get("/account");
    }
    expect((await jar.post("/transfer")).status).toBe(401);
    expect(await jar.isIn()).toBe(true);
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
    expect((await jar.post("/transfer")).status).toBe(200);
  });

  test("is never satisfied by a trusted browser", async () => {
    const { target, phone } = await proved({ maxAge: "400d" });
    target.clock.advance(STEP);
    const jar = await trusted(target, "alice", phone);
    await jar.post("/logout");
    await jar.login("alice");
    expect((await jar.post("/transfer")).body.code).toBe("step-up-required");
    await jar.verify(phone.code(target.clock()));
    expect((await jar.post("/transfer")).status).toBe(200);
  });

  test("sends a browser to the challenge and back to what it was reading", async () => {
    const { target, jar, phone } = await proved({ maxAge: "5m" });
    target.clock.advance(6 * MINUTE);
    const asked = await jar.page("/transfer?to=bob");
    expect([asked.status, asked.headers.location]).toEqual([303, "/2fa"]);
    const answer = await jar.form("/2fa/totp", { code: phone.code(target.clock()) });
    expect([answer.status, answer.headers.location]).toEqual([303, "/transfer?to=bob"]);
    expect((await jar.page("/transfer?to=bob")).body).toEqual({ done: true });
  });
});

describe("mfa.require()", () => {
  test("asks who has not logged in to do so, and who has to give the second factor for it", async () => {
    const { target } = await proved({});
    expect((await new Jar(target).post("/transfer")).body.code).toBe("login-required");
    expect((await (await pending(target, "alice")).post("/transfer")).body.code).toBe("second-factor-required");
  });

  test("asks a user without a second factor to set one up", async () => {
    const target = asking({});
    const jar = await pending(target, "carol");
    const answer = await jar.post("/transfer");
    expect([answer.status, answer.body]).toMatchObject([
      403,
      { code: "enrollment-required", location: "/2fa/settings" },
    ]);
    expect((await jar.page("/transfer")).headers.location).toBe("/2fa/settings");
    await jar.enroll();
    expect((await jar.post("/transfer")).status).toBe(200);
  });

  test("asks a user whom the policy exempts for the second factor they have", async () => {
    let decision: "optional" | "exempt" = "optional";
    const target = asking({}, { options: { policy: () => decision } });
    const { phone } = await enrolled(target, "alice");
    decision = "exempt";
    const jar = await pending(target, "alice");
    expect((await jar.post("/transfer")).body).toMatchObject({
      code: "step-up-required",
      methods: [{ type: "totp" }, {}],
    });
    await jar.verify(phone.code(target.clock()));
    expect((await jar.post("/transfer")).status).toBe(200);
  });

  test("takes only the methods it names", async () => {
    const { target, backupCodes, phone } = await proved({ methods: ["totp"] });
    const jar = await pending(target, "alice");
    await jar.post("/2fa/backup-code", { code: backupCodes[0]! });
    const answer = await jar.post("/transfer");
    expect(answer.body).toMatchObject({ code: "step-up-required", methods: [{ type: "totp" }] });
    expect(answer.body.methods).toHaveLength(1);
    target.clock.advance(STEP);
    await jar.verify(phone.code(target.clock()));
    expect((await jar.post("/transfer")).status).toBe(200);
  });

  test("tells a code of an app from what no look-alike site can use", async () => {
    const { jar } = await proved({ phishingResistant: true });
    expect((await jar.post("/transfer")).body.code).toBe("step-up-required");
  });

  test('under enforce: "report" lets through and says so', async () => {
    const target = asking({ maxAge: "5m" }, { options: { enforce: "report" } });
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    target.clock.advance(6 * MINUTE);
    target.events.length = 0;
    expect((await jar.post("/transfer")).status).toBe(200);
    expect(target.events).toMatchObject([{ action: "would-block", userId: "u1" }]);
  });
});
