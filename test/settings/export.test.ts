import { describe, expect, test } from "@jest/globals";
import { HOUR, MINUTE, trusted } from "../support/attack.js";
import { testApp } from "../support/app.js";
import { enrolled, full, pending } from "../support/browser.js";

const EXPORT = "/2fa/settings/export";

describe("GET /2fa/settings/export", () => {
  test("is a file of what the application can export of this user, in browsers too, kept by no cache", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    target.clock.advance(MINUTE);
    const jar = await full(target, "alice", phone);
    for (const accept of ["application/json", "text/html"]) {
      const { body, headers, status } = await jar.get(EXPORT).set("Accept", accept);
      expect([status, headers["content-type"], headers["content-disposition"], headers["cache-control"]]).toEqual([
        200,
        "application/json; charset=utf-8",
        'attachment; filename="two-step-sign-in.json"',
        "no-store",
      ]);
      expect(body).toEqual(JSON.parse(JSON.stringify(await target.mfa.accounts.export("u1"))));
    }
  });

  test("is told as the owner's own doing, and where from, also where operators have to say who they are", async () => {
    const target = testApp({ options: { helpDesk: {} } });
    const { phone } = await enrolled(target, "alice");
    target.clock.advance(MINUTE);
    const jar = await full(target, "alice", phone);
    target.events.length = 0;
    expect((await jar.get(EXPORT)).status).toBe(200);
    expect(target.events).toMatchObject([
      { action: "account-exported", userId: "u1", actor: "u1", ip: expect.any(String) },
    ]);
  });

  test("has no secret and no code in it", async () => {
    const target = testApp();
    const { backupCodes, phone } = await enrolled(target, "alice");
    target.clock.advance(MINUTE);
    const { text } = await (await full(target, "alice", phone)).get(EXPORT);
    for (const secret of [phone.secret, ...backupCodes]) expect(text).not.toContain(secret);
  });

  test("is for nobody who has given a first factor alone, nor for a trusted browser or a proof of an hour ago", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    target.clock.advance(MINUTE);
    const jar = await full(target, "alice", phone);
    target.clock.advance(HOUR);
    expect((await jar.get(EXPORT)).body).toMatchObject({ status: 401, code: "step-up-required" });
    expect((await (await pending(target, "alice")).get(EXPORT)).body).toMatchObject({ code: "second-factor-required" });
    const browser = await trusted(target, "alice", phone);
    await browser.post("/logout");
    await browser.login("alice");
    expect((await browser.get(EXPORT)).body).toMatchObject({ code: "step-up-required" });
  });
});
