import { describe, expect, test } from "@jest/globals";
import { testApp } from "../support/app.js";
import { enrolled, Jar, pending } from "../support/browser.js";

describe("an application with the one line in it", () => {
  test("lets a user without a second factor in as before", async () => {
    const target = testApp();
    const jar = new Jar(target);
    const answer = await jar.login("carol");
    expect([answer.status, answer.headers.location]).toEqual([302, "/account"]);
    expect(await jar.isIn()).toBe(true);
    expect((await jar.get("/")).body.status).toBe("not-enrolled");
  });

  test("asks an enrolled user for the second factor, and opens with it", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    expect(await jar.isIn()).toBe(false);
    const answer = await jar.verify(phone.code(target.clock()));
    expect([answer.status, answer.body]).toEqual([
      200,
      { status: "verified", redirectTo: "/account", amr: ["otp", "mfa"] },
    ]);
    expect(await jar.isIn()).toBe(true);
  });
});
