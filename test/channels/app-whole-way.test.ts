// From the route to the provider and back to the phone: nothing in between is made up.
import { inspect } from "node:util";
import { createConfiguration, DefaultApi, ServerConfiguration } from "@onesignal/node-onesignal";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { backupCodes, push, totp, UnavailableError } from "express-second-factor";
import { firebase } from "express-second-factor/firebase";
import { oneSignal } from "express-second-factor/onesignal";
import { testApp, type TestApp, type TestAppOptions } from "../support/app.js";
import { Jar, pending } from "../support/browser.js";
import { Firebase, refusal } from "../support/firebase.js";
import { phone, type Phone } from "../support/phone.js";
import { json, type Provider, startProvider } from "../support/provider.js";
import { type RecordingStore, recordingStore } from "../support/recording-store.js";

const TOKEN = `cQ0x:APA91b${"k".repeat(130)}`;
const NEXT_TOKEN = `dR1y:APA91b${"m".repeat(130)}`;
const APP = "5eb5a37e-b458-11e3-ac11-000c2940e62c";
const DEVICE = "1dd608f2-c6a1-11e3-851d-000c2940e62c";
const SEND = "/2fa/push/send";

let server: Firebase;
let provider: Provider;

interface Begun {
  readonly target: TestApp;
  readonly device: Phone;
}

function sending(timeout: "200ms" | "10s", limits: NonNullable<TestAppOptions["options"]>["limits"] = {}): TestApp {
  const { endpoint, serviceAccount } = server;
  const client = new DefaultApi(
    createConfiguration({ restApiKey: "of no value", baseServer: new ServerConfiguration(provider.url, {}) }),
  );
  const channels = [firebase({ serviceAccount, endpoint }), oneSignal({ client, appId: APP })];
  const methods = [push({ channels, timeout }), totp(), backupCodes()];
  return testApp({ options: { methods, limits }, store: recordingStore() });
}

/** An application and a phone that is reached through the channel. The login that enrolled it is over. */
async function begun(
  { timeout = "10s", limits = {} }: { timeout?: "200ms" | "10s"; limits?: Parameters<typeof sending>[1] } = {},
  reach: { channel: string; subscription: unknown } = { channel: "firebase", subscription: { token: TOKEN } },
): Promise<Begun> {
  const target = sending(timeout, limits);
  const [jar, device] = [new Jar(target), await phone(target)];
  await jar.login("alice");
  await device.enroll(jar, reach as never);
  await jar.post("/logout");
  return { target, device };
}

async function asked(target: TestApp) {
  const jar = await pending(target, "alice");
  return { jar, answer: await jar.post(SEND) };
}

/** Everything that was told about it, with whatever hangs on it. */
function told({ errors, events }: TestApp): string {
  return inspect([errors, events, errors.map(({ error }) => String(error))], { depth: 9, showHidden: true });
}

/** Neither in what was told of it nor in what was ever stored: what reaches the phone, and who sends. */
function expectSilence(target: TestApp): void {
  const { client_email, project_id } = server.serviceAccount;
  const secrets = [TOKEN, NEXT_TOKEN, DEVICE, client_email, project_id, "ya29."];
  const everything = `${told(target)} ${(target.store as RecordingStore).written.join(" ")}`;
  expect(secrets.filter((secret) => everything.includes(secret))).toEqual([]);
}

beforeAll(async () => {
  [server, provider] = await Promise.all([Firebase.start(), startProvider()]);
});

beforeEach(() => {
  server.grantAnswer = undefined;
  server.messageAnswer = undefined;
  server.unregistered.clear();
  provider.answer = json(200, { id: "b98881cc-1e94-4366-bbd9-db8f3429292b" });
});

afterAll(() => Promise.all([server.close(), provider.close()]));

describe("a request for an app, the whole way over Firebase", () => {
  test("wakes the phone with its id and the site alone, and is approved on it", async () => {
    const { target, device } = await begun();
    const { answer, jar } = await asked(target);
    expect(answer.status).toBe(202);
    const { number, requestId } = answer.body as { requestId: string; number: string };
    const { message } = JSON.parse(server.messages.at(-1)!.body) as { message: { data: unknown; token: string } };
    expect([message.token, message.data]).toEqual([TOKEN, { requestId, origin: "http://localhost:3000" }]);
    await device.approve(number);
    expect((await jar.post("/2fa/push/status", { requestId })).body.status).toBe("verified");
    expectSilence(target);
  });

  test("finds the app gone: its token is removed, and the phone is asked without a message from then on", async () => {
    const { target, device } = await begun();
    server.unregistered.add(TOKEN);
    const { answer } = await asked(target);
    expect([answer.status, answer.body.code]).toEqual([503, "delivery-failed"]);
    expect(await device.requests()).toEqual([]);
    expect(target.events.map(({ action }) => action)).toContain("push-unreachable");
    const before = server.messages.length;
    const { answer: next } = await asked(target);
    expect(next.status).toBe(202);
    expect(server.messages).toHaveLength(before);
    await device.approve((next.body as { number: string }).number);
    expectSilence(target);
  });

  test("reaches the app again once the phone has said its new token", async () => {
    const { target, device } = await begun();
    const body = await device.subscriptionBody("firebase", NEXT_TOKEN);
    expect((await new Jar(target).post("/2fa/push/subscription", body)).status).toBe(204);
    expect((await asked(target)).answer.status).toBe(202);
    expect(JSON.parse(server.messages.at(-1)!.body)).toHaveProperty("message.token", NEXT_TOKEN);
    const { code, reason } = (
      await new Jar(target).post("/2fa/push/subscription", await device.subscriptionBody("firebase", "none"))
    ).body as Record<string, unknown>;
    expect([code, reason]).toEqual(["invalid-request", "not-a-token"]);
  });

  test.each([
    ["a quota that is used up", () => refusal(429, { name: "RESOURCE_EXHAUSTED", code: "QUOTA_EXCEEDED" }), 429],
    ["a failure of Firebase's own", () => refusal(500, { name: "INTERNAL", code: "INTERNAL" }), 500],
  ])("meets %s: it is cancelled, and costs its owner nothing", async (_what, answer, status) => {
    const { target, device } = await begun({ limits: { push: { limit: 1, window: "15m" } } });
    server.messageAnswer = answer;
    for (let times = 0; times < 2; times += 1) {
      const { answer: refused } = await asked(target);
      expect([refused.status, refused.body.code]).toEqual([503, "delivery-failed"]);
    }
    expect(await device.requests()).toEqual([]);
    const [{ place, error } = { place: "", error: undefined }] = target.errors;
    expect([place, error]).toMatchObject(["sender", { name: "DeliveryError", status }]);
    server.messageAnswer = undefined;
    expect((await asked(target)).answer.status).toBe(202);
    expectSilence(target);
  });

  test("meets silence: it is called off and cancelled, and stays counted", async () => {
    const { target, device } = await begun({ timeout: "200ms", limits: { push: { limit: 1, window: "15m" } } });
    server.messageAnswer = () => undefined;
    const brokenOff = server.provider.brokenOff();
    const { answer } = await asked(target);
    expect([answer.status, answer.body.code]).toEqual([503, "delivery-failed"]);
    await brokenOff;
    expect(await device.requests()).toEqual([]);
    const [{ error } = { error: undefined }] = target.errors;
    expect([error instanceof UnavailableError, (error as Error).cause]).toEqual([true, undefined]);
    expect((await asked(target)).answer.status).toBe(429);
    expectSilence(target);
  });
});

test("a request over OneSignal wakes the phone; a subscription that is no more is removed", async () => {
  const { target, device } = await begun({}, { channel: "onesignal", subscription: { subscriptionId: DEVICE } });
  const { answer } = await asked(target);
  const { requestId } = answer.body as { requestId: string };
  expect(JSON.parse(provider.requests.at(-1)!.body)).toMatchObject({
    ...{ app_id: APP, include_subscription_ids: [DEVICE] },
    data: { requestId, origin: "http://localhost:3000" },
  });
  expect((await device.request()).requestId).toBe(requestId);
  provider.answer = json(200, { id: "", errors: ["All included players are not subscribed"] });
  expect((await asked(target)).answer.status).toBe(503);
  const before = provider.requests.length;
  expect((await asked(target)).answer.status).toBe(202);
  expect(provider.requests).toHaveLength(before);
  expectSilence(target);
});
