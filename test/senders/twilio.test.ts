import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import twilio from "twilio";
import { twilioSender, type TwilioSenderOptions } from "express-second-factor/twilio";
import { json, type Provider, type ProviderAnswer, startProvider } from "../support/provider.js";
import { CODE, expectRefused, expectUnanswered, NUMBER, problemsOf, textTo } from "./stage.js";

const ACCOUNT = `AC${"0".repeat(32)}`;
const SERVICE = `MG${"a".repeat(32)}`;
const FROM = "+15005550006";

let provider: Provider;

/** Twilio's own client and HTTP, on the way to another host. */
class Diverted extends twilio.RequestClient {
  override request<T>(options: Parameters<twilio.RequestClient["request"]>[0]) {
    return super.request<T>({ ...options, uri: options.uri.replace("https://api.twilio.com", provider.url) } as never);
  }
}

function client(timeout = 10_000) {
  return twilio(ACCOUNT, "token", { httpClient: new Diverted({ timeout }) });
}

function sender(options: Partial<TwilioSenderOptions> = { from: FROM }) {
  return twilioSender({ client: client(), ...options });
}

/** As Twilio writes its refusals: with the number in them. */
function refusal(status: number, code: number): ProviderAnswer {
  const message = `The 'To' number ${NUMBER} is not a valid phone number (${CODE})`;
  return json(status, { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status });
}

beforeAll(async () => {
  provider = await startProvider();
});

beforeEach(() => {
  provider.answer = json(201, { sid: "SM1", status: "queued" });
});

afterAll(() => provider.close());

describe("a code by SMS, through Twilio's own client", () => {
  test("is one message to one number, from the number the application says", async () => {
    await sender()(textTo(NUMBER));
    const { path, form, headers } = provider.requests.at(-1)!;
    expect(path).toBe(`/2010-04-01/Accounts/${ACCOUNT}/Messages.json`);
    expect(form).toEqual({ To: NUMBER, From: FROM, Body: textTo(NUMBER).text });
    expect(headers.authorization).toMatch(/^Basic /);
  });

  test("or from a messaging service, with what else its application wants of Twilio", async () => {
    await sender({ messagingServiceSid: SERVICE, parameters: { contentRetention: "discard" } })(textTo(NUMBER));
    expect(provider.requests.at(-1)?.form).toMatchObject({ MessagingServiceSid: SERVICE, ContentRetention: "discard" });
  });

  test.each([
    ["a number that is none", 400, 21_211],
    ["a number that unsubscribed", 400, 21_610],
    ["wrong credentials", 401, 20_003],
    ["too many requests", 429, 20_429],
    ["a failure of its own", 503, 20_503],
  ])("that Twilio refuses (%s) is rejected with its numbers, and without its words", async (_what, status, code) => {
    provider.answer = refusal(status, code);
    const message = `The text message was not taken (${code}, ${status})`;
    await expectRefused(sender()(textTo(NUMBER)), { code, status, message });
  });

  test("that something before Twilio refuses, in HTML, too", async () => {
    provider.answer = { status: 502, type: "text/html", body: `<h1>Bad gateway for ${NUMBER}</h1>` };
    await expectRefused(sender()(textTo(NUMBER)), { status: 502 });
  });

  test("is given up when it is no longer waited for, and may have been taken", async () => {
    provider.answer = undefined;
    const [given, asked] = [new AbortController(), provider.asked()];
    const sending = sender()(textTo(NUMBER), { signal: given.signal });
    await asked;
    given.abort();
    await expectUnanswered(sending);
  });

  test("the client's own time-out leaves open what became of it; without a connection nothing was sent", async () => {
    provider.answer = undefined;
    await expectUnanswered(sender({ client: client(50), from: FROM })(textTo(NUMBER)));
    const { url } = provider;
    try {
      Object.assign(provider, { url: "http://127.0.0.1:1" });
      await expectRefused(sender()(textTo(NUMBER)), { code: "ECONNREFUSED", status: undefined });
    } finally {
      Object.assign(provider, { url });
    }
  });

  test.each([
    `whatsapp:${NUMBER}`,
    `${NUMBER},+15005550001`,
    [NUMBER, "+15005550001"],
    "015112345678",
    "+491511234567x1",
    "+４９1511234567",
    "",
    null,
    undefined,
  ])("to %p is refused before Twilio hears of it", async (to) => {
    const before = provider.requests.length;
    await expectRefused(sender()(textTo(to)), { code: "invalid-number" });
    expect(provider.requests).toHaveLength(before);
  });
});

test("what is wrong with the options is said at start, all at once", () => {
  expect(problemsOf(() => sender({ from: "ACME" }))).toEqual([]);
  expect(problemsOf(() => sender({ from: "12345", messagingServiceSid: SERVICE }))).toEqual([]);
  expect(problemsOf(() => sender({}))).toEqual([
    'twilioSender: from ("+15005550006") or messagingServiceSid ("MG…") says who sends',
  ]);
  const wrong = {
    client: {},
    from: "whatsapp:+15005550006",
    messagingServiceSid: "12",
    parameters: { to: NUMBER },
    form: "",
  };
  expect(problemsOf(() => twilioSender(wrong as never))).toEqual([
    'twilioSender: form: there is no such option; did you mean "from"?',
    "twilioSender: client must be one of Twilio's: twilio(accountSid, authToken)",
    "twilioSender: from must be a number in E.164, a short code, or a name of up to 11 letters and digits",
    "twilioSender: messagingServiceSid must be the id of a messaging service: MG and 32 hexadecimal digits",
    "twilioSender: parameters.to: the message and the options say that",
  ]);
  expect(problemsOf(() => sender({ from: FROM, parameters: "all" as never }))).toHaveLength(1);
  expect(problemsOf(() => twilioSender(undefined as never)).length).toBeGreaterThan(1);
});
