// Conditional create (WebAuthn Level 3 section 5.1.3): a password manager makes a passkey by the way, with nobody at the key.
import { describe, expect, test } from "@jest/globals";
import type { PasskeysOptions } from "express-second-factor";
import { type SoftwareAuthenticator, softwareAuthenticator } from "express-second-factor/testing";
import type { Response } from "supertest";
import { CANARY, type TestApp } from "../support/app.js";
import { HOUR, MINUTE } from "../support/attack.js";
import { type Enrolled, enrolled, full, type Jar, pending } from "../support/browser.js";
import { actions } from "../support/observe.js";
import { UP, UV } from "./lies.js";
import {
  answerWith,
  creationOptions,
  enrollWith,
  expectRefused,
  passkeyApp,
  passwordGiven,
  requestOptions,
  storedPasskeys,
} from "./stage.js";

const CONDITIONAL = { conditional: true };
const NOBODY_THERE = { flags: (flags: number) => flags & ~(UP | UV) };

interface Field extends Enrolled {
  readonly target: TestApp;
  /** alice, who gave password and code. */
  readonly jar: Jar;
  /** A password manager that asks nobody. */
  readonly manager: SoftwareAuthenticator;
}

async function field(options: PasskeysOptions = {}): Promise<Field> {
  const target = passkeyApp(options, {
    routes(app, mfa) {
      app.get("/shown", (req, res) => {
        res.json(req.secondFactor);
      });
      app.get("/strong", mfa.require({ phishingResistant: true }), (_req, res) => {
        res.send(CANARY);
      });
    },
  });
  const factor = await enrolled(target, "alice");
  const jar = await full(target, "alice", factor.phone);
  return { target, ...factor, jar, manager: softwareAuthenticator({ userPresence: false }) };
}

async function upgrade({ jar, manager }: Field): Promise<Response> {
  return jar.post("/2fa/passkey/enroll", { credential: manager.create(await creationOptions(jar, CONDITIONAL)) });
}

describe("a passkey made by the way", () => {
  test("is a passkey like any other: told of, listed as never used, and good at the next login", async () => {
    const here = await field();
    const { jar, manager, target } = here;
    actions(target);
    const answer = await upgrade(here);
    expect([answer.status, answer.body.factor.type, answer.body.factor.lastUsedAt]).toEqual([201, "passkey", null]);
    expect(answer.body.backupCodes).toBeUndefined();
    expect(actions(target)).toEqual(["factor-enrolled"]);
    await jar.post("/logout");
    await jar.login("alice");
    expect((await answerWith(jar, manager, { flags: (flags) => flags | UP })).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
  });

  test("is no proof: what the login has shown, and when, is as before", async () => {
    const here = await field();
    const before = (await here.jar.get("/shown")).body;
    here.target.clock.advance(MINUTE);
    expect((await upgrade(here)).status).toBe(201);
    const { amr, phishingResistant, verifiedAt } = (await here.jar.get("/shown")).body;
    expect({ amr, phishingResistant, verifiedAt }).toEqual({
      amr: before.amr,
      phishingResistant: false,
      verifiedAt: before.verifiedAt,
    });
    expect((await here.jar.get("/strong")).body.code).toBe("step-up-required");
  });

  test("ends every other login, as a new factor does", async () => {
    const here = await field();
    const other = await full(here.target, "alice", here.phone);
    expect((await upgrade(here)).status).toBe(201);
    expect([await here.jar.isIn(), await other.isIn()]).toEqual([true, false]);
  });

  test("may have been confirmed by somebody all the same", async () => {
    const { jar } = await field();
    const credential = softwareAuthenticator().create(await creationOptions(jar, CONDITIONAL));
    expect((await jar.post("/2fa/passkey/enroll", { credential })).status).toBe(201);
  });
});

describe("that nobody is at the key is taken only where the server asked so", () => {
  test("not in an ordinary enrollment, whatever the client says of it", async () => {
    const { jar, manager, target } = await field();
    expectRefused(await enrollWith(jar, manager));
    const credential = manager.create(await creationOptions(jar));
    expectRefused(await jar.post("/2fa/passkey/enroll", { credential, ...CONDITIONAL, mediation: "conditional" }));
    expectRefused(await jar.post("/2fa/passkey/enroll?conditional=true", { credential }));
    expect(await storedPasskeys(target, "alice")).toEqual([]);
  });

  test("not where user verification is required", async () => {
    const here = await field({ userVerification: "required" });
    expectRefused(await upgrade(here));
    const { jar, target } = here;
    const present = softwareAuthenticator({ userVerification: false });
    const credential = present.create(await creationOptions(jar, CONDITIONAL));
    expectRefused(await jar.post("/2fa/passkey/enroll", { credential }));
    expect(await storedPasskeys(target, "alice")).toEqual([]);
  });

  test("not in a proof, under a challenge of either kind", async () => {
    const here = await field();
    await upgrade(here);
    const { jar, manager } = here;
    expectRefused(await answerWith(jar, manager));
    const { challenge, rp } = await creationOptions(jar, CONDITIONAL);
    for (const lie of [{}, { flags: (flags: number) => flags | UP | UV }]) {
      expectRefused(await jar.post("/2fa/passkey", { credential: manager.get({ challenge, rpId: rp.id! }, lie) }));
    }
  });

  test("not under a challenge made for a proof", async () => {
    const here = await field();
    await upgrade(here);
    const options = await creationOptions(here.jar, CONDITIONAL);
    const { challenge } = await requestOptions(here.jar);
    const credential = softwareAuthenticator().create({ ...options, challenge }, NOBODY_THERE);
    expectRefused(await here.jar.post("/2fa/passkey/enroll", { credential }));
  });

  test("not twice, not after five minutes, and not in another login", async () => {
    const here = await field();
    const { jar, manager, phone, target } = here;
    const other = await full(target, "alice", phone);
    expectRefused(
      await other.post("/2fa/passkey/enroll", { credential: manager.create(await creationOptions(jar, CONDITIONAL)) }),
    );
    const late = manager.create(await creationOptions(jar, CONDITIONAL));
    target.clock.advance(5 * MINUTE);
    expectRefused(await jar.post("/2fa/passkey/enroll", { credential: late }));
    const credential = manager.create(await creationOptions(jar, CONDITIONAL));
    expect((await jar.post("/2fa/passkey/enroll", { credential })).status).toBe(201);
    expectRefused(await jar.post("/2fa/passkey/enroll", { credential }));
    expect(await storedPasskeys(target, "alice")).toHaveLength(1);
  });
});

describe("nothing is made by the way", () => {
  test("for somebody without a factor: two-step sign-in is not switched on behind their back", async () => {
    const { target } = await field();
    const jar = await passwordGiven(target, "carol");
    const answer = await jar.post("/2fa/passkey/enroll/options", CONDITIONAL);
    expect([answer.status, answer.body.code]).toEqual([403, "enrollment-required"]);
  });

  test("for a login that is pending, or whose proof is old", async () => {
    const { jar, target } = await field();
    const waiting = await pending(target, "alice");
    const early = await waiting.post("/2fa/passkey/enroll/options", CONDITIONAL);
    expect([early.status, early.body.code]).toEqual([401, "second-factor-required"]);
    target.clock.advance(HOUR);
    const late = await jar.post("/2fa/passkey/enroll/options", CONDITIONAL);
    expect([late.status, late.body.code]).toEqual([401, "step-up-required"]);
  });

  test.each(["yes", "true", 1, [true]])("where conditional is %j: that is no request", async (conditional) => {
    const { jar } = await field();
    expect((await jar.post("/2fa/passkey/enroll/options", { conditional })).body.code).toBe("invalid-request");
  });
});

test("the options are those of an ordinary passkey: the same domain, handle and demands", async () => {
  const { jar } = await field();
  const [plain, conditional] = [await creationOptions(jar), await creationOptions(jar, CONDITIONAL)];
  expect(conditional.challenge).not.toBe(plain.challenge);
  expect({ ...conditional, challenge: "" }).toEqual({ ...plain, challenge: "" });
});
