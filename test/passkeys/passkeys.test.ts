import { describe, expect, test } from "@jest/globals";
import { softwareAuthenticator } from "express-second-factor/testing";
import { testApp } from "../support/app.js";
import { Jar } from "../support/browser.js";

describe("a passkey", () => {
  test("is enrolled, asked for at the next login, and opens it", async () => {
    const target = testApp();
    const device = softwareAuthenticator();
    const jar = new Jar(target);
    await jar.login("alice");
    const creation = await jar.post("/2fa/passkey/enroll/options");
    expect(creation.status).toBe(200);
    const enrolled = await jar.post("/2fa/passkey/enroll", { credential: device.create(creation.body) });
    expect([enrolled.status, enrolled.body.factor.type, enrolled.body.backupCodes.length]).toEqual([
      201,
      "passkey",
      10,
    ]);
    await jar.post("/logout");
    await jar.login("alice");
    expect(await jar.isIn()).toBe(false);
    const options = await jar.post("/2fa/passkey/options");
    const answer = await jar.post("/2fa/passkey", { credential: device.get(options.body) });
    expect([answer.status, answer.body.amr]).toEqual([200, ["swk", "pop", "user", "mfa"]]);
    expect(await jar.isIn()).toBe(true);
  });
});
