import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { snsSender, type SnsSenderOptions } from "express-second-factor/sns";
import { type Provider, type ProviderAnswer, startProvider } from "../support/provider.js";
import { CODE, expectRefused, expectUnanswered, NUMBER, problemsOf, textTo } from "./stage.js";

let provider: Provider;
const clients: SNSClient[] = [];

function client(options: object = {}): SNSClient {
  const made = new SNSClient({
    region: "eu-central-1",
    endpoint: provider.url,
    credentials: { accessKeyId: "AKIA", secretAccessKey: "secret" },
    maxAttempts: 1,
    ...options,
  });
  clients.push(made);
  return made;
}

function sender(options: Partial<SnsSenderOptions> = {}) {
  return snsSender({ client: client(), PublishCommand, ...options });
}

function xml(status: number, body: string): ProviderAnswer {
  return { status, type: "text/xml", body };
}

/** As SNS writes its refusals: with the number in them. */
function refusal(status: number, code: string): ProviderAnswer {
  const message = `Invalid parameter: PhoneNumber Reason: ${NUMBER} is not valid to publish to (${CODE})`;
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error>`;
  return xml(
    status,
    `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">${error}<RequestId>1</RequestId></ErrorResponse>`,
  );
}

const TAKEN = xml(
  200,
  '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>',
);

beforeAll(async () => {
  // It warns of what Node the next year's releases need.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";
  provider = await startProvider();
});

beforeEach(() => {
  provider.answer = TAKEN;
});

afterAll(async () => {
  for (const each of clients) each.destroy();
  await provider.close();
});

describe("a code by SMS, through the AWS SDK's own client of SNS", () => {
  test("is published to one number and no topic, as what must arrive", async () => {
    await sender({ senderId: "ACME", attributes: { "AWS.MM.SMS.OriginationNumber": "+15005550006" } })(textTo(NUMBER));
    const { form } = provider.requests.at(-1)!;
    expect(form).toMatchObject({ Action: "Publish", PhoneNumber: NUMBER, Message: textTo(NUMBER).text });
    const attributes = [1, 2, 3].map((at) => {
      const of = `MessageAttributes.entry.${at}`;
      return [form[`${of}.Name`], form[`${of}.Value.StringValue`]];
    });
    expect(Object.fromEntries(attributes)).toEqual({
      "AWS.SNS.SMS.SMSType": "Transactional",
      "AWS.SNS.SMS.SenderID": "ACME",
      "AWS.MM.SMS.OriginationNumber": "+15005550006",
    });
    expect(Object.keys(form).filter((name) => /Arn|Subject/.test(name))).toEqual([]);
  });

  test.each([
    ["a number that is none", 400, "InvalidParameter", "InvalidParameterException"],
    ["wrong credentials", 403, "InvalidClientTokenId", "InvalidClientTokenId"],
    ["too many requests", 400, "Throttling", "Throttling"],
    ["too many a second", 429, "Throttled", "ThrottledException"],
    ["a failure of its own", 500, "InternalError", "InternalErrorException"],
  ])(
    "that SNS refuses (%s) is rejected with its name for it, and without its words",
    async (_what, status, said, code) => {
      provider.answer = refusal(status, said);
      await expectRefused(sender()(textTo(NUMBER)), { code, status });
    },
  );

  test("is called off when it is no longer waited for, and may have been taken", async () => {
    provider.answer = undefined;
    const [given, asked] = [new AbortController(), provider.asked()];
    const sending = sender()(textTo(NUMBER), { signal: given.signal });
    await asked;
    const brokenOff = provider.brokenOff();
    given.abort();
    await expectUnanswered(sending);
    await brokenOff;
  });

  test("the client's own time-out leaves open what became of it; without a connection nothing was sent", async () => {
    provider.answer = undefined;
    const impatient = client({ requestHandler: { requestTimeout: 50, throwOnRequestTimeout: true } });
    await expectUnanswered(sender({ client: impatient })(textTo(NUMBER)));
    const nowhere = client({ endpoint: "http://127.0.0.1:1" });
    await expectRefused(sender({ client: nowhere })(textTo(NUMBER)), { status: undefined });
  });

  test.each([
    `${NUMBER},+15005550001`,
    [NUMBER, "+15005550001"],
    "015112345678",
    "arn:aws:sns:eu-central-1:1:all",
    "",
    null,
  ])("to %p is refused before SNS hears of it", async (to) => {
    const before = provider.requests.length;
    await expectRefused(sender()(textTo(to)), { code: "invalid-number" });
    expect(provider.requests).toHaveLength(before);
  });
});

test("what is wrong with the options is said at start, all at once", () => {
  expect(problemsOf(() => sender())).toEqual([]);
  const wrong = { client: {}, PublishCommand: undefined, senderId: "12345", attributes: { a: 1 }, sender: "" };
  expect(problemsOf(() => snsSender(wrong as never))).toEqual([
    'snsSender: sender: there is no such option; did you mean "senderId"?',
    "snsSender: client must be one of the AWS SDK's: new SNSClient({ region })",
    'snsSender: PublishCommand must be the class: import { PublishCommand } from "@aws-sdk/client-sns"',
    "snsSender: senderId must be 1 to 11 letters, digits and hyphens, one of them a letter",
    'snsSender: attributes["a"] must be text',
  ]);
  expect(problemsOf(() => snsSender(undefined as never)).length).toBeGreaterThan(1);
});
