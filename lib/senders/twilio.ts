import type { DeliveryReason } from "../core/delivery-error.js";
import { ConfigurationError } from "../core/errors.js";
import { optionsProblems } from "../core/option-names.js";
import { makesTakers, taker } from "../core/takers.js";
import { attempt } from "../core/attempt.js";
import { isNumber, numberOf, type SendText, WHAT } from "./text-message.js";

/** What `messages.create` is given. */
export interface TwilioMessage {
  readonly to: string;
  readonly body: string;
  readonly from?: string;
  readonly messagingServiceSid?: string;
}

/** As much of Twilio's client as is used: what `twilio(accountSid, authToken)` answers. */
export interface TwilioClient {
  readonly messages: { create(message: TwilioMessage): PromiseLike<unknown> };
}

export interface TwilioSenderOptions {
  /** `twilio(accountSid, authToken, { timeout: 10_000 })`. Its own time-out is thirty seconds otherwise. */
  readonly client: TwilioClient;
  /** The sending number in E.164, a short code, or a sender's name of up to 11 letters and digits. This or `messagingServiceSid`. */
  readonly from?: string;
  /** The messaging service that chooses a sender: `"MG…"`. */
  readonly messagingServiceSid?: string;
  /** Whatever else `messages.create` takes, such as `{ contentRetention: "discard", riskCheck: "disable" }`. Default: nothing. */
  readonly parameters?: Readonly<Record<string, unknown>>;
}

const OPTIONS = ["client", "from", "messagingServiceSid", "parameters"] satisfies (keyof TwilioSenderOptions)[];
/** Said by the message, or by options of their own. */
const OURS = ["to", "body", "from", "messagingServiceSid"];
const SHORT_CODE = /^\d{3,8}$/;
const SENDER_NAME = /^(?=.*[A-Za-z])[A-Za-z0-9 +&_-]{1,11}$/;
const SERVICE = /^MG[0-9a-f]{32}$/i;

function isSender(from: unknown): boolean {
  return isNumber(from) || (typeof from === "string" && (SHORT_CODE.test(from) || SENDER_NAME.test(from)));
}

function senderProblems(from: unknown, messagingServiceSid: unknown): string[] {
  if (from === undefined && messagingServiceSid === undefined) {
    return ['twilioSender: from ("+15005550006") or messagingServiceSid ("MG…") says who sends'];
  }
  const isService = typeof messagingServiceSid === "string" && SERVICE.test(messagingServiceSid);
  return [
    ...(from === undefined || isSender(from)
      ? []
      : ["twilioSender: from must be a number in E.164, a short code, or a name of up to 11 letters and digits"]),
    ...(messagingServiceSid === undefined || isService
      ? []
      : ["twilioSender: messagingServiceSid must be the id of a messaging service: MG and 32 hexadecimal digits"]),
  ];
}

function isClient(given: unknown): boolean {
  const { messages } = Object(given) as { messages?: { create?: unknown } };
  return typeof messages?.create === "function";
}

function problemsOf(options: TwilioSenderOptions): string[] {
  if (isClient(options)) return ["twilioSender: the client is one of the options: { client, from }"];
  const { client, from, messagingServiceSid, parameters = {} } = Object(options) as Record<string, unknown>;
  const given = Object.keys(Object(parameters) as object).filter((name) => OURS.includes(name));
  return [
    ...optionsProblems(options, OPTIONS, "twilioSender: "),
    ...(isClient(client) ? [] : ["twilioSender: client must be one of Twilio's: twilio(accountSid, authToken)"]),
    ...senderProblems(from, messagingServiceSid),
    ...optionsProblems(parameters, Object.keys(Object(parameters) as object), "twilioSender: parameters: "),
    ...given.map((name) => `twilioSender: parameters.${name}: the message and the options say that`),
  ];
}

function reasonOf(error: unknown): DeliveryReason {
  const { code, status } = Object(error) as DeliveryReason;
  return { code, status };
}

/**
 * A `send` for codes by SMS, over Twilio's own client (package `twilio`), which is not a dependency of this one.
 *
 * Does NOT retry, and does NOT call a request off that Twilio is slow to answer: its client has no way to. What Twilio refuses is a
 * `DeliveryError` with its `code` and `status`, and without its text, which repeats the number.
 *
 * @throws ConfigurationError where nobody sends, where the client is none, or for an option it does not have
 *
 * @example
 * ```ts
 * import twilio from "twilio";
 * import { backupCodes, smsCode, totp } from "express-second-factor";
 * import { twilioSender } from "express-second-factor/twilio";
 *
 * const client = twilio(`AC${"0".repeat(32)}`, "the account's token", { timeout: 10_000 });
 * const send = twilioSender({ client, from: "+15005550006" });
 * app.use(secondFactor({ ..., methods: [totp(), backupCodes(), smsCode({ send, countries: ["DE", "AT"] })] }));
 * ```
 */
export function twilioSender(options: TwilioSenderOptions): SendText {
  const problems = problemsOf(options);
  if (problems.length > 0) throw new ConfigurationError(problems);
  const { client, from, messagingServiceSid, parameters } = options;
  const sender = {
    ...(from !== undefined && { from }),
    ...(messagingServiceSid !== undefined && { messagingServiceSid }),
  };
  return taker<SendText>(["text"], async (message, { signal } = {}) => {
    const parts = { ...parameters, ...sender, to: numberOf(message), body: message.text };
    await attempt({ what: WHAT, signal, ask: () => client.messages.create(parts), reasonOf });
  });
}

makesTakers(twilioSender, "twilioSender({ client, from })");
