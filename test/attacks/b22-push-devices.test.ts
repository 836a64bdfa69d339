import { describe, expect, test } from "@jest/globals";
import express from "express";
import { parseAtLoginOnly } from "../support/app.js";
import { harmless, passworded, storedAccount } from "../support/attack.js";
import { Jar } from "../support/browser.js";
import { phone } from "../support/phone.js";
import { challengeFor, deviceOwner, pushApp, SUBSCRIPTION } from "../support/push-devices.js";

const READERS = {
  "the application has read the body": [express.json({ limit: "20mb" }), express.urlencoded({ extended: true })],
  "nobody has read the body": parseAtLoginOnly,
};

/** What is no text, whatever text is wanted. */
function noTexts(right: string): unknown[] {
  return [
    ...[
      "",
      null,
      true,
      false,
      0,
      [],
      {},
      [right],
      [[right]],
      { $ne: null },
      { length: right.length },
      { toString: right },
    ],
    "x".repeat(10_000),
  ];
}

/** As deep as no subscription is. */
function nested(depth: number): string {
  return `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
}

const NO_SUBSCRIPTIONS: readonly unknown[] = [
  ...[true, 0, 1.5, [], [SUBSCRIPTION], ["a-token"], "x".repeat(4_100)],
  ...[{ endpoint: "x".repeat(4_100) }, { endpoint: "\u00e9".repeat(2_100) }, JSON.parse(nested(200))],
];

describe.each(Object.entries(READERS))("where %s", (_name, parsers) => {
  test("B22 a device that is not described in texts is 400, and its challenge is good still", async () => {
    const target = pushApp({ parsers });
    const jar = await passworded(target, "JSON", "alice");
    const device = await phone(target);
    const right = await device.enrollBody(await challengeFor(jar));
    const refused = async (members: object): Promise<void> => {
      const answer = harmless(await jar.post("/2fa/push/enroll", { ...right, ...members }));
      expect([members, answer.status, answer.body.code]).toEqual([members, 400, "invalid-request"]);
    };
    for (const member of ["publicKey", "challenge", "signature"] as const) {
      for (const value of [undefined, ...noTexts(right[member])]) await refused({ [member]: value });
    }
    for (const member of ["label", "password"]) {
      for (const value of noTexts("mine").slice(2)) await refused({ [member]: value });
    }
    for (const hardware of [1, "yes", [], {}, ["true"]]) await refused({ hardware });
    for (const subscription of NO_SUBSCRIPTIONS) await refused({ channel: "web-push", subscription });
    const bodies = JSON.stringify({ ...right, channel: "web-push", subscription: "deep" });
    const deep = await jar.post("/2fa/push/enroll", bodies.replace('"deep"', nested(8_000))).type("json");
    expect([400, 413]).toContain(harmless(deep).status);
    for (const channel of [undefined, ...noTexts("web-push")]) await refused({ channel, subscription: SUBSCRIPTION });
    for (const subscription of [undefined, null, ""]) await refused({ channel: "web-push", subscription });
    expect((await jar.post("/2fa/push/enroll", right)).status).toBe(201);
  });

  test("B22 neither keys that are repeated nor a huge body get anywhere", async () => {
    const target = pushApp({ parsers });
    const jar = await passworded(target, "JSON", "alice");
    const device = await phone(target);
    const right = await device.enrollBody(await challengeFor(jar));
    const form = new URLSearchParams(right).toString();
    const forms = [
      `${form}&publicKey=${right.publicKey}`,
      form.replace("signature=", "signature[]="),
      form.replace("challenge=", "challenge[a]="),
      "publicKey&challenge&signature",
      "",
    ];
    for (const each of forms) {
      const answer = harmless(
        await jar.post("/2fa/push/enroll", each).type("form").set("Sec-Fetch-Site", "same-origin"),
      );
      expect([each, answer.status]).toEqual([each, 400]);
    }
    const long = harmless(await jar.post("/2fa/push/enroll", { ...right, publicKey: "A".repeat(10_000_000) }));
    expect([400, 413]).toContain(long.status);
    expect((await jar.post("/2fa/push/enroll", right)).status).toBe(201);
  });

  test("B22 a renewal that is none is 400, and changes nothing", async () => {
    const target = pushApp({ parsers });
    const { device } = await deviceOwner(target, "alice");
    const stored = await storedAccount(target, "alice");
    const right = await device.subscriptionBody("web-push", JSON.stringify(SUBSCRIPTION));
    const refused = async (members: object): Promise<void> => {
      const answer = harmless(await new Jar(target).post("/2fa/push/subscription", { ...right, ...members }));
      expect([members, answer.status, answer.body.code]).toEqual([members, 400, "invalid-request"]);
    };
    for (const member of ["factorId", "signature", "channel"]) {
      for (const value of [undefined, ...noTexts(right[member]!)]) await refused({ [member]: value });
    }
    for (const time of [undefined, null, true, "", [], {}, 1.5, 1e300, "1".repeat(41)]) await refused({ time });
    for (const subscription of [undefined, null, "", SUBSCRIPTION, ...NO_SUBSCRIPTIONS])
      await refused({ subscription });
    for (const text of ["[]", "[1]", '""', nested(200), nested(8_000), "x".repeat(4_097)]) {
      await refused({ subscription: text });
    }
    expect(await storedAccount(target, "alice")).toBe(stored);
  });
});
