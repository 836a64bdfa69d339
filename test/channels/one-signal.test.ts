import { createConfiguration, DefaultApi, ServerConfiguration } from "@onesignal/node-onesignal";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { push } from "express-second-factor";
import { oneSignal, type OneSignalOptions } from "express-second-factor/onesignal";
import { problemsOf } from "../senders/stage.js";
import { json, type Provider, type ProviderAnswer, startProvider } from "../support/provider.js";
import { expectRefused, expectUnanswered, MESSAGE, send } from "./app-stage.js";

const APP = "5eb5a37e-b458-11e3-ac11-000c2940e62c";
const DEVICE = "1dd608f2-c6a1-11e3-851d-000c2940e62c";
const KEY = "os_v2_app_of_no_value";
const SECRETS = [DEVICE, APP, KEY];

let provider: Provider;

/** OneSignal's own client and HTTP, at another address. */
function client(url = provider.url): DefaultApi {
  return new DefaultApi(createConfiguration({ restApiKey: KEY, baseServer: new ServerConfiguration(url, {}) }));
}

function channel(options: Partial<OneSignalOptions> = {}) {
  return oneSignal({ client: client(), appId: APP, ...options });
}

beforeAll(async () => {
  provider = await startProvider();
});

beforeEach(() => {
  provider.answer = json(200, { id: "b98881cc-1e94-4366-bbd9-db8f3429292b", external_id: null });
});

afterAll(() => provider.close());

describe("a message through OneSignal's own client", () => {
  test("goes to one subscription, at once, is kept as long as a request lives, and names nobody", async () => {
    await send(channel(), { subscriptionId: DEVICE });
    const { body, headers, path } = provider.requests.at(-1)!;
    expect(path).toBe("/notifications");
    expect(headers.authorization).toContain(KEY);
    expect(JSON.parse(body)).toEqual({
      app_id: APP,
      target_channel: "push",
      include_subscription_ids: [DEVICE],
      headings: { en: "Approve a sign-in" },
      contents: { en: "Open the app to see what is asked." },
      data: MESSAGE,
      ttl: 120,
      priority: 10,
    });
  });

  test("has words of the application's, in one language or in several", async () => {
    const heading = { en: "Acme", de: "Acme fragt nach" };
    await send(channel({ heading, content: "Bitte die App öffnen." }), DEVICE);
    expect(JSON.parse(provider.requests.at(-1)!.body)).toMatchObject({
      headings: heading,
      contents: { en: "Bitte die App öffnen." },
    });
  });

  test.each<[string, number, object]>([
    ["is unknown", 200, { id: "made", errors: { invalid_subscription_ids: [DEVICE] } }],
    ["is unknown, by its older name", 200, { id: "", errors: { invalid_player_ids: [DEVICE.toUpperCase()] } }],
    ["has unsubscribed", 200, { id: "", errors: ["All included players are not subscribed"] }],
    ["has unsubscribed, as a refusal", 400, { errors: ["All included players are not subscribed"] }],
    ["reaches nobody", 200, { id: "", external_id: null }],
  ])("is the end of a subscription that %s", async (_what, status, body) => {
    provider.answer = json(status, body);
    await expectRefused(send(channel(), { subscriptionId: DEVICE }), { gone: true }, SECRETS);
  });

  test.each<[string, ProviderAnswer, number | undefined]>([
    ["an id that is another's", json(200, { id: "", errors: { invalid_subscription_ids: [APP] } }), undefined],
    ["nothing made, for another reason", json(200, { id: "", errors: ["No platform is set up"] }), undefined],
    ["a message that is wrong", json(400, { errors: [`app_id ${APP} not found for ${DEVICE}`] }), 400],
    ["a key that is none", json(403, { errors: [`Access denied: ${KEY}`] }), 403],
    ["too many messages", json(429, { errors: ["Rate limit"] }, { "Retry-After": "30" }), 429],
    ["a failure of its own", json(500, { errors: ["All included players are not subscribed"] }), 500],
    ["a gateway's", { status: 502, type: "application/json", body: `{"for":"${DEVICE}"}` }, 502],
    ["one that its client cannot read", { status: 502, type: "text/html", body: `<h1>${DEVICE}</h1>` }, 502],
  ])("is no end of it otherwise: %s", async (_what, answer, status) => {
    provider.answer = answer;
    await expectRefused(send(channel(), { subscriptionId: DEVICE }), { status }, SECRETS);
  });

  test("may have been taken where nobody waits any more", async () => {
    provider.answer = undefined;
    const [given, asked] = [new AbortController(), provider.asked()];
    const sending = send(channel(), { subscriptionId: DEVICE }, given.signal);
    await asked;
    given.abort();
    await expectUnanswered(sending, SECRETS);
    await expectUnanswered(send(channel(), DEVICE, AbortSignal.abort()), SECRETS);
  });

  test("was not sent where there is no connection", async () => {
    const nowhere = channel({ client: client("http://127.0.0.1:2") });
    await expectRefused(send(nowhere, DEVICE), { code: "ECONNREFUSED", status: undefined }, SECRETS);
  });
});

describe("a subscription", () => {
  test.each([[{ subscriptionId: DEVICE }], [DEVICE]])("is OneSignal's id of one: %j", (subscription) => {
    expect(channel().problem?.(subscription)).toBeUndefined();
  });

  test.each([[{}], [null], [""], ["All"], [{ subscriptionId: [DEVICE] }], [[DEVICE]], [`${DEVICE},${APP}`]])(
    "is none otherwise, which is said before OneSignal hears of it: %j",
    async (subscription) => {
      const before = provider.requests.length;
      expect(channel().problem?.(subscription)).toBe("not-a-subscription-id");
      await expectRefused(send(channel(), subscription), { code: "not-a-subscription-id" }, SECRETS);
      expect(provider.requests).toHaveLength(before);
    },
  );
});

test("what is wrong with the options is said at start, all at once", () => {
  expect(problemsOf(() => push({ channels: [channel()] }))).toEqual([]);
  const wrong = { client: {}, appId: "acme", heading: { de: "Acme" }, content: " ", ttl: 5 };
  expect(problemsOf(() => oneSignal(wrong as never))).toEqual([
    "oneSignal: ttl: there is no such option; there are client, appId, heading, content",
    "oneSignal: client must be one of OneSignal's: new DefaultApi(createConfiguration({ restApiKey }))",
    "oneSignal: appId must be the app's id, a UUID: OneSignal's dashboard, Settings, Keys & IDs",
    'oneSignal: heading must be text, or texts by language with one for "en"',
    'oneSignal: content must be text, or texts by language with one for "en"',
  ]);
  expect(problemsOf(() => oneSignal(client() as never))).toEqual([
    "oneSignal: the client is one of the options: { client, appId }",
  ]);
  expect(problemsOf(() => oneSignal(undefined as never))).toHaveLength(2);
});
