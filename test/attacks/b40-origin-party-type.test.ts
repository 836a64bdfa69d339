import { describe, expect, test } from "@jest/globals";
import type { Tampering } from "express-second-factor/testing";
import { expectDenied, MODES, passworded, send } from "../support/attack.js";
import { OTHER_ORIGINS, UP } from "../passkeys/lies.js";
import { answerWith, discoverable, expectRefused, holder, passwordlessApp, requestOptions } from "../passkeys/stage.js";
import { Jar } from "../support/browser.js";

const LIES: readonly (readonly [string, Tampering])[] = [
  ...OTHER_ORIGINS.map((origin) => [`origin ${JSON.stringify(origin)}`, { clientData: { origin } }] as const),
  ["origin https://localhost.test.evil.test", { clientData: { origin: "https://localhost.test.evil.test" } }],
  ["rpIdHash of another domain", { rpId: "evil.test" }],
  ["rpIdHash of a sub-domain", { rpId: "sub.localhost" }],
  ["type webauthn.create", { clientData: { type: "webauthn.create" } }],
  ["crossOrigin true", { clientData: { crossOrigin: true } }],
  ["a top origin", { clientData: { topOrigin: "https://evil.test" } }],
  ["UP 0", { flags: (flags) => flags & ~UP }],
];

describe("B40 a properly signed answer from somewhere else", () => {
  test.each(LIES)("%s: at the login, at a step-up, and as a whole login", async (_says, lie) => {
    const target = passwordlessApp();
    const { device, jar: inside } = await holder(target, "alice");
    expectRefused(await answerWith(inside, device, lie));
    for (const mode of MODES) {
      const jar = await passworded(target, "JSON", "alice");
      const credential = JSON.stringify(device.get(await requestOptions(jar), lie));
      expect((await send(jar, mode, "/2fa/passkey", { credential })).status).toBe(401);
      await expectDenied(jar);
    }
    const stranger = new Jar(target);
    const credential = await discoverable(stranger, device, lie);
    expect((await stranger.post("/login/passkey", { credential })).status).toBe(401);
    await expectDenied(stranger);
  });

  test("nor does a request that says it is for another host make it right", async () => {
    const target = passwordlessApp();
    const { device } = await holder(target, "alice");
    const jar = await passworded(target, "JSON", "alice");
    const headers = { Host: "evil.test", "X-Forwarded-Host": "evil.test", Forwarded: "host=evil.test" };
    const asked = await jar.post("/2fa/passkey/options").set(headers);
    expect([asked.status, asked.body.rpId]).toEqual([200, "localhost"]);
    const lie = { clientData: { origin: "https://evil.test" }, rpId: "evil.test" };
    const credential = device.get(asked.body, lie);
    expectRefused(await jar.post("/2fa/passkey", { credential }).set(headers));
    await expectDenied(jar);
  });
});
