// The steps of WebAuthn Level 3 section 7.1 that a server can check, by number.
import { verifyRegistrationResponse } from "@simplewebauthn/server";
import { describe, expect, test } from "@jest/globals";
import { softwareAuthenticator, type Tampering } from "express-second-factor/testing";
import { ORIGIN, type TestApp } from "../support/app.js";
import { MINUTE } from "../support/attack.js";
import type { Jar } from "../support/browser.js";
import { actions } from "../support/observe.js";
import { base64url, BE, BS, type Lie, randomText, REGISTRATION_LIES, UV } from "./lies.js";
import {
  creationOptions,
  enrollWith,
  expectRefused,
  holder,
  passkeyApp,
  passwordGiven,
  requestOptions,
  storedPasskeys,
} from "./stage.js";

function appFor({ underRequired }: Pick<Lie, "underRequired">): TestApp {
  return passkeyApp(underRequired ? { userVerification: "required" } : {});
}

async function expectNothingEnrolled(target: TestApp): Promise<void> {
  expect(await storedPasskeys(target, "alice")).toEqual([]);
  expect((await target.mfa.accounts.status("u1")).enrolled).toBe(false);
}

async function expectAccepted(jar: Jar, lie: Tampering = {}): Promise<void> {
  expect((await enrollWith(jar, softwareAuthenticator(), lie)).status).toBe(201);
}

/** What the verifier library says of it by itself, asked as this library asks it. */
async function verifierAccepts({ lie, underRequired }: Lie): Promise<boolean> {
  const jar = await passwordGiven(appFor({ underRequired: true }), "alice");
  const options = await creationOptions(jar);
  try {
    const result = await verifyRegistrationResponse({
      response: softwareAuthenticator().create(options, lie),
      expectedChallenge: options.challenge,
      expectedOrigin: [ORIGIN],
      expectedRPID: "localhost",
      requireUserVerification: underRequired === true,
      supportedAlgorithmIDs: [-8, -7, -257],
    });
    return result.verified;
  } catch {
    return false;
  }
}

describe("a new passkey with one thing wrong is refused, and the same without it accepted", () => {
  test.each(REGISTRATION_LIES)("7.1 step $step: $says", async (row) => {
    const target = appFor(row);
    const jar = await passwordGiven(target, "alice");
    expectRefused(await enrollWith(jar, softwareAuthenticator(), row.lie));
    expect(actions(target)).toContain("factor-failed");
    await expectNothingEnrolled(target);
    await expectAccepted(jar);
    expect(await storedPasskeys(target, "alice")).toHaveLength(1);
  });

  test.each(REGISTRATION_LIES)("step $step, $says: who finds it is the $caughtBy", async (row) => {
    expect(await verifierAccepts(row)).toBe(row.caughtBy === "here");
  });
});

describe("what lies beside the steps and is right", () => {
  test.each<readonly [string, Tampering]>([
    ["7.1 step 9: the origin is the one configured", { clientData: { origin: ORIGIN } }],
    ["7.1 step 10: crossOrigin is absent", { clientData: { crossOrigin: undefined } }],
    ["7.1 step 16: the user was not verified, and need not be", { flags: (flags) => flags & ~UV }],
    ["7.1 step 17: it may be backed up and is not", { flags: (flags) => (flags | BE) & ~BS }],
    ["7.1 step 17: it can never be backed up", { flags: (flags) => flags & ~(BE | BS) }],
    ["7.1 step 14: the relying party is the one configured", { rpId: "localhost" }],
  ])("%s", async (_says, lie) => {
    await expectAccepted(await passwordGiven(passkeyApp(), "alice"), lie);
  });

  test("7.1 step 9: every configured origin will do, and no other", async () => {
    const other = "https://acme.example";
    const jar = await passwordGiven(
      passkeyApp({ rpId: "localhost" }, { options: { origin: [ORIGIN, other] } }),
      "alice",
    );
    await expectAccepted(jar, { clientData: { origin: other } });
  });

  test("7.1 step 25: an id of 1023 bytes is accepted", async () => {
    const id = randomText(1023);
    const target = passkeyApp();
    await expectAccepted(await passwordGiven(target, "alice"), { id, attestedId: id });
  });

  test.each(["ES256", "EdDSA", "RS256"] as const)("7.1 step 20: %s is offered and accepted", async (algorithm) => {
    const jar = await passwordGiven(passkeyApp(), "alice");
    expect((await enrollWith(jar, softwareAuthenticator({ algorithm }))).status).toBe(201);
  });
});

describe("7.1 step 8: the challenge is the one issued, to this login, for this", () => {
  test("issued to another user", async () => {
    const target = passkeyApp();
    const [alice, mallory] = [await passwordGiven(target, "alice"), await passwordGiven(target, "mallory")];
    const theirs = softwareAuthenticator().create(await creationOptions(mallory));
    expectRefused(await alice.post("/2fa/passkey/enroll", { credential: theirs }));
    expectRefused(await mallory.post("/2fa/passkey/enroll", { credential: theirs }));
    await expectNothingEnrolled(target);
    await expectAccepted(alice);
  });

  test("issued to another login of the same user", async () => {
    const target = passkeyApp();
    const [here, there] = [await passwordGiven(target, "alice"), await passwordGiven(target, "alice")];
    const credential = softwareAuthenticator().create(await creationOptions(there));
    expectRefused(await here.post("/2fa/passkey/enroll", { credential }));
    await expectNothingEnrolled(target);
  });

  test("issued five minutes ago; just before that it is good", async () => {
    const target = passkeyApp();
    const jar = await passwordGiven(target, "alice");
    const late = softwareAuthenticator().create(await creationOptions(jar));
    target.clock.advance(5 * MINUTE);
    expectRefused(await jar.post("/2fa/passkey/enroll", { credential: late }));
    const inTime = softwareAuthenticator().create(await creationOptions(jar));
    target.clock.advance(5 * MINUTE - 1);
    expect((await jar.post("/2fa/passkey/enroll", { credential: inTime })).status).toBe(201);
  });

  test("used before, and spent even by a failure", async () => {
    const target = passkeyApp();
    const jar = await passwordGiven(target, "alice");
    const options = await creationOptions(jar);
    const lie = { clientData: { origin: "https://evil.test" } };
    const [wrong, right] = [softwareAuthenticator().create(options, lie), softwareAuthenticator().create(options)];
    expectRefused(await jar.post("/2fa/passkey/enroll", { credential: wrong }));
    expectRefused(await jar.post("/2fa/passkey/enroll", { credential: right }));
    await expectNothingEnrolled(target);
  });

  test("issued for a step-up", async () => {
    const target = passkeyApp();
    const { jar } = await holder(target, "alice");
    const { challenge } = await requestOptions(jar);
    const creation = await creationOptions(jar);
    const credential = softwareAuthenticator().create({ ...creation, challenge });
    expectRefused(await jar.post("/2fa/passkey/enroll", { credential }));
    expect(await storedPasskeys(target, "alice")).toHaveLength(1);
  });

  test("issued before anybody logged in", async () => {
    const target = passkeyApp();
    const anonymous = await passwordGiven(target, "nobody");
    const { challenge } = await requestOptions(anonymous);
    await anonymous.login("alice");
    const credential = softwareAuthenticator().create({ ...(await creationOptions(anonymous)), challenge });
    expectRefused(await anonymous.post("/2fa/passkey/enroll", { credential }));
    await expectNothingEnrolled(target);
  });
});

describe("7.1 step 26: the credential id is nobody's yet", () => {
  test("one of another user is a conflict, and stays theirs", async () => {
    const target = passkeyApp();
    const { device } = await holder(target, "alice");
    const { id } = device.passkeys[0]!;
    const mallory = await passwordGiven(target, "mallory");
    const answer = await enrollWith(mallory, softwareAuthenticator(), { id, attestedId: id });
    expect([answer.status, answer.body.code]).toEqual([409, "conflict"]);
    expect(await storedPasskeys(target, "mallory")).toEqual([]);
    await expectAccepted(mallory);
    expect(await storedPasskeys(target, "alice")).toHaveLength(1);
  });

  test("one's own a second time is a conflict", async () => {
    const target = passkeyApp();
    const { device, jar } = await holder(target, "alice");
    const { id } = device.passkeys[0]!;
    const answer = await enrollWith(jar, softwareAuthenticator(), { id, attestedId: id });
    expect([answer.status, answer.body.code]).toEqual([409, "conflict"]);
    expect(await storedPasskeys(target, "alice")).toHaveLength(1);
  });

  test("claimed by two users at once, one has it", async () => {
    const target = passkeyApp();
    const id = randomText(32);
    const jars = await Promise.all(["alice", "mallory", "carol", "dave"].map((name) => passwordGiven(target, name)));
    const answers = await Promise.all(
      jars.map((jar) => enrollWith(jar, softwareAuthenticator(), { id, attestedId: id })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
  });
});

test("7.1 step 13: an attestation object with something after its end is refused", async () => {
  const target = passkeyApp();
  const jar = await passwordGiven(target, "alice");
  const credential = softwareAuthenticator().create(await creationOptions(jar));
  const { attestationObject } = credential.response;
  const longer = base64url(Buffer.concat([Buffer.from(attestationObject, "base64url"), Buffer.from([0xf6])]));
  const answer = await jar.post("/2fa/passkey/enroll", {
    credential: { ...credential, response: { ...credential.response, attestationObject: longer } },
  });
  expectRefused(answer);
  await expectNothingEnrolled(target);
});
