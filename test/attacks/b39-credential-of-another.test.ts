import { expect, test } from "@jest/globals";
import type { Tampering } from "express-second-factor/testing";
import { testApp } from "../support/app.js";
import { expectDenied, passworded, told } from "../support/attack.js";
import { answerWith, expectRefused, holder, requestOptions } from "../passkeys/stage.js";

test.each<readonly [string, (alice: { id: string; userHandle: string }) => Tampering]>([
  ["mallory's id", () => ({})],
  ["mallory's id, no handle", () => ({ userHandle: null })],
  ["alice's id", ({ id }) => ({ id })],
  ["alice's id, no handle", ({ id }) => ({ id, userHandle: null })],
  ["alice's handle", ({ userHandle }) => ({ userHandle })],
  ["alice's id and handle", ({ id, userHandle }) => ({ id, userHandle })],
])("B39 alice's challenge signed by mallory's authenticator, with %s", async (_says, lie) => {
  const target = testApp();
  const alice = await holder(target, "alice");
  const mallory = await holder(target, "mallory");
  const jar = await passworded(target, "JSON", "alice");
  const options = await requestOptions(jar);
  const own = mallory.device.passkeys[0]!.id;
  const allowed = { ...options, allowCredentials: [{ id: own, type: "public-key" as const }] };
  const credential = mallory.device.get(allowed, lie(alice.device.passkeys[0]!));
  const before = told("factor-failed", target);
  expectRefused(await jar.post("/2fa/passkey", { credential }));
  expect(told("factor-failed", target) - before).toBe(1);
  await expectDenied(jar);
  expect((await answerWith(jar, alice.device)).status).toBe(200);
});

test("B39 alice's options name only alice's passkeys", async () => {
  const target = testApp();
  const alice = await holder(target, "alice");
  await holder(target, "mallory");
  const options = await requestOptions(await passworded(target, "JSON", "alice"));
  expect(options.allowCredentials?.map(({ id }) => id)).toEqual(alice.device.passkeys.map(({ id }) => id));
});
