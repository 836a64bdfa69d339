// The steps of WebAuthn Level 3 section 7.2 that a server can check, by number.
import { verifyAuthenticationResponse } from "@simplewebauthn/server";
import { describe, expect, test } from "@jest/globals";
import { isoCBOR } from "@simplewebauthn/server/helpers";
import { softwareAuthenticator, type Tampering } from "express-second-factor/testing";
import { ORIGIN, type TestApp } from "../support/app.js";
import { expectDenied, MINUTE } from "../support/attack.js";
import { Jar } from "../support/browser.js";
import { actions } from "../support/observe.js";
import { AUTHENTICATION_LIES, BE, BS, type Lie, randomText, UV } from "./lies.js";
import {
  answerWith,
  creationOptions,
  expectRefused,
  type Holder,
  holder,
  passkeyApp,
  passwordGiven,
  requestOptions,
} from "./stage.js";

/** Somebody with a passkey, waiting for the second factor in a login of its own. */
async function waiting(target: TestApp, options = {}): Promise<Holder> {
  const alice = await holder(target, "alice", options);
  return { ...alice, jar: await passwordGiven(target, "alice") };
}

async function expectOpens({ device, jar }: Holder, lie: Tampering = {}): Promise<void> {
  const answer = await answerWith(jar, device, lie);
  expect([answer.status, await jar.isIn()]).toEqual([200, true]);
}

/** What the verifier library says of it by itself, asked as this library asks it. */
async function verifierAccepts({ lie, underRequired }: Lie): Promise<boolean> {
  const { device, jar } = await waiting(passkeyApp());
  const options = await requestOptions(jar);
  const { id, key } = device.passkeys[0]!;
  try {
    const { verified } = await verifyAuthenticationResponse({
      response: device.get(options, lie),
      expectedChallenge: options.challenge,
      expectedOrigin: [ORIGIN],
      expectedRPID: "localhost",
      requireUserVerification: underRequired === true,
      credential: { id, publicKey: isoCBOR.encode(new Map(key.publicKey)), counter: 0 },
    });
    return verified;
  } catch {
    return false;
  }
}

describe("an assertion with one thing wrong is refused, and the same without it accepted", () => {
  test.each(AUTHENTICATION_LIES)("7.2 step $step: $says", async (row) => {
    const target = passkeyApp(row.underRequired ? { userVerification: "required" } : {});
    const alice = await waiting(target);
    actions(target);
    expectRefused(await answerWith(alice.jar, alice.device, row.lie));
    expect(actions(target)).toEqual(["factor-failed"]);
    await expectDenied(alice.jar);
    await expectOpens(alice);
  });

  test.each(AUTHENTICATION_LIES)("step $step, $says: who finds it is the $caughtBy", async (row) => {
    expect(await verifierAccepts(row)).toBe(row.caughtBy === "here");
  });

  test("the verifier takes the same answer twice: that challenges are used up is this library's", async () => {
    const row: Lie = { step: "11", says: "", lie: {}, caughtBy: "here" };
    expect([await verifierAccepts(row), await verifierAccepts(row)]).toEqual([true, true]);
  });
});

describe("what lies beside the steps and is right", () => {
  test.each<readonly [string, Tampering]>([
    ["7.2 step 6: no user handle, as security keys answer", { userHandle: null }],
    ["7.2 step 13: crossOrigin is absent", { clientData: { crossOrigin: undefined } }],
    ["7.2 step 17: the user was not verified, and need not be", { flags: (flags) => flags & ~UV }],
    ["7.2 step 18: it may be backed up and is not now", { flags: (flags) => flags & ~BS }],
  ])("%s", async (_says, lie) => {
    await expectOpens(await waiting(passkeyApp()), lie);
  });

  test("7.2 step 24: whether it is backed up is stored as it is now", async () => {
    const target = passkeyApp();
    const alice = await waiting(target);
    await expectOpens(alice, { flags: (flags) => flags & ~BS });
    expect((await target.store.read("account:u1"))!.value).toContain('"backedUp":false');
  });
});

describe("7.2 steps 5 and 6: the credential is the pending user's", () => {
  test("a key of another user, over the right challenge", async () => {
    const target = passkeyApp();
    const alice = await waiting(target);
    const mallory = await holder(target, "mallory");
    const options = await requestOptions(alice.jar);
    const { id } = mallory.device.passkeys[0]!;
    const credential = mallory.device.get({ ...options, allowCredentials: [{ id, type: "public-key" }] });
    expectRefused(await alice.jar.post("/2fa/passkey", { credential }));
    await expectDenied(alice.jar);
    await expectOpens(alice);
  });

  test("the right key and signature with another user's handle", async () => {
    const target = passkeyApp();
    const alice = await waiting(target);
    const { device } = await holder(target, "mallory");
    const { userHandle } = device.passkeys[0]!;
    expectRefused(await answerWith(alice.jar, alice.device, { userHandle }));
    await expectDenied(alice.jar);
    await expectOpens(alice);
  });

  test("a key the user removed", async () => {
    const target = passkeyApp();
    const alice = await holder(target, "alice");
    const second = softwareAuthenticator();
    const made = second.create(await creationOptions(alice.jar));
    expect((await alice.jar.post("/2fa/passkey/enroll", { credential: made })).status).toBe(201);
    expect((await alice.jar.post(`/2fa/factors/${alice.factorId}/remove`)).status).toBe(204);
    const jar = await passwordGiven(target, "alice");
    const options = await requestOptions(jar);
    const { id } = alice.device.passkeys[0]!;
    const credential = alice.device.get({ ...options, allowCredentials: [{ id, type: "public-key" }] });
    expectRefused(await jar.post("/2fa/passkey", { credential }));
    await expectDenied(jar);
    await expectOpens({ ...alice, jar, device: second });
  });
});

describe("7.2 step 11: the challenge is the one issued, to this login, for this", () => {
  test("issued to another login of the same user", async () => {
    const target = passkeyApp();
    const alice = await waiting(target);
    const there = await passwordGiven(target, "alice");
    const credential = alice.device.get(await requestOptions(there));
    expectRefused(await alice.jar.post("/2fa/passkey", { credential }));
    expectRefused(await there.post("/2fa/passkey", { credential }));
    await expectDenied(alice.jar);
    await expectOpens(alice);
  });

  test("issued to another user", async () => {
    const target = passkeyApp();
    const alice = await waiting(target);
    await holder(target, "mallory");
    const { challenge } = await requestOptions(await passwordGiven(target, "mallory"));
    const credential = alice.device.get({ ...(await requestOptions(alice.jar)), challenge });
    expectRefused(await alice.jar.post("/2fa/passkey", { credential }));
    await expectOpens(alice);
  });

  test("issued for an enrollment, for a step-up, for a login without a password", async () => {
    const target = passkeyApp();
    const inside = await holder(target, "alice");
    const alice = { ...inside, jar: await passwordGiven(target, "alice") };
    const stranger = new Jar(target);
    const challenges = [
      (await creationOptions(inside.jar)).challenge,
      (await requestOptions(inside.jar)).challenge,
      (await requestOptions(stranger)).challenge,
    ];
    for (const challenge of challenges) {
      const credential = alice.device.get({ ...(await requestOptions(alice.jar)), challenge });
      expectRefused(await alice.jar.post("/2fa/passkey", { credential }));
    }
    await expectDenied(alice.jar);
    await expectOpens(alice);
  });

  test("issued five minutes ago; just before that it is good", async () => {
    const target = passkeyApp();
    const alice = await waiting(target);
    const late = alice.device.get(await requestOptions(alice.jar));
    target.clock.advance(5 * MINUTE);
    expectRefused(await alice.jar.post("/2fa/passkey", { credential: late }));
    const inTime = alice.device.get(await requestOptions(alice.jar));
    target.clock.advance(5 * MINUTE - 1);
    expect((await alice.jar.post("/2fa/passkey", { credential: inTime })).status).toBe(200);
  });
});

describe("7.2 step 19: whether a key may be backed up never changes", () => {
  test.each([
    [false, BE],
    [false, BE | BS],
    [true, BE | BS],
  ])("made with BE %s, then the bits %i are turned over", async (backupEligible, bits) => {
    const alice = await waiting(passkeyApp(), { backupEligible });
    expectRefused(await answerWith(alice.jar, alice.device, { flags: (flags) => flags ^ bits }));
    await expectDenied(alice.jar);
    await expectOpens(alice);
  });
});

describe("7.2 step 21: the signature is over this answer", () => {
  test.each(["authenticatorData", "clientDataJSON"] as const)("%s exchanged after signing", async (part) => {
    const alice = await waiting(passkeyApp(), { counter: true });
    const options = await requestOptions(alice.jar);
    const signed = alice.device.get(options);
    const other = alice.device.get(options, { clientData: { extra: randomText(4) } });
    const response = { ...signed.response, [part]: other.response[part] };
    expectRefused(await alice.jar.post("/2fa/passkey", { credential: { ...signed, response } }));
    await expectDenied(alice.jar);
    await expectOpens(alice);
  });

  test("by another key", async () => {
    const alice = await waiting(passkeyApp());
    const { key } = alice.device.passkeys[0]!;
    const impostor = await holder(passkeyApp(), "mallory");
    const { id } = alice.device.passkeys[0]!;
    const options = await requestOptions(alice.jar);
    const credential = impostor.device.get({ ...options, allowCredentials: [] }, { id, userHandle: null });
    expect(key).not.toBe(impostor.device.passkeys[0]!.key);
    expectRefused(await alice.jar.post("/2fa/passkey", { credential }));
    await expectOpens(alice);
  });
});

describe("7.2 step 22: a signature counter grows", () => {
  test.each([
    ["the same", 0],
    ["lower", -1],
    ["zero", -7],
  ])("%s: refused, and told as what it is", async (_says, step) => {
    const target = passkeyApp();
    const alice = await waiting(target, { counter: true });
    await expectOpens(alice, { counter: 7 });
    const jar = await passwordGiven(target, "alice");
    actions(target);
    expectRefused(await answerWith(jar, alice.device, { counter: 7 + step }));
    expect(actions(target)).toEqual(["passkey-counter-regressed", "factor-failed"]);
    await expectDenied(jar);
    await expectOpens({ ...alice, jar }, { counter: 8 });
  });

  test("always zero: fine", async () => {
    const target = passkeyApp();
    const alice = await waiting(target);
    await expectOpens(alice);
    await expectOpens({ ...alice, jar: await passwordGiven(target, "alice") });
  });

  test("one nobody signed says nothing about a clone", async () => {
    const target = passkeyApp();
    const alice = await waiting(target, { counter: true });
    await expectOpens(alice, { counter: 7 });
    const jar = await passwordGiven(target, "alice");
    actions(target);
    expectRefused(await answerWith(jar, alice.device, { counter: 3, signature: (bytes) => bytes.slice().fill(1, 8) }));
    expect(actions(target)).toEqual(["factor-failed"]);
  });

  test('counterRegression: "report" lets it through, and tells', async () => {
    const target = passkeyApp({ counterRegression: "report" });
    const alice = await waiting(target, { counter: true });
    await expectOpens(alice, { counter: 7 });
    const jar = await passwordGiven(target, "alice");
    actions(target);
    await expectOpens({ ...alice, jar }, { counter: 3 });
    expect(actions(target)).toContain("passkey-counter-regressed");
  });
});
