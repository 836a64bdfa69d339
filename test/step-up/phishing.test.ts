// What a passkey shows that was set up in the very login that asks.
import { describe, expect, test } from "@jest/globals";
import { softwareAuthenticator } from "express-second-factor/testing";
import { answerWith, creationOptions, enrollWith } from "../passkeys/stage.js";
import { testApp, type TestApp } from "../support/app.js";
import { MINUTE } from "../support/attack.js";
import { enrolled, full, Jar } from "../support/browser.js";

function guarding(): TestApp {
  return testApp({
    routes(app, mfa) {
      app.get("/resistant", mfa.require({ phishingResistant: true }), (_req, res) => void res.sendStatus(200));
      app.get(
        "/fresh",
        mfa.require({ phishingResistant: true, maxAge: "5m" }),
        (_req, res) => void res.sendStatus(200),
      );
      app.get("/passkey", mfa.require({ methods: ["passkey"] }), (_req, res) => void res.sendStatus(200));
    },
  });
}

async function proved(target: TestApp): Promise<Jar> {
  const { phone } = await enrolled(target, "alice");
  return full(target, "alice", phone);
}

describe("a passkey set up in a login by code", () => {
  test("opens what must be phishing-resistant from its first use on", async () => {
    const jar = await proved(guarding());
    const device = softwareAuthenticator();
    await enrollWith(jar, device);
    const asked = await jar.get("/resistant");
    expect([asked.status, asked.body.code, asked.body.methods.map(({ type }: { type: string }) => type)]).toEqual([
      401,
      "step-up-required",
      ["passkey"],
    ]);
    expect((await answerWith(jar, device)).status).toBe(200);
    expect((await jar.get("/resistant")).status).toBe(200);
  });

  test("is a proof by a passkey all the same", async () => {
    const jar = await proved(guarding());
    await enrollWith(jar, softwareAuthenticator());
    expect((await jar.get("/passkey")).status).toBe(200);
    expect((await jar.post("/2fa/backup-codes")).status).toBe(201);
  });
});

test("a first passkey, set up on a password, is no different", async () => {
  const jar = new Jar(guarding());
  await jar.login("alice");
  const device = softwareAuthenticator();
  await enrollWith(jar, device);
  expect((await jar.get("/resistant")).status).toBe(401);
  await answerWith(jar, device);
  expect((await jar.get("/resistant")).status).toBe(200);
});

describe("a passkey set up in a login by another passkey", () => {
  test("takes nothing from what that has shown, and makes it no younger", async () => {
    const target = guarding();
    const jar = await proved(target);
    const first = softwareAuthenticator();
    await enrollWith(jar, first);
    await answerWith(jar, first);
    target.clock.advance(4 * MINUTE);
    const second = softwareAuthenticator();
    await enrollWith(jar, second);
    expect([(await jar.get("/fresh")).status, (await jar.get("/resistant")).status]).toEqual([200, 200]);
    target.clock.advance(2 * MINUTE);
    expect([(await jar.get("/fresh")).status, (await jar.get("/resistant")).status]).toEqual([401, 200]);
  });

  test("made by the way, it shows nothing either", async () => {
    const target = guarding();
    const jar = await proved(target);
    const device = softwareAuthenticator({ userPresence: false });
    const credential = device.create(await creationOptions(jar, { conditional: true }));
    expect((await jar.post("/2fa/passkey/enroll", { credential })).status).toBe(201);
    expect((await jar.get("/resistant")).status).toBe(401);
  });
});
