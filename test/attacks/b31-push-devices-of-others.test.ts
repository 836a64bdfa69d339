import { describe, expect, test } from "@jest/globals";
import { MODES, passworded, send, storedAccount, storedFactors } from "../support/attack.js";
import { Jar } from "../support/browser.js";
import { challengeFor, deviceOwner, pushApp, SUBSCRIPTION } from "../support/push-devices.js";
import { NOBODYS_ID } from "../support/routes.js";

const ACTIONS = [
  { path: "rename", body: { label: "mine now" } },
  { path: "remove", body: {} },
  { path: "resume", body: {} },
] as const;

describe.each(MODES)("mallory, both factors given, names a device of alice (%s)", (mode) => {
  test.each(ACTIONS)("B31 to $path it: as if it were nobody's, and alice keeps it as it is", async ({ path, body }) => {
    const target = pushApp();
    const alice = await deviceOwner(target, "alice");
    const { jar } = await deviceOwner(target, "mallory");
    const before = await storedFactors(target, "alice");
    const answers = [];
    for (const named of [alice.device.factorId, NOBODYS_ID]) {
      const { status, text } = await send(jar, mode, `/2fa/factors/${named}/${path}`, body);
      answers.push([status, text]);
    }
    expect(answers[0]![0]).toBe(404);
    expect(answers[1]).toEqual(answers[0]);
    expect(await storedFactors(target, "alice")).toEqual(before);
  });
});

test("B31 a device of alice that mallory could not remove is still not free for mallory to enroll", async () => {
  const target = pushApp();
  const alice = await deviceOwner(target, "alice");
  const { jar } = await deviceOwner(target, "mallory");
  await jar.post(`/2fa/factors/${alice.device.factorId}/remove`);
  const answer = await jar.post("/2fa/push/enroll", await alice.device.enrollBody(await challengeFor(jar)));
  expect([answer.status, answer.body.code]).toEqual([409, "conflict"]);
});

test("B31 alice's device signs nothing into mallory's account, and mallory's nothing into alice's", async () => {
  const target = pushApp();
  const [alice, mallory] = [await deviceOwner(target, "alice"), await deviceOwner(target, "mallory")];
  const before = [await storedAccount(target, "alice"), await storedAccount(target, "mallory")];
  const text = JSON.stringify({ ...SUBSCRIPTION, endpoint: "https://push.example/send/of-mallory" });
  const signed = await mallory.device.subscriptionBody("web-push", text);
  const answers = [
    await mallory.jar.post("/2fa/push/subscription", { ...signed, factorId: alice.device.factorId }),
    await new Jar(target).post("/2fa/push/subscription", { ...signed, factorId: alice.device.factorId }),
    await mallory.jar.post("/2fa/push/enroll", await mallory.device.enrollBody(await challengeFor(alice.jar))),
    await alice.jar.post("/2fa/push/enroll", await alice.device.enrollBody(await challengeFor(mallory.jar))),
  ];
  expect(answers.map(({ body, status }) => [status, body.code])).toEqual(answers.map(() => [401, "invalid-code"]));
  expect([await storedAccount(target, "alice"), await storedAccount(target, "mallory")]).toEqual(before);
});

test("B31 whoever has alice's password alone, and knows her device's id, learns and changes nothing", async () => {
  const target = pushApp();
  const { device } = await deviceOwner(target, "alice");
  const before = await storedFactors(target, "alice");
  const jar = await passworded(target, "JSON", "alice");
  for (const path of ["rename", "remove"]) {
    const answer = await jar.post(`/2fa/factors/${device.factorId}/${path}`, { label: "mine" });
    expect([path, answer.status]).toEqual([path, 401]);
  }
  expect(await storedFactors(target, "alice")).toEqual(before);
});
