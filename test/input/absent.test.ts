import { describe, expect, test } from "@jest/globals";
import { passkeys, totp } from "express-second-factor";
import { authenticatorApp, softwareAuthenticator } from "express-second-factor/testing";
import { testApp } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";

describe("null where nothing is meant, as browsers and other languages write it,", () => {
  test("is nothing, in what is sent with a proof", async () => {
    const target = testApp();
    const { backupCodes, phone } = await enrolled(target, "alice");
    const code = phone.code(target.clock());
    const [jar, other] = [await pending(target, "alice"), await pending(target, "alice")];
    expect((await jar.verify(code, { trustDevice: null, operation: null })).status).toBe(200);
    const saved = { code: backupCodes[0], trustDevice: null, operation: null };
    expect((await other.post("/2fa/backup-code", saved)).status).toBe(200);
  });

  test("is nothing, in what is sent to a strategy", async () => {
    const target = testApp({
      options: { exempt: ["/login", "/code"] },
      routes(app, mfa, authenticator) {
        authenticator.use(mfa.strategy("totp"));
        app.post("/code", authenticator.authenticate("totp"), (_req, res) => void res.json({}));
      },
    });
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    const body = { code: phone.code(target.clock()), trustDevice: null, operation: null };
    expect((await jar.post("/code", body)).status).toBe(200);
    // Nothing is due any more.
    expect((await jar.post("/code", { operation: null })).status).toBe(200);
  });

  test("is nothing, in what is sent to set an authenticator up and to turn away", async () => {
    const target = testApp();
    const jar = new Jar(target);
    await jar.login("alice");
    const begun = await jar.post("/2fa/totp/enroll", { label: null, password: null });
    const { factorId, uri } = begun.body as { factorId: string; uri: string };
    const proof = { factorId, code: authenticatorApp(uri).code(target.clock()) };
    const done = await jar.post("/2fa/totp/enroll/confirm", proof);
    expect([done.status, done.body.factor.label]).toEqual([201, "Authenticator app"]);
    expect((await (await pending(target, "alice")).post("/2fa/cancel", { operation: null })).status).toBe(204);
  });

  test("is nothing, in both ceremonies of passkeys, in what a browser's own JSON leaves open too", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    const device = softwareAuthenticator();
    const asked = await jar.post("/2fa/passkey/enroll/options", { conditional: null, password: null });
    expect(asked.status).toBe(200);
    const made = device.create(asked.body);
    const credential = {
      ...made,
      authenticatorAttachment: null,
      clientExtensionResults: null,
      response: { ...made.response, transports: null, publicKey: null },
    };
    const done = await jar.post("/2fa/passkey/enroll", { credential, label: null, password: null });
    expect([done.status, done.body.factor?.label]).toEqual([201, "Passkey"]);
    const waiting = await pending(target, "alice");
    const options = await waiting.post("/2fa/passkey/options", { operation: null });
    const found = device.get(options.body);
    const answer = { ...found, authenticatorAttachment: null, response: { ...found.response, userHandle: null } };
    const body = { credential: answer, trustDevice: null, operation: null };
    expect((await waiting.post("/2fa/passkey", body)).status).toBe(200);
  });

  test("is nothing, in the answer to the offer of a passkey", async () => {
    const methods = [totp(), passkeys({ offer: true })];
    const target = testApp({ options: { methods } });
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    expect((await jar.post("/2fa/passkey/offer/decline", { forever: null })).status).toBe(204);
    expect((await jar.get("/2fa/settings")).body.declinesPasskeys).toBeUndefined();
  });

  test("is not what must be there", async () => {
    const target = testApp();
    const { factorId, phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    expect((await jar.post(`/2fa/factors/${factorId}/rename`, { label: null })).status).toBe(400);
    expect((await jar.verify(null as never)).status).toBe(400);
    expect((await jar.post("/2fa/totp/resync", { factorId, codes: null })).status).toBe(400);
    expect((await jar.post("/2fa/passkey", { credential: null })).status).toBe(400);
  });
});
