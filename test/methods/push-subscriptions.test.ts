// Where a device is reached: it says so itself, by its signature, whoever is logged in.
import { randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { ConfigurationError, push, type PushOptions, type SecondFactorOptions } from "express-second-factor";
import { keyRing } from "../../lib/crypto/key-ring.js";
import { subscriptionLines } from "../../lib/core/device-lines.js";
import type { PushState } from "../../lib/methods/push/state.js";
import { reachOf } from "../../lib/methods/push/subscriptions.js";
import { TEST_KEYS, testApp, type TestApp, userNamed } from "../support/app.js";
import { copyOf, MINUTE, passworded, storedAccount } from "../support/attack.js";
import { full, Jar } from "../support/browser.js";
import { phone } from "../support/phone.js";
import { channel, deviceOwner, enrollWith, pushApp, pushMethods, SUBSCRIPTION } from "../support/push-devices.js";
import { reported } from "../support/reports.js";
import { NOBODYS_ID } from "../support/routes.js";

const PATH = "/2fa/push/subscription";
const MOVED = { ...SUBSCRIPTION, endpoint: "https://push.example/send/moved" };

async function stateOf(target: TestApp, name: string): Promise<PushState> {
  const { factors } = JSON.parse((await storedAccount(target, name))!) as {
    factors: { type: string; state: PushState }[];
  };
  return factors.find(({ type }) => type === "push")!.state;
}

/** Where it is reached, as whoever has the keys finds it. */
async function reach(target: TestApp, name: string, keys = TEST_KEYS): Promise<unknown> {
  return reachOf(await stateOf(target, name), { userId: userNamed(name).id, keys: keyRing(keys) });
}

describe("a device that is reached elsewhere by now", () => {
  test("says so by itself, without anybody's login, in the words it was given", async () => {
    const target = pushApp();
    const { device } = await deviceOwner(target, "alice");
    const nobody = new Jar(target);
    for (const [name, subscription, read] of [
      ["web-push", JSON.stringify(MOVED), MOVED],
      ["web-push", JSON.stringify(MOVED, undefined, 2), MOVED],
      ["fcm", "a-token:of-an-app", "a-token:of-an-app"],
      ["fcm", "12345", "12345"],
    ] as const) {
      const answer = await nobody.post(PATH, await device.subscriptionBody(name, subscription));
      expect([answer.status, answer.text]).toEqual([204, ""]);
      expect(await reach(target, "alice")).toEqual({ channel: name, subscription: read });
    }
    expect((await target.mfa.accounts.factors("u1"))[0]).toMatchObject({ hint: "fcm" });
    expect(await (await device.device()).renew("web-push", MOVED)).toEqual({ status: "renewed" });
  });

  test("that had none before has one from then on; whose login the request has is nothing to it", async () => {
    const target = pushApp();
    const { device } = await deviceOwner(target, "alice", false);
    const { jar: mallory } = await deviceOwner(target, "mallory", false);
    const answer = await mallory.post(PATH, await device.subscriptionBody("web-push", JSON.stringify(MOVED)));
    expect(answer.status).toBe(204);
    expect([await reach(target, "alice"), await reach(target, "mallory")]).toEqual([
      { channel: "web-push", subscription: MOVED },
      undefined,
    ]);
    expect(await mallory.isIn()).toBe(true);
  });

  test("is believed by its signature alone, over all of it, and for a minute", async () => {
    const target = pushApp();
    const { device } = await deviceOwner(target, "alice");
    const stranger = await phone(target);
    const text = JSON.stringify(MOVED);
    const now = target.clock();
    const body = await device.subscriptionBody("web-push", text);
    const lines = subscriptionLines(device.factorId, body.time!, "web-push", text);
    const other = JSON.stringify({ ...MOVED, endpoint: "https://push.example/send/of-mallory" });
    const lies: Readonly<Record<string, object>> = {
      "another's key": { signature: await stranger.sign(lines) },
      "another subscription": { subscription: other },
      "the same subscription in other words": { subscription: JSON.stringify(MOVED, undefined, 1) },
      "another channel": { channel: "fcm" },
      "another time": { time: new Date(now + 1).toISOString() },
      "another purpose": { signature: await device.sign(lines.replace(" subscription ", " requests ")) },
      "too early": await device.subscriptionBody("web-push", text, new Date(now - MINUTE - 1).toISOString()),
      "too late": await device.subscriptionBody("web-push", text, String(now + MINUTE + 1)),
      "no time": await device.subscriptionBody("web-push", text, "now"),
      "a time of nobody's zone": await device.subscriptionBody(
        "web-push",
        text,
        new Date(now).toISOString().slice(0, -1),
      ),
    };
    for (const [lie, members] of Object.entries(lies)) {
      const answer = await new Jar(target).post(PATH, { ...body, ...members });
      expect([lie, answer.status, answer.body.code]).toEqual([lie, 401, "invalid-code"]);
    }
    expect(await reach(target, "alice")).toEqual({ channel: "web-push", subscription: SUBSCRIPTION });
    for (const time of [new Date(now - MINUTE).toISOString(), String(now + MINUTE)]) {
      const right = await device.subscriptionBody("web-push", text, time);
      expect((await new Jar(target).post(PATH, right)).status).toBe(204);
    }
    const asNumber = { ...(await device.subscriptionBody("web-push", text, String(now))), time: now };
    expect((await new Jar(target).post(PATH, asNumber)).status).toBe(204);
  });

  test("is told why where nothing would be sent there; what is no device of anybody's is not found", async () => {
    const target = pushApp();
    const { device, jar } = await deviceOwner(target, "alice");
    const post = async (name: string, subscription: object) =>
      new Jar(target).post(PATH, await device.subscriptionBody(name, JSON.stringify(subscription)));
    const refusals = [await post("smoke", MOVED), await post("web-push", { endpoint: "http://127.0.0.1/" })];
    expect(refusals.map(({ body, status }) => [status, body.code, body.reason])).toEqual([
      [400, "invalid-request", "unknown-channel"],
      [400, "invalid-request", "host-not-allowed"],
    ]);
    const body = await device.subscriptionBody("web-push", JSON.stringify(MOVED));
    expect((await new Jar(target).post(PATH, { ...body, factorId: NOBODYS_ID })).body.code).toBe("not-found");
    await enrollWith(jar, await phone(target));
    await jar.post(`/2fa/factors/${device.factorId}/remove`);
    expect((await new Jar(target).post(PATH, body)).body.code).toBe("not-found");
    expect(await (await device.device()).renew("web-push", MOVED)).toEqual({ status: "removed" });
  });

  test("counts wrong signatures for the address they come from", async () => {
    const target = pushApp({ options: { limits: { address: { limit: 3, window: "15m" } } } });
    const { device } = await deviceOwner(target, "alice");
    const body = await device.subscriptionBody("web-push", JSON.stringify(MOVED));
    const statuses: number[] = [];
    for (let tries = 0; tries < 5; tries += 1) {
      statuses.push((await new Jar(target).post(PATH, { ...body, signature: "AAAA" })).status);
    }
    expect([statuses[0], statuses.at(-1)]).toEqual([401, 429]);
  });

  test("comes from this site or from an app; another site's page is refused", async () => {
    const target = pushApp();
    const { device } = await deviceOwner(target, "alice");
    const body = await device.subscriptionBody("web-push", JSON.stringify(MOVED));
    const foreign = await new Jar(target).post(PATH, body).set("Origin", "https://evil.example");
    expect([foreign.status, foreign.body.code]).toEqual([403, "cross-site-request"]);
  });
});

describe("after a report", () => {
  test("a device that was added by somebody else is suspended, none is added, and its claim stays its account's", async () => {
    const target = pushApp();
    const jar = new Jar(target);
    await jar.login("alice");
    const { phone: app } = await jar.enroll();
    const inside = copyOf(await full(target, "alice", app));
    target.clock.advance(1);
    const strange = await phone(target);
    await strange.enroll(inside);
    await reported(target, { kind: "factor-enrolled", factorId: strange.factorId });
    const waiting = await passworded(target, "JSON", "alice");
    const { methods } = (await waiting.get("/account")).body as { methods: readonly { type: string }[] };
    expect(methods.map(({ type }) => type)).not.toContain("push");
    target.clock.advance(MINUTE);
    const owner = await full(target, "alice", app);
    for (const path of ["/2fa/push/enroll/options", "/2fa/push/enroll"]) {
      const answer = await owner.post(path, await (await phone(target)).enrollBody("x"));
      expect([path, answer.status, answer.body.code]).toEqual([path, 403, "frozen"]);
    }
    const { mfa } = target;
    const [, device] = await mfa.accounts.factors("u1");
    expect(device).toMatchObject({ id: strange.factorId, type: "push", suspended: true });
    // It may say where it is reached, which makes it no more than it was.
    const renewal = await strange.subscriptionBody("web-push", JSON.stringify(MOVED));
    expect((await new Jar(target).post(PATH, renewal)).status).toBe(204);
    expect((await mfa.accounts.factors("u1"))[1]).toMatchObject({ id: strange.factorId, suspended: true });
    const mallory = await passworded(target, "JSON", "mallory");
    expect((await enrollWith(mallory, strange)).body.code).toBe("conflict");
    await mfa.accounts.reset("u1");
    expect((await enrollWith(mallory, strange)).status).toBe(201);
  });
});

describe("the key ring", () => {
  const OLD = `2025-01:${randomBytes(32).toString("base64")}`;
  const NEW = `2026-11:${randomBytes(32).toString("base64")}`;
  const keysIn = async (target: TestApp): Promise<Set<string>> =>
    new Set([...(await storedAccount(target, "alice"))!.matchAll(/"(2025-01|2026-11)\./g)].map(([, id]) => id!));

  test("can rotate: where a device is reached is sealed anew, and the old key can go", async () => {
    const before = pushApp({ options: { keys: OLD } });
    const { device } = await deviceOwner(before, "alice");
    const started = (keys: string) =>
      testApp({ clock: before.clock, store: before.store, options: { keys, methods: pushMethods() } });
    const between = started(`${NEW},${OLD}`);
    expect([...(await keysIn(between))]).toEqual(["2025-01"]);
    expect(await between.mfa.rotateKeys()).toMatchObject({ accounts: 1, rotated: 1, left: {}, unreadable: 0 });
    expect([...(await keysIn(between))]).toEqual(["2026-11"]);
    const after = started(NEW);
    await after.mfa.ready();
    expect(await reach(after, "alice", NEW)).toEqual({ channel: "web-push", subscription: SUBSCRIPTION });
    const body = await device.subscriptionBody("web-push", JSON.stringify(MOVED));
    expect((await new Jar(after).post(PATH, body)).status).toBe(204);
    expect(await reach(after, "alice", NEW)).toEqual({ channel: "web-push", subscription: MOVED });
  });

  test("opens it for its own device and user alone", async () => {
    const target = pushApp();
    const { jar } = await deviceOwner(target, "alice");
    await enrollWith(jar, await phone(target));
    const state = await stateOf(target, "alice");
    const keys = keyRing(TEST_KEYS);
    expect(await reachOf(state, { userId: "u1", keys })).toEqual({ channel: "web-push", subscription: SUBSCRIPTION });
    expect(await reachOf(state, { userId: "u2", keys })).toBeUndefined();
    expect(await reachOf({ ...state, deviceId: NOBODYS_ID }, { userId: "u1", keys })).toBeUndefined();
  });
});

describe("the options of push()", () => {
  const wrong = (options: unknown): readonly string[] => {
    try {
      push(options as PushOptions);
    } catch (error) {
      if (error instanceof ConfigurationError) return error.problems;
    }
    return [];
  };

  test("are checked at start, all of them at once", () => {
    const send = async (): Promise<void> => undefined;
    const channels = [
      { name: "Web Push", send },
      { name: "fcm" },
      { name: "fcm", send, problem: "none", applicationServerKey: 7 },
      null,
      function webPush() {},
      "fcm",
    ];
    expect(wrong({ channels, timeout: "31s", chanels: [] })).toEqual([
      'push: chanels: there is no such option; did you mean "channels"?',
      'push: channels[0].name: must be kebab case, such as "web-push"',
      "push: channels[1].send: must be a function (subscription, message, { signal }) that resolves once the message is taken over",
      "push: channels[2].problem: must be a function (subscription) that answers a reason, or undefined",
      "push: channels[2].applicationServerKey: must be text, the public key in base64url",
      "push: channels[3]: must be an object with name and send",
      "push: channels[4]: call it: webPush(), not webPush",
      "push: channels[5]: must be an object with name and send",
      'push: channels: "fcm" appears twice; devices say by its name how they are reached',
      'push: timeout: write a time up to 30 seconds, such as "10s"',
    ]);
  });

  test.each([undefined, {}])("need channels: %j", (options) => {
    const needed =
      "push: channels: required: a list of what wakes devices; [] where nothing does, and they are opened by hand";
    expect(wrong(options)).toEqual([needed]);
  });

  test.each([
    [channel(), "an object"],
    [() => channel(), "a function"],
    ["web-push", "text"],
    [null, "null"],
  ])("need a list of channels: %j", (channels, found) => {
    expect(wrong({ channels })).toEqual([
      `push: channels: must be a list, such as [webPush({ vapid })] or [], and is ${found}`,
    ]);
  });

  test.each([null, [], "web-push", 7])("are an object: %j", (options) => {
    expect(wrong(options)).toEqual([
      expect.stringContaining("push: options are an object with any of channels, timeout"),
    ]);
  });

  test("without any channel, and beside the strict preset, it is a method all the same", () => {
    const options: Partial<SecondFactorOptions> = { methods: [push({ channels: [] })], preset: "strict" };
    expect(() => testApp({ options: options as never })).not.toThrow();
  });
});
