import type { DeliveryReason } from "../core/delivery-error.js";
import { ConfigurationError } from "../core/errors.js";
import { optionsProblems } from "../core/option-names.js";
import { makesTakers, taker } from "../core/takers.js";
import { attempt } from "../core/attempt.js";
import { numberOf, type SendText, WHAT } from "./text-message.js";

/** What SNS' `PublishCommand` is made of. */
export interface SnsText {
  PhoneNumber: string;
  Message: string;
  MessageAttributes: Record<string, { DataType: string; StringValue: string }>;
}

/** As much of the AWS SDK's `SNSClient` (version 3) as is used. */
export interface SnsClient {
  send(command: never, options: { readonly abortSignal: AbortSignal }): PromiseLike<unknown>;
}

export interface SnsSenderOptions {
  /** `new SNSClient({ region })`. It retries by itself: `maxAttempts: 1` where a text is never to be paid for twice. */
  readonly client: SnsClient;
  /** The class of that name in `@aws-sdk/client-sns`. */
  readonly PublishCommand: new (input: SnsText) => unknown;
  /** The name a text is from, where the country has such: up to 11 letters, digits and hyphens. Default: the account's. */
  readonly senderId?: string;
  /** More attributes of the message, by name: `{ "AWS.MM.SMS.OriginationNumber": "+15005550006" }`. Default: none. */
  readonly attributes?: Readonly<Record<string, string>>;
}

const OPTIONS = ["client", "PublishCommand", "senderId", "attributes"] satisfies (keyof SnsSenderOptions)[];
const SENDER_ID = /^(?=.*[A-Za-z])[A-Za-z0-9-]{1,11}$/;
const TYPE = "AWS.SNS.SMS.SMSType";
const SENDER = "AWS.SNS.SMS.SenderID";

function isClient(given: unknown): boolean {
  return typeof (Object(given) as { send?: unknown }).send === "function";
}

function problemsOf(options: SnsSenderOptions): string[] {
  if (isClient(options)) return ["snsSender: the client is one of the options: { client, PublishCommand }"];
  const { client, PublishCommand, senderId, attributes = {} } = Object(options) as Record<string, unknown>;
  const isSenderId = senderId === undefined || (typeof senderId === "string" && SENDER_ID.test(senderId));
  const odd = Object.entries(Object(attributes) as object).filter(([, value]) => typeof value !== "string");
  return [
    ...optionsProblems(options, OPTIONS, "snsSender: "),
    ...(isClient(client) ? [] : ["snsSender: client must be one of the AWS SDK's: new SNSClient({ region })"]),
    ...(typeof PublishCommand === "function"
      ? []
      : ['snsSender: PublishCommand must be the class: import { PublishCommand } from "@aws-sdk/client-sns"']),
    ...(isSenderId ? [] : ["snsSender: senderId must be 1 to 11 letters, digits and hyphens, one of them a letter"]),
    ...optionsProblems(attributes, Object.keys(Object(attributes) as object), "snsSender: attributes: "),
    ...odd.map(([name]) => `snsSender: attributes["${name}"] must be text`),
  ];
}

/** The service's errors are named; those of the connection have a code. */
function reasonOf(error: unknown): DeliveryReason {
  const { name, code, $metadata } = Object(error) as Readonly<Record<string, unknown>>;
  const { httpStatusCode } = Object($metadata) as { readonly httpStatusCode?: unknown };
  return { code: name === "Error" ? code : name, status: httpStatusCode };
}

/**
 * A `send` for codes by SMS, over Amazon SNS and the AWS SDK's own client (package `@aws-sdk/client-sns`), which is not a dependency of
 * this one. Sent as `Transactional`, straight to the number: to no topic.
 *
 * Does NOT retry beside what the client does. What SNS refuses is a `DeliveryError` with its error's name as `code` and with `status`, and
 * without its text, which repeats the number.
 *
 * @throws ConfigurationError where client or command are none, or for an option it does not have
 *
 * @example
 * ```ts
 * import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
 * import { backupCodes, smsCode, totp } from "express-second-factor";
 * import { snsSender } from "express-second-factor/sns";
 *
 * const client = new SNSClient({ region: "eu-central-1" });
 * const send = snsSender({ client, PublishCommand, senderId: "ACME" });
 * app.use(secondFactor({ ..., methods: [totp(), backupCodes(), smsCode({ send, countries: ["DE", "AT"] })] }));
 * ```
 */
export function snsSender(options: SnsSenderOptions): SendText {
  const problems = problemsOf(options);
  if (problems.length > 0) throw new ConfigurationError(problems);
  const { client, PublishCommand, senderId, attributes } = options;
  const named = { ...attributes, [TYPE]: "Transactional", ...(senderId !== undefined && { [SENDER]: senderId }) };
  return taker<SendText>(["text"], async (message, { signal } = {}) => {
    const entries = Object.entries(named).map(([name, text]) => [name, { DataType: "String", StringValue: text }]);
    const MessageAttributes = Object.fromEntries(entries) as SnsText["MessageAttributes"];
    const command = new PublishCommand({ PhoneNumber: numberOf(message), Message: message.text, MessageAttributes });
    await attempt({
      what: WHAT,
      signal,
      ask: (over) => client.send(command as never, { abortSignal: over }),
      reasonOf,
    });
  });
}

makesTakers(snsSender, "snsSender({ client, PublishCommand })");
