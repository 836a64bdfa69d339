import { describe, expect, test } from "@jest/globals";
import { softwareAuthenticator } from "express-second-factor/testing";
import { testApp } from "../support/app.js";
import { MODES, send, storedFactors } from "../support/attack.js";
import { NOBODYS_ID } from "../support/routes.js";
import { expectRefused, holder, storedPasskeys } from "../passkeys/stage.js";

const ACTIONS = [
  { path: "rename", body: { label: "mine now" } },
  { path: "remove", body: {} },
] as const;

describe.each(MODES)("mallory, both factors given, names a passkey of alice (%s)", (mode) => {
  test.each(ACTIONS)("B31 to $path it: as if it were nobody's, and alice keeps it as it is", async ({ path, body }) => {
    const target = testApp();
    const alice = await holder(target, "alice");
    const { jar } = await holder(target, "mallory");
    const before = await storedFactors(target, "alice");
    const { id } = alice.device.passkeys[0]!;
    const answers = [];
    for (const named of [alice.factorId, id, NOBODYS_ID]) {
      const { status, text } = await send(jar, mode, `/2fa/factors/${named}/${path}`, body);
      answers.push([status, text]);
    }
    expect(answers[0]![0]).toBe(404);
    expect(answers).toEqual([answers[0], answers[0], answers[0]]);
    expect(await storedFactors(target, "alice")).toEqual(before);
    expect((await storedPasskeys(target, "mallory")).map(({ label }) => label)).toEqual(["Passkey"]);
  });
});

test("B31 a passkey of alice that mallory could not remove is still not free for mallory to claim", async () => {
  const target = testApp();
  const alice = await holder(target, "alice");
  const { jar } = await holder(target, "mallory");
  const { id } = alice.device.passkeys[0]!;
  await jar.post(`/2fa/factors/${alice.factorId}/remove`);
  const options = await jar.post("/2fa/passkey/enroll/options");
  const credential = softwareAuthenticator().create(options.body, { id, attestedId: id });
  const answer = await jar.post("/2fa/passkey/enroll", { credential });
  expect([answer.status, answer.body.code]).toEqual([409, "conflict"]);
});

test("B31 mallory cannot answer for alice's passkey in a login of mallory's, nor enroll in alice's ceremony", async () => {
  const target = testApp();
  const alice = await holder(target, "alice");
  const mallory = await holder(target, "mallory");
  const request = (await mallory.jar.post("/2fa/passkey/options")).body;
  const credential = alice.device.get({ ...request, allowCredentials: [] });
  expectRefused(await mallory.jar.post("/2fa/passkey", { credential }));
  const creation = (await alice.jar.post("/2fa/passkey/enroll/options")).body;
  const made = softwareAuthenticator().create(creation);
  expectRefused(await mallory.jar.post("/2fa/passkey/enroll", { credential: made }));
  expect(await storedPasskeys(target, "alice")).toHaveLength(1);
});
