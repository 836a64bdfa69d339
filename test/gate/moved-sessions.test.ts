import { describe, expect, test } from "@jest/globals";
import { testApp, type TestAppOptions } from "../support/app.js";
import { expectDenied, MINUTE } from "../support/attack.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { answerWith, expectRefused, holder, passwordless, passwordlessApp } from "../passkeys/stage.js";
import { randomText, UV } from "../passkeys/lies.js";

/** An application that gives a session a new id when it is asked to, and takes along everything that it holds. */
const moving: TestAppOptions = {
  options: { policy: (_user, req) => (req.get("x-office") === undefined ? "optional" : "exempt") },
  before: (app) =>
    app.post("/move", (req, res, next) => {
      const { cookie: _old, ...kept } = req.session;
      req.session.regenerate((error) => {
        Object.assign(req.session, kept);
        if (error) next(error);
        else res.json({});
      });
    }),
};

const OFFICE = { "X-Office": "1" };
const WITHOUT_UV = { flags: (flags: number) => flags & ~UV };

async function move(jar: Jar): Promise<void> {
  expect((await jar.post("/move")).status).toBe(200);
}

describe("a login whose session the application moves to a new id", () => {
  test("owes what it owed, whatever the next request says", async () => {
    const target = testApp(moving);
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    await move(jar);
    expect((await jar.get("/account").set(OFFICE)).body.code).toBe("second-factor-required");
    await move(jar);
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
  });

  test("owes what it owed where it waits for its user to set a factor up", async () => {
    const policy = { optional: "required", required: "exempt" } as const;
    let asked: keyof typeof policy = "optional";
    const target = testApp({ ...moving, options: { policy: () => policy[asked] } });
    const jar = await pending(target, "dave");
    expect((await jar.get("/account")).body.code).toBe("enrollment-required");
    asked = "required";
    await move(jar);
    expect((await jar.get("/account")).body.code).toBe("enrollment-required");
  });

  test("has no new ten minutes, however often that is done", async () => {
    const target = testApp(moving);
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    for (const minutes of [4, 4]) {
      target.clock.advance(minutes * MINUTE);
      await move(jar);
      expect((await jar.get("/2fa")).body.status).toBe("pending");
    }
    target.clock.advance(3 * MINUTE);
    await move(jar);
    expect((await jar.verify(phone.code(target.clock()))).body.code).toBe("expired");
    await expectDenied(jar);
    expect((await jar.get("/2fa")).body.code).toBe("login-required");
  });

  test("ends where what it waits for is gone", async () => {
    const target = testApp(moving);
    await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    await target.mfa.accounts.reset("u1");
    await move(jar);
    await expectDenied(jar);
  });

  test("is what its first factor made it: the same passkey is no second one", async () => {
    const target = passwordlessApp({ ...moving, options: { ...moving.options, exempt: ["/login", "/login/passkey"] } });
    const { device, backupCodes } = await holder(target, "alice");
    const jar = new Jar(target);
    expect((await passwordless(jar, device, WITHOUT_UV)).body.code).toBe("second-factor-required");
    await move(jar);
    expect((await jar.get("/2fa")).body.methods).toMatchObject([{ type: "backup-code" }]);
    expectRefused(await answerWith(jar, device));
    await expectDenied(jar);
    await move(jar);
    expect((await jar.post("/2fa/backup-code", { code: backupCodes[0] })).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
  });

  test("counts wrong passkeys on", async () => {
    const target = testApp(moving);
    const { device } = await holder(target, "alice");
    const jar = await pending(target, "alice");
    for (let misses = 0; misses < 20; misses += 1) {
      await move(jar);
      expectRefused(await answerWith(jar, device, { userHandle: randomText(64) }));
    }
    expect((await jar.get("/2fa")).body.code).toBe("login-required");
  });

  test("is one that still has its factor to give where it had given it", async () => {
    const target = testApp(moving);
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    target.clock.advance(11 * MINUTE);
    await move(jar);
    expect((await jar.get("/account")).body.code).toBe("second-factor-required");
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
  });
});
