import { inspect } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import webpush from "web-push";
import { backupCodes, push, totp } from "express-second-factor";
import { webPush } from "express-second-factor/web-push";
import { testApp, type TestApp } from "../support/app.js";
import { Jar, pending } from "../support/browser.js";
import { phone, type Phone } from "../support/phone.js";
import { PUSH_HOSTS, type PushEndpoint, startPushEndpoint } from "../support/push-endpoint.js";
import { SubscribedBrowser } from "../support/web-push-decrypt.js";

const ENDPOINT = `https://${PUSH_HOSTS[1]}/fcm/send/cXl6dG9rZW4tb2YtYS1kZXZpY2U`;
const vapid = { subject: "mailto:security@acme.test", ...webpush.generateVAPIDKeys() };

let service: PushEndpoint;

beforeAll(async () => {
  service = await startPushEndpoint();
});

beforeEach(() => {
  service.reception = undefined;
});

afterAll(() => service.close());

/** An application whose users' browsers are woken, and everything it says of errors and events. */
function wakingApp(): { readonly target: TestApp; readonly told: () => string } {
  const channel = webPush({ vapid, agent: service.agent });
  const target = testApp({ options: { methods: [push({ channels: [channel] }), totp(), backupCodes()] } });
  const told: string[] = [];
  const hear = (event: unknown): void => void told.push(inspect(event, { depth: null }));
  target.mfa.events.on("audit", hear);
  target.mfa.events.on("error", hear);
  return { target, told: () => told.join("\n") };
}

async function enrolled(target: TestApp, subscription: object): Promise<{ device: Phone; jar: Jar }> {
  const [jar, device] = [new Jar(target), await phone(target)];
  await jar.login("alice");
  await device.enroll(jar, { channel: "web-push", subscription });
  return { device, jar };
}

describe("a sign-in that waits for a browser", () => {
  test("wakes it by what only it can read, and it approves", async () => {
    const { target, told } = wakingApp();
    const browser = new SubscribedBrowser();
    const { device } = await enrolled(target, browser.subscription(ENDPOINT));
    const jar = await pending(target, "alice");
    const sent = await jar.post("/2fa/push/send");
    expect(sent.status).toBe(202);
    const { requestId, number } = sent.body as { requestId: string; number: string };
    expect(JSON.parse(browser.read(service.received.at(-1)!.body))).toEqual({ requestId, origin: expect.any(String) });
    await device.approve(number);
    expect((await jar.post("/2fa/push/status", { requestId })).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
    expect(told()).not.toContain(ENDPOINT);
  });

  test("whose subscription is over asks by itself from then on", async () => {
    const { target, told } = wakingApp();
    await enrolled(target, new SubscribedBrowser().subscription(ENDPOINT));
    const jar = await pending(target, "alice");
    service.reception = { status: 410 };
    const refused = await jar.post("/2fa/push/send");
    expect([refused.status, refused.body.code]).toEqual([503, "delivery-failed"]);
    const before = service.received.length;
    expect((await jar.post("/2fa/push/send")).status).toBe(202);
    expect(service.received).toHaveLength(before);
    expect(told()).toContain("push-unreachable");
    expect(told()).not.toContain("google");
  });

  test("while its push service is away is 503, and the next one wakes it", async () => {
    const { target, told } = wakingApp();
    await enrolled(target, new SubscribedBrowser().subscription(ENDPOINT));
    const jar = await pending(target, "alice");
    service.reception = { status: 429 };
    expect((await jar.post("/2fa/push/send")).status).toBe(503);
    expect(told()).toContain("The Web Push message was not taken (429)");
    service.reception = undefined;
    const before = service.received.length;
    expect((await jar.post("/2fa/push/send")).status).toBe(202);
    expect(service.received).toHaveLength(before + 1);
    expect(told()).not.toContain("google");
  });
});

test("a device that says it is reached in the server's own network is not enrolled", async () => {
  const [{ target }, browser] = [wakingApp(), new SubscribedBrowser()];
  const [jar, device] = [new Jar(target), await phone(target)];
  await jar.login("alice");
  const challenge = async (): Promise<string> => (await jar.post("/2fa/push/enroll/options")).body.challenge as string;
  const before = service.received.length;
  for (const [subscription, reason] of [
    [browser.subscription("https://169.254.169.254/latest/meta-data"), "host-not-allowed"],
    [{ endpoint: ENDPOINT }, "not-a-subscription"],
  ] as const) {
    const body = { ...(await device.enrollBody(await challenge())), channel: "web-push", subscription };
    const answer = await jar.post("/2fa/push/enroll", body);
    expect([answer.status, answer.body.reason]).toEqual([400, reason]);
  }
  expect(service.received).toHaveLength(before);
});
