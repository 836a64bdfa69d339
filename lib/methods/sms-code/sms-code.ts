import { ConfigurationError } from "../../core/errors.js";
import { DAY, MINUTE, SECOND } from "../../core/nouns.js";
import { optionsProblems } from "../../core/option-names.js";
import { type CodeMessage, messageCodeMethod, type SendCode } from "../../engine/message-code-method.js";
import type { MessageCodeState } from "../../engine/message-codes.js";
import type { Method } from "../../http/method.js";
import { senderProblems } from "../../http/senders.js";
import { type Duration, milliseconds } from "../../policy/durations.js";
import { smsChannel } from "./channel.js";
import { countriesProblems } from "./countries.js";
import { loadNumbers } from "./numbers.js";
import { smsCodePage } from "./page.js";

/** A text with a code, as the application's sender gets it. `to`: E.164, such as `"+4915112345678"`. */
export type SmsCodeMessage = CodeMessage<string>;

/** What all texts together may come to. */
export interface SmsCeilings {
  /** Texts to the numbers of one country in an hour. Default: 100. */
  readonly country?: number;
  /** Texts in 24 hours. Default: 1000. */
  readonly day?: number;
}

export interface SmsCodeOptions {
  /**
   * Takes a text over, or rejects: then the visitor is told at once that it was not sent, and may try again. Send `text` as it is: one
   * message in the alphabet of GSM, whose last line phones fill the code in by. `signal` is aborted once nobody waits any more.
   */
  readonly send: SendCode<SmsCodeMessage>;
  /**
   * The countries whose mobile numbers may be used, by ISO 3166-1: `["DE", "AT"]`. Required, and no word stands for all of them: every
   * one more is one in which somebody can have texts sent that you pay for.
   */
  readonly countries: readonly string[];
  /** How long `send` may take, up to 30 s; then nobody knows whether it was sent, and it stays counted. Default: `"10s"`. */
  readonly timeout?: Duration;
  /** Where sending ends for all users together, told by `sms-ceiling-near` at four fifths. Default: `{ country: 100, day: 1000 }`. */
  readonly ceilings?: SmsCeilings;
}

const NAMES = ["send", "countries", "timeout", "ceilings"] as const;
const CEILINGS = ["country", "day"] as const;

function ceilingProblems(ceilings: unknown): string[] {
  const unknown = optionsProblems(ceilings, CEILINGS, "smsCode: ceilings: ");
  const values = Object(ceilings) as SmsCeilings;
  const wrong = CEILINGS.flatMap((name) => {
    const value = values[name];
    const isRight = value === undefined || (Number.isSafeInteger(value) && value > 0);
    return isRight ? [] : [`smsCode: ceilings.${name}: must be a whole number from 1`];
  });
  return [...unknown, ...wrong];
}

function problemsOf(options: Partial<SmsCodeOptions> = {}): string[] {
  const unknown = optionsProblems(options, NAMES, "smsCode: ");
  if (typeof options !== "object" || (options as unknown) === null) return unknown;
  return [
    ...unknown,
    ...senderProblems(options, "text", "smsCode: "),
    ...countriesProblems(options.countries),
    ...ceilingProblems(options.ceilings),
  ];
}

/**
 * Six digits by text message, for those whom it reaches and nothing better does: good for five minutes and five tries, for the login
 * alone that asked. A mobile number of one of your `countries` is proved before it is a factor, and codes go to no other. The text
 * ends in the line that binds the code to your site (`@host #code`), so that phones offer it there alone. Not in `preset: "strict"`.
 *
 * Does NOT send by itself, and does NOT protect against whoever has taken over the number (SIM swapping) or reads along: it is
 * restricted in the sense of NIST SP 800-63B-4 section 3.2.9, and changes settings only where the account has nothing better.
 *
 * @throws ConfigurationError without `send` or `countries`, for a country that is none, and for options that are none
 *
 * @example
 * ```ts
 * import { backupCodes, smsCode, totp } from "express-second-factor";
 *
 * const texts = smsCode({
 *   send: ({ to, text }) => gateway.send({ to, body: text }),
 *   countries: ["DE", "AT"],
 *   ceilings: { country: 50, day: 300 },
 * });
 * app.use(secondFactor({ ..., methods: [totp(), backupCodes(), texts] }));
 * ```
 */
export function smsCode(options: SmsCodeOptions): Method<MessageCodeState, string> {
  const problems = problemsOf(options);
  if (problems.length > 0) throw new ConfigurationError(problems);
  const { ceilings: { country = 100, day = 1_000 } = {}, countries, send, timeout = "10s" } = options;
  const channel = smsChannel({
    send,
    countries: [...countries],
    timeout: milliseconds(timeout) ?? 10 * SECOND,
    limitDefaults: { smsCountry: { limit: country, window: 60 * MINUTE }, smsDay: { limit: day, window: DAY } },
  });
  return {
    ...messageCodeMethod(channel),
    page: smsCodePage,
    async ready() {
      await loadNumbers();
    },
  };
}
