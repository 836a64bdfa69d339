import { describe, expect, test } from "@jest/globals";
import { passkeys } from "express-second-factor";
import { softwareAuthenticator } from "express-second-factor/testing";
import { ORIGIN, testApp } from "../support/app.js";
import { expectDenied, passworded, STEP, storedAccount, wrongCodes } from "../support/attack.js";
import { enrolled, full, Jar } from "../support/browser.js";
import { faultyStore, REJECTS } from "../support/faults.js";
import { actions } from "../support/observe.js";
import { randomText } from "./lies.js";
import { answerWith, enrollWith, expectRefused, holder, requestOptions } from "./stage.js";

describe("what a browser is asked for", () => {
  test("names the pending user's passkeys with their transports, for the configured site", async () => {
    const target = testApp();
    const { device, jar: inside } = await holder(target, "alice");
    await enrollWith(inside, softwareAuthenticator());
    const options = await requestOptions(await passworded(target, "JSON", "alice"));
    expect(options).toMatchObject({ rpId: "localhost", timeout: 300_000, userVerification: "preferred" });
    expect(options.allowCredentials).toHaveLength(2);
    expect(options.allowCredentials![0]).toEqual({
      id: device.passkeys[0]!.id,
      type: "public-key",
      transports: ["internal"],
    });
  });

  test("says nothing about the account but that: no name, no handle, no key", async () => {
    const target = testApp();
    const { device } = await holder(target, "alice");
    const jar = await passworded(target, "JSON", "alice");
    const { text } = await jar.post("/2fa/passkey/options");
    for (const secret of ["alice", device.passkeys[0]!.userHandle, "publicKey"]) expect(text).not.toContain(secret);
    // Random text holds any two letters now and then; the user's id must be nowhere else.
    const { challenge } = JSON.parse(text) as { challenge: string };
    const written = text.replace(challenge, "").replace(device.passkeys[0]!.id, "");
    expect(written).toHaveLength(text.length - challenge.length - device.passkeys[0]!.id.length);
    expect(written).not.toContain("u1");
  });

  test("is not found where the user has no passkey, or passkeys are not configured", async () => {
    const target = testApp();
    await enrolled(target, "alice");
    expect((await (await passworded(target, "JSON", "alice")).post("/2fa/passkey/options")).status).toBe(404);
    const without = testApp({ options: { methods: [passkeys()] } });
    expect((await (await passworded(without, "JSON", "carol")).post("/2fa/passkey/options")).status).toBe(404);
  });

  test("is offered at the challenge, with a hint of its kind and no id of the credential", async () => {
    const target = testApp();
    const { device, factorId } = await holder(target, "alice", { backupEligible: false });
    const jar = await passworded(target, "JSON", "alice");
    const { body, text } = await jar.get("/2fa");
    expect(body.methods).toContainEqual({
      type: "passkey",
      factors: [{ id: factorId, label: "Passkey", hint: "device-bound" }],
    });
    expect(text).not.toContain(device.passkeys[0]!.id);
  });
});

describe.each(["ES256", "EdDSA", "RS256"] as const)("a passkey of %s", (algorithm) => {
  test("opens the login, again and again", async () => {
    const target = testApp();
    const { device } = await holder(target, "alice", { algorithm, counter: true });
    for (let times = 0; times < 3; times += 1) {
      const jar = await passworded(target, "JSON", "alice");
      expect([(await answerWith(jar, device)).status, await jar.isIn()]).toEqual([200, true]);
    }
  });
});

describe("guessing", () => {
  test("does not lock a passkey, however often it is wrong", async () => {
    const target = testApp();
    const { device } = await holder(target, "alice");
    for (let logins = 0; logins < 4; logins += 1) {
      const jar = await passworded(target, "JSON", "alice");
      for (let times = 0; times < 15; times += 1)
        expectRefused(await answerWith(jar, device, { userHandle: randomText(64) }));
    }
    expect((await answerWith(await passworded(target, "JSON", "alice"), device)).status).toBe(200);
  });

  test("ends its own login at the twentieth, and writes no account record", async () => {
    const target = testApp();
    const { device } = await holder(target, "alice");
    const [jar, other] = [await passworded(target, "JSON", "alice"), await passworded(target, "JSON", "alice")];
    const before = await storedAccount(target, "alice");
    const credential = device.get(await requestOptions(jar));
    for (let times = 0; times < 19; times += 1)
      expectRefused(await answerWith(jar, device, { userHandle: randomText(64) }));
    expect(await storedAccount(target, "alice")).toBe(before);
    expect((await jar.get("/2fa")).body.status).toBe("pending");
    expectRefused(await answerWith(jar, device, { userHandle: randomText(64) }));
    expect((await jar.post("/2fa/passkey", { credential })).body.code).toBe("login-required");
    expect((await answerWith(other, device)).status).toBe(200);
  });

  test("at codes locks codes, and not the passkey", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const device = softwareAuthenticator();
    await enrollWith(await full(target, "alice", phone), device);
    const jar = await passworded(target, "JSON", "alice");
    const statuses: number[] = [];
    for (const code of wrongCodes(6, phone, target.clock())) statuses.push((await jar.verify(code)).status);
    expect(statuses.at(-1)).toBe(429);
    expect((await jar.verify(phone.code(target.clock() + STEP))).status).toBe(429);
    expect((await answerWith(jar, device)).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
  });
});

describe("what follows from a passkey", () => {
  test("is an event, and the browser can be trusted", async () => {
    const target = testApp();
    const { device } = await holder(target, "alice");
    const jar = await passworded(target, "JSON", "alice");
    actions(target);
    const credential = device.get(await requestOptions(jar));
    expect((await jar.post("/2fa/passkey", { credential, trustDevice: true })).status).toBe(200);
    expect(actions(target)).toEqual(["factor-verified", "device-trusted"]);
    await jar.post("/logout");
    await jar.login("alice");
    expect((await jar.get("/2fa")).body.status).toBe("trusted-device");
  });

  test("a page's form goes where the user was going", async () => {
    const target = testApp();
    const { device } = await holder(target, "alice");
    const jar = new Jar(target);
    await jar.login("alice");
    await jar.page("/account?tab=2");
    const credential = JSON.stringify(device.get(await requestOptions(jar)));
    const answer = await jar.form("/2fa/passkey", { credential });
    expect([answer.status, answer.headers.location]).toEqual([303, "/account?tab=2"]);
  });
});

describe("while the store fails", () => {
  test("to write: 503, nobody is in, and the very same answer is good when it is back", async () => {
    const store = faultyStore();
    const keys = `test:${Buffer.from(randomText(32), "base64url").toString("base64")}`;
    const target = testApp({ store, options: { keys } });
    const { device } = await holder(target, "alice");
    const jar = await passworded(target, "JSON", "alice");
    const credential = device.get(await requestOptions(jar));
    store.fail("write", REJECTS);
    const answer = await jar.post("/2fa/passkey", { credential });
    expect([answer.status, answer.body.code]).toEqual([503, "unavailable"]);
    store.heal();
    await expectDenied(jar);
    expect((await jar.post("/2fa/passkey", { credential })).status).toBe(200);
  });

  test("a login is given no options where its account cannot be read, and nobody's options need no store", async () => {
    const store = faultyStore();
    const keys = `test:${Buffer.from(randomText(32), "base64url").toString("base64")}`;
    const target = testApp({ store, options: { keys } });
    await holder(target, "alice");
    const jar = await passworded(target, "JSON", "alice");
    store.fail("read", REJECTS);
    store.fail("write", REJECTS);
    expect((await jar.post("/2fa/passkey/options")).status).toBe(503);
    expect((await new Jar(target).post("/2fa/passkey/options")).status).toBe(200);
  });
});

describe("documents for browsers and password managers", () => {
  test("/.well-known/webauthn lists the configured origins, to anybody and without a cookie", async () => {
    const target = testApp({ options: { origin: ["https://acme.example", ORIGIN] } });
    const answer = await new Jar(target).get("/.well-known/webauthn").set("Host", "evil.test");
    expect([answer.status, answer.type, answer.body]).toEqual([
      200,
      "application/json",
      { origins: ["https://acme.example", ORIGIN] },
    ]);
    expect(answer.headers["set-cookie"]).toBeUndefined();
  });

  test("/.well-known/passkey-endpoints says where passkeys are made and managed", async () => {
    const target = testApp({ options: { origin: "https://acme.example" } });
    const answer = await new Jar(target).get("/.well-known/passkey-endpoints").set("Host", "evil.test");
    expect([answer.status, answer.type]).toEqual([200, "application/json"]);
    const page = "https://acme.example/2fa/settings";
    expect(answer.body).toEqual({ enroll: page, manage: page });
  });
});
