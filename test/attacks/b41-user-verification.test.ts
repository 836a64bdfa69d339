import { describe, expect, test } from "@jest/globals";
import { backupCodes, passkeys, totp } from "express-second-factor";
import { softwareAuthenticator } from "express-second-factor/testing";
import { expectDenied, passworded } from "../support/attack.js";
import { Jar } from "../support/browser.js";
import {
  answerWith,
  creationOptions,
  enrollWith,
  expectRefused,
  holder,
  passwordless,
  passwordlessApp,
  requestOptions,
  storedPasskeys,
} from "../passkeys/stage.js";
import { UV } from "../passkeys/lies.js";

const WITHOUT_UV = { flags: (flags: number) => flags & ~UV };

describe.each([
  ["userVerification: required", { methods: [totp(), backupCodes(), passkeys({ userVerification: "required" })] }],
  ["the strict preset", { preset: "strict" }],
  ["the strict preset over userVerification: preferred", { preset: "strict", methods: [totp(), passkeys()] }],
] as const)("B41 under %s an answer without user verification", (_says, options) => {
  test("sets no passkey up", async () => {
    const target = passwordlessApp({ options });
    const jar = await passworded(target, "JSON", "alice");
    expect((await creationOptions(jar)).authenticatorSelection?.userVerification).toBe("required");
    expectRefused(await enrollWith(jar, softwareAuthenticator({ userVerification: false })));
    expect(await storedPasskeys(target, "alice")).toEqual([]);
    expect((await enrollWith(jar, softwareAuthenticator())).status).toBe(201);
  });

  test("finishes no login, is no step-up, and is no login by itself", async () => {
    const target = passwordlessApp({ options });
    const { device, jar: inside } = await holder(target, "alice");
    const jar = await passworded(target, "JSON", "alice");
    expect((await requestOptions(jar)).userVerification).toBe("required");
    expectRefused(await answerWith(jar, device, WITHOUT_UV));
    await expectDenied(jar);
    expectRefused(await answerWith(inside, device, WITHOUT_UV));
    const stranger = new Jar(target);
    expect((await passwordless(stranger, device, WITHOUT_UV)).status).toBe(401);
    await expectDenied(stranger);
    expect((await answerWith(jar, device)).status).toBe(200);
  });
});

test("B41 by default a key without user verification is a second factor, and no login by itself", async () => {
  const target = passwordlessApp();
  const { device } = await holder(target, "alice", { userVerification: false });
  const jar = await passworded(target, "JSON", "alice");
  expect((await requestOptions(jar)).userVerification).toBe("preferred");
  expect((await answerWith(jar, device)).status).toBe(200);
  expect(await jar.isIn()).toBe(true);
  const stranger = new Jar(target);
  expect((await passwordless(stranger, device)).status).toBe(401);
  await expectDenied(stranger);
});

test.each<readonly [string, object]>([
  ["by default", {}],
  ["with userVerification: preferred", { methods: [totp(), passkeys({ userVerification: "preferred" })] }],
  ["with userVerification: required", { methods: [totp(), passkeys({ userVerification: "required" })] }],
  ["under the strict preset", { preset: "strict" }],
])("B41 a whole login is asked for with user verification: %s", async (_says, options) => {
  const jar = new Jar(passwordlessApp({ options }));
  expect((await requestOptions(jar)).userVerification).toBe("required");
});

// Only a second step is asked for with "preferred": here a client that did as it was told carries its answer to the login.
describe("B41 a key without user verification that was asked with preferred", () => {
  async function asked() {
    const target = passwordlessApp();
    const { device, jar: inside } = await holder(target, "alice", { userVerification: false });
    const answerFor = async (jar: Jar) => {
      const options = await requestOptions(jar);
      expect(options.userVerification).toBe("preferred");
      return { credential: device.get(options) };
    };
    return { target, inside, waiting: await passworded(target, "JSON", "alice"), answerFor };
  }

  test("is the second step it was asked for, at the application's own route too", async () => {
    const { answerFor, waiting } = await asked();
    expect((await waiting.post("/login/passkey", await answerFor(waiting))).status).toBe(200);
    expect(await waiting.isIn()).toBe(true);
  });

  test("is no login in another browser, whether asked for a second step or for a confirmation", async () => {
    const { answerFor, inside, target, waiting } = await asked();
    for (const jar of [waiting, inside]) {
      const stranger = new Jar(target);
      expect((await stranger.post("/login/passkey", await answerFor(jar))).status).toBe(401);
      await expectDenied(stranger);
    }
  });

  test("is no login in its own browser once the password no longer counts", async () => {
    const { answerFor, waiting } = await asked();
    const answer = await answerFor(waiting);
    await waiting.post("/logout");
    expect((await waiting.post("/login/passkey", answer)).status).toBe(401);
    await expectDenied(waiting);
  });
});
